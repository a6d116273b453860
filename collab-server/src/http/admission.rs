//! How much may be asked: by an address that does not say who is there, and by a person who has.

use axum::extract::MatchedPath;
use axum::extract::Request;
use axum::http::{Extensions, HeaderMap, HeaderValue};
use collab_protocol::ErrorCode;

use crate::address::{AddressKey, AddressPlace, Class};
use crate::app::{App, UserConnection};
use crate::auth::{Identified, Identity, Kind, Refused};
use crate::error::ApiError;
use crate::listener::ConnectionPermit;
use crate::metrics::Limit;
use crate::usage::Work;

/// Where a request came from. Every connection of the listener says so.
fn address(extensions: &Extensions) -> Option<AddressKey> {
    extensions.get::<AddressKey>().copied()
}

/// Who asks, as far as it matters to their address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Nobody yet; also the guest who is made by this very request.
    Unknown,
    Guest,
    /// Somebody with a token.
    Known,
}

impl From<Kind> for Who {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Guest => Who::Guest,
            Kind::Person | Kind::Service => Who::Known,
        }
    }
}

impl From<&Identified> for Who {
    fn from(identified: &Identified) -> Self {
        match identified.set_cookie {
            Some(_) => Who::Unknown,
            None => identified.identity.kind.into(),
        }
    }
}

/// Counts a request of somebody unknown, and the connection, or a proxy's request, among those of
/// its address: see [`count`].
///
/// # Errors
/// `slow_down` when the address has made too many, or has as many as one may.
pub(super) fn admit(
    app: &App,
    extensions: &Extensions,
    who: Who,
) -> Result<Option<AddressPlace>, ApiError> {
    if who == Who::Unknown
        && let Some(address) = address(extensions)
    {
        app.addresses.ask(address).map_err(|wait| {
            app.metrics.limited(Limit::AddressRequests);
            ApiError::slow_down(wait)
        })?;
    }
    count(app, extensions, who)
}

/// Counts the connection among those of its address, by who is known over it; somebody with a token
/// frees it from that. Over a proxy's connection it is the request that is counted: by the place that
/// comes, for as long as it is kept.
///
/// # Errors
/// `slow_down` when the address has as many as one may.
pub(super) fn count(
    app: &App,
    extensions: &Extensions,
    who: Who,
) -> Result<Option<AddressPlace>, ApiError> {
    let permit = extensions.get::<ConnectionPermit>();
    let class = match who {
        Who::Unknown => Class::Unknown,
        Who::Guest => Class::Guest,
        Who::Known => {
            permit.inspect(|permit| permit.free());
            return Ok(None);
        }
    };
    let Some(address) = address(extensions) else { return Ok(None) };
    match permit.filter(|permit| !permit.is_proxys()) {
        None => place(app, address, class).map(Some),
        Some(permit) if permit.count_as(&app.addresses, address, class) => Ok(None),
        Some(_) => Err(too_many(app, class)),
    }
}

/// A place of its own for what a connection's does not count.
fn place(app: &App, address: AddressKey, class: Class) -> Result<AddressPlace, ApiError> {
    app.addresses.enter(address, class).ok_or_else(|| too_many(app, class))
}

fn too_many(app: &App, class: Class) -> ApiError {
    app.metrics.limited(match class {
        Class::Unknown => Limit::AddressConnections,
        Class::Guest | Class::GuestSession => Limit::AddressGuests,
    });
    ApiError::slow_down(app.handshake_time())
}

/// Somebody who opens a connection, whatever is to carry it.
pub(super) struct Entering {
    /// Who it is; `None` if the first message is to say so.
    pub(super) identity: Option<Identity>,
    /// The cookie to be set for a new guest.
    pub(super) cookie: Option<HeaderValue>,
    /// The place of a guest, or of somebody who is yet to say who they are, where it is not the
    /// connection's.
    pub(super) place: Option<AddressPlace>,
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
    let known = identified.as_ref().ok().and_then(Option::as_ref);
    let mut counted = admit(app, extensions, known.map_or(Who::Unknown, Who::from))?;
    match identified.map_err(|Refused| ApiError::unauthenticated(&app.config))? {
        Some(identified) if identified.lacks_origin(headers) => {
            Err(ApiError::new(ErrorCode::ForeignOrigin))
        }
        Some(Identified { identity, set_cookie: cookie, .. }) => {
            if cookie.is_some() {
                // Once made, a guest is one of its address's guests.
                counted = count(app, extensions, Who::Guest)?;
            }
            Ok(Entering { identity: Some(identity), cookie, place: counted })
        }
        None => {
            drop(counted);
            let unknown = enter_unknown(app, extensions)?;
            Ok(Entering { identity: None, cookie: None, place: unknown })
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
        permit.free();
    }
    place(app, address, Class::Unknown).map(Some)
}

/// A place for a guest's session over HTTP, which lasts while no connection does.
///
/// # Errors
/// `slow_down` when the address has as many as one may.
pub(super) fn enter_session(
    app: &App,
    extensions: &Extensions,
) -> Result<Option<AddressPlace>, ApiError> {
    let Some(address) = address(extensions) else { return Ok(None) };
    place(app, address, Class::GuestSession).map(Some)
}

/// A place for a request whose body is waited for before it is known who sends it. A connection that
/// is counted by its address has one already.
///
/// # Errors
/// `slow_down` when the address has as many as one may.
pub(super) fn wait(app: &App, extensions: &Extensions) -> Result<Option<AddressPlace>, ApiError> {
    if extensions.get::<ConnectionPermit>().is_some_and(ConnectionPermit::is_counted) {
        return Ok(None);
    }
    let Some(address) = address(extensions) else { return Ok(None) };
    place(app, address, Class::Unknown).map(Some)
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
    if work == Work::Create
        && identity.kind == Kind::Guest
        && let Some(address) = address(request.extensions())
    {
        app.addresses.create_as_guest(address).map_err(|wait| {
            app.metrics.limited(Limit::AddressCreates);
            ApiError::slow_down(wait)
        })?;
    }
    app.usage.begin(identity, work).map_err(|wait| {
        app.metrics.limited(work.limit());
        ApiError::slow_down(wait)
    })
}
