//! A session's way into a document: a bounded mailbox that never makes the sender wait.

use std::fmt;
use std::sync::Arc;

use collab_protocol::{ClientId, RejectCode, SessionNumber};
use ot_core::{Ranges, Revision};
use thiserror::Error;
use tokio::sync::mpsc::{self, OwnedPermit};

use super::actor::{Control, Message};
use super::submission::Submission;
use crate::rights::Visitor;

/// Why a message did not reach the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SendError {
    /// The mailbox is full; the same message may be sent again later.
    #[error("the document's mailbox is full")]
    Overloaded,
    /// The document was closed; the feed says why.
    #[error("the document is closed")]
    Closed,
}

impl SendError {
    /// How a submission that did not reach the document is answered.
    #[must_use]
    pub fn reject_code(self) -> RejectCode {
        RejectCode::Overloaded
    }
}

/// Sends a session's messages into the document. The session leaves when all its senders and its
/// feed are dropped.
#[derive(Clone)]
pub struct SessionSender {
    number: SessionNumber,
    client: ClientId,
    visitor: Visitor,
    mailbox: mpsc::Sender<Message>,
    _presence: Arc<LeaveOnDrop>,
}

impl fmt::Debug for SessionSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionSender").field("number", &self.number).finish_non_exhaustive()
    }
}

impl SessionSender {
    pub(super) fn new(
        number: SessionNumber,
        client: ClientId,
        visitor: Visitor,
        mailbox: mpsc::Sender<Message>,
        presence: Arc<LeaveOnDrop>,
    ) -> Self {
        SessionSender { number, client, visitor, mailbox, _presence: presence }
    }

    /// The session's number within the document.
    #[must_use]
    pub fn number(&self) -> SessionNumber {
        self.number
    }

    /// Offers an edit. Once this returns `Ok`, the feed carries exactly one answer, unless the
    /// session is ended before.
    ///
    /// # Errors
    /// [`SendError`]; nothing was sent then, and the caller owes the client a reject.
    pub fn submit(&self, submission: Submission) -> Result<(), SendError> {
        self.send(Message::Submit {
            session: self.number,
            client: self.client,
            visitor: self.visitor.clone(),
            submission,
        })
    }

    /// Tells where the session's selections are, in the text at `base`; none takes them away.
    /// Selections have half of the mailbox: the rest is for edits, whoever floods it.
    ///
    /// # Errors
    /// [`SendError`]; nothing was sent then. A later `select` makes up for it.
    pub fn select(&self, base: Revision, ranges: Ranges) -> Result<(), SendError> {
        if self.mailbox.capacity() <= self.mailbox.max_capacity() / 2 {
            return Err(SendError::Overloaded);
        }
        self.send(Message::Select { session: self.number, base, ranges })
    }

    fn send(&self, message: Message) -> Result<(), SendError> {
        self.mailbox.try_send(message).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SendError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => SendError::Closed,
        })
    }
}

/// Tells the actor that a session left. Its place in the control channel was taken at the join, so
/// that leaving never fails and never waits.
pub(super) struct LeaveOnDrop {
    number: SessionNumber,
    permit: Option<OwnedPermit<Control>>,
}

impl LeaveOnDrop {
    pub(super) fn new(number: SessionNumber, permit: OwnedPermit<Control>) -> Self {
        LeaveOnDrop { number, permit: Some(permit) }
    }
}

impl Drop for LeaveOnDrop {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            permit.send(Control::Leave(self.number));
        }
    }
}
