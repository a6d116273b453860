//! Guests: known by a cookie that this server signed, and by nothing else.
//!
//! A guest's name and colour come from the id until the person chooses others, so a passing
//! visitor leaves no row in the database.

use axum::http::{HeaderMap, HeaderValue, header};
use collab_protocol::UserId;
use cookie::{Cookie, CookieJar, Key, SameSite};

use super::Identity;
use crate::store::{Store, StoreError};

/// The cookie's name.
pub(crate) const GUEST_COOKIE: &str = "concord_guest";

/// What guests' ids begin with; a token's may not.
pub(super) const GUEST_PREFIX: &str = "g_";

/// Whether an id is one that guests have; tokens may not claim such.
pub(crate) fn is_guest(user: &UserId) -> bool {
    user.as_str().starts_with(GUEST_PREFIX)
}

/// How long a browser keeps the cookie, in days: browsers cap it at 400.
const COOKIE_DAYS: i64 = 400;

/// Reads and writes guests' cookies.
pub(super) struct Guests {
    key: Key,
    secure: bool,
}

impl Guests {
    /// Takes the signing key from the database, where the first server to start puts one.
    pub(super) async fn load(store: &dyn Store, secure: bool) -> Result<Self, StoreError> {
        let fresh = Key::generate().master().to_vec();
        let stored = store.setting_or_insert("guest_cookie_key", fresh).await?;
        let key = Key::try_from(stored.as_slice())
            .map_err(|_| StoreError::Invalid { reason: "the stored guest key is too short" })?;
        Ok(Guests { key, secure })
    }

    /// The guest whose valid cookie is among the headers.
    pub(super) fn known(&self, headers: &HeaderMap) -> Option<Identity> {
        let mut jar = CookieJar::new();
        for line in headers.get_all(header::COOKIE) {
            for part in Cookie::split_parse(line.to_str().ok()?).flatten() {
                if part.name() == GUEST_COOKIE {
                    jar.add_original(part.into_owned());
                }
            }
        }
        let user = jar.signed(&self.key).get(GUEST_COOKIE)?.value().parse().ok()?;
        Some(Identity::guest(user))
    }

    /// Somebody who was never here, and the cookie to know them by.
    pub(super) fn welcome(&self) -> (Identity, HeaderValue) {
        let user: UserId = format!("{GUEST_PREFIX}{}", uuid::Uuid::new_v4().simple())
            .parse()
            .expect("a prefix and 32 digits are a user id");
        let cookie = self.cookie(&user);
        (Identity::guest(user), cookie)
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

    fn guests() -> Guests {
        Guests { key: Key::from(&[7; 64]), secure: true }
    }

    fn asking_with(cookie: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_str(cookie).expect("ASCII"));
        headers
    }

    fn fresh(guests: &Guests) -> (UserId, String) {
        let (identity, cookie) = guests.welcome();
        (identity.user, cookie.to_str().expect("ASCII").to_owned())
    }

    #[test]
    fn a_guest_is_known_by_the_cookie_it_was_given() {
        let guests = guests();
        let (user, header) = fresh(&guests);
        let cookie = header.split(';').next().expect("a pair");
        let headers = asking_with(&format!("a=b; {cookie}; c=d"));
        assert_eq!(guests.known(&headers), Some(Identity::guest(user)));
        assert_eq!(guests.known(&HeaderMap::new()), None);
    }

    #[test]
    fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
        let (_, header) = fresh(&guests());
        for attribute in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
            assert!(header.contains(attribute), "{header}");
        }
    }

    #[test]
    fn a_cookie_that_was_changed_or_signed_elsewhere_is_nobodys() {
        let here = guests();
        let (user, header) = fresh(&here);
        let cookie = header.split(';').next().expect("a pair");
        let elsewhere = Guests { key: Key::from(&[8; 64]), secure: true };
        assert_eq!(elsewhere.known(&asking_with(cookie)), None);
        let digit = if cookie.ends_with('0') { '1' } else { '0' };
        let changed = format!("{}{digit}", &cookie[..cookie.len() - 1]);
        assert_eq!(here.known(&asking_with(&changed)), None);
        assert_eq!(here.known(&asking_with(&format!("{GUEST_COOKIE}={user}"))), None);
    }
}
