//! An operation that carries the text it deletes, so that it can be taken back without a document.
//!
//! Lengths count Unicode scalar values.

use thiserror::Error;

use crate::apply::split_chars;
use crate::cursor::PartCursor;
use crate::error::{LengthMismatch, TransformError};
use crate::operation::{Component, Kind, Operation, TextWriter};
use crate::small::Chars;
use crate::text::Text;
use crate::transform::{transform, transform_pending};
use crate::wire::Limits;

/// An operation together with the text it deletes.
///
/// Invariant: `removed` has exactly as many characters as `op` deletes, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Invertible {
    op: Operation,
    removed: Chars,
}

/// The removed text does not belong to the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("operation deletes {expected} characters, the removed text has {found}")]
pub struct RemovedMismatch {
    /// What the operation deletes, in characters.
    pub expected: usize,
    /// Length of the removed text, in characters.
    pub found: usize,
}

impl Invertible {
    /// `op` with what it deletes from `base`, the text before it.
    ///
    /// # Errors
    /// [`LengthMismatch`] when `op` spans another length.
    pub fn from(op: Operation, base: &Text) -> Result<Invertible, LengthMismatch> {
        let removed = Chars::from(base.removed_by(&op)?.as_str());
        Ok(Invertible { op, removed })
    }

    /// `op` with what it deletes, told by the caller, as after storing both.
    ///
    /// # Errors
    /// [`RemovedMismatch`] when the lengths differ.
    pub fn from_parts(op: Operation, removed: &str) -> Result<Invertible, RemovedMismatch> {
        let expected = deleted_chars(&op);
        let found = removed.chars().count();
        if expected != found {
            return Err(RemovedMismatch { expected, found });
        }
        Ok(Invertible { op, removed: removed.into() })
    }

    /// The operation alone.
    #[must_use]
    pub fn op(&self) -> &Operation {
        &self.op
    }

    /// All deleted text, in order, without its places.
    #[must_use]
    pub fn removed(&self) -> &str {
        &self.removed
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.op.is_identity()
    }

    /// The operation that takes this one back.
    #[must_use]
    pub fn inverse(&self) -> Operation {
        let mut out = TextWriter::with_capacity(self.op.component_count(), self.removed.len());
        let mut removed = Pieces(&self.removed);
        for component in self.op.components() {
            match component {
                Component::Retain(len) => out.retain(len),
                Component::Insert(text) => out.delete(text.chars().count()),
                Component::Delete(len) => out.insert(removed.take(len), len),
            }
        }
        out.finish()
    }

    /// The inverse, invertible in turn: `x.inverted().inverted() == x`.
    #[must_use]
    pub fn inverted(&self) -> Invertible {
        Invertible { op: self.inverse(), removed: self.op.inserted_text().into() }
    }

    /// What does `self` and then `next`; see [`Operation::compose`].
    ///
    /// # Errors
    /// [`LengthMismatch`] when `next` does not span the target of `self`.
    pub fn compose(&self, next: &Invertible) -> Result<Invertible, LengthMismatch> {
        let op = self.op.compose(&next.op)?;
        if next.removed.is_empty() {
            return Ok(Invertible { op, removed: self.removed.clone() });
        }
        let mut removed = Chars::with_capacity(self.removed.len() + next.removed.len());
        let (mut ours, mut theirs) = (Pieces(&self.removed), Pieces(&next.removed));
        let (mut first, mut second) = (PartCursor::new(&self.op), PartCursor::new(&next.op));
        loop {
            let (kind, next_kind) = match (first.kind(), second.kind()) {
                (_, Some(Kind::Insert)) => {
                    second.take_rest();
                    continue;
                }
                (Some(Kind::Delete), _) => {
                    removed.push_str(ours.take(first.take_rest()));
                    continue;
                }
                (Some(kind), Some(next_kind)) => (kind, next_kind),
                _ => break,
            };
            let chars = first.len().min(second.len());
            first.skip(chars);
            second.skip(chars);
            if next_kind == Kind::Delete {
                let text = theirs.take(chars);
                if kind == Kind::Retain {
                    removed.push_str(text);
                }
            }
        }
        Ok(Invertible { op, removed })
    }

    /// As [`compose`](Self::compose), for one that is not needed any more.
    pub(crate) fn then(mut self, next: &Invertible) -> Result<Invertible, LengthMismatch> {
        next.op.check_base(self.op.target_len())?;
        // Typing on at the last insert deletes nothing, taking back deletes only what was inserted.
        if self.op.type_on(&next.op) { Ok(self) } else { self.compose(next) }
    }

    /// `self`, pending, made to follow `committed`. What both delete is no longer removed by this
    /// one, so its inverse does not bring it back.
    ///
    /// # Errors
    /// As [`transform`](crate::transform).
    pub fn transform_over(&self, committed: &Operation) -> Result<Invertible, TransformError> {
        let op = transform_pending(&self.op, committed)?;
        Ok(Invertible { op, removed: self.removed_beside(committed) })
    }

