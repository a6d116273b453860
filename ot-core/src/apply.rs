//! Applying an operation to a plain string. Lengths count Unicode scalar values.

use crate::error::LengthMismatch;
use crate::operation::{Component, Operation};

impl Operation {
    /// The text after this operation, made in one pass over `text`.
    ///
    /// For a text that is edited often, use a rope instead.
    ///
    /// # Errors
    /// [`LengthMismatch`] when `text` does not have [`base_len`](Self::base_len) characters.
    pub fn apply(&self, text: &str) -> Result<String, LengthMismatch> {
        self.check_base(text.chars().count())?;
        let mut out = String::with_capacity(text.len() + self.inserted_bytes());
        let mut rest = text;
        for component in self.components() {
            match component {
                Component::Insert(inserted) => out.push_str(inserted),
                Component::Retain(len) => {
                    let (kept, behind) = split_chars(rest, len);
                    out.push_str(kept);
                    rest = behind;
                }
                Component::Delete(len) => rest = split_chars(rest, len).1,
            }
        }
        Ok(out)
    }

    /// Refuses a document of another length than the base.
    ///
    /// # Errors
    /// [`LengthMismatch`] with both lengths, in characters.
    pub fn check_base(&self, document_len: usize) -> Result<(), LengthMismatch> {
        if self.base_len() == document_len {
            return Ok(());
        }
        Err(LengthMismatch { expected: document_len, found: self.base_len() })
    }
}

/// Splits behind the first `chars` characters, or at the end of a shorter text.
pub(crate) fn split_chars(text: &str, chars: usize) -> (&str, &str) {
    let offset = text.char_indices().nth(chars).map_or(text.len(), |(offset, _)| offset);
    text.split_at(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_walk_over_characters_of_any_width() {
        let operation =
            Operation::builder().retain(1).delete(1).insert("🦀").retain(1).build().expect("small");
        assert_eq!(operation.apply("é😀ß").as_deref(), Ok("é🦀ß"));
    }

    #[test]
    fn a_text_of_another_length_is_refused() {
        let operation = Operation::identity(2);
        assert_eq!(operation.apply("abc"), Err(LengthMismatch { expected: 3, found: 2 }));
    }
}
