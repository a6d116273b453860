//! The chat beside a document: its messages, what a client says about it, and what a server answers.
//!
//! A chat is opened by its document's id and gets a channel number of its own; the document need not
//! be open. Messages are numbered 1, 2, 3… in the order that everybody sees. Everything that
//! happens to messages (one is sent, edited, deleted) is a *change*, numbered 1, 2, 3… too: who
//! holds all changes up to one asks for those behind it.
//!
//! Units: offsets count scalar values, `_ms` milliseconds since 1970; integers are 0 to
//! [`MAX_SAFE_INTEGER`](crate::MAX_SAFE_INTEGER).

use serde::{Deserialize, Serialize};

use crate::client_message::{optional_safe, safe};
use crate::code::ChatCode;
use crate::id::{ChannelId, DocumentId, MessageId, UserId};
use crate::server_message::Role;

/// Names somebody in a message's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChatMention {
    /// Where the name begins in the text, its `@` included.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
    /// Who is meant.
    pub user: UserId,
}

/// A stretch of a document's text at one revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChatReference {
    /// The revision whose text the offsets are in.
    #[serde(deserialize_with = "safe")]
    #[cfg_attr(test, ts(type = "number"))]
    pub rev: u64,
    /// Where it begins.
    pub start: u32,
    /// Where it ends, behind `start`.
    pub end: u32,
}

/// A message as everybody sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChatMessage {
    /// Its place in the chat: 1, 2, 3…
    #[cfg_attr(test, ts(type = "number"))]
    pub number: u64,
    /// The id that its author gave it.
    pub id: MessageId,
    /// Who wrote it.
    pub user: UserId,
    /// When the server took it.
    #[cfg_attr(test, ts(type = "number"))]
    pub time_ms: i64,
    /// What it says; empty once it is deleted.
    pub text: String,
    /// Whom it names, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(as = "Option<Vec<ChatMention>>", optional))]
    pub mentions: Vec<ChatMention>,
    /// What it is about.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub reference: Option<ChatReference>,
    /// When its author last changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub edited_ms: Option<i64>,
    /// When it was deleted. It keeps its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub deleted_ms: Option<i64>,
}

/// Somebody whom a frame of a chat names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChatPerson {
    /// The person.
    pub user: UserId,
    /// The name others see.
    pub name: String,
    /// The colour others see, 0 to 11.
    pub color: u8,
}

/// Opens a document's chat on this connection; answered by `chat_opened` or `chat_reject`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChatOpen {
    /// The document.
    pub doc: DocumentId,
    /// The change that the client holds everything up to, if it holds any.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "optional_safe")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub since: Option<u64>,
}

/// Says something. Answered once by `chat_ack` or `chat_reject`, however often it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChatSend {
    /// The chat's channel.
    pub ch: ChannelId,
    /// A new id, kept when the same message is sent again.
    pub id: MessageId,
    /// What to say.
    pub text: String,
    /// Whom it names, in order and apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(as = "Option<Vec<ChatMention>>", optional))]
    pub mentions: Vec<ChatMention>,
    /// What it is about.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub reference: Option<ChatReference>,
}

/// Says it otherwise: one's own message gets another text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChatEdit {
    /// The chat's channel.
    pub ch: ChannelId,
    /// Which message.
    pub id: MessageId,
    /// What it says from now on.
    pub text: String,
    /// Whom it names from now on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(as = "Option<Vec<ChatMention>>", optional))]
    pub mentions: Vec<ChatMention>,
}

/// Takes a message back: one's own, or as the document's owner anybody's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChatDelete {
    /// The chat's channel.
    pub ch: ChannelId,
    /// Which message.
    pub id: MessageId,
}

/// Asks for what was said before; answered by `chat_page`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChatBefore {
    /// The chat's channel.
    pub ch: ChannelId,
    /// Messages with lower numbers than this are asked for.
    #[serde(deserialize_with = "safe")]
    #[cfg_attr(test, ts(type = "number"))]
    pub number: u64,
}

/// Tells that this person types, or not any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChatTyping {
    /// The chat's channel.
    pub ch: ChannelId,
    /// Whether they type. To be said again every few seconds while they do.
    pub on: bool,
}

