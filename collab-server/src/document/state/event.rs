//! What happens to a document, and what it wants done.

use std::sync::Arc;

use collab_protocol::{ClientId, SessionNumber, UserId};
use ot_core::{ClientSeq, Operation, Ranges, Revision};

use super::super::room::Answer;
use super::super::submission::{Submission, SubmissionHash};
use crate::rights::{Rights, Visitor};
use crate::store::{ClientProgress, LoggedOperation, StoreError, TailPage};

/// Something that happened.
#[derive(Debug)]
pub(in crate::document) enum Event {
    /// A session wants to enter, with the text or going on from what it holds.
    Join { session: SessionNumber, client: ClientId, user: UserId, entry: Entry },
    /// A session left. Its submissions stand.
    Left { session: SessionNumber },
    /// A session offers an edit.
    Submit { session: SessionNumber, client: ClientId, visitor: Visitor, submission: Submission },
    /// The answer to [`Effect::ReadProgress`].
    ProgressRead { client: ClientId, result: Result<Option<ClientProgress>, ReadFault> },
    /// The answer to [`Effect::ReadRange`]: the range as one operation.
    RangeRead {
        client: ClientId,
        seq: ClientSeq,
        through: Revision,
        result: Result<Operation, ReadFault>,
    },
    /// The answer to [`Effect::FindSubmission`].
    SubmissionFound {
        client: ClientId,
        seq: ClientSeq,
        result: Result<Option<Revision>, ReadFault>,
    },
    /// The answer to [`Effect::Fence`]. Rights that came with it were told before.
    Fenced { client: ClientId, seq: Option<ClientSeq>, result: Result<Begun, ReadFault> },
    /// What became of a batch.
    Appended { batch: u64, outcome: Outcome },
    /// The answer to [`Effect::ReadTail`].
    TailRead { result: Result<TailPage, ReadFault> },
    /// The log holds these operations, which continue the text (none where something before them
    /// is missing), and ends at `head` or behind.
    Heard { operations: Vec<LoggedOperation>, head: Revision },
    /// The document was deleted, or restored.
    SetDeleted { is_deleted: bool },
    /// Others may do other things now.
    SetRights { rights: Arc<Rights> },
}

/// What came of letting a client begin anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Begun {
    /// What the log holds of it by then.
    pub(crate) progress: Option<ClientProgress>,
    /// The fence; `None` where another server made one first.
    pub(crate) fence: Option<Fence>,
}

/// A fence that this server made: versions of the rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fence {
    /// The client's fence before, 0 for none.
    pub(crate) known: u64,
    /// This one.
    pub(crate) at: u64,
}

impl Fence {
    /// What was received here goes on behind the fence, if no earlier one is between: whether it does.
    pub(in crate::document) fn keep(self, under: &mut u64) -> bool {
        let goes_on = *under >= self.known;
        if goes_on {
            *under = self.at.max(*under);
        }
        goes_on
    }
}

/// What a session has when it enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::document) enum Entry {
    /// Nothing to go on from: it gets the text.
    Afresh,
    /// A revision, and what it had in flight there. It may have heard more from another server
    /// than this one has.
    Resuming { at: Revision },
    /// As `Afresh`; nothing of its client that was sent before can be committed any more.
    Fenced,
}

/// What became of an append; see [`AppendOutcome`](crate::AppendOutcome).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is durable.
    Done,
    /// The log or a client had moved on. Nothing was written.
    Conflict,
    /// Nothing was written.
    Failed,
    /// Nobody knows.
    Unknown,
}

/// Why the store could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReadFault {
    /// It does not answer now.
    Unavailable,
    /// What it holds contradicts itself.
    Corrupt(String),
}

impl From<StoreError> for ReadFault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Corrupt { reason, .. } => ReadFault::Corrupt(reason),
            _ => ReadFault::Unavailable,
        }
    }
}

/// Something to be done.
#[derive(Clone, Debug)]
pub(in crate::document) enum Effect {
    /// Let a session in, in place of another one of its client if that is still there.
    Admit {
        session: SessionNumber,
        last: Option<(ClientSeq, Revision)>,
        replaces: Option<SessionNumber>,
    },
    /// Turn a session away.
    Refuse { session: SessionNumber, refusal: Refusal },
    /// Read the client's last committed submission.
    ReadProgress { client: ClientId },
    /// Read history as one operation: all behind `after` up to `through`.
    ReadRange { client: ClientId, seq: ClientSeq, after: Revision, through: Revision },
    /// From now on let nothing be committed that other servers, or this one, received of a client
    /// before; then read its last committed submission. It is for a submission, or for a session
    /// that enters afresh. Not where there is a newer fence than the one known here.
    Fence { client: ClientId, seq: Option<ClientSeq>, known: u64 },
    /// End a session whose client began anew elsewhere: it has to ask again.
    Dismiss { session: SessionNumber },
    /// Look for an old submission in the log.
    FindSubmission { client: ClientId, seq: ClientSeq },
    /// Append these operations behind revision `base`.
    Append { batch: u64, base: Revision, operations: Vec<Decided>, len_chars: usize },
    /// Read the log behind `after`; `attempts` failed already. Where `goes_ahead`, the append that is
    /// made on it is to go ahead of other servers'.
    ReadTail { after: Revision, attempts: u32, goes_ahead: bool },
    /// An operation is durable; the head is at its revision.
    Committed(Committed),
    /// Answer a session apart from the stream.
    Answer { session: SessionNumber, answer: Answer },
    /// The log contradicts itself: nobody may be served from it.
    Damaged { reason: String },
}

/// Why a session may not enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::document) enum Refusal {
    /// The client id is somebody else's.
    ClientTaken,
    /// The document is deleted.
    Deleted,
    /// The store does not say who the client is.
    Unavailable,
}

/// An operation to append.
#[derive(Debug, Clone)]
pub(in crate::document) struct Decided {
    pub(in crate::document) client: ClientId,
    pub(in crate::document) seq: ClientSeq,
    pub(in crate::document) author: UserId,
    pub(in crate::document) operation: Arc<Operation>,
    pub(in crate::document) submission: SubmissionHash,
}

/// A durable operation.
#[derive(Debug, Clone)]
pub(in crate::document) struct Committed {
    pub(in crate::document) revision: Revision,
    pub(in crate::document) client: ClientId,
    pub(in crate::document) seq: ClientSeq,
    pub(in crate::document) author: UserId,
    pub(in crate::document) operation: Arc<Operation>,
    /// The selection that its client wants shown behind it.
    pub(in crate::document) ranges: Option<Ranges>,
}
