//! A loaded document without its task: everything an actor does but wait.
//!
//! Pure: messages, what came of reads and appends, and the time go in; orders come out. The actor
//! carries them out with a database, channels and timers; the simulation with a model of each. So
//! what is tested under every fault is what runs.
//!
//! Units: a *moment* is the time since the document was loaded, from a clock that never jumps;
//! `now_ms` is the wall clock, which may.

mod admission;
mod chain;
mod order;
mod pace;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use collab_protocol::{ClientId, DocumentId, Epoch, SessionNumber, TextHash, UserId};
use ot_core::{Ranges, Revision, Text};

use self::chain::Chain;
use self::pace::Pace;
use super::config::DocumentConfig;
use super::edit::{Edit, Edits};
use super::feed::Ended;
use super::join::{JoinRequest, Participant};
use super::ring::Ring;
use super::room::{Answer, Room, SharedRoom};
use super::state::{Committed, Effect, Event, Outcome, ReadFault, State};
use super::submission::Submission;
use crate::sabotage::{self, Bug};
use crate::store::{Append, Loaded, LoggedOperation, Snapshot, StoreError};

pub(crate) use self::admission::{Admission, JoinFailure};
pub(crate) use self::order::{Order, Read, ReadDone};

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

/// What happens next, by the clock.
#[derive(Debug, Default)]
struct Deadlines {
    wake: Option<Duration>,
    presence: Option<Duration>,
    check: Option<Duration>,
    idle: Option<Duration>,
    poll: Option<Duration>,
}

fn is_due(deadline: &mut Option<Duration>, now: Duration) -> bool {
    let is_due = deadline.is_some_and(|at| at <= now);
    if is_due {
        *deadline = None;
    }
    is_due
}

/// What other servers have to do with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// Nothing: this one alone commits to it.
    Alone,
    /// They may commit to it too. The log is looked at now and then; nothing else tells of it.
    Silent,
    /// As `Silent`, and what is committed here is published for them.
    Told,
}

/// See the module.
pub(crate) struct Core {
    document: DocumentId,
    epoch: Epoch,
    config: Arc<DocumentConfig>,
    state: State,
    chain: Chain,
    room: Arc<SharedRoom>,
    sharing: Sharing,
    snapshot_at: Revision,
    effects: Vec<Effect>,
    /// Where sessions said their selections are, until the turn.
    selects: Vec<(SessionNumber, Revision, Ranges)>,
    /// Sessions that wait to be let in.
    asking: HashMap<SessionNumber, JoinRequest>,
    /// What the server edits for people.
    edits: Edits,
    cached: Option<HeadText>,
    /// Operations that this server has sent to the log, for the others to be told once they are
    /// durable.
    sent: VecDeque<LoggedOperation>,
    /// Those of them that are durable.
    to_publish: Vec<LoggedOperation>,
    pace: Pace,
    deadlines: Deadlines,
    now: Duration,
    last_check: Option<Duration>,
    last_presence: Option<Duration>,
    is_polling: bool,
    is_snapshotting: bool,
    is_stopping: bool,
    is_damaged: bool,
}

impl Core {
    /// A document as it was loaded.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when an operation does not fit the text before it.
    pub(crate) fn new(
        loaded: Loaded,
        config: Arc<DocumentConfig>,
        sharing: Sharing,
    ) -> Result<Core, StoreError> {
        let Loaded { record, snapshot, tail, authors } = loaded;
        let corrupt = |reason| StoreError::Corrupt { document: record.id, reason };
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
        Ok(Core {
            document: record.id,
            epoch: record.epoch,
            chain: Chain::new(&record),
            pace: Pace::new(&config),
            config,
            state,
            room: Arc::new(SharedRoom::new(room)),
            sharing,
            snapshot_at,
            effects: Vec::new(),
            selects: Vec::new(),
            asking: HashMap::new(),
            edits: Edits::default(),
            cached: None,
            sent: VecDeque::new(),
            to_publish: Vec::new(),
            deadlines: Deadlines::default(),
            now: Duration::ZERO,
            last_check: None,
            last_presence: None,
            is_polling: false,
            is_snapshotting: false,
            is_stopping: false,
            is_damaged: false,
        })
    }

    /// What the sessions read.
    pub(crate) fn room(&self) -> &Arc<SharedRoom> {
        &self.room
    }

    /// The last revision known to be durable.
    #[cfg(feature = "simulation")]
    pub(crate) fn head(&self) -> Revision {
        self.state.head()
    }

    /// The text at the head.
    #[cfg(feature = "simulation")]
    pub(crate) fn text(&self) -> &Text {
        self.state.text()
    }