/// Tells up to where this person has read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChatRead {
    /// The chat's channel.
    pub ch: ChannelId,
    /// The last message that they have seen.
    #[serde(deserialize_with = "safe")]
    #[cfg_attr(test, ts(type = "number"))]
    pub number: u64,
}

/// Asks where a stretch of the text is now; answered by `chat_located`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChatLocate {
    /// The chat's channel.
    pub ch: ChannelId,
    /// The stretch.
    #[serde(rename = "ref")]
    pub reference: ChatReference,
    /// The revision to carry it to, if not the latest.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "optional_safe")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub to: Option<u64>,
}

/// A chat is open.
///
/// Answers a `chat_open` without `since` with the latest messages; one with `since` with every
/// message that has changed behind it, unless those are too many: then with the latest, and
/// `since` is absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChatOpened {
    /// The number for this chat on this connection.
    pub ch: ChannelId,
    /// The document, so that the answer finds its question.
    pub doc: DocumentId,
    /// What this person may do: commenters and above may write.
    pub role: Role,
    /// Where the client's messages are brought up to date from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub since: Option<u64>,
    /// Messages, by number.
    pub messages: Vec<ChatMessage>,
    /// Whom they are by.
    pub people: Vec<ChatPerson>,
    /// The chat's last message; 0 for none.
    #[cfg_attr(test, ts(type = "number"))]
    pub last: u64,
    /// The chat's last change, up to which the client then holds everything.
    #[cfg_attr(test, ts(type = "number"))]
    pub change: u64,
    /// The last message that this person has read, on any device.
    #[cfg_attr(test, ts(type = "number"))]
    pub read: u64,
    /// How many of others' messages lie behind it, 1,000 at most.
    pub unread: u32,
}

/// Messages that were sent, edited or deleted, in the order in which that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChatNews {
    /// The chat's channel.
    pub ch: ChannelId,
    /// The change up to which the client then holds everything.
    #[cfg_attr(test, ts(type = "number"))]
    pub change: u64,
    /// The messages as they are now.
    pub messages: Vec<ChatMessage>,
    /// Whom they are by.
    pub people: Vec<ChatPerson>,
}

/// What was said before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChatPage {
    /// The chat's channel.
    pub ch: ChannelId,
    /// What was asked: messages with lower numbers than this.
    #[cfg_attr(test, ts(type = "number"))]
    pub before: u64,
    /// Messages, by number, 50 at most. Where the first has number 1, or there is none, no more lie
    /// before.
    pub messages: Vec<ChatMessage>,
    /// Whom they are by.
    pub people: Vec<ChatPerson>,
}

/// What was asked of a message is done, now or when it was asked before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChatAck {
    /// The chat's channel.
    pub ch: ChannelId,
    /// Which message.
    pub id: MessageId,
    /// Its number.
    #[cfg_attr(test, ts(type = "number"))]
    pub number: u64,
    /// Its last change.
    #[cfg_attr(test, ts(type = "number"))]
    pub change: u64,
}

/// What was asked of a chat is not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChatReject {
    /// The chat's channel, unless it was about to be opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub ch: Option<ChannelId>,
    /// The document that a `chat_open` named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub doc: Option<DocumentId>,
    /// The message that was to be sent, edited or deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub id: Option<MessageId>,
    /// Why.
    pub code: ChatCode,
    /// For a code that is to be tried again: after how many milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub retry_ms: Option<u32>,
}

/// Who types now, the receiver left out. The latest word holds for ten seconds at most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChatTypists {
    /// The chat's channel.
    pub ch: ChannelId,
    /// Everybody who types, eight at most.
    pub people: Vec<ChatPerson>,
}

/// How far this person has read, here or on another device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChatSeen {
    /// The chat's channel.
    pub ch: ChannelId,
    /// The last message that they have read.
    #[cfg_attr(test, ts(type = "number"))]
    pub number: u64,
    /// How many of others' messages lie behind it, 1,000 at most.
    pub unread: u32,
}

/// Where a stretch of the text is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChatLocated {
    /// The chat's channel.
    pub ch: ChannelId,
    /// The stretch that was asked for.
    #[serde(rename = "ref")]
    pub reference: ChatReference,
    /// Where it is at a later revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub at: Option<ChatReference>,
    /// The revision at which the last of it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub gone: Option<u64>,
}
