//! What a client sends, and how a server reads it.
//!
//! A `submit` is read in two steps: first channel and number, then the rest. A client waits for one
//! answer to each submission, so a fault in its operation must be answered under its number;
//! only what names no submission is a bad message.
//!
//! Units: offsets count scalar values; integers are 0 to [`MAX_SAFE_INTEGER`].

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::chat::{
    ChatBefore, ChatDelete, ChatEdit, ChatLocate, ChatOpen, ChatRead, ChatSend, ChatTyping,
};
use crate::code::RejectCode;
use crate::entry::RawOperation;
use crate::event::{Tell, Unwatch, Watch};
use crate::figures::{FiguresClose, FiguresOpen};
use crate::id::{ChannelId, ClientId, DocumentId, Epoch};
use crate::limits::MAX_SAFE_INTEGER;

/// A message from a client.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum ClientMessage {
    /// Says who is there, where the upgrade request did not.
    Auth(Auth),
    /// Opens a document on this connection.
    Join(Join),
    /// Offers one edit to be committed.
    Submit(Submit),
    /// Tells where the carets and selections are.
    Select(Select),
    /// Closes a document on this connection.
    Leave(Leave),
    /// Asks for a `pong`.
    Ping(Ping),
    /// Opens a document's chat on this connection.
    ChatOpen(ChatOpen),
    /// Says something in a chat.
    ChatSend(ChatSend),
    /// Changes one's own message.
    ChatEdit(ChatEdit),
    /// Takes a message back.
    ChatDelete(ChatDelete),
    /// Asks for what was said before.
    ChatBefore(ChatBefore),
    /// Tells that one types.
    ChatTyping(ChatTyping),
    /// Tells up to where one has read.
    ChatRead(ChatRead),
    /// Asks where a stretch of the text is now.
    ChatLocate(ChatLocate),
    /// Hears from now on what is told in a topic.
    Watch(Watch),
    /// Hears no more of a topic.
    Unwatch(Unwatch),
    /// Tells everybody who watches a topic something.
    Tell(Tell),
    /// Asks how much goes on, from now on.
    FiguresOpen(FiguresOpen),
    /// Wants to know it no more.
    FiguresClose(FiguresClose),
}

/// Says who is there, as the first message of a connection whose upgrade did not; later it brings a
/// fresh token of the same person, so that the session lasts as long as that.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Auth {
    /// The token. Never in a URL, never in a log.
    pub token: String,
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Auth { token: … }")
    }
}

/// Opens a document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Join {
    /// The document.
    pub doc: DocumentId,
    /// The replica that joins; a live session of the same one is closed with 4409.
    pub client: ClientId,
    /// The revision that the client holds, if it holds any: it then gets operations, not the text.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "optional_safe")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub since: Option<u64>,
    /// The epoch that `since` belongs to; needed with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub epoch: Option<Epoch>,
}

/// Offers one edit. It is answered exactly once: by an ack in the stream, by `ack`, or by `reject`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Submit {
    /// The document's channel.
    pub ch: ChannelId,
    /// The client's number for this submission: 1, 2, 3… within the document.
    #[cfg_attr(test, ts(type = "number"))]
    pub seq: u64,
    /// The revision that the operation was made on.
    #[cfg_attr(test, ts(type = "number"))]
    pub rev: u64,
    /// The operation.
    #[cfg_attr(test, ts(type = "OperationJson"))]
    pub op: RawOperation,
    /// The selections after the operation, if they are to be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub ranges: Option<Vec<SelectionRange>>,
}

/// Tells the carets and selections of this session. Sent only while nothing is pending; otherwise
/// they ride with the next submission.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Select {
    /// The document's channel.
    pub ch: ChannelId,
    /// The revision whose text the offsets are in.
    #[cfg_attr(test, ts(type = "number"))]
    pub rev: u64,
    /// The selections; none takes the caret away.
    pub ranges: Vec<SelectionRange>,
}

/// Closes a document on this connection; answered by `left`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Leave {
    /// The document's channel.
    pub ch: ChannelId,
}

/// Asks for a `pong` with the same `t`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Ping {
    /// Any number; a client puts its clock there, in milliseconds.
    pub t: f64,
}