    // --- what happens ---

    /// A session offers an edit.
    pub(crate) fn submit(
        &mut self,
        session: SessionNumber,
        client: ClientId,
        user: UserId,
        submission: Submission,
    ) {
        self.event(Event::Submit { session, client, user, submission });
    }

    /// The server edits for a person; the outcome is told to the session that is given.
    pub(crate) fn edit(&mut self, edit: Edit) -> SessionNumber {
        let Edit { author, client, submission } = edit;
        let mut room = self.room.lock();
        room.authors.meet(&author);
        let session = room.next_session();
        drop(room);
        self.edits.add(session, client);
        self.submit(session, client, author.user, submission);
        session
    }

    /// A session tells where its selections are.
    pub(crate) fn select(&mut self, session: SessionNumber, base: Revision, ranges: Ranges) {
        self.selects.push((session, base, ranges));
    }

    /// Places selections, once the room has all that the state has: what it takes in later it carries
    /// them over.
    fn place_selections(&mut self) {
        for (session, base, ranges) in std::mem::take(&mut self.selects) {
            match self.state.carry_ranges(base, ranges) {
                Ok(Some(carried)) => self.room.lock().select(session, carried),
                Ok(None) => self.room.lock().answer(session, Answer::BadRanges),
                // Made too long ago to place: the next one comes soon.
                Err(()) => {}
            }
        }
    }

    /// A session left.
    pub(crate) fn leave(&mut self, session: SessionNumber) {
        self.room.lock().leave(session);
        self.event(Event::Left { session });
    }

    /// The document has another title.
    pub(crate) fn rename(&mut self, title: &str) {
        let mut room = self.room.lock();
        room.set_title(title);
        room.wake_all();
    }

    /// A person has another name or colour.
    pub(crate) fn change_person(&mut self, participant: &Participant) {
        self.room.lock().rename_person(participant);
    }

    /// The document was deleted, or restored.
    pub(crate) fn set_deleted(&mut self, is_deleted: bool) {
        self.event(Event::SetDeleted { is_deleted });
    }

    /// Finish what was begun, then end.
    pub(crate) fn stop(&mut self) {
        self.is_stopping = true;
    }

    /// What became of a batch.
    pub(crate) fn appended(&mut self, batch: u64, outcome: Outcome) {
        self.event(Event::Appended { batch, outcome });
    }

    /// What a read brought.
    pub(crate) fn read(&mut self, done: ReadDone) {
        let event = match done {
            ReadDone::Tail(Ok(page)) => {
                self.publish_found(&page.operations);
                let followed = self.chain.follow(&page.operations).map_err(ReadFault::Corrupt);
                Event::TailRead { result: followed.map(|()| page) }
            }
            ReadDone::Tail(Err(fault)) => Event::TailRead { result: Err(fault) },
            ReadDone::Poll(result) => {
                self.is_polling = false;
                // The next poll makes up for one that failed.
                if let Ok(page) = result {
                    self.set_deleted(page.is_deleted);
                    self.heard(&page.operations, page.head);
                }
                return;
            }
            ReadDone::Progress { client, result } => Event::ProgressRead { client, result },
            ReadDone::Submission { client, seq, result } => {
                Event::SubmissionFound { client, seq, result }
            }
            ReadDone::Range { client, seq, through, result } => {
                Event::RangeRead { client, seq, through, result }
            }
        };
        self.event(event);
    }

    /// Another server, or a look at the log, says that it holds these operations, dense and in
    /// order, and ends at `head` or behind. What continues the text here is taken in at once; where
    /// something is missing, the log is read.
    pub(crate) fn heard(&mut self, operations: &[LoggedOperation], head: Revision) {
        let own = self.state.head();
        let new = &operations[operations.partition_point(|logged| logged.revision <= own)..];
        let continues = new.first().is_some_and(|first| Some(first.revision) == own.next())
            && self.state.may_ingest()
            && self.chain.follow(new).is_ok();
        if continues {
            self.sent.clear();
        } else if sabotage::is_planted(Bug::NoGapFetch) {
            return;
        }
        let operations = if continues { new.to_vec() } else { Vec::new() };
        self.event(Event::Heard { operations, head });
    }

    /// What became of a snapshot. It only saves time, since the log holds everything: after one that
    /// was not written, the next is due as if it had been.
    pub(crate) fn snapshot_written(&mut self, revision: Revision) {
        self.is_snapshotting = false;
        self.snapshot_at = self.snapshot_at.max(revision);
    }

