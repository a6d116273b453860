//! How much may be asked: by an address that does not say who is there, and by a person who has.

use axum::extract::MatchedPath;
use axum::extract::Request;
use axum::http::Extensions;

use crate::address::{AddressKey, AddressPlace};
use crate::app::{App, UserConnection};
use crate::auth::Identity;
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

/// A place for a WebSocket over which somebody is yet to say who they are. It takes the place of
/// the connection's own, which behind a proxy it has none of.
///
/// # Errors
/// `slow_down` when the address has as many as one may.
pub(super) fn enter_unknown(
    app: &App,
    extensions: &Extensions,
) -> Result<Option<AddressPlace>, ApiError> {
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
