//! The operation: one edit of a whole document, in the normal form that keeps gaps.
//!
//! Lengths and offsets count Unicode scalar values.

use std::fmt;

use crate::error::{DecodeError, LengthOverflow, SpliceError};
use crate::small::{Chars, Few, INLINE_PARTS, INLINE_TEXT_BYTES};

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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Retain,
    Insert,
    Delete,
}

/// A component packed into eight bytes; inserted text lies in the operation's one buffer.
///
/// Invariant: at least one character, at most [`MAX_LEN`]; bytes are 0 unless it is an insert.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    kind_and_chars: u32,
    bytes: u32,
}

const KIND_SHIFT: u32 = 30;
const CHARS_MASK: u32 = (1 << KIND_SHIFT) - 1;

impl Part {
    #[inline]
    fn new(kind: Kind, chars: usize, bytes: usize) -> Part {
        debug_assert!(chars > 0 && chars <= MAX_LEN);
        Part { kind_and_chars: ((kind as u32) << KIND_SHIFT) | chars as u32, bytes: bytes as u32 }
    }

    #[inline]
    pub(crate) fn kind(self) -> Kind {
        match self.kind_and_chars >> KIND_SHIFT {
            0 => Kind::Retain,
            1 => Kind::Insert,
            _ => Kind::Delete,
        }
    }

    #[inline]
    pub(crate) fn chars(self) -> usize {
        (self.kind_and_chars & CHARS_MASK) as usize
    }

