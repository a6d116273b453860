//! Who is asking: guests known by a signed cookie, and whether the page that asks may.
//!
//! A guest's cookie proves an id and nothing else. A guest's name and colour come from the id
//! until the person chooses others, so a passing visitor leaves no row in the database.

mod guest;
mod identity;
mod origin;

use axum::http::{HeaderMap, HeaderValue, header};
use collab_protocol::UserId;
use cookie::{Cookie, CookieJar, Key, SameSite};

pub(crate) use guest::default_profile;
pub(crate) use identity::{Identity, Kind};
pub(crate) use origin::{OriginPolicy, OriginVerdict};

use crate::store::{Store, StoreError};

/// The cookie's name.
pub(crate) const GUEST_COOKIE: &str = "concord_guest";

/// How long a browser keeps the cookie, in days: browsers cap it at 400.
const COOKIE_DAYS: i64 = 400;

/// Reads and writes guests' cookies.
pub(crate) struct Guests {
    key: Key,
    allowed: bool,
    secure: bool,
}

/// A person, and the cookie to be set if the person is new.
#[derive(Debug)]
pub(crate) struct Identified {
    pub(crate) identity: Identity,
    pub(crate) set_cookie: Option<HeaderValue>,
}

impl Guests {
    /// Takes the signing key from the database, where the first server to start puts one.
    pub(crate) async fn load(
        store: &dyn Store,
        allowed: bool,
        secure: bool,
    ) -> Result<Self, StoreError> {
        let fresh = Key::generate().master().to_vec();
        let stored = store.setting_or_insert("guest_cookie_key", fresh).await?;
        let key = Key::try_from(stored.as_slice())
            .map_err(|_| StoreError::Invalid { reason: "the stored guest key is too short" })?;
        Ok(Guests { key, allowed, secure })
    }

    /// The guest whose valid cookie is among the headers.
    pub(crate) fn known(&self, headers: &HeaderMap) -> Option<UserId> {
        if !self.allowed {
            return None;
        }
        let mut jar = CookieJar::new();
        for line in headers.get_all(header::COOKIE) {
            for part in Cookie::split_parse(line.to_str().ok()?).flatten() {
                if part.name() == GUEST_COOKIE {
                    jar.add_original(part.into_owned());
                }
            }
        }
        jar.signed(&self.key).get(GUEST_COOKIE)?.value().parse().ok()
    }

    /// The guest behind a request, a new one if need be; `None` where guests are not allowed.
    pub(crate) fn identify(&self, headers: &HeaderMap) -> Option<Identified> {
        if !self.allowed {
            return None;
        }
        if let Some(user) = self.known(headers) {
            return Some(Identified { identity: Identity::guest(user), set_cookie: None });
        }
        let user: UserId = format!("g_{}", uuid::Uuid::new_v4().simple())
            .parse()
            .expect("a prefix and 32 digits are a user id");
        let set_cookie = Some(self.cookie(&user));
        Some(Identified { identity: Identity::guest(user), set_cookie })
    }

    /// The person whom a token proves. No issuer can be configured yet, so no token proves any.
    pub(crate) fn token(&self, _token: &str) -> Option<Identity> {
        None
    }

    fn cookie(&self, user: &UserId) -> HeaderValue {
        let mut jar = CookieJar::new();
        let cookie = Cookie::build((GUEST_COOKIE, user.as_str().to_owned()))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure)
            .max_age(cookie::time::Duration::days(COOKIE_DAYS));
        jar.signed_mut(&self.key).add(cookie);
        let signed = jar.get(GUEST_COOKIE).expect("the cookie was just added");
        HeaderValue::from_str(&signed.to_string()).expect("a signed cookie is ASCII")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guests(allowed: bool) -> Guests {
        Guests { key: Key::from(&[7; 64]), allowed, secure: true }
    }

    fn asking_with(cookie: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_str(cookie).expect("ASCII"));
        headers
    }

    fn fresh(guests: &Guests) -> (UserId, String) {
        let identified = guests.identify(&HeaderMap::new()).expect("a guest");
        let header = identified.set_cookie.expect("a cookie");
        (identified.identity.user, header.to_str().expect("ASCII").to_owned())
    }

    #[test]
    fn a_guest_is_known_by_the_cookie_it_was_given() {
        let guests = guests(true);
        let (user, header) = fresh(&guests);
        let cookie = header.split(';').next().expect("a pair");
        let headers = asking_with(&format!("a=b; {cookie}; c=d"));
        let again = guests.identify(&headers).expect("a guest");
        assert_eq!(again.identity.user, user);
        assert!(again.set_cookie.is_none());
    }

    #[test]
    fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
        let (_, header) = fresh(&guests(true));
        for attribute in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
            assert!(header.contains(attribute), "{header}");
        }
    }

    #[test]
    fn a_cookie_that_was_changed_or_signed_elsewhere_makes_a_new_guest() {
        let here = guests(true);
        let (user, header) = fresh(&here);
        let cookie = header.split(';').next().expect("a pair");
        let elsewhere = Guests { key: Key::from(&[8; 64]), allowed: true, secure: true };
        assert_eq!(elsewhere.known(&asking_with(cookie)), None);
        let digit = if cookie.ends_with('0') { '1' } else { '0' };
        let changed = format!("{}{digit}", &cookie[..cookie.len() - 1]);
        assert_eq!(here.known(&asking_with(&changed)), None);
        assert_eq!(here.known(&asking_with(&format!("{GUEST_COOKIE}={user}"))), None);
    }

    #[test]
    fn without_guests_nobody_is_known() {
        let (_, header) = fresh(&guests(true));
        let cookie = header.split(';').next().expect("a pair");
        assert!(guests(false).identify(&asking_with(cookie)).is_none());
    }
}
