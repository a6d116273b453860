//! `yrs`, the port of Yjs.

use yrs::updates::decoder::Decode;
use yrs::{
    ClientID, Doc, GetString, OffsetKind, Options, ReadTxn, StateVector, Text, TextRef, Transact,
    Update,
};

use crate::histories::{Edit, History};
use crate::measure::Contender;
use crate::merge::Apart;

/// Histories hold no character beyond the basic plane, so its UTF-16 offsets are ours.
fn document(client: u64) -> (Doc, TextRef) {
    let options = Options {
        client_id: ClientID::new(client),
        offset_kind: OffsetKind::Utf16,
        ..Options::default()
    };
    let document = Doc::with_options(options);
    let text = document.get_or_insert_text("text");
    (document, text)
}

fn write(document: &Doc, text: &TextRef, edits: &[Edit]) {
    for edit in edits {
        let mut transaction = document.transact_mut();
        let at = edit.at as u32;
        if edit.deleted > 0 {
            text.remove_range(&mut transaction, at, edit.deleted as u32);
        }
        if !edit.inserted.is_empty() {
            text.insert(&mut transaction, at, &edit.inserted);
        }
    }
}

fn begun(client: u64, start: &str) -> (Doc, TextRef) {
    let (document, text) = document(client);
    text.insert(&mut document.transact_mut(), 0, start);
    (document, text)
}

pub(super) fn apply(history: &History) -> Contender<'_> {
    Contender::new(
        "yrs, one transaction per edit",
        || begun(1, &history.start),
        |(document, text)| write(document, text, &history.edits),
        |(document, text), ()| assert_eq!(text.get_string(&document.transact()), history.end),
    )
    .of(history.edits.len())
}

/// The bytes of a whole history, format 2.
pub(super) fn saved(history: &History) -> Vec<u8> {
    let (document, text) = begun(1, &history.start);
    write(&document, &text, &history.edits);
    document.transact().encode_state_as_update_v2(&StateVector::default())
}

/// From those bytes to the text.
pub(super) fn loaded(bytes: &[u8]) -> String {
    let (document, text) = document(2);
    let update = Update::decode_v2(bytes).expect("its own bytes");
    document.transact_mut().apply_update(update).expect("it is complete");
    text.get_string(&document.transact())
}

/// What both begin with, and what each has written since, as updates.
struct Updates {
    base: Vec<u8>,
    one: Vec<u8>,
    other: Vec<u8>,
}

fn updates(apart: &Apart) -> Updates {
    let (first, _) = begun(1, &apart.base);
    let base = first.transact().encode_state_as_update_v1(&StateVector::default());
    let side = |client: u64, edits: &[Edit]| {
        let (document, text) = with(client, [&base]);
        let before = document.transact().state_vector();
        write(&document, &text, edits);
        document.transact().encode_diff_v1(&before)
    };
    let (one, other) = (side(2, &apart.one.edits), side(3, &apart.other.edits));
    Updates { base, one, other }
}

fn take(document: &Doc, bytes: &[u8]) {
    let update = Update::decode_v1(bytes).expect("its own bytes");
    document.transact_mut().apply_update(update).expect("it is complete");
}

fn with<'a>(client: u64, updates: impl IntoIterator<Item = &'a Vec<u8>>) -> (Doc, TextRef) {
    let (document, text) = document(client);
    updates.into_iter().for_each(|bytes| take(&document, bytes));
    (document, text)
}

fn check(apart: &Apart, text: &str) {
    assert_eq!(text.chars().count(), apart.merged.chars().count());
}

pub(super) fn known(apart: &Apart) -> Contender<'_> {
    let Updates { base, one, other } = updates(apart);
    Contender::new(
        "yrs, decode and merge",
        move || with(4, [&base]),
        move |(document, _)| {
            take(document, &one);
            take(document, &other);
        },
        |(document, text), ()| check(apart, &text.get_string(&document.transact())),
    )
}

pub(super) fn live(apart: &Apart) -> Contender<'_> {
    let Updates { base, one, other } = updates(apart);
    Contender::new(
        "yrs, decode and merge",
        move || with(4, [&base, &other]),
        move |(document, _)| take(document, &one),
        |(document, text), ()| check(apart, &text.get_string(&document.transact())),
    )
}
