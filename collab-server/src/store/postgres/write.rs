//! The writes other than appends, each on a connection of the pool and all or nothing.

use collab_protocol::{DocumentId, UserId};
use sqlx::{Connection, PgConnection};

use super::uuid;
use crate::rights::RightsChange;
use crate::store::StoreError;
use crate::store::checks::check_text;
use crate::store::error::is_constraint;
use crate::store::record::{
    CHANGE_UNFIT, ClientProgress, DocumentRecord, LoggedOperation, NewDocument, PersonRecord,
    Snapshot,
};
use crate::store::row::integer;
use crate::store::sql::{self, head, insert_snapshot};

pub(super) async fn snapshot(
    connection: &mut PgConnection,
    document: DocumentId,
    snapshot: Snapshot,
) -> Result<(), StoreError> {
    check_text(&snapshot.text)?;
    let mut transaction = connection.begin().await?;
    let head = head(&mut *transaction, document).await?.ok_or(StoreError::NotFound)?;
    snapshot.check_reached(document, head)?;
    insert_snapshot(&mut *transaction, document, &snapshot).await?;
    Ok(transaction.commit().await?)
}

pub(super) async fn create(
    connection: &mut PgConnection,
    new: NewDocument,
) -> Result<(), StoreError> {
    check_text(&new.title)?;
    let first = new.first_operation()?;
    let record = new.record(first.as_ref());
    let mut transaction = connection.begin().await?;
    if !insert_document(&mut transaction, &record).await? {
        return Err(StoreError::AlreadyExists);
    }
    if let Some(first) = &first {
        insert_first(&mut transaction, record.id, first).await?;
    }
    mark_opened(&mut transaction, record.id, record.owner, record.created_ms).await?;
    Ok(transaction.commit().await?)
}

/// Whether there was room for it: no document with its id.
pub(super) async fn insert_document(
    connection: &mut PgConnection,
    record: &DocumentRecord,
) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query(
        "insert into document (document_id, title, title_search, tenant_id, owner_id, link,
             rights_version, epoch, text_key, revision, chain, len_chars, created_ms, updated_ms,
             deleted_ms)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         on conflict (document_id) do nothing",
    )
    .bind(uuid(record.id.get()))
    .bind(&record.title)
    .bind(record.title.to_lowercase())
    .bind(record.tenant.as_str())
    .bind(record.owner.as_str())
    .bind(record.link.as_str())
    .bind(integer(record.rights_version))
    .bind(uuid(record.epoch.get()))
    .bind(record.text_key.as_bytes().to_vec())
    .bind(integer(record.revision.get()))
    .bind(record.chain.as_bytes().to_vec())
    .bind(integer(record.len_chars))
    .bind(record.created_ms)
    .bind(record.updated_ms)
    .bind(record.deleted_ms)
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Operations with all that was noted when they were committed.
pub(super) async fn insert_logged(
    connection: &mut PgConnection,
    document: DocumentId,
    operations: &[LoggedOperation],
) -> Result<(), sqlx::Error> {
    let numbers =
        |value: fn(&LoggedOperation) -> i64| -> Vec<i64> { operations.iter().map(value).collect() };
    let blobs = |value: fn(&LoggedOperation) -> Vec<u8>| -> Vec<Vec<u8>> {
        operations.iter().map(value).collect()
    };
    sqlx::query(
        "insert into operation (document_id, revision, client_id, client_seq, author_id, time_ms,
             body, chain)
         select $1, * from unnest($2::bigint[], $3::uuid[], $4::bigint[], $5::text[], $6::bigint[],
                                  $7::bytea[], $8::bytea[])",
    )
    .bind(uuid(document.get()))
    .bind(numbers(|logged| integer(logged.revision.get())))
    .bind(operations.iter().map(|logged| uuid(logged.client.get())).collect::<Vec<_>>())
    .bind(numbers(|logged| integer(logged.seq.get())))
    .bind(operations.iter().map(|logged| logged.author.as_str()).collect::<Vec<_>>())
    .bind(numbers(|logged| logged.time_ms))
    .bind(blobs(|logged| logged.operation.to_bytes()))
    .bind(blobs(|logged| logged.chain.as_bytes().to_vec()))
    .execute(connection)
    .await?;
    Ok(())
}

