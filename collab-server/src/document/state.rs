//! What a document decides: which submissions are committed, in which order, rebased to what.
//!
//! Pure: events in, effects out; no IO, no clock, no random numbers. Submissions are kept as they
//! came until their row is durable. Whatever goes wrong with an append, the originals are decided
//! anew on what the log then holds; a rebased operation is never rebased over what precedes it.
//!
//! Units: lengths and offsets count scalar values unless a name says bytes.

mod client;
mod event;
mod judge;
mod recent;
mod settle;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use collab_protocol::{ClientId, RejectCode, SessionNumber, UserId};
use ot_core::{Operation, Ranges, Revision, Text};

use self::client::Client;
use self::judge::Verdict;
use self::recent::Recent;
use super::config::DocumentConfig;
use super::room::Answer;
use super::submission::Submission;
use crate::revision::later;
use crate::rights::{Rights, Visitor};
use crate::sabotage::{self, Bug};

pub(crate) use self::event::{Begun, Fence, Outcome, ReadFault};
pub(super) use self::event::{Committed, Decided, Effect, Entry, Event, Refusal};

/// A submission as it came, with what was read for it.
#[derive(Clone, Debug)]
struct Pending {
    session: SessionNumber,
    client: ClientId,
    visitor: Visitor,
    submission: Submission,
    /// The version of the rights under which its session was let in.
    under: u64,
    /// History from its base to a revision that was still at hand when it was read.
    prefix: Option<(Revision, Operation)>,
    /// The answer of the log to an old number.
    found: Option<Option<Revision>>,
    is_reading: bool,
    /// Whether an append that carried it may have gone through: only the log can say.
    may_be_stored: bool,
}

/// A submission that was decided and is being appended.
#[derive(Clone, Debug)]
struct InFlight {
    original: Pending,
    operation: Arc<Operation>,
    ranges: Option<Ranges>,
}

#[derive(Clone, Debug)]
struct Batch {
    number: u64,
    items: Vec<InFlight>,
    outcome: Option<Outcome>,
}

/// What was lost from sight: the log must be read before anything is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    /// The log ends with what this state holds, plus what is in flight.
    Clear,
    /// An append did not go through; those behind it are awaited. Then the log is read if one of
    /// them may have changed it or found it changed.
    Draining { must_read: bool },
    /// The log is being read, after so many failed attempts.
    Reading { attempts: u32 },
    /// The log contradicts this state. Nothing is decided any more.
    Damaged,
}

/// The deciding half of a document.
///
/// Invariant: `text` is the text at `recent.head()`, the last revision known to be durable; the
/// operations of `in_flight` follow it in order while `sight` is clear; each queued or in-flight submission is counted in
/// its client's `pending`.
#[derive(Clone, Debug)]
pub(super) struct State {
    config: Arc<DocumentConfig>,
    text: Text,
    recent: Recent,
    clients: BTreeMap<ClientId, Client>,
    clients_by_session: BTreeMap<SessionNumber, ClientId>,
    queue: VecDeque<Pending>,
    in_flight: VecDeque<Batch>,
    /// Originals of batches that did not go through, until the last of those is back.
    returning: Vec<Pending>,
    sight: Sight,
    /// Appends lost to other servers since one went through.
    losses: u32,
    last_batch: u64,
    is_deleted: bool,
    /// Whether other servers may commit to it.
    is_shared: bool,
    rights: Arc<Rights>,
    /// Where the log is known to end, at least.
    heard: Revision,
    /// What `heard` was when the log began to be read.
    read_for: Revision,
    /// Sessions whose clients have heard more than this state has; the log is being read for them.
    ahead: Vec<Ahead>,
}

/// A session that waits until the log was read.
#[derive(Clone, Debug)]
struct Ahead {
    session: SessionNumber,
    client: ClientId,
    user: UserId,
    at: Revision,
    /// How it enters then.
    entry: Entry,
}

