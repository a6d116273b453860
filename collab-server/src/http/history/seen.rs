//! `/api/documents/{id}/seen`: how far a person has looked, on any device.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use collab_protocol::{MarkSeen, SeenMark, UserId};

use super::reached;
use crate::app::App;
use crate::error::ApiError;
use crate::http::extract::{Asking, Body, Permitted};
use crate::store::{DocumentRecord, Seen};

async fn answer(
    app: &App,
    record: &DocumentRecord,
    user: UserId,
) -> Result<Json<SeenMark>, ApiError> {
    let seen = app.store.seen(record.id, user).await?;
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
    Permitted { record, .. }: Permitted,
) -> Result<Json<SeenMark>, ApiError> {
    answer(&app, &record, identity.user).await
}

/// `PUT /api/documents/{id}/seen`. The mark never goes back.
pub(in crate::http) async fn mark_seen(
    State(app): State<Arc<App>>,
    Asking(identity): Asking,
    Permitted { record, .. }: Permitted,
    Body(mark): Body<MarkSeen>,
) -> Result<Json<SeenMark>, ApiError> {
    let revision = reached(&record, Some(mark.revision))?;
    let seen = Seen { revision, time_ms: app.clock.now_ms() };
    app.store.mark_seen(record.id, identity.user.clone(), seen).await?;
    answer(&app, &record, identity.user).await
}
