//! Packing: a page in place of rows and smaller pages, in one transaction.

use collab_protocol::DocumentId;
use sqlx::{Connection, PgConnection};

use super::uuid;
use crate::store::StoreError;
use crate::store::packed::{Pack, PackOutcome, PackedClient};
use crate::store::row::integer;
use crate::store::sql::{delete_packed, fits, insert_page, thin};

/// One page in place of what it was made of. Of several servers that pack one document the others
/// wait, and then find that the log is not what they read.
pub(super) async fn pack(
    connection: &mut PgConnection,
    document: DocumentId,
    pack: Pack,
) -> Result<PackOutcome, StoreError> {
    let mut transaction = connection.begin().await?;
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('concord pack ' || $1, 0))")
        .bind(document.to_string())
        .execute(&mut *transaction)
        .await?;
    if !fits(&mut *transaction, document, &pack).await? {
        transaction.rollback().await?;
        return Ok(PackOutcome::Conflict);
    }
    delete_packed(&mut *transaction, document, &pack).await?;
    insert(&mut transaction, document, &pack).await?;
    thin(&mut *transaction, document).await?;
    transaction.commit().await?;
    Ok(PackOutcome::Done)
}

async fn insert(
    connection: &mut PgConnection,
    document: DocumentId,
    pack: &Pack,
) -> Result<(), sqlx::Error> {
    let row = &pack.row;
    insert_page(connection, document, row).await?;
    let column =
        |value: fn(&PackedClient) -> i64| -> Vec<i64> { pack.clients.iter().map(value).collect() };
    sqlx::query(
        "insert into packed_client (document_id, last_revision, client_id, first_seq, last_seq)
         select $1, $2, * from unnest($3::uuid[], $4::bigint[], $5::bigint[])",
    )
    .bind(uuid(document.get()))
    .bind(integer(row.last.get()))
    .bind(pack.clients.iter().map(|known| uuid(known.client.get())).collect::<Vec<_>>())
    .bind(column(|known| integer(known.first_seq.get())))
    .bind(column(|known| integer(known.last_seq.get())))
    .execute(connection)
    .await?;
    Ok(())
}
