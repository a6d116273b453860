//! How what was decided meets the log: batches that come back, and the log read anew after one that
//! did not go through.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;

use collab_protocol::RejectCode;
use ot_core::{Operation, Revision};

use super::client::Last;
use super::event::{Committed, Effect, Outcome, ReadFault};
use super::{Batch, InFlight, LOSSES_MAX, Pending, Sight, State};
use crate::document::room::Answer;
use crate::document::submission::Submission;
use crate::revision::later;
use crate::sabotage::{self, Bug};
use crate::store::{LoggedOperation, TailPage};

impl State {
    pub(super) fn appended(&mut self, number: u64, outcome: Outcome, effects: &mut Vec<Effect>) {
        let Some(batch) = self.in_flight.iter_mut().find(|batch| batch.number == number) else {
            return;
        };
        batch.outcome = Some(outcome);
        while let Some(outcome) = self.in_flight.front().and_then(|batch| batch.outcome) {
            let batch = self.in_flight.pop_front().expect("just looked at");
            self.settle(batch, outcome, effects);
        }
        if self.in_flight.is_empty()
            && let Sight::Draining { must_read } = self.sight
        {
            self.sight = Sight::Clear;
            for original in self.returning.drain(..).rev() {
                self.queue.push_front(original);
            }
            if must_read {
                self.read_tail(0, effects);
            }
        }
        self.catch_up(effects);
    }

    /// What becomes of one batch. Behind one that did not go through nothing is taken at its word:
    /// its outcome was that of another log than the one it was decided on.
    fn settle(&mut self, batch: Batch, outcome: Outcome, effects: &mut Vec<Effect>) {
        let outcome = match outcome {
            Outcome::Unknown if sabotage::is_planted(Bug::NoReadAfterUnknown) => Outcome::Done,
            Outcome::Conflict if sabotage::is_planted(Bug::ConflictTakenAsDone) => Outcome::Done,
            other => other,
        };
        let is_clear = self.sight == Sight::Clear || sabotage::is_planted(Bug::SecondBatchKept);
        match outcome {
            Outcome::Done if is_clear => {
                self.losses = 0;
                for item in batch.items {
                    self.commit(item, effects);
                }
            }
            Outcome::Failed => {
                self.drain(false);
                for item in batch.items {
                    let code = RejectCode::StorageUnavailable;
                    self.reject(&item.original, code, None, effects);
                }
            }
            outcome => {
                // Those behind it are lost with it, and to nobody else.
                self.losses += u32::from(is_clear && outcome == Outcome::Conflict);
                self.drain(true);
                for item in batch.items {
                    let mut original = item.original;
                    if sabotage::is_planted(Bug::RebasedAgain) {
                        let (seq, base) = (original.submission.seq(), self.head());
                        let operation = Operation::clone(&item.operation);
                        original.submission = Submission::new(seq, base, operation, item.ranges);
                        original.prefix = None;
                    }
                    original.may_be_stored = true;
                    self.returning.push(original);
                }
            }
        }
    }

    fn drain(&mut self, read: bool) {
        self.sight = match self.sight {
            Sight::Draining { must_read } => Sight::Draining { must_read: must_read || read },
            Sight::Clear => Sight::Draining { must_read: read },
            other => other,
        };
    }

    fn commit(&mut self, item: InFlight, effects: &mut Vec<Effect>) {
        let InFlight { original, operation, ranges } = item;
        self.text.apply(&operation).expect("it was rebased to the text before it");
        self.recent.push(operation.clone());
        let revision = self.head();
        let seq = original.submission.seq();
        let last = Last {
            author: original.visitor.user.clone(),
            seq,
            revision,
            submission: Some(original.submission.hash()),
        };
        if let Some(client) = self.clients.get_mut(&original.client) {
            client.note(last);
        }
        if sabotage::is_planted(Bug::AckAheadOfStream) {
            let answer = Answer::Ack { seq, revision };
            effects.push(Effect::Answer { session: original.session, answer });
        }
        effects.push(Effect::Committed(Committed {
            revision,
            client: original.client,
            seq,
            author: original.visitor.user,
            operation,
            ranges,
        }));
        if let Some(client) = self.clients.get_mut(&original.client)
            && client.session == Some(original.session)
        {
            client.is_settled = true;
        }
        self.release(original.client, effects);
    }

