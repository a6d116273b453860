//! Reads the headers in which proxies say who asked them: `Forwarded` (RFC 7239), and lists of bare
//! addresses such as `X-Forwarded-For` has.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header};

/// Whom the header names, the latest first; `None` for an entry that names no address.
pub(super) fn addresses<'a>(
    headers: &'a HeaderMap,
    name: &'a HeaderName,
) -> impl Iterator<Item = Option<IpAddr>> + 'a {
    let is_standard = name == header::FORWARDED;
    let lines: Vec<&str> =
        headers.get_all(name).iter().map(|line| line.to_str().unwrap_or_default()).collect();
    lines.into_iter().rev().flat_map(|line| line.rsplit(',')).map(move |entry| {
        let node = if is_standard { for_parameter(entry)? } else { entry };
        address(node)
    })
}

/// The value of `for` among the pairs of one entry.
fn for_parameter(entry: &str) -> Option<&str> {
    entry.split(';').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        key.trim().eq_ignore_ascii_case("for").then(|| value.trim().trim_matches('"'))
    })
}

/// An address, with or without a port and brackets.
fn address(node: &str) -> Option<IpAddr> {
    let node = node.trim();
    let bare = node.strip_prefix('[').and_then(|node| node.strip_suffix(']')).unwrap_or(node);
    bare.parse().ok().or_else(|| Some(node.parse::<SocketAddr>().ok()?.ip()))
}
