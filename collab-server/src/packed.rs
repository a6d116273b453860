//! Many committed operations in one small page: the form in which old history is kept.
//!
//! Pure: bytes in, operations or a text out. A page holds the operations of neighbouring revisions
//! in columns, each compressed by itself, so that a reader expands only what it asks for: a text
//! is rebuilt from the edits alone, an old submission is found in the stamps alone. Runs of typing,
//! backspacing and deleting forward are one entry each. Nothing of an operation is lost but the
//! chain hashes, which follow from the rest. `docs/storage.md` has the format byte by byte.
//!
//! Lengths and offsets count Unicode scalar values, sizes count bytes, times are milliseconds.

mod builder;
mod columns;
mod number;
mod reader;
mod replay;
mod runs;
mod stamps;
#[cfg(test)]
mod tests;

use ot_core::Revision;
use thiserror::Error;

use self::columns::Columns;
use self::number::Reader;

pub use self::builder::{PackError, PageBuilder};
pub use self::reader::{Edits, Operations};
pub use self::stamps::{Stamp, StampIter, Stamps};

/// The format that is written.
const VERSION: u8 = 1;

/// Bytes of the checksum at the end of a page: the first of its BLAKE3.
const CHECKSUM_BYTES: usize = 8;

/// Operations in one page, at most.
pub const PAGE_OPERATIONS_MAX: u64 = 1 << 20;

/// Why bytes are not a page, or not one that can be read here.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PageError {
    /// It was written by a later server, or is no page.
    #[error("page has version {found}, {expected} is known")]
    Version {
        /// Its first byte.
        found: u8,
        /// What is read here.
        expected: u8,
    },
    /// Its bytes are not what was written.
    #[error("page does not have its checksum")]
    Checksum,
    /// It says something that no page says.
    #[error("page is malformed in its {part}")]
    Malformed {
        /// Where reading stopped.
        part: &'static str,
    },
    /// It would expand to more than the reader allows.
    #[error("page expands to {found} bytes, {max} are allowed")]
    TooLarge {
        /// What it says it expands to.
        found: u64,
        /// What is allowed.
        max: u64,
    },
}

/// What a page says in front: where it stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    first: u64,
    count: u64,
    base_len: usize,
    target_len: usize,
}

/// A page, opened: its checksum holds and its columns are in place, none of them expanded.
///
/// # Limitations
/// What lies inside a column is checked when it is read.
#[derive(Debug, Clone)]
pub struct PackedPage<'a> {
    head: Head,
    columns: Columns<'a>,
}

impl<'a> PackedPage<'a> {
    /// How far a page may expand unless a caller says otherwise, in bytes: the text of the largest
    /// single operation a document can hold, and room to spare.
    pub const EXPANDED_BYTES_MAX: u64 = 1 << 32;

    /// Opens a page.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn open(bytes: &'a [u8]) -> Result<Self, PageError> {
        Self::open_within(bytes, Self::EXPANDED_BYTES_MAX)
    }

    /// Opens a page that must not expand to more than `expanded_bytes_max`.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn open_within(bytes: &'a [u8], expanded_bytes_max: u64) -> Result<Self, PageError> {
        let found = *bytes.first().ok_or(PageError::Malformed { part: "head" })?;
        if found != VERSION {
            return Err(PageError::Version { found, expected: VERSION });
        }
        let (body, checksum) =
            bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or(PageError::Checksum)?;
        if checksum_of(body) != *checksum {
            return Err(PageError::Checksum);
        }
        let mut reader = Reader::new(&body[1..], "head");
        let head = Head {
            first: reader.varint()?,
            count: reader.varint()?,
            base_len: reader.length()?,
            target_len: reader.length()?,
        };
        let last = head.first.checked_add(head.count);
        let is_placed = head.first > 0 && last.is_some_and(|last| last <= Revision::MAX.get() + 1);
        if !is_placed || head.count == 0 || head.count > PAGE_OPERATIONS_MAX {
            return Err(reader.malformed());
        }
        let columns = Columns::read(reader, expanded_bytes_max)?;
        Ok(PackedPage { head, columns })
    }

    /// What its columns take expanded, in bytes.
    #[must_use]
    pub fn expanded_bytes(&self) -> u64 {
        self.column_sizes().map(|(_, _, expanded)| expanded).sum()
    }

    /// The first revision that an operation of the page leads to; at least 1.
    #[must_use]
    pub fn first_revision(&self) -> Revision {
        Revision::new(self.head.first)
    }

    /// The last one.
    #[must_use]
    pub fn last_revision(&self) -> Revision {
        Revision::new(self.head.first + self.head.count - 1)
    }

    /// How many operations it holds; at least 1.
    #[must_use]
    pub fn operation_count(&self) -> u64 {
        self.head.count
    }

    /// Length of the text before its first operation, in characters.
    #[must_use]
    pub fn base_len(&self) -> usize {
        self.head.base_len
    }

    /// Length of the text behind its last operation, in characters.
    #[must_use]
    pub fn target_len(&self) -> usize {
        self.head.target_len
    }

    /// What each column is called, how many bytes it takes, and how many it expands to.
    pub fn column_sizes(&self) -> impl Iterator<Item = (&'static str, usize, u64)> + '_ {
        self.columns.sizes()
    }
}

fn checksum_of(body: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let hash = blake3::hash(body);
    *hash.as_bytes().first_chunk().expect("a hash is longer")
}

/// Puts the version in front of a page's body and the right checksum behind it, so that tests and
/// fuzzers get past both.
#[doc(hidden)]
#[must_use]
pub fn sealed_page(body: &[u8]) -> Vec<u8> {
    let mut page = vec![VERSION];
    page.extend_from_slice(body);
    let checksum = checksum_of(&page);
    page.extend_from_slice(&checksum);
    page
}
