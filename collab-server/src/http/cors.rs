//! What pages of other origins may read: those of `allowed_origins`, everything under `/api`, and
//! never with the cookies of whoever looks at them. A browser shows an answer to no other page.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use collab_protocol::ErrorCode;

use crate::app::App;
use crate::auth::OriginVerdict;
use crate::error::ApiError;

/// What such a page may send,
const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";
const HEADERS: &str = "authorization, concord-session, content-type, if-none-match";

/// what it may read besides the body,
const EXPOSED: &str =
    "concord-revision, concord-time-ms, etag, location, retry-after, x-request-id";

/// and for how many seconds its browser need not ask again; browsers cap it at two hours.
const MAX_AGE: &str = "7200";

/// Answers what browsers ask ahead, and says of each answer who may read it.
pub(super) async fn share(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let listed = app.origins.listed(request.headers());
    let mut response = if *request.method() == Method::OPTIONS {
        match app.origins.judge(request.headers()) {
            OriginVerdict::Own => StatusCode::NO_CONTENT.into_response(),
            OriginVerdict::Foreign => ApiError::new(ErrorCode::ForeignOrigin).into_response(),
        }
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    let Some(origin) = listed else { return response };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED),
        (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
