//! What `strace` wrote, as far as the audit asks.

use std::collections::HashMap;
use std::path::Path;

/// One system call, between the lines where it began and ended.
#[derive(Debug)]
struct Call {
    text: String,
    began: usize,
    ended: usize,
}

impl Call {
    fn name(&self) -> &str {
        self.text.split('(').next().unwrap_or_default()
    }

    fn is_on_log(&self) -> bool {
        self.text.contains("-wal>")
    }

    fn succeeded(&self) -> bool {
        self.text.ends_with("= 0")
    }
}

#[derive(Debug)]
pub(super) struct Trace(Vec<Call>);

/// What the trace shows of one ack. Lines count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// Which.
    pub(super) number: u64,
    /// Where the first write of its mark into the write-ahead log ended.
    pub(super) written: Option<usize>,
    /// Where the first sync that began behind it ended.
    pub(super) synced: Option<usize>,
    /// Where its send began.
    pub(super) sent: Option<usize>,
}

impl Finding {
    /// Whether the bytes were written, then synced, and only then acknowledged.
    pub(super) fn is_durable(&self) -> bool {
        match (self.written, self.synced, self.sent) {
            (Some(written), Some(synced), Some(sent)) => written < synced && synced < sent,
            _ => false,
        }
    }
}

impl Trace {
    pub(super) fn read(file: &Path) -> Self {
        let text = std::fs::read(file).expect("strace wrote its trace");
        Self::parse(&String::from_utf8_lossy(&text))
    }

    fn parse(text: &str) -> Self {
        let mut unfinished: HashMap<&str, (usize, String)> = HashMap::new();
        let mut calls = Vec::new();
        for (line, text) in text.lines().enumerate() {
            let Some((thread, rest)) = text.split_once(' ') else { continue };
            let rest = rest.trim_start();
            if let Some(begun) = rest.strip_suffix(" <unfinished ...>") {
                unfinished.insert(thread, (line, begun.to_owned()));
            } else if let Some((_, end)) = rest.split_once(" resumed>") {
                if let Some((began, begun)) = unfinished.remove(thread) {
                    calls.push(Call { text: begun + end, began, ended: line });
                }
            } else {
                calls.push(Call { text: rest.to_owned(), began: line, ended: line });
            }
        }
        // What never returned was begun all the same.
        for (began, text) in unfinished.into_values() {
            calls.push(Call { text, began, ended: usize::MAX });
        }
        calls.sort_by_key(|call| call.began);
        Trace(calls)
    }

    pub(super) fn find(&self, number: u64, mark: &str) -> Finding {
        let ack = format!(r#"\"ack\":{number}"#);
        let of =
            |names: &'static [&str]| self.0.iter().filter(move |call| names.contains(&call.name()));
        let written = of(&["pwrite64", "write", "pwritev"])
            .filter(|call| call.is_on_log() && call.text.contains(mark))
            .map(|call| call.ended)
            .min();
        let synced = of(&["fdatasync", "fsync"])
            .filter(|call| call.is_on_log() && call.succeeded())
            .filter(|call| written.is_some_and(|written| call.began > written))
            .map(|call| call.ended)
            .min();
        let sent = of(&["sendto", "sendmsg", "write", "writev"])
            .filter(|call| !call.is_on_log() && call.text.contains(&ack))
            .map(|call| call.began)
            .min();
        Finding { number, written, synced, sent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[&str], expected: bool) {
        let found = Trace::parse(&lines.join("\n")).find(7, "m7;");
        assert_eq!(found.is_durable(), expected, "{found:?}");
    }

    const WRITE: &str = r#"11 pwrite64(9</x/c.db-wal>, "..m7;..", 4096, 56) = 4096"#;
    const SYNC: &str = "11 fdatasync(9</x/c.db-wal>) = 0";
    const SEND: &str = r#"12 sendto(8<TCP>, "{\"ack\":7}", 9, MSG_NOSIGNAL, NULL, 0) = 9"#;

    #[test]
    fn only_written_then_synced_then_sent_counts() {
        check(&[WRITE, SYNC, SEND], true);
        check(&[WRITE, SEND, SYNC], false);
        check(&[SYNC, WRITE, SEND], false);
        check(&[WRITE, SEND], false);
        check(&[WRITE, SYNC], false);
        check(&[WRITE, "11 fdatasync(9</x/c.db>) = 0", SEND], false);
        check(&[WRITE, "11 fdatasync(9</x/c.db-wal>) = -1 EIO (Input/output error)", SEND], false);
    }

    #[test]
    fn calls_that_overlap_are_taken_at_their_ends() {
        let began = "11 fdatasync(9</x/c.db-wal> <unfinished ...>";
        let ended = "11 <... fdatasync resumed>) = 0";
        check(&[WRITE, began, ended, SEND], true);
        check(&[WRITE, began, SEND, ended], false);
        check(&[began, WRITE, ended, SEND], false);
    }
}
