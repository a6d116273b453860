//! The editing side: local text, what is in flight, what was typed since, and undo.
//!
//! Pure: events in, operations out. The caller owns sockets, clocks and storage. Lengths count
//! Unicode scalar values.
//!
//! ```text
//! server text ──outstanding──► ──buffer──► local text        undo and redo apply here
//!  (revision)  (sent, frozen)  (typed since)
//! ```

mod event;
mod pending;
#[cfg(test)]
mod tests;
mod undoing;

pub use event::{Acknowledged, ClientState, EditError, ReceiveError, Rejected, Submission};
pub use pending::{PendingWork, RestoreError};

use crate::diff::diff;
use crate::error::{LengthMismatch, TransformError};
use crate::invertible::Invertible;
use crate::operation::{Component, Operation};
use crate::position::{ClientSeq, Revision};
use crate::sabotage::{self, Bug};
use crate::selection::{Assoc, Ranges};
use crate::text::{Text, TextHash};
use crate::transform::transform_pending;
use crate::undo::{UndoLimits, UndoStack};
use crate::wire::Limits;

#[derive(Debug, Clone)]
struct Outstanding {
    /// Frozen: what the server has, or will get again.
    submission: Submission,
    /// The same edit, made to follow what was received since.
    current: Invertible,
}

/// The editing side of one document.
///
/// Invariant: `outstanding` spans the server's text at `revision`, `buffer` what that leaves, and
/// both lead to `text`; every seq below `next_seq` is used up.
///
/// Undo knows edits by the submission they travel in. When one is rejected, its levels go and what
/// was typed since becomes one level, made from the rebased buffer: so undo neither brings rejected
/// text back nor doubles what the rejection restored. Earlier levels stay. The redo stack is
/// emptied, as by any new edit.
#[derive(Debug, Clone)]
pub struct Client {
    text: Text,
    revision: Revision,
    next_seq: ClientSeq,
    outstanding: Option<Outstanding>,
    buffer: Option<Invertible>,
    undo: UndoStack,
}

impl Client {
    /// A client with nothing pending: the text at a revision, and the next free seq.
    #[must_use]
    pub fn new(text: &str, revision: Revision, next_seq: ClientSeq) -> Client {
        Client {
            text: Text::from(text),
            revision,
            next_seq,
            outstanding: None,
            buffer: None,
            undo: UndoStack::default(),
        }
    }

    /// The same client with other limits for undo; forgets what can be undone.
    #[must_use]
    pub fn with_undo_limits(mut self, limits: UndoLimits) -> Client {
        self.undo = UndoStack::new(limits);
        self
    }

    /// The local text, own pending edits included.
    #[must_use]
    pub fn text(&self) -> &Text {
        &self.text
    }

    /// The revision up to which the server has been heard.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The number the next submission gets.
    #[must_use]
    pub fn next_seq(&self) -> ClientSeq {
        self.next_seq
    }

    /// What is pending.
    #[must_use]
    pub fn state(&self) -> ClientState {
        match (&self.outstanding, &self.buffer) {
            (None, None) => ClientState::Synchronized,
            (None, Some(_)) => ClientState::Unsent,
            (Some(_), None) => ClientState::AwaitingAck,
            (Some(_), Some(_)) => ClientState::AwaitingWithBuffer,
        }
    }

    /// Whether anything typed here is not yet known to be committed.
    #[must_use]
    pub fn has_pending(&self) -> bool {
        self.state() != ClientState::Synchronized
    }

    /// The submission in flight, to be sent again exactly so after a reconnect or a retryable
    /// reject.
    #[must_use]
    pub fn outstanding(&self) -> Option<&Submission> {
        self.outstanding.as_ref().map(|outstanding| &outstanding.submission)
    }

    /// Hash of the server's text, known only while nothing is pending.
    #[must_use]
    pub fn server_text_hash(&self) -> Option<TextHash> {
        (!self.has_pending()).then(|| self.text.hash())
    }

    /// Takes in an own edit of the local text.
    ///
    /// # Errors
    /// [`EditError`]; the client is unchanged then.
    pub fn edit(&mut self, op: Operation, now_ms: u64) -> Result<(), EditError> {
        op.check_text()?;
        let edit = Invertible::from(op, &self.text)?;
        if !edit.is_identity() {
            self.undo.record(&edit, self.next_seq, now_ms);
            self.apply_own(edit);
        }
        Ok(())
    }

