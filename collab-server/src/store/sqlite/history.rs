//! Versions and marks of what was seen.

use collab_protocol::{DocumentId, UserId, VersionId};
use ot_core::Revision;
use sqlx::SqliteConnection;

use super::id_bytes;
use super::write::{Written, found};
use crate::store::StoreError;
use crate::store::checks::check_text;
use crate::store::history::{Seen, VersionRecord, check_reached};
use crate::store::row::integer;
use crate::store::sql::head;

/// What keeps something from being noted about a revision of a document, if anything does.
async fn refusal(
    connection: &mut SqliteConnection,
    document: DocumentId,
    revision: Revision,
) -> Result<Option<Written>, sqlx::Error> {
    let reached = match head(connection, document).await? {
        None => Err(StoreError::NotFound),
        Some(head) => check_reached(revision, head),
    };
    Ok(reached.err().map(Written::Refused))
}

pub(super) async fn put_version(
    connection: &mut SqliteConnection,
    version: &VersionRecord,
) -> Result<Written, sqlx::Error> {
    if let Err(error) = check_text(&version.name) {
        return Ok(Written::Refused(error));
    }
    if let Some(refused) = refusal(connection, version.document, version.revision).await? {
        return Ok(refused);
    }
    sqlx::query(
        "insert into version (version_id, document_id, revision, name, author_id, time_ms)
         values (?, ?, ?, ?, ?, ?)
         on conflict (version_id) do update set name = excluded.name",
    )
    .bind(id_bytes(version.id.get()))
    .bind(id_bytes(version.document.get()))
    .bind(integer(version.revision.get()))
    .bind(version.name.clone())
    .bind(version.author.as_str().to_owned())
    .bind(version.time_ms)
    .execute(connection)
    .await?;
    Ok(Written::Yes)
}

pub(super) async fn rename_version(
    connection: &mut SqliteConnection,
    document: DocumentId,
    version: VersionId,
    name: &str,
) -> Result<Written, sqlx::Error> {
    if let Err(error) = check_text(name) {
        return Ok(Written::Refused(error));
    }
    let renamed =
        sqlx::query("update version set name = ? where document_id = ? and version_id = ?")
            .bind(name.to_owned())
            .bind(id_bytes(document.get()))
            .bind(id_bytes(version.get()))
            .execute(connection)
            .await?;
    Ok(found(renamed.rows_affected()))
}

pub(super) async fn delete_version(
    connection: &mut SqliteConnection,
    document: DocumentId,
    version: VersionId,
) -> Result<Written, sqlx::Error> {
    let deleted = sqlx::query("delete from version where document_id = ? and version_id = ?")
        .bind(id_bytes(document.get()))
        .bind(id_bytes(version.get()))
        .execute(connection)
        .await?;
    Ok(found(deleted.rows_affected()))
}

pub(super) async fn mark_seen(
    connection: &mut SqliteConnection,
    document: DocumentId,
    person: &UserId,
    seen: Seen,
) -> Result<Written, sqlx::Error> {
    if let Some(refused) = refusal(connection, document, seen.revision).await? {
        return Ok(refused);
    }
    sqlx::query(
        "insert into document_seen (document_id, person_id, revision, time_ms)
         values (?, ?, ?, ?)
         on conflict (document_id, person_id) do update set
             revision = excluded.revision, time_ms = excluded.time_ms
         where excluded.revision >= document_seen.revision",
    )
    .bind(id_bytes(document.get()))
    .bind(person.as_str().to_owned())
    .bind(integer(seen.revision.get()))
    .bind(seen.time_ms)
    .execute(connection)
    .await?;
    Ok(Written::Yes)
}
