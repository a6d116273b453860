//! A document's text for editing: a rope behind one type.
//!
//! Relies on `jumprope`, a skip list of gap buffers that counts characters and surrogate pairs, so
//! that an edit and a conversion between units take O(log n); runs of typing are gathered in front of it
//! (`buffered.rs`). In a browser, where its code would be downloaded, a list of short strings does the
//! same (`chunks.rs`). Lengths count Unicode scalar values unless a name says UTF-16 or bytes.

#[cfg(not(target_family = "wasm"))]
mod buffered;
#[cfg(any(test, target_family = "wasm"))]
mod chunks;

use std::fmt;
use std::ops::Range;

#[cfg(not(target_family = "wasm"))]
use buffered::Buffered as Rope;
#[cfg(target_family = "wasm")]
use chunks::Chunks as Rope;

use crate::error::{LengthMismatch, LengthOverflow, SpliceError};
use crate::operation::{Component, MAX_LEN, Operation};
use crate::position::{CharOffset, InsideSurrogatePair, Utf16Offset};

/// A text that is cheap to edit anywhere.
///
/// # Limitations
/// Operations span at most [`MAX_LEN`](crate::MAX_LEN) characters, so a longer text can be read
/// but not edited.
#[derive(Clone, Default)]
pub struct Text {
    rope: Rope,
}

impl Text {
    /// The empty text.
    #[must_use]
    pub fn new() -> Text {
        Text::default()
    }

    /// Length in characters.
    #[must_use]
    #[inline]
    pub fn len_chars(&self) -> usize {
        self.rope.len_chars()
    }

    /// Length in UTF-16 code units.
    #[must_use]
    #[inline]
    pub fn len_utf16(&self) -> usize {
        self.rope.len_wchars()
    }

    /// Length in UTF-8 bytes.
    #[must_use]
    #[inline]
    pub fn len_bytes(&self) -> usize {
        self.rope.len_bytes()
    }

