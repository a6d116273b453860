//! Constants of the protocol, and the limits a server tells its clients in `welcome`.

/// The WebSocket subprotocol that both ends must name; its suffix is the protocol's version.
pub const SUBPROTOCOL: &str = "concord.v1";

/// A second subprotocol, offered by a client whose first message will be `auth`: cookies say
/// nothing then. The server never chooses it.
pub const SUBPROTOCOL_AUTH: &str = "concord.auth";

/// Where a server accepts WebSocket upgrades.
pub const SOCKET_PATH: &str = "/api/socket";

/// The path under which a session goes over HTTP requests, where WebSockets do not pass.
pub const SESSION_PATH: &str = "/api/session";

/// The header that names such a session. Its value is a secret, so it is no part of an address.
pub const SESSION_HEADER: &str = "concord-session";

/// The largest integer on the wire: 2^53 − 1, the last one every JavaScript number holds exactly.
pub const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// Colours that people are told apart by; a colour on the wire is an index, 0 to 11.
pub const COLOR_COUNT: u8 = 12;

/// The longest name of a person, in scalar values.
pub const NAME_CHARS_MAX: usize = 40;

/// The longest title of a document, in scalar values.
pub const TITLE_CHARS_MAX: usize = 200;

/// The longest name of a version, in scalar values.
pub const VERSION_NAME_CHARS_MAX: usize = 120;

/// The longest message of a chat, in scalar values.
pub const CHAT_TEXT_CHARS_MAX: usize = 4_000;

/// People that one message of a chat may name.
pub const CHAT_MENTIONS_MAX: usize = 32;

/// Messages in one page of a chat.
pub const CHAT_PAGE_LEN: u32 = 50;

/// Notifications in one page.
pub const NOTIFICATION_PAGE_LEN: u32 = 50;

/// The longest title of an application's notification, in scalar values.
pub const NOTIFICATION_TITLE_CHARS_MAX: usize = 200;

/// The longest body of an application's notification, in scalar values.
pub const NOTIFICATION_BODY_CHARS_MAX: usize = 1_000;

/// The longest address that an application's notification leads to, in bytes.
pub const NOTIFICATION_URL_BYTES_MAX: usize = 2_048;

/// The longest user id, in bytes.
pub const USER_ID_BYTES_MAX: usize = 64;

/// The longest tenant id, in bytes.
pub const TENANT_ID_BYTES_MAX: usize = 64;

/// The longest name of a topic, in bytes.
pub const TOPIC_NAME_BYTES_MAX: usize = 128;

/// The longest name of a kind of event, in bytes.
pub const EVENT_NAME_BYTES_MAX: usize = 64;

/// The longest id of an event, in bytes.
pub const EVENT_ID_BYTES_MAX: usize = 128;

/// What a server accepts, told in `welcome` so that a client can keep within it: it splits large
/// edits before it sends them and composes more per submission when it would be too fast.
///
/// These bind what a client sends, not what it receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct WireLimits {
    /// One message, in bytes. A larger one ends the connection with close code 1009.
    pub message_bytes_max: u32,
    /// Text inserted by one operation, in UTF-8 bytes.
    pub text_bytes_max: u32,
    /// Components of one operation.
    pub components_max: u32,
    /// A document's text, in UTF-8 bytes.
    pub document_bytes_max: u32,
    /// Submissions a second that one user may make to one document for any length of time.
    pub submissions_per_s: u32,
    /// Submissions that may come at once before that rate binds.
    pub submissions_burst: u32,
    /// Selected ranges of one session.
    pub ranges_max: u32,
    /// Documents joined over one connection.
    pub documents_max: u32,
    /// Committed operations a document keeps at hand; a session further behind gets them composed.
    pub ring_len: u32,
    /// Topics watched over one connection.
    pub topics_max: u32,
    /// An event's data, in bytes of JSON.
    pub event_bytes_max: u32,
}

impl Default for WireLimits {
    fn default() -> Self {
        WireLimits {
            message_bytes_max: 256 * 1024,
            text_bytes_max: 32 * 1024,
            components_max: 1_000,
            document_bytes_max: 4 * 1024 * 1024,
            submissions_per_s: 100,
            submissions_burst: 200,
            ranges_max: 16,
            documents_max: 64,
            ring_len: 1_024,
            topics_max: 64,
            event_bytes_max: 8_192,
        }
    }
}