    /// Freezes what was typed, up to `limits`, as the submission to send. `None` while one is in
    /// flight, when nothing is typed, and when the seqs are used up.
    ///
    /// The rest of an edit that had to be split stays in the buffer. Its parts undo together.
    pub fn take_submission(&mut self, limits: &Limits) -> Option<Submission> {
        if self.outstanding.is_some() {
            return None;
        }
        let following_seq = self.next_seq.next()?;
        let seq = self.next_seq;
        let (prefix, rest) = self.buffer.take()?.split(limits);
        self.next_seq = following_seq;
        if let Some(rest) = &rest {
            self.split_undo(&prefix, rest, seq);
        }
        let submission = Submission {
            seq,
            revision: self.revision,
            op: prefix.op().clone(),
            whole: rest.is_none(),
        };
        self.outstanding = Some(Outstanding { submission: submission.clone(), current: prefix });
        self.buffer = rest;
        Some(submission)
    }

    /// Takes in an operation of somebody else, or a composed range of them, that leads from the
    /// present revision to `to`. Returns what changed in the local text.
    ///
    /// # Errors
    /// [`ReceiveError`]; the client is unchanged then.
    pub fn receive(&mut self, op: &Operation, to: Revision) -> Result<Operation, ReceiveError> {
        self.expect_after(to)?;
        let is_range = to.since(self.revision).is_some_and(|count| count > 1);
        if is_range && self.has_pending() && sabotage::is_planted(Bug::DropWhileCatchingUp) {
            self.revision = to;
            return Ok(Operation::identity(self.text.len_chars()));
        }
        let (outstanding, behind) = match &self.outstanding {
            Some(outstanding) => {
                let (current, behind) = outstanding.current.transform(op)?;
                (Some(current), Some(behind))
            }
            None => (None, None),
        };
        let op = behind.as_ref().unwrap_or(op);
        let (buffer, mut patch) = match &self.buffer {
            Some(buffer) => {
                let (buffer, patch) = buffer.transform(op)?;
                (Some(buffer), patch)
            }
            None => (None, op.clone()),
        };
        if let Some(typed) = &self.buffer
            && sabotage::is_planted(Bug::TiesByArrival)
        {
            patch = transform_pending(op, typed.op())?;
        }
        self.text.apply(&patch).map_err(TransformError::from)?;
        if let (Some(outstanding), Some(current)) = (&mut self.outstanding, outstanding) {
            outstanding.current = current;
            if sabotage::is_planted(Bug::ResendRebased) {
                outstanding.submission.op = outstanding.current.op().clone();
                outstanding.submission.revision = to;
            }
        }
        self.buffer = buffer.filter(|buffer| !buffer.is_identity());
        self.undo.remote(&patch);
        self.revision = to;
        Ok(patch)
    }

    /// Hears that submission `seq` is committed as `revision`.
    ///
    /// # Errors
    /// [`ReceiveError::Revision`] when it is in flight and `revision` is not the next one; the
    /// client is unchanged then.
    pub fn acknowledge(
        &mut self,
        seq: ClientSeq,
        revision: Revision,
    ) -> Result<Acknowledged, ReceiveError> {
        if self.outstanding().is_none_or(|submission| submission.seq != seq) {
            return Ok(Acknowledged::Earlier);
        }
        self.expect_after(revision)?;
        if revision.since(self.revision) != Some(1) {
            let expected = self.revision.next().unwrap_or(Revision::MAX);
            return Err(ReceiveError::Revision { expected, found: revision });
        }
        self.outstanding = None;
        self.revision = revision;
        self.undo.settle(seq);
        Ok(Acknowledged::Outstanding)
    }

