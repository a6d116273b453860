//! Figures: how much goes on, second by second, for a dashboard.
//!
//! Units: `_ms` milliseconds, `_us` microseconds, `_bytes` bytes; counts are of one second.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::code::{ErrorCode, RejectCode};
use crate::id::DocumentId;

/// What figures are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum FiguresOf {
    /// Everything on the server that is asked.
    Server,
    /// The documents that one may do everything with: one's own, and a back end's whole tenant.
    Own,
}

/// Asks for figures from now on: those of the last 15 minutes at once, then at most once a second
/// what came since. Asked again, they begin anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct FiguresOpen {
    /// Of what; the server where one may see it, if left out, and else one's own documents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub of: Option<FiguresOf>,
}

/// Wants no more figures. Nothing is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct FiguresClose {}

/// Figures are not given; nothing was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct FiguresRefused {
    /// Why: `forbidden`, `overloaded`, `slow_down`.
    pub code: ErrorCode,
}

/// How much went on. At most one of these goes to a connection in any second, whatever happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Figures {
    /// Of what.
    pub of: FiguresOf,
    /// Whether they begin anew: what was told before is to be forgotten.
    pub first: bool,
    /// Second by second, oldest first: those that were not told yet.
    pub seconds: Vec<SecondFigures>,
    /// The busiest documents now, at most 20.
    pub documents: Vec<DocumentFigures>,
}

/// How much went on in one second.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SecondFigures {
    /// When it ended, in milliseconds since 1970. Where a server had no time it is more than a second
    /// after the one before, and its counts are of all that time.
    #[cfg_attr(test, ts(type = "number"))]
    pub time_ms: i64,
    /// People in documents, counted once in each.
    pub people: u32,
    /// Documents with somebody in them.
    pub documents: u32,
    /// Operations made durable.
    pub operations: u32,
    /// More, where they are of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub server: Option<ServerFigures>,
}

/// How much went on in one second on a server as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServerFigures {
    /// Open connections of clients.
    pub connections: u32,
    /// Documents in memory.
    pub loaded: u32,
    /// Bytes read from connections of clients.
    #[cfg_attr(test, ts(type = "number"))]
    pub bytes_received: u64,
    /// Bytes written to them.
    #[cfg_attr(test, ts(type = "number"))]
    pub bytes_sent: u64,
    /// Submissions answered by a reject, by code; those that there were.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<BTreeMap<RejectCode, u32>>"))]
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, u32>))]
    pub rejects: BTreeMap<RejectCode, u32>,
    /// From an append to its being durable; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub append: Option<Spread>,
    /// From a commit to its being taken for a session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub fanout: Option<Spread>,
    /// From a submission to its answer on the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub answer: Option<Spread>,
    /// Memory of the process; absent where the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub memory_bytes: Option<u64>,
}

/// How long something took, to a quarter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Spread {
    /// Half of them took at most this.
    pub p50_us: u32,
    /// 99 in 100 took at most this.
    pub p99_us: u32,
}

/// How much goes on in one document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentFigures {
    /// Tells it from others on this server, and nothing else.
    #[cfg_attr(test, ts(type = "number"))]
    pub number: u64,
    /// Which document it is, where one may do everything with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub doc: Option<DocumentId>,
    /// People in it.
    pub people: u32,
    /// Operations in the last second,
    pub operations: u32,
    /// and in the last minute.
    pub operations_minute: u32,
}
