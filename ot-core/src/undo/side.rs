//! One of the two stacks: its levels, what waits above each, and its memory.

use super::UndoLimits;
use crate::error::TransformError;
use crate::invertible::Invertible;
use crate::operation::Operation;
use crate::position::ClientSeq;
use crate::text::Text;
use crate::transform::transform;

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
pub(super) struct Side {
    levels: Vec<Level>,
    bytes: usize,
}

impl Side {
    pub(super) fn clear(&mut self) {
        self.levels.clear();
        self.bytes = 0;
    }

    /// Adds a level for the current text, or adds to the top one when it continues that and
    /// travels with it.
    pub(super) fn push(
        &mut self,
        inverse: Operation,
        seq: ClientSeq,
        joined: bool,
        limits: &UndoLimits,
    ) -> Result<(), TransformError> {
        if joined && self.levels.last().is_some_and(|top| top.seq == seq) {
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
        self.levels.push(level);
    }

    fn pop(&mut self) -> Option<Level> {
        let level = self.levels.pop()?;
        self.bytes -= level.bytes();
        Some(level)
    }

    fn forget_oldest(&mut self, limits: &UndoLimits) {
        while self.levels.len() > 1
            && (self.levels.len() > limits.levels_max || self.bytes > limits.bytes_max)
        {
            self.bytes -= self.levels.remove(0).bytes();
        }
        if let Some(lowest) = self.levels.first_mut() {
            lowest.joined = false;
        }
    }

    /// Lets a remote operation wait at the top.
    pub(super) fn wait(&mut self, patch: &Operation) -> Result<(), TransformError> {
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
    pub(super) fn carry_top(&mut self, patch: &Operation) -> Result<(), TransformError> {
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

    pub(super) fn take_edit(&mut self, text: &Text) -> Result<Option<Invertible>, TransformError> {
        match self.take_group()? {
            Some(inverse) => Ok(Some(Invertible::from(inverse, text)?)),
            None => Ok(None),
        }
    }

    pub(super) fn take_since(&mut self, from: ClientSeq) -> Result<Option<Taken>, TransformError> {
        let mut taken: Option<Taken> = None;
        while self.levels.last().is_some_and(|top| top.seq >= from) {
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
    pub(super) fn prune(&mut self) -> Result<bool, TransformError> {
        while let Some(top) = self.levels.last() {
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
    pub(super) fn settle(&mut self, seq: ClientSeq) -> Result<(), TransformError> {
        while self.levels.last().is_some_and(|top| top.joined && top.seq <= seq) {
            let Some(top) = self.pop() else { break };
            let Some(below) = self.take_level()? else { break };
            let inverse = top.inverse.compose(&below.inverse)?;
            self.push_level(Level { inverse, joined: below.joined, ..top });
        }
        Ok(())
    }

    pub(super) fn depth(&self) -> usize {
        self.levels.len()
    }

    /// What travels in submission `from` or later now travels in `to`.
    pub(super) fn relabel(&mut self, from: ClientSeq, to: ClientSeq) {
        for level in self.levels.iter_mut().rev().take_while(|level| level.seq >= from) {
            level.seq = to;
        }
    }

    /// Checks every invariant that can be seen from here.
    pub(super) fn check_invariants(&self, text_len: usize) {
        let mut len = text_len;
        for level in self.levels.iter().rev() {
            level.inverse.check_invariants();
            if let Some((base_len, target_len)) = level.waiting.lens() {
                assert_eq!(target_len, len, "what waits leads to the text above");
                len = base_len;
            }
            assert_eq!(level.inverse.base_len(), len, "a level meets the text above it");
            len = level.inverse.target_len();
        }
        let bytes: usize = self.levels.iter().map(Level::bytes).sum();
        assert_eq!(bytes, self.bytes, "memory is counted");
        assert!(self.levels.first().is_none_or(|lowest| !lowest.joined), "the lowest stands alone");
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
