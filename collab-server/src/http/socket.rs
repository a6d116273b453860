//! The WebSocket upgrade.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use collab_protocol::{ErrorCode, SUBPROTOCOL, SUBPROTOCOL_AUTH};
use hyper::upgrade::{OnUpgrade, Parts, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tracing::Instrument;

use super::admission::{self, Entering};
use crate::app::App;
use crate::auth::OriginVerdict;
use crate::error::ApiError;
use crate::listener::{ConnectionPermit, Stream};
use crate::session::{self, Entrant};

/// `GET /api/socket`
pub(super) async fn upgrade(
    State(app): State<Arc<App>>,
    mut request: Request,
) -> Result<Response, ApiError> {
    if app.origins.judge(request.headers()) == OriginVerdict::Foreign {
        return Err(ApiError::new(ErrorCode::ForeignOrigin));
    }
    let key = check_handshake(request.headers())?;
    if app.shutdown.takes_no_session() {
        return Err(ApiError::new(ErrorCode::Overloaded));
    }
    let headers = request.headers();
    let is_told_later = lists(headers, header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL_AUTH);
    let entering = admission::enter(&app, headers, request.extensions(), is_told_later)?;
    let extensions = request.extensions_mut();
    let permit = extensions.remove::<ConnectionPermit>();
    let upgrade = extensions
        .remove::<OnUpgrade>()
        .ok_or_else(|| ApiError::bad_request("this connection cannot be upgraded"))?;
    let Entering { identity, cookie, place } = entering;
    let entrant = Box::new(Entrant { identity, place });
    let span = tracing::info_span!("socket", id = next_id());
    let tasks = app.shutdown.tasks.clone();
    let task = async move {
        let _permit = permit;
        match upgrade.await.map(stream_of) {
            Ok(Some((stream, ahead))) => session::serve(app, stream, ahead, entrant).await,
            Ok(None) => tracing::error!("what was upgraded is no stream of the listener"),
            Err(error) => tracing::debug!(%error, "an upgrade was not completed"),
        }
    };
    tasks.spawn(task.instrument(span));
    Ok(switching(&key, cookie))
}

/// The listener's own stream, without what HTTP has put around it, and what was read of it behind
/// the request. That is copied: the room that the request was read into is held by nobody then.
fn stream_of(upgraded: Upgraded) -> Option<(Stream, Bytes)> {
    let Parts { io, read_buf, .. } = upgraded.downcast::<TokioIo<Stream>>().ok()?;
    Some((io.into_inner(), Bytes::copy_from_slice(&read_buf)))
}

/// Numbers sockets in the log.
fn next_id() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Checks that a request asks for a WebSocket of this protocol, and takes its key.
fn check_handshake(headers: &HeaderMap) -> Result<HeaderValue, ApiError> {
    let is_websocket = lists(headers, header::CONNECTION, "upgrade")
        && lists(headers, header::UPGRADE, "websocket")
        && headers.get(header::SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13");
    if !is_websocket {
        return Err(ApiError::bad_request("this address is for WebSocket connections, version 13"));
    }
    if !lists(headers, header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL) {
        return Err(ApiError::bad_request("the subprotocol concord.v1 must be named"));
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).cloned();
    key.ok_or_else(|| ApiError::bad_request("sec-websocket-key is missing"))
}

/// Whether a header lists a word, in any case of letters.
fn lists(headers: &HeaderMap, name: HeaderName, word: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .any(|line| line.split(',').any(|part| part.trim().eq_ignore_ascii_case(word)))
}

fn switching(key: &HeaderValue, cookie: Option<HeaderValue>) -> Response {
    let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes()))
        .expect("base64 is a header value");
    let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    if let Some(cookie) = cookie {
        headers.append(header::SET_COOKIE, cookie);
    }
    response
}