    /// Whether there is no character.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rope.is_empty()
    }

    /// Edits the text; costs O(log n) per change plus the changed text.
    ///
    /// # Errors
    /// [`LengthMismatch`] when the operation spans another length; the text is unchanged then.
    pub fn apply(&mut self, operation: &Operation) -> Result<(), LengthMismatch> {
        operation.check_base(self.len_chars())?;
        let mut offset = 0;
        for component in operation.components() {
            match component {
                Component::Retain(len) => offset += len,
                Component::Delete(len) => self.rope.remove(offset..offset + len),
                Component::Insert(text) => {
                    self.rope.insert(offset, text);
                    offset += text.chars().count();
                }
            }
        }
        Ok(())
    }

    /// Removes `delete_len` characters behind `offset` and puts `text` there: one step of an edit
    /// that is known without an [`Operation`], as when a packed history is replayed.
    ///
    /// # Errors
    /// [`SpliceError`] when the range ends behind the text or the result is longer than
    /// [`MAX_LEN`](crate::MAX_LEN); the text is unchanged then.
    pub fn splice(
        &mut self,
        offset: usize,
        delete_len: usize,
        text: &str,
    ) -> Result<(), SpliceError> {
        let document_len = self.len_chars();
        let end = offset.saturating_add(delete_len);
        if end > document_len {
            return Err(SpliceError::OutOfRange { end, document_len });
        }
        // A text has at least one byte per character.
        let found = (document_len - delete_len).saturating_add(text.len());
        if found > MAX_LEN {
            let found = document_len - delete_len + text.chars().count();
            if found > MAX_LEN {
                return Err(LengthOverflow { found, max: MAX_LEN }.into());
            }
        }
        if delete_len > 0 {
            self.rope.remove(offset..end);
        }
        if !text.is_empty() {
            self.rope.insert(offset, text);
        }
        Ok(())
    }

    /// The characters of `range`; a range that ends behind the text is cut there.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> String {
        let mut out = String::new();
        self.push_slice(range, &mut out);
        out
    }

    /// Appends the characters of `range` to `out`; a range that ends behind the text is cut there.
    pub fn push_slice(&self, range: Range<usize>, out: &mut String) {
        let end = range.end.min(self.len_chars());
        if range.start < end {
            self.rope.slice_substrings(range.start..end).for_each(|chunk| out.push_str(chunk));
        }
    }

    /// The text in pieces, in order; none is empty.
    pub fn chunks(&self) -> impl Iterator<Item = &str> {
        self.rope.substrings()
    }

    /// The whole text.
    ///
    /// As `to_string`, without the formatting machinery, which weighs more in a browser than the
    /// rope does.
    #[must_use]
    pub fn contents(&self) -> String {
        let mut out = String::with_capacity(self.len_bytes());
        self.chunks().for_each(|chunk| out.push_str(chunk));
        out
    }

    /// The text that `operation` deletes here, in order, without its places.
    ///
    /// # Errors
    /// [`LengthMismatch`] when the operation spans another length.
    pub fn removed_by(&self, operation: &Operation) -> Result<String, LengthMismatch> {
        operation.check_base(self.len_chars())?;
        let mut removed = String::new();
        let mut offset = 0;
        for component in operation.components() {
            match component {
                Component::Retain(len) => offset += len,
                Component::Delete(len) => {
                    self.push_slice(offset..offset + len, &mut removed);
                    offset += len;
                }
                Component::Insert(_) => {}
            }
        }
        Ok(removed)
    }

    /// The same place in UTF-16 code units, in O(log n). An offset behind the text counts as its
    /// end.
    #[must_use]
    pub fn char_to_utf16(&self, offset: CharOffset) -> Utf16Offset {
        Utf16Offset::new(self.rope.chars_to_wchars(offset.get().min(self.len_chars())))
    }

    /// The same place in characters, in O(log n). An offset behind the text counts as its end.
    ///
    /// # Errors
    /// [`InsideSurrogatePair`] when the offset lies between the halves of one character.
    pub fn utf16_to_char(&self, offset: Utf16Offset) -> Result<CharOffset, InsideSurrogatePair> {
        let offset_utf16 = offset.get().min(self.len_utf16());
        let chars = self.rope.wchars_to_chars(offset_utf16).min(self.len_chars());
        // The rope rounds an offset inside a pair to one side; the way back tells.
        if self.rope.chars_to_wchars(chars) == offset_utf16 {
            Ok(CharOffset::new(chars))
        } else {
            Err(InsideSurrogatePair { offset_utf16 })
        }
    }

    /// The hash that both ends compare to see that they hold the same text.
    #[must_use]
    pub fn hash(&self) -> TextHash {
        // The hash of one piece is less to download than that of many.
        #[cfg(target_family = "wasm")]
        return TextHash::of(&self.contents());
        #[cfg(not(target_family = "wasm"))]
        {
            let mut hasher = xxhash_rust::xxh64::Xxh64::new(TextHash::SEED);
            self.chunks().for_each(|chunk| hasher.update(chunk.as_bytes()));
            TextHash(hasher.digest())
        }
    }

    /// Rebuilds the rope without the slack that edits leave behind; for when a document is idle.
    pub fn repack(&mut self) {
        *self = Text::from(self.contents().as_str());
    }

    /// Memory held, in bytes, including the type itself.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.rope.mem_size()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text { rope: Rope::from(text) }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chunks().try_for_each(|chunk| f.write_str(chunk))
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({:?})", self.to_string())
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Text) -> bool {
        self.rope == other.rope
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.rope == *other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.rope == **other
    }
}

/// The xxh64 hash, seed 0, of a text's UTF-8. It finds accidents, not forgeries.
///
/// Shown as 16 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TextHash(u64);

impl TextHash {
    const SEED: u64 = 0;

    /// The hash of a plain text.
    #[must_use]
    pub fn of(text: &str) -> TextHash {
        TextHash(xxhash_rust::xxh64::xxh64(text.as_bytes(), TextHash::SEED))
    }

    /// A hash that was computed elsewhere.
    #[must_use]
    pub const fn new(hash: u64) -> TextHash {
        TextHash(hash)
    }

    /// The plain number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The 16 digits, without the formatting machinery.
    #[must_use]
    pub fn to_hex(self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        (0..16)
            .rev()
            .map(|place| char::from(DIGITS[(self.0 >> (4 * place)) as usize & 15]))
            .collect()
    }

