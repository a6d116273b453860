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
#[inline]
pub(crate) fn split_chars(text: &str, chars: usize) -> (&str, &str) {
    text.split_at(byte_offset(text, chars))
}

/// Where the first `chars` characters end, in bytes; the end of a shorter text.
#[inline]
pub(crate) fn byte_offset(text: &str, chars: usize) -> usize {
    const BLOCK_BYTES: usize = 64;
    let mut left = chars;
    let mut at = 0;
    // Long texts by blocks, which the compiler counts without a branch for each byte.
    let bytes = text.as_bytes();
    while cfg!(not(target_family = "wasm"))
        && left >= BLOCK_BYTES
        && at + BLOCK_BYTES <= bytes.len()
    {
        let block = &bytes[at..at + BLOCK_BYTES];
        left -= block.iter().map(|byte| usize::from(!is_continuation(*byte))).sum::<usize>();
        at += BLOCK_BYTES;
    }
    while left > 0 && at < bytes.len() {
        left -= usize::from(!is_continuation(bytes[at]));
        at += 1;
    }
    while at < bytes.len() && is_continuation(bytes[at]) {
        at += 1;
    }
    at
}

#[inline]
fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
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
    fn long_texts_are_split_between_the_same_characters() {
        let text = "aé中🦀".repeat(200);
        let mut at = 0;
        for (chars, c) in text.chars().enumerate() {
            assert_eq!(byte_offset(&text, chars), at);
            at += c.len_utf8();
        }
        assert_eq!(byte_offset(&text, 800), text.len());
        assert_eq!(byte_offset(&text, usize::MAX), text.len());
    }

    #[test]
    fn a_text_of_another_length_is_refused() {
        let operation = Operation::identity(2);
        assert_eq!(operation.apply("abc"), Err(LengthMismatch { expected: 3, found: 2 }));
    }
}
