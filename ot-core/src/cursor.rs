//! The one place that splits components: algorithms read as lists of cases over two cursors.

use crate::apply::byte_offset;
use crate::operation::{Kind, Operation, Part};

/// A position inside an operation, between or within its components, without their text.
///
/// `kind` and `len` speak of what is left of the current component; `len` is 0 only at the end.
pub(crate) struct PartCursor<'a> {
    parts: &'a [Part],
    /// Index of the component behind the current one.
    next: usize,
    kind: Option<Kind>,
    chars: usize,
    bytes: usize,
}

/// Components passed whole.
pub(crate) struct Run<'a> {
    pub(crate) parts: &'a [Part],
    /// What they cost of the budget, in characters.
    pub(crate) chars: usize,
    /// Size of their inserted text.
    pub(crate) bytes: usize,
}

impl<'a> PartCursor<'a> {
    #[inline]
    pub(crate) fn new(operation: &'a Operation) -> Self {
        let parts = operation.parts();
        let mut cursor = PartCursor { parts, next: 0, kind: None, chars: 0, bytes: 0 };
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

    /// Passes `chars` characters of the current component, at most [`len`](Self::len), and returns
    /// how many bytes of inserted text they are; `text` is what its rest inserts, and more.
    #[inline]
    pub(crate) fn take(&mut self, chars: usize, text: &str) -> usize {
        debug_assert!(chars <= self.chars);
        if chars == self.chars {
            return self.take_insert().1;
        }
        let bytes = match self.bytes {
            0 => 0,
            bytes if bytes == self.chars => chars,
            _ => byte_offset(text, chars),
        };
        self.chars -= chars;
        self.bytes -= bytes;
        bytes
    }

    /// Passes `chars` characters of the current component; at most [`len`](Self::len). For
    /// algorithms that do not look at text.
    #[inline]
    pub(crate) fn skip(&mut self, chars: usize) {
        debug_assert!(chars <= self.chars);
        self.chars -= chars;
        if self.chars == 0 {
            self.advance();
        }
    }

    /// Passes whole components, the current one included, while they cost no more than is left of
    /// `budget` characters; one of kind `free` costs nothing but is not taken when nothing is left.
    /// Passes none when the current component is already begun.
    pub(crate) fn take_run(&mut self, budget: usize, free: Kind) -> Run<'a> {
        let from = self.next.saturating_sub(1);
        let begun = self.parts.get(from).is_none_or(|part| part.chars() != self.chars);
        let (mut end, mut left, mut bytes) = (from, budget, 0);
        while let Some(part) = self.parts.get(end).filter(|_| left > 0 && !begun) {
            let cost = if part.kind() == free { 0 } else { part.chars() };
            if cost > left {
                break;
            }
            left -= cost;
            bytes += part.bytes();
            end += 1;
        }
        if end > from {
            self.next = end;
            self.advance();
        }
        Run { parts: &self.parts[from..end], chars: budget - left, bytes }
    }

    #[inline]
    fn advance(&mut self) {
        match self.parts.get(self.next) {
            Some(part) => {
                self.next += 1;
                self.kind = Some(part.kind());
                self.chars = part.chars();
                self.bytes = part.bytes();
            }
            None => {
                self.next = self.parts.len() + 1;
                self.kind = None;
                self.chars = 0;
                self.bytes = 0;
            }
        }
    }
}