/// The operation that a document is created with, and its client's progress.
async fn insert_first(
    connection: &mut PgConnection,
    document: DocumentId,
    first: &LoggedOperation,
) -> Result<(), StoreError> {
    insert_logged(connection, document, std::slice::from_ref(first)).await?;
    let progress = ClientProgress::of_first(first);
    sqlx::query(
        "insert into client_progress (document_id, client_id, author_id, last_seq, last_revision,
             submission_hash, row_hash)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(uuid(document.get()))
    .bind(uuid(first.client.get()))
    .bind(progress.author.as_str())
    .bind(integer(progress.seq.get()))
    .bind(integer(progress.revision.get()))
    .bind(progress.submission.get().cast_signed())
    .bind(progress.row_hash(&document.get().to_be_bytes(), first.client).to_vec())
    .execute(connection)
    .await?;
    Ok(())
}

/// Found, unless no row was touched.
pub(super) fn found(touched: u64) -> Result<(), StoreError> {
    if touched == 0 { Err(StoreError::NotFound) } else { Ok(()) }
}

pub(super) async fn rename(
    connection: &mut PgConnection,
    document: DocumentId,
    title: String,
    now_ms: i64,
) -> Result<(), StoreError> {
    check_text(&title)?;
    let renamed = sqlx::query(
        "update document set title = $1, title_search = $2, updated_ms = $3
         where document_id = $4",
    )
    .bind(&title)
    .bind(title.to_lowercase())
    .bind(now_ms)
    .bind(uuid(document.get()))
    .execute(connection)
    .await?;
    found(renamed.rows_affected())
}

pub(super) async fn set_deleted(
    connection: &mut PgConnection,
    document: DocumentId,
    deleted_ms: Option<i64>,
) -> Result<(), StoreError> {
    let changed = sqlx::query(
        "update document
         set deleted_ms = case when $1::bigint is not null then coalesce(deleted_ms, $1) end
         where document_id = $2
           and ($1 is not null or not exists (select from document_import as import
                                              where import.document_id = document.document_id))",
    )
    .bind(deleted_ms)
    .bind(uuid(document.get()))
    .execute(connection)
    .await?;
    found(changed.rows_affected())
}

pub(super) async fn mark_opened(
    connection: &mut PgConnection,
    document: DocumentId,
    person: UserId,
    now_ms: i64,
) -> Result<(), StoreError> {
    let opened = sqlx::query(
        "insert into document_opened (person_id, document_id, opened_ms) values ($1, $2, $3)
         on conflict (person_id, document_id) do update set opened_ms = excluded.opened_ms",
    )
    .bind(person.as_str())
    .bind(uuid(document.get()))
    .bind(now_ms)
    .execute(connection)
    .await;
    match opened {
        Ok(_) => Ok(()),
        Err(error) if is_constraint(&error) => Err(StoreError::NotFound),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn change_rights(
    connection: &mut PgConnection,
    document: DocumentId,
    change: RightsChange,
    now_ms: i64,
) -> Result<u64, StoreError> {
    let mut transaction = connection.begin().await?;
    if let Some(version) = sql::change_rights(&mut *transaction, document, &change, now_ms).await? {
        // A message that is being added was accepted before; the next one sees the change.
        sql::lock_chat(&mut *transaction, document).await?;
        transaction.commit().await?;
        return Ok(version);
    }
    let is_there = head(&mut *transaction, document).await?.is_some();
    transaction.rollback().await?;
    Err(if is_there { CHANGE_UNFIT } else { StoreError::NotFound })
}

pub(super) async fn put_person(
    connection: &mut PgConnection,
    person: PersonRecord,
) -> Result<(), StoreError> {
    check_text(&person.name)?;
    sqlx::query(
        "insert into person (person_id, name, color, created_ms) values ($1, $2, $3, $4)
         on conflict (person_id) do update set
             name = excluded.name,
             color = excluded.color,
             created_ms = least(person.created_ms, excluded.created_ms)",
    )
    .bind(person.id.as_str())
    .bind(&person.name)
    .bind(i64::from(person.color))
    .bind(person.created_ms)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn setting_or_insert(
    connection: &mut PgConnection,
    name: &'static str,
    value: Vec<u8>,
) -> Result<Vec<u8>, StoreError> {
    sqlx::query("insert into setting (name, value) values ($1, $2) on conflict (name) do nothing")
        .bind(name)
        .bind(value)
        .execute(&mut *connection)
        .await?;
    // A statement of its own, which sees what another server stored meanwhile.
    let stored = sqlx::query_scalar("select value from setting where name = $1").bind(name);
    Ok(stored.fetch_one(connection).await?)
}
