//! What a document wants done, and what comes of it.

use std::sync::Arc;

use collab_protocol::{ClientId, SessionNumber};
use ot_core::{ClientSeq, Operation, Revision};

use super::admission::{Admission, JoinFailure};
use crate::document::edit::Edited;
use crate::document::state::{Begun, Effect, ReadFault};
use crate::presence_news::PresenceNews;
use crate::rights::Rights;
use crate::store::{Append, ClientProgress, LoggedOperation, Snapshot, TailPage};

/// Something to be done.
pub(crate) enum Order {
    /// Tell a session that it is let in.
    Admit(Box<Admission>),
    /// Tell a session that it is not.
    Refuse { session: SessionNumber, failure: JoinFailure },
    /// Tell who asked for an edit what became of it.
    Edited { session: SessionNumber, edited: Edited },
    /// Append to the log, and say what became of the batch.
    Append { batch: u64, append: Append },
    /// Read, and say what was found.
    Read(Read),
    /// Write a snapshot.
    Snapshot(Snapshot),
    /// Tell other servers that these were committed here.
    Publish(Vec<LoggedOperation>),
    /// Tell them who is here.
    Tell(PresenceNews),
}

/// Something to be read from the store.
#[derive(Clone, Debug)]
pub(crate) enum Read {
    /// The log behind `after`; `attempts` failed already. Where `goes_ahead`, the append that is made
    /// on it is to go ahead of other servers'.
    Tail { after: Revision, attempts: u32, goes_ahead: bool },
    /// The log behind `after`, which may well have nothing there.
    Poll { after: Revision },
    /// A client's last committed submission.
    Progress { client: ClientId },
    /// A client's last committed submission, after a fence: nothing that servers received of it
    /// before is committed any more. The fence is made where the client's last one is the known one.
    Fence { client: ClientId, seq: Option<ClientSeq>, known: u64 },
    /// The revision of an old submission.
    Submission { client: ClientId, seq: ClientSeq },
    /// History as one operation: all behind `after` up to `through`.
    Range { client: ClientId, seq: ClientSeq, after: Revision, through: Revision },
}

/// What a look at the log brought.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) page: TailPage,
    /// The rights, where those of the page are newer than the document's: what is decided on the
    /// page is decided under them.
    pub(crate) rights: Option<Arc<Rights>>,
}

/// What a [`Read`] brought.
#[derive(Clone, Debug)]
pub(crate) enum ReadDone {
    Tail(Result<Look, ReadFault>),
    Poll(Result<Look, ReadFault>),
    Progress {
        client: ClientId,
        result: Result<Option<ClientProgress>, ReadFault>,
    },
    Fenced {
        client: ClientId,
        seq: Option<ClientSeq>,
        result: Result<(Arc<Rights>, Begun), ReadFault>,
    },
    Submission {
        client: ClientId,
        seq: ClientSeq,
        result: Result<Option<Revision>, ReadFault>,
    },
    Range {
        client: ClientId,
        seq: ClientSeq,
        through: Revision,
        result: Result<Operation, ReadFault>,
    },
}

impl From<Effect> for Read {
    fn from(effect: Effect) -> Self {
        match effect {
            Effect::ReadTail { after, attempts, goes_ahead } => {
                Read::Tail { after, attempts, goes_ahead }
            }
            Effect::ReadProgress { client } => Read::Progress { client },
            Effect::Fence { client, seq, known } => Read::Fence { client, seq, known },
            Effect::FindSubmission { client, seq } => Read::Submission { client, seq },
            Effect::ReadRange { client, seq, after, through } => {
                Read::Range { client, seq, after, through }
            }
            _ => unreachable!("every other effect is carried out in the turn"),
        }
    }
}
