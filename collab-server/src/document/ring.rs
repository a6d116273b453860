//! The latest committed operations of a document, each encoded once for all its readers.
//!
//! Beside them, the text's hash at revisions where it was taken.

use std::collections::VecDeque;

use collab_protocol::{AuthorNumber, ClientId, TextHash};
use ot_core::{ClientSeq, Revision};

use crate::revision::{between, later};

/// One committed operation, ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct RingEntry {
    /// The entry as it stands in an `ops` frame.
    pub(super) json: Box<str>,
    /// Who submitted it: they get an ack in its place.
    pub(super) client: ClientId,
    /// Under which number.
    pub(super) seq: ClientSeq,
    /// Whose it is.
    pub(super) by: AuthorNumber,
}

/// A bounded window on the end of a document's log.
///
/// Invariant: entry `i` leads from revision `first + i` to the next one; there are at most
/// `len_max` entries, and at most `bytes_max` bytes of them or a single one.
#[derive(Clone, Debug)]
pub(super) struct Ring {
    first: Revision,
    entries: VecDeque<RingEntry>,
    checks: VecDeque<(Revision, TextHash)>,
    bytes: usize,
    len_max: usize,
    bytes_max: usize,
}

/// Hashes kept; a reader behind them all finds the next one in its turn.
const CHECKS_MAX: usize = 16;

impl Ring {
    /// An empty ring of a document at revision `head`.
    pub(super) fn new(head: Revision, len_max: usize, bytes_max: usize) -> Self {
        Ring {
            first: head,
            entries: VecDeque::new(),
            checks: VecDeque::new(),
            bytes: 0,
            len_max: len_max.max(1),
            bytes_max,
        }
    }

    /// The oldest revision from which a reader can be served.
    pub(super) fn first(&self) -> Revision {
        self.first
    }

    /// The last revision committed.
    pub(super) fn head(&self) -> Revision {
        later(self.first, self.entries.len())
    }

    /// Entries held.
    #[cfg(feature = "simulation")]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Adds the next committed operation; the oldest make room.
    pub(super) fn push(&mut self, entry: RingEntry) {
        self.bytes += entry.json.len();
        self.entries.push_back(entry);
        while self.entries.len() > self.len_max
            || (self.bytes > self.bytes_max && self.entries.len() > 1)
        {
            let oldest = self.entries.pop_front().expect("there is more than one entry");
            self.bytes -= oldest.json.len();
            self.first = later(self.first, 1);
        }
    }

    /// The entry that leads away from `revision`; `None` at the head or behind the window.
    pub(super) fn entry(&self, revision: Revision) -> Option<&RingEntry> {
        if revision < self.first {
            return None;
        }
        self.entries.get(between(self.first, revision))
    }

    /// Whether this client made an operation between these revisions, as far as the window has them.
    pub(super) fn has_of(&self, client: ClientId, from: Revision, to: Revision) -> bool {
        let skipped = between(self.first, from.max(self.first));
        let count = between(from.max(self.first), to.max(from).max(self.first));
        self.entries.iter().skip(skipped).take(count).any(|entry| entry.client == client)
    }

    /// Notes the hash of the text at the head.
    pub(super) fn set_check(&mut self, hash: TextHash) {
        if self.checks.len() == CHECKS_MAX {
            self.checks.pop_front();
        }
        self.checks.push_back((self.head(), hash));
    }

    /// The hash of the text at `revision`, if it was taken.
    pub(super) fn check(&self, revision: Revision) -> Option<TextHash> {
        let found = self.checks.iter().rev().find(|(at, _)| *at <= revision)?;
        (found.0 == revision).then_some(found.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: u64, bytes: usize) -> RingEntry {
        RingEntry {
            json: "x".repeat(bytes).into(),
            client: ClientId::new(1),
            seq: ClientSeq::new(seq),
            by: AuthorNumber(0),
        }
    }

    #[test]
    fn oldest_entries_make_room_by_number_and_by_bytes() {
        let mut ring = Ring::new(Revision::new(10), 3, 100);
        for seq in 1..=5 {
            ring.push(entry(seq, 10));
        }
        assert_eq!((ring.first(), ring.head()), (Revision::new(12), Revision::new(15)));
        assert_eq!(ring.entry(Revision::new(12)).map(|entry| entry.seq), Some(ClientSeq::new(3)));
        assert!(ring.entry(Revision::new(11)).is_none() && ring.entry(Revision::new(15)).is_none());

        ring.push(entry(6, 95));
        assert_eq!((ring.first(), ring.head()), (Revision::new(15), Revision::new(16)));
        ring.push(entry(7, 500));
        assert_eq!(ring.first(), Revision::new(16), "one entry stays, however large");
    }

    #[test]
    fn check_belongs_to_its_revision_alone() {
        let mut ring = Ring::new(Revision::new(0), 3, 100);
        ring.set_check(TextHash::new(1));
        ring.push(entry(1, 1));
        assert_eq!(ring.check(Revision::new(0)), Some(TextHash::new(1)));
        assert_eq!(ring.check(Revision::new(1)), None);
        for _ in 0..CHECKS_MAX {
            ring.set_check(TextHash::new(2));
        }
        assert_eq!(ring.check(Revision::new(0)), None, "old hashes go");
    }
}
