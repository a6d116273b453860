//! Ids and small numbers of the wire, each its own type so that none is taken for another.
//!
//! The 128-bit ids are version 4 UUIDs by custom, written as 32 lower-case hexadecimal digits with
//! no hyphens; only that one spelling is read, so an id has one form in URLs, logs and databases.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::limits::{
    EVENT_ID_BYTES_MAX, EVENT_NAME_BYTES_MAX, TENANT_ID_BYTES_MAX, TOPIC_NAME_BYTES_MAX,
    USER_ID_BYTES_MAX,
};

/// A text that is not the one spelling of the id that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} must be {expected}")]
pub struct ParseIdError {
    kind: &'static str,
    expected: &'static str,
}

/// Reads exactly `digits` lower-case hexadecimal digits.
fn parse_hex(text: &str, digits: usize) -> Option<u128> {
    let canonical =
        text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    canonical.then(|| u128::from_str_radix(text, 16).ok())?
}

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident($int:ty), $digits:literal, $kind:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(test, derive(ts_rs::TS), ts(type = "string"))]
        pub struct $name($int);

        impl $name {
            /// The id with this value.
            pub const fn new(value: $int) -> Self {
                Self(value)
            }

            /// The id's value.
            pub const fn get(self) -> $int {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{:0", $digits, "x}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                parse_hex(text, $digits)
                    .and_then(|value| <$int>::try_from(value).ok())
                    .map(Self)
                    .ok_or(ParseIdError { kind: $kind, expected: $expected })
            }
        }

        as_text!($name);
    };
}

/// Serde and TypeScript see the id as its text.
macro_rules! as_text {
    ($name:ident) => {
        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

hex_id! {
    /// A document. Unguessable: who may open a document by link is who knows its id.
    DocumentId(u128), 32, "a document id", "32 lower-case hexadecimal digits"
}

hex_id! {
    /// One editing replica: a browser tab or a native client, the same over every reconnect.
    ///
    /// With a submission's number it names that submission for ever, which is what lets a resend
    /// be recognised.
    ClientId(u128), 32, "a client id", "32 lower-case hexadecimal digits"
}

hex_id! {
    /// A notification of one person.
    NotificationId(u128), 32, "a notification id", "32 lower-case hexadecimal digits"
}

hex_id! {
    /// A named version of a document.
    VersionId(u128), 32, "a version id", "32 lower-case hexadecimal digits"
}

hex_id! {
    /// A message of a chat. Its author's client chooses it, so that a message that is sent again is
    /// known.
    MessageId(u128), 32, "a message id", "32 lower-case hexadecimal digits"
}

hex_id! {
    /// Which line of history a revision number belongs to. A restored or imported document gets a
    /// new one, so that a client with the old one does not resume on foreign numbers.
    Epoch(u128), 32, "an epoch", "32 lower-case hexadecimal digits"
}

hex_id! {
    /// The xxh64 (seed 0) of a text's UTF-8: cheap to compare, not proof against forgery.
    TextHash(u64), 16, "a text hash", "16 lower-case hexadecimal digits"
}

/// Who wrote something: an opaque name such as `g_…` for a guest, never a mail address. Clones share
/// the text.
///
/// Invariant: 1 to [`USER_ID_BYTES_MAX`] bytes of printable ASCII without space.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(test, derive(ts_rs::TS), ts(type = "string"))]
pub struct UserId(Arc<str>);

impl UserId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserId({})", self.0)
    }
}

impl FromStr for UserId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let fits = (1..=USER_ID_BYTES_MAX).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(UserId(text.into()));
        }
        Err(ParseIdError { kind: "a user id", expected: "1 to 64 printable ASCII characters" })
    }
}

as_text!(UserId);

/// A wall around people and documents: those of one tenant never learn of those of another.
///
/// The empty one is the default tenant, in which guests live and whoever is signed in without one.
///
/// Invariant: 0 to [`TENANT_ID_BYTES_MAX`] bytes of printable ASCII without space.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId(Box<str>);

impl TenantId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantId({})", self.0)
    }
}

impl FromStr for TenantId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let fits = text.len() <= TENANT_ID_BYTES_MAX;
        if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(TenantId(text.into()));
        }
        Err(ParseIdError { kind: "a tenant id", expected: "0 to 64 printable ASCII characters" })
    }
}

