//! What can be wrong with an operation, each error with both numbers.
//!
//! Lengths count Unicode scalar values unless the field name says bytes.

use thiserror::Error;

/// An operation was used on a text, or beside an operation, of another length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("operation spans {found} characters, document has {expected}")]
pub struct LengthMismatch {
    /// Length of the document, in characters.
    pub expected: usize,
    /// Length the operation spans, in characters.
    pub found: usize,
}

/// A length passed [`MAX_LEN`](crate::MAX_LEN).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("length of {found} characters exceeds the maximum of {max}")]
pub struct LengthOverflow {
    /// The length asked for, in characters; `usize::MAX` when it does not fit.
    pub found: usize,
    /// The longest text an operation can span, in characters.
    pub max: usize,
}

/// Why two operations cannot be transformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TransformError {
    /// They were not made on the same text.
    #[error(transparent)]
    Mismatch(#[from] LengthMismatch),
    /// Their joint result would be longer than [`MAX_LEN`](crate::MAX_LEN).
    #[error(transparent)]
    Overflow(#[from] LengthOverflow),
}

/// Why a single edit does not fit a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SpliceError {
    /// The edited range ends behind the document.
    #[error("edit ends at character {end}, document has {document_len}")]
    OutOfRange {
        /// End of the edited range, in characters; `usize::MAX` when it does not fit.
        end: usize,
        /// Length of the document, in characters.
        document_len: usize,
    },
    /// The result would be longer than [`MAX_LEN`](crate::MAX_LEN).
    #[error(transparent)]
    Overflow(#[from] LengthOverflow),
}

/// Why bytes or JSON are not an operation.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Not the expected syntax.
    #[error("malformed operation at byte {offset_bytes}")]
    Malformed {
        /// Where reading stopped, in bytes from the start.
        offset_bytes: usize,
    },
    /// A component of length 0, which the normal form does not have.
    #[error("component {index} is empty")]
    EmptyComponent {
        /// Index of the component, from 0.
        index: usize,
    },
    /// More components than allowed.
    #[error("operation has more than {max} components")]
    TooManyComponents {
        /// The limit.
        max: usize,
    },
    /// More inserted text than allowed.
    #[error("operation inserts {found} bytes, at most {max} are allowed")]
    TextTooLarge {
        /// Inserted text so far, in UTF-8 bytes.
        found: usize,
        /// The limit, in UTF-8 bytes.
        max: usize,
    },
    /// A length beyond the limit.
    #[error(transparent)]
    Length(#[from] LengthOverflow),
    /// NUL or carriage return in inserted text: one cannot be stored everywhere, the other is
    /// never canonical.
    #[error("inserted text contains the forbidden character U+{code:04X}")]
    ForbiddenCharacter {
        /// The scalar value.
        code: u32,
    },
    /// Half of a surrogate pair, which no Unicode text contains.
    #[error("inserted text contains the lone surrogate U+{code:04X}")]
    LoneSurrogate {
        /// The UTF-16 code unit.
        code: u32,
    },
}
