//! Undo and redo of one's own edits under everybody's later ones.
//!
//! Two stacks of levels. A level holds the operation that takes an edit back and, kept composed,
//! the remote operations that arrived while it was the top. Carrying waits until undo is asked
//! for: then the level is rewritten to follow what waits, and what waits, rewritten to follow the
//! level, goes on to the level below. So a remote operation costs one small composition, however
//! deep the stacks are.
//!
//! Everything here speaks of the local text. Lengths count Unicode scalar values, times are the
//! caller's milliseconds.

mod group;
mod side;
#[cfg(test)]
mod tests;

use crate::error::TransformError;
use crate::invertible::Invertible;
use crate::operation::Operation;
use crate::position::ClientSeq;
use crate::sabotage::{self, Bug};
use crate::text::Text;

use group::{Change, Group};
use side::{Side, Taken};

/// What an [`UndoStack`] keeps and how it groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UndoLimits {
    /// Most levels on each stack; the oldest are forgotten.
    pub levels_max: usize,
    /// Most memory of each stack, in bytes, roughly; the newest level stays whatever its size.
    pub bytes_max: usize,
    /// Most characters that one typing group inserts or deletes before a new one begins.
    pub group_chars_max: usize,
    /// Longest pause within one typing group, in milliseconds.
    pub group_pause_ms: u64,
}

impl Default for UndoLimits {
    fn default() -> UndoLimits {
        UndoLimits {
            levels_max: 1_000,
            bytes_max: 8 << 20,
            group_chars_max: 1_000,
            group_pause_ms: 1_000,
        }
    }
}

/// The edits of one person in one document that can be taken back, and those taken back.
///
/// Invariant: the top level of each stack, once it follows what waits there, applies to the
/// current text; each level below applies to the text that the one above it leaves.
#[derive(Debug, Clone, Default)]
pub struct UndoStack {
    undo: Side,
    redo: Side,
    group: Option<Group>,
    limits: UndoLimits,
}

impl UndoStack {
    /// Empty stacks.
    #[must_use]
    pub fn new(limits: UndoLimits) -> UndoStack {
        UndoStack { limits, ..UndoStack::default() }
    }

    /// Takes note of an own edit, just applied to the text. `seq` is the submission it will travel
    /// in. Joins it to the last one where both are one run of typing or deleting.
    pub fn record(&mut self, edit: &Invertible, seq: ClientSeq, now_ms: u64) {
        if edit.is_identity() {
            return;
        }
        self.redo.clear();
        let change = Change::of(edit.op());
        let joined = match (&mut self.group, &change) {
            (Some(group), Some(change)) => group.join(change, now_ms, &self.limits),
            _ => false,
        };
        if !joined {
            self.group = change.map(|change| Group::start(&change, now_ms));
        }
        let pushed = self.undo.push(edit.inverse(), seq, joined, &self.limits);
        self.clear_on(pushed);
    }

    /// Takes note of an operation of somebody else that was applied to the text.
    pub fn remote(&mut self, patch: &Operation) {
        if patch.is_identity() || sabotage::is_planted(Bug::StaleUndo) {
            return;
        }
        let beside = match &mut self.group {
            Some(group) => group.carry(patch),
            None => false,
        };
        if !beside {
            self.group = None;
        }
        // An open group may be continued, so its level follows at once.
        let waits = if beside { self.undo.carry_top(patch) } else { self.undo.wait(patch) };
        let carried = waits.and_then(|()| self.redo.wait(patch));
        self.clear_on(carried);
    }

    /// The edit that takes back the latest own edit or group, to be applied to `text`, which is
    /// the current one. `seq` is the submission it will travel in. Levels that have nothing left
    /// to take back are skipped. `None` when there is nothing to take back.
    pub fn undo(&mut self, text: &Text, seq: ClientSeq) -> Option<Invertible> {
        self.group = None;
        let edit = self.undo.take_edit(text);
        self.hand_over(edit, seq, End::Redo)
    }

    /// The edit that takes back the latest undo; as [`undo`](Self::undo) otherwise.
    pub fn redo(&mut self, text: &Text, seq: ClientSeq) -> Option<Invertible> {
        self.group = None;
        let edit = self.redo.take_edit(text);
        self.hand_over(edit, seq, End::Undo)
    }

    /// Whether there is something to take back. Forgets levels that lost their object to others.
    pub fn can_undo(&mut self) -> bool {
        let found = self.undo.prune();
        self.clear_on(found).unwrap_or(false)
    }

    /// Whether there is an undo to take back; as [`can_undo`](Self::can_undo) otherwise.
    pub fn can_redo(&mut self) -> bool {
        let found = self.redo.prune();
        self.clear_on(found).unwrap_or(false)
    }

    /// Ends the open group: the caret jumped, the focus left, a save point was set.
    pub fn break_group(&mut self) {
        self.group = None;
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.undo.clear();
        self.redo.clear();
        self.group = None;
    }

    /// How many levels can be taken back; a group whose edits travelled in several submissions
    /// counts once for each.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.undo.depth()
    }

    /// The submissions up to `seq` are committed: parts of one group need not be kept apart.
    pub(crate) fn settle(&mut self, seq: ClientSeq) {
        let settled = self.undo.settle(seq);
        self.clear_on(settled);
    }

    /// Takes every level that travels in submission `from` or later off the undo stack.
    pub(crate) fn take_since(&mut self, from: ClientSeq) -> Option<Taken> {
        let taken = self.undo.take_since(from);
        self.clear_on(taken).flatten()
    }

    /// Puts a level on the undo stack whose inverse is known.
    pub(crate) fn push(&mut self, inverse: Operation, seq: ClientSeq, joined: bool) {
        let pushed = self.undo.push(inverse, seq, joined, &self.limits);
        self.clear_on(pushed);
    }

    /// The text changed by `patch` below all levels that were taken off.
    pub(crate) fn shift(&mut self, patch: &Operation) {
        let waits = self.undo.wait(patch);
        self.clear_on(waits);
    }

    /// What would travel in submission `from` or later now travels in `to`.
    pub(crate) fn relabel(&mut self, from: ClientSeq, to: ClientSeq) {
        self.undo.relabel(from, to);
    }

    pub(crate) fn forget_redo(&mut self) {
        self.redo.clear();
    }

    /// Checks every invariant that can be seen from here; for tests and fuzzers.
    ///
    /// # Panics
    /// When a stack does not lead through consistent lengths, starting at `text_len` characters.
    pub fn check_invariants(&self, text_len: usize) {
        self.undo.check_invariants(text_len);
        self.redo.check_invariants(text_len);
    }

    fn hand_over(
        &mut self,
        edit: Result<Option<Invertible>, TransformError>,
        seq: ClientSeq,
        end: End,
    ) -> Option<Invertible> {
        let edit = self.clear_on(edit).flatten()?;
        let side = match end {
            End::Undo => &mut self.undo,
            End::Redo => &mut self.redo,
        };
        let pushed = side.push(edit.inverse(), seq, false, &self.limits);
        self.clear_on(pushed);
        Some(edit)
    }

    /// A length that overflows while carrying costs the history, never the text.
    fn clear_on<T>(&mut self, result: Result<T, TransformError>) -> Option<T> {
        if result.is_err() {
            self.clear();
        }
        result.ok()
    }
}

enum End {
    Undo,
    Redo,
}
