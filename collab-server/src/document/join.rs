//! How a session enters a document.

use std::sync::Arc;

use collab_protocol::{ChannelId, ClientId, Epoch, ErrorCode, UserId};
use ot_core::Revision;
use thiserror::Error;
use tokio::sync::Notify;

use super::{Frame, SessionFeed, SessionSender};
use crate::rights::Visitor;
use crate::store::{PersonRecord, StoreError};

/// A person as others in the document see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participant {
    /// The opaque id.
    pub user: UserId,
    /// The name.
    pub name: String,
    /// The preferred colour, 0 to 11; another is given while somebody else present has it.
    pub color: u8,
}

impl From<PersonRecord> for Participant {
    fn from(person: PersonRecord) -> Self {
        Participant { user: person.id, name: person.name, color: person.color }
    }
}

/// What a client already holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Since {
    /// The revision.
    pub revision: Revision,
    /// The epoch it belongs to.
    pub epoch: Epoch,
}

/// A session that wants to enter.
#[derive(Clone, Debug)]
pub struct JoinRequest {
    /// Who it is.
    pub participant: Participant,
    /// Who stands at the door. The document says what they may do, now and at every change.
    pub visitor: Visitor,
    /// The version of the document's rights that who asks for them knows. The document learns of a
    /// newer one before it lets them in.
    pub rights_version: u64,
    /// Which replica it is. A live session of the same one is ended as replaced.
    pub client: ClientId,
    /// The connection's number for this document; every frame carries it.
    pub channel: ChannelId,
    /// What the client holds, if anything: it then gets operations and no text.
    pub since: Option<Since>,
    /// Notified whenever the feed may have something to pull. One may serve several documents.
    pub wake: Arc<Notify>,
}

/// A session that has entered.
#[derive(Debug)]
pub struct Joined {
    /// The `joined` frame, to be sent before anything else on the channel.
    pub frame: Frame,
    /// Where the client's messages go.
    pub sender: SessionSender,
    /// Where its frames come from.
    pub feed: SessionFeed,
}

/// Why a session cannot enter.
#[derive(Debug, Clone, Error)]
pub enum JoinError {
    /// There is no such document.
    #[error("no such document")]
    NotFound,
    /// The document is deleted.
    #[error("the document is deleted")]
    Deleted,
    /// The client id belongs to somebody else.
    #[error("the client id belongs to another person")]
    ClientTaken,
    /// The document is damaged.
    #[error("the document is damaged: {0}")]
    Corrupt(String),
    /// The database does not answer.
    #[error("the document cannot be loaded now: {0}")]
    Unavailable(String),
    /// The document or the server has all the sessions it can serve, or stops.
    #[error("the document takes no further session now")]
    Overloaded,
}

impl JoinError {
    /// What the client is told.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            JoinError::NotFound => ErrorCode::NotFound,
            JoinError::Deleted => ErrorCode::DocumentDeleted,
            JoinError::ClientTaken => ErrorCode::ClientTaken,
            JoinError::Corrupt(_) => ErrorCode::DocCorrupt,
            JoinError::Unavailable(_) => ErrorCode::StorageUnavailable,
            JoinError::Overloaded => ErrorCode::Overloaded,
        }
    }
}

impl From<StoreError> for JoinError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => JoinError::NotFound,
            StoreError::Corrupt { reason, .. } => JoinError::Corrupt(reason),
            other => JoinError::Unavailable(other.to_string()),
        }
    }
}
