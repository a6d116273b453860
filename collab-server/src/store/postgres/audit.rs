//! What only `verify` asks for: everything there is, in order.

use collab_protocol::{ClientId, DocumentId};
use ot_core::Revision;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::uuid;
use crate::store::StoreError;
use crate::store::record::ClientProgress;
use crate::store::row::{self, corrupt, id};

pub(super) async fn document_ids(
    connection: &mut PgConnection,
    after: Option<DocumentId>,
    limit: u32,
) -> Result<Vec<DocumentId>, StoreError> {
    let rows = sqlx::query(
        "select document_id from document where $1::uuid is null or document_id > $1
         order by document_id limit $2",
    )
    .bind(after.map(|after| uuid(after.get())))
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.iter().map(row::document_id).collect()
}

pub(super) async fn snapshot_revisions(
    connection: &mut PgConnection,
    document: DocumentId,
) -> Result<Vec<Revision>, StoreError> {
    let found: Vec<i64> = sqlx::query_scalar(
        "select revision from snapshot where document_id = $1 order by revision",
    )
    .bind(uuid(document.get()))
    .fetch_all(connection)
    .await?;
    let read = |at: i64| {
        let at = u64::try_from(at).map_err(|_| format!("snapshot at revision {at}"))?;
        Ok(Revision::new(at))
    };
    found.into_iter().map(|at| read(at).map_err(corrupt(document))).collect()
}

pub(super) async fn clients(
    connection: &mut PgConnection,
    document: DocumentId,
    after: Option<ClientId>,
    limit: u32,
) -> Result<Vec<(ClientId, ClientProgress)>, StoreError> {
    let rows = sqlx::query(
        "select client_id, author_id, last_seq, last_revision, submission_hash, row_hash
         from client_progress
         where document_id = $1 and ($2::uuid is null or client_id > $2)
         order by client_id limit $3",
    )
    .bind(uuid(document.get()))
    .bind(after.map(|after| uuid(after.get())))
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    let mut found = Vec::new();
    for read in rows {
        let client = id(&read, "client_id").map_err(corrupt(document))?;
        let client = ClientId::new(client);
        found.push((client, row::progress(document, client, &read)?));
    }
    Ok(found)
}

/// Tables whose rows belong to a document.
const OF_DOCUMENTS: [&str; 7] = [
    "operation",
    "snapshot",
    "client_progress",
    "packed_page",
    "document_opened",
    "version",
    "document_seen",
];

pub(super) async fn orphans(
    connection: &mut PgConnection,
    limit: u32,
) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    for table in OF_DOCUMENTS {
        let sql = format!(
            "select replace(document_id::text, '-', '') as id, count(*) as rows from {table} as part
             where not exists (select from document
                 where document.document_id = part.document_id)
             group by document_id limit $1"
        );
        let query = sqlx::query(AssertSqlSafe(sql)).bind(i64::from(limit));
        for row in query.fetch_all(&mut *connection).await? {
            let (id, rows): (String, i64) = (row.try_get("id")?, row.try_get("rows")?);
            found.push(format!("{table} has {rows} rows of document {id}, which is not there"));
        }
    }
    let lost = sqlx::query(
        "select replace(document_id::text, '-', '') as id, last_revision from packed_client as part
         where not exists (select from packed_page as page
             where page.document_id = part.document_id and page.last_revision = part.last_revision)
         limit $1",
    )
    .bind(i64::from(limit));
    for row in lost.fetch_all(&mut *connection).await? {
        let (id, last): (String, i64) = (row.try_get("id")?, row.try_get("last_revision")?);
        found.push(format!(
            "packed_client has a row of document {id} for a page that ends at {last}, which is not there"
        ));
    }
    let packed_twice = sqlx::query(
        "select replace(part.document_id::text, '-', '') as id, count(*) as rows
         from operation as part
         where part.revision <= (select max(last_revision) from packed_page as page
             where page.document_id = part.document_id)
         group by part.document_id limit $1",
    )
    .bind(i64::from(limit));
    for row in packed_twice.fetch_all(connection).await? {
        let (id, rows): (String, i64) = (row.try_get("id")?, row.try_get("rows")?);
        found.push(format!("operation has {rows} rows of document {id} that are packed as well"));
    }
    found.truncate(limit as usize);
    Ok(found)
}
