//! What goes in and out of a client besides operations.

use thiserror::Error;

use crate::error::{DecodeError, LengthMismatch, TransformError};
use crate::operation::Operation;
use crate::position::{ClientSeq, Revision};

/// What a client has said and not yet heard about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientState {
    /// Everything typed is committed.
    Synchronized,
    /// Something is typed and nothing is in flight: take a submission.
    Unsent,
    /// A submission is in flight.
    AwaitingAck,
    /// A submission is in flight and more was typed since.
    AwaitingWithBuffer,
}

/// An operation as it goes to the server, and every time it goes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// Its number.
    pub seq: ClientSeq,
    /// The revision it was made at.
    pub revision: Revision,
    /// The operation, which spans the text at that revision.
    pub op: Operation,
    /// Whether everything typed so far is in it; `false` when limits split it.
    pub whole: bool,
}

/// Why an edit is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EditError {
    /// It was made on another text.
    #[error(transparent)]
    Length(#[from] LengthMismatch),
    /// It inserts what no document may hold.
    #[error(transparent)]
    Text(#[from] DecodeError),
}

/// Why something from the server does not fit; the client must join again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ReceiveError {
    /// The operation spans another text, or the joint text would be too long.
    #[error(transparent)]
    Transform(#[from] TransformError),
    /// Something before it is missing, or it was here already.
    #[error("message leads to revision {found}, expected {expected} or later")]
    Revision {
        /// The revision after the present one.
        expected: Revision,
        /// The revision it leads to.
        found: Revision,
    },
}

/// What an acknowledgement or a rejection turned out to be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledged {
    /// The submission in flight; it is committed now.
    Outstanding,
    /// Something settled before, answered again; nothing to do.
    Earlier,
}

/// A submission that the server refused for good, taken out of the local text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// What changed in the local text.
    pub patch: Operation,
    /// The operation as it was sent.
    pub op: Operation,
    /// The text it inserted, for its writer to see and copy; several places are parted by a line
    /// end.
    pub text: String,
}
