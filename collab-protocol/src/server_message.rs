//! What a server sends.
//!
//! Units: offsets count scalar values, `_ms` milliseconds, `_bytes` UTF-8 bytes.

use serde::{Deserialize, Serialize};

use crate::chat::{
    ChatAck, ChatLocated, ChatNews, ChatOpened, ChatPage, ChatReject, ChatSeen, ChatTypists,
};
use crate::client_message::SelectionRange;
use crate::code::{ErrorCode, RejectCode};
use crate::entry::Entry;
use crate::event::{Event, Missed, Told, Watching};
use crate::figures::{Figures, FiguresRefused};
use crate::id::{
    AuthorNumber, ChannelId, DocumentId, Epoch, SessionNumber, TextHash, TopicName, UserId,
};
use crate::limits::WireLimits;
use crate::notification::Notified;

/// A message from a server.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum ServerMessage {
    /// The first message: who the server takes the client for, and what it accepts.
    Welcome(Welcome),
    /// A document is open.
    Joined(Joined),
    /// Committed operations, in revision order.
    Ops(Ops),
    /// A resent submission was committed at a revision the session is past already.
    Ack(Ack),
    /// A submission was not committed.
    Reject(Reject),
    /// Who is there and where their carets are.
    Presence(Presence),
    /// Send less often.
    SlowDown(SlowDown),
    /// Something other than a submission could not be done.
    Error(ErrorMessage),
    /// The answer to a `ping`.
    Pong(Pong),
    /// A document is closed on this connection.
    Left(Left),
    /// A document has a new title.
    Renamed(Renamed),
    /// A document was deleted.
    Deleted(Deleted),
    /// A deleted document is there again.
    Restored(Restored),
    /// What this person may do with an open document has changed.
    Access(Access),
    /// A chat is open.
    ChatOpened(ChatOpened),
    /// Messages of a chat that were sent, edited or deleted.
    Chat(ChatNews),
    /// What was said before.
    ChatPage(ChatPage),
    /// What was asked of a message is done.
    ChatAck(ChatAck),
    /// What was asked of a chat is not done.
    ChatReject(ChatReject),
    /// Who types in a chat.
    ChatTyping(ChatTypists),
    /// How far this person has read.
    ChatRead(ChatSeen),
    /// Where a stretch of the text is now.
    ChatLocated(ChatLocated),
    /// A topic is watched.
    Watching(Watching),
    /// What was said in a topic is on its way.
    Told(Told),
    /// Something was told to a room that this connection is in.
    Event(Event),
    /// Events are lost because they were taken too slowly.
    Missed(Missed),
    /// Something happened to this person's notifications.
    Notified(Notified),
    /// How much goes on.
    Figures(Figures),
    /// That is not told.
    FiguresRefused(FiguresRefused),
}

/// The first message of every connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Welcome {
    /// Who the server takes the client for.
    pub user: WelcomeUser,
    /// What the server accepts.
    pub limits: WireLimits,
    /// How often the server pings, in milliseconds.
    pub heartbeat_ms: u32,
}

/// The person behind a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct WelcomeUser {
    /// The person's id.
    pub id: UserId,
    /// The name others see.
    pub name: String,
    /// The colour others see, 0 to 11.
    pub color: u8,
}

/// What a person may do with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Role {
    /// Everything, deletion included.
    Owner,
    /// Read and edit.
    Editor,
    /// Read and comment.
    Commenter,
    /// Read.
    Viewer,
}

/// A document is open.
///
/// With `text`: the text at `rev`, which is the head. Without: the client's own revision, and the
/// operations since follow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Joined {
    /// The number for this document on this connection.
    pub ch: ChannelId,
    /// The document, so that the answer finds its question.
    pub doc: DocumentId,
    /// The line of history that revisions belong to; to be named on resume.
    pub epoch: Epoch,
    /// The revision to count from.
    #[cfg_attr(test, ts(type = "number"))]
    pub rev: u64,
    /// The text at `rev`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub text: Option<String>,
    /// The hash of the text at `rev`, where the text is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub hash: Option<TextHash>,
    /// The document's title.
    pub title: String,
    /// What this person may do.
    pub role: Role,
    /// The last submission of this client that is committed; 0 for none.
    #[cfg_attr(test, ts(type = "number"))]
    pub seq: u64,
    /// The revision that `seq` was committed as; 0 for none.
    #[cfg_attr(test, ts(type = "number"))]
    pub seq_rev: u64,
    /// Everyone else who is there.
    pub people: Vec<Person>,
}

