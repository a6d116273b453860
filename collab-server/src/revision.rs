//! Arithmetic on revisions, where a count of operations in memory meets a place in the log.

use ot_core::Revision;

/// The revision `count` operations later.
pub(crate) fn later(revision: Revision, count: usize) -> Revision {
    revision.plus(count as u64).expect("no log reaches 2^53 operations")
}

/// How many operations lead from `from` to `to`; 0 when `to` is not later.
pub(crate) fn between(from: Revision, to: Revision) -> usize {
    usize::try_from(to.get().saturating_sub(from.get())).unwrap_or(usize::MAX)
}
