//! What is compared with, each used as its own documentation says.

pub(crate) mod merge;
pub(crate) mod pair;
pub(crate) mod storage;

mod automerge;
mod diamond;
mod loro;
mod sequence;
mod yrs;

use jumprope::JumpRope;

use crate::histories::History;
use crate::measure::Contender;

/// Edits of a history that engines get whose cost grows with the text, so that a run ends.
const FEW_EDITS: usize = 20_000;

/// A whole history into each engine.
pub(crate) fn apply(history: &History) -> Vec<Contender<'_>> {
    vec![
        driven_rope(history),
        diamond::apply(history),
        loro::apply(history).rounds(3),
        automerge::apply(history).rounds(1),
        yrs::apply(history).rounds(1),
        sequence_on_string(history).rounds(1),
    ]
}

/// Operations of `operational-transform`, driving a rope instead of its own new string for each.
fn driven_rope(history: &History) -> Contender<'_> {
    let work = |rope: &mut JumpRope| {
        for edit in &history.edits {
            let made = sequence::splice(rope.len_chars(), edit.at, edit.deleted, &edit.inserted);
            sequence::apply_to_rope(&made, rope);
        }
    };
    Contender::new(
        "operational-transform, driving a `JumpRope`",
        || JumpRope::from(history.start.as_str()),
        work,
        |rope, ()| assert_eq!(rope.to_string(), history.end),
    )
    .of(history.edits.len())
}

fn sequence_on_string(history: &History) -> Contender<'_> {
    let edits = &history.edits[..FEW_EDITS.min(history.edits.len())];
    Contender::new(
        format!("operational-transform on a `String`, the first {} edits", edits.len()),
        || (history.start.clone(), history.start.chars().count()),
        move |(text, len)| {
            for edit in edits {
                let made = sequence::splice(*len, edit.at, edit.deleted, &edit.inserted);
                *text = made.apply(text).expect("it spans its text");
                *len = made.target_len();
            }
        },
        |(text, len), ()| assert_eq!(text.chars().count(), len),
    )
    .of(edits.len())
}

/// The operations of a history, composed by a balanced tree: a fold would be quadratic.
pub(crate) fn compose_all(history: &History) -> Contender<'_> {
    let mut len = history.start.chars().count();
    let operations: Vec<_> = history
        .edits
        .iter()
        .map(|edit| {
            let made = sequence::splice(len, edit.at, edit.deleted, &edit.inserted);
            len = made.target_len();
            made
        })
        .collect();
    Contender::new(
        "operational-transform, composed as a balanced tree",
        || (),
        move |()| sequence::composed(&operations),
        |(), composed| assert_eq!(composed.apply(&history.start).expect("spans it"), history.end),
    )
    .of(history.edits.len())
    .rounds(3)
}