/// A live session of somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Person {
    /// The session; two tabs of one person are two.
    pub session: SessionNumber,
    /// The person's number as an author.
    pub by: AuthorNumber,
    /// The person's id.
    pub user: UserId,
    /// The person's name.
    pub name: String,
    /// The person's colour, 0 to 11.
    pub color: u8,
    /// The selections, where the session has told any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub ranges: Option<Vec<SelectionRange>>,
}

/// Somebody who wrote an operation, there or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Author {
    /// The number that entries use.
    pub by: AuthorNumber,
    /// The person's id.
    pub user: UserId,
    /// The person's name.
    pub name: String,
    /// The person's colour, 0 to 11.
    pub color: u8,
}

/// Committed operations. Every revision arrives once, in order, as part of one of these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Ops {
    /// The document's channel.
    pub ch: ChannelId,
    /// The revision before the first entry.
    #[cfg_attr(test, ts(type = "number"))]
    pub rev: u64,
    /// The entries.
    pub ops: Vec<Entry>,
    /// The authors that this frame is the first to use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(as = "Option<Vec<Author>>", optional))]
    pub people: Vec<Author>,
}

/// A resent submission was committed long ago.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Ack {
    /// The document's channel.
    pub ch: ChannelId,
    /// The submission's number.
    #[cfg_attr(test, ts(type = "number"))]
    pub seq: u64,
    /// The revision it was committed as.
    #[cfg_attr(test, ts(type = "number"))]
    pub rev: u64,
}

/// A submission was not committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Reject {
    /// The document's channel.
    pub ch: ChannelId,
    /// The submission's number.
    #[cfg_attr(test, ts(type = "number"))]
    pub seq: u64,
    /// Why.
    pub code: RejectCode,
    /// More, for a developer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub message: Option<String>,
    /// For a code that is to be tried again: after how many milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub retry_ms: Option<u32>,
}

/// Who came, moved or went. The latest word on a session holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Presence {
    /// The document's channel.
    pub ch: ChannelId,
    /// The revision whose text the ranges are in. The operations up to it came before.
    #[cfg_attr(test, ts(type = "number"))]
    pub rev: u64,
    /// Sessions that came or changed; never the receiver's own.
    pub people: Vec<Person>,
    /// Sessions that went.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(as = "Option<Vec<SessionNumber>>", optional))]
    pub gone: Vec<SessionNumber>,
}

/// Send less often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SlowDown {
    /// For how long to hold back, in milliseconds.
    pub ms: u32,
}

/// Something other than a submission could not be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ErrorMessage {
    /// What.
    pub code: ErrorCode,
    /// Whether the connection closes now.
    pub fatal: bool,
    /// The document that a `join` named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub doc: Option<DocumentId>,
    /// The channel that a message named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub ch: Option<ChannelId>,
    /// The topic that a message named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub topic: Option<TopicName>,
    /// The number of a `tell`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub n: Option<u64>,
    /// More, for a developer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub message: Option<String>,
}

impl ErrorMessage {
    /// One that names nothing and closes nothing.
    pub fn new(code: ErrorCode) -> Self {
        let (doc, ch, topic, n, message) = (None, None, None, None, None);
        ErrorMessage { code, fatal: false, doc, ch, topic, n, message }
    }
}

/// The answer to a `ping`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Pong {
    /// What the `ping` said.
    pub t: f64,
}

/// A document is closed on this connection, asked for or not; its channel number is spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Left {
    /// The document's channel.
    pub ch: ChannelId,
}

/// A document has a new title.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Renamed {
    /// The document's channel.
    pub ch: ChannelId,
    /// The title.
    pub title: String,
}

