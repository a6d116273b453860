//! Documents that come in with their history.

use collab_protocol::DocumentId;
use sqlx::SqliteConnection;

use super::super::id_bytes;
use super::{Written, found, insert_document, logged, mark_opened_by_owner};
use crate::store::StoreError;
use crate::store::checks::check_text;
use crate::store::import::{HAS_TEXT, ImportBatch, ImportStep, NOT_AT_END};
use crate::store::record::NewDocument;
use crate::store::row::integer;

pub(super) async fn import(
    connection: &mut SqliteConnection,
    step: &ImportStep,
) -> Result<Written, sqlx::Error> {
    match step {
        ImportStep::Begin { new, started_ms } => begin(connection, new, *started_ms).await,
        ImportStep::Operations(batch) => take_in(connection, batch).await,
        ImportStep::Finish { document, deleted_ms } => {
            finish(connection, *document, *deleted_ms).await
        }
    }
}

async fn is_importing(
    connection: &mut SqliteConnection,
    document: DocumentId,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select exists (select 1 from document_import where document_id = ?)")
        .bind(id_bytes(document.get()))
        .fetch_one(connection)
        .await
}

async fn begin(
    connection: &mut SqliteConnection,
    new: &NewDocument,
    started_ms: i64,
) -> Result<Written, sqlx::Error> {
    if let Err(error) = check_text(&new.title) {
        return Ok(Written::Refused(error));
    }
    if !new.text.is_empty() {
        return Ok(Written::Refused(HAS_TEXT));
    }
    if is_importing(connection, new.id).await? {
        return Ok(Written::Yes);
    }
    let mut record = new.record(None);
    record.deleted_ms = Some(started_ms);
    // Another document with this id breaks the primary key.
    insert_document(connection, &record).await?;
    sqlx::query("insert into document_import (document_id, started_ms) values (?, ?)")
        .bind(id_bytes(new.id.get()))
        .bind(started_ms)
        .execute(connection)
        .await?;
    Ok(Written::Yes)
}

async fn take_in(
    connection: &mut SqliteConnection,
    batch: &ImportBatch,
) -> Result<Written, sqlx::Error> {
    let document = id_bytes(batch.document.get());
    let (revision, chain, time_ms) = match batch.operations.last() {
        Some(last) => (last.revision, Some(last.chain.as_bytes().to_vec()), Some(last.time_ms)),
        None => (batch.base, None, None),
    };
    let moved = sqlx::query(
        "update document set revision = ?, chain = coalesce(?, chain),
             updated_ms = coalesce(?, updated_ms),
             len_chars = case when ? > revision then ? else len_chars end
         where document_id = ? and revision = ?
           and exists (select 1 from document_import where document_id = document.document_id)",
    )
    .bind(integer(revision.get()))
    .bind(chain)
    .bind(time_ms)
    .bind(integer(revision.get()))
    .bind(integer(batch.len_chars))
    .bind(document.clone())
    .bind(integer(batch.base.get()))
    .execute(&mut *connection)
    .await?;
    if moved.rows_affected() != 1 {
        return Ok(Written::Refused(NOT_AT_END));
    }
    for operations in batch.operations.chunks(256) {
        logged::insert_logged(connection, &document, operations).await?;
    }
    for progress in batch.progress.chunks(256) {
        logged::put_progress(connection, &document, progress).await?;
    }
    Ok(Written::Yes)
}

async fn finish(
    connection: &mut SqliteConnection,
    document: DocumentId,
    deleted_ms: Option<i64>,
) -> Result<Written, sqlx::Error> {
    let unmarked = sqlx::query("delete from document_import where document_id = ?")
        .bind(id_bytes(document.get()))
        .execute(&mut *connection)
        .await?;
    if unmarked.rows_affected() == 0 {
        return Ok(Written::Refused(StoreError::NotFound));
    }
    let shown = sqlx::query("update document set deleted_ms = ? where document_id = ?")
        .bind(deleted_ms)
        .bind(id_bytes(document.get()))
        .execute(&mut *connection)
        .await?;
    mark_opened_by_owner(connection, document).await?;
    Ok(found(shown.rows_affected()))
}
