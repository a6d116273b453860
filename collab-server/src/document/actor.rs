//! The task that owns a document: the only one that appends to its log.
//!
//! It takes everything that waits as one batch, lets [`Core`] decide, and carries out what that
//! orders. Reads and appends run beside it, so that a slow database never keeps it from answering;
//! committed operations go to the room, from which every session's writer pulls.

mod work;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use collab_protocol::{ClientId, SessionNumber};
use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use ot_core::{Ranges, Revision};
use tokio::sync::mpsc::OwnedPermit;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use self::work::{Done, Work};
use super::core::{Admission, Core, HeadText, JoinFailure, Order};
use super::edit::{Edit, Edited};
use super::feed::{Ended, SessionFeed};
use super::frame::Frame;
use super::join::{JoinRequest, Participant};
use super::room::Shared;
use super::sender::{LeaveOnDrop, SessionSender};
use super::submission::Submission;
use crate::clock::Clock;
use crate::fanout::{Address, Batch, Fanout, Heard, News, Subscription, Way};
use crate::rights::{Rights, Visitor};
use crate::shown::Shown;

/// What sessions and callers send.
pub(crate) enum Message {
    /// A session wants to enter.
    Join(Box<JoinTicket>),
    /// A session offers an edit.
    Submit { session: SessionNumber, client: ClientId, visitor: Visitor, submission: Submission },
    /// A session tells where its selections are.
    Select { session: SessionNumber, base: Revision, ranges: Ranges },
    /// The server edits for a person.
    Edit { edit: Box<Edit>, reply: oneshot::Sender<Edited> },
    /// Somebody wants the text at the head.
    Text { reply: oneshot::Sender<HeadText> },
}

/// What must always get through.
pub(crate) enum Control {
    /// A session left.
    Leave(SessionNumber),
    /// The document has another title.
    Renamed(String),
    /// A person has another name or colour.
    PersonChanged(Participant),
    /// The document was deleted, or restored.
    SetDeleted(bool),
    /// Others may do other things now.
    SetRights(Arc<Rights>),
    /// Nobody can say any more who may be here.
    Distrust,
    /// Finish what was begun, then end.
    Stop,
}

/// A request to enter, with the way to answer it.
pub(crate) struct JoinTicket {
    pub(super) request: JoinRequest,
    pub(super) answer: Answering,
}

/// The way to answer who asked to enter.
pub(super) struct Answering {
    /// The place kept for the word that the session left.
    pub(super) permit: OwnedPermit<Control>,
    pub(super) reply: oneshot::Sender<Result<Admitted, JoinFailure>>,
}

impl Answering {
    fn refuse(self, failure: JoinFailure) {
        // Who asked may have gone.
        let _ = self.reply.send(Err(failure));
    }
}

/// A session that was let in. The frame is built by who asked, not in the actor's turn.
pub(super) struct Admitted {
    pub(super) sender: SessionSender,
    pub(super) admission: Box<Admission>,
    pub(super) presence: Arc<LeaveOnDrop>,
}

impl Admitted {
    /// The `joined` frame, the way in and the way out.
    pub(super) fn open(self, shared: Arc<Shared>) -> (Frame, SessionSender, SessionFeed) {
        let frame = self.admission.frame();
        let feed = SessionFeed::new(shared, self.admission.reader, self.presence);
        (frame, self.sender, feed)
    }
}

/// Takes a document out of the registry, if it is still the one that stands there.
pub(crate) type Retire = Box<dyn FnOnce() + Send>;

/// The ways in.
pub(super) struct Inbox {
    pub(super) mailbox: mpsc::Receiver<Message>,
    pub(super) control: mpsc::Receiver<Control>,
    /// What other servers say, where there are any.
    pub(super) news: Option<Subscription>,
}

/// What an actor is made of.
pub(super) struct Parts {
    pub(super) shared: Arc<Shared>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) core: Core,
    /// Where commits are told to other servers.
    pub(super) fanout: Option<Arc<dyn Fanout>>,
    /// Handed to sessions.
    pub(super) mailbox: mpsc::Sender<Message>,
}

