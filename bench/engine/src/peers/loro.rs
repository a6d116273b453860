//! `loro`.

use loro::{ExportMode, LoroDoc};

use crate::histories::{Edit, History};
use crate::measure::Contender;
use crate::merge::Apart;

fn begun(start: &str) -> LoroDoc {
    let document = LoroDoc::new();
    document.get_text("text").insert(0, start).expect("an empty text");
    document.commit();
    document
}

/// One transaction for all: one for each edit takes it longer.
fn write(document: &LoroDoc, edits: &[Edit]) {
    let text = document.get_text("text");
    for edit in edits {
        if edit.deleted > 0 {
            text.delete(edit.at, edit.deleted).expect("in the text");
        }
        if !edit.inserted.is_empty() {
            text.insert(edit.at, &edit.inserted).expect("in the text");
        }
    }
    document.commit();
}

fn text(document: &LoroDoc) -> String {
    document.get_text("text").to_string()
}

pub(super) fn apply(history: &History) -> Contender<'_> {
    Contender::new(
        "loro, one transaction",
        || begun(&history.start),
        |document| write(document, &history.edits),
        |document, ()| assert_eq!(text(&document), history.end),
    )
    .of(history.edits.len())
}

/// The bytes of a whole history, as a snapshot.
pub(super) fn saved(history: &History) -> Vec<u8> {
    let document = begun(&history.start);
    write(&document, &history.edits);
    document.export(ExportMode::Snapshot).expect("a snapshot")
}

/// From those bytes to the text.
pub(super) fn loaded(bytes: &[u8]) -> String {
    text(&with([bytes]))
}

fn with<'a>(updates: impl IntoIterator<Item = &'a [u8]>) -> LoroDoc {
    let document = LoroDoc::new();
    for bytes in updates {
        document.import(bytes).expect("its own bytes");
    }
    document
}

/// What both begin with, and what each has written since.
fn updates(apart: &Apart) -> [Vec<u8>; 3] {
    let first = begun(&apart.base);
    let base = first.export(ExportMode::Snapshot).expect("a snapshot");
    let before = first.oplog_vv();
    let side = |edits: &[Edit]| {
        let document = with([base.as_slice()]);
        write(&document, edits);
        document.export(ExportMode::updates(&before)).expect("updates")
    };
    let (one, other) = (side(&apart.one.edits), side(&apart.other.edits));
    [base, one, other]
}

fn check(apart: &Apart, document: &LoroDoc) {
    assert_eq!(text(document).chars().count(), apart.merged.chars().count());
}

pub(super) fn known(apart: &Apart) -> Contender<'_> {
    let [base, one, other] = updates(apart);
    Contender::new(
        "loro, import",
        move || with([base.as_slice()]),
        move |document| {
            document.import(&one).expect("its own bytes");
            document.import(&other).expect("its own bytes");
        },
        |document, ()| check(apart, &document),
    )
}

pub(super) fn live(apart: &Apart) -> Contender<'_> {
    let [base, one, other] = updates(apart);
    Contender::new(
        "loro, import",
        move || with([base.as_slice(), &other]),
        move |document| document.import(&one).expect("its own bytes"),
        |document, _| check(apart, &document),
    )
}
