//! The append: the head's compare-and-set decides, and everything else follows it.

mod together;

use collab_protocol::ClientId;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

pub(in crate::store::sqlite) use self::together::{Stage, Stopped, append_together};

use super::super::id_bytes;
use super::Written;
use crate::revision::later;
use crate::store::record::{Append, ClientProgress, LoggedOperation};
use crate::store::row::integer;

/// Whether exactly `expected` rows were touched; fewer means that a condition did not hold.
fn conflict_unless(found: u64, expected: usize) -> Option<Written> {
    (found != expected as u64).then_some(Written::Conflict)
}

/// Moves the head, adds the rows, moves the clients' progress: all or nothing.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    append: &Append,
) -> Result<Written, sqlx::Error> {
    let Some(last) = append.operations.last() else { return Ok(Written::Yes) };
    let document = id_bytes(append.document.get());
    let head = later(append.base, append.operations.len());
    let moved = sqlx::query(
        "update document set revision = ?, chain = ?, len_chars = ?, updated_ms = ?
         where document_id = ? and revision = ? and chain = ? and rights_version = ?
           and deleted_ms is null",
    )
    .bind(integer(head.get()))
    .bind(last.chain.as_bytes().to_vec())
    .bind(integer(append.len_chars))
    .bind(append.time_ms)
    .bind(document.clone())
    .bind(integer(append.base.get()))
    .bind(append.base_chain.as_bytes().to_vec())
    .bind(integer(append.rights_version))
    .execute(&mut *connection)
    .await?;
    if let Some(conflict) = conflict_unless(moved.rows_affected(), 1) {
        return Ok(conflict);
    }
    // Each row has eight values, far below what a statement may have.
    for (index, chunk) in append.operations.chunks(256).enumerate() {
        let base = later(append.base, index * 256);
        let mut insert = insert_operations();
        insert.push_values(chunk.iter().enumerate(), |mut row, (offset, new)| {
            row.push_bind(document.clone())
                .push_bind(integer(later(base, offset + 1).get()))
                .push_bind(id_bytes(new.client.get()))
                .push_bind(integer(new.seq.get()))
                .push_bind(new.author.as_str().to_owned())
                .push_bind(append.time_ms)
                .push_bind(new.operation.to_bytes())
                .push_bind(new.chain.as_bytes().to_vec());
        });
        insert.build().execute(&mut *connection).await?;
        let progress = chunk.iter().enumerate().map(|(offset, new)| {
            let revision = later(base, offset + 1);
            let (author, seq) = (new.author.clone(), new.seq);
            let submission = new.submission;
            (new.client.get(), ClientProgress { author, seq, revision, submission })
        });
        let moved = put_progress(connection, &document, progress.collect()).await?;
        if let Some(conflict) = conflict_unless(moved, chunk.len()) {
            return Ok(conflict);
        }
    }
    Ok(Written::Yes)
}

fn insert_operations() -> QueryBuilder<Sqlite> {
    QueryBuilder::new(
        "insert into operation (document_id, revision, client_id, client_seq, author_id, \
         time_ms, body, chain) ",
    )
}

/// Moves clients' progress, where a number is above the client's last and the client is the
/// author's own. How many moved.
async fn put_progress(
    connection: &mut SqliteConnection,
    document: &[u8],
    progress: Vec<(u128, ClientProgress)>,
) -> Result<u64, sqlx::Error> {
    let mut upsert = QueryBuilder::<Sqlite>::new(
        "insert into client_progress (document_id, client_id, author_id, last_seq, \
         last_revision, submission_hash, row_hash) ",
    );
    upsert.push_values(progress, |mut row, (client, progress)| {
        row.push_bind(document.to_vec())
            .push_bind(id_bytes(client))
            .push_bind(progress.author.as_str().to_owned())
            .push_bind(integer(progress.seq.get()))
            .push_bind(integer(progress.revision.get()))
            .push_bind(progress.submission.get().cast_signed())
            .push_bind(progress.row_hash(document, ClientId::new(client)).to_vec());
    });
    upsert.push(
        " on conflict (document_id, client_id) do update set
             last_seq = excluded.last_seq,
             last_revision = excluded.last_revision,
             submission_hash = excluded.submission_hash,
             row_hash = excluded.row_hash
         where excluded.last_seq > client_progress.last_seq
           and excluded.author_id = client_progress.author_id",
    );
    Ok(upsert.build().execute(connection).await?.rows_affected())
}

/// The operation that a document is created with.
pub(super) async fn insert_first(
    connection: &mut SqliteConnection,
    document: &[u8],
    first: &LoggedOperation,
) -> Result<(), sqlx::Error> {
    insert_logged(connection, document, std::slice::from_ref(first)).await?;
    let progress = (first.client.get(), ClientProgress::of_first(first));
    put_progress(connection, document, vec![progress]).await?;
    Ok(())
}

/// Operations with all that was noted when they were committed. Each row has eight values: the
/// caller bounds their number.
pub(super) async fn insert_logged(
    connection: &mut SqliteConnection,
    document: &[u8],
    operations: &[LoggedOperation],
) -> Result<(), sqlx::Error> {
    let mut insert = insert_operations();
    insert.push_values(operations, |mut row, logged| {
        row.push_bind(document.to_vec())
            .push_bind(integer(logged.revision.get()))
            .push_bind(id_bytes(logged.client.get()))
            .push_bind(integer(logged.seq.get()))
            .push_bind(logged.author.as_str().to_owned())
            .push_bind(logged.time_ms)
            .push_bind(logged.operation.to_bytes())
            .push_bind(logged.chain.as_bytes().to_vec());
    });
    insert.build().execute(connection).await?;
    Ok(())
}
