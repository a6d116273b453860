//! The editing side: local text, what is in flight, what was typed since, and undo.
//!
//! Pure: events in, operations out. The caller owns sockets, clocks and storage. Lengths count
//! Unicode scalar values.
//!
//! ```text
//! server text ──outstanding──► ──buffer──► local text        undo and redo apply here
//!  (revision)  (sent, frozen)  (typed since)
//! ```

mod pending;

use thiserror::Error;

pub use pending::{PendingWork, RestoreError};

use crate::diff::diff;
use crate::error::{DecodeError, LengthMismatch, TransformError};
use crate::invertible::Invertible;
use crate::operation::{Component, Operation};
use crate::position::{ClientSeq, Revision};
use crate::selection::{Assoc, Ranges};
use crate::text::{Text, TextHash};
use crate::undo::{UndoLimits, UndoStack};
use crate::wire::Limits;

/// What a client has said and not yet heard about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientState {
    /// Everything typed is committed.
    Synchronized,
    /// Something is typed and nothing is in flight: take a submission.
    Unsent,
    /// A submission is in flight.
    AwaitingAck,
    /// A submission is in flight and more was typed since.
    AwaitingWithBuffer,
}

/// An operation as it goes to the server, and every time it goes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// Its number.
    pub seq: ClientSeq,
    /// The revision it was made at.
    pub revision: Revision,
    /// The operation, which spans the text at that revision.
    pub op: Operation,
    /// Whether everything typed so far is in it; `false` when limits split it.
    pub whole: bool,
}

#[derive(Debug, Clone)]
struct Outstanding {
    /// Frozen: what the server has, or will get again.
    submission: Submission,
    /// The same edit, made to follow what was received since.
    current: Invertible,
}

/// Why an edit is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EditError {
    /// It was made on another text.
    #[error(transparent)]
    Length(#[from] LengthMismatch),
    /// It inserts what no document may hold.
    #[error(transparent)]
    Text(#[from] DecodeError),
}

/// Why something from the server does not fit; the client must join again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ReceiveError {
    /// The operation spans another text, or the joint text would be too long.
    #[error(transparent)]
    Transform(#[from] TransformError),
    /// Something before it is missing, or it was here already.
    #[error("message leads to revision {found}, expected {expected} or later")]
    Revision {
        /// The revision after the present one.
        expected: Revision,
        /// The revision it leads to.
        found: Revision,
    },
}

/// What an acknowledgement or a rejection turned out to be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledged {
    /// The submission in flight; it is committed now.
    Outstanding,
    /// Something settled before, answered again; nothing to do.
    Earlier,
}

