//! What the servers that have a document open tell each other of who is there.
//!
//! Soft state: nothing of it is stored, any of it may be lost, and the latest word holds. Each
//! telling is numbered, so that a loss shows; whoever sees one asks, and is told everything. Who is
//! not heard of for a lease is gone.
//!
//! Offsets count scalar values.

use std::fmt;

use collab_protocol::{ClientId, SelectionRange, SessionNumber, UserId};
use serde::{Deserialize, Serialize};

/// One document in the memory of one server, from its load to its end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HostId(u64);

impl HostId {
    /// A host that has just begun.
    #[must_use]
    pub fn random() -> Self {
        HostId(uuid::Uuid::new_v4().as_u64_pair().0)
    }

    /// The id with this value.
    #[must_use]
    pub const fn new(value: u64) -> Self {
        HostId(value)
    }
}

impl fmt::Debug for HostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostId({:016x})", self.0)
    }
}

/// What a telling is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Telling {
    /// Who changed and who went since the telling before. Of nobody: a sign of life.
    Change,
    /// Everybody who is there.
    Whole,
    /// The host ends, and nobody is there any more.
    End,
}

/// One telling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresenceNews {
    /// Who tells.
    pub host: HostId,
    /// Counts the host's tellings with news, from 1; [`Telling::Whole`] and signs of life repeat the
    /// last number.
    pub number: u64,
    /// What it is.
    pub telling: Telling,
    /// Whether the others are to tell everything in turn.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asks: bool,
    /// The revision whose text the ranges are in.
    pub revision: u64,
    /// Who changed, or everybody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<PersonThere>,
    /// Sessions that went.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<SessionNumber>,
}

/// A session of another host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonThere {
    /// Its number there.
    pub session: SessionNumber,
    /// Its replica: what that commits carries its own caret along.
    pub client: ClientId,
    /// The person.
    pub user: UserId,
    /// Their name.
    pub name: String,
    /// The colour they are shown in there, 0 to 11.
    pub color: u8,
    /// Grows with every change of the session there: with the same one nothing is new. 0 says
    /// nothing.
    #[serde(default)]
    pub change: u64,
    /// Their selections.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<SelectionRange>,
}
