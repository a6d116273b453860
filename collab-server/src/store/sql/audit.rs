//! What only `verify` asks for: everything there is, in order.

use std::fmt::Write;

use collab_protocol::{ClientId, DocumentId};
use ot_core::Revision;
use sqlx::AssertSqlSafe;

use super::{Sql, Value};
use crate::store::StoreError;
use crate::store::record::ClientProgress;
use crate::store::row::{self, Columns, corrupt};

/// The first id behind `after`; `None` when it was the last that there can be.
fn behind(after: Option<u128>) -> Option<Value> {
    after.map_or(Some(0), |after| after.checked_add(1)).map(Value::Id)
}

pub(in crate::store) async fn document_ids(
    connection: &mut impl Sql,
    after: Option<DocumentId>,
    limit: u32,
) -> Result<Vec<DocumentId>, StoreError> {
    let Some(first) = behind(after.map(DocumentId::get)) else { return Ok(Vec::new()) };
    let sql = "select document_id from document where document_id >= $1
               order by document_id limit $2";
    let rows = connection.rows(sql, [first, i64::from(limit).into()]).await?;
    rows.iter().map(row::document_id).collect()
}

pub(in crate::store) async fn snapshot_revisions(
    connection: &mut impl Sql,
    document: DocumentId,
) -> Result<Vec<Revision>, StoreError> {
    let sql = "select revision from snapshot where document_id = $1 order by revision";
    let rows = connection.rows(sql, [document.into()]).await?;
    row::each(document, &rows, |row| row::revision(row, "revision"))
}

pub(in crate::store) async fn clients(
    connection: &mut impl Sql,
    document: DocumentId,
    after: Option<ClientId>,
    limit: u32,
) -> Result<Vec<(ClientId, ClientProgress)>, StoreError> {
    let Some(first) = behind(after.map(ClientId::get)) else { return Ok(Vec::new()) };
    let sql = "select client_id, author_id, last_seq, last_revision, submission_hash, row_hash
               from client_progress where document_id = $1 and client_id >= $2
               order by client_id limit $3";
    let rows = connection.rows(sql, [document.into(), first, i64::from(limit).into()]).await?;
    let read = |row| {
        let client = ClientId::new(row::id(row, "client_id").map_err(corrupt(document))?);
        Ok((client, row::progress(document, client, row)?))
    };
    rows.iter().map(read).collect()
}

/// A walk over a whole table in search of rows that belong to nothing.
#[derive(Clone, Copy)]
pub(in crate::store) enum Scan {
    /// Rows of a table whose document is not there.
    Of(&'static str),
    /// Clients of a page that is not there.
    Clients,
    /// Rows of revisions that are in a page too.
    PackedTwice,
}

impl Scan {
    /// Every one there is.
    pub(in crate::store) const ALL: [Scan; 10] = [
        Scan::Of("operation"),
        Scan::Of("snapshot"),
        Scan::Of("client_progress"),
        Scan::Of("packed_page"),
        Scan::Of("document_opened"),
        Scan::Of("version"),
        Scan::Of("document_seen"),
        Scan::Of("document_member"),
        Scan::Clients,
        Scan::PackedTwice,
    ];

    fn sql(self) -> String {
        match self {
            Scan::Of(table) => format!(
                "select document_id, count(*) as number from {table} as part
                 where not exists (select 1 from document
                     where document.document_id = part.document_id)
                 group by document_id limit $1"
            ),
            Scan::Clients => {
                "select document_id, last_revision as number from packed_client as part
                 where not exists (select 1 from packed_page as page
                     where page.document_id = part.document_id
                       and page.last_revision = part.last_revision)
                 limit $1"
                    .to_owned()
            }
            Scan::PackedTwice => "select document_id, count(*) as number from operation as part
                 where revision <= (select max(last_revision) from packed_page as page
                     where page.document_id = part.document_id)
                 group by document_id limit $1"
                .to_owned(),
        }
    }

    fn sentence(self, id: &str, number: i64) -> String {
        match self {
            Scan::Of(table) => {
                format!("{table} has {number} rows of document {id}, which is not there")
            }
            Scan::Clients => format!(
                "packed_client has a row of document {id} for a page that ends at {number}, which \
                 is not there"
            ),
            Scan::PackedTwice => {
                format!("operation has {number} rows of document {id} that are packed as well")
            }
        }
    }
}

/// What one scan finds, as sentences.
pub(in crate::store) async fn orphans(
    connection: &mut impl Sql,
    scan: Scan,
    limit: u32,
) -> Result<Vec<String>, StoreError> {
    let rows = connection.rows(AssertSqlSafe(scan.sql()), [i64::from(limit).into()]).await?;
    rows.iter().map(|row| read_orphan(scan, row).map_err(StoreError::unavailable)).collect()
}

fn read_orphan(scan: Scan, row: &impl Columns) -> Result<String, String> {
    // Of a damaged row it need not be an id.
    let mut id = String::new();
    for byte in row.bytes("document_id")? {
        write!(id, "{byte:02x}").map_err(|error| error.to_string())?;
    }
    Ok(scan.sentence(&id, row.integer("number")?))
}
