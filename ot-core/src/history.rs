//! Committed operations in order, with composed blocks that make long ranges cheap.
//!
//! Block `j` of level `k` is the composition of the operations from revision `j · 2^k` to
//! `(j + 1) · 2^k`. Blocks are made when first asked for, from two of the level below, and kept.
//! Any range is then at most two blocks per level, and by the history law (see
//! [`transform`](crate::transform)) a pending operation may be rebased block by block.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use thiserror::Error;

use crate::compose::compose_all;
use crate::error::{LengthMismatch, TransformError};
use crate::operation::Operation;
use crate::position::Revision;
use crate::transform::transform_pending;

/// A range of revisions is not, or no longer, in the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("revisions {from} to {to} are asked for, the history holds {start} to {end}")]
pub struct OutOfHistory {
    /// The first revision asked for.
    pub from: Revision,
    /// The last revision asked for.
    pub to: Revision,
    /// The revision before the first operation kept.
    pub start: Revision,
    /// The revision after the last operation.
    pub end: Revision,
}

/// Why an operation cannot be rebased to the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RebaseError {
    /// Its base is not in the history.
    #[error(transparent)]
    Range(#[from] OutOfHistory),
    /// It does not span the text at its base, or the result would be too long.
    #[error(transparent)]
    Transform(#[from] TransformError),
}

/// Committed operations from one revision to the head.
///
/// Invariant: each operation spans what the one before it leaves; level `k` holds exactly the
/// aligned blocks of `2^k` operations that lie whole between `start` and the head.
#[derive(Debug, Clone)]
pub struct History {
    start: Revision,
    start_len: usize,
    head_len: usize,
    operations: VecDeque<Arc<Operation>>,
    /// Levels 1, 2, 3…
    levels: Vec<Level>,
}

#[derive(Debug, Clone, Default)]
struct Level {
    /// Number of the front block.
    first: u64,
    blocks: VecDeque<OnceLock<Operation>>,
}

impl History {
    /// No operation yet: at `start`, where the text has `len_chars` characters.
    #[must_use]
    pub fn new(start: Revision, len_chars: usize) -> History {
        History {
            start,
            start_len: len_chars,
            head_len: len_chars,
            operations: VecDeque::new(),
            levels: Vec::new(),
        }
    }

    /// The revision before the first operation kept.
    #[must_use]
    pub fn start(&self) -> Revision {
        self.start
    }

    /// The revision after the last operation.
    #[must_use]
    pub fn head(&self) -> Revision {
        Revision::new(self.start.get() + self.operations.len() as u64)
    }

    /// How many operations are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether no operation is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Appends the operation that leads from the head to the next revision. One that others hold
    /// too may be given as they hold it, in an [`Arc`].
    ///
    /// # Errors
    /// [`LengthMismatch`] when it does not span the text at the head; nothing changes then.
    pub fn push(&mut self, operation: impl Into<Arc<Operation>>) -> Result<(), LengthMismatch> {
        let operation = operation.into();
        operation.check_base(self.head_len)?;
        self.head_len = operation.target_len();
        self.operations.push_back(operation);
        let end = self.head().get();
        for level in 1..=end.trailing_zeros().min(self.len().ilog2()) {
            let block = (end >> level) - 1;
            if block << level < self.start.get() {
                break;
            }
            if self.levels.len() < level as usize {
                self.levels.push(Level { first: block, blocks: VecDeque::new() });
            }
            let blocks = &mut self.levels[level as usize - 1];
            if blocks.blocks.is_empty() {
                blocks.first = block;
            }
            blocks.blocks.push_back(OnceLock::new());
        }
        Ok(())
    }

    /// Forgets the operations before `revision`, at most up to the head.
    pub fn truncate_front(&mut self, revision: Revision) {
        while self.start < revision {
            let Some(operation) = self.operations.pop_front() else { break };
            self.start = Revision::new(self.start.get() + 1);
            self.start_len = operation.target_len();
        }
        let start = self.start.get();
        for (level, kept) in self.levels.iter_mut().zip(1..) {
            while !level.blocks.is_empty() && level.first << kept < start {
                level.blocks.pop_front();
                level.first += 1;
            }
        }
    }

    /// Forgets the oldest operations until at most `operations_max` are kept.
    pub fn keep_last(&mut self, operations_max: usize) {
        let extra = self.len().saturating_sub(operations_max);
        self.truncate_front(Revision::new(self.start.get() + extra as u64));
    }

    /// The operations from revision `from` to revision `to`, one by one.
    ///
    /// # Errors
    /// [`OutOfHistory`] when not all of them are kept.
    pub fn operations(
        &self,
        from: Revision,
        to: Revision,
    ) -> Result<impl Iterator<Item = &Operation>, OutOfHistory> {
        self.check(from, to)?;
        let first = (from.get() - self.start.get()) as usize;
        let last = (to.get() - self.start.get()) as usize;
        Ok(self.operations.range(first..last).map(|operation| &**operation))
    }

    /// All that happened from revision `from` to revision `to`, as one operation.
    ///
    /// # Errors
    /// [`OutOfHistory`] when not all of it is kept.
    pub fn range(&self, from: Revision, to: Revision) -> Result<Operation, OutOfHistory> {
        let blocks = self.blocks(from, to)?.cloned();
        let composed = compose_all(blocks).expect("each spans what the one before it leaves");
        Ok(composed.unwrap_or_else(|| Operation::identity(self.len_at(from))))
    }

    /// `pending`, made at revision `from`, made to follow everything up to the head. Equal to
    /// rebasing over the operations one by one, in logarithmically many steps.
    ///
    /// # Errors
    /// [`RebaseError`]: its base is not kept, or it does not span the text there.
    pub fn rebase(&self, pending: &Operation, from: Revision) -> Result<Operation, RebaseError> {
        let mut blocks = self.blocks(from, self.head())?;
        let Some(first) = blocks.next() else {
            pending.check_base(self.len_at(from)).map_err(TransformError::from)?;
            return Ok(pending.clone());
        };
        let mut rebased = transform_pending(pending, first)?;
        for block in blocks {
            rebased = transform_pending(&rebased, block)?;
        }
        Ok(rebased)
    }

    /// Length of the text at a revision that is kept, in characters.
    ///
    /// # Panics
    /// When `revision` is not between the start and the head.
    #[must_use]
    pub fn len_at(&self, revision: Revision) -> usize {
        let index = revision.since(self.start).expect("the revision is kept") as usize;
        match index.checked_sub(1) {
            None => self.start_len,
            Some(before) => self.operations[before].target_len(),
        }
    }

    /// Checks every invariant of the type; for tests and fuzzers.
    ///
    /// # Panics
    /// When one does not hold.
    pub fn check_invariants(&self) {
        let mut len = self.start_len;
        for operation in &self.operations {
            assert_eq!(operation.base_len(), len, "operations meet");
            len = operation.target_len();
        }
        assert_eq!(len, self.head_len, "the head's length is known");
        let (start, end) = (self.start.get(), self.head().get());
        for (level, kept) in (1..).zip(&self.levels) {
            let first = start.div_ceil(1 << level);
            let count = (end >> level).saturating_sub(first);
            assert_eq!(kept.blocks.len() as u64, count, "level {level} holds every whole block");
            assert!(count == 0 || kept.first == first, "level {level} starts where it can");
        }
    }

    fn check(&self, from: Revision, to: Revision) -> Result<(), OutOfHistory> {
        if self.start <= from && from <= to && to <= self.head() {
            return Ok(());
        }
        Err(OutOfHistory { from, to, start: self.start, end: self.head() })
    }

    /// What happened from revision `from` to revision `to`, in order, composed into at most two
    /// operations for each power of two up to the length of the range. What is composed for one
    /// range is kept for the next: all of it together holds at most the inserted text once more
    /// for each power of two up to [`len`](Self::len).
    ///
    /// # Errors
    /// [`OutOfHistory`] when not all of it is kept.
    pub fn blocks(
        &self,
        from: Revision,
        to: Revision,
    ) -> Result<impl Iterator<Item = &Operation>, OutOfHistory> {
        self.check(from, to)?;
        let (mut at, to) = (from.get(), to.get());
        Ok(std::iter::from_fn(move || {
            let left = to.checked_sub(at).filter(|left| *left > 0)?;
            let level = at.trailing_zeros().min(left.ilog2());
            let block = self.block(level, at >> level);
            at += 1 << level;
            Some(block)
        }))
    }

    fn block(&self, level: u32, number: u64) -> &Operation {
        let Some(above) = level.checked_sub(1) else {
            return &self.operations[(number - self.start.get()) as usize];
        };
        let kept = &self.levels[above as usize];
        kept.blocks[(number - kept.first) as usize].get_or_init(|| {
            let (first, second) =
                (self.block(above, 2 * number), self.block(above, 2 * number + 1));
            first.compose(second).expect("each spans what the one before it leaves")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Types `a`, `b`, `c`… at the end and puts a dot at the start every third time.
    fn history(start: u64, count: u64) -> History {
        let mut history = History::new(Revision::new(start), 2);
        for index in 0..count {
            let len = history.head_len;
            let at = if index % 3 == 2 { 0 } else { len };
            history.push(Operation::splice(len, at, 0, "x").expect("fits")).expect("meets");
            history.check_invariants();
        }
        history
    }

    #[test]
    fn every_range_is_the_composition_of_its_operations() {
        for start in [0, 5, 8] {
            let history = history(start, 21);
            for from in start..=start + 21 {
                for to in from..=start + 21 {
                    let (from, to) = (Revision::new(from), Revision::new(to));
                    let found = history.range(from, to).expect("kept");
                    let mut expected = Operation::identity(history.len_at(from));
                    for operation in history.operations(from, to).expect("kept") {
                        expected = expected.compose(operation).expect("meets");
                    }
                    assert_eq!(found, expected);
                }
            }
        }
    }

    #[test]
    fn rebasing_by_blocks_equals_rebasing_step_by_step() {
        let history = history(3, 30);
        for from in 3..=33 {
            let from = Revision::new(from);
            let pending = Operation::splice(history.len_at(from), 1, 1, "new").expect("fits");
            let mut expected = pending.clone();
            for operation in history.operations(from, history.head()).expect("kept") {
                expected = transform_pending(&expected, operation).expect("one base");
            }
            assert_eq!(history.rebase(&pending, from), Ok(expected));
        }
    }

    #[test]
    fn what_was_forgotten_is_refused_and_the_rest_still_works() {
        for keep in 0..=21 {
            let mut history = history(4, 21);
            let full = history.range(Revision::new(25 - keep), history.head()).expect("kept");
            history.keep_last(keep as usize);
            history.check_invariants();
            assert_eq!(history.range(history.start(), history.head()), Ok(full));
            let before = Revision::new(24 - keep);
            assert!(matches!(history.range(before, history.head()), Err(OutOfHistory { .. })));
            history.push(Operation::identity(history.head_len)).expect("meets");
            history.check_invariants();
            assert!(history.range(history.start(), history.head()).is_ok());
        }
    }

    #[test]
    fn a_pending_operation_of_another_length_is_refused_everywhere() {
        let history = history(0, 3);
        for from in 0..=3 {
            let found = history.rebase(&Operation::identity(99), Revision::new(from));
            assert!(matches!(found, Err(RebaseError::Transform(_))));
        }
        let found = history.rebase(&Operation::identity(5), Revision::new(4));
        assert!(matches!(found, Err(RebaseError::Range(_))));
    }
}