/// One selection: a caret where both offsets are equal. On the wire `[anchor, head]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u32, u32)", into = "(u32, u32)")]
#[cfg_attr(test, derive(ts_rs::TS), ts(type = "[anchor: number, head: number]"))]
pub struct SelectionRange {
    /// The end that stays when the selection is extended, in scalar values.
    pub anchor: u32,
    /// The end that moves, where the caret is drawn, in scalar values.
    pub head: u32,
}

impl From<(u32, u32)> for SelectionRange {
    fn from((anchor, head): (u32, u32)) -> Self {
        SelectionRange { anchor, head }
    }
}

impl From<SelectionRange> for (u32, u32) {
    fn from(range: SelectionRange) -> Self {
        (range.anchor, range.head)
    }
}

/// Why a frame is not a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undecodable {
    /// It does not name a submission: answered by `error {bad_message}`.
    #[error("{0}")]
    Message(String),
    /// It is the submission `seq` of channel `ch`, and a part of it is wrong: answered by `reject`.
    #[error("submission {seq} of channel {ch}: {reason}")]
    Submission {
        /// The channel.
        ch: ChannelId,
        /// The submission's number.
        seq: u64,
        /// The answer.
        code: RejectCode,
        /// What is wrong, for a developer.
        reason: String,
    },
}

impl ClientMessage {
    /// The message's `type`.
    pub fn kind(&self) -> &'static str {
        match self {
            ClientMessage::Auth(_) => "auth",
            ClientMessage::Join(_) => "join",
            ClientMessage::Submit(_) => "submit",
            ClientMessage::Select(_) => "select",
            ClientMessage::Leave(_) => "leave",
            ClientMessage::Ping(_) => "ping",
            ClientMessage::ChatOpen(_) => "chat_open",
            ClientMessage::ChatSend(_) => "chat_send",
            ClientMessage::ChatEdit(_) => "chat_edit",
            ClientMessage::ChatDelete(_) => "chat_delete",
            ClientMessage::ChatBefore(_) => "chat_before",
            ClientMessage::ChatTyping(_) => "chat_typing",
            ClientMessage::ChatRead(_) => "chat_read",
            ClientMessage::ChatLocate(_) => "chat_locate",
            ClientMessage::Watch(_) => "watch",
            ClientMessage::Unwatch(_) => "unwatch",
            ClientMessage::Tell(_) => "tell",
            ClientMessage::FiguresOpen(_) => "figures_open",
            ClientMessage::FiguresClose(_) => "figures_close",
        }
    }

    /// Every `type` that a client may send.
    pub const KINDS: &'static [&'static str] = &[
        "auth",
        "join",
        "submit",
        "select",
        "leave",
        "ping",
        "chat_open",
        "chat_send",
        "chat_edit",
        "chat_delete",
        "chat_before",
        "chat_typing",
        "chat_read",
        "chat_locate",
        "watch",
        "unwatch",
        "tell",
        "figures_open",
        "figures_close",
    ];

    /// Reads one text frame. Unknown fields are ignored; an operation is not looked into.
    ///
    /// # Errors
    /// [`Undecodable`], which says how to answer.
    pub fn decode(frame: &str) -> Result<Self, Undecodable> {
        // A list of the fields' values would be read as well.
        if frame.trim_ascii_start().starts_with('[') {
            return Err(Undecodable::Message("a message is an object".to_owned()));
        }
        let tag: Tag<'_> = parse(frame)?;
        Ok(match tag.kind.as_ref() {
            "auth" => ClientMessage::Auth(parse(frame)?),
            "join" => ClientMessage::Join(parse(frame)?),
            "submit" => ClientMessage::Submit(parse::<SubmitFields<'_>>(frame)?.check()?),
            "select" => ClientMessage::Select(parse::<SelectFields>(frame)?.into()),
            "leave" => ClientMessage::Leave(parse(frame)?),
            "ping" => ClientMessage::Ping(parse(frame)?),
            "chat_open" => ClientMessage::ChatOpen(parse(frame)?),
            "chat_send" => ClientMessage::ChatSend(parse(frame)?),
            "chat_edit" => ClientMessage::ChatEdit(parse(frame)?),
            "chat_delete" => ClientMessage::ChatDelete(parse(frame)?),
            "chat_before" => ClientMessage::ChatBefore(parse(frame)?),
            "chat_typing" => ClientMessage::ChatTyping(parse(frame)?),
            "chat_read" => ClientMessage::ChatRead(parse(frame)?),
            "chat_locate" => ClientMessage::ChatLocate(parse(frame)?),
            "watch" => ClientMessage::Watch(parse(frame)?),
            "unwatch" => ClientMessage::Unwatch(parse(frame)?),
            "tell" => ClientMessage::Tell(parse(frame)?),
            "figures_open" => ClientMessage::FiguresOpen(parse(frame)?),
            "figures_close" => ClientMessage::FiguresClose(parse(frame)?),
            _ => return Err(Undecodable::Message("unknown message type".to_owned())),
        })
    }

    /// The message as one text frame.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a message has no unencodable part")
    }
}

