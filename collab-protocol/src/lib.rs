//! The messages that the two ends of Concord exchange, and everything both must agree on:
//! ids, limits, error codes and close codes. `docs/protocol.md` tells the same story by example.
//!
//! Units: lengths and offsets count Unicode scalar values; names that end in `_bytes` count UTF-8
//! bytes, in `_ms` milliseconds. Every integer on the wire is at most [`MAX_SAFE_INTEGER`], so that
//! JavaScript holds it exactly.
//!
//! Feature `serde` (on by default) adds the JSON form. The browser's build goes without it: there
//! JavaScript parses the frames, and this crate supplies ids, codes and limits only. Feature
//! `openapi` adds the schemas of the REST interface's bodies.

#[cfg(feature = "serde")]
mod chat;
#[cfg(feature = "serde")]
mod client_message;
mod code;
mod entry;
#[cfg(feature = "serde")]
mod event;
#[cfg(feature = "serde")]
mod figures;
mod id;
mod limits;
#[cfg(feature = "serde")]
mod notification;
#[cfg(feature = "openapi")]
mod openapi;
#[cfg(feature = "serde")]
mod rest;
#[cfg(feature = "serde")]
mod server_message;
#[cfg(all(test, feature = "serde"))]
mod typescript;

#[cfg(feature = "serde")]
pub use chat::{
    ChatAck, ChatBefore, ChatDelete, ChatEdit, ChatLocate, ChatLocated, ChatMention, ChatMessage,
    ChatNews, ChatOpen, ChatOpened, ChatPage, ChatPerson, ChatRead, ChatReference, ChatReject,
    ChatSeen, ChatSend, ChatTyping, ChatTypists,
};
#[cfg(feature = "serde")]
pub use client_message::{
    Auth, ClientMessage, Join, Leave, Ping, Select, SelectionRange, Submit, Undecodable,
};
pub use code::{ChatCode, CloseCode, ErrorCode, RejectCode, Retry, UnknownCode};
#[cfg(feature = "serde")]
pub use entry::{Entry, RawOperation};
pub use entry::{
    OpsFrame, write_ack_entry, write_check_entry, write_composed_entry, write_op_entry,
};
#[cfg(feature = "serde")]
pub use event::{
    Event, EventTaken, EventTarget, Missed, NewEvent, PublishValue, RawJson, RoomKind, Tell, Told,
    Unwatch, Watch, Watching,
};
#[cfg(feature = "serde")]
pub use figures::{
    DocumentFigures, Figures, FiguresClose, FiguresOf, FiguresOpen, FiguresRefused, SecondFigures,
    ServerFigures, Spread,
};
pub use id::{
    AuthorNumber, ChannelId, ClientId, DocumentId, Epoch, EventId, EventName, MessageId,
    NotificationId, ParseIdError, SessionNumber, TenantId, TextHash, TopicName, UserId, VersionId,
};
pub use limits::{
    CHAT_MENTIONS_MAX, CHAT_PAGE_LEN, CHAT_TEXT_CHARS_MAX, COLOR_COUNT, EVENT_ID_BYTES_MAX,
    EVENT_NAME_BYTES_MAX, MAX_SAFE_INTEGER, NAME_CHARS_MAX, NOTIFICATION_BODY_CHARS_MAX,
    NOTIFICATION_PAGE_LEN, NOTIFICATION_TITLE_CHARS_MAX, NOTIFICATION_URL_BYTES_MAX,
    SESSION_HEADER, SESSION_PATH, SOCKET_PATH, SUBPROTOCOL, SUBPROTOCOL_AUTH, TENANT_ID_BYTES_MAX,
    TITLE_CHARS_MAX, TOPIC_NAME_BYTES_MAX, USER_ID_BYTES_MAX, VERSION_NAME_CHARS_MAX, WireLimits,
};
#[cfg(feature = "serde")]
pub use notification::{
    EditedWhileAway, MentionedInChat, NewNotification, Notification, NotificationAbout,
    NotificationPage, NotificationTaken, NotificationsRead, Notified, ReadNotifications,
    SharedWithYou, ToldByApp,
};
#[cfg(feature = "openapi")]
pub use openapi::schemas;
#[cfg(feature = "serde")]
pub use rest::{
    AccessBy, AttributedRun, Attribution, CreateDocument, CreateVersion, DocumentInfo,
    DocumentList, EditText, ErrorBody, ErrorDetail, GivenRole, HistoryAuthor, HistoryBucket,
    HistoryEntry, HistoryPage, HistorySummary, LinkAccess, MarkSeen, Me, OpenSession,
    RenameDocument, RenameVersion, RestoreRevision, RevisionDiff, RevisionRestored, SeenMark,
    SessionOpened, SetPerson, SetText, Sharing, SharingPerson, TextEdit, TextEdited, UpdateMe,
    UpdateSharing, Version, VersionList,
};
#[cfg(feature = "serde")]
pub use server_message::{
    Access, Ack, Author, Deleted, ErrorMessage, Joined, Left, Ops, Person, Pong, Presence, Reject,
    Renamed, Restored, Role, ServerMessage, SlowDown, Welcome, WelcomeUser,
};
