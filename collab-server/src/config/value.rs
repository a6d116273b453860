//! The types that a setting can have, and how each reads its text.

mod identity;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use axum::http::HeaderName;
use collab_protocol::LinkAccess;

pub use identity::{CookieName, GuestPolicy, Operators, Secret, SignInUrl, TopicsTell};

/// Reads a setting's text. The error completes "… is not".
pub(super) trait FromValue: Sized {
    fn from_value(text: &str) -> Result<Self, String>;
}

impl FromValue for u32 {
    fn from_value(text: &str) -> Result<Self, String> {
        text.replace('_', "").parse().map_err(|_| "a whole number below 4294967296".to_owned())
    }
}

impl FromValue for String {
    fn from_value(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl FromValue for SocketAddr {
    fn from_value(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "an address and port such as 127.0.0.1:8080".to_owned())
    }
}

impl FromValue for Option<HeaderName> {
    fn from_value(text: &str) -> Result<Self, String> {
        let name = (!text.is_empty()).then(|| text.parse()).transpose();
        name.map_err(|_| "a header's name such as x-forwarded-for".to_owned())
    }
}

impl FromValue for Option<PathBuf> {
    fn from_value(text: &str) -> Result<Self, String> {
        Ok((!text.is_empty()).then(|| PathBuf::from(text)))
    }
}

/// A setting that is on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

impl Switch {
    /// Whether it is on.
    #[must_use]
    pub fn is_on(self) -> bool {
        self == Switch::On
    }
}

impl FromValue for Switch {
    fn from_value(text: &str) -> Result<Self, String> {
        match text {
            "on" => Ok(Switch::On),
            "off" => Ok(Switch::Off),
            _ => Err("on or off".to_owned()),
        }
    }
}

/// What the link of a new document gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkDefault {
    /// To edit where a guest creates it, else nothing.
    Auto,
    /// This.
    Always(LinkAccess),
}

impl LinkDefault {
    /// For a document that a guest creates, or somebody else.
    #[must_use]
    pub fn of(self, is_guests: bool) -> LinkAccess {
        match self {
            LinkDefault::Always(link) => link,
            LinkDefault::Auto if is_guests => LinkAccess::Edit,
            LinkDefault::Auto => LinkAccess::Off,
        }
    }
}

impl FromValue for LinkDefault {
    fn from_value(text: &str) -> Result<Self, String> {
        let link = text.parse().map(LinkDefault::Always);
        if text == "auto" {
            Ok(LinkDefault::Auto)
        } else {
            link.map_err(|_| "auto, off, view or edit".to_owned())
        }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

impl FromValue for LogFormat {
    fn from_value(text: &str) -> Result<Self, String> {
        match text {
            "pretty" => Ok(LogFormat::Pretty),
            "json" => Ok(LogFormat::Json),
            _ => Err("pretty or json".to_owned()),
        }
    }
}

/// Where documents are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// In a file, by SQLite.
    Sqlite(PathBuf),
    /// In PostgreSQL, which several servers may share.
    Postgres(PostgresUrl),
    /// Nowhere: everything is gone when the server ends.
    Memory,
}

impl Database {
    /// Whether other servers may use it at the same time.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(self, Database::Postgres(_))
    }
}

impl FromValue for Database {
    fn from_value(text: &str) -> Result<Self, String> {
        if text == "memory:" {
            return Ok(Database::Memory);
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Database::Postgres(PostgresUrl(text.to_owned())));
        }
        let path = match text.strip_prefix("sqlite:") {
            Some(rest) => rest.strip_prefix("//").unwrap_or(rest),
            // Some other database's scheme is no file.
            None if text.contains(':') => "",
            None => text,
        };
        match path {
            "" => Err("memory:, a file such as sqlite:data/concord.db, or \
                       postgres://user:password@host/database"
                .to_owned()),
            path => Ok(Database::Sqlite(PathBuf::from(path))),
        }
    }
}

/// The address of a PostgreSQL database. It may hold a password, which is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

impl PostgresUrl {
    /// The whole address, for the database's driver alone.
    pub(crate) fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_password(&self.0))
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The address of a Redis. It may hold a password, which is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl(String);

impl RedisUrl {
    /// The whole address, for the driver alone.
    pub(crate) fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_password(&self.0))
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromValue for Option<RedisUrl> {
    fn from_value(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(None);
        }
        let is_redis = text.starts_with("redis://") || text.starts_with("rediss://");
        match is_redis && redis::Client::open(text).is_ok() {
            true => Ok(Some(RedisUrl(text.to_owned()))),
            false => Err("an address such as redis://host:6379 or, with TLS, \
                          rediss://user:password@host:6380"
                .to_owned()),
        }
    }
}

/// An address as it may be shown: without user, password and parameters.
pub(super) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{}", rest.split('?').next().unwrap_or_default())
}

/// `http` or `https`, a host, and perhaps a port, all in lower case and nothing behind: what a
/// browser writes into `Origin`.
fn is_origin(text: &str) -> bool {
    let authority = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    authority.is_some_and(|authority| {
        !authority.is_empty()
            && authority.bytes().all(
                |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b':' | b'[' | b']'),
            )
    })
}

/// The address that people use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// The address as an origin: scheme, host, and the port if it is not the scheme's own.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.0
    }

    /// Whether it is reached over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl FromValue for Option<PublicUrl> {
    fn from_value(text: &str) -> Result<Self, String> {
        let origin = text.strip_suffix('/').unwrap_or(text);
        match origin {
            "" => Ok(None),
            origin if is_origin(origin) => Ok(Some(PublicUrl(origin.to_owned()))),
            _ => Err("an address such as https://write.example.org, without a path".to_owned()),
        }
    }
}

/// Origins whose pages may use the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Vec<String>);

impl Origins {
    /// Whether this very origin is listed.
    #[must_use]
    pub fn contains(&self, origin: &str) -> bool {
        self.0.iter().any(|listed| listed == origin)
    }
}

impl FromValue for Origins {
    fn from_value(text: &str) -> Result<Self, String> {
        let listed: Vec<String> = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(Into::into)
            .collect();
        match listed.iter().all(|origin| is_origin(origin)) {
            true => Ok(Origins(listed)),
            false => Err("a list of origins such as https://app.example.org, each in lower case \
                          and without a path"
                .to_owned()),
        }
    }
}
