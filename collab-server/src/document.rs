//! A loaded document: who may call it from where, and what they get.
//!
//! One task, the actor, owns the text and alone appends to the log. Sessions reach it through a
//! bounded mailbox and read what was committed from the ring, at their own pace: a session is one
//! number, the last revision it has sent. Nothing is visible before it is durable.

mod actor;
mod catch_up;
mod config;
mod feed;
mod join;
mod presence;
mod ring;
mod room;
mod sender;
mod state;
mod submission;

use std::sync::Arc;

use collab_protocol::ServerMessage;
use ot_core::{Revision, Text};
use tokio::sync::{Semaphore, mpsc, oneshot};

use self::actor::{Admitted, Inbox, JoinTicket, Parts};
use self::ring::Ring;
use self::room::{Room, Shared};
use self::state::State;
use crate::clock::Clock;
use crate::store::{Loaded, Store, StoreError};

pub use actor::HeadText;
pub use catch_up::{CatchUp, Stretch};
pub use config::DocumentConfig;
pub use feed::{Ended, Pulled, SessionFeed, Step};
pub use join::{JoinError, JoinRequest, Joined, Participant, Since};
pub use sender::{SendError, SessionSender};
pub use submission::{Submission, SubmissionHash};

pub(crate) use actor::{Control, JoinFailure, Message, Retire};

/// What documents need from around them.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) config: Arc<DocumentConfig>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Bounds the catch-ups from the store, over all documents.
    pub(crate) catch_ups: Arc<Semaphore>,
}

/// The way to a document's actor.
#[derive(Clone)]
pub(crate) struct Document {
    shared: Arc<Shared>,
    mailbox: mpsc::Sender<Message>,
    control: mpsc::Sender<Control>,
}

impl Document {
    /// Builds a document from what was loaded; the future is its actor, to be run in a task.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when an operation does not fit the text before it.
    pub(crate) fn new(
        loaded: Loaded,
        around: Surroundings,
        retire: Retire,
    ) -> Result<(Document, impl Future<Output = ()> + Send + 'static), StoreError> {
        let Loaded { record, snapshot, tail, authors } = loaded;
        let corrupt = |reason| StoreError::Corrupt { document: record.id, reason };
        let config = around.config.clone();
        let (snapshot_at, text) = match snapshot {
            Some(snapshot) => (snapshot.revision, Text::from(&*snapshot.text)),
            None => (Revision::ZERO, Text::new()),
        };
        let is_deleted = record.deleted_ms.is_some();
        let mut state = State::new(config.clone(), text, snapshot_at, is_deleted);
        let ring = Ring::new(snapshot_at, config.ring_len, config.ring_bytes_max);
        let mut room = Room::new(ring, &record.title, config.answers_max);
        authors.iter().for_each(|person| room.authors.learn(person));
        for logged in tail {
            let operation = Arc::new(logged.operation);
            state.replay(&operation).map_err(corrupt)?;
            room.remember(&operation, logged.client, logged.seq, &logged.author);
        }

        let (mailbox, mailbox_receiver) = mpsc::channel(config.mailbox_len);
        // A place for each session's leave, and a few for the rest, whose senders wait.
        let (control, control_receiver) = mpsc::channel(config.sessions_max + CONTROL_SPARE);
        let chain = actor::chain(&record);
        let shared = Shared::new(record.id, config, around.store, around.catch_ups, room);
        let document = Document { shared: Arc::new(shared), mailbox, control };
        let parts = Parts {
            shared: document.shared.clone(),
            clock: around.clock,
            epoch: record.epoch,
            state,
            chain,
            snapshot_at,
            mailbox: document.mailbox.clone(),
        };
        let inbox = Inbox { mailbox: mailbox_receiver, control: control_receiver };
        Ok((document, actor::run(parts, inbox, retire)))
    }

    /// Lets a session in.
    pub(crate) async fn join(&self, request: JoinRequest) -> Result<Joined, JoinFailure> {
        let permit = self.control.clone().try_reserve_owned().map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => JoinFailure::Refused(JoinError::Overloaded),
            mpsc::error::TrySendError::Closed(_) => JoinFailure::Gone,
        })?;
        let (channel, role) = (request.channel, request.role);
        let (reply, answer) = oneshot::channel();
        let ticket = JoinTicket { request, permit, reply };
        let message = Message::Join(Box::new(ticket));
        self.mailbox.send(message).await.map_err(|_| JoinFailure::Gone)?;
        let admitted = answer.await.map_err(|_| JoinFailure::Gone)??;
        let Admitted { sender, feed, epoch, start, text, title, last, people } = admitted;
        let (seq, seq_rev) = last.unwrap_or_default();
        let frame = ServerMessage::Joined(collab_protocol::Joined {
            ch: channel,
            doc: self.shared.document,
            epoch,
            rev: start.get(),
            hash: text.as_ref().map(|text| text.hash),
            text: text.map(|text| text.text.to_string()),
            title: title.to_string(),
            role,
            seq: seq.get(),
            seq_rev: seq_rev.get(),
            people,
        });
        Ok(Joined { frame: frame.to_json(), sender, feed })
    }

    /// The text at the head; `None` when the document was just unloaded.
    pub(crate) async fn text(&self) -> Option<HeadText> {
        let (reply, answer) = oneshot::channel();
        self.mailbox.send(Message::Text { reply }).await.ok()?;
        answer.await.ok()
    }

    /// Live sessions.
    pub(crate) fn session_count(&self) -> usize {
        self.shared.room().session_count()
    }

    /// Messages that wait to be taken by the actor.
    pub(crate) fn waiting_count(&self) -> usize {
        self.mailbox.max_capacity() - self.mailbox.capacity()
    }

    /// Sends what must get through. A document that was just unloaded has no use for it.
    pub(crate) async fn control(&self, control: Control) {
        let _ = self.control.send(control).await;
    }
}

/// Places in the control channel beside those of the sessions.
const CONTROL_SPARE: usize = 16;
