//! Operations that come with all that was noted when they were committed: not decided here.

use collab_protocol::ClientId;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::super::id_bytes;
use crate::store::record::{ClientProgress, LoggedOperation};
use crate::store::row::integer;

/// The operation that a document is created with.
pub(super) async fn insert_first(
    connection: &mut SqliteConnection,
    document: &[u8],
    first: &LoggedOperation,
) -> Result<(), sqlx::Error> {
    insert_logged(connection, document, std::slice::from_ref(first)).await?;
    put_progress(connection, document, &[(first.client, ClientProgress::of_first(first))]).await
}

/// Each row has eight values: the caller bounds their number.
pub(super) async fn insert_logged(
    connection: &mut SqliteConnection,
    document: &[u8],
    operations: &[LoggedOperation],
) -> Result<(), sqlx::Error> {
    let mut insert = QueryBuilder::<Sqlite>::new(
        "insert into operation (document_id, revision, client_id, client_seq, author_id, \
         time_ms, body, chain) ",
    );
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

/// Each row has seven values: the caller bounds their number.
pub(super) async fn put_progress(
    connection: &mut SqliteConnection,
    document: &[u8],
    progress: &[(ClientId, ClientProgress)],
) -> Result<(), sqlx::Error> {
    let mut upsert = QueryBuilder::<Sqlite>::new(
        "insert into client_progress (document_id, client_id, author_id, last_seq, \
         last_revision, submission_hash, row_hash) ",
    );
    upsert.push_values(progress, |mut row, (client, progress)| {
        row.push_bind(document.to_vec())
            .push_bind(id_bytes(client.get()))
            .push_bind(progress.author.as_str().to_owned())
            .push_bind(integer(progress.seq.get()))
            .push_bind(integer(progress.revision.get()))
            .push_bind(progress.submission.get().cast_signed())
            .push_bind(progress.row_hash(document, *client).to_vec());
    });
    upsert.push(
        " on conflict (document_id, client_id) do update set
             last_seq = excluded.last_seq,
             last_revision = excluded.last_revision,
             submission_hash = excluded.submission_hash,
             row_hash = excluded.row_hash
         where excluded.last_seq >= client_progress.last_seq",
    );
    upsert.build().execute(connection).await?;
    Ok(())
}