/// Appends of one document that wait for their outcome at the same time.
const APPENDS_IN_FLIGHT_MAX: usize = 2;

/// Appends that may be lost one after the other before the next is to go ahead of other servers'.
/// One loss is what two servers owe each other; who wins the first race knows the head first, and
/// would win every one.
const LOSSES_MAX: u32 = 2;

impl State {
    /// The state of a document with `text` at revision `head`.
    pub(super) fn new(
        config: Arc<DocumentConfig>,
        text: Text,
        head: Revision,
        is_deleted: bool,
        rights: Arc<Rights>,
    ) -> Self {
        let recent = Recent::new(head, text.len_chars(), config.ring_len, config.ring_bytes_max);
        State {
            config,
            text,
            recent,
            clients: BTreeMap::new(),
            clients_by_session: BTreeMap::new(),
            queue: VecDeque::new(),
            in_flight: VecDeque::new(),
            returning: Vec::new(),
            sight: Sight::Clear,
            losses: 0,
            last_batch: 0,
            is_deleted,
            is_shared: false,
            rights,
            heard: head,
            read_for: head,
            ahead: Vec::new(),
        }
    }

    /// Other servers may commit to the document too.
    pub(super) fn begin_sharing(&mut self) {
        self.is_shared = true;
    }

    /// Builds the state by the operations behind a snapshot, keeping the last of them at hand.
    ///
    /// # Errors
    /// When one does not fit the text before it; the revision is named.
    pub(super) fn replay(&mut self, operation: &Arc<Operation>) -> Result<(), String> {
        let revision = later(self.head(), 1);
        self.text.apply(operation).map_err(|error| format!("revision {revision}: {error}"))?;
        self.recent.push(operation.clone());
        Ok(())
    }

    /// The last revision known to be durable.
    pub(super) fn head(&self) -> Revision {
        self.recent.head()
    }

    /// The text at the head.
    pub(super) fn text(&self) -> &Text {
        &self.text
    }

    /// Whether the document is deleted and takes no edits.
    pub(super) fn is_deleted(&self) -> bool {
        self.is_deleted
    }

    /// Who may do what, as far as is known here. What is decided is appended under this version.
    pub(super) fn rights(&self) -> &Arc<Rights> {
        &self.rights
    }

    /// Whether something of a session is on its way into the log, or may be there already.
    pub(super) fn is_committing(&self, session: SessionNumber) -> bool {
        let may_be_stored = self.queue.iter().filter(|pending| pending.may_be_stored);
        let decided = self.decided().map(|item| &item.original);
        decided
            .chain(&self.returning)
            .chain(may_be_stored)
            .any(|pending| pending.session == session)
    }

    /// Whether nothing waits: no append, no submission, no read of the log.
    pub(super) fn is_quiet(&self) -> bool {
        self.queue.is_empty()
            && self.in_flight.is_empty()
            && self.ahead.is_empty()
            && matches!(self.sight, Sight::Clear | Sight::Damaged)
            && self
                .clients
                .values()
                .all(|client| client.is_read && client.joining.is_empty() && client.held.is_none())
    }

    /// Selections made on the text at `base`, carried to the head; `None` when they lie outside it.
    /// `Err` when the base is too old to say.
    pub(super) fn carry_ranges(
        &self,
        base: Revision,
        ranges: Ranges,
    ) -> Result<Option<Ranges>, ()> {
        self.carry_ranges_of(base, ranges, |_| false)
    }

    /// The same of a session whose own the operations behind some revisions are.
    pub(super) fn carry_ranges_of(
        &self,
        base: Revision,
        ranges: Ranges,
        is_own: impl Fn(Revision) -> bool,
    ) -> Result<Option<Ranges>, ()> {
        let Some(len) = self.recent.len_at(base, self.text.len_chars()) else {
            return if base > self.head() { Ok(None) } else { Err(()) };
        };
        if !ranges.fit(len) || ranges.as_slice().len() > self.config.ranges_max {
            return Ok(None);
        }
        let mut carried = ranges;
        for (count, operation) in self.recent.after(base).enumerate() {
            let is_own = is_own(later(base, count));
            carried = super::presence::carry(&carried, operation, is_own);
        }
        Ok(Some(carried))
    }

