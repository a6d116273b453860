//! Where the algorithms write their results.

use super::{Body, Kind, Operation, Part};
use crate::small::{Chars, Few, Held, INLINE_PARTS, INLINE_TEXT_BYTES, Len};

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
        let (base_len, target_len) = (self.base_len as Len, self.target_len as Len);
        Operation { body: Held::new(Body { parts: self.parts, text, base_len, target_len }) }
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
