//! `/api/documents/{id}/restore-revision`: an old text becomes the newest one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use collab_protocol::{ClientId, ErrorCode, RejectCode, RestoreRevision, RevisionRestored};
use ot_core::{ClientSeq, diff};
use uuid::Uuid;

use super::reached;
use crate::app::App;
use crate::document::Submission;
use crate::error::ApiError;
use crate::http::extract::{Asking, Body, Permitted};
use crate::registry::EditError;
use crate::rights::Visitor;

/// `POST /api/documents/{id}/restore-revision`
///
/// The difference between the text at the head and that at the revision is committed as one
/// operation of the asking person, through the document's own task: live sessions get it like any
/// other, and what somebody commits meanwhile stays, since the operation is rebased over it.
pub(in crate::http) async fn restore_revision(
    State(app): State<Arc<App>>,
    Asking(identity): Asking,
    Permitted { record, .. }: Permitted,
    Body(wanted): Body<RestoreRevision>,
) -> Result<Json<RevisionRestored>, ApiError> {
    let id = record.id;
    let revision = reached(&record, Some(wanted.revision))?;
    if app.rates.of(&identity.user, id).take().place.is_err() {
        return Err(ApiError::new(ErrorCode::SlowDown));
    }
    let old = app.histories.text(&record, revision).await?;
    let head = app.registry.text(id).await?;
    let operation = app.histories.work(move || diff(&head.text, &old.text, None)).await?;
    if operation.is_identity() {
        return Ok(Json(RevisionRestored { revision: head.revision.get() }));
    }
    let mut profile = app.people.profile(&identity).await?;
    app.people.keep(&mut profile).await?;
    let client = ClientId::new(Uuid::new_v4().as_u128());
    let submission = Submission::new(ClientSeq::new(1), head.revision, operation, None).by_server();
    let who = (profile.participant, Visitor::from(&identity));
    let restored = app.registry.edit(id, who, client, submission).await?;
    Ok(Json(RevisionRestored { revision: restored.get() }))
}

impl From<EditError> for ApiError {
    fn from(error: EditError) -> Self {
        let code = match error {
            EditError::Open(error) => return error.into(),
            EditError::Rejected(code) => code,
        };
        ApiError::new(match code {
            RejectCode::DocumentFull => ErrorCode::DocumentFull,
            RejectCode::DocumentDeleted => ErrorCode::DocumentDeleted,
            RejectCode::Forbidden => ErrorCode::Forbidden,
            RejectCode::DocCorrupt => ErrorCode::DocCorrupt,
            RejectCode::SlowDown => ErrorCode::SlowDown,
            RejectCode::StorageUnavailable => ErrorCode::StorageUnavailable,
            RejectCode::Overloaded => ErrorCode::Overloaded,
            _ => {
                tracing::error!(%code, "an edit of the server was refused");
                ErrorCode::Internal
            }
        })
    }
}