/// A submission that the server refused for good, taken out of the local text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// What changed in the local text.
    pub patch: Operation,
    /// The operation as it was sent.
    pub op: Operation,
    /// The text it inserted, for its writer to see and copy; several places are parted by a line
    /// end.
    pub text: String,
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
        let (outstanding, behind) = match &self.outstanding {
            Some(outstanding) => {
                let (current, behind) = outstanding.current.transform(op)?;
                (Some(current), Some(behind))
            }
            None => (None, None),
        };
        let op = behind.as_ref().unwrap_or(op);
        let (buffer, patch) = match &self.buffer {
            Some(buffer) => {
                let (buffer, patch) = buffer.transform(op)?;
                (Some(buffer), patch)
            }
            None => (None, op.clone()),
        };
        self.text.apply(&patch).map_err(TransformError::from)?;
        if let (Some(outstanding), Some(current)) = (&mut self.outstanding, outstanding) {
            outstanding.current = current;
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
        if let Some(outstanding) = &self.outstanding {
            ranges = ranges.transform(outstanding.current.op(), Assoc::Before);
        }
        if let Some(buffer) = &self.buffer {
            ranges = ranges.transform(buffer.op(), Assoc::Before);
        }
        ranges
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

    /// Takes the undo levels of submission `seq` and later off; the text without them.
    fn text_without(&mut self, seq: ClientSeq) -> Option<String> {
        let taken = self.undo.take_since(seq);
        self.undo.break_group();
        self.undo.forget_redo();
        match taken {
            Some(taken) => apply_to(&self.text, &taken.inverse).ok(),
            None => Some(self.text.contents()),
        }
    }

    /// After a rejection: earlier levels follow to the server's text, where they apply now, and
    /// the rebased buffer becomes one level above them.
    fn rebuild_undo(&mut self, undone: Option<String>) {
        let inverse = self.buffer.as_ref().map(Invertible::inverse);
        if !self.undo.levels_empty() {
            let server_text = match &inverse {
                Some(inverse) => apply_to(&self.text, inverse).ok(),
                None => Some(self.text.contents()),
            };
            match (undone, server_text) {
                (Some(undone), Some(server)) => self.undo.shift(&diff(&undone, &server, None)),
                _ => self.undo.clear(),
            }
        }
        if let Some(inverse) = inverse {
            self.undo.push(inverse, self.next_seq, false);
        }
    }

    /// A buffer was split: its undo levels become one for each part, so that the rejection of a
    /// part takes just that part's level. They undo together.
    fn split_undo(&mut self, prefix: &Invertible, rest: &Invertible, seq: ClientSeq) {
        let before = self.undo.clone();
        let taken = self.undo.take_since(seq);
        let whole = prefix.compose(rest).map(|whole| whole.inverse());
        match (taken, whole) {
            (Some(taken), Ok(whole)) if same_effect(&self.text, &taken.inverse, &whole) => {
                self.undo.push(prefix.inverse(), seq, taken.joined);
                self.undo.push(rest.inverse(), self.next_seq, true);
            }
            _ => {
                // Others deleted some of it too, or it contains an undo: the levels say more than
                // the parts do. They stay whole and go with the last part.
                self.undo = before;
                self.undo.relabel(seq, self.next_seq);
            }
        }
    }
}

fn apply_to(text: &Text, op: &Operation) -> Result<String, LengthMismatch> {
    let mut text = text.clone();
    text.apply(op)?;
    Ok(text.contents())
}