    /// Takes in what happened. Decides nothing yet, so that everything waiting becomes one batch.
    pub(super) fn handle(&mut self, event: Event, effects: &mut Vec<Effect>) {
        match event {
            Event::Join { session, client, user, entry } => {
                self.join(session, client, user, entry, effects);
            }
            Event::Left { session } => self.left(session),
            Event::Submit { session, client, visitor, submission } => {
                self.submit(session, client, visitor, submission, effects);
            }
            Event::Fenced { client, seq, result } => self.fenced(client, seq, result, effects),
            Event::ProgressRead { client, result } => self.progress_read(client, result, effects),
            Event::RangeRead { client, seq, through, result } => {
                self.range_read(client, seq, through, result, effects);
            }
            Event::SubmissionFound { client, seq, result } => {
                self.submission_found(client, seq, result, effects);
            }
            Event::Appended { batch, outcome } => self.appended(batch, outcome, effects),
            Event::TailRead { result } => self.tail_read(result, effects),
            Event::Heard { operations, head } => self.hear(operations, head, effects),
            Event::SetDeleted { is_deleted } => self.is_deleted = is_deleted,
            Event::SetRights { rights } => self.rights = rights,
        }
    }

    /// Whether what the log holds behind the head can be taken in as it stands: nothing is on its
    /// way there, and nothing is being read.
    pub(super) fn may_ingest(&self) -> bool {
        self.sight == Sight::Clear && self.in_flight.is_empty()
    }

    /// Submissions held.
    pub(super) fn pending_count(&self) -> usize {
        self.queue.len() + self.returning.len() + self.decided().count()
    }

    /// Decides what waits: answers, reads that are needed first, and batches to append.
    pub(super) fn decide(&mut self, effects: &mut Vec<Effect>) {
        if self.sight == Sight::Damaged {
            while let Some(pending) = self.queue.pop_front() {
                self.reject(&pending, RejectCode::DocCorrupt, None, effects);
            }
        }
        while self.sight == Sight::Clear && !self.queue.is_empty() && self.may_append() {
            let items = self.decide_batch(effects);
            if items.is_empty() {
                break;
            }
            self.send_batch(items, effects);
        }
    }

    /// Whether one more append may go. Behind one edit, or as many as an append takes, nobody waits;
    /// behind several, what many write until they are durable goes together, at the cost of one sync.
    fn may_append(&self) -> bool {
        let len_max = self.config.batch_len_max;
        let lets_by = |last: &Batch| last.items.len() == 1 || last.items.len() >= len_max;
        self.in_flight.len() < APPENDS_IN_FLIGHT_MAX && self.in_flight.back().is_none_or(lets_by)
    }

    /// Goes through the queue once. What must wait keeps its place, and what its client sent after
    /// it waits behind it: so no two reads are ever for the same number.
    fn decide_batch(&mut self, effects: &mut Vec<Effect>) -> Vec<InFlight> {
        let mut batch: Vec<InFlight> = Vec::new();
        let mut waiting: VecDeque<Pending> = VecDeque::new();
        let mut waiting_clients = HashSet::new();
        while batch.len() < self.config.batch_len_max {
            let Some(mut pending) = self.queue.pop_front() else { break };
            let client = pending.client;
            let is_behind_own = waiting_clients.contains(&client);
            if is_behind_own || pending.is_reading || self.must_wait(&pending, &batch) {
                waiting_clients.insert(client);
                waiting.push_back(pending);
                continue;
            }
            match self.judge(&pending, &batch) {
                Verdict::Commit { operation, ranges } => {
                    batch.push(InFlight { original: pending, operation, ranges });
                }
                Verdict::Acknowledge(revision) => self.acknowledge(&pending, revision, effects),
                Verdict::Dismiss => {
                    effects.push(Effect::Dismiss { session: pending.session });
                    self.release(client, effects);
                }
                Verdict::Reject(code, _) if self.must_fence(&pending, code) => {
                    effects.push(self.fence(client, Some(pending.submission.seq())));
                    pending.is_reading = true;
                    waiting_clients.insert(client);
                    waiting.push_back(pending);
                }
                Verdict::Reject(code, message) => {
                    self.burn(&pending, code);
                    self.reject(&pending, code, message, effects);
                }
                Verdict::Read(read) => {
                    effects.push(read);
                    pending.is_reading = true;
                    waiting_clients.insert(client);
                    waiting.push_back(pending);
                }
                Verdict::Later => {
                    waiting.push_back(pending);
                    break;
                }
            }
        }
        waiting.append(&mut self.queue);
        self.queue = waiting;
        batch
    }