/// Runs a document until it has been idle, is stopped, or fails; then takes it out of the registry.
/// After a bug every session is ended, and the next join loads the document anew from the store.
pub(super) async fn run(parts: Parts, mut inbox: Inbox, retire: Retire) {
    let shared = parts.shared.clone();
    let actor = Actor::new(parts);
    let outcome = AssertUnwindSafe(actor.run(&mut inbox)).catch_unwind().await;
    retire();
    if outcome.is_err() {
        tracing::error!(document = %Shown(shared.document), "document stopped by a bug");
        shared.room().end_all(Ended::Failed);
    }
    inbox.mailbox.close();
    while let Some(message) = inbox.mailbox.recv().await {
        if let Message::Join(ticket) = message {
            ticket.answer.refuse(JoinFailure::Gone);
        }
    }
}

struct Actor {
    parts: Parts,
    works: FuturesUnordered<Work>,
    /// Sessions that wait to be let in.
    tickets: HashMap<SessionNumber, Answering>,
    /// Where the outcome of each edit of the server goes.
    edits: HashMap<SessionNumber, oneshot::Sender<Edited>>,
    loaded_at: Instant,
}

impl Actor {
    fn new(parts: Parts) -> Self {
        let (works, tickets) = (FuturesUnordered::new(), HashMap::new());
        let edits = HashMap::new();
        Actor { parts, works, tickets, edits, loaded_at: Instant::now() }
    }

    async fn run(mut self, inbox: &mut Inbox) {
        loop {
            self.turn();
            if self.works.is_empty() && self.parts.core.may_end(self.loaded_at.elapsed()) {
                self.end();
                return;
            }
            let deadline = self.parts.core.next_deadline(!self.works.is_empty());
            let deadline = deadline.map(|moment| self.loaded_at + moment);
            tokio::select! {
                Some(done) = self.works.next(), if !self.works.is_empty() => self.done(done),
                Some(control) = inbox.control.recv() => self.control(control, inbox),
                Some(message) = inbox.mailbox.recv() => self.message(message),
                heard = next_heard(&mut inbox.news), if inbox.news.is_some() => {
                    self.heard(heard, inbox);
                }
                () = sleep_until(deadline), if deadline.is_some() => {}
            }
            self.take_waiting(inbox);
        }
    }

    /// Everything that waits becomes one batch.
    fn take_waiting(&mut self, inbox: &mut Inbox) {
        while let Some(Some(done)) = self.works.next().now_or_never() {
            self.done(done);
        }
        while let Ok(control) = inbox.control.try_recv() {
            self.control(control, inbox);
        }
        for _ in 0..self.parts.shared.config.mailbox_len {
            let Ok(message) = inbox.mailbox.try_recv() else { break };
            self.message(message);
        }
    }

    fn message(&mut self, message: Message) {
        let core = &mut self.parts.core;
        match message {
            Message::Join(ticket) => {
                let JoinTicket { request, answer } = *ticket;
                match core.ask_to_join(request) {
                    Ok(session) => drop(self.tickets.insert(session, answer)),
                    Err(failure) => answer.refuse(failure),
                }
            }
            Message::Submit { session, client, visitor, submission } => {
                core.submit(session, client, visitor, submission);
            }
            Message::Select { session, base, ranges } => core.select(session, base, ranges),
            Message::Edit { edit, reply } => drop(self.edits.insert(core.edit(*edit), reply)),
            Message::Text { reply } => {
                // Who asked may have gone.
                let _ = reply.send(core.text_at_head());
            }
        }
    }

    fn control(&mut self, control: Control, inbox: &mut Inbox) {
        let core = &mut self.parts.core;
        match control {
            Control::Leave(session) => core.leave(session),
            Control::Renamed(title) => core.rename(&title),
            Control::PersonChanged(participant) => core.change_person(&participant),
            Control::SetDeleted(is_deleted) => core.set_deleted(is_deleted),
            Control::SetRights(rights) => core.set_rights(rights),
            Control::Distrust => core.distrust(),
            Control::Stop => {
                core.stop();
                inbox.mailbox.close();
            }
        }
    }

