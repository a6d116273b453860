//! Composition: one operation for two, and one for many.

use crate::cursor::PartCursor;
use crate::error::LengthMismatch;
use crate::gather::Gathered;
use crate::operation::{Kind, Operation, Writer};
use crate::small::{Chars, INLINE_TEXT_BYTES};

/// How many times more components one side must have for passing runs of them at once.
const LOPSIDED: usize = 3;

/// Whether runs of one side's components are passed.
#[cfg(not(target_family = "wasm"))]
fn is_lopsided(first: usize, second: usize) -> bool {
    first.max(second) > LOPSIDED * first.min(second)
}

impl Operation {
    /// The operation that does `self` and then `next`.
    ///
    /// `apply(apply(s, self), next) == apply(s, self.compose(next))`, and composition is
    /// associative. An insert of `next` goes to the **leftmost** gap it can mean: right behind the
    /// character that precedes it in `next`'s base, ahead of whatever `self` deleted there. That
    /// choice makes composed history decide ties as its steps would (the history law, stated at
    /// [`transform`](crate::transform)).
    ///
    /// # Errors
    /// [`LengthMismatch`] when `next` does not span the target of `self`.
    pub fn compose(&self, next: &Operation) -> Result<Operation, LengthMismatch> {
        #[cfg(not(target_family = "wasm"))]
        if let Some(join) = self.small_join(next) {
            return join.composed(self.base_len(), next.target_len());
        }
        self.compose_any(next)
    }

    #[cfg_attr(not(target_family = "wasm"), inline(never))]
    fn compose_any(&self, next: &Operation) -> Result<Operation, LengthMismatch> {
        next.check_base(self.target_len())?;
        #[cfg(not(target_family = "wasm"))]
        if let Some(composed) = self.beside(next) {
            return Ok(composed);
        }
        #[cfg(not(target_family = "wasm"))]
        if self.is_large_with(next) && !is_lopsided(self.component_count(), next.component_count())
        {
            return Ok(self.compose_large(next));
        }
        let (mut first, mut second) = (PartCursor::new(self), PartCursor::new(next));
        let mut out = Writer::with_capacity(self.component_count() + next.component_count());
        let mut text = Weave::new(self.inserted_text(), next.inserted_text());
        // Passing whole runs pays where one side has long stretches that the other leaves alone.
        let runs_of_first = self.component_count() > LOPSIDED * next.component_count();
        let runs_of_second = next.component_count() > LOPSIDED * self.component_count();
        loop {
            let (kind, next_kind) = match (first.kind(), second.kind()) {
                (_, Some(Kind::Insert)) => {
                    let (chars, bytes) = second.take_insert();
                    out.insert(chars, bytes);
                    text.keep(Side::Second, bytes);
                    continue;
                }
                (Some(Kind::Delete), _) => {
                    out.delete(first.take_rest());
                    continue;
                }
                (Some(kind), Some(next_kind)) => (kind, next_kind),
                _ => break,
            };
            if runs_of_first && next_kind == Kind::Retain && second.len() > first.len() {
                let run = first.take_run(second.len(), Kind::Delete);
                if !run.parts.is_empty() {
                    second.skip(run.chars);
                    out.extend(run.parts);
                    text.keep(Side::First, run.bytes);
                    continue;
                }
            }
            if runs_of_second && kind == Kind::Retain && first.len() > second.len() {
                let run = second.take_run(first.len(), Kind::Insert);
                if !run.parts.is_empty() {
                    first.skip(run.chars);
                    out.extend(run.parts);
                    text.keep(Side::Second, run.bytes);
                    continue;
                }
            }
            let chars = first.len().min(second.len());
            let bytes = first.take(chars, text.rest_of_first());
            second.skip(chars);
            match (kind, next_kind) {
                (Kind::Insert, Kind::Retain) => {
                    out.insert(chars, bytes);
                    text.keep(Side::First, bytes);
                }
                (Kind::Insert, _) => text.drop_first(bytes),
                (_, Kind::Retain) => out.retain(chars),
                _ => out.delete(chars),
            }
        }
        Ok(out.finish(text.finish()))
    }
}

impl Operation {
    /// As [`compose`](Self::compose), for an operation that is not needed any more: typing on, or
    /// taking back, at the last insert changes it in place.
    pub(crate) fn then(mut self, next: &Operation) -> Result<Operation, LengthMismatch> {
        next.check_base(self.target_len())?;
        if self.type_on(next) { Ok(self) } else { self.compose(next) }
    }
}

/// The inserted text of a composition, woven of two texts piece by piece. Pieces that follow each
/// other in one text are copied at once.
struct Weave<'a> {
    texts: [&'a str; 2],
    /// How far each text is used, in bytes.
    at: [usize; 2],
    /// The text that the piece not yet copied is of, and where that piece begins.
    side: Side,
    from: usize,
    out: Chars,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    First,
    Second,
}