/// A document was deleted and takes no edits. Its channel stays, and so does its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Deleted {
    /// The document's channel.
    pub ch: ChannelId,
}

/// A deleted document was restored and takes edits again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Restored {
    /// The document's channel.
    pub ch: ChannelId,
}

/// What this person may do with an open document has changed. Who may do nothing any more gets the
/// error `access_revoked` and `left` instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Access {
    /// The document's channel.
    pub ch: ChannelId,
    /// What the person may do from now on.
    pub role: Role,
}

impl ServerMessage {
    /// Every `type` that a server may send.
    pub const KINDS: &'static [&'static str] = &[
        "welcome",
        "joined",
        "ops",
        "ack",
        "reject",
        "presence",
        "slow_down",
        "error",
        "pong",
        "left",
        "renamed",
        "deleted",
        "restored",
        "access",
        "chat_opened",
        "chat",
        "chat_page",
        "chat_ack",
        "chat_reject",
        "chat_typing",
        "chat_read",
        "chat_located",
        "watching",
        "told",
        "event",
        "missed",
        "notified",
        "figures",
        "figures_refused",
    ];

    /// The message as one text frame.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a message has no unencodable part")
    }

    /// Reads one text frame, for clients written in Rust. Unknown fields are ignored.
    ///
    /// # Errors
    /// When the frame is no message of this version.
    pub fn decode(frame: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Tag<'a> {
            #[serde(borrow, rename = "type")]
            kind: std::borrow::Cow<'a, str>,
        }
        let tag: Tag<'_> = serde_json::from_str(frame)?;
        Ok(match tag.kind.as_ref() {
            "welcome" => ServerMessage::Welcome(serde_json::from_str(frame)?),
            "joined" => ServerMessage::Joined(serde_json::from_str(frame)?),
            "ops" => ServerMessage::Ops(serde_json::from_str(frame)?),
            "ack" => ServerMessage::Ack(serde_json::from_str(frame)?),
            "reject" => ServerMessage::Reject(serde_json::from_str(frame)?),
            "presence" => ServerMessage::Presence(serde_json::from_str(frame)?),
            "slow_down" => ServerMessage::SlowDown(serde_json::from_str(frame)?),
            "error" => ServerMessage::Error(serde_json::from_str(frame)?),
            "pong" => ServerMessage::Pong(serde_json::from_str(frame)?),
            "left" => ServerMessage::Left(serde_json::from_str(frame)?),
            "renamed" => ServerMessage::Renamed(serde_json::from_str(frame)?),
            "deleted" => ServerMessage::Deleted(serde_json::from_str(frame)?),
            "restored" => ServerMessage::Restored(serde_json::from_str(frame)?),
            "access" => ServerMessage::Access(serde_json::from_str(frame)?),
            "chat_opened" => ServerMessage::ChatOpened(serde_json::from_str(frame)?),
            "chat" => ServerMessage::Chat(serde_json::from_str(frame)?),
            "chat_page" => ServerMessage::ChatPage(serde_json::from_str(frame)?),
            "chat_ack" => ServerMessage::ChatAck(serde_json::from_str(frame)?),
            "chat_reject" => ServerMessage::ChatReject(serde_json::from_str(frame)?),
            "chat_typing" => ServerMessage::ChatTyping(serde_json::from_str(frame)?),
            "chat_read" => ServerMessage::ChatRead(serde_json::from_str(frame)?),
            "chat_located" => ServerMessage::ChatLocated(serde_json::from_str(frame)?),
            "watching" => ServerMessage::Watching(serde_json::from_str(frame)?),
            "told" => ServerMessage::Told(serde_json::from_str(frame)?),
            "event" => ServerMessage::Event(serde_json::from_str(frame)?),
            "missed" => ServerMessage::Missed(serde_json::from_str(frame)?),
            "notified" => ServerMessage::Notified(serde_json::from_str(frame)?),
            "figures" => ServerMessage::Figures(serde_json::from_str(frame)?),
            "figures_refused" => ServerMessage::FiguresRefused(serde_json::from_str(frame)?),
            _ => return Err(serde::de::Error::custom("unknown message type")),
        })
    }
}