fn same_effect(text: &Text, one: &Operation, other: &Operation) -> bool {
    match (apply_to(text, one), apply_to(text, other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn client(text: &str) -> Client {
        Client::new(text, Revision::new(5), ClientSeq::new(1))
    }

    fn splice(client: &mut Client, at: usize, deleted: usize, text: &str) {
        let op = Operation::splice(client.text().len_chars(), at, deleted, text).expect("fits");
        client.edit(op, 0).expect("fits");
        client.check_invariants();
    }

    fn remote(len: usize, at: usize, deleted: usize, text: &str) -> Operation {
        Operation::splice(len, at, deleted, text).expect("fits")
    }

    fn revision(number: u64) -> Revision {
        Revision::new(number)
    }

    #[test]
    fn what_was_sent_stays_as_it_was_sent() {
        let mut client = client("ab");
        splice(&mut client, 1, 0, "x");
        let sent = client.take_submission(&Limits::NONE).expect("typed");
        assert_eq!((sent.seq, sent.revision, sent.whole), (ClientSeq::new(1), revision(5), true));
        splice(&mut client, 2, 0, "y");
        let patch = client.receive(&remote(2, 0, 0, ">>"), revision(6)).expect("fits");
        assert_eq!(format!("{patch:?}"), r#"+">>" =4"#);
        assert_eq!(client.outstanding(), Some(&sent));
        assert_eq!(client.state(), ClientState::AwaitingWithBuffer);
        assert_eq!(client.take_submission(&Limits::NONE), None);
        let acknowledged = client.acknowledge(sent.seq, revision(7));
        assert_eq!(acknowledged, Ok(Acknowledged::Outstanding));
        let next = client.take_submission(&Limits::NONE).expect("typed");
        assert_eq!((next.seq, next.revision), (ClientSeq::new(2), revision(7)));
        assert_eq!(format!("{:?}", next.op), r#"=4 +"y" =1"#);
        assert_eq!(client.text().to_string(), ">>axyb");
    }

    #[test]
    fn what_does_not_fit_changes_nothing() {
        let mut client = client("ab");
        splice(&mut client, 1, 0, "x");
        let sent = client.take_submission(&Limits::NONE).expect("typed");
        let before = client.export();
        assert!(client.receive(&remote(3, 0, 1, ""), revision(6)).is_err());
        assert!(client.receive(&remote(2, 0, 1, ""), revision(5)).is_err());
        assert!(client.acknowledge(sent.seq, revision(7)).is_err());
        assert_eq!(client.acknowledge(ClientSeq::new(9), revision(6)), Ok(Acknowledged::Earlier));
        assert_eq!(client.reject(ClientSeq::new(9)), Ok(None));
        assert!(client.edit(remote(9, 0, 1, ""), 0).is_err());
        assert!(client.edit(remote(3, 0, 0, "\r\n"), 0).is_err());
        assert_eq!(client.export(), before);
    }

    #[test]
    fn a_rejected_edit_goes_and_what_was_typed_since_stays() {
        let mut client = client("abc");
        splice(&mut client, 1, 1, "XY");
        let sent = client.take_submission(&Limits::NONE).expect("typed");
        splice(&mut client, 2, 0, "-new-");
        assert_eq!(client.text().to_string(), "aX-new-Yc");
        let rejected = client.reject(sent.seq).expect("fits").expect("in flight");
        client.check_invariants();
        assert_eq!((rejected.text.as_str(), &rejected.op), ("XY", &sent.op));
        assert_eq!(client.state(), ClientState::Unsent);
        let text = client.text().to_string();
        assert!(["a-new-bc", "ab-new-c"].contains(&text.as_str()), "{text}");
        client.undo();
        client.check_invariants();
        assert_eq!(client.text().to_string(), "abc");
        assert!(!client.can_undo());
        client.redo();
        assert_eq!(client.text().to_string(), text);
        let next = client.take_submission(&Limits::NONE).expect("typed");
        assert_eq!(next.seq, ClientSeq::new(2));
    }

    #[test]
    fn undo_below_a_rejection_still_finds_its_text() {
        let mut client = client("abc");
        splice(&mut client, 3, 0, "d");
        let first = client.take_submission(&Limits::NONE).expect("typed");
        client.acknowledge(first.seq, revision(6)).expect("next");
        splice(&mut client, 0, 4, "");
        let second = client.take_submission(&Limits::NONE).expect("typed");
        client.reject(second.seq).expect("fits").expect("in flight");
        client.check_invariants();
        assert_eq!(client.text().to_string(), "abcd");
        client.undo();
        assert_eq!(client.text().to_string(), "abc");
    }

    #[test]
    fn a_split_paste_undoes_at_once_and_its_refused_part_alone_goes() {
        let limits = Limits { inserted_bytes_max: 4, ..Limits::NONE };
        let mut client = client("()");
        splice(&mut client, 1, 0, "123456789");
        let first = client.take_submission(&limits).expect("typed");
        assert!(!first.whole && first.op.inserted_text() == "1234");
        client.check_invariants();
        let mut other = client.clone();
        other.undo();
        assert_eq!(other.text().to_string(), "()");
        client.acknowledge(first.seq, revision(6)).expect("next");
        let second = client.take_submission(&limits).expect("typed");
        client.check_invariants();
        let rejected = client.reject(second.seq).expect("fits").expect("in flight");
        client.check_invariants();
        assert_eq!(rejected.text, "5678");
        assert_eq!(client.text().to_string(), "(12349)");
        client.undo();
        client.undo();
        client.check_invariants();
        assert_eq!(client.text().to_string(), "()");
    }

    #[test]
    fn typing_that_travels_in_several_submissions_is_one_group() {
        let mut client = client("");
        for (at, letter) in ["a", "b", "c", "d"].into_iter().enumerate() {
            splice(&mut client, at, 0, letter);
            if let Some(sent) = client.take_submission(&Limits::NONE) {
                let to = client.revision().next().expect("small");
                if at != 1 {
                    client.acknowledge(sent.seq, to).expect("next");
                }
            }
            client.check_invariants();
        }
        let sent = client.outstanding().cloned().expect("in flight");
        client.acknowledge(sent.seq, revision(7)).expect("next");
        client.check_invariants();
        client.undo();
        assert_eq!(client.text().to_string(), "");
        client.redo();
        assert_eq!(client.text().to_string(), "abcd");
    }

    #[test]
    fn another_history_keeps_what_is_pending() {
        let mut client = client("one two");
        splice(&mut client, 7, 0, " three");
        let sent = client.take_submission(&Limits::NONE).expect("typed");
        splice(&mut client, 13, 0, "!");
        // The other history has neither.
        let mut fresh = client.clone();
        let patch = fresh.reset("ONE two", revision(1), ClientSeq::ZERO).expect("fits");
        fresh.check_invariants();
        assert_eq!(patch.base_len(), 14);
        assert_eq!(fresh.text().to_string(), "ONE two three!");
        let next = fresh.take_submission(&Limits::NONE).expect("pending");
        assert_eq!((next.seq, next.revision), (ClientSeq::new(2), revision(1)));
        assert_eq!(next.op.inserted_text(), " three!");
        // The other history has the one in flight.
        client.reset("one two three", revision(9), sent.seq).expect("fits");
        client.check_invariants();
        assert_eq!(client.text().to_string(), "one two three!");
        let next = client.take_submission(&Limits::NONE).expect("pending");
        assert_eq!((next.seq, next.op.inserted_text()), (ClientSeq::new(2), "!"));
    }

    #[test]
    fn numbers_the_server_knows_are_not_used_again() {
        let mut client = client("ab");
        splice(&mut client, 1, 0, "x");
        client.skip_to(ClientSeq::new(6));
        client.skip_to(ClientSeq::new(2));
        let sent = client.take_submission(&Limits::NONE).expect("typed");
        assert_eq!(sent.seq, ClientSeq::new(7));
        client.reject(sent.seq).expect("fits").expect("in flight");
        client.check_invariants();
        assert!(!client.can_undo(), "undo knows the edit by its new number");
    }

    #[test]
    fn pending_work_survives_storage_and_is_checked() {
        let mut client = client("héllo");
        splice(&mut client, 1, 2, "🦀");
        client.take_submission(&Limits::NONE).expect("typed");
        splice(&mut client, 0, 1, "");
        client.receive(&remote(5, 5, 0, "?"), revision(6)).expect("fits");
        let work = client.export();
        let mut restored = Client::restore(work.clone()).expect("sound");
        restored.check_invariants();
        assert_eq!(restored.export(), work);
        restored.undo();
        restored.undo();
        assert_eq!(restored.text().to_string(), "héllo?");
        let damaged = PendingWork { text: "🦀xlo?".to_owned(), ..work.clone() };
        assert!(Client::restore(damaged).is_err());
        let damaged = PendingWork { text: "xlo?".to_owned(), ..work.clone() };
        assert!(matches!(Client::restore(damaged), Err(RestoreError::Text)));
        let damaged = PendingWork { next_seq: ClientSeq::new(1), ..work };
        assert!(matches!(Client::restore(damaged), Err(RestoreError::Ahead { .. })));
    }

    #[test]
    fn selections_travel_between_the_frames() {
        let mut client = client("abc");
        splice(&mut client, 1, 0, "xx");
        client.take_submission(&Limits::NONE).expect("typed");
        splice(&mut client, 3, 0, "yy");
        assert_eq!(client.text().to_string(), "axxyybc");
        let theirs = Ranges::new([crate::Selection::caret(1), crate::Selection::new(3, 2)]);
        let local = client.carry_ranges(&theirs.expect("two"));
        let found: Vec<_> = local.iter().map(|range| (range.anchor, range.head)).collect();
        assert_eq!(found, [(1, 1), (7, 6)]);
        let own = Ranges::one(crate::Selection::caret(5));
        let sent = client.ranges_behind_outstanding(&own);
        assert_eq!(sent.as_slice(), [crate::Selection::caret(3)]);
    }

    #[test]
    fn typing_and_erasing_leaves_nothing_to_send() {
        let mut client = client("ab");
        splice(&mut client, 1, 0, "x");
        splice(&mut client, 1, 1, "");
        assert_eq!(client.state(), ClientState::Synchronized);
        assert_eq!(client.take_submission(&Limits::NONE), None);
        assert_eq!(client.server_text_hash(), Some(TextHash::of("ab")));
    }
}
