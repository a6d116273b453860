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

/// Its name where people come by https: browsers take it from this very host alone, so that no
/// neighbour of the domain can slip one in.
const HOST_COOKIE: &str = "__Host-concord_guest";

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

    /// The guest whose valid cookie is among the headers. The one that only this host can set counts
    /// before the other, which people have from before there was https. Of two guests in one kind of
    /// cookie, one was slipped in: that is nobody.
    pub(super) fn known(&self, headers: &HeaderMap) -> Option<Identity> {
        let (mut of_host, mut of_domain) = (Vec::new(), Vec::new());
        for line in headers.get_all(header::COOKIE) {
            for cookie in Cookie::split_parse(line.to_str().ok()?).flatten() {
                let found = match cookie.name() {
                    HOST_COOKIE => &mut of_host,
                    GUEST_COOKIE => &mut of_domain,
                    _ => continue,
                };
                if let Some(user) = self.signed(cookie).filter(|user| !found.contains(user)) {
                    found.push(user);
                }
            }
        }
        let found = if of_host.is_empty() { of_domain } else { of_host };
        match found.as_slice() {
            [user] => Some(Identity::guest(user.clone())),
            _ => None,
        }
    }

    /// Whom a cookie names that this server signed.
    fn signed(&self, cookie: Cookie<'_>) -> Option<UserId> {
        let jar = CookieJar::new();
        jar.signed(&self.key).verify(cookie.into_owned())?.value().parse().ok()
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
        let name = if self.secure { HOST_COOKIE } else { GUEST_COOKIE };
        let cookie = Cookie::build((name, user.as_str().to_owned()))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure)
            .max_age(cookie::time::Duration::days(COOKIE_DAYS));
        jar.signed_mut(&self.key).add(cookie);
        let signed = jar.get(name).expect("the cookie was just added");
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
    /// A guest's cookie under this name, whatever name it was made under.
    fn named(name: &str, header: &str) -> String {
        let value = header.split(';').next().and_then(|pair| pair.split_once('=')).expect("a pair");
        format!("{name}={}", value.1)
    }

    #[test]
    fn two_guests_in_one_request_are_nobody_unless_one_is_of_this_very_host() {
        let guests = guests();
        let [(ada, first), (_, second)] = [fresh(&guests), fresh(&guests)];
        let of_host = named(HOST_COOKIE, &first);
        let [plain, other] = [&first, &second].map(|header| named(GUEST_COOKIE, header));
        let forged = format!("{GUEST_COOKIE}=forged");
        for (cookies, expected) in [
            (vec![&plain, &other], None),
            (vec![&other, &plain], None),
            (vec![&plain, &plain], Some(&ada)),
            (vec![&plain, &forged], Some(&ada)),
            (vec![&forged, &plain], Some(&ada)),
            (vec![&of_host, &other], Some(&ada)),
            (vec![&other, &of_host], Some(&ada)),
        ] {
            let cookies: Vec<&str> = cookies.into_iter().map(String::as_str).collect();
            let known = guests.known(&asking_with(&cookies.join("; ")));
            assert_eq!(known, expected.cloned().map(Identity::guest), "{cookies:?}");
        }
    }

    #[test]
    fn behind_https_the_cookie_is_of_the_host_alone_and_older_ones_count_on() {
        let (_, header) = fresh(&guests());
        assert!(header.starts_with("__Host-concord_guest="), "{header}");
        assert!(!header.contains("Domain"), "{header}");
        let before = Guests { key: Key::from(&[7; 64]), secure: false };
        let (user, header) = fresh(&before);
        assert!(header.starts_with("concord_guest="), "{header}");
        let cookie = header.split(';').next().expect("a pair");
        assert_eq!(guests().known(&asking_with(cookie)), Some(Identity::guest(user)));
    }
}
