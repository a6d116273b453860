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
mod elsewhere;
mod order;
mod pace;
mod publishing;
#[cfg(test)]
mod tests;
mod timing;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use collab_protocol::{ClientId, DocumentId, Epoch, SessionNumber, TextHash};
use ot_core::{Ranges, Revision, Text};

use self::chain::Chain;
use self::pace::Pace;
use self::publishing::Publishing;
use self::timing::Deadlines;
use super::config::DocumentConfig;
use super::edit::{Edit, Edits};
use super::feed::Ended;
use super::join::{JoinRequest, Participant};
use super::neighbours::Neighbours;
use super::ring::Ring;
use super::room::{Answer, Room, SharedRoom};
use super::state::{Committed, Effect, Event, Outcome, ReadFault, State};
use super::submission::Submission;
use crate::presence_news::{HostId, PresenceNews};
use crate::rights::{Rights, Visitor};
use crate::sabotage::{self, Bug};
use crate::shown::Shown;
use crate::store::{Append, Loaded, LoggedOperation, Snapshot, StoreError};

pub(crate) use self::admission::{Admission, JoinFailure};
pub(crate) use self::order::{Look, Order, Read, ReadDone};

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

/// What other servers have to do with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// Nothing: this one alone commits to it.
    Alone,
    /// They may commit to it too. The log is looked at now and then; nothing else tells of it.
    Silent,
    /// As `Silent`, and they are told what is committed and who is here, by this name.
    Told(HostId),
}