    fn event(&mut self, event: Event) {
        self.state.handle(event, &mut self.effects);
    }

    // --- what is to be done ---

    /// Decides, tells the writers, and says what is to be done. To be called after everything that
    /// happened, and when the next deadline has come.
    pub(crate) fn turn(&mut self, now: Duration, now_ms: i64) -> Vec<Order> {
        self.now = now;
        let mut orders = Vec::new();
        self.state.decide(&mut self.effects);
        let mut has_committed = false;
        for effect in std::mem::take(&mut self.effects) {
            match effect {
                Effect::Committed(committed) => {
                    has_committed = true;
                    let edited = self.edits.committed(&committed);
                    let told = edited.map(|(session, edited)| Order::Edited { session, edited });
                    orders.extend(told);
                    self.committed(&committed);
                }
                Effect::Admit { session, last, replaces } => {
                    orders.push(self.admit(session, last, replaces));
                }
                Effect::Refuse { session, refusal } => {
                    orders.extend(self.refuse(session, refusal.into()));
                }
                Effect::Answer { session, answer } => match self.edits.answered(session, &answer) {
                    Some((session, edited)) => orders.push(Order::Edited { session, edited }),
                    None => self.room.lock().answer(session, answer),
                },
                Effect::Damaged { reason } => self.damaged(&reason),
                Effect::Append { batch, base, operations, len_chars } => {
                    let (base_chain, operations) = self.chain.extend(base, operations, now_ms);
                    let len_chars = len_chars as u64;
                    let document = self.document;
                    let time_ms = now_ms;
                    let append =
                        Append { document, base, base_chain, operations, time_ms, len_chars };
                    self.note_sent(&append);
                    orders.push(Order::Append { batch, append });
                }
                read => orders.push(Order::Read(read.into())),
            }
        }
        self.room.lock().set_deleted(self.state.is_deleted());
        self.place_selections();
        if has_committed {
            self.schedule(now);
            orders.extend(self.snapshot_if_due(now_ms));
        }
        if !self.to_publish.is_empty() {
            orders.push(Order::Publish(std::mem::take(&mut self.to_publish)));
        }
        self.act_on_deadlines(now);
        self.publish_presence(now);
        orders.extend(self.watch_idleness(now, now_ms));
        orders.extend(self.poll_if_due(now));
        orders
    }

    /// When [`turn`](Self::turn) is to be called although nothing happens. While something is under
    /// way its end is awaited, and not the idle time.
    pub(crate) fn next_deadline(&self, is_working: bool) -> Option<Duration> {
        let Deadlines { wake, presence, check, idle, poll } = self.deadlines;
        let idle = idle.filter(|_| !is_working);
        [wake, presence, check, idle, poll].into_iter().flatten().min()
    }

    /// Whether the document may be unloaded, as far as it knows: nothing it ordered may be under
    /// way, except looks at the log.
    pub(crate) fn may_end(&self, now: Duration) -> bool {
        let is_due = self.is_stopping || self.deadlines.idle.is_some_and(|idle_at| idle_at <= now);
        is_due && self.is_unused() && !self.is_snapshotting
    }

    /// Closes the room. Sessions are left only where the server stops.
    pub(crate) fn end(&mut self, reason: Ended) {
        self.room.lock().end_all(reason);
    }

    fn committed(&mut self, committed: &Committed) {
        self.chain.committed(committed.revision);
        self.pace.count();
        self.room.lock().advance(committed);
        while let Some(sent) = self.sent.pop_front_if(|sent| sent.revision <= committed.revision) {
            let is_this = (sent.revision, sent.client, sent.seq)
                == (committed.revision, committed.client, committed.seq);
            if is_this {
                self.to_publish.push(sent);
            }
        }
    }

    /// What the log was found to hold. What was sent from here and had an unknown outcome is published
    /// now; the rest did not go through. One that another server committed in its place may look like
    /// it, down to the client's number: their chains differ.
    fn publish_found(&mut self, found: &[LoggedOperation]) {
        for sent in self.sent.drain(..) {
            let is_alike = |found: &&LoggedOperation| found.revision == sent.revision;
            let Some(found) = found.iter().find(is_alike) else { continue };
            if found.chain == sent.chain || sabotage::is_planted(Bug::PublishesLookalike) {
                self.to_publish.push(sent);
            }
        }
    }

    fn note_sent(&mut self, append: &Append) {
        if self.sharing != Sharing::Told {
            return;
        }
        self.sent.retain(|sent| sent.revision <= append.base);
        self.sent.extend(append.logged());
    }