fn parse<'de, T: Deserialize<'de>>(frame: &'de str) -> Result<T, Undecodable> {
    serde_json::from_str(frame).map_err(|error| Undecodable::Message(position_only(&error)))
}

/// What serde_json says, which quotes at most a field's name or a scalar's type. A scalar's value
/// may be a person's text or token, so it is left out.
fn position_only(error: &serde_json::Error) -> String {
    let place = format!("line {} column {}", error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Eof => format!("message ends early at {place}"),
        serde_json::error::Category::Data => {
            let text = error.to_string();
            let is_field = text.starts_with("missing field") || text.starts_with("duplicate field");
            if is_field { text } else { format!("a field has a wrong type or value at {place}") }
        }
        _ => format!("not JSON at {place}"),
    }
}

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

/// An integer that JavaScript holds exactly.
#[derive(Clone, Copy)]
struct SafeInteger(u64);

impl<'de> Deserialize<'de> for SafeInteger {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = u64::deserialize(deserializer)?;
        if value > MAX_SAFE_INTEGER {
            return Err(serde::de::Error::custom("integer above 2^53 - 1"));
        }
        Ok(SafeInteger(value))
    }
}

/// A number, which must be an integer that JavaScript holds exactly.
pub(crate) fn safe<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    SafeInteger::deserialize(deserializer).map(|value| value.0)
}

/// The same, where there is one.
pub(crate) fn optional_safe<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u64>, D::Error> {
    Option::<SafeInteger>::deserialize(deserializer).map(|value| value.map(|value| value.0))
}

#[derive(Deserialize)]
struct SelectFields {
    ch: ChannelId,
    rev: SafeInteger,
    ranges: Vec<SelectionRange>,
}

impl From<SelectFields> for Select {
    fn from(fields: SelectFields) -> Self {
        Select { ch: fields.ch, rev: fields.rev.0, ranges: fields.ranges }
    }
}

#[derive(Deserialize)]
struct SubmitFields<'a> {
    ch: ChannelId,
    seq: SafeInteger,
    #[serde(borrow, default)]
    rev: Option<&'a RawValue>,
    #[serde(borrow, default)]
    op: Option<&'a RawValue>,
    #[serde(borrow, default)]
    ranges: Option<&'a RawValue>,
}

impl SubmitFields<'_> {
    fn check(self) -> Result<Submit, Undecodable> {
        let SubmitFields { ch, seq, .. } = self;
        let reject = |code, reason: &str| Undecodable::Submission {
            ch,
            seq: seq.0,
            code,
            reason: reason.to_owned(),
        };
        let rev = self
            .rev
            .and_then(|raw| serde_json::from_str::<SafeInteger>(raw.get()).ok())
            .ok_or_else(|| {
                reject(RejectCode::BadOp, "rev must be an integer from 0 to 2^53 - 1")
            })?;
        let op = self.op.ok_or_else(|| reject(RejectCode::BadOp, "op is missing"))?;
        let ranges = self
            .ranges
            .map(|raw| serde_json::from_str(raw.get()))
            .transpose()
            .map_err(|_| reject(RejectCode::BadRanges, "ranges must be pairs of offsets"))?;
        Ok(Submit { ch, seq: seq.0, rev: rev.0, op: RawOperation::from(op.to_owned()), ranges })
    }
}