as_text!(TenantId);

macro_rules! plain_text {
    ($(#[$doc:meta])* $name:ident, $max:expr, $is_plain:expr, $kind:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(test, derive(ts_rs::TS), ts(type = "string"))]
        pub struct $name(Box<str>);

        impl $name {
            /// The same as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                if (1..=$max).contains(&text.len()) && text.bytes().all($is_plain) {
                    return Ok($name(text.into()));
                }
                Err(ParseIdError { kind: $kind, expected: $expected })
            }
        }

        as_text!($name);
    };
}

/// What needs no quotes in addresses, shells and databases.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-')
}

plain_text! {
    /// Something within a tenant that sessions watch and tell each other about.
    ///
    /// Invariant: 1 to [`TOPIC_NAME_BYTES_MAX`] bytes of ASCII letters, digits, `.`, `_`, `:` and
    /// `-`.
    TopicName, TOPIC_NAME_BYTES_MAX, is_name_byte, "a topic's name",
    "1 to 128 ASCII letters, digits, dots, underscores, colons and hyphens"
}

plain_text! {
    /// What kind of event something is, as the application calls it.
    ///
    /// Invariant: 1 to [`EVENT_NAME_BYTES_MAX`] bytes of ASCII letters, digits, `.`, `_`, `:` and
    /// `-`.
    EventName, EVENT_NAME_BYTES_MAX, is_name_byte, "an event's name",
    "1 to 64 ASCII letters, digits, dots, underscores, colons and hyphens"
}

plain_text! {
    /// Tells an event from others.
    ///
    /// Invariant: 1 to [`EVENT_ID_BYTES_MAX`] bytes of printable ASCII without space.
    EventId, EVENT_ID_BYTES_MAX, |byte| byte.is_ascii_graphic(), "an event's id",
    "1 to 128 printable ASCII characters"
}

macro_rules! small_number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[cfg_attr(feature = "serde", serde(transparent))]
        #[cfg_attr(test, derive(ts_rs::TS), ts(type = "number"))]
        pub struct $name(pub u32);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

small_number! {
    /// A joined document within one connection; the server gives it in `joined`. Counts from 1 and
    /// is never used twice on a connection.
    ChannelId
}

small_number! {
    /// A person within one document and epoch, introduced by the frame that first uses it.
    AuthorNumber
}

small_number! {
    /// One live session within a document. A person with two tabs has two.
    SessionNumber
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_from_the_text_it_is_written_as() {
        let id = DocumentId::new(0x00ff_0000_0000_4000_8000_0000_0000_002a);
        assert_eq!(id.to_string(), "00ff000000004000800000000000002a");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("00000000000000ff".parse(), Ok(TextHash::new(255)));
    }

    #[test]
    fn only_one_spelling_of_an_id_is_read() {
        for text in [
            "",
            "00FF000000004000800000000000002A",
            "00ff0000-0000-4000-8000-00000000002a",
            "+0ff000000004000800000000000002a",
            "0ff000000004000800000000000002a",
            "000ff000000004000800000000000002a",
            "00ff00000000400080000000000000é",
            "../../etc/passwd%00aaaaaaaaaaaaaa",
        ] {
            assert!(text.parse::<DocumentId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_user_id_is_short_printable_ascii() {
        assert!("g_5f2c".parse::<UserId>().is_ok());
        assert!("x".repeat(64).parse::<UserId>().is_ok());
        for text in ["", "a b", "é", "a\n", &"x".repeat(65)] {
            assert!(text.parse::<UserId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_topic_is_named_by_what_needs_no_quotes() {
        assert!("board:7.tasks_A-z".parse::<TopicName>().is_ok());
        assert!("x".repeat(128).parse::<TopicName>().is_ok());
        for text in ["", "a b", "é", "a/b", "a*", &"x".repeat(129)] {
            assert!(text.parse::<TopicName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_tenant_id_may_be_empty_and_is_short_printable_ascii() {
        assert_eq!("".parse(), Ok(TenantId::default()));
        assert!("x".repeat(64).parse::<TenantId>().is_ok());
        for text in ["a b", "é", "a\n", &"x".repeat(65)] {
            assert!(text.parse::<TenantId>().is_err(), "{text:?}");
        }
    }
}
