//! Transformation: rewriting two operations made on one text so that each can follow the other.

use crate::cursor::PartCursor;
use crate::error::{LengthMismatch, LengthOverflow, TransformError};
use crate::operation::{Kind, MAX_LEN, Operation, Writer};

/// Rewrites two operations made on the same text so that each can follow the other.
///
/// With `(pending_next, committed_next) = transform(pending, committed)`:
///
/// * TP1: `apply(apply(s, pending), committed_next) == apply(apply(s, committed), pending_next)`.
/// * Ties: where both insert at one gap, the committed text comes first.
/// * History law: for committed `a` then `b`,
///   `transform(c, a.compose(b)) == transform(transform(c, a), b)` for the pending side, equal as
///   operations. So history may be composed before a pending operation is rebased over it.
///
/// The idea of two passes over inclusive transformation is of Ellis and Gibbs (1989); the law and
/// the normal form it needs are proved in `docs/theory.md`.
///
/// # Errors
/// [`TransformError`] when the `base_len`s differ or the joint result exceeds
/// [`MAX_LEN`](crate::MAX_LEN).
pub fn transform(
    pending: &Operation,
    committed: &Operation,
) -> Result<(Operation, Operation), TransformError> {
    #[cfg(not(target_family = "wasm"))]
    if let Some(both) = pending.past_each_other(committed) {
        return Ok(both);
    }
    transform_any(pending, committed)
}

#[cfg_attr(not(target_family = "wasm"), inline(never))]
fn transform_any(
    pending: &Operation,
    committed: &Operation,
) -> Result<(Operation, Operation), TransformError> {
    check(pending, committed)?;
    #[cfg(not(target_family = "wasm"))]
    if let Some(both) = pending.far_past_each_other(committed) {
        return Ok(both);
    }
    #[cfg(not(target_family = "wasm"))]
    if pending.is_large_with(committed) {
        return Ok(pending.transform_large(committed));
    }
    let mut pending_next = writer_for(pending, committed);
    let mut committed_next = writer_for(committed, pending);
    walk(pending, committed, &mut pending_next, &mut committed_next);
    let pending_next = pending_next.finish(pending.text().clone());
    Ok((pending_next, committed_next.finish(committed.text().clone())))
}

/// The pending side of [`transform`] alone: `pending`, made to follow `committed`.
///
/// # Errors
/// As [`transform`].
pub fn transform_pending(
    pending: &Operation,
    committed: &Operation,
) -> Result<Operation, TransformError> {
    #[cfg(not(target_family = "wasm"))]
    if let Some(pending_next) = pending.past(committed) {
        return Ok(pending_next);
    }
    transform_pending_any(pending, committed)
}

#[cfg_attr(not(target_family = "wasm"), inline(never))]
fn transform_pending_any(
    pending: &Operation,
    committed: &Operation,
) -> Result<Operation, TransformError> {
    check(pending, committed)?;
    #[cfg(not(target_family = "wasm"))]
    if let Some(pending_next) = pending.far_past(committed) {
        return Ok(pending_next);
    }
    #[cfg(not(target_family = "wasm"))]
    if pending.is_large_with(committed) {
        return Ok(pending.follow_committed_large(committed));
    }
    let mut pending_next = writer_for(pending, committed);
    walk(pending, committed, &mut pending_next, &mut Nowhere);
    Ok(pending_next.finish(pending.text().clone()))
}

/// The committed side of [`transform`] alone: `committed`, made to follow `pending`.
///
/// # Errors
/// As [`transform`].
pub fn transform_committed(
    pending: &Operation,
    committed: &Operation,
) -> Result<Operation, TransformError> {
    #[cfg(not(target_family = "wasm"))]
    if let Some(committed_next) = committed.past(pending) {
        return Ok(committed_next);
    }
    transform_committed_any(pending, committed)
}

#[cfg_attr(not(target_family = "wasm"), inline(never))]
fn transform_committed_any(
    pending: &Operation,
    committed: &Operation,
) -> Result<Operation, TransformError> {
    check(pending, committed)?;
    #[cfg(not(target_family = "wasm"))]
    if let Some(committed_next) = committed.far_past(pending) {
        return Ok(committed_next);
    }
    let mut committed_next = writer_for(committed, pending);
    walk(pending, committed, &mut Nowhere, &mut committed_next);
    Ok(committed_next.finish(committed.text().clone()))
}

