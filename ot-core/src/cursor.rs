//! The one place that splits components: algorithms read as lists of cases over two cursors.

use crate::operation::{Kind, Operation, Part};

/// A position inside an operation, between or within its components.
///
/// `kind` and `len` speak of what is left of the current component; `len` is 0 only at the end.
pub(crate) struct ComponentCursor<'a> {
    parts: std::slice::Iter<'a, Part>,
    text: &'a str,
    kind: Option<Kind>,
    chars: usize,
    bytes: usize,
}

impl<'a> ComponentCursor<'a> {
    #[inline]
    pub(crate) fn new(operation: &'a Operation) -> Self {
        let mut cursor = ComponentCursor {
            parts: operation.parts().iter(),
            text: operation.inserted_text(),
            kind: None,
            chars: 0,
            bytes: 0,
        };
        cursor.advance();
        cursor
    }

    /// Kind of the current component; `None` at the end.
    #[inline]
    pub(crate) fn kind(&self) -> Option<Kind> {
        self.kind
    }

    /// Characters left of the current component.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.chars
    }

    /// Passes the rest of the current component and returns its length.
    #[inline]
    pub(crate) fn take_rest(&mut self) -> usize {
        let chars = self.chars;
        self.text = &self.text[self.bytes..];
        self.advance();
        chars
    }

    /// Passes the rest of the current insert and returns its text with its length.
    #[inline]
    pub(crate) fn take_rest_text(&mut self) -> (&'a str, usize) {
        let (own, rest) = self.text.split_at(self.bytes);
        let chars = self.chars;
        self.text = rest;
        self.advance();
        (own, chars)
    }

    /// Passes `chars` characters of the current component; at most [`len`](Self::len).
    #[inline]
    pub(crate) fn skip(&mut self, chars: usize) {
        self.take_text(chars);
    }

    /// Passes `chars` characters of the current component and returns their text, which is empty
    /// unless the component is an insert.
    #[inline]
    pub(crate) fn take_text(&mut self, chars: usize) -> &'a str {
        debug_assert!(chars <= self.chars);
        if chars == self.chars {
            return self.take_rest_text().0;
        }
        let bytes = self.bytes_of(chars);
        let (own, rest) = self.text.split_at(bytes);
        self.text = rest;
        self.bytes -= bytes;
        self.chars -= chars;
        own
    }

    fn bytes_of(&self, chars: usize) -> usize {
        if self.bytes == self.chars || self.bytes == 0 {
            return chars.min(self.bytes);
        }
        self.text.char_indices().nth(chars).map_or(self.bytes, |(offset, _)| offset)
    }

    #[inline]
    fn advance(&mut self) {
        match self.parts.next() {
            Some(part) => {
                self.kind = Some(part.kind());
                self.chars = part.chars();
                self.bytes = part.bytes();
            }
            None => {
                self.kind = None;
                self.chars = 0;
                self.bytes = 0;
            }
        }
    }
}
