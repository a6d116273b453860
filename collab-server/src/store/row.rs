//! Rows of any database as the types they stand for. A value that cannot be one makes the document
//! corrupt.

use collab_protocol::{ClientId, DocumentId, Epoch, GivenRole, LinkAccess, TenantId, UserId};
use ot_core::{ClientSeq, Limits, Operation, Revision};
use sqlx::Row;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use super::record::{ClientProgress, DocumentRecord, LoggedOperation, PersonRecord, Snapshot};
use super::{ChainHash, StoreError, TextKey};
use crate::document::SubmissionHash;

/// The columns that [`document`] reads.
pub(super) const DOCUMENT: &str = "document_id, title, tenant_id, owner_id, link, rights_version, \
     epoch, text_key, revision, chain, len_chars, created_ms, updated_ms, deleted_ms";

/// The columns that [`operation`] reads.
pub(super) const OPERATION: &str =
    "revision, client_id, client_seq, author_id, time_ms, body, chain";

/// A count or number as databases hold it. None here comes near 2^63.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).expect("numbers on the wire and counts in memory are below 2^63")
}

/// Reads a row's columns as the few kinds of value that are stored. The error says what is wrong.
pub(super) trait Columns {
    fn integer(&self, column: &str) -> Result<i64, String>;
    fn optional_integer(&self, column: &str) -> Result<Option<i64>, String>;
    fn text(&self, column: &str) -> Result<&str, String>;
    fn optional_text(&self, column: &str) -> Result<Option<&str>, String>;
    /// The value as it is stored: of a `blob`, a `bytea` or a `uuid`.
    fn bytes(&self, column: &str) -> Result<&[u8], String>;
    fn optional_bytes(&self, column: &str) -> Result<Option<&[u8]>, String>;
}

macro_rules! columns_of {
    ($row:ty) => {
        impl Columns for $row {
            fn integer(&self, column: &str) -> Result<i64, String> {
                self.try_get(column).map_err(|error| error.to_string())
            }

            fn optional_integer(&self, column: &str) -> Result<Option<i64>, String> {
                self.try_get(column).map_err(|error| error.to_string())
            }

            fn text(&self, column: &str) -> Result<&str, String> {
                self.try_get(column).map_err(|error| error.to_string())
            }

            fn optional_text(&self, column: &str) -> Result<Option<&str>, String> {
                self.try_get(column).map_err(|error| error.to_string())
            }

            fn bytes(&self, column: &str) -> Result<&[u8], String> {
                // Unchecked, since a `uuid` is bytes too.
                self.try_get_unchecked(column).map_err(|error| error.to_string())
            }

            fn optional_bytes(&self, column: &str) -> Result<Option<&[u8]>, String> {
                self.try_get(column).map_err(|error| error.to_string())
            }
        }
    };
}

columns_of!(SqliteRow);
columns_of!(PgRow);

pub(super) fn unsigned(row: &impl Columns, column: &str) -> Result<u64, String> {
    let value = row.integer(column)?;
    u64::try_from(value).map_err(|_| format!("{column} is {value}"))
}

pub(super) fn bytes<const N: usize>(row: &impl Columns, column: &str) -> Result<[u8; N], String> {
    let value = row.bytes(column)?;
    value.try_into().map_err(|_| format!("{column} has {} bytes", value.len()))
}

pub(super) fn id(row: &impl Columns, column: &str) -> Result<u128, String> {
    bytes(row, column).map(u128::from_be_bytes)
}

pub(super) fn user(row: &impl Columns, column: &str) -> Result<UserId, String> {
    row.text(column)?.parse().map_err(|error| format!("{column}: {error}"))
}

pub(super) fn tenant(row: &impl Columns) -> Result<TenantId, String> {
    row.text("tenant_id")?.parse().map_err(|error| format!("tenant_id: {error}"))
}

pub(super) fn link(row: &impl Columns) -> Result<LinkAccess, String> {
    row.text("link")?.parse().map_err(|error| format!("link: {error}"))
}

pub(super) fn given(row: &impl Columns) -> Result<GivenRole, String> {
    row.text("role")?.parse().map_err(|error| format!("role: {error}"))
}

/// What was given by name, where a row was joined that says so.
pub(super) fn optional_given(row: &impl Columns) -> Result<Option<GivenRole>, String> {
    let role = row.optional_text("role")?;
    role.map(|role| role.parse().map_err(|error| format!("role: {error}"))).transpose()
}

pub(super) fn revision(row: &impl Columns, column: &str) -> Result<Revision, String> {
    unsigned(row, column).map(Revision::new)
}