    fn read_tail(&mut self, attempts: u32, effects: &mut Vec<Effect>) {
        self.sight = Sight::Reading { attempts };
        self.read_for = self.heard;
        let goes_ahead = self.losses >= LOSSES_MAX && attempts == 0;
        effects.push(Effect::ReadTail { after: self.head(), attempts, goes_ahead });
    }

    pub(super) fn tail_read(
        &mut self,
        result: Result<TailPage, ReadFault>,
        effects: &mut Vec<Effect>,
    ) {
        let Sight::Reading { attempts } = self.sight else { return };
        let page = match result {
            Ok(page) => page,
            Err(ReadFault::Unavailable) => {
                self.turn_away_ahead(effects);
                self.turn_away_queued(effects);
                return self.read_tail(attempts + 1, effects);
            }
            Err(ReadFault::Corrupt(reason)) => return self.damage(reason, effects),
        };
        self.is_deleted = page.is_deleted;
        for logged in page.operations {
            if let Err(reason) = self.ingest(logged, effects) {
                return self.damage(reason, effects);
            }
        }
        match self.head().cmp(&page.head) {
            Ordering::Less => self.read_tail(0, effects),
            // The log was read before somebody told of more: that read says nothing of it.
            Ordering::Equal if self.heard > self.head().max(self.read_for) => {
                self.read_tail(0, effects);
            }
            Ordering::Equal => {
                self.sight = Sight::Clear;
                self.heard = page.head;
                self.queue.iter_mut().for_each(|pending| pending.may_be_stored = false);
                self.let_in_ahead(effects);
            }
            Ordering::Greater => {
                let reason =
                    format!("log ends at {}, after {} was durable", page.head, self.head());
                self.damage(reason, effects);
            }
        }
    }

    /// The log cannot be read now. What was never appended is handed back to its clients, who send
    /// it again; what may be stored has no answer until the log was read: a refusal could be
    /// followed by its commit.
    fn turn_away_queued(&mut self, effects: &mut Vec<Effect>) {
        let keeps = |pending: &Pending| pending.may_be_stored || pending.is_reading;
        let (kept, handed_back): (VecDeque<_>, VecDeque<_>) = self.queue.drain(..).partition(keeps);
        self.queue = kept;
        for pending in handed_back {
            self.reject(&pending, RejectCode::StorageUnavailable, None, effects);
        }
    }

    /// Takes in what the log is said to hold.
    pub(super) fn hear(
        &mut self,
        operations: Vec<LoggedOperation>,
        head: Revision,
        effects: &mut Vec<Effect>,
    ) {
        for logged in operations {
            if let Err(reason) = self.ingest(logged, effects) {
                return self.damage(reason, effects);
            }
        }
        self.heard = self.heard.max(head);
        self.catch_up(effects);
    }

    /// Reads what the log is known to hold and this state does not. While an append is on its way
    /// its outcome is awaited: it tells as much. And it may be all that those waited for who have
    /// heard of it.
    pub(super) fn catch_up(&mut self, effects: &mut Vec<Effect>) {
        self.let_in_caught_up(effects);
        if self.may_ingest() && self.heard > self.head() {
            self.read_tail(0, effects);
        }
    }

    /// Takes in an operation that the log holds and this state does not: its own whose outcome was
    /// unknown, or one of another server.
    pub(super) fn ingest(
        &mut self,
        logged: LoggedOperation,
        effects: &mut Vec<Effect>,
    ) -> Result<(), String> {
        let expected = later(self.head(), 1);
        if logged.revision != expected {
            return Err(format!("log has revision {} in place of {expected}", logged.revision));
        }
        let operation = Arc::new(logged.operation);
        self.replay(&operation)?;
        let own = self.queue.iter().find(|pending| {
            pending.client == logged.client && pending.submission.seq() == logged.seq
        });
        let last = Last {
            author: logged.author.clone(),
            seq: logged.seq,
            revision: logged.revision,
            submission: own.map(|pending| pending.submission.hash()),
        };
        if let Some(client) = self.clients.get_mut(&logged.client) {
            client.note(last);
        }
        effects.push(Effect::Committed(Committed {
            revision: logged.revision,
            client: logged.client,
            seq: logged.seq,
            author: logged.author,
            operation,
            ranges: None,
        }));
        Ok(())
    }

    pub(super) fn damage(&mut self, reason: String, effects: &mut Vec<Effect>) {
        self.sight = Sight::Damaged;
        self.turn_away_ahead(effects);
        effects.push(Effect::Damaged { reason });
    }
}