    /// Reads the 16 digits; `None` for anything else, upper-case digits included.
    #[must_use]
    pub fn from_hex(digits: &str) -> Option<TextHash> {
        let bytes = digits.as_bytes();
        if bytes.len() != 16 {
            return None;
        }
        let mut hash = 0;
        for &byte in bytes {
            let digit = match byte {
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                _ => return None,
            };
            hash = hash << 4 | u64::from(digit);
        }
        Some(TextHash(hash))
    }
}

impl fmt::Display for TextHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Debug for TextHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TextHash({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_convert_both_ways_and_halves_are_refused() {
        let text = Text::from("a😀é🦀z");
        let boundaries = [0, 1, 3, 4, 6, 7];
        for (chars, utf16) in boundaries.into_iter().enumerate() {
            assert_eq!(text.char_to_utf16(CharOffset::new(chars)).get(), utf16);
            assert_eq!(text.utf16_to_char(Utf16Offset::new(utf16)), Ok(CharOffset::new(chars)));
        }
        for offset_utf16 in [2, 5] {
            let found = text.utf16_to_char(Utf16Offset::new(offset_utf16));
            assert_eq!(found, Err(InsideSurrogatePair { offset_utf16 }));
        }
        assert_eq!((text.len_chars(), text.len_utf16(), text.len_bytes()), (5, 7, 12));
        assert_eq!(text.char_to_utf16(CharOffset::new(99)).get(), 7);
        assert_eq!(text.utf16_to_char(Utf16Offset::new(99)), Ok(CharOffset::new(5)));
    }

    #[test]
    fn the_hash_does_not_depend_on_how_the_text_was_made() {
        // Reference values of the xxHash project.
        assert_eq!(TextHash::of("").to_hex(), "ef46db3751d8e999");
        assert_eq!(TextHash::of("a").to_hex(), "d24ec4f1a98c6e5b");
        let mut typed = Text::new();
        for index in 0..2_000 {
            typed.apply(&Operation::splice(index, index / 2, 0, "é").expect("fits")).expect("fits");
        }
        let plain = "é".repeat(2_000);
        assert_eq!(typed.hash(), TextHash::of(&plain));
        assert_eq!(TextHash::from_hex(&typed.hash().to_string()), Some(typed.hash()));
        assert_eq!(TextHash::from_hex("EF46DB3751D8E999"), None);
        assert_eq!(TextHash::from_hex("é46db3751d8e999"), None);
    }

    #[test]
    fn an_operation_of_another_length_changes_nothing() {
        let mut text = Text::from("abc");
        let error = text.apply(&Operation::identity(2));
        assert_eq!(error, Err(LengthMismatch { expected: 3, found: 2 }));
        assert_eq!(text, "abc");
    }

    #[test]
    fn a_splice_does_what_the_operation_does_and_stays_inside() {
        let mut text = Text::from("a😀bcé");
        text.splice(1, 2, "xy").expect("fits");
        assert_eq!(text, "axycé");
        text.splice(5, 0, "").expect("nothing at the end");
        for (offset, delete_len) in [(6, 0), (0, 6), (usize::MAX, 1)] {
            let refused = text.splice(offset, delete_len, "z");
            assert!(matches!(refused, Err(SpliceError::OutOfRange { document_len: 5, .. })));
        }
        assert_eq!(text, "axycé");
    }

    #[test]
    fn what_an_operation_removes_is_told_in_order() {
        let text = Text::from("a😀bcé");
        let operation = Operation::builder().delete(2).insert("x").retain(1).delete(1).retain(1);
        let operation = operation.build().expect("small");
        assert_eq!(text.removed_by(&operation).as_deref(), Ok("a😀c"));
    }

    #[test]
    fn repacking_keeps_the_text() {
        let mut text = Text::from("x".repeat(5_000).as_str());
        text.apply(&Operation::splice(5_000, 10, 4_900, "é").expect("fits")).expect("fits");
        let (before, bytes) = (text.to_string(), text.memory_bytes());
        text.repack();
        assert!(text == *before.as_str() && text.memory_bytes() <= bytes);
    }
}
