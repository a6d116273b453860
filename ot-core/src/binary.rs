//! The compact form for storage: how many components, then each as one varint of length and kind,
//! then the size of all inserted text and the text itself.
//!
//! Varints are little-endian groups of seven bits. Lengths count Unicode scalar values, the size of
//! the text counts UTF-8 bytes.

use crate::apply::split_chars;
use crate::error::DecodeError;
use crate::operation::{Kind, Operation};
use crate::wire::{Assembler, Limits};

impl Operation {
    /// The compact form. A typed character in a long document takes about ten bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(4 * self.component_count() + self.inserted_bytes() + 4);
        write_varint(self.component_count() as u64, &mut out);
        for part in self.parts() {
            write_varint(((part.chars() as u64) << 2) | part.kind() as u64, &mut out);
        }
        write_varint(self.inserted_bytes() as u64, &mut out);
        out.extend_from_slice(self.inserted_text().as_bytes());
        out
    }

    /// Reads the compact form; the bytes must end where it ends.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are cut short, too long, not UTF-8, not in normal form, or
    /// hold more than `limits` allow.
    pub fn from_bytes(bytes: &[u8], limits: &Limits) -> Result<Operation, DecodeError> {
        let mut reader = Reader { bytes, offset: 0 };
        let count = reader.varint()?;
        let parts_from = reader.offset;
        for _ in 0..count {
            reader.varint()?;
        }
        let parts_end = reader.offset;
        let text = reader.text()?;
        let mut assembler = Assembler::new(*limits);
        let mut parts = Reader { bytes: &bytes[..parts_end], offset: parts_from };
        let mut rest = text;
        for index in 0..count {
            let word = parts.varint()?;
            let len = usize::try_from(word >> 2).unwrap_or(usize::MAX);
            match word & 3 {
                kind if kind == Kind::Retain as u64 => assembler.retain(len)?,
                kind if kind == Kind::Delete as u64 => assembler.delete(len)?,
                kind if kind == Kind::Insert as u64 => {
                    let (own, behind) = split_chars(rest, len);
                    assembler.insert(own)?;
                    if own.chars().count() != len {
                        return parts.malformed();
                    }
                    rest = behind;
                }
                _ => return parts.malformed(),
            }
            if assembler.part_count() as u64 != index + 1 {
                return parts.malformed();
            }
        }
        if rest.is_empty() { Ok(assembler.finish()) } else { reader.malformed() }
    }
}

pub(crate) fn write_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    fn malformed<T>(&self) -> Result<T, DecodeError> {
        Err(DecodeError::Malformed { offset_bytes: self.offset })
    }

    fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let Some(&byte) = self.bytes.get(self.offset) else {
                return self.malformed();
            };
            let group = u64::from(byte & 0x7F);
            if (group << shift) >> shift != group {
                return self.malformed();
            }
            self.offset += 1;
            value |= group << shift;
            if byte < 0x80 {
                // One number, one form: no trailing empty group.
                return if byte == 0 && shift > 0 { self.malformed() } else { Ok(value) };
            }
        }
        self.malformed()
    }

    /// The text, which must be all that is left.
    fn text(&mut self) -> Result<&'a str, DecodeError> {
        let len = self.varint()?;
        let rest = &self.bytes[self.offset..];
        if rest.len() as u64 != len {
            return self.malformed();
        }
        std::str::from_utf8(rest).map_err(|error| DecodeError::Malformed {
            offset_bytes: self.offset + error.valid_up_to(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_read_back_as_written() {
        let operation = Operation::builder()
            .retain(100_000)
            .delete(3)
            .insert("é🦀")
            .retain(1)
            .insert("x")
            .build()
            .expect("small");
        let bytes = operation.to_bytes();
        assert_eq!(Operation::from_bytes(&bytes, &Limits::NONE), Ok(operation));
        assert_eq!(Operation::default().to_bytes(), [0, 0]);
    }

    #[test]
    fn every_cut_and_every_extension_is_refused() {
        let bytes = Operation::splice(300, 200, 5, "aé").expect("fits").to_bytes();
        for end in 0..bytes.len() {
            assert!(Operation::from_bytes(&bytes[..end], &Limits::NONE).is_err(), "{end}");
        }
        let mut longer = bytes;
        longer.push(0);
        assert!(Operation::from_bytes(&longer, &Limits::NONE).is_err());
    }

    #[test]
    fn one_operation_has_one_form() {
        let neighbours = [2, 4, 4, 0];
        assert!(Operation::from_bytes(&neighbours, &Limits::NONE).is_err());
        let unknown_kind = [1, 7, 0];
        assert!(Operation::from_bytes(&unknown_kind, &Limits::NONE).is_err());
        let padded_varint = [1, 0x84, 0x00, 0];
        assert!(Operation::from_bytes(&padded_varint, &Limits::NONE).is_err());
        let huge_count = [0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0];
        assert!(Operation::from_bytes(&huge_count, &Limits::NONE).is_err());
    }
}
