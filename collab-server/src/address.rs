//! Where a request comes from, and what one address may do for which no token speaks.
//!
//! People with a token are never counted by their address: a school or an office is one address.
//! Whoever is not known yet has nothing else to be counted by. A guest is known, but anybody is as
//! many guests as they like: so guests have an address's number too, a larger one. An IPv6 address
//! counts as its /64, which is what one customer has at the least.

mod forwarded;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName};

use crate::config::{Config, Networks};
use crate::rate::Rates;

/// Whom an address stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AddressKey(Ipv6Addr);

impl From<IpAddr> for AddressKey {
    fn from(address: IpAddr) -> Self {
        const HOST_BITS: u128 = u64::MAX as u128;
        match address.to_canonical() {
            IpAddr::V4(address) => AddressKey(address.to_ipv6_mapped()),
            IpAddr::V6(address) => AddressKey(Ipv6Addr::from_bits(address.to_bits() & !HOST_BITS)),
        }
    }
}

/// What is counted by address, each for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// Connections over which nobody has said who they are.
    Unknown,
    /// Connections of guests.
    Guest,
    /// Sessions of guests over HTTP, which outlast connections.
    GuestSession,
}

/// See the module.
pub(crate) struct Addresses {
    proxies: Networks,
    header: Option<HeaderName>,
    open: Mutex<HashMap<(AddressKey, Class), u32>>,
    unknown_max: u32,
    guests_max: u32,
    requests: Rates<AddressKey>,
    guest_creates: Rates<AddressKey>,
}

impl Addresses {
    pub(crate) fn new(config: &Config) -> Arc<Self> {
        Arc::new(Addresses {
            proxies: config.trusted_proxies.clone(),
            header: config.forwarded_header.clone(),
            open: Mutex::default(),
            unknown_max: config.anonymous_connections_per_address_max,
            guests_max: config.guest_connections_per_address_max,
            requests: Rates::new(config.anonymous_per_s, config.anonymous_burst),
            guest_creates: Rates::new(
                config.guest_creates_per_address_per_s,
                config.guest_creates_per_address_burst,
            ),
        })
    }

    /// Whether connections from here are a proxy's, whose people are told apart by its header.
    pub(crate) fn is_proxy(&self, peer: IpAddr) -> bool {
        self.proxies.contains(peer)
    }

    /// Who asks: the other end of the connection, or whom a trusted proxy names. A header from
    /// anybody else is not looked at.
    pub(crate) fn of(&self, peer: IpAddr, headers: &HeaderMap) -> AddressKey {
        let Some(name) = self.header.as_ref().filter(|_| self.is_proxy(peer)) else {
            return peer.into();
        };
        // Each proxy adds who asked it behind the others; what stands before the first that is not
        // ours, anybody may have written.
        let mut named = forwarded::addresses(headers, name);
        named
            .find(|address| !address.is_some_and(|address| self.is_proxy(address)))
            .map_or_else(|| peer.into(), |address| address.unwrap_or(peer).into())
    }

