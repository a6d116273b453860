//! A component as an operation holds it.

use std::fmt;

use super::MAX_LEN;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Retain,
    Insert,
    Delete,
}

/// A component packed into eight bytes; inserted text lies in the operation's one buffer.
///
/// Invariant: at least one character, at most [`MAX_LEN`]; bytes are 0 unless it is an insert. Only the default,
/// which fills places that hold nothing, has none.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Part {
    kind_and_chars: u32,
    bytes: u32,
}

const KIND_SHIFT: u32 = 30;
const CHARS_MASK: u32 = (1 << KIND_SHIFT) - 1;

impl Part {
    #[inline]
    pub(crate) fn new(kind: Kind, chars: usize, bytes: usize) -> Part {
        debug_assert!(chars > 0);
        Part::of(kind, chars, bytes)
    }

    /// As [`new`](Self::new), and nothing, which is no component, of no characters.
    #[inline]
    pub(super) fn of(kind: Kind, chars: usize, bytes: usize) -> Part {
        debug_assert!(chars <= MAX_LEN);
        Part { kind_and_chars: ((kind as u32) << KIND_SHIFT) | chars as u32, bytes: bytes as u32 }
    }

    /// As much longer as `growth` says, which wraps where it is shorter; for what has no bytes.
    #[cfg(not(target_family = "wasm"))]
    #[inline]
    pub(super) fn grown(self, growth: u32) -> Part {
        Part { kind_and_chars: self.kind_and_chars.wrapping_add(growth), bytes: self.bytes }
    }

    /// What it keeps, in characters.
    #[inline]
    pub(super) fn kept(self) -> u32 {
        if self.kind_and_chars <= CHARS_MASK { self.kind_and_chars } else { 0 }
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

/// For the ways of large operations.
#[cfg(not(target_family = "wasm"))]
impl Part {
    /// Stands behind the last component: it keeps nothing.
    pub(super) const END: Part = Part { kind_and_chars: 0, bytes: 0 };

    #[inline]
    pub(super) fn is_of_kind_of(self, other: Part) -> bool {
        (self.kind_and_chars ^ other.kind_and_chars) >> KIND_SHIFT == 0
    }

    /// Longer by `other`, which is of its kind.
    #[inline]
    pub(super) fn and(self, other: Part) -> Part {
        let kind_and_chars = self.kind_and_chars + (other.kind_and_chars & CHARS_MASK);
        Part { kind_and_chars, bytes: self.bytes + other.bytes }
    }

    /// What is left behind its first characters.
    #[inline]
    pub(super) fn behind(self, chars: usize, bytes: usize) -> Part {
        debug_assert!(chars < self.chars());
        Part {
            kind_and_chars: self.kind_and_chars - chars as u32,
            bytes: self.bytes - bytes as u32,
        }
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({})", self.kind(), self.chars())
    }
}
