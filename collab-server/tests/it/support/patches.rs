//! Keystrokes one after another: recorded ones, or some made up like them. Needs no server, so that benchmarks of the
//! engine alone read the same histories.
//!
//! Offsets and lengths count Unicode scalar values.

use std::path::Path;

use serde::Deserialize;

/// One edit: offset, characters deleted there, text inserted there.
pub(crate) type Patch = (usize, usize, String);

/// A history of one document, edit by edit.
pub(crate) struct Patches {
    /// The text before the first edit.
    pub(crate) start: String,
    /// Each edit, with the milliseconds since 1970 at which it was made.
    pub(crate) edits: Vec<(i64, Patch)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Trace {
    start_content: String,
    end_content: String,
    txns: Vec<Transaction>,
}

#[derive(Deserialize)]
struct Transaction {
    time: String,
    patches: Vec<Patch>,
}

/// The edits of one person that `<name>.json.gz` of the folder holds, and the text that they end with, as it is
/// recorded there. The form is that of github.com/josephg/editing-traces.
pub(crate) fn recorded(folder: &Path, name: &str) -> (Patches, String) {
    let file = std::fs::File::open(folder.join(format!("{name}.json.gz"))).expect("the trace");
    let reader = std::io::BufReader::new(flate2::read::GzDecoder::new(file));
    let trace: Trace = serde_json::from_reader(reader).expect("JSON of the documented shape");
    let edits = trace.txns.into_iter().flat_map(|transaction| {
        let time_ms = milliseconds(&transaction.time);
        transaction.patches.into_iter().map(move |patch| (time_ms, patch))
    });
    (Patches { start: trace.start_content, edits: edits.collect() }, trace.end_content)
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

/// `count` edits to `start` as a person makes them: words typed, some of it taken back, then a jump. The same `seed`
/// makes the same edits.
pub(crate) fn typing(start: String, seed: u64, count: usize) -> Patches {
    const WORDS: [&str; 8] = ["the ", "text ", "ends ", "where ", "über ", "all ", "of ", "it\n"];
    let mut numbers = Numbers(seed);
    let mut len = start.chars().count();
    let (mut caret, mut time_ms) = (len, 1_700_000_000_000);
    let mut edits = Vec::with_capacity(count + 8);
    while edits.len() < count {
        if numbers.below(12) == 0 {
            caret = numbers.below(len + 1);
        }
        for letter in WORDS[numbers.below(8)].chars() {
            time_ms += 40 + numbers.below(200) as i64;
            edits.push((time_ms, (caret, 0, letter.to_string())));
            (caret, len) = (caret + 1, len + 1);
        }
        for _ in 0..numbers.below(5).saturating_sub(2).min(caret) {
            time_ms += 90;
            (caret, len) = (caret - 1, len - 1);
            edits.push((time_ms, (caret, 1, String::new())));
        }
    }
    edits.truncate(count);
    Patches { start, edits }
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
