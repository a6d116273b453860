//! The latest committed operations, for rebasing what was made before them.

use std::collections::VecDeque;
use std::sync::Arc;

use ot_core::{Operation, Revision, compose_all};

use crate::revision::{between, later};

/// A bounded window on the end of the log.
///
/// Invariant: operation `i` leads from revision `first + i` to the next one, and each spans the
/// text that the one before leaves.
#[derive(Debug)]
pub(super) struct Recent {
    first: Revision,
    operations: VecDeque<Arc<Operation>>,
    inserted_bytes: usize,
    len_max: usize,
    bytes_max: usize,
}

impl Recent {
    pub(super) fn new(head: Revision, len_max: usize, bytes_max: usize) -> Self {
        let operations = VecDeque::new();
        Recent { first: head, operations, inserted_bytes: 0, len_max, bytes_max }
    }

    /// The oldest revision that a submission can be rebased from.
    pub(super) fn first(&self) -> Revision {
        self.first
    }

    pub(super) fn head(&self) -> Revision {
        later(self.first, self.operations.len())
    }

    pub(super) fn push(&mut self, operation: Arc<Operation>) {
        self.inserted_bytes += operation.inserted_bytes();
        self.operations.push_back(operation);
        while self.operations.len() > self.len_max
            || (self.inserted_bytes > self.bytes_max && self.operations.len() > 1)
        {
            let oldest = self.operations.pop_front().expect("there is one too many");
            self.inserted_bytes -= oldest.inserted_bytes();
            self.first = later(self.first, 1);
        }
    }

    /// Length of the text at `revision`; `None` outside the window. `head_len` is that at the head.
    pub(super) fn len_at(&self, revision: Revision, head_len: usize) -> Option<usize> {
        if revision < self.first || revision > self.head() {
            return None;
        }
        let next = self.operations.get(between(self.first, revision));
        Some(next.map_or(head_len, |operation| operation.base_len()))
    }

    /// The operations behind `revision`, which lies in the window.
    pub(super) fn after(&self, revision: Revision) -> impl Iterator<Item = &Arc<Operation>> {
        self.operations.iter().skip(between(self.first, revision))
    }

    /// The operations behind `revision` as one, where that is cheaper than going through them.
    pub(super) fn composed_after(&self, revision: Revision) -> Option<Operation> {
        /// Up to here one transformation per operation costs less than composing them.
        const STEPS_MAX: usize = 4;
        if between(revision, self.head()) <= STEPS_MAX {
            return None;
        }
        let operations = self.after(revision).map(|operation| Operation::clone(operation));
        compose_all(operations).expect("each spans the text that the one before leaves")
    }
}
