//! Inversion: the operation that takes an operation back.

use crate::apply::split_chars;
use crate::error::LengthMismatch;
use crate::operation::{Component, Operation, TextWriter};

impl Operation {
    /// The operation that takes this one back; `base` is the text before it.
    ///
    /// `apply(apply(base, self), self.invert(base)) == base`.
    ///
    /// # Errors
    /// [`LengthMismatch`] when `base` does not have [`base_len`](Self::base_len) characters.
    pub fn invert(&self, base: &str) -> Result<Operation, LengthMismatch> {
        self.check_base(base.chars().count())?;
        let mut out = TextWriter::default();
        let mut rest = base;
        for component in self.components() {
            match component {
                Component::Retain(len) => {
                    rest = split_chars(rest, len).1;
                    out.retain(len);
                }
                Component::Insert(text) => out.delete(text.chars().count()),
                Component::Delete(len) => {
                    let (deleted, behind) = split_chars(rest, len);
                    out.insert(deleted, len);
                    rest = behind;
                }
            }
        }
        Ok(out.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inverse_restores_the_text() {
        let base = "aé😀z";
        let operation =
            Operation::builder().delete(2).insert("x").retain(1).delete(1).build().expect("small");
        let inverse = operation.invert(base).expect("fits");
        let text = operation.apply(base).expect("fits");
        assert_eq!(inverse.apply(&text).as_deref(), Ok(base));
    }
}