    /// A place for one more of this class, given back when dropped; `None` when the address has as
    /// many as one may.
    pub(crate) fn enter(self: &Arc<Self>, key: AddressKey, class: Class) -> Option<AddressPlace> {
        let max = match class {
            Class::Unknown => self.unknown_max,
            Class::Guest | Class::GuestSession => self.guests_max,
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry((key, class)).or_insert(0);
        if *count >= max {
            return None;
        }
        *count += 1;
        Some(AddressPlace { all: Arc::clone(self), key, class })
    }

    /// Takes one request without an identity.
    ///
    /// # Errors
    /// How long until the address may make one again.
    pub(crate) fn ask(&self, key: AddressKey) -> Result<(), Duration> {
        self.requests.take(&key)
    }

    /// Takes one document or version that a guest makes.
    ///
    /// # Errors
    /// How long until a guest of this address may make one again.
    pub(crate) fn create_as_guest(&self, key: AddressKey) -> Result<(), Duration> {
        self.guest_creates.take(&key)
    }
}

/// One place among those of its address.
pub(crate) struct AddressPlace {
    all: Arc<Addresses>,
    key: AddressKey,
    class: Class,
}

impl AddressPlace {
    pub(crate) fn class(&self) -> Class {
        self.class
    }
}

impl Drop for AddressPlace {
    fn drop(&mut self) {
        let mut open = self.all.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&(self.key, self.class)) {
            *count -= 1;
            if *count == 0 {
                open.remove(&(self.key, self.class));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;
    use axum::http::HeaderValue;

    fn addresses(settings: &[(&str, &str)]) -> Arc<Addresses> {
        let mut sources = Sources::default();
        for (name, value) in settings {
            sources.flag(name, (*value).to_owned());
        }
        Addresses::new(&sources.resolve().expect("settings"))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[track_caller]
    fn check(addresses: &Addresses, peer: &str, lines: &[&'static str], expected: &str) {
        for name in ["x-forwarded-for", "forwarded"] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(name, HeaderValue::from_static(line));
            }
            if addresses.header.as_ref().is_none_or(|header| header == name) {
                let found = addresses.of(ip(peer), &headers);
                assert_eq!(found, ip(expected).into(), "{peer}: {name}: {lines:?}");
            }
        }
    }

    #[test]
    fn nobody_s_header_is_believed_unless_a_trusted_proxy_sends_it() {
        check(&addresses(&[]), "127.0.0.1", &["1.2.3.4"], "127.0.0.1");
        let proxied = addresses(&[
            ("trusted_proxies", "10.0.0.0/8, ::1"),
            ("forwarded_header", "X-Forwarded-For"),
        ]);
        check(&proxied, "192.0.2.1", &["1.2.3.4"], "192.0.2.1");
        check(&proxied, "10.1.1.1", &["1.2.3.4"], "1.2.3.4");
        check(&proxied, "::1", &["6.6.6.6, 1.2.3.4"], "1.2.3.4");
        check(&proxied, "10.1.1.1", &["6.6.6.6", "1.2.3.4, 10.9.9.9"], "1.2.3.4");
        check(&proxied, "10.1.1.1", &["1.2.3.4:5678"], "1.2.3.4");
        check(&proxied, "10.1.1.1", &["[2001:db8::7]:5678"], "2001:db8::7");
        // A proxy that names nobody stands for itself.
        check(&proxied, "10.1.1.1", &[], "10.1.1.1");
        check(&proxied, "10.1.1.1", &["10.2.2.2"], "10.1.1.1");
        check(&proxied, "10.1.1.1", &["6.6.6.6, unknown"], "10.1.1.1");
    }

    #[test]
    fn the_standard_header_is_read_too() {
        let proxied =
            addresses(&[("trusted_proxies", "127.0.0.1"), ("forwarded_header", "forwarded")]);
        check(&proxied, "127.0.0.1", &["for=6.6.6.6, for=1.2.3.4;proto=https"], "1.2.3.4");
        let line = r#"proto=https;For="[2001:db8::7]:4711""#;
        check(&proxied, "127.0.0.1", &[line], "2001:db8::7");
        check(&proxied, "127.0.0.1", &["for=6.6.6.6, by=1.2.3.4"], "127.0.0.1");
        check(&proxied, "127.0.0.1", &["for=_hidden"], "127.0.0.1");
    }

    #[test]
    fn a_64th_of_ipv6_is_one_address_and_ipv4_is_itself_in_both_forms() {
        let key = |text: &str| AddressKey::from(ip(text));
        assert_eq!(key("2001:db8:1:2::3"), key("2001:db8:1:2:ffff::"));
        assert_ne!(key("2001:db8:1:2::3"), key("2001:db8:1:3::3"));
        assert_eq!(key("1.2.3.4"), key("::ffff:1.2.3.4"));
        assert_ne!(key("1.2.3.4"), key("1.2.3.5"));
    }

    #[test]
    fn an_address_has_so_many_of_each_class_and_gets_them_back() {
        let addresses = addresses(&[
            ("anonymous_connections_per_address_max", "2"),
            ("guest_connections_per_address_max", "3"),
        ]);
        for (class, max) in [(Class::Unknown, 2), (Class::Guest, 3), (Class::GuestSession, 3)] {
            let enter = |address| addresses.enter(ip(address).into(), class);
            let mut held: Vec<_> = (0..max).map(|_| enter("1.1.1.1").expect("a place")).collect();
            assert!(enter("1.1.1.1").is_none(), "{class:?}");
            assert!(enter("1.1.1.2").is_some(), "{class:?}");
            held.pop();
            assert!(enter("1.1.1.1").is_some(), "{class:?}");
            assert_eq!(addresses.open.lock().expect("unpoisoned").len(), 1);
        }
        assert!(addresses.open.lock().expect("unpoisoned").is_empty());
    }
}
