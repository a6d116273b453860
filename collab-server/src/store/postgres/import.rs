//! Documents that come in with their history.

use collab_protocol::{ClientId, DocumentId};
use sqlx::{Connection, PgConnection};

use super::uuid;
use super::write::{insert_document, insert_logged};
use crate::store::StoreError;
use crate::store::checks::check_text;
use crate::store::import::{HAS_TEXT, ImportBatch, ImportStep, NOT_AT_END};
use crate::store::record::{ClientProgress, NewDocument};
use crate::store::row::integer;

pub(super) async fn import(
    connection: &mut PgConnection,
    step: ImportStep,
) -> Result<(), StoreError> {
    match step {
        ImportStep::Begin { new, started_ms } => begin(connection, *new, started_ms).await,
        ImportStep::Operations(batch) => take_in(connection, batch).await,
        ImportStep::Finish { document, deleted_ms } => {
            finish(connection, document, deleted_ms).await
        }
    }
}

async fn begin(
    connection: &mut PgConnection,
    new: NewDocument,
    started_ms: i64,
) -> Result<(), StoreError> {
    check_text(&new.title)?;
    if !new.text.is_empty() {
        return Err(HAS_TEXT);
    }
    let mut record = new.record(None);
    record.deleted_ms = Some(started_ms);
    let mut transaction = connection.begin().await?;
    // Of several that begin at once, the others wait here and then find it begun.
    if !insert_document(&mut transaction, &record).await? {
        let is_importing: bool = sqlx::query_scalar(
            "select exists (select from document_import where document_id = $1)",
        )
        .bind(uuid(new.id.get()))
        .fetch_one(&mut *transaction)
        .await?;
        transaction.rollback().await?;
        return if is_importing { Ok(()) } else { Err(StoreError::AlreadyExists) };
    }
    sqlx::query("insert into document_import (document_id, started_ms) values ($1, $2)")
        .bind(uuid(new.id.get()))
        .bind(started_ms)
        .execute(&mut *transaction)
        .await?;
    Ok(transaction.commit().await?)
}

async fn take_in(connection: &mut PgConnection, batch: ImportBatch) -> Result<(), StoreError> {
    let (revision, chain, time_ms) = match batch.operations.last() {
        Some(last) => (last.revision, Some(last.chain.as_bytes().to_vec()), Some(last.time_ms)),
        None => (batch.base, None, None),
    };
    let mut transaction = connection.begin().await?;
    let moved = sqlx::query(
        "update document set revision = $1, chain = coalesce($2, chain),
             updated_ms = coalesce($3, updated_ms),
             len_chars = case when $1 > revision then $4 else len_chars end
         where document_id = $5 and revision = $6
           and exists (select from document_import as import
                       where import.document_id = document.document_id)",
    )
    .bind(integer(revision.get()))
    .bind(chain)
    .bind(time_ms)
    .bind(integer(batch.len_chars))
    .bind(uuid(batch.document.get()))
    .bind(integer(batch.base.get()))
    .execute(&mut *transaction)
    .await?;
    if moved.rows_affected() != 1 {
        return Err(NOT_AT_END);
    }
    insert_logged(&mut transaction, batch.document, &batch.operations).await?;
    put_progress(&mut transaction, batch.document, &batch.progress).await?;
    Ok(transaction.commit().await?)
}

async fn put_progress(
    connection: &mut PgConnection,
    document: DocumentId,
    progress: &[(ClientId, ClientProgress)],
) -> Result<(), sqlx::Error> {
    let column = |value: fn(&ClientProgress) -> i64| -> Vec<i64> {
        progress.iter().map(|(_, progress)| value(progress)).collect()
    };
    let hash = |(client, progress): &(ClientId, ClientProgress)| {
        progress.row_hash(&document.get().to_be_bytes(), *client).to_vec()
    };
    let hashes: Vec<Vec<u8>> = progress.iter().map(hash).collect();
    sqlx::query(
        "insert into client_progress as progress (document_id, client_id, author_id, last_seq,
             last_revision, submission_hash, row_hash)
         select $1, * from unnest($2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[],
                                  $7::bytea[])
         on conflict (document_id, client_id) do update set
             last_seq = excluded.last_seq,
             last_revision = excluded.last_revision,
             submission_hash = excluded.submission_hash,
             row_hash = excluded.row_hash
         where excluded.last_seq >= progress.last_seq",
    )
    .bind(uuid(document.get()))
    .bind(progress.iter().map(|(client, _)| uuid(client.get())).collect::<Vec<_>>())
    .bind(progress.iter().map(|(_, progress)| progress.author.as_str()).collect::<Vec<_>>())
    .bind(column(|progress| integer(progress.seq.get())))
    .bind(column(|progress| integer(progress.revision.get())))
    .bind(column(|progress| progress.submission.get().cast_signed()))
    .bind(hashes)
    .execute(connection)
    .await?;
    Ok(())
}

async fn finish(
    connection: &mut PgConnection,
    document: DocumentId,
    deleted_ms: Option<i64>,
) -> Result<(), StoreError> {
    let mut transaction = connection.begin().await?;
    let unmarked = sqlx::query("delete from document_import where document_id = $1")
        .bind(uuid(document.get()))
        .execute(&mut *transaction)
        .await?;
    if unmarked.rows_affected() == 0 {
        return Err(StoreError::NotFound);
    }
    sqlx::query("update document set deleted_ms = $1 where document_id = $2")
        .bind(deleted_ms)
        .bind(uuid(document.get()))
        .execute(&mut *transaction)
        .await?;
    // As if the owner had opened the document when it last changed.
    sqlx::query(
        "insert into document_opened (person_id, document_id, opened_ms)
         select owner_id, document_id, updated_ms from document where document_id = $1
         on conflict (person_id, document_id) do nothing",
    )
    .bind(uuid(document.get()))
    .execute(&mut *transaction)
    .await?;
    Ok(transaction.commit().await?)
}