    /// Hears that submission `seq` is refused for good: takes it out of the local text and keeps
    /// what was typed since. `None` when it is not the one in flight.
    ///
    /// # Errors
    /// [`TransformError::Overflow`] when the text without the rejected edit would be too long; the
    /// client is unchanged then.
    pub fn reject(&mut self, seq: ClientSeq) -> Result<Option<Rejected>, TransformError> {
        let rejected = match &self.outstanding {
            Some(outstanding) if outstanding.submission.seq == seq => outstanding,
            _ => return Ok(None),
        };
        let inverse = rejected.current.inverse();
        let (buffer, patch) = match &self.buffer {
            Some(buffer) => {
                let (buffer, patch) = buffer.transform(&inverse)?;
                (Some(buffer), patch)
            }
            None => (None, inverse),
        };
        let op = rejected.submission.op.clone();
        let undone = self.text_without(seq);
        self.text.apply(&patch)?;
        self.outstanding = None;
        self.buffer = buffer.filter(|buffer| !buffer.is_identity());
        if sabotage::is_planted(Bug::ForgetBufferOnReject) {
            self.buffer = None;
        }
        self.rebuild_undo(undone);
        let text = pieces_of(&op);
        Ok(Some(Rejected { patch, op, text }))
    }

    /// Takes back the latest own edit. Returns what changed in the local text.
    pub fn undo(&mut self) -> Option<Operation> {
        let edit = self.undo.undo(&self.text, self.next_seq)?;
        Some(self.apply_own(edit))
    }

    /// Takes back the latest undo. Returns what changed in the local text.
    pub fn redo(&mut self) -> Option<Operation> {
        let edit = self.undo.redo(&self.text, self.next_seq)?;
        Some(self.apply_own(edit))
    }

    /// Whether [`undo`](Self::undo) has something to do.
    pub fn can_undo(&mut self) -> bool {
        self.undo.can_undo()
    }

    /// Whether [`redo`](Self::redo) has something to do.
    pub fn can_redo(&mut self) -> bool {
        self.undo.can_redo()
    }

    /// Ends the open typing group: the caret jumped or the focus left.
    pub fn break_group(&mut self) {
        self.undo.break_group();
    }

    /// Somebody's selections at the present revision, carried over what is pending here.
    #[must_use]
    pub fn carry_ranges(&self, at_revision: &Ranges) -> Ranges {
        let mut ranges = at_revision.clone();
        if let Some(outstanding) = self.outstanding_now() {
            ranges = ranges.transform(outstanding, Assoc::Before);
        }
        if let Some(buffer) = &self.buffer {
            ranges = ranges.transform(buffer.op(), Assoc::Before);
        }
        ranges
    }

    /// The submission in flight as it applies to the text at the present revision: what becomes part
    /// of that text when it is acknowledged.
    ///
    /// Who keeps others' selections keeps them at the revision, moves them over what is received and
    /// over this when it is acknowledged, and shows them by [`carry_ranges`](Self::carry_ranges).
    /// Kept in the local text they would end elsewhere than at the server where an insert and a
    /// delete meet at one: a caret remembers no character that it stood behind.
    #[must_use]
    pub fn outstanding_now(&self) -> Option<&Operation> {
        self.outstanding.as_ref().map(|outstanding| outstanding.current.op())
    }

    /// Own selections in the local text, as they are right behind the submission in flight (or in
    /// the server's text when none is): what was typed since is taken back from them.
    #[must_use]
    pub fn ranges_behind_outstanding(&self, local: &Ranges) -> Ranges {
        match &self.buffer {
            Some(buffer) => local.transform(&buffer.inverse(), Assoc::Before),
            None => local.clone(),
        }
    }

