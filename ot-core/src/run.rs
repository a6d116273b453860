//! Edits at one place, taken together before they are an operation.
//!
//! What a person types, takes back and types again in one place is one insert and one delete there, however
//! many operations it came in. Lengths count Unicode scalar values.

use crate::apply::byte_offset;
use crate::error::LengthMismatch;
use crate::operation::{Kind, Operation};
use crate::small::Chars;

/// Text up to which an edit in its middle is made in place, in bytes.
const MIDDLE_BYTES_MAX: usize = 1 << 12;

/// The composition of operations of which each touches what the ones before it have changed: in front of the
/// `deleted` characters behind `at` stands `text`.
///
/// Invariant: `chars` counts `text`, and `at + deleted` is at most `base_len`.
pub(crate) struct Run {
    base_len: usize,
    at: usize,
    deleted: usize,
    text: Chars,
    chars: usize,
}

/// An operation that inserts at one place and deletes right behind it, or does one of both.
struct Edit {
    at: usize,
    inserted: usize,
    deleted: usize,
}

impl Run {
    /// A run of one operation; `None` when that changes more than one place.
    pub(crate) fn begin(operation: &Operation) -> Option<Run> {
        let edit = edit(operation)?;
        let text = operation.text().clone();
        let base_len = operation.base_len();
        Some(Run { base_len, at: edit.at, deleted: edit.deleted, text, chars: edit.inserted })
    }

    /// Composes `next` in place; `false` when it changes another place, or its result would not be a run.
    ///
    /// # Errors
    /// [`LengthMismatch`] when it does not span what the run leaves.
    pub(crate) fn take(&mut self, next: &Operation) -> Result<bool, LengthMismatch> {
        next.check_base(self.base_len - self.deleted + self.chars)?;
        let Some(edit) = edit(next) else { return Ok(false) };
        let end = self.at + self.chars;
        if edit.at > end {
            return Ok(false);
        }
        let Some(inner) = edit.at.checked_sub(self.at) else {
            return Ok(self.delete_from_before(&edit));
        };
        let is_at_end = edit.at == end;
        if !is_at_end && self.text.len() > MIDDLE_BYTES_MAX {
            return Ok(false);
        }
        if edit.inserted > 0 {
            if is_at_end {
                self.text.push_str(next.inserted_text());
            } else {
                self.text.insert_str(self.byte_at(inner), next.inserted_text());
            }
            self.chars += edit.inserted;
        }
        if edit.deleted > 0 {
            let from = inner + edit.inserted;
            let own = edit.deleted.min(self.chars - from);
            if own > 0 {
                let (first, last) = (self.byte_at(from), self.byte_at(from + own));
                self.text.drain(first..last);
                self.chars -= own;
            }
            self.deleted += edit.deleted - own;
        }
        Ok(true)
    }

    /// A deletion that begins in front of the run. Unless it takes all of the run's text with it, that text is
    /// left between two deletions, which is no run.
    fn delete_from_before(&mut self, edit: &Edit) -> bool {
        let before = self.at - edit.at;
        if edit.inserted > 0 || edit.deleted < before + self.chars {
            return false;
        }
        self.deleted += edit.deleted - self.chars;
        self.at = edit.at;
        self.text.clear();
        self.chars = 0;
        true
    }

    /// The operation.
    pub(crate) fn finish(self) -> Operation {
        Operation::splice(self.base_len, self.at, self.deleted, &self.text)
            .expect("what each operation spans, their composition does")
    }

    /// Where the text's character at `offset` begins, in bytes.
    fn byte_at(&self, offset: usize) -> usize {
        if self.chars == self.text.len() { offset } else { byte_offset(&self.text, offset) }
    }
}

/// `None` for an operation that changes more than one place, or inserts behind what it deletes.
fn edit(operation: &Operation) -> Option<Edit> {
    let (mut parts, mut at) = (operation.parts(), 0);
    if let [first, rest @ ..] = parts
        && first.kind() == Kind::Retain
    {
        (parts, at) = (rest, first.chars());
    }
    if let [rest @ .., last] = parts
        && last.kind() == Kind::Retain
    {
        parts = rest;
    }
    let (inserted, deleted) = match *parts {
        [] => (0, 0),
        [one] if one.kind() == Kind::Insert => (one.chars(), 0),
        [one] => (0, one.chars()),
        [one, two] if one.kind() == Kind::Insert && two.kind() == Kind::Delete => {
            (one.chars(), two.chars())
        }
        _ => return None,
    };
    Some(Edit { at, inserted, deleted })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edits(len: usize) -> Vec<Operation> {
        let mut edits = Vec::new();
        for at in 0..=len {
            for deleted in 0..=len - at {
                for text in ["", "x", "é🦀"] {
                    edits.push(Operation::splice(len, at, deleted, text).expect("fits"));
                }
            }
        }
        // One that inserts behind what it deletes, which is no edit of a run.
        edits.push(Operation::builder().delete(len).insert("y").build().expect("small"));
        edits
    }

    #[test]
    fn a_run_is_the_composition_of_its_operations() {
        let (mut taken, mut refused) = (0, 0);
        for first in edits(2) {
            let Some(begun) = Run::begin(&first) else { continue };
            assert_eq!(begun.finish(), first);
            for second in edits(first.target_len()) {
                let both = first.compose(&second).expect("they meet");
                let mut run = Run::begin(&first).expect("begun before");
                if !run.take(&second).expect("they meet") {
                    refused += 1;
                    assert_eq!(run.finish(), first, "what is refused changes nothing");
                    continue;
                }
                for third in edits(both.target_len()) {
                    let mut run = Run::begin(&first).expect("begun before");
                    run.take(&second).expect("they meet");
                    if run.take(&third).expect("they meet") {
                        taken += 1;
                        assert_eq!(run.finish(), both.compose(&third).expect("they meet"));
                    }
                }
            }
        }
        assert!(taken > 1_000 && refused > 50, "{taken} taken, {refused} refused");
    }

    #[test]
    fn an_operation_of_another_length_is_refused() {
        let mut run =
            Run::begin(&Operation::splice(2, 1, 1, "ab").expect("fits")).expect("one place");
        let error = run.take(&Operation::identity(2));
        assert_eq!(error, Err(LengthMismatch { expected: 3, found: 2 }));
    }
}