    #[inline]
    pub(crate) fn bytes(self) -> usize {
        self.bytes as usize
    }
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
    parts: Few<Part>,
    text: Chars,
    base_len: usize,
    target_len: usize,
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
        self.base_len
    }

    /// Length of the text after this operation, in characters.
    #[must_use]
    #[inline]
    pub fn target_len(&self) -> usize {
        self.target_len
    }

    /// The components from the first character to the last.
    #[must_use]
    pub fn components(&self) -> Components<'_> {
        Components { parts: self.parts.iter(), text: &self.text }
    }

    /// How many components there are.
    #[must_use]
    pub fn component_count(&self) -> usize {
        self.parts.len()
    }

    /// Size of all inserted text, in UTF-8 bytes.
    #[must_use]
    pub fn inserted_bytes(&self) -> usize {
        self.text.len()
    }

    /// All inserted text, in order, without its places.
    #[must_use]
    pub fn inserted_text(&self) -> &str {
        &self.text
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        match *self.parts.as_slice() {
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
        check_text(&self.text)
    }

    /// Checks every invariant of the type; for tests and fuzzers.
    ///
    /// # Panics
    /// When one does not hold.
    pub fn check_invariants(&self) {
        let (mut base_len, mut target_len) = (0, 0);
        let mut before = None;
        let mut text = self.text.as_str();
        for part in &self.parts {
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
        assert_eq!((base_len, target_len), (self.base_len, self.target_len), "lengths are sums");
        assert!(base_len <= MAX_LEN && target_len <= MAX_LEN, "lengths are within MAX_LEN");
    }

    /// Composes in place when `next` only types on behind the last insert, or takes back a part of
    /// it, and that insert is the last change; `false` when it does something else.
    pub(crate) fn type_on(&mut self, next: &Operation) -> bool {
        // `next` as what it keeps in front, the one thing that it does, and what it keeps behind.
        let (act, tail) = match *next.parts.as_slice() {
            [front, act, tail] if front.kind() == Kind::Retain && tail.kind() == Kind::Retain => {
                (act, tail.chars())
            }
            [front, act] if front.kind() == Kind::Retain => (act, 0),
            _ => return false,
        };
        let last = match *self.parts.as_slice() {
            [.., _, last] if last.kind() == Kind::Retain && last.chars() == tail => 2,
            [.., last] if last.kind() == Kind::Insert && tail == 0 => 1,
            _ => return false,
        };
        let at = self.parts.len() - last;
        let part = &mut self.parts[at];
        if part.kind() != Kind::Insert {
            return false;
        }
        match act.kind() {
            Kind::Insert => {
                *part =
                    Part::new(Kind::Insert, part.chars() + act.chars(), part.bytes() + act.bytes());
                self.text.push_str(&next.text);
                self.target_len += act.chars();
                true
            }
            Kind::Delete if act.chars() < part.chars() => {
                let mut back = self.text.chars();
                let bytes =
                    back.by_ref().rev().take(act.chars()).map(char::len_utf8).sum::<usize>();
                *part = Part::new(Kind::Insert, part.chars() - act.chars(), part.bytes() - bytes);
                self.text.truncate(self.text.len() - bytes);
                self.target_len -= act.chars();
                true
            }
            _ => false,
        }
    }

    #[inline]
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// All inserted text, for an operation that inserts the same.
    #[inline]
    pub(crate) fn text(&self) -> &Chars {
        &self.text
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

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({})", self.kind(), self.chars())
    }
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

/// Where an algorithm writes components; it merges neighbours, drops empty ones and checks nothing
/// else. Its users keep lengths within [`MAX_LEN`].
///
/// The last component is kept aside until one of another kind follows.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    parts: Few<Part>,
    kind: Kind,
    chars: usize,
    bytes: usize,
    base_len: usize,
    target_len: usize,
}

impl Default for Writer {
    #[inline]
    fn default() -> Writer {
        Writer::with_capacity(0)
    }
}

impl Writer {
    /// Room for `parts` components; few fit without an allocation.
    #[inline]
    pub(crate) fn with_capacity(parts: usize) -> Writer {
        // A guess of a few is often too high, and starting inline costs nothing.
        let parts = if parts <= 4 * INLINE_PARTS { Few::new() } else { Few::with_capacity(parts) };
        Writer { parts, kind: Kind::Retain, chars: 0, bytes: 0, base_len: 0, target_len: 0 }
    }

    #[inline]
    pub(crate) fn retain(&mut self, chars: usize) {
        self.base_len += chars;
        self.target_len += chars;
        self.push(Kind::Retain, chars, 0);
    }

    /// Notes an insert whose text the caller keeps.
    #[inline]
    pub(crate) fn insert(&mut self, chars: usize, bytes: usize) {
        self.target_len += chars;
        self.push(Kind::Insert, chars, bytes);
    }

    #[inline]
    pub(crate) fn delete(&mut self, chars: usize) {
        self.base_len += chars;
        self.push(Kind::Delete, chars, 0);
    }

    /// Notes whole components of another operation.
    pub(crate) fn extend(&mut self, parts: &[Part]) {
        for part in parts {
            match part.kind() {
                Kind::Retain => {
                    self.base_len += part.chars();
                    self.target_len += part.chars();
                }
                Kind::Insert => self.target_len += part.chars(),
                Kind::Delete => self.base_len += part.chars(),
            }
        }
        let [first, middle @ ..] = parts else { return };
        self.push(first.kind(), first.chars(), first.bytes());
        if let [middle @ .., last] = middle {
            self.flush();
            self.parts.extend_from_slice(middle);
            (self.kind, self.chars, self.bytes) = (last.kind(), last.chars(), last.bytes());
        }
    }

    pub(crate) fn lens(&self) -> (usize, usize) {
        (self.base_len, self.target_len)
    }

    pub(crate) fn part_count(&self) -> usize {
        self.parts.len() + usize::from(self.chars > 0)
    }

    /// The operation; `text` is what all its inserts insert, in order.
    #[inline]
    pub(crate) fn finish(mut self, text: Chars) -> Operation {
        self.flush();
        Operation { parts: self.parts, text, base_len: self.base_len, target_len: self.target_len }
    }

    #[inline]
    fn push(&mut self, kind: Kind, chars: usize, bytes: usize) {
        if chars == 0 {
            return;
        }
        if self.kind != kind {
            self.flush();
            self.kind = kind;
        }
        self.chars += chars;
        self.bytes += bytes;
    }

    #[inline]
    fn flush(&mut self) {
        if self.chars > 0 {
            self.parts.push(Part::new(self.kind, self.chars, self.bytes));
            (self.chars, self.bytes) = (0, 0);
        }
    }
}

/// A writer that gathers the text as well.
#[derive(Debug, Clone, Default)]
pub(crate) struct TextWriter {
    writer: Writer,
    text: Chars,
}

impl TextWriter {
    #[inline]
    pub(crate) fn with_capacity(parts: usize, text_bytes: usize) -> TextWriter {
        TextWriter { writer: Writer::with_capacity(parts), text: Chars::with_capacity(text_bytes) }
    }

    #[inline]
    pub(crate) fn retain(&mut self, chars: usize) {
        self.writer.retain(chars);
    }

    #[inline]
    pub(crate) fn insert(&mut self, text: &str, chars: usize) {
        if self.text.is_empty() && text.len() <= INLINE_TEXT_BYTES {
            self.text = Chars::from(text);
        } else {
            self.text.push_str(text);
        }
        self.writer.insert(chars, text.len());
    }

    #[inline]
    pub(crate) fn delete(&mut self, chars: usize) {
        self.writer.delete(chars);
    }

    pub(crate) fn lens(&self) -> (usize, usize) {
        self.writer.lens()
    }

    pub(crate) fn text_bytes(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn part_count(&self) -> usize {
        self.writer.part_count()
    }

    #[inline]
    pub(crate) fn finish(self) -> Operation {
        self.writer.finish(self.text)
    }
}

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
