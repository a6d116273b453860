//! Which edits belong together: runs of typing, of backspacing, of deleting forward.

use super::UndoLimits;
use crate::operation::{Component, Operation};
use crate::selection::Assoc;

/// An edit that changes one place.
pub(super) struct Change {
    at: usize,
    deleted: usize,
    inserted: usize,
}

impl Change {
    /// `None` when the operation changes nothing or several places.
    pub(super) fn of(operation: &Operation) -> Option<Change> {
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
pub(super) struct Group {
    run: Run,
    /// The typed text, or the gap where text was deleted, as offsets in the current text.
    start: usize,
    end: usize,
    chars: usize,
    last_ms: u64,
}

impl Group {
    pub(super) fn start(change: &Change, now_ms: u64) -> Group {
        Group {
            run: if change.inserted > 0 { Run::Typing } else { Run::Deleting },
            start: change.at,
            end: change.at + change.inserted,
            chars: change.inserted.max(change.deleted),
            last_ms: now_ms,
        }
    }

    /// Whether `change` continues the run; if so the group takes it in.
    pub(super) fn join(&mut self, change: &Change, now_ms: u64, limits: &UndoLimits) -> bool {
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
    pub(super) fn carry(&mut self, patch: &Operation) -> bool {
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
