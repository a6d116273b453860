//! What only `verify` asks for: everything there is, in order.

use collab_protocol::{ClientId, DocumentId};
use ot_core::Revision;
use sqlx::sqlite::SqlitePool;
use sqlx::{QueryBuilder, Row};

use super::id_bytes;
use crate::store::StoreError;
use crate::store::record::ClientProgress;
use crate::store::row::{self, corrupt, id};

pub(super) async fn document_ids(
    readers: SqlitePool,
    after: Option<DocumentId>,
    limit: u32,
) -> Result<Vec<DocumentId>, StoreError> {
    let mut query = QueryBuilder::new("select document_id from document");
    if let Some(after) = after {
        query.push(" where document_id > ").push_bind(id_bytes(after.get()));
    }
    query.push(" order by document_id limit ").push_bind(i64::from(limit));
    let rows = query.build().fetch_all(&readers).await?;
    rows.iter().map(row::document_id).collect()
}

pub(super) async fn snapshot_revisions(
    readers: SqlitePool,
    document: DocumentId,
) -> Result<Vec<Revision>, StoreError> {
    let found: Vec<i64> =
        sqlx::query_scalar("select revision from snapshot where document_id = ? order by revision")
            .bind(id_bytes(document.get()))
            .fetch_all(&readers)
            .await?;
    let read = |at: i64| {
        let at = u64::try_from(at).map_err(|_| format!("snapshot at revision {at}"))?;
        Ok(Revision::new(at))
    };
    found.into_iter().map(|at| read(at).map_err(corrupt(document))).collect()
}

pub(super) async fn clients(
    readers: SqlitePool,
    document: DocumentId,
    after: Option<ClientId>,
    limit: u32,
) -> Result<Vec<(ClientId, ClientProgress)>, StoreError> {
    let mut query = QueryBuilder::new(
        "select client_id, author_id, last_seq, last_revision, submission_hash, row_hash
         from client_progress where document_id = ",
    );
    query.push_bind(id_bytes(document.get()));
    if let Some(after) = after {
        query.push(" and client_id > ").push_bind(id_bytes(after.get()));
    }
    query.push(" order by client_id limit ").push_bind(i64::from(limit));
    let mut found = Vec::new();
    for read in query.build().fetch_all(&readers).await? {
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

pub(super) async fn orphans(readers: SqlitePool, limit: u32) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    for table in OF_DOCUMENTS {
        let mut query =
            QueryBuilder::new("select lower(hex(document_id)) as id, count(*) as rows from ");
        query.push(table);
        query.push(
            " as part where not exists (select 1 from document
                 where document.document_id = part.document_id)
             group by document_id limit ",
        );
        query.push_bind(i64::from(limit));
        for row in query.build().fetch_all(&readers).await? {
            let (id, rows): (String, i64) = (row.try_get("id")?, row.try_get("rows")?);
            found.push(format!("{table} has {rows} rows of document {id}, which is not there"));
        }
    }
    let lost = sqlx::query(
        "select lower(hex(document_id)) as id, last_revision from packed_client as part
         where not exists (select 1 from packed_page as page
             where page.document_id = part.document_id and page.last_revision = part.last_revision)
         limit ?",
    )
    .bind(i64::from(limit));
    for row in lost.fetch_all(&readers).await? {
        let (id, last): (String, i64) = (row.try_get("id")?, row.try_get("last_revision")?);
        found.push(format!(
            "packed_client has a row of document {id} for a page that ends at {last}, which is not there"
        ));
    }
    let packed_twice = sqlx::query(
        "select lower(hex(part.document_id)) as id, count(*) as rows from operation as part
         where part.revision <= (select max(last_revision) from packed_page as page
             where page.document_id = part.document_id)
         group by part.document_id limit ?",
    )
    .bind(i64::from(limit));
    for row in packed_twice.fetch_all(&readers).await? {
        let (id, rows): (String, i64) = (row.try_get("id")?, row.try_get("rows")?);
        found.push(format!("operation has {rows} rows of document {id} that are packed as well"));
    }
    found.truncate(limit as usize);
    Ok(found)
}