    /// Wakes the writers now or, where many people type, after the pause that the load asks for;
    /// and sees to it that the text is checked.
    fn schedule(&mut self, now: Duration) {
        if sabotage::is_planted(Bug::LostWake) && self.state.head().get().is_multiple_of(5) {
            return;
        }
        let wake_at = {
            let room = self.room.lock();
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

    fn schedule_check(&mut self, now: Duration) {
        if self.deadlines.check.is_none() {
            let quiet = now + self.config.check_quiet;
            let spaced = self.last_check.map_or(quiet, |last| last + self.config.check_interval);
            self.deadlines.check = Some(quiet.max(spaced));
        }
    }

    fn act_on_deadlines(&mut self, now: Duration) {
        if is_due(&mut self.deadlines.wake, now) {
            self.pace.woken(now);
            self.room.lock().wake_all();
        }
        if is_due(&mut self.deadlines.check, now) {
            self.last_check = Some(now);
            self.check_text();
        }
    }

    fn check_text(&self) {
        let mut room = self.room.lock();
        if room.session_count() == 0 {
            return;
        }
        room.set_check(TextHash::new(self.state.text().hash().get()));
        room.wake_all();
    }

    /// Lets the writers send who came, moved or went: at once, but not too often.
    fn publish_presence(&mut self, now: Duration) {
        let may_at = self.last_presence.map_or(now, |last| last + self.config.presence_interval);
        let mut room = self.room.lock();
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
    fn watch_idleness(&mut self, now: Duration, now_ms: i64) -> Option<Order> {
        if !self.is_unused() {
            self.deadlines.idle = None;
            return None;
        }
        let idle_at = *self.deadlines.idle.get_or_insert(now + self.config.idle_timeout);
        if (idle_at <= now || self.is_stopping) && !self.is_damaged {
            return self.snapshot(now_ms);
        }
        None
    }

    /// Looks at the log now and then where other servers may write to it: what they say of it may
    /// get lost.
    fn poll_if_due(&mut self, now: Duration) -> Option<Order> {
        if self.sharing == Sharing::Alone || sabotage::is_planted(Bug::NoHeadPoll) {
            return None;
        }
        let next = now + self.config.poll_interval;
        let poll_at = *self.deadlines.poll.get_or_insert(next);
        if poll_at > now {
            return None;
        }
        self.deadlines.poll = Some(next);
        if self.is_polling || self.is_damaged || !self.state.may_ingest() {
            return None; // what is under way tells as much
        }
        self.is_polling = true;
        Some(Order::Read(Read::Poll { after: self.state.head() }))
    }

    fn is_unused(&self) -> bool {
        let is_empty = self.asking.is_empty() && self.room.lock().session_count() == 0;
        (is_empty || self.is_stopping) && self.state.is_quiet()
    }

    fn damaged(&mut self, reason: &str) {
        let document = self.document;
        tracing::error!(%document, reason, "stored document is damaged");
        self.is_damaged = true;
        self.room.lock().end_all(Ended::Corrupt);
        // Nobody is let in any more; the next join reads the store anew and says what it finds.
        self.is_stopping = true;
    }

    fn snapshot_if_due(&mut self, now_ms: i64) -> Option<Order> {
        let every = self.config.snapshot_every;
        let is_due = self.state.head().get() >= self.snapshot_at.get().saturating_add(every);
        if is_due { self.snapshot(now_ms) } else { None }
    }

    /// A snapshot of the head, unless there is one or one is being written.
    fn snapshot(&mut self, now_ms: i64) -> Option<Order> {
        let mut revision = self.state.head();
        if self.is_snapshotting || revision <= self.snapshot_at {
            return None;
        }
        let text = self.text_at_head().text;
        self.is_snapshotting = true;
        if sabotage::is_planted(Bug::SnapshotOffByOne) {
            revision = Revision::new(revision.get() - 1);
        }
        let chain = self.chain.at_head();
        Some(Order::Snapshot(Snapshot { revision, text, chain, time_ms: now_ms }))
    }

    /// Checks every invariant that can be seen from here; for tests and simulations.
    ///
    /// # Panics
    /// When one does not hold.
    #[cfg(feature = "simulation")]
    pub(crate) fn check_invariants(&self) {
        self.state.check_invariants();
        let room = self.room.lock();
        assert_eq!(room.ring.head(), self.state.head(), "the ring ends at the head");
        assert!(room.ring.len() <= self.config.ring_len.max(1), "the ring keeps its length");
        let pending = self.state.pending_count();
        assert!(pending <= self.config.pending_max, "{pending} submissions are held");
        room.check_invariants();
    }
}
