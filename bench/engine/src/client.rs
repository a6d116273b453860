//! Section F: what the editing side does with each edit, beside applying it: its own and those of others, the wire form,
//! and what an editor that tells of no operations needs.

use std::hint::black_box;
use std::path::Path;

use ot_core::{Client, ClientSeq, Limits, Operation, Revision, Text, transform_pending};

use crate::histories::{History, histories, text_of};
use crate::measure::Contender;
use crate::report::{Report, Unit};

const ROUNDS: usize = 15;

/// Length of the document of small operations, in characters.
const LEN: usize = 100_000;

/// Between two edits that are typed, in milliseconds.
const PACE_MS: u64 = 100;

pub(crate) fn section(report: &mut Report, traces: Option<&Path>) {
    small(report);
    text(report);
    for history in histories(traces) {
        whole(report, &history);
    }
}

fn small(report: &mut Report) {
    const CALLS: u32 = 20_000;
    let insert = |at| Operation::splice(LEN, at, 0, "x").expect("fits");
    let (own, other) = (insert(60_000), insert(40_000));
    let contenders = vec![
        Contender::repeated("built", CALLS, || insert(black_box(60_000))),
        Contender::repeated("transformed, one side", CALLS, || {
            transform_pending(black_box(&own), black_box(&other))
        }),
        Contender::repeated("to JSON and back", CALLS, || {
            Operation::from_json(&black_box(&own).to_json(), &Limits::NONE)
        }),
    ];
    let title = "an operation of one character in 100k";
    report.compare(title, Unit::Nanoseconds, ROUNDS, contenders);
}

fn text(report: &mut Report) {
    let before = text_of(LEN);
    let mut after = before.clone();
    after.insert_str(LEN / 2, "typed");
    let caret = Some(LEN / 2 + 5);
    let rope = Text::from(before.as_str());
    let contenders = vec![
        Contender::repeated("an edit at one place, found by `diff`", 20, || {
            ot_core::diff(black_box(&before), black_box(&after), caret)
        }),
        Contender::repeated("the hash of a `Text`", 20, || black_box(&rope).hash()),
    ];
    let title = "a text of 100k characters";
    report.compare(title, Unit::Nanoseconds, ROUNDS, contenders);
}

fn whole(report: &mut Report, history: &History) {
    let operations = &history.operations();
    let client = || Client::new(&history.start, Revision::ZERO, ClientSeq::new(1));
    let is_whole = |client: Client, ()| assert!(*client.text() == *history.end.as_str());
    let typed = |client: &mut Client| {
        for (operation, number) in operations.iter().zip(0..) {
            client.edit(operation.clone(), PACE_MS * number).expect("it spans the text");
        }
    };
    let heard = |client: &mut Client| {
        for (operation, to) in operations.iter().zip(1..) {
            client.receive(operation, Revision::new(to)).expect("in order");
        }
    };
    let contenders = vec![
        Contender::new("typed, nothing sent yet", client, typed, is_whole).of(operations.len()),
        Contender::new("heard, nothing typed", client, heard, is_whole).of(operations.len()),
    ];
    let title = format!("{}: {} edits at a `Client`", history.name, operations.len());
    report.compare(&title, Unit::Milliseconds, 5, contenders);
}
