//! Edits that the server makes for a person, outside of any session: restoring an old revision.
//!
//! They go through the mailbox as every submission does, under a client id and number of their own,
//! so that one whose outcome got lost can be looked for and is never committed twice. What binds
//! the size of a session's operation does not bind them; the document's limits do.

use collab_protocol::{ClientId, RejectCode, SessionNumber};
use ot_core::Revision;
use tokio::sync::{mpsc, oneshot};

use super::Document;
use super::actor::Message;
use super::join::Participant;
use super::room::Answer;
use super::state::Committed;
use super::submission::Submission;
use crate::rights::Visitor;

/// What becomes of an edit: the revision it was committed as, or why it was not.
pub(crate) type Edited = Result<Revision, RejectCode>;

/// An edit.
pub(crate) struct Edit {
    /// Whose it is.
    pub(crate) author: Participant,
    /// Who that is at the door: the right to write is asked again when it is decided.
    pub(crate) visitor: Visitor,
    /// The replica that it counts as; nobody else's.
    pub(crate) client: ClientId,
    /// What it says.
    pub(crate) submission: Submission,
}

/// The edits whose outcome is awaited. Each has a session's number, under which it is answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Edits(Vec<(SessionNumber, ClientId)>);

impl Edits {
    pub(super) fn add(&mut self, session: SessionNumber, client: ClientId) {
        self.0.push((session, client));
    }

    /// The edit that became durable, if it is one of these.
    pub(super) fn committed(&mut self, committed: &Committed) -> Option<(SessionNumber, Edited)> {
        let index = self.0.iter().position(|(_, client)| *client == committed.client)?;
        let (session, _) = self.0.swap_remove(index);
        Some((session, Ok(committed.revision)))
    }

    /// The edit that is answered, if it is one of these.
    pub(super) fn answered(
        &mut self,
        to: SessionNumber,
        answer: &Answer,
    ) -> Option<(SessionNumber, Edited)> {
        let edited = match answer {
            Answer::Ack { revision, .. } => Ok(*revision),
            Answer::Reject { code, .. } => Err(*code),
            Answer::BadRanges | Answer::SelectAgain => return None,
        };
        let index = self.0.iter().position(|(session, _)| *session == to)?;
        self.0.swap_remove(index);
        Some((to, edited))
    }
}

impl Document {
    /// Commits an edit; `None` when the document was unloaded and nobody knows what became of it.
    pub(crate) async fn edit(
        &self,
        (author, visitor): (Participant, Visitor),
        client: ClientId,
        submission: Submission,
    ) -> Option<Edited> {
        let (reply, answer) = oneshot::channel();
        let edit = Box::new(Edit { author, visitor, client, submission });
        match self.mailbox.try_send(Message::Edit { edit, reply }) {
            Ok(()) => answer.await.ok(),
            Err(mpsc::error::TrySendError::Full(_)) => Some(Err(RejectCode::Overloaded)),
            Err(mpsc::error::TrySendError::Closed(_)) => None,
        }
    }
}
