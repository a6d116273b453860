//! The one place that splits components: algorithms read as lists of cases over two cursors.

use crate::operation::{Kind, Operation, Part};

/// A position inside an operation, between or within its components, without their text.
///
/// `kind` and `len` speak of what is left of the current component; `len` is 0 only at the end.
pub(crate) struct PartCursor<'a> {
    parts: std::slice::Iter<'a, Part>,
    kind: Option<Kind>,
    chars: usize,
    bytes: usize,
}

impl<'a> PartCursor<'a> {
    #[inline]
    pub(crate) fn new(operation: &'a Operation) -> Self {
        let mut cursor =
            PartCursor { parts: operation.parts().iter(), kind: None, chars: 0, bytes: 0 };
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

    /// Passes the current insert and returns its characters and bytes.
    #[inline]
    pub(crate) fn take_insert(&mut self) -> (usize, usize) {
        let taken = (self.chars, self.bytes);
        self.advance();
        taken
    }

    /// Passes the rest of the current component and returns its length.
    #[inline]
    pub(crate) fn take_rest(&mut self) -> usize {
        let chars = self.chars;
        self.advance();
        chars
    }

    /// Passes `chars` characters of the current component; at most [`len`](Self::len).
    #[inline]
    pub(crate) fn skip(&mut self, chars: usize) {
        debug_assert!(chars <= self.chars);
        self.chars -= chars;
        if self.chars == 0 {
            self.advance();
        }
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

/// A position inside an operation with the text of its inserts.
pub(crate) struct ComponentCursor<'a> {
    part: PartCursor<'a>,
    text: &'a str,
}

impl<'a> ComponentCursor<'a> {
    #[inline]
    pub(crate) fn new(operation: &'a Operation) -> Self {
        ComponentCursor { part: PartCursor::new(operation), text: operation.inserted_text() }
    }

    /// Kind of the current component; `None` at the end.
    #[inline]
    pub(crate) fn kind(&self) -> Option<Kind> {
        self.part.kind
    }

    /// Characters left of the current component.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.part.chars
    }

    /// Passes the rest of the current component, which is no insert, and returns its length.
    #[inline]
    pub(crate) fn take_rest(&mut self) -> usize {
        debug_assert!(self.part.bytes == 0);
        self.part.take_rest()
    }

    /// Passes the rest of the current insert and returns its text with its length.
    #[inline]
    pub(crate) fn take_rest_text(&mut self) -> (&'a str, usize) {
        let (own, rest) = self.text.split_at(self.part.bytes);
        self.text = rest;
        (own, self.part.take_rest())
    }

    /// Passes `chars` characters of the current component and returns their text, which is empty
    /// unless the component is an insert. At most [`len`](Self::len).
    #[inline]
    pub(crate) fn take_text(&mut self, chars: usize) -> &'a str {
        debug_assert!(chars <= self.part.chars);
        if chars == self.part.chars {
            return self.take_rest_text().0;
        }
        let bytes = self.bytes_of(chars);
        let (own, rest) = self.text.split_at(bytes);
        self.text = rest;
        self.part.bytes -= bytes;
        self.part.chars -= chars;
        own
    }

    #[inline]
    fn bytes_of(&self, chars: usize) -> usize {
        if self.part.bytes == self.part.chars || self.part.bytes == 0 {
            return chars.min(self.part.bytes);
        }
        self.text.char_indices().nth(chars).map_or(self.part.bytes, |(offset, _)| offset)
    }
}
