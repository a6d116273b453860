//! `/api/documents/{id}/seen`: how far a person has looked, on any device.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use collab_protocol::{DocumentId, MarkSeen, SeenMark, UserId};

use super::reached;
use crate::app::App;
use crate::error::ApiError;
use crate::http::documents::visible;
use crate::http::extract::{Asking, Body, InPath};
use crate::store::{DocumentRecord, Seen};

async fn answer(
    app: &App,
    record: &DocumentRecord,
    id: DocumentId,
    user: UserId,
) -> Result<Json<SeenMark>, ApiError> {
    let seen = app.store.seen(id, user).await?;
    Ok(Json(SeenMark {
        revision: seen.map_or(0, |seen| seen.revision.get()),
        time_ms: seen.map(|seen| seen.time_ms),
        head: record.revision.get(),
    }))
}

/// `GET /api/documents/{id}/seen`
pub(in crate::http) async fn seen(
    State(app): State<Arc<App>>,
    Asking(identity): Asking,
    InPath(id): InPath,
) -> Result<Json<SeenMark>, ApiError> {
    let (record, _) = visible(&app, id, &identity).await?;
    answer(&app, &record, id, identity.user).await
}

/// `PUT /api/documents/{id}/seen`. The mark never goes back.
pub(in crate::http) async fn mark_seen(
    State(app): State<Arc<App>>,
    Asking(identity): Asking,
    InPath(id): InPath,
    Body(mark): Body<MarkSeen>,
) -> Result<Json<SeenMark>, ApiError> {
    let (record, _) = visible(&app, id, &identity).await?;
    let revision = reached(&record, Some(mark.revision))?;
    let seen = Seen { revision, time_ms: app.clock.now_ms() };
    app.store.mark_seen(id, identity.user.clone(), seen).await?;
    answer(&app, &record, id, identity.user).await
}
