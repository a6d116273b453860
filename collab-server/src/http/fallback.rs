//! Sessions over HTTP, for networks that break WebSockets: Server-Sent Events or long polling down,
//! POST up. What is said is the same, and so is the session that says it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use collab_protocol::{
    ErrorCode, OpenSession, SESSION_HEADER, SESSION_PATH, SUBPROTOCOL, SessionOpened,
};
use serde::Deserialize;

use super::admission::{self, Entering, Who};
use super::body::{self, Patience};
use super::extract;
use crate::address::AddressPlace;
use crate::app::App;
use crate::auth::{Identity, Kind, OriginVerdict};
use crate::error::ApiError;
use crate::session::{self, Form, Pipe, PipeError};

/// How long a poll waits for something to say, at most. Proxies cut requests that are silent for 30
/// seconds and more.
const POLL_MAX: Duration = Duration::from_secs(25);

/// Asks proxies not to collect a stream before they pass it on.
static ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

pub(super) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route(SESSION_PATH, post(open).delete(leave))
        .route(&format!("{SESSION_PATH}/events"), get(events))
        .route(&format!("{SESSION_PATH}/messages"), post(messages))
        .layer(middleware::from_fn_with_state(Arc::clone(app), guard))
}

/// Keeps foreign pages out, and everything out of caches.
async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = if app.origins.judge(request.headers()) == OriginVerdict::Foreign {
        ApiError::new(ErrorCode::ForeignOrigin).into_response()
    } else {
        next.run(request).await
    };
    let kept_nowhere = HeaderValue::from_static("no-store, no-transform");
    response.headers_mut().insert(header::CACHE_CONTROL, kept_nowhere);
    response
}

impl From<PipeError> for ApiError {
    fn from(error: PipeError) -> Self {
        match error {
            PipeError::Ended => ApiError::new(ErrorCode::NotFound),
            PipeError::Gap => ApiError::bad_request("messages before these are missing"),
            PipeError::NoSuchEvent => {
                ApiError::bad_request("there is no such event, or it was acknowledged")
            }
        }
    }
}

/// The session that a request is about.
struct About {
    pipe: Arc<Pipe>,
    /// The request's place among those of its address.
    _counted: Option<AddressPlace>,
}

impl FromRequestParts<Arc<App>> for About {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let id = parts.headers.get(SESSION_HEADER).and_then(|id| id.to_str().ok());
        let found = id.and_then(|id| app.pipes.find(id));
        let found = found.filter(|(_, opener)| is_opener(app, opener.as_ref(), &parts.headers));
        let Some((pipe, _)) = found else {
            // It may be another server's, which a proxy asks next, so no rate holds this back: an id
            // cannot be guessed, and not to know one costs no more than to refuse.
            admission::count(app, &parts.extensions, Who::Unknown)?;
            return Err(ApiError::new(ErrorCode::NotFound));
        };
        let who = pipe.kind().map_or(Who::Unknown, Who::from);
        let _counted = admission::count(app, &parts.extensions, who)?;
        Ok(About { pipe, _counted })
    }
}

/// Whether a request comes from the person who opened a session. Of one whose first message said
/// who they are, and of a guest whose browser keeps no cookie, knowing the id is all there is.
fn is_opener(app: &App, opener: Option<&Identity>, headers: &HeaderMap) -> bool {
    let Some(opener) = opener else { return true };
    let asking = app.auth.upgrade(headers, false).ok().flatten();
    asking.is_some_and(|asking| asking.identity.is_same(opener))
}

/// `POST /api/session`
async fn open(State(app): State<Arc<App>>, request: Request) -> Result<Response, ApiError> {
    if app.shutdown.takes_no_session() {
        return Err(ApiError::new(ErrorCode::Overloaded));
    }
    let (headers, extensions) = (request.headers().clone(), request.extensions().clone());
    // Whoever is to be waited for has a place by then.
    let waiting = admission::wait(&app, &extensions)?;
    let body_max = app.config.preauth_message_bytes_max as usize;
    let OpenSession { subprotocol, auth } = extract::small(&app, request, body_max).await?;
    drop(waiting);
    if subprotocol != SUBPROTOCOL {
        return Err(ApiError::bad_request("the subprotocol concord.v1 must be named"));
    }
    let entering = admission::enter(&app, &headers, &extensions, auth)?;
    let Entering { identity, cookie, mut place } = entering;
    if identity.as_ref().is_some_and(|identity| identity.kind == Kind::Guest) {
        place = admission::enter_session(&app, &extensions)?;
    }
    // A page of another origin sends no cookie, and is not given one: its guest is whoever has the id.
    let is_bare = cookie.is_some() && !headers.contains_key(header::COOKIE);
    let opener = identity.clone().filter(|_| !is_bare);
    let session = session::open_pipe(&app, identity, opener, place)
        .ok_or(ApiError::new(ErrorCode::Overloaded))?;
    let mut response = (StatusCode::CREATED, Json(SessionOpened { session })).into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// `DELETE /api/session`
async fn leave(About { pipe, .. }: About) -> StatusCode {
    pipe.leave();
    StatusCode::NO_CONTENT
}

/// Where to go on receiving, and how.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    #[serde(default)]
    after: u64,
    /// How long to wait for the first event, in milliseconds; a stream if it is left out.
    poll_ms: Option<u32>,
}

/// `GET /api/session/events`
async fn events(
    About { pipe, .. }: About,
    wish: Result<Query<Wish>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(Wish { after, poll_ms }) = wish?;
    let (form, kind) = match poll_ms {
        None => (Form::Stream, "text/event-stream"),
        Some(ms) => {
            let wait = Duration::from_millis(ms.into()).min(POLL_MAX);
            (Form::Poll(wait), "text/plain; charset=utf-8")
        }
    };
    let body = Body::from_stream(pipe.receive(after, form)?);
    let fixed = HeaderValue::from_static;
    let headers = [(header::CONTENT_TYPE, fixed(kind)), (ACCEL_BUFFERING.clone(), fixed("no"))];
    Ok((headers, body).into_response())
}

/// What a request with messages says besides them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    /// The number of the first message.
    n: u64,
    /// The last event that was received.
    #[serde(default)]
    ack: u64,
}

/// `POST /api/session/messages`
async fn messages(
    State(app): State<Arc<App>>,
    About { pipe, _counted }: About,
    sent: Result<Query<Sent>, axum::extract::rejection::QueryRejection>,
    body: Body,
) -> Result<StatusCode, ApiError> {
    let Query(Sent { n, ack }) = sent?;
    pipe.acknowledge(ack)?;
    let limit = Duration::from_millis(app.config.request_timeout_ms.into());
    let taking = async {
        let patience = Patience::with_a_large_one(&app.config);
        let body = body::read(body, patience, |len| admit(&pipe, len)).await?;
        Ok(pipe.send(n.max(1), body).await?)
    };
    match tokio::time::timeout(limit, taking).await {
        Ok(taken) => taken.map(|()| StatusCode::NO_CONTENT),
        Err(_) => Err(ApiError::new(ErrorCode::SlowDown)),
    }
}

/// Lets a body be no longer than messages may be; a longer one ends the session.
fn admit(pipe: &Pipe, len: usize) -> Result<(), ApiError> {
    if len <= pipe.body_max() {
        return Ok(());
    }
    pipe.flood();
    Err(ApiError::new(ErrorCode::MessageTooLarge))
}
