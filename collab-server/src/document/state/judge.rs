//! The verdict on one submission.

use std::sync::Arc;

use collab_protocol::{ClientId, RejectCode};
use ot_core::{
    Assoc, ClientSeq, DecodeError, Operation, Ranges, Revision, TransformError, transform,
    transform_pending,
};

use super::event::{Effect, ReadFault};
use super::{InFlight, Pending, State};
use crate::document::SubmissionOrigin;
use crate::rights::{Action, allows};
use crate::sabotage::{self, Bug};

/// What to do with a submission.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Append it in this form.
    Commit { operation: Arc<Operation>, ranges: Option<Ranges> },
    /// It was committed as this revision.
    Acknowledge(Revision),
    /// Never. The message is for a developer.
    Reject(RejectCode, Option<String>),
    /// Not by this session: its client began anew at another server, which may have answered it.
    Dismiss,
    /// Something must be read first.
    Read(Effect),
    /// Not before everything in flight is durable.
    Later,
}

impl State {
    /// Decides on a submission behind everything in flight and `batch`. What was committed before
    /// comes first, then what is wrong with it, then its place.
    pub(super) fn judge(&self, pending: &Pending, batch: &[InFlight]) -> Verdict {
        if self.is_fenced(pending) {
            return Verdict::Dismiss;
        }
        self.known(pending)
            .or_else(|| self.fault(pending))
            .or_else(|| self.missing_history(pending))
            .or_else(|| self.mismatch(pending))
            .unwrap_or_else(|| self.place(pending, batch))
    }

    /// Whether its client began anew somewhere since this was received.
    fn is_fenced(&self, pending: &Pending) -> bool {
        let fence = self.rights.fences.get(&pending.client);
        fence.is_some_and(|fence| *fence > pending.under)
    }

    /// Whether another server may still hold this submission and come to another verdict, in another
    /// text or under other rights: then it is refused once nobody can commit it any more. Only what
    /// a session brings along from before can be elsewhere, so its first answer settles that.
    pub(super) fn must_fence(&self, pending: &Pending, code: RejectCode) -> bool {
        let differs = matches!(
            code,
            RejectCode::Forbidden
                | RejectCode::DocumentDeleted
                | RejectCode::DocumentFull
                | RejectCode::FutureBase
        );
        let client = self.clients.get(&pending.client);
        let is_unsettled = client
            .is_some_and(|client| client.session == Some(pending.session) && !client.is_settled);
        self.is_shared && differs && is_unsettled
    }

    /// The answer that this number already has, or must have.
    fn known(&self, pending: &Pending) -> Option<Verdict> {
        let client = self.clients.get(&pending.client)?;
        let seq = pending.submission.seq();
        let last = client.last.as_ref();
        if last.is_some_and(|last| last.author != pending.visitor.user) {
            // Another server let its person in at the same time, and theirs came first.
            return Some(Verdict::Reject(RejectCode::Forbidden, None));
        }
        if let Some(last) = last.filter(|last| last.seq == seq)
            && !sabotage::is_planted(Bug::NoDedupe)
        {
            let is_same = last.submission.is_none_or(|known| known == pending.submission.hash());
            return Some(if is_same {
                Verdict::Acknowledge(last.revision)
            } else {
                Verdict::Reject(RejectCode::SeqReuse, None)
            });
        }
        // What the log holds has come first: that a server refused a copy of it was told to nobody.
        if let Some((burned, code)) = client.rejected
            && burned == seq
        {
            return Some(Verdict::Reject(code, None));
        }
        if sabotage::is_planted(Bug::NoDedupe) {
            return None;
        }
        let last_seq = last.map_or(ClientSeq::ZERO, |last| last.seq);
        if seq < last_seq {
            return Some(match pending.found {
                None => Verdict::Read(Effect::FindSubmission { client: pending.client, seq }),
                Some(Some(revision)) => Verdict::Acknowledge(revision),
                Some(None) => Verdict::Reject(RejectCode::StaleSeq, None),
            });
        }
        let burned = client.rejected.map_or(ClientSeq::ZERO, |(burned, _)| burned);
        (seq <= last_seq.max(burned)).then_some(Verdict::Reject(RejectCode::StaleSeq, None))
    }

