//! The operation: one edit of a whole document, in the normal form that keeps gaps.
//!
//! Lengths and offsets count Unicode scalar values.

#[cfg(not(target_family = "wasm"))]
mod apart;
mod builder;
#[cfg(not(target_family = "wasm"))]
mod large;
mod part;
mod typing;
mod writer;

use std::fmt;

pub use builder::OperationBuilder;
pub(crate) use part::{Kind, Part};
pub(crate) use writer::{TextWriter, Writer};

use crate::error::{DecodeError, LengthOverflow, SpliceError};
use crate::small::{Chars, Few, Held, Len};

/// The longest text an operation can span, before or after, in characters.
pub const MAX_LEN: usize = (1 << 30) - 1;

/// One step of an operation, as a borrowed view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Component<'a> {
    /// Keeps this many characters of the base; at least 1.
    Retain(usize),
    /// Puts this text at the current gap; at least one character.
    Insert(&'a str),
    /// Removes this many characters of the base; at least 1.
    Delete(usize),
}

/// An edit of a whole document: components that span it from the first character to the last.
///
/// It is exactly the text inserted at each gap of the base and the set of deleted characters. The
/// order of an insert and a delete that touch is kept, since it names the gap: `[-2,"x"]` and
/// `["x",-2]` have one effect and are two operations. Without that, composed history would decide
/// ties differently from the steps it was made of (see [`transform`](crate::transform)).
///
/// Invariant: no empty component, no two neighbours of one kind, `base_len` and `target_len` are
/// the sums of the components and at most [`MAX_LEN`].
///
/// An operation of one insert or one delete allocates nothing but text beyond 24 bytes.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Operation {
    body: Held<Body>,
}

#[derive(Clone, PartialEq, Eq, Default)]
struct Body {
    parts: Few<Part>,
    text: Chars,
    base_len: Len,
    target_len: Len,
}

impl Operation {
    /// Starts an operation at the first character of its base.
    #[must_use]
    pub fn builder() -> OperationBuilder {
        OperationBuilder::default()
    }

    /// The operation that keeps all of a document of `len` characters.
    ///
    /// # Panics
    /// When `len` exceeds [`MAX_LEN`]: no document does.
    #[must_use]
    pub fn identity(len: usize) -> Operation {
        assert!(len <= MAX_LEN, "a document of {len} characters exceeds {MAX_LEN}");
        let mut writer = Writer::default();
        writer.retain(len);
        writer.finish(Chars::default())
    }

    /// One edit in a document of `document_len` characters: at `offset`, puts `text` and removes
    /// the `delete_len` characters behind it. The text lies in the gap before what is removed.
    ///
    /// # Errors
    /// [`SpliceError`] when the range ends behind the document or the result is too long.
    pub fn splice(
        document_len: usize,
        offset: usize,
        delete_len: usize,
        text: &str,
    ) -> Result<Operation, SpliceError> {
        let end = offset.saturating_add(delete_len);
        if end > document_len {
            return Err(SpliceError::OutOfRange { end, document_len });
        }
        let chars = count_chars(text);
        let found = document_len.max((document_len - delete_len).saturating_add(chars));
        if found > MAX_LEN {
            return Err(LengthOverflow { found, max: MAX_LEN }.into());
        }
        #[cfg(not(target_family = "wasm"))]
        if chars + delete_len > 0 {
            return Ok(Operation::one_edit(document_len, offset, delete_len, text, chars));
        }
        let mut writer = Writer::default();
        writer.retain(offset);
        writer.insert(chars, text.len());
        writer.delete(delete_len);
        writer.retain(document_len - end);
        Ok(writer.finish(Chars::from(text)))
    }

    /// Length of the text this operation applies to, in characters.
    #[must_use]
    #[inline]
    pub fn base_len(&self) -> usize {
        self.body.base_len as usize
    }

    /// Length of the text after this operation, in characters.
    #[must_use]
    #[inline]
    pub fn target_len(&self) -> usize {
        self.body.target_len as usize
    }

