//! Versions and marks of what was seen.

use collab_protocol::{DocumentId, UserId, VersionId};
use ot_core::Revision;
use sqlx::{Connection, PgConnection};

use super::write::found;
use crate::store::StoreError;
use crate::store::checks::check_text;
use crate::store::history::{Seen, VersionRecord, check_reached};
use crate::store::sql;

/// Refuses to note anything about a revision that the log has not reached. A log never gets
/// shorter, so what holds now holds when it is noted.
async fn check_is_reached(
    connection: &mut PgConnection,
    document: DocumentId,
    revision: Revision,
) -> Result<(), StoreError> {
    let head = sql::head(connection, document).await?.ok_or(StoreError::NotFound)?;
    check_reached(revision, head)
}

pub(super) async fn put_version(
    connection: &mut PgConnection,
    version: VersionRecord,
) -> Result<(), StoreError> {
    check_text(&version.name)?;
    let mut transaction = connection.begin().await?;
    check_is_reached(&mut transaction, version.document, version.revision).await?;
    sql::put_version(&mut *transaction, &version).await?;
    Ok(transaction.commit().await?)
}

pub(super) async fn rename_version(
    connection: &mut PgConnection,
    document: DocumentId,
    version: VersionId,
    name: String,
) -> Result<(), StoreError> {
    check_text(&name)?;
    found(sql::rename_version(connection, document, version, &name).await?)
}

pub(super) async fn delete_version(
    connection: &mut PgConnection,
    document: DocumentId,
    version: VersionId,
) -> Result<(), StoreError> {
    found(sql::delete_version(connection, document, version).await?)
}

pub(super) async fn mark_seen(
    connection: &mut PgConnection,
    document: DocumentId,
    person: UserId,
    seen: Seen,
) -> Result<(), StoreError> {
    let mut transaction = connection.begin().await?;
    check_is_reached(&mut transaction, document, seen.revision).await?;
    sql::mark_seen(&mut *transaction, document, &person, seen).await?;
    Ok(transaction.commit().await?)
}