    /// What is wrong with a submission whatever the document holds.
    fn fault(&self, pending: &Pending) -> Option<Verdict> {
        let submission = &pending.submission;
        let operation = submission.operation();
        let is_bound = submission.origin() == SubmissionOrigin::Session;
        let code = if !self.may_write(pending) || self.is_deleted {
            return Some(self.too_late(pending));
        } else if submission.base() > self.head() {
            RejectCode::FutureBase
        } else if is_bound && operation.inserted_bytes() > self.config.text_bytes_max {
            RejectCode::TextTooLarge
        } else if is_bound && operation.component_count() > self.config.components_max {
            RejectCode::TooManyComponents
        } else if let Err(DecodeError::ForbiddenCharacter { .. }) = operation.check_text() {
            RejectCode::BadText
        } else if submission.ranges().is_some_and(|ranges| {
            ranges.as_slice().len() > self.config.ranges_max || !ranges.fit(operation.target_len())
        }) {
            RejectCode::BadRanges
        } else {
            return None;
        };
        let message = (code == RejectCode::FutureBase)
            .then(|| format!("base is {}, the document is at {}", submission.base(), self.head()));
        Some(Verdict::Reject(code, message))
    }

    /// The answer where nothing may be written any more. Another server may have committed it while
    /// it might, and this one may have heard of the change alone: so the log is asked. What is not
    /// in it by now never will be, because no append goes through under the rights of before.
    fn too_late(&self, pending: &Pending) -> Verdict {
        let (client, seq) = (pending.client, pending.submission.seq());
        match pending.found {
            None => Verdict::Read(Effect::FindSubmission { client, seq }),
            Some(Some(revision)) => Verdict::Acknowledge(revision),
            Some(None) if !self.may_write(pending) => Verdict::Reject(RejectCode::Forbidden, None),
            Some(None) => Verdict::Reject(RejectCode::DocumentDeleted, None),
        }
    }

    /// Whether who submitted may do so now. What is in the log already was answered before this.
    fn may_write(&self, pending: &Pending) -> bool {
        let role = self.rights.session_role_of(&pending.visitor);
        role.is_some_and(|role| allows(role, Action::Submit))
            || sabotage::is_planted(Bug::RightsOfTheJoin)
    }

    /// Whether history must be read before the submission can be rebased.
    fn missing_history(&self, pending: &Pending) -> Option<Verdict> {
        let after = self.history_from(pending);
        (after < self.recent.first()).then(|| {
            Verdict::Read(Effect::ReadRange {
                client: pending.client,
                seq: pending.submission.seq(),
                after,
                through: self.recent.first(),
            })
        })
    }

    /// The revision from which the operations at hand lead on.
    fn history_from(&self, pending: &Pending) -> Revision {
        pending.prefix.as_ref().map_or(pending.submission.base(), |(through, _)| *through)
    }

    /// Whether the operation spans another length than the text at its base.
    fn mismatch(&self, pending: &Pending) -> Option<Verdict> {
        let head_len = match sabotage::is_planted(Bug::Utf16AsChars) {
            true => self.text.len_utf16(),
            false => self.text.len_chars(),
        };
        let expected = match &pending.prefix {
            Some((_, history)) => history.base_len(),
            None => self.recent.len_at(pending.submission.base(), head_len)?,
        };
        let error = pending.submission.operation().check_base(expected).err()?;
        Some(Verdict::Reject(RejectCode::BadOp, Some(error.to_string())))
    }

    fn place(&self, pending: &Pending, batch: &[InFlight]) -> Verdict {
        let (operation, ranges) = match self.rebase(pending, batch) {
            Ok(rebased) => rebased,
            Err(TransformError::Overflow(error)) => {
                return Verdict::Reject(RejectCode::DocumentFull, Some(error.to_string()));
            }
            Err(TransformError::Mismatch(error)) => {
                return Verdict::Reject(RejectCode::BadOp, Some(error.to_string()));
            }
        };
        match self.fit(&operation, batch) {
            Fit::Yes => Verdict::Commit { operation: Arc::new(operation), ranges },
            Fit::No => Verdict::Reject(RejectCode::DocumentFull, None),
            Fit::AskLater => Verdict::Later,
        }
    }

