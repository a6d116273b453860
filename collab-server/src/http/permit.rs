//! Rights over REST: asked once, ahead of every handler, from the one table.
//!
//! A call that is not in the table is not served, whatever the router has. A document that must not
//! be known of is answered here as one that is not there, before anything else of the request is
//! looked at.

use std::sync::Arc;

use axum::RequestPartsExt;
use axum::extract::{MatchedPath, RawPathParams, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use collab_protocol::{DocumentId, ErrorCode};

use super::extract::{Asking, Permitted};
use crate::app::App;
use crate::auth::Kind;
use crate::error::ApiError;
use crate::rights::{Needs, Route};

/// Lets a request through to its handler if who asks may do this.
pub(super) async fn permit(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, Response> {
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let path = path.unwrap_or_default();
    let Some(route) = Route::find(request.method(), &path) else {
        return Err(not_offered(&path));
    };
    if route.action.needs() == Needs::Nothing {
        return Ok(next.run(request).await);
    }
    let (mut parts, body) = request.into_parts();
    let refused = |error: ApiError| error.into_response();
    let Some(Asking(identity)) = parts.extensions.get::<Asking>().cloned() else {
        return Err(refused(ApiError::new(ErrorCode::Unauthenticated)));
    };
    if route.action.needs() == Needs::Service {
        return match identity.kind {
            Kind::Service => Ok(next.run(Request::from_parts(parts, body)).await),
            Kind::Guest | Kind::Person => Err(refused(ApiError::new(ErrorCode::Forbidden))),
        };
    }
    let params = parts.extract::<RawPathParams>().await.ok();
    let named = params.as_ref().and_then(document_in);
    let document = named.ok_or_else(|| refused(ApiError::new(ErrorCode::NotFound)))?;
    let (record, role) = app.permit(document, &identity, route.action).await.map_err(refused)?;
    parts.extensions.insert(Permitted { record, role });
    Ok(next.run(Request::from_parts(parts, body)).await)
}

/// The document in the path. What is no id is no document.
fn document_in(params: &RawPathParams) -> Option<DocumentId> {
    params.iter().find(|(name, _)| *name == "id")?.1.parse().ok()
}

fn not_offered(path: &str) -> Response {
    if Route::is_path(path) {
        return (
            StatusCode::METHOD_NOT_ALLOWED,
            ApiError::bad_request("this method is not offered here"),
        )
            .into_response();
    }
    if path != super::UNKNOWN {
        tracing::error!(path, "a call without a rule in rights::ROUTES is not served");
    }
    ApiError::new(ErrorCode::NotFound).into_response()
}