    /// Both sides of [`transform`](crate::transform): `self` made to follow `committed`, and
    /// `committed` made to follow `self`.
    ///
    /// # Errors
    /// As [`transform`](crate::transform).
    pub fn transform(
        &self,
        committed: &Operation,
    ) -> Result<(Invertible, Operation), TransformError> {
        let (op, committed_next) = transform(&self.op, committed)?;
        Ok((Invertible { op, removed: self.removed_beside(committed) }, committed_next))
    }

    /// Splits as [`Operation::split`] does, each part with what it deletes.
    #[must_use]
    pub fn split(&self, limits: &Limits) -> (Invertible, Option<Invertible>) {
        let (prefix, rest) = self.op.split(limits);
        let Some(rest) = rest else {
            return (self.clone(), None);
        };
        let (own, behind) = split_chars(&self.removed, deleted_chars(&prefix));
        (
            Invertible { op: prefix, removed: own.into() },
            Some(Invertible { op: rest, removed: behind.into() }),
        )
    }

    /// Checks every invariant of the type; for tests and fuzzers.
    ///
    /// # Panics
    /// When one does not hold.
    pub fn check_invariants(&self) {
        self.op.check_invariants();
        assert_eq!(deleted_chars(&self.op), self.removed.chars().count(), "removed text fits");
    }

    /// What is left of the removed text when `committed` has done its part.
    fn removed_beside(&self, committed: &Operation) -> Chars {
        let mut left = Chars::default();
        if self.removed.is_empty() {
            return left;
        }
        let mut removed = Pieces(&self.removed);
        let (mut ours, mut theirs) = (PartCursor::new(&self.op), PartCursor::new(committed));
        loop {
            let (our_kind, their_kind) = match (ours.kind(), theirs.kind()) {
                (_, Some(Kind::Insert)) => {
                    theirs.take_rest();
                    continue;
                }
                (Some(Kind::Insert), _) => {
                    ours.take_rest();
                    continue;
                }
                (Some(our_kind), Some(their_kind)) => (our_kind, their_kind),
                _ => break,
            };
            let chars = ours.len().min(theirs.len());
            ours.skip(chars);
            theirs.skip(chars);
            if our_kind == Kind::Delete {
                let text = removed.take(chars);
                if their_kind == Kind::Retain {
                    left.push_str(text);
                }
            }
        }
        left
    }
}

fn deleted_chars(op: &Operation) -> usize {
    op.components()
        .map(|component| if let Component::Delete(len) = component { len } else { 0 })
        .sum()
}

/// A text that is handed out from the front.
struct Pieces<'a>(&'a str);

impl<'a> Pieces<'a> {
    fn take(&mut self, chars: usize) -> &'a str {
        let (own, rest) = split_chars(self.0, chars);
        self.0 = rest;
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invertible(op: Operation, base: &str) -> Invertible {
        Invertible::from(op, &Text::from(base)).expect("fits")
    }

    #[test]
    fn the_inverse_needs_no_document() {
        let op = Operation::builder().delete(2).insert("x").retain(1).delete(1).build();
        let edit = invertible(op.expect("small"), "aé😀z");
        assert_eq!(edit.removed(), "aéz");
        assert_eq!(edit.inverse().apply("x😀").as_deref(), Ok("aé😀z"));
        assert_eq!(edit.inverted().inverted(), edit);
    }

    #[test]
    fn what_both_sides_delete_is_brought_back_by_nobody() {
        let ours = invertible(Operation::splice(4, 0, 3, "").expect("fits"), "abcd");
        let theirs = Operation::splice(4, 1, 1, "X").expect("fits");
        let (ours, _) = ours.transform(&theirs).expect("one base");
        ours.check_invariants();
        assert_eq!(ours.removed(), "ac");
        let text = ours.op().apply("aXcd").expect("fits");
        assert_eq!((text.as_str(), ours.inverse().apply(&text).as_deref()), ("Xd", Ok("aXcd")));
    }

    #[test]
    fn composing_forgets_text_that_came_and_went() {
        let typed = invertible(Operation::splice(2, 1, 0, "xyz").expect("fits"), "ab");
        let erased = invertible(Operation::splice(5, 0, 3, "").expect("fits"), "axyzb");
        let both = typed.compose(&erased).expect("fits");
        both.check_invariants();
        assert_eq!((both.removed(), both.op().apply("ab").as_deref()), ("a", Ok("zb")));
    }

    #[test]
    fn removed_text_of_another_length_is_refused() {
        let op = Operation::splice(3, 0, 2, "").expect("fits");
        let error = Invertible::from_parts(op, "é");
        assert_eq!(error, Err(RemovedMismatch { expected: 2, found: 1 }));
    }
}
