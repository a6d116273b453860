//! The queries. What must fit together is read in one transaction, which sees one moment of the
//! database.

use collab_protocol::{ClientId, DocumentId, UserId};
use ot_core::{ClientSeq, Revision};
use sqlx::postgres::{PgRow, Postgres};
use sqlx::{AssertSqlSafe, Connection, PgConnection, QueryBuilder, Row, Transaction};

use super::packed;
use super::uuid;
use crate::revision::between;
use crate::store::StoreError;
use crate::store::checks::{check_dense, check_loaded};
use crate::store::packed::Gathering;
use crate::store::record::{
    ClientProgress, DocumentCursor, DocumentPage, DocumentRecord, ListQuery, ListedDocument,
    Loaded, LoggedOperation, PageLimit, PersonRecord, Snapshot, TailPage,
};
use crate::store::row::{self, integer};

/// A transaction all of whose queries see the moment of its first.
pub(super) async fn moment(
    connection: &mut PgConnection,
) -> Result<Transaction<'_, Postgres>, sqlx::Error> {
    connection.begin_with("begin isolation level repeatable read read only").await
}

pub(super) async fn load(
    connection: &mut PgConnection,
    document: DocumentId,
) -> Result<Loaded, StoreError> {
    let mut moment = moment(connection).await?;
    let record = self::document(&mut moment, document).await?;
    let snapshot = newest_snapshot(&mut moment, document).await?;
    let start = snapshot.as_ref().map_or(Revision::ZERO, |snapshot| snapshot.revision);
    // The limit takes one more than there should be, so that too many are seen.
    let limit = between(start, record.revision) + 1;
    let limit = PageLimit { operations_max: limit, bytes_max: usize::MAX };
    // Nothing of it is packed, unless the newest snapshots were lost.
    let mut tail = log_behind(&mut moment, &record, start, limit).await?;
    tail.shrink_to_fit();
    check_loaded(&record, snapshot.as_ref(), &tail)?;
    let mut ids: Vec<UserId> = tail.iter().map(|logged| logged.author.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    let authors = people(&mut moment, &ids).await?;
    moment.commit().await?;
    Ok(Loaded { record, snapshot, tail, authors })
}

pub(super) async fn document(
    connection: &mut PgConnection,
    document: DocumentId,
) -> Result<DocumentRecord, StoreError> {
    let sql = format!("select {} from document where document_id = $1", row::DOCUMENT);
    let query = sqlx::query(AssertSqlSafe(sql)).bind(uuid(document.get()));
    row::document(&query.fetch_one(connection).await?)
}

async fn newest_snapshot(
    connection: &mut PgConnection,
    document: DocumentId,
) -> Result<Option<Snapshot>, StoreError> {
    let found = sqlx::query(
        "select revision, body, body_hash, chain, time_ms, row_hash from snapshot
         where document_id = $1 order by revision desc limit 1",
    )
    .bind(uuid(document.get()))
    .fetch_optional(connection)
    .await?;
    found.map(|found| row::snapshot(document, &found)).transpose()
}

async fn operation_rows(
    connection: &mut PgConnection,
    document: DocumentId,
    after: Revision,
    limit: usize,
) -> Result<Vec<PgRow>, StoreError> {
    let sql = format!(
        "select {} from operation where document_id = $1 and revision > $2
         order by revision limit $3",
        row::OPERATION
    );
    let query = sqlx::query(AssertSqlSafe(sql))
        .bind(uuid(document.get()))
        .bind(integer(after.get()))
        .bind(integer(limit as u64));
    Ok(query.fetch_all(connection).await?)
}

/// Reads a log behind `after`, first what is packed and then the rows, as far as `limit` allows.
async fn log_behind(
    moment: &mut PgConnection,
    record: &DocumentRecord,
    after: Revision,
    limit: PageLimit,
) -> Result<Vec<LoggedOperation>, StoreError> {
    let gathering = Gathering::new(limit);
    let mut gathering =
        packed::gather(moment, record.id, &record.text_key, after, gathering).await?;
    let mut at = gathering.operations.last().map_or(after, |last| last.revision);
    // In small steps, so that a page of large operations does not read far beyond its limit.
    while gathering.room() > 0 {
        let step = gathering.room().min(256);
        let rows = operation_rows(moment, record.id, at, step).await?;
        let is_last = rows.len() < step;
        for row in rows {
            if gathering.room() == 0 {
                break;
            }
            let bytes = row.try_get::<&[u8], _>("body")?.len();
            let logged = row::operation(record.id, &row)?;
            at = logged.revision;
            gathering.push(logged, bytes);
        }
        if is_last {
            break;
        }
    }
    Ok(gathering.operations)
}

pub(super) async fn since(
    connection: &mut PgConnection,
    document: DocumentId,
    after: Revision,
    page: PageLimit,
) -> Result<TailPage, StoreError> {
    let mut moment = moment(connection).await?;
    let record = self::document(&mut moment, document).await?;
    let operations = log_behind(&mut moment, &record, after, page).await?;
    moment.commit().await?;
    check_dense(document, after, &operations)?;
    let is_deleted = record.deleted_ms.is_some();
    Ok(TailPage { operations, head: record.revision, is_deleted })
}

pub(super) async fn find_submission(
    connection: &mut PgConnection,
    document: DocumentId,
    client: ClientId,
    seq: ClientSeq,
) -> Result<Option<Revision>, StoreError> {
    let mut moment = moment(connection).await?;
    let found: Option<i64> = sqlx::query_scalar(
        "select revision from operation
         where document_id = $1 and client_id = $2 and client_seq = $3",
    )
    .bind(uuid(document.get()))
    .bind(uuid(client.get()))
    .bind(integer(seq.get()))
    .fetch_optional(&mut *moment)
    .await?;
    let found = match found {
        Some(revision) => Some(Revision::new(revision.cast_unsigned())),
        None => packed::find_submission(&mut moment, document, client, seq).await?,
    };
    moment.commit().await?;
    Ok(found)
}

pub(super) async fn progress(
    connection: &mut PgConnection,
    document: DocumentId,
    client: ClientId,
) -> Result<Option<ClientProgress>, StoreError> {
    let found = sqlx::query(
        "select author_id, last_seq, last_revision, submission_hash, row_hash
         from client_progress
         where document_id = $1 and client_id = $2",
    )
    .bind(uuid(document.get()))
    .bind(uuid(client.get()))
    .fetch_optional(connection)
    .await?;
    found.map(|found| row::progress(document, client, &found)).transpose()
}

pub(super) async fn list(
    connection: &mut PgConnection,
    query: ListQuery,
) -> Result<DocumentPage, StoreError> {
    let mut sql = QueryBuilder::<Postgres>::new("select ");
    sql.push(row::DOCUMENT);
    sql.push(
        ", opened_ms, greatest(updated_ms, opened_ms) as active_ms
         from document_opened join document using (document_id)
         where person_id = ",
    );
    sql.push_bind(query.person.as_str());
    if query.deleted {
        sql.push(" and deleted_ms is not null and owner_id = ");
        sql.push_bind(query.person.as_str());
    } else {
        sql.push(" and deleted_ms is null");
    }
    if !query.search.is_empty() {
        sql.push(" and strpos(title_search, ").push_bind(query.search.to_lowercase()).push(") > 0");
    }
    if let Some(after) = query.after {
        sql.push(" and (greatest(updated_ms, opened_ms), document_id) < (");
        sql.push_bind(after.active_ms).push(", ");
        sql.push_bind(uuid(after.document.get())).push(")");
    }
    sql.push(" order by active_ms desc, document_id desc limit ");
    sql.push_bind(i64::from(query.limit.max(1)) + 1);
    let mut found = Vec::new();
    for row in sql.build().fetch_all(connection).await? {
        let record = row::document(&row)?;
        let active_ms = row.try_get("active_ms")?;
        let cursor = DocumentCursor { active_ms, document: record.id };
        found.push((cursor, ListedDocument { record, opened_ms: row.try_get("opened_ms")? }));
    }
    Ok(DocumentPage::of(found, query.limit))
}

pub(super) async fn people(
    connection: &mut PgConnection,
    ids: &[UserId],
) -> Result<Vec<PersonRecord>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<&str> = ids.iter().map(UserId::as_str).collect();
    let found = sqlx::query(
        "select person_id, name, color, created_ms from person where person_id = any($1)",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    found.iter().map(row::person).collect()
}
