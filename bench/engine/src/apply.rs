//! Section A: a whole typing history, edit by edit, into a text.

use std::path::Path;

use jumprope::{JumpRope, JumpRopeBuf};
use ot_core::{Operation, Text};

use crate::histories::{History, histories};
use crate::measure::Contender;
use crate::report::{Report, Target, Unit};

const ROUNDS: usize = 15;

/// Beside the fastest rope that gathers keystrokes before it writes them.
const RATIO_MAX: f64 = 1.5;

pub(crate) fn section(report: &mut Report, traces: Option<&Path>) {
    for history in histories(traces) {
        let mut contenders = vec![buffered(&history), ours(&history), rope(&history)];
        #[cfg(feature = "peers")]
        contenders.extend(crate::peers::apply(&history));
        let title = format!(
            "{}: {} edits, {} bytes at the end",
            history.name,
            history.edits.len(),
            history.end.len()
        );
        let taken = report.compare(&title, Unit::Milliseconds, ROUNDS, contenders);
        report.target(Target {
            what: format!("{}: build each operation, apply it", history.name),
            peer: "JumpRopeBuf".to_owned(),
            theirs: taken[0].median,
            ours: taken[1].median,
            unit: Unit::Milliseconds,
            ratio_max: RATIO_MAX,
        });
    }
}

fn ours(history: &History) -> Contender<'_> {
    let work = |text: &mut Text| {
        for edit in &history.edits {
            let made = Operation::splice(text.len_chars(), edit.at, edit.deleted, &edit.inserted);
            text.apply(&made.expect("an edit lies in its text")).expect("it spans its text");
        }
    };
    Contender::new(
        "Concord: build each `Operation` and apply it to a `Text`",
        || Text::from(history.start.as_str()),
        work,
        |text, ()| assert!(text == *history.end.as_str()),
    )
    .of(history.edits.len())
}

fn buffered(history: &History) -> Contender<'_> {
    let work = |rope: &mut JumpRopeBuf| {
        for edit in &history.edits {
            if edit.deleted > 0 {
                rope.remove(edit.at..edit.at + edit.deleted);
            }
            if !edit.inserted.is_empty() {
                rope.insert(edit.at, &edit.inserted);
            }
        }
        rope.len_chars()
    };
    Contender::new(
        "jumprope, `JumpRopeBuf`",
        || JumpRopeBuf::new_from_str(&history.start),
        work,
        |rope, _| assert_eq!(rope.to_string(), history.end),
    )
    .of(history.edits.len())
}

fn rope(history: &History) -> Contender<'_> {
    let work = |rope: &mut JumpRope| {
        for edit in &history.edits {
            if edit.deleted > 0 {
                rope.remove(edit.at..edit.at + edit.deleted);
            }
            if !edit.inserted.is_empty() {
                rope.insert(edit.at, &edit.inserted);
            }
        }
    };
    Contender::new(
        "jumprope, `JumpRope`",
        || JumpRope::from(history.start.as_str()),
        work,
        |rope, ()| assert_eq!(rope.to_string(), history.end),
    )
    .of(history.edits.len())
}