    fn heard(&mut self, heard: Option<Heard>, inbox: &mut Inbox) {
        match heard {
            Some(Heard::News { news, .. }) => match &*news {
                News::Batch(batch) => self.parts.core.heard(&batch.operations, batch.head()),
                News::Presence(news) => self.parts.core.heard_presence(news),
                // Those who have the chat open listen by themselves.
                News::Chat(_) => {}
                // Those go to rooms.
                News::Event(_) | News::Notified(_) | News::Changed | News::Census(_) => {}
            },
            Some(Heard::Gap) => self.parts.core.missed(),
            // Looking at the log now and then goes on.
            None => inbox.news = None,
        }
    }

    /// Lets the core decide, and carries out what it orders.
    fn turn(&mut self) {
        let now_ms = self.parts.clock.now_ms();
        if let Some(fanout) = &self.parts.fanout {
            self.parts.core.set_cut_off(fanout.way() == Way::Lost);
        }
        for order in self.parts.core.turn(self.loaded_at.elapsed(), now_ms) {
            match order {
                Order::Admit(admission) => self.admit(admission),
                Order::Refuse { session, failure } => {
                    if let Some(ticket) = self.tickets.remove(&session) {
                        ticket.refuse(failure);
                    }
                }
                Order::Edited { session, edited } => {
                    if let Some(reply) = self.edits.remove(&session) {
                        // Who asked may have gone; what is committed stays so.
                        let _ = reply.send(edited);
                    }
                }
                Order::Append { batch, append } => self.append(batch, append),
                Order::Read(read) => self.read(read),
                Order::Snapshot(snapshot) => self.write_snapshot(snapshot),
                Order::Publish(operations) => {
                    let document = self.parts.shared.document;
                    self.publish(News::Batch(Batch { document, operations }));
                }
                Order::Tell(news) => self.publish(News::Presence(news)),
            }
        }
        let head = self.parts.shared.room().ring.head();
        self.parts.shared.moments.note(head);
    }

    fn publish(&self, news: News) {
        if let Some(fanout) = &self.parts.fanout {
            fanout.publish(Address::Document(self.parts.shared.document), Arc::new(news));
        }
    }

    fn admit(&mut self, admission: Box<Admission>) {
        let ticket = self.tickets.remove(&admission.session).expect("each session asked once");
        let Answering { permit, reply } = ticket;
        let presence = Arc::new(LeaveOnDrop::new(admission.session, permit));
        let sender = SessionSender::new(
            admission.session,
            admission.request.client,
            admission.request.visitor.clone(),
            self.parts.mailbox.clone(),
            presence.clone(),
        );
        // Who asked may have gone; the session then leaves by being dropped.
        let _ = reply.send(Ok(Admitted { sender, admission, presence }));
    }

    /// Closes the room. Sessions are left only where the server stops.
    fn end(&mut self) {
        for (_, ticket) in self.tickets.drain() {
            ticket.refuse(JoinFailure::Gone);
        }
        if let Some(news) = self.parts.core.end(Ended::Shutdown) {
            self.publish(News::Presence(news));
        }
    }

    fn done(&mut self, done: Done) {
        let core = &mut self.parts.core;
        match done {
            Done::Appended { batch, outcome } => core.appended(batch, outcome),
            Done::Read(done) => core.read(done),
            Done::Snapshot { revision, result } => {
                if let Err(error) = result {
                    let document = self.parts.shared.document;
                    tracing::warn!(document = %Shown(document), %error, "snapshot was not written");
                }
                core.snapshot_written(revision);
            }
        }
    }
}

async fn next_heard(news: &mut Option<Subscription>) -> Option<Heard> {
    match news {
        Some(news) => news.next().await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
