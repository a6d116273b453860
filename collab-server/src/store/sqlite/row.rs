//! Rows as the types they stand for. A value that cannot be one makes the document corrupt.

use collab_protocol::{ClientId, DocumentId, Epoch, UserId};
use ot_core::{ClientSeq, Limits, Operation, Revision};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::document::SubmissionHash;
use crate::store::record::{
    ClientProgress, DocumentRecord, LoggedOperation, PersonRecord, Snapshot,
};
use crate::store::{ChainHash, StoreError, TextKey};

/// The columns that [`document`] reads.
pub(super) const DOCUMENT: &str = "document_id, title, owner_id, epoch, text_key, revision, \
                                   chain, len_chars, created_ms, updated_ms, deleted_ms";

/// The columns that [`operation`] reads.
pub(super) const OPERATION: &str =
    "revision, client_id, client_seq, author_id, time_ms, body, chain";

pub(super) fn id_bytes(id: u128) -> Vec<u8> {
    id.to_be_bytes().to_vec()
}

/// A count or number as SQLite holds it. None here comes near 2^63.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).expect("numbers on the wire and counts in memory are below 2^63")
}

pub(super) fn unsigned(row: &SqliteRow, column: &str) -> Result<u64, String> {
    let value: i64 = row.try_get(column).map_err(|error| error.to_string())?;
    u64::try_from(value).map_err(|_| format!("{column} is {value}"))
}

pub(super) fn bytes<const N: usize>(row: &SqliteRow, column: &str) -> Result<[u8; N], String> {
    let value: &[u8] = row.try_get(column).map_err(|error| error.to_string())?;
    value.try_into().map_err(|_| format!("{column} has {} bytes", value.len()))
}

pub(super) fn id(row: &SqliteRow, column: &str) -> Result<u128, String> {
    bytes(row, column).map(u128::from_be_bytes)
}

pub(super) fn user(row: &SqliteRow, column: &str) -> Result<UserId, String> {
    let value: &str = row.try_get(column).map_err(|error| error.to_string())?;
    value.parse().map_err(|error| format!("{column}: {error}"))
}

pub(super) fn value<'r, T>(row: &'r SqliteRow, column: &str) -> Result<T, String>
where
    T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    row.try_get(column).map_err(|error| error.to_string())
}

pub(super) fn corrupt(document: DocumentId) -> impl FnOnce(String) -> StoreError {
    move |reason| StoreError::Corrupt { document, reason }
}

pub(super) fn document_id(row: &SqliteRow) -> Result<DocumentId, StoreError> {
    id(row, "document_id").map(DocumentId::new).map_err(StoreError::unavailable)
}

pub(super) fn document(row: &SqliteRow) -> Result<DocumentRecord, StoreError> {
    let document = document_id(row)?;
    let read = || {
        Ok(DocumentRecord {
            id: document,
            title: value(row, "title")?,
            owner: user(row, "owner_id")?,
            epoch: Epoch::new(id(row, "epoch")?),
            text_key: TextKey::from_bytes(bytes(row, "text_key")?),
            revision: Revision::new(unsigned(row, "revision")?),
            chain: ChainHash::from_bytes(bytes(row, "chain")?),
            len_chars: unsigned(row, "len_chars")?,
            created_ms: value(row, "created_ms")?,
            updated_ms: value(row, "updated_ms")?,
            deleted_ms: value(row, "deleted_ms")?,
        })
    };
    read().map_err(corrupt(document))
}

pub(super) fn operation(
    document: DocumentId,
    row: &SqliteRow,
) -> Result<LoggedOperation, StoreError> {
    let read = || {
        let revision = Revision::new(unsigned(row, "revision")?);
        let operation = Operation::from_bytes(value(row, "body")?, &Limits::NONE)
            .map_err(|error| format!("operation {revision}: {error}"))?;
        Ok(LoggedOperation {
            revision,
            client: ClientId::new(id(row, "client_id")?),
            seq: ClientSeq::new(unsigned(row, "client_seq")?),
            author: user(row, "author_id")?,
            time_ms: value(row, "time_ms")?,
            operation,
            chain: ChainHash::from_bytes(bytes(row, "chain")?),
        })
    };
    read().map_err(corrupt(document))
}

pub(super) fn snapshot(document: DocumentId, row: &SqliteRow) -> Result<Snapshot, StoreError> {
    let read = || {
        let revision = Revision::new(unsigned(row, "revision")?);
        let text: &str = value(row, "body")?;
        if blake3::hash(text.as_bytes()).as_bytes() != &bytes::<32>(row, "body_hash")? {
            return Err(format!("snapshot at revision {revision} does not have its hash"));
        }
        Ok(Snapshot {
            revision,
            text: text.into(),
            chain: ChainHash::from_bytes(bytes(row, "chain")?),
            time_ms: value(row, "time_ms")?,
        })
    };
    read().map_err(corrupt(document))
}

pub(super) fn progress(
    document: DocumentId,
    row: &SqliteRow,
) -> Result<ClientProgress, StoreError> {
    let read = || {
        Ok(ClientProgress {
            author: user(row, "author_id")?,
            seq: ClientSeq::new(unsigned(row, "last_seq")?),
            revision: Revision::new(unsigned(row, "last_revision")?),
            submission: SubmissionHash::new(value::<i64>(row, "submission_hash")?.cast_unsigned()),
        })
    };
    read().map_err(corrupt(document))
}

pub(super) fn person(row: &SqliteRow) -> Result<PersonRecord, StoreError> {
    let read = || {
        let color = unsigned(row, "color")?;
        Ok(PersonRecord {
            id: user(row, "person_id")?,
            name: value(row, "name")?,
            color: u8::try_from(color).map_err(|_| format!("color is {color}"))?,
            created_ms: value(row, "created_ms")?,
        })
    };
    read().map_err(|reason: String| StoreError::unavailable(reason))
}
