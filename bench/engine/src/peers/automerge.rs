//! `automerge`.

use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjId, ObjType, ROOT, ReadDoc};

use crate::histories::{Edit, History};
use crate::measure::Contender;
use crate::merge::Apart;

fn begun(start: &str) -> (AutoCommit, ObjId) {
    let mut document = AutoCommit::new();
    let text = document.put_object(ROOT, "text", ObjType::Text).expect("an empty document");
    document.splice_text(&text, 0, 0, start).expect("an empty text");
    document.commit();
    (document, text)
}

/// One transaction for all: one for each edit takes it longer.
fn write(document: &mut AutoCommit, text: &ObjId, edits: &[Edit]) {
    for edit in edits {
        document
            .splice_text(text, edit.at, edit.deleted as isize, &edit.inserted)
            .expect("in the text");
    }
    document.commit();
}

pub(super) fn apply(history: &History) -> Contender<'_> {
    Contender::new(
        "automerge, one transaction",
        || begun(&history.start),
        |(document, text)| write(document, text, &history.edits),
        |(document, text), ()| assert_eq!(document.text(&text).expect("a text"), history.end),
    )
    .of(history.edits.len())
}

/// The bytes of a whole history.
pub(super) fn saved(history: &History) -> Vec<u8> {
    let (mut document, text) = begun(&history.start);
    write(&mut document, &text, &history.edits);
    document.save()
}

/// From those bytes to the text.
pub(super) fn loaded(bytes: &[u8]) -> String {
    let document = AutoCommit::load(bytes).expect("its own bytes");
    let (_, text) = document.get(ROOT, "text").expect("readable").expect("there");
    document.text(&text).expect("a text")
}

pub(super) fn known(apart: &Apart) -> Contender<'_> {
    let (mut base, text) = begun(&apart.base);
    let mut side = |edits: &[Edit]| {
        let mut document = base.fork();
        write(&mut document, &text, edits);
        document
    };
    let (mut one, mut other) = (side(&apart.one.edits), side(&apart.other.edits));
    Contender::new(
        "automerge, merge",
        move || base.fork(),
        move |document| {
            document.merge(&mut one).expect("one base");
            document.merge(&mut other).expect("one base");
        },
        move |document, ()| {
            let text = document.text(&text).expect("a text");
            assert_eq!(text.chars().count(), apart.merged.chars().count());
        },
    )
}
