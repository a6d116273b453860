//! The hot paths, one case a run: `cargo xtask instructions` runs each under callgrind and compares how many
//! instructions it took with `expected.tsv`.
//!
//! Only what runs inside [`measured`] is counted. Each case does the same in every run: it reads no clock, draws no
//! random number and hashes nothing by an address.

use std::hint::black_box;
use std::process::ExitCode;

use collab_protocol::{AuthorNumber, ChannelId, ClientMessage, OpsFrame, write_op_entry};
use ot_core::{
    Client, ClientSeq, History, Limits, Operation, Revision, Text, compose_all, transform,
};

/// Length of the document, in characters.
const LEN: usize = 100_000;

/// How often a case does what it does, so that what it costs to begin and end does not count.
const TIMES: usize = 1_000;

/// What is counted, by its name: callgrind looks for this function.
#[inline(never)]
fn measured<R>(work: impl FnOnce() -> R) -> R {
    black_box(work())
}

const CASES: [(&str, fn()); 17] = [
    ("build_and_apply_typing", build_and_apply_typing),
    ("apply_at_random", apply_at_random),
    ("transform_small", transform_small),
    ("transform_large", transform_large),
    ("compose_small", compose_small),
    ("compose_run", compose_run),
    ("compose_large", compose_large),
    ("compose_all_typing", compose_all_typing),
    ("compose_all_jumping", compose_all_jumping),
    ("merge_known", merge_known),
    ("history_push", history_push),
    ("history_rebase_first", history_rebase_first),
    ("history_rebase_again", history_rebase_again),
    ("client_edit", client_edit),
    ("client_receive", client_receive),
    ("binary_and_back", binary_and_back),
    ("frame_and_back", frame_and_back),
];

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1);
    let Some(name) = wanted else {
        CASES.iter().for_each(|(name, _)| println!("{name}"));
        return ExitCode::SUCCESS;
    };
    let Some((_, run)) = CASES.iter().find(|(known, _)| *known == name) else {
        eprintln!("no case {name}");
        return ExitCode::FAILURE;
    };
    run();
    ExitCode::SUCCESS
}

