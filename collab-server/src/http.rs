//! What is served over HTTP: the REST interface, the WebSocket upgrade and its fallback, the web app, and the pages
//! that operators ask for.

mod admission;
mod body;
mod cors;
mod documents;
mod edits;
mod events;
mod extract;
mod fallback;
mod figures;
mod headers;
mod history;
mod me;
mod notifications;
mod openapi;
mod operation;
mod permit;
mod sharing;
mod socket;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post, put};
use collab_protocol::{ErrorCode, SOCKET_PATH};
use tracing::Instrument;

use self::admission::Who;
use crate::app::App;
use crate::auth::{OriginPolicy, OriginVerdict};
use crate::error::ApiError;

pub(crate) use body::document_bytes_max;

/// Names a request in answers and logs.
static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Whatever else is asked under `/api`.
const UNKNOWN: &str = "/api/{*unknown}";

/// Everything the server answers.
pub(crate) fn router(app: &Arc<App>) -> Router {
    let api = Router::new()
        .route("/api/documents", post(documents::create).get(documents::list))
        .route(
            "/api/documents/{id}",
            get(documents::read).patch(documents::rename).delete(documents::delete),
        )
        .route("/api/documents/{id}/restore", post(documents::restore))
        .route("/api/documents/{id}/text", get(history::text).put(edits::set_text))
        .route("/api/documents/{id}/edits", post(edits::edit))
        .route("/api/documents/{id}/history", get(history::page))
        .route("/api/documents/{id}/history/summary", get(history::summary))
        .route("/api/documents/{id}/diff", get(history::diff))
        .route("/api/documents/{id}/attribution", get(history::attribution))
        .route(
            "/api/documents/{id}/versions",
            get(history::list_versions).post(history::create_version),
        )
        .route(
            "/api/documents/{id}/versions/{version}",
            patch(history::rename_version).delete(history::delete_version),
        )
        .route("/api/documents/{id}/restore-revision", post(history::restore_revision))
        .route("/api/documents/{id}/seen", get(history::seen).put(history::mark_seen))
        .route("/api/documents/{id}/sharing", get(sharing::read).put(sharing::set_link))
        .route(
            "/api/documents/{id}/people/{user}",
            put(sharing::set_person).delete(sharing::remove_person),
        )
        .route("/api/me", get(me::read).put(me::update))
        .route("/api/events", post(events::tell))
        .route("/api/topics/{topic}", post(events::publish))
        .route("/api/notifications", get(notifications::page).post(notifications::tell))
        .route("/api/notifications/read", post(notifications::read))
        .route("/api/figures", get(figures::read))
        .route(UNKNOWN, axum::routing::any(unknown))
        .layer(middleware::from_fn_with_state(Arc::clone(app), permit::permit))
        .layer(middleware::from_fn_with_state(Arc::clone(app), guard_api));
    let api = api
        .merge(fallback::routes(app))
        .route(SOCKET_PATH, get(socket::upgrade))
        .route("/api/openapi.json", get(openapi::serve))
        .method_not_allowed_fallback(not_offered)
        .layer(middleware::from_fn_with_state(Arc::clone(app), cors::share));
    let rest = Router::new()
        .route("/health/live", get(operation::live))
        .route("/health/ready", get(operation::ready))
        .route("/metrics", get(operation::metrics))
        .fallback(web)
        .method_not_allowed_fallback(not_offered);
    let headers = Arc::new(headers::Headers::new(&app.config, &app.web.script_hashes));
    api.merge(rest)
        .layer(middleware::from_fn_with_state(Arc::clone(app), observe))
        .layer(middleware::from_fn_with_state(headers, headers::set))
        .with_state(Arc::clone(app))
}

async fn not_offered() -> Response {
    let error = ApiError::bad_request("this method is not offered here");
    (StatusCode::METHOD_NOT_ALLOWED, error).into_response()
}

async fn unknown() -> ApiError {
    ApiError::new(ErrorCode::NotFound)
}

/// The web app. A page brings the guest's cookie, so that the requests which its script makes at
/// once are all one person's.
async fn web(
    State(app): State<Arc<App>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    extensions: Extensions,
) -> Response {
    if !matches!(method, Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let mut response = app.web.answer(uri.path(), &headers);
    let is_page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    // An address that has made too many guests gets the page alone.
    if is_page
        && let Some(cookie) = app.auth.page_cookie(&headers)
        && admission::admit(&app, &extensions, Who::Unknown).is_ok()
    {
        let headers = response.headers_mut();
        headers.append(header::SET_COOKIE, cookie);
        // A cache between us and several people must not hand one's cookie to another.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    }
    response
}

/// Keeps foreign pages from changing anything, bounds the time, and tells a new guest who they are.
async fn guard_api(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let is_bound = OriginPolicy::binds(request.method());
    if is_bound && app.origins.judge(request.headers()) == OriginVerdict::Foreign {
        return ApiError::new(ErrorCode::ForeignOrigin).into_response();
    }
    let identified = app.auth.request(request.headers());
    let who = identified.as_ref().map_or(Who::Unknown, Who::from);
    let _counted = match admission::admit(&app, request.extensions(), who) {
        Ok(counted) => counted,
        Err(error) => return error.into_response(),
    };
    let Ok(identified) = identified else {
        return ApiError::unauthenticated(&app.config).into_response();
    };
    if is_bound && identified.lacks_origin(request.headers()) {
        return ApiError::new(ErrorCode::ForeignOrigin).into_response();
    }
    let _place = match admission::begin(&app, &request, &identified.identity) {
        Ok(place) => place,
        Err(error) => return error.into_response(),
    };
    request.extensions_mut().insert(extract::Asking(identified.identity));
    let limit = Duration::from_millis(app.config.request_timeout_ms.into());
    let answering = tokio::time::timeout(limit, next.run(request)).await;
    let mut response = answering.unwrap_or_else(|_| ApiError::too_slow().into_response());
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert_with(|| HeaderValue::from_static("no-store"));
    if let Some(cookie) = identified.set_cookie {
        headers.append(header::SET_COOKIE, cookie);
    }
    response
}

/// Gives every request an id, counts it, and logs it by its route: a path may hold a document's id,
/// which opens it.
async fn observe(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = format!("{:016x}", uuid::Uuid::new_v4().as_u64_pair().0);
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "web".to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!("request", id, %method, route);
    let mut response = next.run(request).instrument(span.clone()).await;
    let (status, took) = (response.status().as_u16(), began.elapsed());
    app.metrics.http(&route, status, took);
    span.in_scope(|| {
        let took_ms = took.as_millis();
        match status {
            500.. => tracing::warn!(status, took_ms, "answered"),
            _ => tracing::debug!(status, took_ms, "answered"),
        }
    });
    let id = HeaderValue::from_str(&id).expect("digits are a header value");
    response.headers_mut().insert(REQUEST_ID.clone(), id);
    response
}