    /// Moves to a text of another history, as after a restored or imported database, keeping what
    /// is pending. Returns what changed in the local text.
    ///
    /// `last_seq` is the last of this client's submissions that the new history holds. If it
    /// covers the one in flight, that edit is in `text` already and is dropped here; if not, it
    /// becomes pending again, with all that was typed since. Pending work is carried over the
    /// difference of the texts and travels in a new submission with a seq above `last_seq`.
    ///
    /// # Errors
    /// [`TransformError::Overflow`] when the joint text would be too long; the client is unchanged
    /// then.
    pub fn reset(
        &mut self,
        text: &str,
        revision: Revision,
        last_seq: ClientSeq,
    ) -> Result<Operation, TransformError> {
        let sent = self.outstanding.as_ref();
        let committed = sent.is_some_and(|sent| sent.submission.seq <= last_seq);
        let pending = match (sent, &self.buffer) {
            (Some(sent), _) if !committed => Some(self.with_buffer(&sent.current)?),
            (_, buffer) => buffer.clone(),
        };
        let (pending, patch) = match pending {
            Some(pending) => {
                let base = apply_to(&self.text, &pending.inverse())?;
                let (pending, patch) = pending.transform(&diff(&base, text, None))?;
                (Some(pending), patch)
            }
            None => (None, diff(&self.text.contents(), text, None)),
        };
        self.text.apply(&patch)?;
        let sent_seq = self.outstanding.take().map(|sent| sent.submission.seq);
        let unsent_from = match sent_seq {
            Some(seq) if !committed => seq,
            _ => self.next_seq,
        };
        self.next_seq = self.next_seq.max(last_seq.next().unwrap_or(ClientSeq::MAX));
        self.buffer = pending.filter(|pending| !pending.is_identity());
        self.undo.relabel(unsent_from, self.next_seq);
        self.undo.remote(&patch);
        self.revision = revision;
        Ok(patch)
    }

    /// Makes sure that the next submission's number is above `last_seq`, the last one the server
    /// knows of this client: another run of it may have sent more than storage tells.
    pub fn skip_to(&mut self, last_seq: ClientSeq) {
        let next_seq = last_seq.next().unwrap_or(ClientSeq::MAX);
        if next_seq > self.next_seq {
            self.undo.relabel(self.next_seq, next_seq);
            self.next_seq = next_seq;
        }
    }

    /// Checks every invariant of the type; for tests and fuzzers.
    ///
    /// # Panics
    /// When one does not hold.
    pub fn check_invariants(&self) {
        let mut len = None;
        let parts = [self.outstanding.as_ref().map(|sent| &sent.current), self.buffer.as_ref()];
        for part in parts.into_iter().flatten() {
            part.check_invariants();
            assert_eq!(*len.get_or_insert(part.op().base_len()), part.op().base_len());
            len = Some(part.op().target_len());
        }
        assert_eq!(len.unwrap_or(self.text.len_chars()), self.text.len_chars());
        if let Some(submission) = self.outstanding() {
            assert!(submission.seq < self.next_seq && submission.revision <= self.revision);
        }
        self.undo.check_invariants(self.text.len_chars());
    }

    /// Applies an own edit that undo knows about, and buffers it. Returns its operation.
    fn apply_own(&mut self, edit: Invertible) -> Operation {
        self.text.apply(edit.op()).expect("the edit was made on this text");
        let op = edit.op().clone();
        if let (Some(sent), None) = (&mut self.outstanding, &self.buffer)
            && sabotage::is_planted(Bug::ComposeIntoInFlight)
            && let Ok(whole) = sent.submission.op.compose(edit.op())
        {
            sent.submission.op = whole;
            sent.current = sent.current.compose(&edit).expect("it leads to the text");
            return op;
        }
        let buffer = match self.buffer.take() {
            Some(buffer) => buffer.then(&edit).expect("the buffer leads to the text"),
            None => edit,
        };
        self.buffer = Some(buffer).filter(|buffer| !buffer.is_identity());
        op
    }

    fn expect_after(&self, to: Revision) -> Result<(), ReceiveError> {
        if to > self.revision {
            return Ok(());
        }
        let expected = self.revision.next().unwrap_or(Revision::MAX);
        Err(ReceiveError::Revision { expected, found: to })
    }

    fn with_buffer(&self, current: &Invertible) -> Result<Invertible, LengthMismatch> {
        match &self.buffer {
            Some(buffer) => current.compose(buffer),
            None => Ok(current.clone()),
        }
    }
}

fn apply_to(text: &Text, op: &Operation) -> Result<String, LengthMismatch> {
    let mut text = text.clone();
    text.apply(op)?;
    Ok(text.contents())
}

fn pieces_of(op: &Operation) -> String {
    let mut pieces = String::new();
    for component in op.components() {
        if let Component::Insert(text) = component {
            if !pieces.is_empty() {
                pieces.push('\n');
            }
            pieces.push_str(text);
        }
    }
    pieces
}