/// One edit: offset, characters deleted, text inserted.
type Edit = (usize, usize, &'static str);

/// Words typed at a place, some letters taken back, then another place. `index` alone decides each.
fn typing(count: usize) -> Vec<Edit> {
    const LETTERS: [&str; 5] = ["e", "t", "a", " ", "é"];
    let (mut len, mut caret) = (LEN, LEN / 2);
    let mut edits = Vec::with_capacity(count);
    for index in 0..count {
        if index % 40 == 0 {
            caret = index.wrapping_mul(48_271) % len;
        }
        if index % 11 == 10 && caret > 0 {
            (caret, len) = (caret - 1, len - 1);
            edits.push((caret, 1, ""));
        } else {
            edits.push((caret, 0, LETTERS[index % 5]));
            (caret, len) = (caret + 1, len + 1);
        }
    }
    edits
}

fn splice(len: usize, (at, deleted, inserted): Edit) -> Operation {
    Operation::splice(len, at, deleted, inserted).expect("an edit lies in its text")
}

fn operations(count: usize) -> Vec<Operation> {
    following(typing(count))
}

fn following(edits: Vec<Edit>) -> Vec<Operation> {
    let mut len = LEN;
    let operation = |edit| {
        let made = splice(len, edit);
        len = made.target_len();
        made
    };
    edits.into_iter().map(operation).collect()
}

/// As one writes a program: every few letters somewhere else near by, and sometimes far off.
fn jumping(count: usize) -> Vec<Edit> {
    let (mut len, mut caret) = (LEN, LEN / 2);
    let mut edits = Vec::with_capacity(count);
    for index in 0..count {
        let random = index.wrapping_mul(48_271) ^ (index >> 3);
        if index % 250 == 249 {
            caret = random % len;
        } else if index % 6 == 0 {
            caret = (caret + random % 600).saturating_sub(300).min(len - 8);
        }
        let (deleted, text) = match index % 17 {
            3 => (1, ""),
            9 => (5, "other"),
            12 => (2, ""),
            _ => (0, ["e", "(", "é", " "][index % 4]),
        };
        edits.push((caret, deleted, text));
        let inserted = text.chars().count();
        (caret, len) = (caret + inserted, len - deleted + inserted);
    }
    edits
}

fn document() -> String {
    "0123456789".repeat(LEN / 10)
}

fn text() -> Text {
    Text::from(document().as_str())
}

/// An insert or a delete every 20 characters, behind the first `phase`.
fn scattered(base_len: usize, phase: usize) -> Operation {
    let mut builder = Operation::builder().retain(phase);
    let mut left = base_len - phase;
    for index in 0..TIMES {
        builder = if index % 3 == 2 { builder.delete(1) } else { builder.insert("x") };
        left -= usize::from(index % 3 == 2);
        builder = builder.retain(19);
        left -= 19;
    }
    builder.retain(left).build().expect("fits")
}

fn build_and_apply_typing() {
    let (edits, mut text) = (typing(TIMES), text());
    measured(|| {
        for edit in edits {
            text.apply(&splice(text.len_chars(), edit)).expect("it spans its text");
        }
    });
}

fn apply_at_random() {
    let mut text = text();
    let there = |index: usize| (index.wrapping_mul(48_271) % LEN, 0, "x");
    let operations: Vec<Operation> =
        (0..TIMES).map(|index| splice(LEN + index, there(index))).collect();
    measured(|| {
        for operation in &operations {
            text.apply(operation).expect("it spans its text");
        }
    });
}

fn transform_small() {
    let (one, other) = (splice(LEN, (60_000, 0, "x")), splice(LEN, (40_000, 0, "y")));
    measured(|| {
        for _ in 0..TIMES {
            black_box(transform(black_box(&one), black_box(&other))).expect("one base");
        }
    });
}

fn transform_large() {
    let (one, other) = (scattered(LEN, 3), scattered(LEN, 11));
    measured(|| transform(&one, &other)).expect("one base");
}

fn compose_small() {
    let (one, next) = (splice(LEN, (60_000, 0, "x")), splice(LEN + 1, (40_000, 0, "y")));
    measured(|| {
        for _ in 0..TIMES {
            black_box(black_box(&one).compose(black_box(&next))).expect("it follows");
        }
    });
}

/// Typing on where the first operation typed.
fn compose_run() {
    let (one, next) = (splice(LEN, (40_000, 0, "x")), splice(LEN + 1, (40_001, 0, "y")));
    measured(|| {
        for _ in 0..TIMES {
            black_box(black_box(&one).compose(black_box(&next))).expect("it follows");
        }
    });
}

fn compose_large() {
    let one = scattered(LEN, 3);
    let next = scattered(one.target_len(), 11);
    measured(|| one.compose(&next)).expect("it follows");
}

fn compose_all_typing() {
    let operations = operations(4 * TIMES);
    measured(|| compose_all(operations)).expect("each follows the last");
}

fn compose_all_jumping() {
    let operations = following(jumping(4 * TIMES));
    measured(|| compose_all(operations)).expect("each follows the last");
}

/// Two long branches, given as their operations, to the text that both end with.
fn merge_known() {
    let (one, other, mut text) = (operations(TIMES), following(jumping(TIMES)), text());
    measured(|| {
        let one = compose_all(one).expect("each follows the last").expect("some");
        let other = compose_all(other).expect("each follows the last").expect("some");
        let (other, _) = transform(&other, &one).expect("one base");
        text.apply(&one).expect("it spans its text");
        text.apply(&other).expect("it spans its text");
    });
}

fn history(operations: Vec<Operation>) -> History {
    let mut history = History::new(Revision::ZERO, LEN);
    for operation in operations {
        history.push(operation).expect("it follows");
    }
    history
}

fn history_push() {
    let operations = operations(TIMES);
    measured(|| history(operations));
}

fn history_rebase_first() {
    let history = history(operations(TIMES));
    let late = splice(LEN, (5, 0, "late"));
    measured(|| history.rebase(&late, Revision::ZERO)).expect("it is kept");
}

fn history_rebase_again() {
    let history = history(operations(TIMES));
    let late = splice(LEN, (5, 0, "late"));
    history.rebase(&late, Revision::ZERO).expect("it is kept");
    measured(|| history.rebase(&late, Revision::ZERO)).expect("it is kept");
}

fn client() -> Client {
    Client::new(&document(), Revision::ZERO, ClientSeq::new(1))
}

fn client_edit() {
    let (operations, mut client) = (operations(TIMES), client());
    measured(|| {
        for (index, operation) in operations.into_iter().enumerate() {
            client.edit(operation, 100 * index as u64).expect("it spans the text");
        }
    });
}

/// Others type while something of one's own is pending.
fn client_receive() {
    let (operations, mut client) = (operations(TIMES), client());
    client.edit(splice(LEN, (LEN, 0, "own")), 0).expect("it spans the text");
    client.take_submission(&Limits::NONE).expect("something was typed");
    measured(|| {
        for (operation, to) in operations.iter().zip(1..) {
            client.receive(operation, Revision::new(to)).expect("in order");
        }
    });
}

fn binary_and_back() {
    let operations = operations(TIMES);
    measured(|| {
        for operation in &operations {
            let bytes = operation.to_bytes();
            black_box(Operation::from_bytes(&bytes, &Limits::NONE)).expect("its own bytes");
        }
    });
}

/// A submission read as a server reads it, and written into a frame for others.
fn frame_and_back() {
    let frames: Vec<String> = operations(TIMES)
        .iter()
        .zip(1..)
        .map(|(operation, seq)| {
            let op = operation.to_json();
            format!(r#"{{"type":"submit","ch":1,"seq":{seq},"rev":{seq},"op":{op}}}"#)
        })
        .collect();
    measured(|| {
        let mut out = OpsFrame::new(ChannelId(1), 0, 0);
        for frame in &frames {
            let Ok(ClientMessage::Submit(submit)) = ClientMessage::decode(frame) else {
                panic!("a submission reads back: {frame}");
            };
            let operation = submit.op.decode(&Limits::NONE).expect("an operation");
            let json = operation.to_json();
            out.push_with(|out| write_op_entry(out, &json, AuthorNumber(1)));
        }
        out.len_bytes()
    });
}
