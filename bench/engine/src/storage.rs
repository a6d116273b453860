//! Section D: what a history weighs, how fast a text comes out of it, and what a text takes in memory.

use std::path::Path;

use ot_core::{Operation, Text};

use crate::histories::{History, histories};
use crate::report::{Report, Target, Unit};

/// Of the size of the text: while it is edited, and after it has been packed again.
const MEMORY_MAX: [f64; 2] = [5.0, 2.5];

pub(crate) fn section(report: &mut Report, traces: Option<&Path>) {
    #[cfg(feature = "peers")]
    crate::peers::storage::section(report, traces);
    for history in histories(traces) {
        memory(report, &history);
    }
}

fn memory(report: &mut Report, history: &History) {
    let mut text = Text::from(history.start.as_str());
    for edit in &history.edits {
        let made = Operation::splice(text.len_chars(), edit.at, edit.deleted, &edit.inserted);
        text.apply(&made.expect("an edit lies in its text")).expect("it spans its text");
    }
    let live = text.memory_bytes();
    text.repack();
    for (what, bytes, ratio_max) in
        [("live", live, MEMORY_MAX[0]), ("packed again", text.memory_bytes(), MEMORY_MAX[1])]
    {
        report.target(Target {
            what: format!("{}: memory of the text, {what}", history.name),
            peer: "the text itself".to_owned(),
            theirs: 1.0,
            ours: bytes as f64 / history.end.len() as f64,
            unit: Unit::TimesText,
            ratio_max,
        });
    }
}