    /// The original, made to follow all history behind its base; its selection goes along.
    fn rebase(
        &self,
        pending: &Pending,
        batch: &[InFlight],
    ) -> Result<(Operation, Option<Ranges>), TransformError> {
        let mut rebase = Rebase {
            operation: Operation::clone(pending.submission.operation()),
            ranges: pending.submission.ranges().cloned(),
        };
        if let Some((_, history)) = &pending.prefix {
            rebase.over(history)?;
        }
        let from = self.history_from(pending);
        self.recent.composed_after(from).try_for_each(|history| rebase.over(history))?;
        for item in self.decided().chain(batch) {
            rebase.over(&item.operation)?;
        }
        Ok((rebase.operation, rebase.ranges))
    }

    /// Whether the document may become what the operation makes of it. A full one takes what does
    /// not make it larger. While others are on their way only an upper bound is known.
    fn fit(&self, operation: &Operation, batch: &[InFlight]) -> Fit {
        let in_flight: usize =
            self.decided().chain(batch).map(|item| item.operation.inserted_bytes()).sum();
        let now = self.text.len_bytes();
        let max = self.config.document_bytes_max;
        if now + in_flight + operation.inserted_bytes() <= max {
            return Fit::Yes;
        }
        if !batch.is_empty() || self.decided().next().is_some() {
            return Fit::AskLater;
        }
        let removed = self.text.removed_by(operation).map_or(0, |removed| removed.len());
        let next = now + operation.inserted_bytes() - removed;
        if next <= max || next <= now { Fit::Yes } else { Fit::No }
    }

    pub(super) fn range_read(
        &mut self,
        client: ClientId,
        seq: ClientSeq,
        through: Revision,
        result: Result<Operation, ReadFault>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(index) = self.reading(client, seq) else { return };
        match result {
            Ok(read) => {
                let pending = &mut self.queue[index];
                pending.is_reading = false;
                let history = match pending.prefix.take() {
                    None => Ok(read),
                    Some((_, earlier)) => earlier.compose(&read),
                };
                match history {
                    Ok(history) => pending.prefix = Some((through, history)),
                    Err(error) => self.damage(error.to_string(), effects),
                }
            }
            Err(fault) => self.read_failed(index, fault, effects),
        }
    }

    pub(super) fn submission_found(
        &mut self,
        client: ClientId,
        seq: ClientSeq,
        result: Result<Option<Revision>, ReadFault>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(index) = self.reading(client, seq) else { return };
        match result {
            Ok(found) => {
                let pending = &mut self.queue[index];
                pending.is_reading = false;
                pending.found = Some(found);
                self.heard = self.heard.max(found.unwrap_or_default());
                self.catch_up(effects);
            }
            Err(fault) => self.read_failed(index, fault, effects),
        }
    }

    pub(super) fn reading(&self, client: ClientId, seq: ClientSeq) -> Option<usize> {
        self.queue.iter().position(|pending| {
            pending.is_reading && pending.client == client && pending.submission.seq() == seq
        })
    }

    pub(super) fn read_failed(
        &mut self,
        index: usize,
        fault: ReadFault,
        effects: &mut Vec<Effect>,
    ) {
        let Some(pending) = self.queue.remove(index) else { return };
        match fault {
            ReadFault::Unavailable => {
                self.reject(&pending, RejectCode::StorageUnavailable, None, effects);
            }
            ReadFault::Corrupt(reason) => {
                self.reject(&pending, RejectCode::DocCorrupt, None, effects);
                self.damage(reason, effects);
            }
        }
    }
}

enum Fit {
    Yes,
    No,
    AskLater,
}

struct Rebase {
    operation: Operation,
    ranges: Option<Ranges>,
}

impl Rebase {
    fn over(&mut self, committed: &Operation) -> Result<(), TransformError> {
        let Some(ranges) = &self.ranges else {
            self.operation = transform_pending(&self.operation, committed)?;
            return Ok(());
        };
        let (operation, committed) = transform(&self.operation, committed)?;
        self.ranges = Some(ranges.transform(&committed, Assoc::Before));
        self.operation = operation;
        Ok(())
    }
}