    /// The components from the first character to the last.
    #[must_use]
    pub fn components(&self) -> Components<'_> {
        Components { parts: self.body.parts.iter(), text: &self.body.text }
    }

    /// How many components there are.
    #[must_use]
    pub fn component_count(&self) -> usize {
        self.body.parts.len()
    }

    /// Size of all inserted text, in UTF-8 bytes.
    #[must_use]
    pub fn inserted_bytes(&self) -> usize {
        self.body.text.len()
    }

    /// All inserted text, in order, without its places.
    #[must_use]
    #[inline]
    pub fn inserted_text(&self) -> &str {
        &self.body.text
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        match *self.body.parts.as_slice() {
            [] => true,
            [part] => part.kind() == Kind::Retain,
            _ => false,
        }
    }

    /// Refuses inserted text that no document may hold: NUL (PostgreSQL cannot store it) and
    /// carriage return (line ends are LF only).
    ///
    /// # Errors
    /// [`DecodeError::ForbiddenCharacter`] names the first one.
    pub fn check_text(&self) -> Result<(), DecodeError> {
        check_text(&self.body.text)
    }

    /// Checks every invariant of the type; for tests and fuzzers.
    ///
    /// # Panics
    /// When one does not hold.
    pub fn check_invariants(&self) {
        let (mut base_len, mut target_len) = (0, 0);
        let mut before = None;
        let mut text = self.body.text.as_str();
        for part in self.parts() {
            assert!(part.chars() > 0, "no component is empty");
            assert_ne!(before, Some(part.kind()), "neighbours differ in kind");
            before = Some(part.kind());
            let (own, rest) = text.split_at(part.bytes());
            text = rest;
            match part.kind() {
                Kind::Retain => {
                    base_len += part.chars();
                    target_len += part.chars();
                }
                Kind::Insert => {
                    assert_eq!(own.chars().count(), part.chars(), "insert counts its characters");
                    target_len += part.chars();
                }
                Kind::Delete => base_len += part.chars(),
            }
            if part.kind() != Kind::Insert {
                assert_eq!(part.bytes(), 0, "only inserts have text");
            }
        }
        assert!(text.is_empty(), "all text belongs to an insert");
        assert_eq!(
            (base_len, target_len),
            (self.base_len(), self.target_len()),
            "lengths are sums"
        );
        assert!(base_len <= MAX_LEN && target_len <= MAX_LEN, "lengths are within MAX_LEN");
    }

    #[inline]
    pub(crate) fn parts(&self) -> &[Part] {
        &self.body.parts
    }

    /// All inserted text, for an operation that inserts the same.
    #[inline]
    pub(crate) fn text(&self) -> &Chars {
        &self.body.text
    }
}

/// Characters of `text`; one byte is one character, which is most of typing.
#[inline]
pub(crate) fn count_chars(text: &str) -> usize {
    if text.len() == 1 { 1 } else { text.chars().count() }
}

pub(crate) fn check_text(text: &str) -> Result<(), DecodeError> {
    match text.bytes().find(|byte| matches!(byte, 0 | b'\r')) {
        Some(byte) => Err(DecodeError::ForbiddenCharacter { code: u32::from(byte) }),
        None => Ok(()),
    }
}

impl fmt::Debug for Operation {
    /// The notation of the tests: `=2 +"x" -1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, component) in self.components().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            match component {
                Component::Retain(len) => write!(f, "={len}")?,
                Component::Insert(text) => write!(f, "+{text:?}")?,
                Component::Delete(len) => write!(f, "-{len}")?,
            }
        }
        Ok(())
    }
}

/// Iterator over the components of an operation.
#[derive(Debug, Clone)]
pub struct Components<'a> {
    parts: std::slice::Iter<'a, Part>,
    text: &'a str,
}

impl<'a> Iterator for Components<'a> {
    type Item = Component<'a>;

    fn next(&mut self) -> Option<Component<'a>> {
        let part = self.parts.next()?;
        Some(match part.kind() {
            Kind::Retain => Component::Retain(part.chars()),
            Kind::Delete => Component::Delete(part.chars()),
            Kind::Insert => {
                let (own, rest) = self.text.split_at(part.bytes());
                self.text = rest;
                Component::Insert(own)
            }
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.parts.size_hint()
    }
}

impl ExactSizeIterator for Components<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builder_drops_empty_and_merges_neighbours() {
        let operation = Operation::builder()
            .retain(1)
            .retain(0)
            .retain(1)
            .insert("")
            .insert("é")
            .insert("x")
            .delete(1)
            .insert("y")
            .build()
            .expect("small");
        operation.check_invariants();
        assert_eq!(format!("{operation:?}"), r#"=2 +"éx" -1 +"y""#);
        assert_eq!((operation.base_len(), operation.target_len()), (3, 5));
    }

    #[test]
    fn order_of_insert_and_delete_is_kept() {
        let before = Operation::builder().insert("x").delete(1).build().expect("small");
        let after = Operation::builder().delete(1).insert("x").build().expect("small");
        assert_ne!(before, after);
    }

    #[test]
    fn lengths_beyond_the_maximum_are_refused() {
        for builder in [
            Operation::builder().retain(MAX_LEN).insert("x"),
            Operation::builder().retain(MAX_LEN + 1),
            Operation::builder().delete(usize::MAX).delete(usize::MAX),
            Operation::builder().retain(usize::MAX).retain(1),
        ] {
            let error = builder.build().expect_err("too long");
            assert!(error.found > MAX_LEN && error.max == MAX_LEN);
        }
        assert!(Operation::builder().retain(MAX_LEN).build().is_ok());
    }

    #[test]
    fn splice_outside_the_document_is_refused() {
        assert_eq!(
            Operation::splice(3, 2, 2, "x"),
            Err(SpliceError::OutOfRange { end: 4, document_len: 3 })
        );
        assert!(Operation::splice(3, usize::MAX, 2, "").is_err());
        let operation = Operation::splice(3, 1, 1, "xy").expect("fits");
        assert_eq!(format!("{operation:?}"), r#"=1 +"xy" -1 =1"#);
    }

    #[test]
    fn identity_changes_nothing() {
        assert!(Operation::identity(0).is_identity());
        assert!(Operation::identity(7).is_identity());
        assert!(!Operation::splice(1, 0, 1, "").expect("fits").is_identity());
    }
}