/// See the module.
#[derive(Clone, Debug)]
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
    asking: BTreeMap<SessionNumber, JoinRequest>,
    /// What the server edits for people.
    edits: Edits,
    cached: Option<HeadText>,
    /// Where there are other servers to tell who is here.
    neighbours: Option<Neighbours>,
    /// What they told, until the turn.
    presence_news: Vec<PresenceNews>,
    publishing: Publishing,
    pace: Pace,
    deadlines: Deadlines,
    now: Duration,
    last_check: Option<Duration>,
    last_presence: Option<Duration>,
    /// Whether others cannot be heard now.
    is_cut_off: bool,
    is_polling: bool,
    /// Whether something was said that did not come through: the log is to be looked at.
    must_look: bool,
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
        let Loaded { record, rights, snapshot, tail, authors } = loaded;
        let rights = Arc::new(rights);
        let corrupt = |reason| StoreError::Corrupt { document: record.id, reason };
        let (snapshot_at, text) = match snapshot {
            Some(snapshot) => (snapshot.revision, Text::from(&*snapshot.text)),
            None => (Revision::ZERO, Text::new()),
        };
        let is_deleted = record.deleted_ms.is_some();
        let mut state = State::new(config.clone(), text, snapshot_at, is_deleted, rights.clone());
        if sharing != Sharing::Alone {
            state.begin_sharing();
        }
        let ring = Ring::new(snapshot_at, config.ring_len, config.ring_bytes_max);
        let mut room = Room::new(ring, &record.title, &rights, config.answers_max);
        authors.into_iter().for_each(|person| room.authors.meet(&person.into()));
        let neighbours = match sharing {
            Sharing::Told(host) => {
                room.begin_telling();
                Some(Neighbours::new(host, config.presence_lease))
            }
            Sharing::Alone | Sharing::Silent => None,
        };
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
            asking: BTreeMap::new(),
            edits: Edits::default(),
            cached: None,
            neighbours,
            presence_news: Vec::new(),
            publishing: Publishing::default(),
            deadlines: Deadlines::default(),
            now: Duration::ZERO,
            last_check: None,
            last_presence: None,
            is_cut_off: false,
            is_polling: false,
            must_look: false,
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
        visitor: Visitor,
        submission: Submission,
    ) {
        self.event(Event::Submit { session, client, visitor, submission });
    }

    /// The server edits for a person; the outcome is told to the session that is given.
    pub(crate) fn edit(&mut self, edit: Edit) -> SessionNumber {
        let Edit { author, visitor, client, submission } = edit;
        let mut room = self.room.lock();
        room.authors.meet(&author);
        let session = room.next_session();
        drop(room);
        self.edits.add(session, client);
        self.submit(session, client, visitor, submission);
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
                // Made too long ago to place. Who has the text as it is now, and reads the answer
                // behind it, says it again; there may be no next one otherwise.
                Err(()) => self.room.lock().answer(session, Answer::SelectAgain),
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

    /// Others may do other things now. Sessions hear of it, and those who may not even read any more
    /// are ended once what they have on its way is settled. What is known already says nothing new.
    pub(crate) fn set_rights(&mut self, rights: Arc<Rights>) {
        if rights.version > self.state.rights().version {
            self.room.lock().set_rights(&rights);
            self.event(Event::SetRights { rights });
        }
    }

    /// Nobody can say any more who may be here: everybody is to ask again.
    pub(crate) fn distrust(&mut self) {
        self.room.lock().end_all(Ended::Unavailable);
    }

    /// Ends the sessions of who may not read any more.
    fn end_shut_out(&mut self) {
        let mut room = self.room.lock();
        for session in room.shut_out() {
            if !self.state.is_committing(session) {
                room.end(session, Ended::Revoked);
            }
        }
    }

    /// Finish what was begun, then end.
    pub(crate) fn stop(&mut self) {
        self.is_stopping = true;
    }

    /// What became of a batch.
    pub(crate) fn appended(&mut self, batch: u64, outcome: Outcome) {
        if outcome == Outcome::Unknown {
            sabotage::arm(Bug::LostWakeAfterUnknown);
        }
        self.event(Event::Appended { batch, outcome });
    }

    /// What a read brought.
    pub(crate) fn read(&mut self, done: ReadDone) {
        let event = match done {
            ReadDone::Tail(Ok(Look { page, rights })) => {
                rights.into_iter().for_each(|rights| self.set_rights(rights));
                self.publishing.found(&page.operations);
                let followed = self.chain.follow(&page.operations).map_err(ReadFault::Corrupt);
                Event::TailRead { result: followed.map(|()| page) }
            }
            ReadDone::Tail(Err(fault)) => Event::TailRead { result: Err(fault) },
            ReadDone::Poll(result) => {
                self.is_polling = false;
                // The next poll makes up for one that failed.
                if let Ok(Look { page, rights }) = result {
                    rights.into_iter().for_each(|rights| self.set_rights(rights));
                    self.set_deleted(page.is_deleted);
                    self.heard(&page.operations, page.head);
                }
                return;
            }
            ReadDone::Fenced { client, seq, result } => {
                let result = result.map(|(rights, begun)| {
                    self.set_rights(rights);
                    begun
                });
                Event::Fenced { client, seq, result }
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
    /// something is missing, or an author is not known by name, the log is read.
    pub(crate) fn heard(&mut self, operations: &[LoggedOperation], head: Revision) {
        let own = self.state.head();
        let new = &operations[operations.partition_point(|logged| logged.revision <= own)..];
        let continues = new.first().is_some_and(|first| Some(first.revision) == own.next())
            && self.state.may_ingest()
            && self.knows_authors(new)
            && self.chain.follow(new).is_ok();
        if continues {
            self.publishing.passed_over();
        } else if sabotage::is_planted(Bug::NoGapFetch) {
            return;
        }
        let operations = if continues { new.to_vec() } else { Vec::new() };
        self.event(Event::Heard { operations, head });
    }

    /// Whether others cannot be heard now.
    pub(crate) fn set_cut_off(&mut self, is_cut_off: bool) {
        self.is_cut_off = is_cut_off;
    }

    /// Others may have said something that was not heard: the log is looked at, soon, and they are
    /// asked who is there.
    pub(crate) fn missed(&mut self) {
        self.must_look = true;
        self.neighbours.iter_mut().for_each(Neighbours::missed);
    }

    fn knows_authors(&self, operations: &[LoggedOperation]) -> bool {
        let authors = operations.iter().map(|logged| &logged.author);
        self.room.lock().authors.strangers(authors).is_empty()
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
                    self.pace.count();
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
                Effect::Dismiss { session } => self.room.lock().end(session, Ended::Unavailable),
                Effect::Damaged { reason } => self.damaged(&reason),
                Effect::Append { batch, base, operations, len_chars } => {
                    let (base_chain, operations) = self.chain.extend(base, operations, now_ms);
                    let len_chars = len_chars as u64;
                    let document = self.document;
                    let time_ms = now_ms;
                    let append = Append {
                        document,
                        base,
                        base_chain,
                        rights_version: self.state.rights().version,
                        operations,
                        time_ms,
                        len_chars,
                    };
                    if self.neighbours.is_some() {
                        self.publishing.sent(&append);
                    }
                    orders.push(Order::Append { batch, append });
                }
                read => orders.push(Order::Read(read.into())),
            }
        }
        self.room.lock().set_deleted(self.state.is_deleted());
        self.end_shut_out();
        self.place_selections();
        self.take_presence_news(now);
        if has_committed {
            self.schedule(now);
            orders.extend(self.snapshot_if_due(now_ms));
        }
        orders.extend(self.publishing.take().map(Order::Publish));
        self.act_on_deadlines(now);
        self.publish_presence(now);
        orders.extend(self.tell_presence(now).map(Order::Tell));
        orders.extend(self.watch_idleness(now, now_ms));
        orders.extend(self.poll_if_due(now));
        orders
    }

    /// Closes the room; the last word to the other servers. Sessions are left only where the server
    /// stops.
    pub(crate) fn end(&mut self, reason: Ended) -> Option<PresenceNews> {
        self.room.lock().end_all(reason);
        self.tell_presence(self.now)
    }

    fn committed(&mut self, committed: &Committed) {
        self.chain.committed(committed.revision);
        self.room.lock().advance(committed);
        self.publishing.committed(committed);
    }

    fn damaged(&mut self, reason: &str) {
        let document = self.document;
        tracing::error!(document = %Shown(document), reason, "stored document is damaged");
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

    /// Whether nothing is on its way, waits, or is being read; looks at the log apart.
    #[cfg(feature = "simulation")]
    pub(crate) fn is_quiet(&self) -> bool {
        self.state.is_quiet() && self.asking.is_empty()
    }

    /// Everything in it as text, but for the answers that a session has not pulled; and how many
    /// those are.
    #[cfg(feature = "simulation")]
    pub(crate) fn picture(&mut self, session: SessionNumber) -> (String, usize) {
        let answers = self.room.lock().take_answers(session);
        let picture = format!("{self:?}");
        let count = answers.len();
        self.room.lock().put_back(session, answers);
        (picture, count)
    }

    /// Takes a room of its own, as the one is that it shares with what it was cloned from.
    #[cfg(feature = "simulation")]
    pub(crate) fn part(&mut self) {
        let room = self.room.lock().clone();
        self.room = Arc::new(SharedRoom::new(room));
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
        let sessions = room.session_count() + self.asking.len();
        assert!(sessions <= self.config.sessions_max, "{sessions} sessions are there or ask");
        room.check_invariants();
    }
}
