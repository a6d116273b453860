//! The queries. Each runs on one reading connection; what must fit together is read in one
//! transaction, which sees one moment of the database.

use collab_protocol::{ClientId, DocumentId, UserId};
use ot_core::{ClientSeq, Revision};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{QueryBuilder, Row, SqliteConnection};

use super::id_bytes;
use super::packed;
use crate::revision::between;
use crate::store::StoreError;
use crate::store::checks::{check_dense, check_loaded};
use crate::store::packed::Gathering;
use crate::store::record::{
    ClientProgress, DocumentCursor, DocumentPage, DocumentRecord, ListQuery, ListedDocument,
    Loaded, LoggedOperation, PageLimit, PersonRecord, Snapshot, TailPage,
};
use crate::store::row::{self, integer};

pub(super) async fn load(readers: SqlitePool, document: DocumentId) -> Result<Loaded, StoreError> {
    let mut moment = readers.begin().await?;
    let record = record(&mut moment, document).await?;
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
    let authors = people_with(&mut moment, &ids).await?;
    Ok(Loaded { record, snapshot, tail, authors })
}

pub(super) async fn document(
    readers: SqlitePool,
    document: DocumentId,
) -> Result<DocumentRecord, StoreError> {
    let mut connection = readers.acquire().await?;
    record(&mut connection, document).await
}

pub(super) async fn record(
    connection: &mut SqliteConnection,
    document: DocumentId,
) -> Result<DocumentRecord, StoreError> {
    let mut query = QueryBuilder::new("select ");
    query.push(row::DOCUMENT).push(" from document where document_id = ");
    query.push_bind(id_bytes(document.get()));
    row::document(&query.build().fetch_one(connection).await?)
}

async fn newest_snapshot(
    connection: &mut SqliteConnection,
    document: DocumentId,
) -> Result<Option<Snapshot>, StoreError> {
    let found = sqlx::query(
        "select revision, body, body_hash, chain, time_ms, row_hash from snapshot
         where document_id = ? order by revision desc limit 1",
    )
    .bind(id_bytes(document.get()))
    .fetch_optional(connection)
    .await?;
    found.map(|found| row::snapshot(document, &found)).transpose()
}

async fn operation_rows(
    connection: &mut SqliteConnection,
    document: DocumentId,
    after: Revision,
    limit: usize,
) -> Result<Vec<SqliteRow>, StoreError> {
    let mut query = QueryBuilder::new("select ");
    query.push(row::OPERATION).push(" from operation where document_id = ");
    query.push_bind(id_bytes(document.get())).push(" and revision > ");
    query.push_bind(integer(after.get())).push(" order by revision limit ");
    query.push_bind(integer(limit as u64));
    Ok(query.build().fetch_all(connection).await?)
}

/// Reads a log behind `after`, first what is packed and then the rows, as far as `limit` allows.
async fn log_behind(
    moment: &mut SqliteConnection,
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
    readers: SqlitePool,
    document: DocumentId,
    after: Revision,
    page: PageLimit,
) -> Result<TailPage, StoreError> {
    let mut moment = readers.begin().await?;
    let record = record(&mut moment, document).await?;
    let operations = log_behind(&mut moment, &record, after, page).await?;
    check_dense(document, after, &operations)?;
    let is_deleted = record.deleted_ms.is_some();
    Ok(TailPage { operations, head: record.revision, is_deleted })
}

pub(super) async fn find_submission(
    readers: SqlitePool,
    document: DocumentId,
    client: ClientId,
    seq: ClientSeq,
) -> Result<Option<Revision>, StoreError> {
    let mut moment = readers.begin().await?;
    let found: Option<i64> = sqlx::query_scalar(
        "select revision from operation
         where document_id = ? and client_id = ? and client_seq = ?",
    )
    .bind(id_bytes(document.get()))
    .bind(id_bytes(client.get()))
    .bind(integer(seq.get()))
    .fetch_optional(&mut *moment)
    .await?;
    match found {
        Some(revision) => Ok(Some(Revision::new(revision.cast_unsigned()))),
        None => packed::find_submission(&mut moment, document, client, seq).await,
    }
}

pub(super) async fn progress(
    readers: SqlitePool,
    document: DocumentId,
    client: ClientId,
) -> Result<Option<ClientProgress>, StoreError> {
    let found = sqlx::query(
        "select author_id, last_seq, last_revision, submission_hash, row_hash
         from client_progress
         where document_id = ? and client_id = ?",
    )
    .bind(id_bytes(document.get()))
    .bind(id_bytes(client.get()))
    .fetch_optional(&readers)
    .await?;
    found.map(|found| row::progress(document, client, &found)).transpose()
}

pub(super) async fn list(
    readers: SqlitePool,
    query: ListQuery,
) -> Result<DocumentPage, StoreError> {
    let mut sql = QueryBuilder::new("select ");
    sql.push(row::DOCUMENT);
    sql.push(
        ", opened_ms, max(updated_ms, opened_ms) as active_ms
         from document_opened join document using (document_id)
         where person_id = ",
    );
    sql.push_bind(query.person.as_str().to_owned());
    if query.deleted {
        sql.push(" and deleted_ms is not null and owner_id = ");
        sql.push_bind(query.person.as_str().to_owned());
    } else {
        sql.push(" and deleted_ms is null");
    }
    if !query.search.is_empty() {
        sql.push(" and instr(title_search, ").push_bind(query.search.to_lowercase()).push(") > 0");
    }
    if let Some(after) = query.after {
        sql.push(" and (max(updated_ms, opened_ms), document_id) < (");
        sql.push_bind(after.active_ms).push(", ");
        sql.push_bind(id_bytes(after.document.get())).push(")");
    }
    sql.push(" order by active_ms desc, document_id desc limit ");
    sql.push_bind(i64::from(query.limit.max(1)) + 1);
    let mut found = Vec::new();
    for row in sql.build().fetch_all(&readers).await? {
        let record = row::document(&row)?;
        let active_ms = row.try_get("active_ms")?;
        let cursor = DocumentCursor { active_ms, document: record.id };
        found.push((cursor, ListedDocument { record, opened_ms: row.try_get("opened_ms")? }));
    }
    Ok(DocumentPage::of(found, query.limit))
}

pub(super) async fn people(
    readers: SqlitePool,
    ids: Vec<UserId>,
) -> Result<Vec<PersonRecord>, StoreError> {
    let mut connection = readers.acquire().await?;
    people_with(&mut connection, &ids).await
}

async fn people_with(
    connection: &mut SqliteConnection,
    ids: &[UserId],
) -> Result<Vec<PersonRecord>, StoreError> {
    let mut people = Vec::new();
    // Far below the number of values that a statement may have.
    for ids in ids.chunks(500) {
        let mut query = QueryBuilder::new(
            "select person_id, name, color, created_ms from person where person_id in (",
        );
        let mut list = query.separated(", ");
        for id in ids {
            list.push_bind(id.as_str().to_owned());
        }
        query.push(")");
        for row in query.build().fetch_all(&mut *connection).await? {
            people.push(row::person(&row)?);
        }
    }
    Ok(people)
}

pub(super) async fn setting(
    readers: SqlitePool,
    name: &'static str,
) -> Result<Vec<u8>, StoreError> {
    let value = sqlx::query_scalar("select value from setting where name = ?").bind(name);
    Ok(value.fetch_one(&readers).await?)
}

pub(super) async fn check(readers: SqlitePool) -> Result<(), StoreError> {
    sqlx::query("select 1").execute(&readers).await?;
    Ok(())
}
