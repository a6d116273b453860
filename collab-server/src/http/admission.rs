//! How much may be asked: by an address that does not say who is there, and by a person who has.

use axum::extract::MatchedPath;
use axum::extract::Request;
use axum::http::{Extensions, HeaderMap, HeaderValue};
use collab_protocol::ErrorCode;

use crate::address::{AddressKey, AddressPlace};
use crate::app::{App, UserConnection};
use crate::auth::{Identified, Identity, Refused};
use crate::error::ApiError;
use crate::listener::ConnectionPermit;
use crate::metrics::Limit;
use crate::usage::Work;

/// Where a request came from. Every connection of the listener says so.
fn address(extensions: &Extensions) -> Option<AddressKey> {
    extensions.get::<AddressKey>().copied()
}

/// Whoever shows a valid identity frees the connection from the count of its address; a request
/// without one is counted, also the one that makes a new guest.
///
/// # Errors
/// `slow_down` when the address has made too many of them.
pub(super) fn admit(app: &App, extensions: &Extensions, is_known: bool) -> Result<(), ApiError> {
    if is_known {
        if let Some(permit) = extensions.get::<ConnectionPermit>() {
            permit.known();
        }
        return Ok(());
    }
    let Some(address) = address(extensions) else { return Ok(()) };
    app.addresses.ask(address).map_err(|wait| {
        app.metrics.limited(Limit::AddressRequests);
        ApiError::slow_down(wait)
    })
}

/// Somebody who opens a connection, whatever is to carry it.
pub(super) struct Entering {
    /// Who it is; `None` if the first message is to say so.
    pub(super) identity: Option<Identity>,
    /// The cookie to be set for a new guest.
    pub(super) cookie: Option<HeaderValue>,
    /// The place of somebody who is yet to say who they are.
    pub(super) unknown: Option<AddressPlace>,
}

/// Finds out who opens a connection. `is_told_later`: the first message will bring a token.
///
/// # Errors
/// When there is a bad identity, a cookie without the page that sends it, or too much of the
/// address.
pub(super) fn enter(
    app: &App,
    headers: &HeaderMap,
    extensions: &Extensions,
    is_told_later: bool,
) -> Result<Entering, ApiError> {
    let identified = app.auth.upgrade(headers, is_told_later);
    let is_known = matches!(&identified, Ok(Some(identified)) if identified.set_cookie.is_none());
    admit(app, extensions, is_known)?;
    match identified.map_err(|Refused| ApiError::unauthenticated(&app.config))? {
        Some(identified) if identified.lacks_origin(headers) => {
            Err(ApiError::new(ErrorCode::ForeignOrigin))
        }
        Some(Identified { identity, set_cookie: cookie, .. }) => {
            Ok(Entering { identity: Some(identity), cookie, unknown: None })
        }
        None => {
            let unknown = enter_unknown(app, extensions)?;
            Ok(Entering { identity: None, cookie: None, unknown })
        }
    }
}

/// A place for a connection over which somebody is yet to say who they are. It takes the place of
/// the connection's own, which behind a proxy it has none of.
///
/// # Errors
/// `slow_down` when the address has as many as one may.
fn enter_unknown(app: &App, extensions: &Extensions) -> Result<Option<AddressPlace>, ApiError> {
    let Some(address) = address(extensions) else { return Ok(None) };
    if let Some(permit) = extensions.get::<ConnectionPermit>() {
        permit.known();
    }
    let place = app.addresses.enter(address).ok_or_else(|| {
        app.metrics.limited(Limit::AddressConnections);
        ApiError::slow_down(app.handshake_time())
    });
    place.map(Some)
}

/// A place for a request whose body is waited for before it is known who sends it. A connection that
/// is counted by its address has one already; over a proxy's it is the request that is counted.
///
/// # Errors
/// `slow_down` when the address has as many as one may.
pub(super) fn wait(app: &App, extensions: &Extensions) -> Result<Option<AddressPlace>, ApiError> {
    if extensions.get::<ConnectionPermit>().is_some_and(ConnectionPermit::is_counted) {
        return Ok(None);
    }
    let Some(address) = address(extensions) else { return Ok(None) };
    app.addresses.enter(address).map(Some).ok_or_else(|| {
        app.metrics.limited(Limit::AddressConnections);
        ApiError::slow_down(app.handshake_time())
    })
}

/// Counts what a person asks for, and keeps a place for it where there are only so many.
///
/// # Errors
/// `slow_down` when it is too much.
pub(super) fn begin(
    app: &App,
    request: &Request,
    identity: &Identity,
) -> Result<Option<UserConnection>, ApiError> {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let Some(work) = Work::of(request.method(), route) else { return Ok(None) };
    app.usage.begin(identity, work).map_err(|wait| {
        app.metrics.limited(work.limit());
        ApiError::slow_down(wait)
    })
}
