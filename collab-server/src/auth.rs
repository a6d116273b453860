//! Who is asking, and whether the page that asks may.
//!
//! Somebody proves who they are by a token (a JWT that the product around Concord signed), or is a
//! guest, known by a cookie of this server. Tokens come in an `Authorization` header, in a cookie,
//! or as a connection's first message; never in a URL. What a token is refused for goes into the
//! metrics and the log as one word, and to nobody who asks: they hear `unauthenticated`.

mod guest;
mod identity;
mod keys;
mod mint;
mod origin;
mod profile;
mod token;

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::Cookie;

pub use keys::KeyError;
pub use mint::{MintError, Minting};

pub(crate) use guest::{GUEST_COOKIE, is_guest};
pub(crate) use identity::{Identity, Kind};
pub(crate) use mint::mint;
pub(crate) use origin::{OriginPolicy, OriginVerdict};
pub(crate) use profile::default_profile;

use crate::clock::Clock;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::shutdown::Shutdown;
use crate::store::{Store, StoreError};
use guest::Guests;
use keys::KeySource;
use token::{TokenFault, Tokens};

/// Finds out who is asking.
pub(crate) struct Auth {
    /// `None` where people without a token may not come in.
    guests: Option<Guests>,
    /// `None` where no key is configured, so that no token proves anything.
    tokens: Option<Arc<Tokens>>,
    /// The cookie that may hold a token.
    token_cookie: String,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
}

/// Why there is nobody to do anything for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthError {
    /// The keys for tokens.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The key for guests' cookies, which is in the database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Somebody, and what a request of theirs has to come with.
#[derive(Debug)]
pub(crate) struct Identified {
    pub(crate) identity: Identity,
    /// The cookie to be set for a new guest.
    pub(crate) set_cookie: Option<HeaderValue>,
    /// Known by a token in a cookie, which a browser sends along from any page.
    is_by_cookie: bool,
}

impl Identified {
    fn by(identity: Identity) -> Self {
        Identified { identity, set_cookie: None, is_by_cookie: false }
    }

    /// Whether a request that changes something, or opens a socket, says too little of the page it
    /// comes from. [`OriginPolicy::judge`] has judged what it says.
    ///
    /// Every browser names the origin of such requests. What a browser did not send needs no
    /// cookie: it has an `Authorization` header.
    pub(crate) fn lacks_origin(&self, headers: &HeaderMap) -> bool {
        self.is_by_cookie && !headers.contains_key(header::ORIGIN)
    }
}

/// There is no valid identity. Nobody who asks is told why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused;

impl Auth {
    /// Reads and tries the keys. Key files are watched from now on, until the shutdown.
    pub(crate) async fn load(
        config: &Config,
        store: &dyn Store,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        shutdown: &Shutdown,
    ) -> Result<Self, AuthError> {
        let guests = match config.guests_allowed() {
            true => Some(Guests::load(store, config.is_https()).await?),
            false => None,
        };
        let tokens = load_tokens(config)?.map(Arc::new);
        if let Some(tokens) = &tokens {
            keys::watch(Arc::clone(tokens), shutdown);
        }
        let token_cookie = config.token_cookie.as_str().to_owned();
        Ok(Auth { guests, tokens, token_cookie, clock, metrics })
    }

    /// Reads and tries the keys, and forgets them.
    pub(crate) fn check(config: &Config) -> Result<(), KeyError> {
        load_tokens(config).map(drop)
    }

    /// Who sends a request: by its token, else as a guest, a new one if need be.
    pub(crate) fn request(&self, headers: &HeaderMap) -> Result<Identified, Refused> {
        match self.carried(headers)? {
            Some(identified) => Ok(identified),
            None => self.guest(headers).ok_or(Refused),
        }
    }

    /// Who opens a connection; `None` if its first message is to say so.
    ///
    /// `is_told_later`: the first message will bring a token, so cookies do not count.
    pub(crate) fn upgrade(
        &self,
        headers: &HeaderMap,
        is_told_later: bool,
    ) -> Result<Option<Identified>, Refused> {
        if is_told_later {
            return Ok(self.in_header(headers)?.map(Identified::by));
        }
        Ok(self.carried(headers)?.or_else(|| self.guest(headers)))
    }

    /// The cookie that a page has to bring, so that the requests which its script makes at once are
    /// all one guest's.
    pub(crate) fn page_cookie(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        match self.carried(headers) {
            Ok(None) => self.guest(headers)?.set_cookie,
            Ok(Some(_)) | Err(Refused) => None,
        }
    }

    /// Whom a token proves.
    pub(crate) fn token(&self, token: &str) -> Result<Identity, Refused> {
        let found = match &self.tokens {
            Some(tokens) => tokens.check(token, self.clock.now_ms()),
            None => Err(TokenFault::NoKey),
        };
        found.map_err(|fault| {
            self.metrics.token_refused(fault.as_str());
            tracing::debug!(reason = fault.as_str(), "a token was refused");
            Refused
        })
    }

    /// Whom a token among the headers proves. A bad one is an error, even where guests may come in:
    /// somebody who believes to be signed in shall not write as a stranger.
    fn carried(&self, headers: &HeaderMap) -> Result<Option<Identified>, Refused> {
        if let Some(identity) = self.in_header(headers)? {
            return Ok(Some(Identified::by(identity)));
        }
        let Some(token) = self.in_cookie(headers)? else { return Ok(None) };
        let identity = self.token(&token)?;
        Ok(Some(Identified { identity, set_cookie: None, is_by_cookie: true }))
    }

    /// Whom the token in the header proves. Without a key the header is somebody else's, such as a
    /// proxy's that has people sign in before they come here.
    fn in_header(&self, headers: &HeaderMap) -> Result<Option<Identity>, Refused> {
        if self.tokens.is_none() {
            return Ok(None);
        }
        let mut lines = headers.get_all(header::AUTHORIZATION).iter();
        let line = match (lines.next(), lines.next()) {
            (None, _) => return Ok(None),
            (Some(line), None) => line,
            (Some(_), Some(_)) => return Err(Refused),
        };
        let Some((scheme, token)) = line.to_str().map_err(|_| Refused)?.split_once(' ') else {
            return Err(Refused);
        };
        // Another scheme is between the browser and a proxy.
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Ok(None);
        }
        self.token(token.trim_matches(' ')).map(Some)
    }

    /// The one token cookie. Of two, one was slipped in by another host of the same domain.
    fn in_cookie(&self, headers: &HeaderMap) -> Result<Option<String>, Refused> {
        if self.tokens.is_none() {
            return Ok(None);
        }
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut tokens = lines
            .flat_map(|line| Cookie::split_parse(line).flatten())
            .filter(|cookie| cookie.name() == self.token_cookie && !cookie.value().is_empty())
            .map(|cookie| cookie.value().to_owned());
        match (tokens.next(), tokens.next()) {
            (token, None) => Ok(token),
            (_, Some(_)) => Err(Refused),
        }
    }

    fn guest(&self, headers: &HeaderMap) -> Option<Identified> {
        let guests = self.guests.as_ref()?;
        Some(match guests.known(headers) {
            Some(identity) => Identified::by(identity),
            None => {
                let (identity, cookie) = guests.welcome();
                Identified { set_cookie: Some(cookie), ..Identified::by(identity) }
            }
        })
    }
}

/// The keys for tokens, read and tried; `None` without any.
fn load_tokens(config: &Config) -> Result<Option<Tokens>, KeyError> {
    KeySource::of(config).map(|source| Tokens::load(source, config)).transpose()
}
