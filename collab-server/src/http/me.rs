//! `/api/me`: the asking person.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use collab_protocol::{Me, UpdateMe};

use super::extract::{Asking, Body};
use crate::app::App;
use crate::auth::{Identity, Kind};
use crate::document::Participant;
use crate::error::ApiError;

fn me(identity: &Identity, participant: Participant) -> Json<Me> {
    let Participant { user, name, color } = participant;
    Json(Me { id: user, name, color, guest: identity.kind == Kind::Guest })
}

/// `GET /api/me`
pub(super) async fn read(
    State(app): State<Arc<App>>,
    Asking(identity): Asking,
) -> Result<Json<Me>, ApiError> {
    Ok(me(&identity, app.people.profile(&identity).await?.participant))
}

/// `PUT /api/me`. Those who write with the person see the change at once.
pub(super) async fn update(
    State(app): State<Arc<App>>,
    Asking(identity): Asking,
    Body(change): Body<UpdateMe>,
) -> Result<Json<Me>, ApiError> {
    let participant = app.people.change(&identity, change.name.as_deref(), change.color).await?;
    Ok(me(&identity, participant))
}
