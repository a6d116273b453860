//! Versions and marks of what was seen.

use collab_protocol::{DocumentId, UserId, VersionId};
use ot_core::Revision;
use sqlx::SqliteConnection;

use super::write::{Written, found};
use crate::store::StoreError;
use crate::store::checks::check_text;
use crate::store::history::{Seen, VersionRecord, check_reached};
use crate::store::sql;

/// What keeps something from being noted about a revision of a document, if anything does.
async fn refusal(
    connection: &mut SqliteConnection,
    document: DocumentId,
    revision: Revision,
) -> Result<Option<Written>, sqlx::Error> {
    let reached = match sql::head(connection, document).await? {
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
    sql::put_version(connection, version).await?;
    Ok(Written::Yes)
}

pub(super) async fn rename_version(
    connection: &mut SqliteConnection,
    document: DocumentId,
    version: VersionId,
    name: &str,
) -> Result<Written, sqlx::Error> {
    match check_text(name) {
        Ok(()) => Ok(found(sql::rename_version(connection, document, version, name).await?)),
        Err(error) => Ok(Written::Refused(error)),
    }
}

pub(super) async fn delete_version(
    connection: &mut SqliteConnection,
    document: DocumentId,
    version: VersionId,
) -> Result<Written, sqlx::Error> {
    Ok(found(sql::delete_version(connection, document, version).await?))
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
    sql::mark_seen(connection, document, person, seen).await?;
    Ok(Written::Yes)
}
