//! The task that owns a document: the only one that appends to its log.
//!
//! It takes everything that waits as one batch, lets `state` decide, and carries out what that
//! wants. Reads and appends run beside it, so that a slow database never keeps it from answering;
//! committed operations go to the room, from which every session's writer pulls.

mod admission;
mod pace;
mod work;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use collab_protocol::{ClientId, Epoch, SessionNumber, TextHash, UserId};
use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use ot_core::{Ranges, Revision};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use self::admission::CachedText;
use self::pace::Pace;
use self::work::{Chain, Done, Work};
use super::feed::Ended;
use super::join::Participant;
use super::room::{Answer, Shared};
use super::state::{Committed, Effect, Event, State};
use super::submission::Submission;
use crate::clock::Clock;
use crate::store::DocumentRecord;

pub(crate) use self::admission::JoinFailure;
pub(super) use self::admission::{Admitted, JoinTicket};

/// What sessions and callers send.
pub(crate) enum Message {
    /// A session wants to enter.
    Join(Box<JoinTicket>),
    /// A session offers an edit.
    Submit { session: SessionNumber, client: ClientId, user: UserId, submission: Submission },
    /// A session tells where its selections are.
    Select { session: SessionNumber, base: Revision, ranges: Ranges },
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
    /// Finish what was begun, then end.
    Stop,
}

/// A document's text at its head.
#[derive(Clone, Debug)]
pub struct HeadText {
    /// The revision.
    pub revision: Revision,
    /// The text.
    pub text: Arc<str>,
    /// Its hash.
    pub hash: TextHash,
}

/// The chain of a document that was just loaded.
pub(super) fn chain(record: &DocumentRecord) -> Chain {
    Chain::new(record.id, record.text_key.clone(), record.revision, record.chain)
}

/// Takes a document out of the registry, if it is still the one that stands there.
pub(crate) type Retire = Box<dyn FnOnce() + Send>;

/// The two ways in.
pub(super) struct Inbox {
    pub(super) mailbox: mpsc::Receiver<Message>,
    pub(super) control: mpsc::Receiver<Control>,
}

/// What an actor is made of.
pub(super) struct Parts {
    pub(super) shared: Arc<Shared>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) epoch: Epoch,
    pub(super) state: State,
    pub(super) chain: Chain,
    pub(super) snapshot_at: Revision,
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
        tracing::error!(document = %shared.document, "document stopped by a bug");
        shared.room().end_all(Ended::Failed);
    }
    inbox.mailbox.close();
    while let Some(message) = inbox.mailbox.recv().await {
        if let Message::Join(ticket) = message {
            ticket.refuse(JoinFailure::Gone);
        }
    }
}

/// What happens next, by the clock.
#[derive(Debug, Default)]
struct Deadlines {
    wake: Option<Instant>,
    presence: Option<Instant>,
    check: Option<Instant>,
    idle: Option<Instant>,
}

impl Deadlines {
    /// The next of them. While something is under way its end is awaited, and not the idle time.
    fn next(&self, is_working: bool) -> Option<Instant> {
        let idle = self.idle.filter(|_| !is_working);
        [self.wake, self.presence, self.check, idle].into_iter().flatten().min()
    }
}

fn is_due(deadline: &mut Option<Instant>, now: Instant) -> bool {
    let is_due = deadline.is_some_and(|at| at <= now);
    if is_due {
        *deadline = None;
    }
    is_due
}

struct Actor {
    parts: Parts,
    works: FuturesUnordered<Work>,
    effects: Vec<Effect>,
    /// Sessions that wait to be let in.
    tickets: HashMap<SessionNumber, Box<JoinTicket>>,
    cached: Option<CachedText>,
    pace: Pace,
    deadlines: Deadlines,
    last_check: Option<Instant>,
    last_presence: Option<Instant>,
    is_snapshotting: bool,
    is_stopping: bool,
    is_damaged: bool,
}

