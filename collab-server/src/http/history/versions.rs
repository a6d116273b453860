//! `/api/documents/{id}/versions`: revisions with names.
//!
//! Who may edit a document may name its revisions. A name is changed or taken away by who gave it,
//! or by the document's owner.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use collab_protocol::{
    CreateVersion, ErrorCode, RenameVersion, Role, VERSION_NAME_CHARS_MAX, Version, VersionId,
    VersionList,
};
use uuid::Uuid;

use super::{authors, reached};
use crate::app::App;
use crate::auth::Identity;
use crate::error::ApiError;
use crate::http::extract::{Asking, Body, Permitted, VersionInPath};
use crate::people::one_line;
use crate::store::{DocumentRecord, VersionRecord};

/// Named versions of one document, at most.
const VERSIONS_MAX: usize = 1_000;

fn version(record: VersionRecord) -> Version {
    let VersionRecord { id, revision, name, author, time_ms, .. } = record;
    Version { id, revision: revision.get(), name, author, time_ms }
}

fn clean_name(name: &str) -> Result<String, ApiError> {
    let name = one_line(name);
    if name.is_empty() || name.chars().count() > VERSION_NAME_CHARS_MAX {
        return Err(ApiError::bad_request("name must have 1 to 120 characters"));
    }
    Ok(name)
}

/// Refuses what changes a deleted document.
fn check_live(record: &DocumentRecord) -> Result<(), ApiError> {
    match record.deleted_ms {
        Some(_) => Err(ApiError::new(ErrorCode::DocumentDeleted)),
        None => Ok(()),
    }
}

/// `GET /api/documents/{id}/versions`
pub(in crate::http) async fn list(
    State(app): State<Arc<App>>,
    permitted: Permitted,
) -> Result<Json<VersionList>, ApiError> {
    let versions = app.store.versions(permitted.record.id).await?;
    let authors = authors(&app, versions.iter().map(|version| version.author.clone())).await?;
    Ok(Json(VersionList { versions: versions.into_iter().map(version).collect(), authors }))
}

/// `POST /api/documents/{id}/versions`
pub(in crate::http) async fn create(
    State(app): State<Arc<App>>,
    Asking(identity): Asking,
    Permitted { record, .. }: Permitted,
    Body(new): Body<CreateVersion>,
) -> Result<Response, ApiError> {
    let name = clean_name(&new.name)?;
    let id = record.id;
    check_live(&record)?;
    let revision = reached(&record, new.revision)?;
    if app.store.versions(id).await?.len() >= VERSIONS_MAX {
        return Err(ApiError::new(ErrorCode::TooManyVersions));
    }
    let mut profile = app.people.profile(&identity).await?;
    app.people.keep(&mut profile).await?;
    let made = VersionRecord {
        id: VersionId::new(Uuid::new_v4().as_u128()),
        document: id,
        revision,
        name,
        author: identity.user,
        time_ms: app.clock.now_ms(),
    };
    app.store.put_version(made.clone()).await?;
    Ok((StatusCode::CREATED, Json(version(made))).into_response())
}

/// A version that this person may change.
async fn own(
    app: &App,
    Permitted { record, role }: &Permitted,
    wanted: VersionId,
    identity: &Identity,
) -> Result<VersionRecord, ApiError> {
    check_live(record)?;
    let versions = app.store.versions(record.id).await?;
    let found = versions.into_iter().find(|version| version.id == wanted);
    let found = found.ok_or(ApiError::new(ErrorCode::NotFound))?;
    if found.author != identity.user && *role != Role::Owner {
        return Err(ApiError::new(ErrorCode::Forbidden));
    }
    Ok(found)
}

/// `PATCH /api/documents/{id}/versions/{version}`
pub(in crate::http) async fn rename(
    State(app): State<Arc<App>>,
    Asking(identity): Asking,
    permitted: Permitted,
    VersionInPath(id, wanted): VersionInPath,
    Body(change): Body<RenameVersion>,
) -> Result<Json<Version>, ApiError> {
    let name = clean_name(&change.name)?;
    let found = own(&app, &permitted, wanted, &identity).await?;
    let renamed = VersionRecord { name, ..found };
    // Of one that was deleted meanwhile this says that it is not there.
    app.store.rename_version(id, wanted, renamed.name.clone()).await?;
    Ok(Json(version(renamed)))
}

/// `DELETE /api/documents/{id}/versions/{version}`
pub(in crate::http) async fn delete(
    State(app): State<Arc<App>>,
    Asking(identity): Asking,
    permitted: Permitted,
    VersionInPath(id, wanted): VersionInPath,
) -> Result<StatusCode, ApiError> {
    own(&app, &permitted, wanted, &identity).await?;
    app.store.delete_version(id, wanted).await?;
    Ok(StatusCode::NO_CONTENT)
}