/// Reads every row of a document.
pub(super) fn each<R: Columns, T>(
    document: DocumentId,
    rows: &[R],
    mut read: impl FnMut(&R) -> Result<T, String>,
) -> Result<Vec<T>, StoreError> {
    rows.iter().map(|row| read(row).map_err(corrupt(document))).collect()
}

pub(super) fn corrupt(document: DocumentId) -> impl FnOnce(String) -> StoreError {
    move |reason| StoreError::Corrupt { document, reason }
}

pub(super) fn document_id(row: &impl Columns) -> Result<DocumentId, StoreError> {
    id(row, "document_id").map(DocumentId::new).map_err(StoreError::unavailable)
}

pub(super) fn document(row: &impl Columns) -> Result<DocumentRecord, StoreError> {
    let document = document_id(row)?;
    let read = || {
        Ok(DocumentRecord {
            id: document,
            title: row.text("title")?.to_owned(),
            tenant: tenant(row)?,
            owner: user(row, "owner_id")?,
            link: link(row)?,
            rights_version: unsigned(row, "rights_version")?,
            epoch: Epoch::new(id(row, "epoch")?),
            text_key: TextKey::from_bytes(bytes(row, "text_key")?),
            revision: revision(row, "revision")?,
            chain: ChainHash::from_bytes(bytes(row, "chain")?),
            len_chars: unsigned(row, "len_chars")?,
            created_ms: row.integer("created_ms")?,
            updated_ms: row.integer("updated_ms")?,
            deleted_ms: row.optional_integer("deleted_ms")?,
        })
    };
    read().map_err(corrupt(document))
}

pub(super) fn operation(
    document: DocumentId,
    row: &impl Columns,
) -> Result<LoggedOperation, StoreError> {
    let read = || {
        let revision = revision(row, "revision")?;
        let operation = Operation::from_bytes(row.bytes("body")?, &Limits::NONE)
            .map_err(|error| format!("operation {revision}: {error}"))?;
        Ok(LoggedOperation {
            revision,
            client: ClientId::new(id(row, "client_id")?),
            seq: ClientSeq::new(unsigned(row, "client_seq")?),
            author: user(row, "author_id")?,
            time_ms: row.integer("time_ms")?,
            operation,
            chain: ChainHash::from_bytes(bytes(row, "chain")?),
        })
    };
    read().map_err(corrupt(document))
}

pub(super) fn snapshot(document: DocumentId, row: &impl Columns) -> Result<Snapshot, StoreError> {
    let read = || {
        let revision = revision(row, "revision")?;
        let text = row.text("body")?;
        if blake3::hash(text.as_bytes()).as_bytes() != &bytes::<32>(row, "body_hash")? {
            return Err(format!("snapshot at revision {revision} does not have its hash"));
        }
        let snapshot = Snapshot {
            revision,
            text: text.into(),
            chain: ChainHash::from_bytes(bytes(row, "chain")?),
            time_ms: row.integer("time_ms")?,
        };
        check_hash(row, &snapshot.row_hash(&document.get().to_be_bytes()))
            .map_err(|_| format!("snapshot at revision {revision} is not as written"))?;
        Ok(snapshot)
    };
    read().map_err(corrupt(document))
}

/// Refuses a row that has a hash and it is another one. Rows of old have none.
fn check_hash(row: &impl Columns, expected: &[u8]) -> Result<(), String> {
    match row.optional_bytes("row_hash")? {
        Some(found) if found != expected => Err("another row hash".to_owned()),
        _ => Ok(()),
    }
}

pub(super) fn progress(
    document: DocumentId,
    client: ClientId,
    row: &impl Columns,
) -> Result<ClientProgress, StoreError> {
    let read = || {
        let progress = ClientProgress {
            author: user(row, "author_id")?,
            seq: ClientSeq::new(unsigned(row, "last_seq")?),
            revision: revision(row, "last_revision")?,
            submission: SubmissionHash::new(row.integer("submission_hash")?.cast_unsigned()),
        };
        check_hash(row, &progress.row_hash(&document.get().to_be_bytes(), client))
            .map_err(|_| format!("what is noted of client {client} is not as written"))?;
        Ok(progress)
    };
    read().map_err(corrupt(document))
}

pub(super) fn person(row: &impl Columns) -> Result<PersonRecord, StoreError> {
    let read = || {
        let color = unsigned(row, "color")?;
        Ok(PersonRecord {
            id: user(row, "person_id")?,
            name: row.text("name")?.to_owned(),
            color: u8::try_from(color).map_err(|_| format!("color is {color}"))?,
            created_ms: row.integer("created_ms")?,
        })
    };
    read().map_err(|reason: String| StoreError::unavailable(reason))
}
