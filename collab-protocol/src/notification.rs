//! Notifications: what a person is told, once, on all their devices, until they have read it.
//!
//! Each is kept by the server. They are numbered 1, 2, 3… in the order in which they are shown,
//! latest last; one that is told anew, with more to tell, gets the next number and keeps its id.
//! Everything that happens to a person's notifications is a *change*, numbered 1, 2, 3… too: who
//! holds all changes up to one asks for those behind it.
//!
//! Units: `_ms` milliseconds since 1970; integers are 0 to
//! [`MAX_SAFE_INTEGER`](crate::MAX_SAFE_INTEGER).

use serde::{Deserialize, Serialize};

use crate::chat::ChatPerson;
use crate::id::{DocumentId, EventId, EventName, MessageId, NotificationId, UserId};
use crate::server_message::Role;

/// Somebody named this person in the chat of a document that they may open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MentionedInChat {
    /// The document whose chat it is.
    pub doc: DocumentId,
    /// Its title then; may be empty.
    pub title: String,
    /// Who wrote the message.
    pub by: ChatPerson,
    /// The message. What it says is in the chat alone, where it may be edited and taken back.
    pub message: MessageId,
}

/// A document was shared with this person by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SharedWithYou {
    /// The document.
    pub doc: DocumentId,
    /// Its title then; may be empty.
    pub title: String,
    /// Who shared it; absent where a back end did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub by: Option<ChatPerson>,
    /// What the person may do with it since.
    pub role: Role,
}

/// Others edited a document of this person's while they did not have it open. There is one for each
/// document: it tells of more edits until it is read, and then begins anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EditedWhileAway {
    /// The document.
    pub doc: DocumentId,
    /// Its title then; may be empty.
    pub title: String,
    /// Who edited it: the first five.
    pub by: Vec<ChatPerson>,
    /// How many people did, as far as they were counted: at most 50.
    pub people: u32,
    /// How many operations they committed.
    #[cfg_attr(test, ts(type = "number"))]
    pub edits: u64,
    /// The last revision that it tells of.
    #[cfg_attr(test, ts(type = "number"))]
    pub rev: u64,
}

/// Something the application's back end has to tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ToldByApp {
    /// What kind of event it is, as the application calls it.
    pub name: EventName,
    /// What is shown: 1 to 200 characters.
    pub title: String,
    /// More of it, at most 1000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub body: Option<String>,
    /// Where it leads: a path of the same origin, or an `http` or `https` address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub url: Option<String>,
    /// Anything, for the application's page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "unknown"))]
    #[cfg_attr(feature = "openapi", schema(value_type = Value))]
    pub data: Option<serde_json::Value>,
}

/// What a notification is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum NotificationAbout {
    /// Somebody named this person in a chat.
    Mentioned(MentionedInChat),
    /// A document was shared with this person.
    Shared(SharedWithYou),
    /// A document of this person's was edited while they were away.
    Edited(EditedWhileAway),
    /// The application has something to tell.
    App(ToldByApp),
}

/// A notification as its person sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Notification {
    /// Tells it from others, whatever becomes of it.
    pub id: NotificationId,
    /// Its place: the highest is the latest.
    #[cfg_attr(test, ts(type = "number"))]
    pub number: u64,
    /// When it was told, or told anew.
    #[cfg_attr(test, ts(type = "number"))]
    pub time_ms: i64,
    /// Whether the person has read it.
    pub read: bool,
    /// What it is about.
    pub about: NotificationAbout,
}

/// Something happened to this person's notifications: one change of them. It comes to all their
/// connections. Who misses one sees it by the numbers, and asks for what is behind the last that
/// they hold: `GET /api/notifications?since=`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Notified {
    /// Which change it is.
    #[cfg_attr(test, ts(type = "number"))]
    pub change: u64,
    /// How many are unread after it.
    pub unread: u32,
    /// What is new, or told anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(as = "Option<Vec<Notification>>", optional))]
    pub notifications: Vec<Notification>,
    /// What is read now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(as = "Option<Vec<NotificationId>>", optional))]
    pub read: Vec<NotificationId>,
    /// Everything up to this number is read now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub read_to: Option<u64>,
}

/// The answer to `GET /api/notifications`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NotificationPage {
    /// Notifications, latest first; 50 at most.
    pub notifications: Vec<Notification>,
    /// How many are unread, on all pages.
    pub unread: u32,
    /// The last change that all of this is after.
    #[cfg_attr(test, ts(type = "number"))]
    pub change: u64,
    /// Present where these are all that changed behind that change. Absent where too much has, and
    /// in answers to other questions: then these are the latest, and what was held counts no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub since: Option<u64>,
    /// Whether there are earlier ones behind the last of these.
    pub more: bool,
}

/// The body of `POST /api/notifications/read`: `ids`, or `to`, or neither for everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReadNotifications {
    /// These are read: at most 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub ids: Option<Vec<NotificationId>>,
    /// Everything up to this number is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub to: Option<u64>,
}

/// Its answer: how it stands now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NotificationsRead {
    /// How many are unread.
    pub unread: u32,
    /// The last change.
    #[cfg_attr(test, ts(type = "number"))]
    pub change: u64,
}

/// The body of `POST /api/notifications`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewNotification {
    /// Whom to tell: 1 to 100 people of the back end's tenant.
    pub to: Vec<UserId>,
    /// What kind of event it is, as the application calls it.
    pub name: EventName,
    /// What is shown: 1 to 200 characters.
    pub title: String,
    /// More of it, at most 1000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub body: Option<String>,
    /// Where it leads: a path of the same origin, or an `http` or `https` address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub url: Option<String>,
    /// Anything, for the application's page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "unknown"))]
    #[cfg_attr(feature = "openapi", schema(value_type = Value))]
    pub data: Option<serde_json::Value>,
    /// A key of the caller's: the same one again makes nothing and is answered the same, as long as
    /// the person's notification is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub id: Option<EventId>,
}

/// A notification is stored for everybody that it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NotificationTaken {
    /// Its key: the caller's, or else a new one.
    pub id: EventId,
}
