//! The latest committed operations, for rebasing what was made before them.

use std::sync::Arc;

use ot_core::{History, Operation, Revision};

use crate::revision::later;

/// A bounded window on the end of the log. Long stretches of it are composed once, for however many
/// submissions are rebased over them.
///
/// Invariant: `inserted_bytes` is what the operations of `history` insert; there are at most
/// `len_max` of them, and at most `bytes_max` bytes or a single one.
#[derive(Clone, Debug)]
pub(super) struct Recent {
    history: History,
    inserted_bytes: usize,
    len_max: usize,
    bytes_max: usize,
}

impl Recent {
    /// An empty window on a document at `head`, where the text has `len_chars` characters.
    pub(super) fn new(head: Revision, len_chars: usize, len_max: usize, bytes_max: usize) -> Self {
        let history = History::new(head, len_chars);
        Recent { history, inserted_bytes: 0, len_max: len_max.max(1), bytes_max }
    }

    /// The oldest revision that a submission can be rebased from.
    pub(super) fn first(&self) -> Revision {
        self.history.start()
    }

    pub(super) fn head(&self) -> Revision {
        self.history.head()
    }

    /// Adds the next committed operation, which was applied to the text; the oldest make room.
    pub(super) fn push(&mut self, operation: Arc<Operation>) {
        self.inserted_bytes += operation.inserted_bytes();
        self.history.push(operation).expect("it was applied to the text at the head");
        while self.history.len() > self.len_max
            || (self.inserted_bytes > self.bytes_max && self.history.len() > 1)
        {
            let second = later(self.first(), 1);
            let oldest = self.history.operations(self.first(), second).into_iter().flatten();
            self.inserted_bytes -= oldest.map(Operation::inserted_bytes).sum::<usize>();
            self.history.truncate_front(second);
        }
    }

    /// Length of the text at `revision`; `None` outside the window. `head_len` is that at the head.
    pub(super) fn len_at(&self, revision: Revision, head_len: usize) -> Option<usize> {
        if revision < self.first() || revision > self.head() {
            return None;
        }
        Some(if revision == self.head() { head_len } else { self.history.len_at(revision) })
    }

    /// The operations behind `revision`, one by one; none if it lies outside the window.
    pub(super) fn after(&self, revision: Revision) -> impl Iterator<Item = &Operation> {
        self.history.operations(revision, self.head()).into_iter().flatten()
    }

    /// The same in as few operations as are at hand: by the history law, rebasing over them is
    /// rebasing over each.
    pub(super) fn composed_after(&self, revision: Revision) -> impl Iterator<Item = &Operation> {
        self.history.blocks(revision, self.head()).into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A window at revision 5 of a text of one character, with `count` insertions behind it.
    fn recent(count: usize, len_max: usize, bytes_max: usize) -> Recent {
        let mut recent = Recent::new(Revision::new(5), 1, len_max, bytes_max);
        for len in 1..=count {
            let operation = Operation::splice(len, len, 0, "é").expect("fits");
            recent.push(Arc::new(operation));
        }
        recent
    }

    #[test]
    fn oldest_operations_make_room_by_number_and_by_bytes() {
        let window = |recent: &Recent| (recent.first().get(), recent.head().get());
        assert_eq!(window(&recent(10, 3, 100)), (12, 15));
        assert_eq!(window(&recent(10, 100, 9)), (11, 15));
        assert_eq!(window(&recent(10, 100, 1)), (14, 15), "one stays, however large");
        assert_eq!(recent(10, 3, 100).inserted_bytes, 6);
    }

    #[test]
    fn thousand_revisions_are_a_few_operations_with_the_same_effect() {
        let recent = recent(1_000, 1_024, 1 << 20);
        let text = "x".to_owned() + &"é".repeat(1_000);
        for from in [5, 6, 300, 777, 1_004, 1_005] {
            let from = Revision::new(from);
            let start: String =
                text.chars().take(recent.len_at(from, 1_001).expect("kept")).collect();
            assert!(recent.composed_after(from).count() <= 20, "{from}");
            let through = recent
                .composed_after(from)
                .fold(start, |text, operation| operation.apply(&text).expect("they meet"));
            assert_eq!(through, text, "{from}");
        }
    }

    #[test]
    fn nothing_is_said_of_what_is_outside_the_window() {
        let recent = recent(10, 3, 100);
        for outside in [11, 16] {
            assert_eq!(recent.len_at(Revision::new(outside), 11), None);
            assert_eq!(recent.after(Revision::new(outside)).count(), 0);
            assert_eq!(recent.composed_after(Revision::new(outside)).count(), 0);
        }
        assert_eq!(recent.len_at(Revision::new(12), 11), Some(8));
        assert_eq!(recent.len_at(Revision::new(15), 11), Some(11));
    }
}
