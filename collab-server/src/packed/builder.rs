//! Makes a page, operation by operation.

use ot_core::{DecodeError, LengthMismatch, Operation, Revision};
use thiserror::Error;

use super::columns::{self, Filled};
use super::number::write_varint;
use super::runs::RunWriter;
use super::stamps::StampWriter;
use super::{Head, PAGE_OPERATIONS_MAX, PackedPage, VERSION, checksum_of};
use crate::store::LoggedOperation;

/// Why operations do not make a page.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PackError {
    /// A page holds at least one operation.
    #[error("there is no operation to pack")]
    Empty,
    /// A page holds at most [`PAGE_OPERATIONS_MAX`].
    #[error("a page holds {PAGE_OPERATIONS_MAX} operations at most")]
    Full,
    /// The operations of a page follow each other.
    #[error("revision {found} in place of {expected}")]
    OutOfOrder {
        /// The revision that comes next.
        expected: Revision,
        /// The one that came.
        found: Revision,
    },
    /// An operation does not span the text that the one before it left.
    #[error(transparent)]
    Mismatch(#[from] LengthMismatch),
    /// An operation inserts what no document may hold.
    #[error(transparent)]
    Text(#[from] DecodeError),
}

/// Gathers operations of neighbouring revisions into the columns of a page.
#[derive(Debug, Default)]
pub struct PageBuilder {
    head: Option<Head>,
    columns: Filled,
    runs: RunWriter,
    stamps: StampWriter,
}

impl PageBuilder {
    /// A page with nothing in it yet.
    #[must_use]
    pub fn new() -> Self {
        PageBuilder::default()
    }

    /// Adds the operation that comes next. Its chain hash is not kept.
    ///
    /// # Errors
    /// [`PackError`]; the page is as before then.
    pub fn push(&mut self, logged: &LoggedOperation) -> Result<(), PackError> {
        let operation = &logged.operation;
        operation.check_text()?;
        let head = self.head.get_or_insert(Head {
            first: logged.revision.get(),
            count: 0,
            base_len: operation.base_len(),
            target_len: operation.base_len(),
        });
        check_next(head, logged.revision, operation)?;
        head.count += 1;
        head.target_len = operation.target_len();
        self.runs.push(operation, &mut self.columns);
        let (client, seq) = (logged.client, logged.seq);
        self.stamps.push(client, &logged.author, seq, logged.time_ms, &mut self.columns);
        Ok(())
    }

    /// How many operations were added.
    #[must_use]
    pub fn operation_count(&self) -> u64 {
        self.head.map_or(0, |head| head.count)
    }

    /// What the columns take before they are compressed, in bytes.
    #[must_use]
    pub fn expanded_bytes(&self) -> usize {
        self.columns.iter().map(Vec::len).sum()
    }

    /// The page.
    ///
    /// # Errors
    /// [`PackError::Empty`] when nothing was added.
    pub fn finish(mut self) -> Result<Vec<u8>, PackError> {
        let head = self.head.ok_or(PackError::Empty)?;
        self.runs.close(&mut self.columns);
        self.stamps.finish(&mut self.columns);
        let mut page = vec![VERSION];
        write_varint(head.first, &mut page);
        write_varint(head.count, &mut page);
        write_varint(head.base_len as u64, &mut page);
        write_varint(head.target_len as u64, &mut page);
        columns::write(&self.columns, head.count, &mut page);
        let checksum = checksum_of(&page);
        page.extend_from_slice(&checksum);
        Ok(page)
    }
}

fn check_next(head: &Head, found: Revision, operation: &Operation) -> Result<(), PackError> {
    let expected = Revision::new(head.first + head.count);
    if found != expected || found == Revision::ZERO {
        return Err(PackError::OutOfOrder { expected, found });
    }
    if head.count == PAGE_OPERATIONS_MAX {
        return Err(PackError::Full);
    }
    if operation.base_len() != head.target_len {
        let (expected, found) = (head.target_len, operation.base_len());
        return Err(LengthMismatch { expected, found }.into());
    }
    Ok(())
}

impl PackedPage<'_> {
    /// The page that holds these operations.
    ///
    /// # Errors
    /// [`PackError`].
    pub fn encode(operations: &[LoggedOperation]) -> Result<Vec<u8>, PackError> {
        let mut builder = PageBuilder::new();
        operations.iter().try_for_each(|logged| builder.push(logged))?;
        builder.finish()
    }
}