fn check(pending: &Operation, committed: &Operation) -> Result<(), TransformError> {
    if pending.base_len() != committed.base_len() {
        return Err(
            LengthMismatch { expected: committed.base_len(), found: pending.base_len() }.into()
        );
    }
    // Bytes bound characters, so the walk is only for texts that may really be that long.
    if pending.target_len() + committed.inserted_bytes() > MAX_LEN {
        let found = joint_len(pending, committed);
        if found > MAX_LEN {
            return Err(LengthOverflow { found, max: MAX_LEN }.into());
        }
    }
    Ok(())
}

/// Length of the text with both effects, in characters.
fn joint_len(pending: &Operation, committed: &Operation) -> usize {
    let mut counter = Counter(0);
    walk(pending, committed, &mut Nowhere, &mut counter);
    counter.0
}

fn writer_for(own: &Operation, other: &Operation) -> Writer {
    Writer::with_capacity(own.component_count() + other.component_count())
}

/// Takes the components of one side's rewritten form. Its text is the side's own, unchanged: every
/// insert goes on, in the same order.
trait Sink {
    fn retain(&mut self, chars: usize);
    fn insert(&mut self, chars: usize, bytes: usize);
    fn delete(&mut self, chars: usize);
}

impl Sink for Writer {
    #[inline]
    fn retain(&mut self, chars: usize) {
        Writer::retain(self, chars);
    }
    #[inline]
    fn insert(&mut self, chars: usize, bytes: usize) {
        Writer::insert(self, chars, bytes);
    }
    #[inline]
    fn delete(&mut self, chars: usize) {
        Writer::delete(self, chars);
    }
}

/// The side nobody asked for.
struct Nowhere;

impl Sink for Nowhere {
    fn retain(&mut self, _: usize) {}
    fn insert(&mut self, _: usize, _: usize) {}
    fn delete(&mut self, _: usize) {}
}

/// Counts the target's characters.
struct Counter(usize);

impl Sink for Counter {
    fn retain(&mut self, chars: usize) {
        self.0 += chars;
    }
    fn insert(&mut self, chars: usize, _: usize) {
        self.0 += chars;
    }
    fn delete(&mut self, _: usize) {}
}

fn walk(
    pending: &Operation,
    committed: &Operation,
    pending_next: &mut impl Sink,
    committed_next: &mut impl Sink,
) {
    let (mut ours, mut theirs) = (PartCursor::new(pending), PartCursor::new(committed));
    loop {
        let (our_kind, their_kind) = match (ours.kind(), theirs.kind()) {
            (_, Some(Kind::Insert)) => {
                let (chars, bytes) = theirs.take_insert();
                committed_next.insert(chars, bytes);
                pending_next.retain(chars);
                continue;
            }
            (Some(Kind::Insert), _) => {
                let (chars, bytes) = ours.take_insert();
                pending_next.insert(chars, bytes);
                committed_next.retain(chars);
                continue;
            }
            (Some(our_kind), Some(their_kind)) => (our_kind, their_kind),
            _ => break,
        };
        let chars = ours.len().min(theirs.len());
        ours.skip(chars);
        theirs.skip(chars);
        match (our_kind, their_kind) {
            (Kind::Retain, Kind::Retain) => {
                pending_next.retain(chars);
                committed_next.retain(chars);
            }
            (Kind::Delete, Kind::Retain) => pending_next.delete(chars),
            (Kind::Retain, _) => committed_next.delete(chars),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_one_gap_the_committed_text_comes_first() {
        let ours = Operation::splice(2, 1, 0, "ours").expect("fits");
        let theirs = Operation::splice(2, 1, 0, "theirs").expect("fits");
        let (ours_next, theirs_next) = transform(&ours, &theirs).expect("one base");
        assert_eq!(theirs.compose(&ours_next), ours.compose(&theirs_next));
        let text = theirs.compose(&ours_next).expect("fits").apply("()");
        assert_eq!(text.as_deref(), Ok("(theirsours)"));
    }

    #[test]
    fn a_character_deleted_by_both_is_deleted_once() {
        let both = Operation::splice(3, 1, 1, "").expect("fits");
        let (ours_next, theirs_next) = transform(&both, &both).expect("one base");
        assert!(ours_next.is_identity() && theirs_next.is_identity());
    }

    #[test]
    fn operations_on_different_texts_are_refused() {
        let error = transform(&Operation::identity(1), &Operation::identity(2));
        assert_eq!(error, Err(LengthMismatch { expected: 2, found: 1 }.into()));
    }

    #[test]
    fn a_joint_text_beyond_the_maximum_is_refused() {
        let long = Operation::splice(MAX_LEN - 1, 0, 0, "x").expect("fits");
        assert!(matches!(transform(&long, &long), Err(TransformError::Overflow(_))));
        let delete = Operation::splice(MAX_LEN - 1, 5, 1, "").expect("fits");
        assert!(transform(&long, &delete).is_ok());
    }
}
