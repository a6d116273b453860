//! How cost grows: with the size of the document, and with the length of its history.

use std::hint::black_box;
use std::path::Path;

use ot_core::{History, Operation, Revision, Text, compose_all, transform};

use crate::histories::{made_up, text_of};
use crate::measure::Contender;
use crate::report::{Report, Unit};

const ROUNDS: usize = 9;

/// Documents, in characters.
const SIZES: [usize; 7] = [1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 22];

/// Histories, in operations.
const LENGTHS: [usize; 6] = [10, 100, 1_000, 10_000, 100_000, 1_000_000];

pub(crate) fn section(report: &mut Report, _: Option<&Path>) {
    with_size(report);
    with_history(report);
}

fn with_size(report: &mut Report) {
    const CALLS: u32 = 2_000;
    let apply = SIZES.map(|len| {
        let mut text = Text::from(text_of(len).as_str());
        let mut offsets = (0..).map(move |index: usize| index.wrapping_mul(48_271) % len);
        Contender::repeated(format!("{len} characters"), CALLS, move || {
            let at = offsets.next().expect("no end");
            let there = Operation::splice(len, at, 0, "x").expect("fits");
            // Elsewhere, so that one does not take the other back before it has reached the rope.
            let back = Operation::splice(len + 1, (at + len / 2) % len, 1, "").expect("fits");
            text.apply(&there).expect("spans it");
            text.apply(&back).expect("spans it");
        })
        .of(2)
    });
    let title =
        "an operation of one character at random, built and applied, by size of the document";
    report.compare(title, Unit::Nanoseconds, ROUNDS, apply.into());
    let meet = SIZES.map(|len| {
        let one = Operation::splice(len, len / 3, 0, "x").expect("fits");
        let other = Operation::splice(len, len / 2, 0, "y").expect("fits");
        Contender::repeated(format!("{len} characters"), CALLS, move || {
            transform(black_box(&one), black_box(&other))
        })
    });
    let title = "a transform of two such operations, by size of the document";
    report.compare(title, Unit::Nanoseconds, ROUNDS, meet.into());
    let load = SIZES.map(|len| {
        let text = text_of(len);
        let load = move |_: &mut ()| Text::from(text.as_str());
        Contender::new(format!("{len} characters"), || (), load, |(), _| ()).of(len)
    });
    report.compare("a text loaded, by its size", Unit::Milliseconds, ROUNDS, load.into());
}

fn with_history(report: &mut Report) {
    let made = made_up("typing", String::new(), 7, LENGTHS[LENGTHS.len() - 1]);
    let operations = &made.operations();
    let compose = LENGTHS.map(|count| {
        Contender::new(
            format!("{count} operations"),
            move || operations[..count].to_vec(),
            |operations| compose_all(operations.drain(..)).expect("each follows the last"),
            |_, _| (),
        )
        .of(count)
    });
    let title = "many operations composed into one, by their number";
    report.compare(title, Unit::Milliseconds, ROUNDS, compose.into());

    let held = |count: usize| {
        let mut history = History::new(Revision::ZERO, 0);
        for operation in &operations[..count] {
            history.push(operation.clone()).expect("it follows");
        }
        history
    };
    // Made when the document was empty: it is late by the whole history.
    let late = Operation::splice(0, 0, 0, "x").expect("fits");
    let first = LENGTHS.map(|count| {
        let late = &late;
        Contender::new(
            format!("late by {count} operations"),
            move || held(count),
            move |history| history.rebase(late, Revision::ZERO).expect("it is kept"),
            |_, _| (),
        )
        .of(count)
    });
    let title = "a late operation rebased over the whole history, nothing composed before";
    report.compare(title, Unit::Milliseconds, 3, first.into());
    let again = LENGTHS.map(|count| {
        let (history, late) = (held(count), &late);
        let _ = history.rebase(late, Revision::ZERO);
        Contender::repeated(format!("late by {count} operations"), 5, move || {
            history.rebase(black_box(late), Revision::ZERO).expect("it is kept")
        })
        .of(count)
    });
    let title = "the same once its ranges are composed, as they stay";
    report.compare(title, Unit::Milliseconds, ROUNDS, again.into());
    let near = LENGTHS.map(|count| {
        let history = held(count);
        let from = Revision::new(count as u64 - 1);
        let recent = Operation::splice(history.len_at(from), 0, 0, "x").expect("fits");
        Contender::repeated(format!("of {count} operations"), 1_000, move || {
            history.rebase(black_box(&recent), from).expect("it is kept")
        })
    });
    let title = "an operation late by one revision, by the length of the history";
    report.compare(title, Unit::Nanoseconds, ROUNDS, near.into());
}
