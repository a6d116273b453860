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

use std::collections::VecDeque;

use crate::error::TransformError;
use crate::invertible::Invertible;
use crate::operation::{Component, Operation};
use crate::position::ClientSeq;
use crate::selection::Assoc;
use crate::text::Text;
use crate::transform::transform;

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
        if patch.is_identity() {
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
        self.undo.levels.len()
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
        for level in self.undo.levels.iter_mut().rev().take_while(|level| level.seq >= from) {
            level.seq = to;
        }
    }

    pub(crate) fn forget_redo(&mut self) {
        self.redo.clear();
    }

    pub(crate) fn levels_empty(&self) -> bool {
        self.undo.levels.is_empty()
    }

    /// Checks every invariant that can be seen from here; for tests and fuzzers.
    ///
    /// # Panics
    /// When a stack does not lead through consistent lengths, starting at `text_len` characters.
    pub fn check_invariants(&self, text_len: usize) {
        for side in [&self.undo, &self.redo] {
            let mut len = text_len;
            for level in side.levels.iter().rev() {
                level.inverse.check_invariants();
                if let Some((base_len, target_len)) = level.waiting.lens() {
                    assert_eq!(target_len, len, "what waits leads to the text above");
                    len = base_len;
                }
                assert_eq!(level.inverse.base_len(), len, "a level meets the text above it");
                len = level.inverse.target_len();
            }
            let bytes: usize = side.levels.iter().map(Level::bytes).sum();
            assert_eq!(bytes, side.bytes, "memory is counted");
        }
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

/// Levels taken off the stack: what takes them all back, and whether the lowest continued the
/// level that is now the top.
pub(crate) struct Taken {
    pub(crate) inverse: Operation,
    pub(crate) joined: bool,
}

/// One edit that can be taken back.
#[derive(Debug, Clone)]
struct Level {
    inverse: Operation,
    waiting: Waiting,
    /// The submission in which the edit travels.
    seq: ClientSeq,
    /// Whether undo goes on to the level below.
    joined: bool,
}

impl Level {
    fn bytes(&self) -> usize {
        size_of::<Level>() + operation_bytes(&self.inverse) + self.waiting.bytes()
    }

    /// Rewrites the level to follow what waits; returns what waits, made to follow the level.
    fn carry(&mut self) -> Result<Option<Operation>, TransformError> {
        let Some(waiting) = self.waiting.take()? else {
            return Ok(None);
        };
        let (inverse, waiting) = transform(&self.inverse, &waiting)?;
        self.inverse = inverse;
        Ok(Some(waiting))
    }
}

fn operation_bytes(operation: &Operation) -> usize {
    8 * operation.component_count() + operation.inserted_bytes()
}

/// One of the two stacks.
///
/// Invariant: `bytes` is the sum of the levels'; the lowest level is not joined.
#[derive(Debug, Clone, Default)]
struct Side {
    levels: VecDeque<Level>,
    bytes: usize,
}

impl Side {
    fn clear(&mut self) {
        self.levels.clear();
        self.bytes = 0;
    }

    /// Adds a level for the current text, or adds to the top one when it continues that and
    /// travels with it.
    fn push(
        &mut self,
        inverse: Operation,
        seq: ClientSeq,
        joined: bool,
        limits: &UndoLimits,
    ) -> Result<(), TransformError> {
        if joined && self.levels.back().is_some_and(|top| top.seq == seq) {
            let mut top = self.pop().expect("there is a top");
            let waiting = top.carry()?;
            top.inverse = inverse.compose(&top.inverse)?;
            self.wait_if(waiting)?;
            self.push_level(top);
        } else {
            let joined = joined && !self.levels.is_empty();
            self.push_level(Level { inverse, waiting: Waiting::default(), seq, joined });
        }
        self.forget_oldest(limits);
        Ok(())
    }

    fn push_level(&mut self, level: Level) {
        self.bytes += level.bytes();
        self.levels.push_back(level);
    }

    fn pop(&mut self) -> Option<Level> {
        let level = self.levels.pop_back()?;
        self.bytes -= level.bytes();
        Some(level)
    }

    fn forget_oldest(&mut self, limits: &UndoLimits) {
        while self.levels.len() > 1
            && (self.levels.len() > limits.levels_max || self.bytes > limits.bytes_max)
        {
            if let Some(oldest) = self.levels.pop_front() {
                self.bytes -= oldest.bytes();
            }
        }
        if let Some(lowest) = self.levels.front_mut() {
            lowest.joined = false;
        }
    }

    /// Lets a remote operation wait at the top.
    fn wait(&mut self, patch: &Operation) -> Result<(), TransformError> {
        self.wait_if(Some(patch.clone()))
    }

    fn wait_if(&mut self, patch: Option<Operation>) -> Result<(), TransformError> {
        let Some(patch) = patch else {
            return Ok(());
        };
        if let Some(mut top) = self.pop() {
            top.waiting.push(patch)?;
            self.push_level(top);
        }
        Ok(())
    }

    /// Lets the top follow a remote operation at once.
    fn carry_top(&mut self, patch: &Operation) -> Result<(), TransformError> {
        let Some(mut top) = self.pop() else {
            return Ok(());
        };
        top.waiting.push(patch.clone())?;
        let waiting = top.carry()?;
        self.wait_if(waiting)?;
        self.push_level(top);
        Ok(())
    }

    /// Takes off the top level, made to apply to the current text.
    fn take_level(&mut self) -> Result<Option<Level>, TransformError> {
        let Some(mut top) = self.pop() else {
            return Ok(None);
        };
        let waiting = top.carry()?;
        self.wait_if(waiting)?;
        Ok(Some(top))
    }

    /// Takes off the top group; groups that have nothing left to do are dropped on the way.
    fn take_group(&mut self) -> Result<Option<Operation>, TransformError> {
        let mut group: Option<Operation> = None;
        while let Some(level) = self.take_level()? {
            let inverse = match group {
                None => level.inverse,
                Some(above) => above.compose(&level.inverse)?,
            };
            if level.joined || inverse.is_identity() {
                group = level.joined.then_some(inverse);
                continue;
            }
            return Ok(Some(inverse));
        }
        Ok(None)
    }

    fn take_edit(&mut self, text: &Text) -> Result<Option<Invertible>, TransformError> {
        match self.take_group()? {
            Some(inverse) => Ok(Some(Invertible::from(inverse, text)?)),
            None => Ok(None),
        }
    }

    fn take_since(&mut self, from: ClientSeq) -> Result<Option<Taken>, TransformError> {
        let mut taken: Option<Taken> = None;
        while self.levels.back().is_some_and(|top| top.seq >= from) {
            let Some(level) = self.take_level()? else { break };
            let inverse = match taken {
                None => level.inverse,
                Some(above) => above.inverse.compose(&level.inverse)?,
            };
            taken = Some(Taken { inverse, joined: level.joined });
        }
        Ok(taken)
    }

    /// Drops groups from the top that have nothing left to do; tells whether one is left.
    fn prune(&mut self) -> Result<bool, TransformError> {
        while let Some(top) = self.levels.back() {
            // Only deletions can lose their object. Of a joined group the lowest level decides
            // too, so it is left to undo itself, which skips what is empty.
            if top.inverse.inserted_bytes() > 0 || top.joined {
                return Ok(true);
            }
            let Some(top) = self.take_level()? else { break };
            if !top.inverse.is_identity() {
                self.push_level(top);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Merges joined levels at the top whose submissions are committed.
    fn settle(&mut self, seq: ClientSeq) -> Result<(), TransformError> {
        while self.levels.back().is_some_and(|top| top.joined && top.seq <= seq) {
            let Some(top) = self.pop() else { break };
            let Some(below) = self.take_level()? else { break };
            let inverse = top.inverse.compose(&below.inverse)?;
            self.push_level(Level { inverse, joined: below.joined, ..top });
        }
        Ok(())
    }
}

/// Remote operations in order, kept composed so that the sizes at least halve from one to the
/// next: adding one costs O(log n) compositions of its own size, all told.
#[derive(Debug, Clone, Default)]
struct Waiting(Vec<Operation>);

impl Waiting {
    fn push(&mut self, operation: Operation) -> Result<(), TransformError> {
        let mut last = operation;
        while let Some(before) =
            self.0.pop_if(|before| before.component_count() <= 2 * last.component_count())
        {
            last = before.then(&last)?;
        }
        self.0.push(last);
        Ok(())
    }

    /// All of it as one operation.
    fn take(&mut self) -> Result<Option<Operation>, TransformError> {
        let Some(mut all) = self.0.pop() else {
            return Ok(None);
        };
        while let Some(before) = self.0.pop() {
            all = before.then(&all)?;
        }
        Ok(Some(all))
    }

    /// Lengths before the first and after the last; `None` when nothing waits.
    fn lens(&self) -> Option<(usize, usize)> {
        Some((self.0.first()?.base_len(), self.0.last()?.target_len()))
    }

    fn bytes(&self) -> usize {
        self.0.iter().map(|operation| size_of::<Operation>() + operation_bytes(operation)).sum()
    }
}

/// An edit that changes one place.
struct Change {
    at: usize,
    deleted: usize,
    inserted: usize,
}

impl Change {
    /// `None` when the operation changes nothing or several places.
    fn of(operation: &Operation) -> Option<Change> {
        let mut change = Change { at: 0, deleted: 0, inserted: 0 };
        let mut offset = 0;
        let mut ended = false;
        for component in operation.components() {
            let changed = change.deleted + change.inserted > 0;
            match component {
                Component::Retain(len) => {
                    ended = changed;
                    offset += len;
                    continue;
                }
                Component::Delete(len) => change.deleted += len,
                Component::Insert(text) => change.inserted += text.chars().count(),
            }
            if ended {
                return None;
            }
            if !changed {
                change.at = offset;
            }
        }
        (change.deleted + change.inserted > 0).then_some(change)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    Typing,
    /// One deletion so far, its direction unknown.
    Deleting,
    Backspacing,
    DeletingForward,
}

/// The run of typing or deleting that the next edit may continue.
#[derive(Debug, Clone)]
struct Group {
    run: Run,
    /// The typed text, or the gap where text was deleted, as offsets in the current text.
    start: usize,
    end: usize,
    chars: usize,
    last_ms: u64,
}

impl Group {
    fn start(change: &Change, now_ms: u64) -> Group {
        Group {
            run: if change.inserted > 0 { Run::Typing } else { Run::Deleting },
            start: change.at,
            end: change.at + change.inserted,
            chars: change.inserted.max(change.deleted),
            last_ms: now_ms,
        }
    }

    /// Whether `change` continues the run; if so the group takes it in.
    fn join(&mut self, change: &Change, now_ms: u64, limits: &UndoLimits) -> bool {
        let chars = self.chars + change.inserted.max(change.deleted);
        let in_time = now_ms.saturating_sub(self.last_ms) <= limits.group_pause_ms;
        if !in_time || chars > limits.group_chars_max {
            return false;
        }
        let Some(run) = self.continued_by(change) else {
            return false;
        };
        self.run = run;
        match run {
            Run::Typing => self.end += change.inserted,
            _ => (self.start, self.end) = (change.at, change.at),
        }
        self.chars = chars;
        self.last_ms = now_ms;
        true
    }

    fn continued_by(&self, change: &Change) -> Option<Run> {
        let backwards = change.at + change.deleted == self.start;
        let forwards = change.at == self.start;
        match (self.run, change.inserted > 0, change.deleted > 0) {
            (Run::Typing, true, false) if change.at == self.end => Some(Run::Typing),
            (Run::Deleting | Run::Backspacing, false, true) if backwards => Some(Run::Backspacing),
            (Run::Deleting | Run::DeletingForward, false, true) if forwards => {
                Some(Run::DeletingForward)
            }
            _ => None,
        }
    }

    /// Follows a remote operation; `false` when that changed something inside the group.
    fn carry(&mut self, patch: &Operation) -> bool {
        let mut offset = 0;
        for component in patch.components() {
            let inside = match component {
                Component::Retain(len) => {
                    offset += len;
                    continue;
                }
                Component::Insert(_) if self.start == self.end => offset == self.start,
                Component::Insert(_) => self.start < offset && offset < self.end,
                Component::Delete(len) => {
                    offset += len;
                    offset - len < self.end && self.start < offset
                }
            };
            if inside {
                return false;
            }
        }
        self.start = patch.transform_offset(self.start, Assoc::After);
        self.end = patch.transform_offset(self.end, Assoc::Before).max(self.start);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An editor with nobody to sync with.
    struct Editor {
        text: Text,
        stack: UndoStack,
        now_ms: u64,
    }

    impl Editor {
        fn new(text: &str) -> Editor {
            Editor { text: Text::from(text), stack: UndoStack::default(), now_ms: 0 }
        }

        fn splice(&self, at: usize, deleted: usize, text: &str) -> Operation {
            Operation::splice(self.text.len_chars(), at, deleted, text).expect("fits")
        }

        fn edit(&mut self, at: usize, deleted: usize, text: &str) {
            let edit = Invertible::from(self.splice(at, deleted, text), &self.text).expect("fits");
            self.text.apply(edit.op()).expect("fits");
            self.stack.record(&edit, ClientSeq::ZERO, self.now_ms);
            self.stack.check_invariants(self.text.len_chars());
            self.now_ms += 100;
        }

        fn remote(&mut self, at: usize, deleted: usize, text: &str) {
            let patch = self.splice(at, deleted, text);
            self.text.apply(&patch).expect("fits");
            self.stack.remote(&patch);
            self.stack.check_invariants(self.text.len_chars());
        }

        fn undo(&mut self, expected: &str) {
            let edit = self.stack.undo(&self.text, ClientSeq::ZERO);
            self.follow(edit, expected);
        }

        fn redo(&mut self, expected: &str) {
            let edit = self.stack.redo(&self.text, ClientSeq::ZERO);
            self.follow(edit, expected);
        }

        fn follow(&mut self, edit: Option<Invertible>, expected: &str) {
            self.text.apply(edit.expect("there is one").op()).expect("fits");
            self.stack.check_invariants(self.text.len_chars());
            assert_eq!(self.text, expected);
        }
    }

    #[test]
    fn a_run_of_typing_is_one_level_and_a_pause_begins_another() {
        let mut editor = Editor::new("()");
        editor.edit(1, 0, "a");
        editor.edit(2, 0, "b");
        editor.now_ms += 2_000;
        editor.edit(3, 0, "c");
        editor.undo("(ab)");
        editor.undo("()");
        assert!(!editor.stack.can_undo());
        editor.redo("(ab)");
        editor.redo("(abc)");
        assert!(!editor.stack.can_redo());
    }

    #[test]
    fn runs_of_deleting_keep_their_direction() {
        let mut editor = Editor::new("abcdef");
        editor.edit(4, 1, "");
        editor.edit(3, 1, "");
        editor.edit(3, 1, "");
        assert_eq!(editor.text, "abc");
        editor.undo("abcf");
        editor.undo("abcdef");
        editor.edit(1, 1, "");
        editor.edit(1, 1, "");
        editor.undo("abcdef");
    }

    #[test]
    fn a_jump_another_kind_and_a_break_begin_new_levels() {
        let mut editor = Editor::new("");
        editor.edit(0, 0, "ab");
        editor.edit(0, 0, "c");
        editor.edit(0, 1, "");
        editor.edit(0, 0, "d");
        editor.stack.break_group();
        editor.edit(1, 0, "e");
        for expected in ["dab", "ab", "cab", "ab", ""] {
            editor.undo(expected);
        }
    }

    #[test]
    fn typing_over_a_selection_and_going_on_is_one_level() {
        let mut editor = Editor::new("one two");
        editor.edit(0, 3, "t");
        editor.edit(1, 0, "wo");
        editor.undo("one two");
        editor.redo("two two");
    }

    #[test]
    fn remote_text_elsewhere_leaves_a_group_open_and_inside_ends_it() {
        let mut editor = Editor::new("..");
        editor.edit(1, 0, "a");
        editor.remote(0, 0, ">>");
        editor.edit(4, 0, "b");
        editor.remote(5, 0, "<<");
        editor.edit(5, 0, "c");
        assert_eq!(editor.text, ">>.abc<<.");
        editor.undo(">>.<<.");
        editor.redo(">>.abc<<.");
        editor.edit(6, 0, "d");
        editor.edit(7, 0, "e");
        editor.remote(7, 0, "!");
        editor.edit(8, 0, "f");
        editor.undo(">>.abcd!e<<.");
        editor.undo(">>.abc!<<.");
        editor.undo(">>.!<<.");
    }

    #[test]
    fn restored_text_comes_behind_what_others_typed_there() {
        let mut editor = Editor::new("abc");
        editor.edit(1, 1, "");
        editor.remote(1, 0, "X");
        editor.undo("aXbc");
        editor.redo("aXc");
        editor.remote(2, 0, "Y");
        editor.undo("aXYbc");
    }

    #[test]
    fn a_level_whose_text_somebody_else_deleted_is_skipped() {
        let mut editor = Editor::new("x");
        editor.edit(0, 0, "a");
        editor.now_ms += 5_000;
        editor.edit(2, 0, "b");
        editor.remote(2, 1, "");
        assert!(editor.stack.can_undo());
        editor.undo("x");
        assert!(!editor.stack.can_undo());
    }

    #[test]
    fn a_new_edit_forgets_what_was_undone() {
        let mut editor = Editor::new("");
        editor.edit(0, 0, "a");
        editor.undo("");
        assert!(editor.stack.can_redo());
        editor.edit(0, 0, "b");
        assert!(!editor.stack.can_redo());
        editor.undo("");
    }

    #[test]
    fn the_oldest_levels_are_forgotten_at_the_limits() {
        let mut editor = Editor::new("");
        editor.stack = UndoStack::new(UndoLimits { levels_max: 2, ..UndoLimits::default() });
        for text in ["a", "b", "c"] {
            editor.edit(0, 0, text);
        }
        editor.undo("ba");
        editor.undo("a");
        assert!(!editor.stack.can_undo());
        let mut editor = Editor::new("");
        editor.stack = UndoStack::new(UndoLimits { bytes_max: 1, ..UndoLimits::default() });
        editor.edit(0, 0, "a");
        editor.edit(0, 0, "b");
        editor.undo("a");
        assert!(!editor.stack.can_undo(), "only the newest level stays");
    }

    #[test]
    fn a_group_ends_at_its_largest_size() {
        let mut editor = Editor::new("");
        editor.stack = UndoStack::new(UndoLimits { group_chars_max: 2, ..UndoLimits::default() });
        for at in 0..3 {
            editor.edit(at, 0, "x");
        }
        editor.undo("xx");
        editor.undo("");
    }
}