    /// Whether a submission's client is not known yet, or has another one on its way.
    fn must_wait(&self, pending: &Pending, batch: &[InFlight]) -> bool {
        let is_known = self.clients.get(&pending.client).is_some_and(|client| client.is_read);
        let is_other = |item: &InFlight| item.original.client == pending.client;
        !is_known || batch.iter().any(is_other) || self.decided().any(is_other)
    }

    /// Everything decided and not yet durable, in order.
    fn decided(&self) -> impl Iterator<Item = &InFlight> {
        self.in_flight.iter().flat_map(|batch| &batch.items)
    }

    fn send_batch(&mut self, items: Vec<InFlight>, effects: &mut Vec<Effect>) {
        self.last_batch += 1;
        let base = later(self.head(), self.decided().count());
        let len_chars = items.last().map_or(0, |item| item.operation.target_len());
        let operations = items
            .iter()
            .map(|item| Decided {
                client: item.original.client,
                seq: item.original.submission.seq(),
                author: item.original.visitor.user.clone(),
                operation: item.operation.clone(),
                submission: item.original.submission.hash(),
            })
            .collect();
        let number = self.last_batch;
        if sabotage::is_planted(Bug::AckBeforePersist) {
            for (index, item) in items.iter().enumerate() {
                let revision = later(base, index + 1);
                let answer = Answer::Ack { seq: item.original.submission.seq(), revision };
                effects.push(Effect::Answer { session: item.original.session, answer });
            }
        }
        self.in_flight.push_back(Batch { number, items, outcome: None });
        effects.push(Effect::Append { batch: number, base, operations, len_chars });
        if sabotage::is_planted(Bug::PublishBeforePersist) {
            self.appended(number, Outcome::Done, effects);
        }
    }

    /// Checks every invariant that can be seen from here; for tests.
    ///
    /// # Panics
    /// When one does not hold.
    #[cfg(any(test, feature = "simulation"))]
    pub(super) fn check_invariants(&self) {
        let appends = self.in_flight.len();
        assert!(appends <= APPENDS_IN_FLIGHT_MAX, "{appends} appends are on their way");
        for batch in &self.in_flight {
            let len = batch.items.len();
            assert!(len <= self.config.batch_len_max, "a batch has {len} submissions");
        }
        let mut len = self.text.len_chars();
        for item in self.decided() {
            if self.sight == Sight::Clear {
                assert_eq!(item.operation.base_len(), len, "what is in flight follows the text");
            }
            len = item.operation.target_len();
        }
        let is_here = |ahead: &Ahead| self.sight == Sight::Clear && ahead.at <= self.head();
        assert!(!self.ahead.iter().any(is_here), "nobody waits for what is here");
        for (id, client) in &self.clients {
            let waiting = self.queue.iter().chain(&self.returning);
            let queued = waiting.filter(|pending| pending.client == *id).count();
            let decided = self.decided().filter(|item| item.original.client == *id).count();
            assert_eq!(client.pending, queued + decided, "each submission is counted");
            assert!(decided <= 1, "a client has one submission in flight");
        }
    }
}
