//! The types of the settings that say who may come in.

use std::fmt;

use super::FromValue;

/// Whether people without a token may come in, each as a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuestPolicy {
    /// As long as no key for tokens is configured.
    Auto,
    /// Yes, beside those with a token too.
    On,
    /// No.
    Off,
}

impl FromValue for GuestPolicy {
    fn from_value(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(GuestPolicy::Auto),
            "on" => Ok(GuestPolicy::On),
            "off" => Ok(GuestPolicy::Off),
            _ => Err("auto, on or off".to_owned()),
        }
    }
}

/// Who may tell topics something over a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicsTell {
    /// Everybody.
    All,
    /// Everybody who is signed in; guests too where nobody can be.
    People,
    /// Only back ends.
    None,
}

impl FromValue for TopicsTell {
    fn from_value(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(TopicsTell::All),
            "people" => Ok(TopicsTell::People),
            "none" => Ok(TopicsTell::None),
            _ => Err("all, people or none".to_owned()),
        }
    }
}

/// Who sees how much goes on on the whole server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operators {
    /// Operators, and on a server of one's own everybody.
    Auto,
    /// Everybody.
    All,
    /// Who has a token that says `operator`.
    Tokens,
}

impl FromValue for Operators {
    fn from_value(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Operators::Auto),
            "all" => Ok(Operators::All),
            "tokens" => Ok(Operators::Tokens),
            _ => Err("auto, all or tokens".to_owned()),
        }
    }
}

/// A text that nobody is shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl FromValue for Option<Secret> {
    fn from_value(text: &str) -> Result<Self, String> {
        Ok((!text.is_empty()).then(|| Secret(text.to_owned())))
    }
}

impl FromValue for Option<String> {
    fn from_value(text: &str) -> Result<Self, String> {
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }
}

/// The name of a cookie.
///
/// Invariant: a token of RFC 6265, 1 to 64 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieName(String);

impl CookieName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromValue for CookieName {
    fn from_value(text: &str) -> Result<Self, String> {
        let fits = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
        match fits {
            true => Ok(CookieName(text.to_owned())),
            false => Err("a cookie's name such as concord_token".to_owned()),
        }
    }
}

/// Where people sign in: an address, or a path on the server's own host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInUrl(String);

impl SignInUrl {
    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromValue for Option<SignInUrl> {
    fn from_value(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(None);
        }
        let has_host = ["https://", "http://"].iter().any(|scheme| {
            let host =
                text.strip_prefix(scheme).and_then(|rest| rest.split(['/', '?', '#']).next());
            host.is_some_and(|host| !host.is_empty())
        });
        // A second slash or a backslash would make another host of it.
        let is_path = text.starts_with('/') && !text[1..].starts_with(['/', '\\']);
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        match is_plain && (has_host || is_path) {
            true => Ok(Some(SignInUrl(text.to_owned()))),
            false => {
                Err("an address such as https://example.org/login, or a path such as /login"
                    .to_owned())
            }
        }
    }
}
