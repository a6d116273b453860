//! Two long branches in each engine.

use ot_core::Operation;

use super::{automerge, diamond, loro, sequence, yrs};
use crate::measure::Contender;
use crate::merge::Apart;

/// Edits of each side up to which operation by operation ends in time: it is quadratic.
const ONE_BY_ONE_MAX: usize = 1_000;

/// Both logs known, to the merged text.
pub(crate) fn known(apart: &Apart) -> Vec<Contender<'_>> {
    let mut contenders = vec![
        diamond::known(apart),
        yrs::known(apart),
        loro::known(apart),
        automerge::known(apart).rounds(3),
    ];
    if apart.one.edits.len() <= ONE_BY_ONE_MAX {
        contenders.push(one_by_one(apart).rounds(1));
    }
    contenders
}

/// One side has its own edits, the other's arrive.
pub(crate) fn live(apart: &Apart) -> Vec<Contender<'_>> {
    vec![diamond::live(apart), yrs::live(apart), loro::live(apart)]
}

/// Every operation of one side against every one of the other, as where history does not compose.
fn one_by_one(apart: &Apart) -> Contender<'_> {
    let same = |operations: Vec<Operation>| operations.iter().map(sequence::same_as).collect();
    let (one, other): (Vec<_>, Vec<_>) =
        (same(apart.one.operations()), same(apart.other.operations()));
    Contender::new(
        "operational-transform, operation by operation",
        move || (one.clone(), other.clone(), apart.base.clone()),
        |(one, other, text)| {
            for theirs in one {
                *text = theirs.apply(text).expect("it spans its text");
                // It goes over all of the other side, which follows it then.
                let mut over = theirs.clone();
                for ours in other.iter_mut() {
                    let (over_next, ours_next) = over.transform(ours).expect("one base");
                    (over, *ours) = (over_next, ours_next);
                }
            }
            for ours in other {
                *text = ours.apply(text).expect("it spans its text");
            }
        },
        |(_, _, text), ()| assert_eq!(text.chars().count(), apart.merged.chars().count()),
    )
}
