//! Events: what is told to everybody in a room, by back ends and, in topics, by clients.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::id::{EventId, EventName, TopicName, UserId};

/// Any JSON value, kept as the text it arrived as but for line ends, which are blanks: a message
/// is one line.
#[derive(Clone, Debug)]
pub struct RawJson(Box<RawValue>);

impl RawJson {
    /// The value with this JSON form.
    ///
    /// # Errors
    /// When `json` is not one JSON value.
    pub fn new(json: &str) -> Result<Self, serde_json::Error> {
        // Within a text they would be escaped.
        RawValue::from_string(json.replace(['\n', '\r'], " ")).map(RawJson)
    }

    /// The JSON form.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for RawJson {}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Box::<RawValue>::deserialize(deserializer)?;
        match value.get().contains(['\n', '\r']) {
            true => RawJson::new(value.get()).map_err(serde::de::Error::custom),
            false => Ok(RawJson(value)),
        }
    }
}

/// Hears from now on what is told in a topic; answered by `watching`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Watch {
    /// The topic.
    pub topic: TopicName,
}

/// Hears no more of a topic. Nothing is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Unwatch {
    /// The topic.
    pub topic: TopicName,
}

/// Tells everybody who watches a topic something; answered by `told`, or by an error with the same
/// `topic` and `n`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Tell {
    /// The topic.
    pub topic: TopicName,
    /// Any number, which comes back in the answer.
    #[serde(deserialize_with = "crate::client_message::safe")]
    #[cfg_attr(test, ts(type = "number"))]
    pub n: u64,
    /// What kind of event it is; `message` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub name: Option<EventName>,
    /// Anything.
    #[cfg_attr(test, ts(type = "unknown"))]
    pub data: RawJson,
}

/// From now on everything told in a topic comes here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Watching {
    /// The topic.
    pub topic: TopicName,
}

/// What a `tell` said is on its way to whoever watches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Told {
    /// The topic.
    pub topic: TopicName,
    /// The number of the `tell`.
    #[cfg_attr(test, ts(type = "number"))]
    pub n: u64,
}

/// What a room is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum RoomKind {
    /// All connections of one person.
    User,
    /// All connections of one tenant's people.
    Tenant,
    /// All connections that watch a topic.
    Topic,
}

/// Something was told to a room that this connection is in. At most once: what finds no connection
/// is not told later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Event {
    /// What the room is of.
    pub room: RoomKind,
    /// Which topic, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub topic: Option<TopicName>,
    /// What kind of event it is, as the application calls it.
    pub name: EventName,
    /// Anything.
    #[cfg_attr(test, ts(type = "unknown"))]
    pub data: RawJson,
    /// Tells it from others.
    pub id: EventId,
    /// When the server took it, in milliseconds since 1970.
    #[cfg_attr(test, ts(type = "number"))]
    pub time_ms: i64,
    /// Who told it, where it was a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub by: Option<UserId>,
}

/// This connection took its events too slowly: some are lost, the oldest ones. Or, in its person's
/// room, nobody knows whether any are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Missed {
    /// What the room is of that they were told in.
    pub room: RoomKind,
    /// Which topic, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub topic: Option<TopicName>,
    /// How many; 0 where nobody knows.
    #[cfg_attr(test, ts(type = "number"))]
    pub events: u64,
}

/// Whom an event is for, as a back end says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum EventTarget {
    /// A person: all their connections.
    User(UserId),
    /// The whole tenant; only `true` makes sense.
    Tenant(bool),
    /// Whoever watches this topic.
    Topic(TopicName),
}

/// The body of `POST /api/events`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewEvent {
    /// Whom it is for.
    pub to: EventTarget,
    /// What kind of event it is, as the application calls it.
    pub name: EventName,
    /// Anything.
    #[cfg_attr(test, ts(type = "unknown"))]
    #[cfg_attr(feature = "openapi", schema(value_type = Value))]
    pub data: RawJson,
    /// An id of the caller's: the same within ten minutes is told once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub id: Option<EventId>,
}

/// The body of `POST /api/topics/{topic}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PublishValue {
    /// What kind of event it is; `value` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub name: Option<EventName>,
    /// Anything.
    #[cfg_attr(test, ts(type = "unknown"))]
    #[cfg_attr(feature = "openapi", schema(value_type = Value))]
    pub data: RawJson,
}

/// An event was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventTaken {
    /// Its id: the caller's, or else a new one.
    pub id: EventId,
}
