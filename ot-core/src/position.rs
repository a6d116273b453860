//! Numbers that must not be mixed up: offsets in two units, revisions, submission numbers.
//!
//! An offset is a boundary between characters, from 0 to the length inclusive.

use std::fmt;

use thiserror::Error;

/// The largest integer that every JSON reader keeps exactly, 2^53 - 1.
const JSON_INTEGER_MAX: u64 = (1 << 53) - 1;

macro_rules! offset {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(usize);

        impl $name {
            /// The offset `offset`.
            #[must_use]
            #[inline]
            pub const fn new(offset: usize) -> Self {
                Self(offset)
            }

            /// The plain number.
            #[must_use]
            #[inline]
            pub const fn get(self) -> usize {
                self.0
            }
        }

        impl From<usize> for $name {
            fn from(offset: usize) -> Self {
                Self(offset)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

offset! {
    /// An offset in Unicode scalar values, the unit of the engine, the wire and the database.
    CharOffset
}

offset! {
    /// An offset in UTF-16 code units, the unit of the browser.
    Utf16Offset
}

/// A UTF-16 offset points between the two halves of one character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("offset {offset_utf16} is inside a surrogate pair")]
pub struct InsideSurrogatePair {
    /// The offset, in UTF-16 code units.
    pub offset_utf16: usize,
}

macro_rules! counter {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[cfg_attr(feature = "serde", serde(transparent))]
        pub struct $name(u64);

        impl $name {
            /// Before the first one.
            pub const ZERO: Self = Self(0);
            /// The last one, 2^53 - 1: what every JSON reader keeps exactly.
            pub const MAX: Self = Self(JSON_INTEGER_MAX);

            /// Number `number`. Nothing is checked here; [`next`](Self::next) and
            /// [`plus`](Self::plus) stop at [`MAX`](Self::MAX).
            #[must_use]
            #[inline]
            pub const fn new(number: u64) -> Self {
                Self(number)
            }

            /// The plain number.
            #[must_use]
            #[inline]
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The one that follows; `None` behind [`MAX`](Self::MAX).
            #[must_use]
            #[inline]
            pub const fn next(self) -> Option<Self> {
                self.plus(1)
            }

            /// The one `count` later; `None` behind [`MAX`](Self::MAX).
            #[must_use]
            #[inline]
            pub const fn plus(self, count: u64) -> Option<Self> {
                match self.0.checked_add(count) {
                    Some(number) if number <= JSON_INTEGER_MAX => Some(Self(number)),
                    _ => None,
                }
            }
        }

        impl From<u64> for $name {
            fn from(number: u64) -> Self {
                Self(number)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

counter! {
    /// How many operations a document has committed; also names the text after that many.
    Revision
}

counter! {
    /// The number a client gives to a submission: 1, 2, 3… per document.
    ClientSeq
}

impl Revision {
    /// How many operations lie between `earlier` and this one; `None` when it is not earlier.
    #[must_use]
    #[inline]
    pub const fn since(self, earlier: Revision) -> Option<u64> {
        self.0.checked_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_stop_where_json_does() {
        assert_eq!(ClientSeq::ZERO.next(), Some(ClientSeq::new(1)));
        assert_eq!(Revision::MAX.next(), None);
        assert_eq!(Revision::new(u64::MAX).next(), None);
        assert_eq!(Revision::new(7).since(Revision::new(5)), Some(2));
        assert_eq!(Revision::new(5).since(Revision::new(7)), None);
    }
}
