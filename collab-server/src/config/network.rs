//! Ranges of addresses, as settings name them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::value::FromValue;

/// A range of addresses: a single one, or all that share the first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    /// The bits that count; the others are zero.
    prefix: u128,
    mask: u128,
}

/// Ranges of addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

/// An address as a number: IPv4 inside the range of IPv6 that stands for it, so that a socket of
/// both kinds changes nothing.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

impl Network {
    fn read(text: &str) -> Option<Self> {
        let (address, len) = match text.split_once('/') {
            Some((address, len)) => (address, Some(len.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let all = if address.is_ipv4() { Ipv4Addr::BITS } else { Ipv6Addr::BITS };
        let len = len.unwrap_or(all);
        if len > all {
            return None;
        }
        let mask = u128::MAX.checked_shl(all - len).unwrap_or(0);
        // Of an IPv4 range also the bits that say that it is one.
        let mask = if address.is_ipv4() { mask | !u128::from(u32::MAX) } else { mask };
        let prefix = bits(address);
        (prefix & mask == prefix).then_some(Network { prefix, mask })
    }
}

impl Networks {
    /// Whether no range is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of the ranges holds this address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let bits = bits(address);
        self.0.iter().any(|network| bits & network.mask == network.prefix)
    }
}

impl FromValue for Networks {
    fn from_value(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let networks: Option<Vec<Network>> = parts.map(Network::read).collect();
        networks.map(Networks).ok_or_else(|| {
            "a list of addresses and ranges such as 127.0.0.1, 10.0.0.0/8 or fd00::/8, with no bit \
             set behind the prefix"
                .to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(networks: &str, inside: &[&str], outside: &[&str]) {
        let networks = Networks::from_value(networks).expect("ranges");
        let holds = |text: &&str| networks.contains(text.parse().expect("an address"));
        for address in inside {
            assert!(holds(address), "{address}");
        }
        for address in outside {
            assert!(!holds(address), "{address}");
        }
    }

    #[test]
    fn a_range_holds_its_addresses_and_no_other() {
        check("10.0.0.0/8", &["10.255.0.1", "::ffff:10.1.1.1"], &["11.0.0.0", "::a00:1", "::1"]);
        check("127.0.0.1, ::1", &["127.0.0.1", "::1"], &["127.0.0.2", "::2", "1.0.0.127"]);
        check("192.168.1.128/25", &["192.168.1.200"], &["192.168.1.127"]);
        check("2001:db8::/32", &["2001:db8:ffff::1"], &["2001:db9::", "32.1.13.184"]);
        check("0.0.0.0/0", &["1.2.3.4", "255.255.255.255"], &["::1", "2001:db8::1"]);
        check("::/0", &["::1", "1.2.3.4"], &[]);
        check("", &[], &["127.0.0.1"]);
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in ["localhost", "10.0.0.1/8", "10.0.0.0/33", "::/129", "1.2.3", "10.0.0.0/", "/8"]
        {
            assert!(Networks::from_value(text).is_err(), "{text}");
        }
    }
}
