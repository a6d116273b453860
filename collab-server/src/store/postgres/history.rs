//! Versions and marks of what was seen.

use collab_protocol::{DocumentId, UserId, VersionId};
use ot_core::Revision;
use sqlx::{Connection, PgConnection};

use super::uuid;
use super::write::found;
use crate::store::StoreError;
use crate::store::checks::check_text;
use crate::store::history::{Seen, VersionRecord, check_reached};
use crate::store::row::integer;
use crate::store::sql::head;

/// Refuses to note anything about a revision that the log has not reached. A log never gets
/// shorter, so what holds now holds when it is noted.
async fn check_is_reached(
    connection: &mut PgConnection,
    document: DocumentId,
    revision: Revision,
) -> Result<(), StoreError> {
    let head = head(connection, document).await?.ok_or(StoreError::NotFound)?;
    check_reached(revision, head)
}

pub(super) async fn put_version(
    connection: &mut PgConnection,
    version: VersionRecord,
) -> Result<(), StoreError> {
    check_text(&version.name)?;
    let mut transaction = connection.begin().await?;
    check_is_reached(&mut transaction, version.document, version.revision).await?;
    sqlx::query(
        "insert into version (version_id, document_id, revision, name, author_id, time_ms)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (version_id) do update set name = excluded.name",
    )
    .bind(uuid(version.id.get()))
    .bind(uuid(version.document.get()))
    .bind(integer(version.revision.get()))
    .bind(&version.name)
    .bind(version.author.as_str())
    .bind(version.time_ms)
    .execute(&mut *transaction)
    .await?;
    Ok(transaction.commit().await?)
}

pub(super) async fn rename_version(
    connection: &mut PgConnection,
    document: DocumentId,
    version: VersionId,
    name: String,
) -> Result<(), StoreError> {
    check_text(&name)?;
    let renamed =
        sqlx::query("update version set name = $1 where document_id = $2 and version_id = $3")
            .bind(&name)
            .bind(uuid(document.get()))
            .bind(uuid(version.get()))
            .execute(connection)
            .await?;
    found(renamed.rows_affected())
}

pub(super) async fn delete_version(
    connection: &mut PgConnection,
    document: DocumentId,
    version: VersionId,
) -> Result<(), StoreError> {
    let deleted = sqlx::query("delete from version where document_id = $1 and version_id = $2")
        .bind(uuid(document.get()))
        .bind(uuid(version.get()))
        .execute(connection)
        .await?;
    found(deleted.rows_affected())
}

pub(super) async fn mark_seen(
    connection: &mut PgConnection,
    document: DocumentId,
    person: UserId,
    seen: Seen,
) -> Result<(), StoreError> {
    let mut transaction = connection.begin().await?;
    check_is_reached(&mut transaction, document, seen.revision).await?;
    sqlx::query(
        "insert into document_seen (document_id, person_id, revision, time_ms)
         values ($1, $2, $3, $4)
         on conflict (document_id, person_id) do update set
             revision = excluded.revision, time_ms = excluded.time_ms
         where excluded.revision >= document_seen.revision",
    )
    .bind(uuid(document.get()))
    .bind(person.as_str())
    .bind(integer(seen.revision.get()))
    .bind(seen.time_ms)
    .execute(&mut *transaction)
    .await?;
    Ok(transaction.commit().await?)
}
