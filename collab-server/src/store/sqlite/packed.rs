//! Packing: a page in place of rows and smaller pages.

use collab_protocol::DocumentId;
use sqlx::{QueryBuilder, SqliteConnection};

use super::id_bytes;
use super::write::Written;
use crate::store::packed::Pack;
use crate::store::row::integer;
use crate::store::sql::{delete_packed, fits, insert_page, thin};

/// One page in place of what it was made of.
pub(super) async fn pack(
    connection: &mut SqliteConnection,
    document: DocumentId,
    pack: &Pack,
) -> Result<Written, sqlx::Error> {
    match fits(connection, document, pack).await {
        Ok(true) => {}
        Ok(false) => return Ok(Written::Conflict),
        Err(error) => return Ok(Written::Refused(error)),
    }
    delete_packed(connection, document, pack).await?;
    insert(connection, document, pack).await?;
    thin(connection, document).await?;
    Ok(Written::Yes)
}

async fn insert(
    connection: &mut SqliteConnection,
    document: DocumentId,
    pack: &Pack,
) -> Result<(), sqlx::Error> {
    let row = &pack.row;
    insert_page(connection, document, row).await?;
    for clients in pack.clients.chunks(256) {
        let mut insert = QueryBuilder::new(
            "insert into packed_client (document_id, client_id, last_revision, first_seq, last_seq) ",
        );
        insert.push_values(clients, |mut values, known| {
            values
                .push_bind(id_bytes(document.get()))
                .push_bind(id_bytes(known.client.get()))
                .push_bind(integer(row.last.get()))
                .push_bind(integer(known.first_seq.get()))
                .push_bind(integer(known.last_seq.get()));
        });
        insert.build().execute(&mut *connection).await?;
    }
    Ok(())
}
