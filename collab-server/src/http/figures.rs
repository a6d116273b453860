//! `/api/figures`: how much goes on, as it is now and was for 15 minutes.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use collab_protocol::{ErrorCode, Figures, FiguresOf};
use serde::Deserialize;

use super::extract::Asking;
use crate::app::App;
use crate::error::ApiError;
use crate::rights::Visitor;

#[derive(Deserialize)]
pub(super) struct Asked {
    of: Option<FiguresOf>,
}

/// `GET /api/figures`
pub(super) async fn read(
    State(app): State<Arc<App>>,
    Asking(identity): Asking,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Figures>, ApiError> {
    let Query(asked) = asked.map_err(|_| ApiError::bad_request("of is server or own"))?;
    let of = app.figures_of(asked.of, &identity).ok_or(ApiError::new(ErrorCode::Forbidden))?;
    Ok(Json(app.dashboard.all(of, &Visitor::from(&identity))))
}