impl Actor {
    fn new(parts: Parts) -> Self {
        let pace = Pace::new(&parts.shared.config);
        Actor {
            parts,
            works: FuturesUnordered::new(),
            effects: Vec::new(),
            tickets: HashMap::new(),
            cached: None,
            pace,
            deadlines: Deadlines::default(),
            last_check: None,
            last_presence: None,
            is_snapshotting: false,
            is_stopping: false,
            is_damaged: false,
        }
    }

    async fn run(mut self, inbox: &mut Inbox) {
        loop {
            self.turn();
            if self.may_end() {
                self.end();
                return;
            }
            let deadline = self.deadlines.next(!self.works.is_empty());
            tokio::select! {
                Some(done) = self.works.next(), if !self.works.is_empty() => self.done(done),
                Some(control) = inbox.control.recv() => self.control(control, inbox),
                Some(message) = inbox.mailbox.recv() => self.message(message),
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

    fn event(&mut self, event: Event) {
        self.parts.state.handle(event, &mut self.effects);
    }

    fn message(&mut self, message: Message) {
        match message {
            Message::Join(ticket) => self.ask_to_join(ticket),
            Message::Submit { session, client, user, submission } => {
                self.event(Event::Submit { session, client, user, submission });
            }
            Message::Select { session, base, ranges } => self.select(session, base, ranges),
            Message::Text { reply } => {
                let cached = self.text_at_head();
                // Who asked may have gone.
                let _ = reply.send(cached);
            }
        }
    }

    fn control(&mut self, control: Control, inbox: &mut Inbox) {
        match control {
            Control::Leave(session) => {
                self.parts.shared.room().leave(session);
                self.event(Event::Left { session });
            }
            Control::Renamed(title) => {
                let mut room = self.parts.shared.room();
                room.set_title(&title);
                room.wake_all();
            }
            Control::PersonChanged(participant) => {
                self.parts.shared.room().rename_person(&participant);
            }
            Control::SetDeleted(is_deleted) => self.event(Event::SetDeleted { is_deleted }),
            Control::Stop => {
                self.is_stopping = true;
                inbox.mailbox.close();
            }
        }
    }

    fn select(&mut self, session: SessionNumber, base: Revision, ranges: Ranges) {
        match self.parts.state.carry_ranges(base, ranges) {
            Ok(Some(carried)) => self.parts.shared.room().select(session, carried),
            Ok(None) => self.parts.shared.room().answer(session, Answer::BadRanges),
            // Made too long ago to place: the next one comes soon.
            Err(()) => {}
        }
    }

    /// Decides, carries out, and tells the writers.
    fn turn(&mut self) {
        self.parts.state.decide(&mut self.effects);
        let mut has_committed = false;
        for effect in std::mem::take(&mut self.effects) {
            match effect {
                Effect::Committed(committed) => {
                    has_committed = true;
                    self.committed(&committed);
                }
                Effect::Admit { session, last, replaces } => self.admit(session, last, replaces),
                Effect::Refuse { session, refusal } => self.refuse(session, refusal.into()),
                Effect::Answer { session, answer } => {
                    self.parts.shared.room().answer(session, answer);
                }
                Effect::Damaged { reason } => self.damaged(&reason),
                read_or_append => self.start(read_or_append),
            }
        }
        let now = Instant::now();
        if has_committed {
            self.schedule(now);
            self.snapshot_if_due();
        }
        self.act_on_deadlines(now);
        self.publish_presence(now);
        self.watch_idleness(now);
    }

    fn committed(&mut self, committed: &Committed) {
        self.parts.chain.committed(committed.revision);
        self.pace.count();
        self.parts.shared.room().advance(committed);
    }

    /// Wakes the writers now or, where many people type, after the pause that the load asks for;
    /// and sees to it that the text is checked.
    fn schedule(&mut self, now: Instant) {
        let wake_at = {
            let room = self.parts.shared.room();
            let wake_at = self.pace.next_wake(now, room.session_count());
            if wake_at <= now {
                room.wake_all();
            }
            wake_at
        };
        if wake_at <= now {
            self.pace.woken(now);
            self.deadlines.wake = None;
        } else {
            self.deadlines.wake = Some(wake_at);
        }
        self.schedule_check(now);
    }

    fn schedule_check(&mut self, now: Instant) {
        let config = &self.parts.shared.config;
        if self.deadlines.check.is_none() {
            let quiet = now + config.check_quiet;
            let spaced = self.last_check.map_or(quiet, |last| last + config.check_interval);
            self.deadlines.check = Some(quiet.max(spaced));
        }
    }

    fn act_on_deadlines(&mut self, now: Instant) {
        if is_due(&mut self.deadlines.wake, now) {
            self.pace.woken(now);
            self.parts.shared.room().wake_all();
        }
        if is_due(&mut self.deadlines.check, now) {
            self.last_check = Some(now);
            self.check_text();
        }
    }

    fn check_text(&self) {
        if self.parts.shared.room().session_count() == 0 {
            return;
        }
        let hash = TextHash::new(self.parts.state.text().hash().get());
        let mut room = self.parts.shared.room();
        room.set_check(hash);
        room.wake_all();
    }

    /// Lets the writers send who came, moved or went: at once, but not too often.
    fn publish_presence(&mut self, now: Instant) {
        let interval = self.parts.shared.config.presence_interval;
        let may_at = self.last_presence.map_or(now, |last| last + interval);
        let mut room = self.parts.shared.room();
        if !room.has_unpublished_presence() {
            self.deadlines.presence = None;
        } else if may_at > now {
            self.deadlines.presence = Some(may_at);
        } else {
            room.publish_presence();
            room.wake_all();
            self.last_presence = Some(now);
            self.deadlines.presence = None;
        }
    }

    /// Starts or stops the time after which an unused document is unloaded. A last snapshot comes
    /// first.
    fn watch_idleness(&mut self, now: Instant) {
        if !self.is_unused() {
            self.deadlines.idle = None;
            return;
        }
        let timeout = self.parts.shared.config.idle_timeout;
        let idle_at = *self.deadlines.idle.get_or_insert(now + timeout);
        if (idle_at <= now || self.is_stopping) && !self.is_damaged {
            self.snapshot();
        }
    }

    fn is_unused(&self) -> bool {
        let is_empty = self.tickets.is_empty() && self.parts.shared.room().session_count() == 0;
        (is_empty || self.is_stopping) && self.parts.state.is_quiet()
    }

    fn may_end(&self) -> bool {
        let is_due = self.is_stopping
            || self.deadlines.idle.is_some_and(|idle_at| idle_at <= Instant::now());
        is_due && self.is_unused() && self.works.is_empty()
    }

    /// Closes the room. Sessions are left only where the server stops.
    fn end(&mut self) {
        for (_, ticket) in self.tickets.drain() {
            ticket.refuse(JoinFailure::Gone);
        }
        self.parts.shared.room().end_all(Ended::Shutdown);
    }

    fn damaged(&mut self, reason: &str) {
        let document = self.parts.shared.document;
        tracing::error!(%document, reason, "stored document is damaged");
        self.is_damaged = true;
        self.parts.shared.room().end_all(Ended::Corrupt);
        // Nobody is let in any more; the next join reads the store anew and says what it finds.
        self.is_stopping = true;
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Event(event) => self.event_done(event),
            Done::Snapshot { revision, result } => {
                self.is_snapshotting = false;
                match result {
                    Ok(()) => self.parts.snapshot_at = self.parts.snapshot_at.max(revision),
                    Err(error) => {
                        let document = self.parts.shared.document;
                        tracing::warn!(%document, %error, "snapshot was not written");
                        self.give_snapshot_up(revision);
                    }
                }
            }
        }
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
