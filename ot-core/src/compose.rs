//! Composition: one operation for two, and one for many.

use crate::cursor::ComponentCursor;
use crate::error::LengthMismatch;
use crate::operation::{Kind, Operation, TextWriter};

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
        next.check_base(self.target_len())?;
        let (mut first, mut second) = (ComponentCursor::new(self), ComponentCursor::new(next));
        let mut out = TextWriter::with_capacity(
            self.component_count() + next.component_count(),
            self.inserted_bytes() + next.inserted_bytes(),
        );
        loop {
            let (kind, next_kind) = match (first.kind(), second.kind()) {
                (_, Some(Kind::Insert)) => {
                    let (text, chars) = second.take_rest_text();
                    out.insert(text, chars);
                    continue;
                }
                (Some(Kind::Delete), _) => {
                    out.delete(first.take_rest());
                    continue;
                }
                (Some(kind), Some(next_kind)) => (kind, next_kind),
                _ => break,
            };
            let chars = first.len().min(second.len());
            let text = first.take_text(chars);
            second.take_text(chars);
            match (kind, next_kind) {
                (Kind::Insert, Kind::Retain) => out.insert(text, chars),
                (Kind::Insert, _) => {}
                (_, Kind::Retain) => out.retain(chars),
                _ => out.delete(chars),
            }
        }
        Ok(out.finish())
    }
}

/// One operation for many, in order, composed as a balanced tree: O(n log n) where a fold from the
/// left would walk the growing result n times. `None` when there are no operations.
///
/// # Errors
/// [`LengthMismatch`] when one does not span the target of the one before it.
pub fn compose_all(
    operations: impl IntoIterator<Item = Operation>,
) -> Result<Option<Operation>, LengthMismatch> {
    // A binary counter: slot k holds the composition of 2^k neighbours, or nothing.
    let mut slots: Vec<Option<Operation>> = Vec::new();
    for operation in operations {
        let mut carry = operation;
        let mut level = 0;
        while let Some(earlier) = slots.get_mut(level).and_then(Option::take) {
            carry = earlier.compose(&carry)?;
            level += 1;
        }
        if level == slots.len() {
            slots.push(None);
        }
        slots[level] = Some(carry);
    }
    let mut composed: Option<Operation> = None;
    for earlier in slots.into_iter().flatten() {
        composed = Some(match composed {
            None => earlier,
            Some(later) => earlier.compose(&later)?,
        });
    }
    Ok(composed)
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
