//! A loaded document: who may call it from where, and what they get.
//!
//! One task, the actor, owns the text and alone appends to the log. Sessions reach it through a
//! bounded mailbox and read what was committed from the ring, at their own pace: a session is one
//! number, the last revision it has sent. Nothing is visible before it is durable.

mod actor;
mod catch_up;
mod config;
mod core;
mod edit;
mod feed;
mod frame;
mod heads;
mod join;
mod moments;
mod neighbours;
mod presence;
mod ring;
mod room;
mod sender;
mod state;
mod submission;
mod twins;

use std::sync::Arc;

use collab_protocol::{DocumentId, UserId};
use tokio::sync::{Semaphore, mpsc, oneshot};

use self::actor::{Answering, Inbox, JoinTicket, Parts};
use self::room::Shared;
use crate::clock::Clock;
use crate::dashboard::Holder;
use crate::fanout::{Fanout, Subscription};
use crate::presence_news::HostId;
use crate::rights::Rights;
use crate::store::{Loaded, Store, StoreError};

pub use catch_up::{CatchUp, Stretch};
pub use config::DocumentConfig;
pub use core::HeadText;
pub use feed::{Ended, Pulled, SessionFeed, Step};
pub use frame::Frame;
pub(crate) use heads::Heads;
pub use join::{JoinError, JoinRequest, Joined, Participant, Since};
pub use sender::{SendError, SessionSender};
pub use submission::{Submission, SubmissionHash};

pub(crate) use actor::{Control, Message, Retire};
#[cfg(feature = "simulation")]
pub(crate) use catch_up::entries as stretch;
#[cfg(feature = "simulation")]
pub(crate) use core::{Admission, Look, Order, Read, ReadDone};
pub(crate) use core::{Core, JoinFailure, Sharing};
#[cfg(feature = "simulation")]
pub(crate) use feed::{Held, Reader};
pub(crate) use room::Activity;
#[cfg(feature = "simulation")]
pub(crate) use state::{Begun, Fence, Outcome, ReadFault};
pub(crate) use submission::SubmissionOrigin;

/// What documents need from around them.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) config: Arc<DocumentConfig>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Whether other servers may commit to the same documents.
    pub(crate) is_shared: bool,
    /// The way to those, where there is one.
    pub(crate) fanout: Option<Arc<dyn Fanout>>,
    /// Bounds the catch-ups from the store, over all documents.
    pub(crate) catch_ups: Arc<Semaphore>,
    /// Where documents stand that others commit to as well.
    pub(crate) heads: Heads,
}

/// The way to a document's actor.
#[derive(Clone)]
pub(crate) struct Document {
    shared: Arc<Shared>,
    mailbox: mpsc::Sender<Message>,
    control: mpsc::Sender<Control>,
}

impl Document {
    /// Builds a document from what was loaded; the future is its actor, to be run in a task. `news`
    /// was subscribed to before the document was loaded.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when an operation does not fit the text before it.
    pub(crate) fn new(
        loaded: Loaded,
        around: Surroundings,
        news: Option<Subscription>,
        retire: Retire,
    ) -> Result<(Document, impl Future<Output = ()> + Send + 'static), StoreError> {
        let (id, config) = (loaded.record.id, around.config.clone());
        let sharing = match &around.fanout {
            Some(_) => Sharing::Told(HostId::random()),
            None if around.is_shared => Sharing::Silent,
            None => Sharing::Alone,
        };
        let core = Core::new(loaded, config.clone(), sharing)?;

        let (mailbox, mailbox_receiver) = mpsc::channel(config.mailbox_len);
        // A place for each session's leave, and a few for the rest, whose senders wait.
        let (control, control_receiver) = mpsc::channel(config.sessions_max + CONTROL_SPARE);
        let room = core.room().clone();
        let shared = Shared::new(id, config, around.store, around.catch_ups, around.heads, room);
        let document = Document { shared: Arc::new(shared), mailbox, control };
        let parts = Parts {
            shared: document.shared.clone(),
            clock: around.clock,
            core,
            fanout: around.fanout,
            mailbox: document.mailbox.clone(),
        };
        let inbox = Inbox { mailbox: mailbox_receiver, control: control_receiver, news };
        Ok((document, actor::run(parts, inbox, retire)))
    }

    /// Lets a session in.
    pub(crate) async fn join(&self, request: JoinRequest) -> Result<Joined, JoinFailure> {
        let permit = self.control.clone().try_reserve_owned().map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => JoinFailure::Refused(JoinError::Overloaded),
            mpsc::error::TrySendError::Closed(_) => JoinFailure::Gone,
        })?;
        let (reply, answer) = oneshot::channel();
        let ticket = JoinTicket { request, answer: Answering { permit, reply } };
        let message = Message::Join(Box::new(ticket));
        self.mailbox.send(message).await.map_err(|_| JoinFailure::Gone)?;
        let admitted = answer.await.map_err(|_| JoinFailure::Gone)??;
        let (frame, sender, feed) = admitted.open(self.shared.clone());
        Ok(Joined { frame, sender, feed })
    }

    /// The text at the head; `None` when the document was just unloaded.
    pub(crate) async fn text(&self) -> Option<HeadText> {
        let (reply, answer) = oneshot::channel();
        self.mailbox.send(Message::Text { reply }).await.ok()?;
        answer.await.ok()
    }

    /// Tells it who may do what, if that is news; who it then lets in is judged by it.
    pub(crate) async fn set_rights(&self, rights: Rights) {
        if rights.version > self.rights_version() {
            self.control(Control::SetRights(Arc::new(rights))).await;
        }
    }

    /// The version of the rights that its sessions' roles are of.
    pub(crate) fn rights_version(&self) -> u64 {
        self.shared.room().rights_version()
    }

    /// Live sessions.
    pub(crate) fn session_count(&self) -> usize {
        self.shared.room().session_count()
    }

    /// Whether a person has it open, here or, as far as is known, on another server.
    pub(crate) fn is_here(&self, user: &UserId) -> bool {
        self.shared.room().authors.is_here(user)
    }

    /// Which document it is.
    pub(crate) fn id(&self) -> DocumentId {
        self.shared.document
    }

    /// Whose it is.
    pub(crate) fn holder(&self) -> Arc<Holder> {
        self.shared.room().holder()
    }

    /// How much goes on in it.
    pub(crate) fn activity(&self) -> Activity {
        self.shared.room().activity()
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
