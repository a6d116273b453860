//! Building an operation step by step, lengths checked.

use super::{MAX_LEN, Operation, TextWriter, count_chars};
use crate::error::LengthOverflow;

/// Builds an [`Operation`] component by component.
///
/// Empty components are dropped and neighbours of one kind are merged; an insert and a delete keep
/// the order in which they are given.
#[derive(Debug, Clone, Default)]
pub struct OperationBuilder {
    writer: TextWriter,
    overflow_len: Option<usize>,
}

impl OperationBuilder {
    /// Keeps the next `len` characters.
    #[must_use]
    pub fn retain(mut self, len: usize) -> Self {
        if self.fits(len, len) {
            self.writer.retain(len);
        }
        self
    }

    /// Puts `text` at the current gap.
    #[must_use]
    pub fn insert(mut self, text: &str) -> Self {
        let chars = count_chars(text);
        if self.fits(0, chars) {
            self.writer.insert(text, chars);
        }
        self
    }

    /// Removes the next `len` characters.
    #[must_use]
    pub fn delete(mut self, len: usize) -> Self {
        if self.fits(len, 0) {
            self.writer.delete(len);
        }
        self
    }

    /// The operation.
    ///
    /// # Errors
    /// [`LengthOverflow`] when the base or the target is longer than [`MAX_LEN`].
    pub fn build(self) -> Result<Operation, LengthOverflow> {
        match self.overflow_len {
            Some(found) => Err(LengthOverflow { found, max: MAX_LEN }),
            None => Ok(self.writer.finish()),
        }
    }

    fn fits(&mut self, base: usize, target: usize) -> bool {
        let (base_len, target_len) = self.writer.lens();
        let base_len = base_len.saturating_add(base);
        let target_len = target_len.saturating_add(target);
        let found = base_len.max(target_len);
        if found > MAX_LEN {
            self.overflow_len.get_or_insert(found);
        }
        self.overflow_len.is_none()
    }
}
