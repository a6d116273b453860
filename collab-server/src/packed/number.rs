//! Numbers as bytes: little-endian groups of seven bits, and signed ones folded into unsigned.

use ot_core::MAX_LEN;

use super::PageError;

pub(super) fn write_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Small numbers of either sign become small unsigned ones: 0, -1, 1, -2…
pub(super) fn fold(value: i64) -> u64 {
    (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned()
}

pub(super) fn unfold(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

/// Reads numbers off the front of some bytes; never beyond them.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    part: &'static str,
}

impl<'a> Reader<'a> {
    /// `part` names the bytes in errors.
    pub(super) fn new(bytes: &'a [u8], part: &'static str) -> Self {
        Reader { bytes, part }
    }

    pub(super) fn malformed(&self) -> PageError {
        PageError::Malformed { part: self.part }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, PageError> {
        let (&byte, rest) = self.bytes.split_first().ok_or_else(|| self.malformed())?;
        self.bytes = rest;
        Ok(byte)
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], PageError> {
        let (taken, rest) = self.bytes.split_at_checked(len).ok_or_else(|| self.malformed())?;
        self.bytes = rest;
        Ok(taken)
    }

    #[inline]
    pub(super) fn varint(&mut self) -> Result<u64, PageError> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(u64::from(first));
        }
        let mut value = u64::from(first & 0x7F);
        for shift in (7..64).step_by(7) {
            let byte = self.byte()?;
            let group = u64::from(byte & 0x7F);
            if (group << shift) >> shift != group {
                return Err(self.malformed());
            }
            value |= group << shift;
            if byte < 0x80 {
                return if byte == 0 { Err(self.malformed()) } else { Ok(value) };
            }
        }
        Err(self.malformed())
    }

    #[inline]
    pub(super) fn signed(&mut self) -> Result<i64, PageError> {
        self.varint().map(unfold)
    }

    /// A length or offset that a document can have.
    #[inline]
    pub(super) fn length(&mut self) -> Result<usize, PageError> {
        let value = self.varint()?;
        if value > MAX_LEN as u64 { Err(self.malformed()) } else { Ok(value as usize) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back_as_written_in_one_form() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = Vec::new();
            write_varint(value, &mut bytes);
            let mut reader = Reader::new(&bytes, "test");
            assert_eq!((reader.varint(), reader.is_empty()), (Ok(value), true));
            assert!(Reader::new(&bytes[..bytes.len() - 1], "test").varint().is_err());
        }
        for value in [0, -1, 1, i64::MIN, i64::MAX] {
            assert_eq!(unfold(fold(value)), value);
        }
        assert!(Reader::new(&[0x80, 0], "test").varint().is_err(), "padded");
        assert!(Reader::new(&[0xFF; 11], "test").varint().is_err(), "beyond 64 bits");
    }
}
