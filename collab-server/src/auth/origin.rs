//! Whether the page that sends a request may: the cookie comes along from any page, so the page's
//! origin decides.
//!
//! Programs that are not browsers send no `Origin`; nobody can make them send a cookie, so they
//! pass. A browser that leaves it out says so in `Sec-Fetch-Site`.

use axum::http::{HeaderMap, HeaderValue, Method, header};

use crate::config::{Config, Origins, PublicUrl};

/// Which origins may use the server.
#[derive(Debug)]
pub(crate) struct OriginPolicy {
    public_url: Option<PublicUrl>,
    allowed: Origins,
    /// Whether the server itself speaks https, and so no page of its host came by http.
    is_secure: bool,
}

/// What the policy says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OriginVerdict {
    /// It may go on.
    Own,
    /// It comes from a foreign page.
    Foreign,
}

impl OriginPolicy {
    pub(crate) fn new(config: &Config) -> Self {
        OriginPolicy {
            public_url: config.public_url.clone(),
            allowed: config.allowed_origins.clone(),
            is_secure: config.tls_cert.is_some(),
        }
    }

    /// Judges a WebSocket upgrade, or a request that changes something.
    pub(crate) fn judge(&self, headers: &HeaderMap) -> OriginVerdict {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let is_own = match (origins.next(), origins.next()) {
            (None, _) => !is_cross_site(headers),
            (Some(origin), None) => {
                origin.to_str().is_ok_and(|origin| self.is_own(origin, headers))
            }
            (Some(_), Some(_)) => false,
        };
        if is_own { OriginVerdict::Own } else { OriginVerdict::Foreign }
    }

    /// The origin of a request that comes from a page of another host and yet may use the server:
    /// what browsers want to be told of it.
    pub(crate) fn listed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        origin.to_str().is_ok_and(|text| self.allowed.contains(text)).then(|| origin.clone())
    }

    /// Whether a request of this method needs [`OriginPolicy::judge`].
    pub(crate) fn binds(method: &Method) -> bool {
        !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
    }

    fn is_own(&self, origin: &str, headers: &HeaderMap) -> bool {
        if self.allowed.contains(origin) {
            return true;
        }
        match &self.public_url {
            Some(public) => public.origin() == origin,
            None => own_host(headers).is_some_and(|host| {
                let plain = origin.strip_prefix("http://").filter(|_| !self.is_secure);
                let authority = plain.or_else(|| origin.strip_prefix("https://"));
                authority == Some(host.to_ascii_lowercase().as_str())
            }),
        }
    }
}

/// The one `Host` header; a request with several is nobody's.
fn own_host(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok(),
        _ => None,
    }
}

fn is_cross_site(headers: &HeaderMap) -> bool {
    headers
        .get("sec-fetch-site")
        .is_some_and(|site| !matches!(site.as_bytes(), b"same-origin" | b"none"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;

    fn judge(settings: &[(&str, &str)], headers: &[(&'static str, &'static str)]) -> OriginVerdict {
        let mut sources = Sources::default();
        for (name, value) in settings {
            sources.flag(name, (*value).to_owned());
        }
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        OriginPolicy::new(&sources.resolve().expect("settings")).judge(&map)
    }

    #[track_caller]
    fn check(origin: &'static str, expected: OriginVerdict) {
        let found = judge(&[], &[("host", "write.example.org:8080"), ("origin", origin)]);
        assert_eq!(found, expected, "{origin}");
    }

    #[test]
    fn only_the_very_own_host_and_port_pass() {
        check("http://write.example.org:8080", OriginVerdict::Own);
        check("https://write.example.org:8080", OriginVerdict::Own);
        for origin in [
            "null",
            "",
            "http://write.example.org",
            "http://write.example.org:80",
            "http://write.example.org:8080/",
            "http://write.example.org:8080.evil.org",
            "http://evil.org/write.example.org:8080",
            "http://xwrite.example.org:8080",
            "http://sub.write.example.org:8080",
            "http://user@write.example.org:8080",
            "ftp://write.example.org:8080",
            "write.example.org:8080",
            "http://WRITE.example.org:8080",
            "http://write.example.org:8080 http://evil.org",
        ] {
            check(origin, OriginVerdict::Foreign);
        }
    }

    #[test]
    fn listed_origins_and_the_public_address_pass_exactly() {
        let settings = [
            ("public_url", "https://write.example.org/"),
            ("allowed_origins", "https://a.org, https://b.org:8443"),
        ];
        let of = |origin| judge(&settings, &[("host", "127.0.0.1:8080"), ("origin", origin)]);
        assert_eq!(of("https://write.example.org"), OriginVerdict::Own);
        assert_eq!(of("https://a.org"), OriginVerdict::Own);
        assert_eq!(of("https://b.org:8443"), OriginVerdict::Own);
        assert_eq!(of("https://b.org"), OriginVerdict::Foreign);
        assert_eq!(of("http://write.example.org"), OriginVerdict::Foreign);
        assert_eq!(of("http://127.0.0.1:8080"), OriginVerdict::Foreign, "behind a proxy, only it");
    }

    #[test]
    fn without_an_origin_a_program_passes_and_a_foreign_page_does_not() {
        let host = ("host", "a:1");
        assert_eq!(judge(&[], &[host]), OriginVerdict::Own);
        assert_eq!(judge(&[], &[host, ("sec-fetch-site", "same-origin")]), OriginVerdict::Own);
        assert_eq!(judge(&[], &[host, ("sec-fetch-site", "cross-site")]), OriginVerdict::Foreign);
        assert_eq!(judge(&[], &[host, ("sec-fetch-site", "same-site")]), OriginVerdict::Foreign);
    }

    #[test]
    fn two_origins_or_two_hosts_are_foreign() {
        let own = ("origin", "http://a:1");
        assert_eq!(judge(&[], &[("host", "a:1"), own, own]), OriginVerdict::Foreign);
        assert_eq!(judge(&[], &[("host", "a:1"), ("host", "a:1"), own]), OriginVerdict::Foreign);
    }
}
