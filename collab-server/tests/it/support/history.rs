//! Long histories to pack: a recorded one, or one made up like it.

use collab_protocol::{ClientId, UserId};
use collab_server::{ChainHash, LoggedOperation};
use ot_core::{ClientSeq, Operation, Revision, Text};
use serde::Deserialize;

/// A history, with the text that it must end with.
pub(crate) struct Recorded {
    pub(crate) name: &'static str,
    pub(crate) operations: Vec<LoggedOperation>,
    pub(crate) end: String,
}

/// One edit: offset, characters deleted there, text inserted there.
type Patch = (usize, usize, String);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Trace {
    end_content: String,
    txns: Vec<Transaction>,
}

#[derive(Deserialize)]
struct Transaction {
    time: String,
    patches: Vec<Patch>,
}

/// The history that the folder holds.
pub(crate) fn automerge_paper(folder: &std::path::Path) -> Recorded {
    let file = std::fs::File::open(folder.join("automerge-paper.json.gz")).expect("the trace");
    let reader = std::io::BufReader::new(flate2::read::GzDecoder::new(file));
    let trace: Trace = serde_json::from_reader(reader).expect("JSON of the documented shape");
    let patches = trace.txns.into_iter().flat_map(|transaction| {
        let time_ms = milliseconds(&transaction.time);
        transaction.patches.into_iter().map(move |patch| (time_ms, patch))
    });
    let operations = logged(patches, |_| 0);
    Recorded { name: "automerge-paper", operations, end: trace.end_content }
}

/// Milliseconds since 1970 of a time like `2021-04-19T06:06:58.219Z`.
fn milliseconds(time: &str) -> i64 {
    let number = |from: usize, to: usize| time[from..to].parse::<i64>().expect("digits");
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    // Days of the proleptic Gregorian calendar, with years that begin in March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    let seconds = (days * 24 + number(11, 13)) * 3_600 + number(14, 16) * 60 + number(17, 19);
    seconds * 1_000 + number(20, 23)
}

/// Edits as two people make them in turns: runs of typing with slips taken back, then a jump.
pub(crate) fn typing(count: usize) -> Recorded {
    const WORDS: [&str; 8] = ["the ", "text ", "ends ", "where ", "über ", "all ", "of ", "it\n"];
    let mut numbers = Numbers(7);
    let (mut len, mut caret, mut time_ms) = (0, 0, 1_700_000_000_000);
    let mut patches: Vec<(i64, Patch)> = Vec::with_capacity(count);
    while patches.len() < count {
        if numbers.below(12) == 0 {
            caret = numbers.below(len + 1);
        }
        for letter in WORDS[numbers.below(8)].chars() {
            time_ms += 40 + numbers.below(200) as i64;
            patches.push((time_ms, (caret, 0, letter.to_string())));
            (caret, len) = (caret + 1, len + 1);
        }
        for _ in 0..numbers.below(5).saturating_sub(2).min(caret) {
            time_ms += 90;
            (caret, len) = (caret - 1, len - 1);
            patches.push((time_ms, (caret, 1, String::new())));
        }
    }
    patches.truncate(count);
    let operations = logged(patches.into_iter(), |index| (index / 500) as u128 % 2);
    let mut text = Text::new();
    for logged in &operations {
        text.apply(&logged.operation).expect("each follows the last");
    }
    Recorded { name: "made-up typing", operations, end: text.contents() }
}

/// Patches as committed operations, without their chain. `client` says whose each is.
fn logged(
    patches: impl Iterator<Item = (i64, Patch)>,
    client: impl Fn(usize) -> u128,
) -> Vec<LoggedOperation> {
    let mut len = 0;
    let mut seqs = std::collections::HashMap::new();
    patches
        .enumerate()
        .map(|(index, (time_ms, (offset, deleted, inserted)))| {
            let operation = Operation::splice(len, offset, deleted, &inserted).expect("fits");
            len = operation.target_len();
            let client = client(index);
            let seq = seqs.entry(client).or_insert(0);
            *seq += 1;
            let author: UserId = format!("g_{client}").parse().expect("an id");
            LoggedOperation {
                revision: Revision::new(index as u64 + 1),
                client: ClientId::new(0x00c1_1e47 + client),
                seq: ClientSeq::new(*seq),
                author,
                time_ms,
                operation,
                chain: ChainHash::START,
            }
        })
        .collect()
}

/// A small generator of its own, so that every run is the same.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }
}