impl<'a> Weave<'a> {
    #[inline]
    fn new(first: &'a str, second: &'a str) -> Weave<'a> {
        let out = Chars::with_capacity(first.len() + second.len());
        Weave { texts: [first, second], at: [0, 0], side: Side::First, from: 0, out }
    }

    #[inline]
    fn rest_of_first(&self) -> &'a str {
        &self.texts[0][self.at[0]..]
    }

    /// Takes the next `bytes` of one text.
    #[inline]
    fn keep(&mut self, side: Side, bytes: usize) {
        if bytes > 0 && self.side != side {
            self.copy();
            self.side = side;
            self.from = self.at[side as usize];
        }
        self.at[side as usize] += bytes;
    }

    /// Leaves out the next `bytes` of the first text.
    #[inline]
    fn drop_first(&mut self, bytes: usize) {
        if self.side == Side::First {
            self.copy();
            self.from = self.at[0] + bytes;
        }
        self.at[0] += bytes;
    }

    #[inline]
    fn copy(&mut self) {
        let piece = &self.texts[self.side as usize][self.from..self.at[self.side as usize]];
        if self.out.is_empty()
            && self.out.capacity() <= INLINE_TEXT_BYTES
            && piece.len() <= INLINE_TEXT_BYTES
        {
            self.out = Chars::from(piece);
        } else {
            self.out.push_str(piece);
        }
    }

    #[inline]
    fn finish(mut self) -> Chars {
        self.copy();
        self.out
    }
}

/// One operation for many, in order: edits near one another are gathered as they come, and what comes of
/// that is composed as a balanced tree. O(n log n) where a fold from the left would walk the growing
/// result n times. `None` when there are no operations.
///
/// # Errors
/// [`LengthMismatch`] when one does not span the target of the one before it.
pub fn compose_all(
    operations: impl IntoIterator<Item = Operation>,
) -> Result<Option<Operation>, LengthMismatch> {
    let mut counter = Counter::default();
    let mut gathered: Option<Gathered> = None;
    for operation in operations {
        if let Some(gathered) = &mut gathered
            && gathered.take(&operation)?
        {
            continue;
        }
        if let Some(done) = gathered.take() {
            counter.push(done.finish())?;
        }
        gathered = Gathered::begin(&operation);
        if gathered.is_none() {
            counter.push(operation)?;
        }
    }
    counter.finish(gathered.map(Gathered::finish))
}

/// A binary counter: slot k holds the composition of 2^k neighbours, or nothing.
#[derive(Default)]
struct Counter {
    slots: Vec<Option<Operation>>,
}

impl Counter {
    fn push(&mut self, operation: Operation) -> Result<(), LengthMismatch> {
        let mut carry = operation;
        for slot in &mut self.slots {
            let Some(earlier) = slot.take() else {
                *slot = Some(carry);
                return Ok(());
            };
            carry = earlier.compose(&carry)?;
        }
        self.slots.push(Some(carry));
        Ok(())
    }

    /// Everything, and `last` behind it.
    fn finish(self, last: Option<Operation>) -> Result<Option<Operation>, LengthMismatch> {
        let mut composed = last;
        for earlier in self.slots.into_iter().flatten() {
            composed = Some(match composed {
                None => earlier,
                Some(later) => earlier.compose(&later)?,
            });
        }
        Ok(composed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_insert_goes_ahead_of_what_was_deleted_at_its_gap() {
        let delete = Operation::builder().retain(1).delete(1).retain(1).build().expect("small");
        let insert = Operation::builder().retain(1).insert("x").retain(1).build().expect("small");
        let both = delete.compose(&insert).expect("fits");
        assert_eq!(format!("{both:?}"), r#"=1 +"x" -1 =1"#);
    }

    #[test]
    fn a_deleted_insert_leaves_no_trace() {
        let insert = Operation::splice(2, 1, 0, "abc").expect("fits");
        let delete = Operation::splice(5, 1, 3, "").expect("fits");
        assert_eq!(insert.compose(&delete), Ok(Operation::identity(2)));
    }

    #[test]
    fn many_compose_as_in_order() {
        let words = ["a", "bc", "é", "🦀🦀", "z"];
        let mut len = 0;
        let operations: Vec<Operation> = words
            .iter()
            .map(|word| {
                let operation = Operation::splice(len, len, 0, word).expect("fits");
                len = operation.target_len();
                operation
            })
            .collect();
        let composed = compose_all(operations).expect("fits").expect("some");
        assert_eq!(composed.apply("").as_deref(), Ok("abcé🦀🦀z"));
        assert_eq!(compose_all([]), Ok(None));
    }

    #[test]
    fn operations_that_do_not_meet_are_refused() {
        let error = Operation::identity(2).compose(&Operation::identity(3));
        assert_eq!(error, Err(LengthMismatch { expected: 2, found: 3 }));
    }
}
