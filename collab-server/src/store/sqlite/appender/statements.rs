//! One append: the head's compare-and-set decides, and everything else follows it.

use rusqlite::{CachedStatement, Connection, Error};

use ot_core::Revision;

use crate::revision::later;
use crate::store::error::is_sqlite_constraint;
use crate::store::record::{Append, ClientProgress, NewOperation};
use crate::store::row::integer;

/// What an append came to, if the transaction is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    Done,
    /// Nothing of it is written.
    Lost,
    /// It lost, and a part of it is written.
    LostHalfway,
}

/// The statements of an append, prepared. What does not change from row to row stays bound.
pub(super) struct Statements<'c> {
    head: CachedStatement<'c>,
    row: CachedStatement<'c>,
    progress: CachedStatement<'c>,
}

const HEAD: &str = "
    update document set revision = ?, chain = ?, len_chars = ?, updated_ms = ?
    where document_id = ? and revision = ? and chain = ? and rights_version = ?
      and deleted_ms is null";

const ROW: &str = "
    insert into operation
        (document_id, time_ms, revision, client_id, client_seq, author_id, body, chain)
    values (?, ?, ?, ?, ?, ?, ?, ?)";

/// Changes a row where the number is above the client's last and the client is the author's own.
const PROGRESS: &str = "
    insert into client_progress
        (document_id, client_id, author_id, last_seq, last_revision, submission_hash, row_hash)
    values (?, ?, ?, ?, ?, ?, ?)
    on conflict (document_id, client_id) do update set
        last_seq = excluded.last_seq,
        last_revision = excluded.last_revision,
        submission_hash = excluded.submission_hash,
        row_hash = excluded.row_hash
    where excluded.last_seq > client_progress.last_seq
      and excluded.author_id = client_progress.author_id";

impl<'c> Statements<'c> {
    pub(super) fn prepare(connection: &'c Connection) -> Result<Self, Error> {
        Ok(Statements {
            head: connection.prepare_cached(HEAD)?,
            row: connection.prepare_cached(ROW)?,
            progress: connection.prepare_cached(PROGRESS)?,
        })
    }

    /// Moves the head, adds the rows, moves the clients' progress.
    pub(super) fn append(&mut self, append: &Append) -> Result<Came, Error> {
        match self.execute(append) {
            Err(error) if is_sqlite_constraint(&error) => Ok(Came::LostHalfway),
            came => came,
        }
    }

    fn execute(&mut self, append: &Append) -> Result<Came, Error> {
        if append.operations.is_empty() {
            return Ok(Came::Done);
        }
        let document = append.document.get().to_be_bytes();
        if !self.move_head(&document, append)? {
            return Ok(Came::Lost);
        }
        self.row.raw_bind_parameter(1, document)?;
        self.row.raw_bind_parameter(2, append.time_ms)?;
        self.progress.raw_bind_parameter(1, document)?;
        for (new, count) in append.operations.iter().zip(1..) {
            let revision = later(append.base, count);
            self.insert(revision, new)?;
            if !self.move_progress(&document, revision, new)? {
                return Ok(Came::LostHalfway);
            }
        }
        Ok(Came::Done)
    }

    /// Whether the document stood where the append begins, and was to be written.
    fn move_head(&mut self, document: &[u8; 16], append: &Append) -> Result<bool, Error> {
        let Some(last) = append.operations.last() else { return Ok(true) };
        let head = later(append.base, append.operations.len());
        let moved = self.head.execute((
            integer(head.get()),
            last.chain.as_bytes(),
            integer(append.len_chars),
            append.time_ms,
            document,
            integer(append.base.get()),
            append.base_chain.as_bytes(),
            integer(append.rights_version),
        ))?;
        Ok(moved == 1)
    }

    /// Adds an operation to the log of the document that is bound.
    fn insert(&mut self, revision: Revision, new: &NewOperation) -> Result<(), Error> {
        self.row.raw_bind_parameter(3, integer(revision.get()))?;
        self.row.raw_bind_parameter(4, new.client.get().to_be_bytes())?;
        self.row.raw_bind_parameter(5, integer(new.seq.get()))?;
        self.row.raw_bind_parameter(6, new.author.as_str())?;
        self.row.raw_bind_parameter(7, new.operation.to_bytes())?;
        self.row.raw_bind_parameter(8, new.chain.as_bytes())?;
        self.row.raw_execute()?;
        Ok(())
    }

    /// Whether the client's number was above its last, and the client the author's own.
    fn move_progress(
        &mut self,
        document: &[u8; 16],
        revision: Revision,
        new: &NewOperation,
    ) -> Result<bool, Error> {
        let (author, seq, submission) = (new.author.clone(), new.seq, new.submission);
        let progress = ClientProgress { author, seq, revision, submission };
        self.progress.raw_bind_parameter(2, new.client.get().to_be_bytes())?;
        self.progress.raw_bind_parameter(3, progress.author.as_str())?;
        self.progress.raw_bind_parameter(4, integer(seq.get()))?;
        self.progress.raw_bind_parameter(5, integer(revision.get()))?;
        self.progress.raw_bind_parameter(6, submission.get().cast_signed())?;
        self.progress.raw_bind_parameter(7, progress.row_hash(document, new.client))?;
        Ok(self.progress.raw_execute()? == 1)
    }
}
