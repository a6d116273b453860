//! The packed part of a log: whole pages in place of rows, and what every store does with them.
//!
//! Pages cover the revisions from 1 without a gap; behind the last page the log goes on in rows.
//! What a store answers does not depend on where that border lies.

use std::sync::Arc;

use collab_protocol::{ClientId, DocumentId};
use ot_core::{ClientSeq, Revision};

use super::StoreError;
use super::chain::{ChainHash, TextKey};
use super::record::{LoggedOperation, PageLimit};
use crate::packed::{PackedPage, PageError, Stamp, Stamps};
use crate::revision::between;

/// Snapshots that are kept whatever they weigh.
const SNAPSHOTS_MIN: usize = 2;

/// Older snapshots, at most, however small they are.
const OLD_SNAPSHOTS_MAX: usize = 256;

/// A stored page, with what its row says beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedRow {
    /// Its first revision; at least 1.
    pub first: Revision,
    /// Its last revision.
    pub last: Revision,
    /// The chain hash of its last revision.
    pub chain: ChainHash,
    /// When its last revision was committed.
    pub last_ms: i64,
    /// The page.
    pub body: Arc<[u8]>,
}

impl PackedRow {
    /// The hash of everything in the row, by which damage is seen before anything is expanded.
    #[must_use]
    pub fn hash(&self, document: DocumentId) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&document.get().to_le_bytes());
        hasher.update(&self.first.get().to_le_bytes());
        hasher.update(&self.last.get().to_le_bytes());
        hasher.update(self.chain.as_bytes());
        hasher.update(&self.last_ms.to_le_bytes());
        hasher.update(&self.body);
        *hasher.finalize().as_bytes()
    }

    /// The revision before its first.
    pub(super) fn before(&self) -> Revision {
        Revision::new(self.first.get().saturating_sub(1))
    }

    /// Refuses a row that is not what was written.
    pub(super) fn check(self, document: DocumentId, hash: &[u8]) -> Result<Self, StoreError> {
        if self.hash(document) == hash {
            return Ok(self);
        }
        let reason = format!("packed page that ends at revision {} is not as written", self.last);
        Err(StoreError::Corrupt { document, reason })
    }

    /// The page, opened.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it is none, or not of these revisions.
    pub fn page(&self, document: DocumentId) -> Result<PackedPage<'_>, StoreError> {
        let page = PackedPage::open(&self.body).map_err(|error| self.damaged(document, &error))?;
        if (page.first_revision(), page.last_revision()) == (self.first, self.last) {
            return Ok(page);
        }
        Err(self.damaged(document, &"it holds other revisions"))
    }

    /// Who, under which number, and when.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn stamps(&self, document: DocumentId) -> Result<Stamps, StoreError> {
        self.page(document)?.stamps().map_err(|error| self.damaged(document, &error))
    }

    /// Hands every stamp to `take`, until that says to stop.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub(super) fn walk_stamps(
        &self,
        document: DocumentId,
        mut take: impl FnMut(Stamp<'_>) -> Walk,
    ) -> Result<(), StoreError> {
        for stamp in self.stamps(document)?.iter() {
            if take(stamp.map_err(|error| self.damaged(document, &error))?) == Walk::Stop {
                break;
            }
        }
        Ok(())
    }

    /// When one of its revisions was committed.
    pub(crate) fn time_ms(
        &self,
        document: DocumentId,
        revision: Revision,
    ) -> Result<Option<i64>, StoreError> {
        let mut found = None;
        self.walk_stamps(document, |stamp| {
            if stamp.revision < revision {
                return Walk::On;
            }
            found = Some(stamp.time_ms).filter(|_| stamp.revision == revision);
            Walk::Stop
        })?;
        Ok(found)
    }

    /// The last revision before the first that is later than `time_ms`.
    pub(super) fn revision_at(
        &self,
        document: DocumentId,
        time_ms: i64,
    ) -> Result<Revision, StoreError> {
        let mut last = self.before();
        self.walk_stamps(document, |stamp| {
            if stamp.time_ms > time_ms {
                return Walk::Stop;
            }
            last = stamp.revision;
            Walk::On
        })?;
        Ok(last)
    }

    /// The revision that a client's submission became, if it is here.
    pub(super) fn find_submission(
        &self,
        document: DocumentId,
        client: ClientId,
        seq: ClientSeq,
    ) -> Result<Option<Revision>, StoreError> {
        self.stamps(document)?.find(client, seq).map_err(|error| self.damaged(document, &error))
    }

    /// Its clients, in order of their ids.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn clients(&self, document: DocumentId) -> Result<Vec<PackedClient>, StoreError> {
        let last = self.last;
        let found = self.stamps(document)?.clients();
        let found = found.map_err(|error| self.damaged(document, &error))?.into_iter();
        let mut clients: Vec<PackedClient> = found
            .map(|(client, first_seq, last_seq)| PackedClient { last, client, first_seq, last_seq })
            .collect();
        clients.sort_unstable_by_key(|known| known.client);
        Ok(clients)
    }

    /// Hands every operation with its chain hash to `take`, until that says to stop. A page that
    /// is read to its end must end with its own chain hash.
    ///
    /// `previous` is the chain hash before the page.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`], and whatever `take` fails with.
    pub fn walk(
        &self,
        document: DocumentId,
        key: &TextKey,
        previous: ChainHash,
        mut take: impl FnMut(LoggedOperation) -> Result<Walk, StoreError>,
    ) -> Result<(), StoreError> {
        let page = self.page(document)?;
        let damaged = |error: PageError| self.damaged(document, &error);
        let (edits, stamps) = (page.edits().map_err(damaged)?, page.stamps().map_err(damaged)?);
        let mut chain = previous;
        for read in edits.logged(&stamps) {
            let mut logged = read.map_err(damaged)?;
            chain = logged.expected_chain(document, key, chain);
            logged.chain = chain;
            if take(logged)? == Walk::Stop {
                return Ok(());
            }
        }
        if chain == self.chain {
            return Ok(());
        }
        Err(self.damaged(document, &"its chain ends with another hash"))
    }

    /// Hands every operation to `take`, without its chain hash, which nothing here is compared with.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`], and whatever `take` fails with.
    pub(crate) fn for_each(
        &self,
        document: DocumentId,
        mut take: impl FnMut(LoggedOperation) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let page = self.page(document)?;
        let damaged = |error: PageError| self.damaged(document, &error);
        let (edits, stamps) = (page.edits().map_err(damaged)?, page.stamps().map_err(damaged)?);
        edits.logged(&stamps).try_for_each(|read| take(read.map_err(damaged)?))
    }

    fn damaged(&self, document: DocumentId, error: &dyn std::fmt::Display) -> StoreError {
        let reason = format!("packed page that ends at revision {}: {error}", self.last);
        StoreError::Corrupt { document, reason }
    }
}

/// Whether a walk over a page goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// It does.
    On,
    /// It has what it wants.
    Stop,
}

/// What is known of a page without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedSpan {
    /// Its first revision.
    pub first: Revision,
    /// Its last revision.
    pub last: Revision,
    /// The chain hash of its last revision.
    pub chain: ChainHash,
    /// Size of the page, in bytes.
    pub bytes: u64,
}

impl PackedSpan {
    /// How many operations it holds.
    #[must_use]
    pub fn operation_count(&self) -> u64 {
        (self.last.get() + 1).saturating_sub(self.first.get())
    }
}

/// A client's first and last number in a page, by which old submissions are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackedClient {
    /// The last revision of the page.
    pub last: Revision,
    /// The client.
    pub client: ClientId,
    /// Its first number there.
    pub first_seq: ClientSeq,
    /// Its last number there.
    pub last_seq: ClientSeq,
}

/// A page to be put in place of what it was made of.
#[derive(Clone, Debug)]
pub struct Pack {
    /// The page. It begins where the pages before it end.
    pub row: PackedRow,
    /// The chain hash before the page.
    pub previous: ChainHash,
    /// The last revisions of the pages that it takes in, oldest first. All other revisions in it
    /// come from rows.
    pub merged: Vec<Revision>,
    /// The clients in it.
    pub clients: Vec<PackedClient>,
}

impl Pack {
    /// The first revision that comes from a row.
    pub(super) fn first_row(&self) -> u64 {
        self.merged.last().map_or(self.row.first.get(), |last| last.get() + 1)
    }

    /// How many revisions come from rows.
    pub(super) fn row_count(&self) -> u64 {
        (self.row.last.get() + 1).saturating_sub(self.first_row())
    }
}

/// What became of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackOutcome {
    /// It is in the place of what it was made of.
    Done,
    /// The log is not as it was, or has no snapshot behind the page: nothing was written.
    Conflict,
}

/// Does what takes milliseconds of a processor, such as expanding a page, off the async threads.
pub(crate) async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(StoreError::unavailable)?
}

/// Counts whole packed pages until they are as many as were asked for.
pub(super) struct PageCount {
    limit: PageLimit,
    operations: usize,
    bytes: usize,
}

impl PageCount {
    pub(super) fn new(limit: PageLimit) -> Self {
        PageCount { limit, operations: 0, bytes: 0 }
    }

    /// Whether one more may come; the first may always.
    pub(super) fn has_room(&self) -> bool {
        self.operations < self.limit.operations_max.max(1)
            && self.bytes < self.limit.bytes_max.max(1)
    }

    pub(super) fn add(&mut self, page: &PackedRow) {
        self.operations += between(page.first, page.last) + 1;
        self.bytes += page.body.len();
    }
}

/// Takes operations until a page of the log is full.
pub(super) struct Gathering {
    limit: PageLimit,
    bytes: usize,
    pub(super) operations: Vec<LoggedOperation>,
}

impl Gathering {
    pub(super) fn new(limit: PageLimit) -> Self {
        let limit = PageLimit {
            operations_max: limit.operations_max.max(1),
            bytes_max: limit.bytes_max.max(1),
        };
        Gathering { limit, bytes: 0, operations: Vec::new() }
    }

    /// How many more may come.
    pub(super) fn room(&self) -> usize {
        if self.bytes >= self.limit.bytes_max {
            return 0;
        }
        self.limit.operations_max - self.operations.len()
    }

    /// Takes one, whose stored form has `bytes`, while there is room.
    pub(super) fn push(&mut self, logged: LoggedOperation, bytes: usize) {
        self.bytes += bytes;
        self.operations.push(logged);
    }

    /// Takes from a page what lies behind `after`.
    pub(super) fn take_page(
        &mut self,
        row: &PackedRow,
        document: DocumentId,
        key: &TextKey,
        previous: ChainHash,
        after: Revision,
    ) -> Result<(), StoreError> {
        row.walk(document, key, previous, |logged| {
            if logged.revision > after {
                if self.room() == 0 {
                    return Ok(Walk::Stop);
                }
                let bytes = logged.operation.to_bytes().len();
                self.push(logged, bytes);
            }
            Ok(Walk::On)
        })
    }
}

/// The snapshots to let go of, from all a document has, each with its revision and size in bytes,
/// oldest first.
///
/// The newest two stay. Older ones stay while they weigh no more than the packed log together, so
/// that time travel costs at most as much again as history does; where one must go, it is the one
/// whose neighbours lie closest together.
pub(super) fn too_many(mut snapshots: Vec<(Revision, u64)>, packed_bytes: u64) -> Vec<Revision> {
    let mut going = Vec::new();
    loop {
        let old = snapshots.len().saturating_sub(SNAPSHOTS_MIN);
        let sum: u64 = snapshots[..old].iter().map(|(_, bytes)| *bytes).sum();
        let is_within = packed_bytes > 0 && sum <= packed_bytes && old <= OLD_SNAPSHOTS_MAX;
        if old == 0 || is_within {
            return going;
        }
        let gap = |index: &usize| {
            let before = index.checked_sub(1).map_or(0, |before| snapshots[before].0.get());
            snapshots[index + 1].0.get() - before
        };
        let least = (0..old).min_by_key(gap).expect("there is an old one");
        going.push(snapshots.remove(least).0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(sizes: &[u64], packed_bytes: u64) -> Vec<u64> {
        let all: Vec<(Revision, u64)> =
            (1..).zip(sizes).map(|(index, size)| (Revision::new(index * 1_000), *size)).collect();
        let going = too_many(all.clone(), packed_bytes);
        all.iter().map(|(at, _)| *at).filter(|at| !going.contains(at)).map(Revision::get).collect()
    }

    #[test]
    fn old_snapshots_stay_while_they_weigh_no_more_than_the_packed_log() {
        assert_eq!(kept(&[9, 9, 9, 9], 0), [3_000, 4_000], "nothing is packed");
        assert_eq!(kept(&[9, 9, 9, 9], 17), [2_000, 3_000, 4_000]);
        assert_eq!(kept(&[9, 9, 9, 9], 18), [1_000, 2_000, 3_000, 4_000]);
        assert_eq!(kept(&[9, 9], 0), [1_000, 2_000]);
        assert_eq!(kept(&[], 0), [0_u64; 0]);
    }

    #[test]
    fn snapshots_that_stay_lie_apart() {
        let kept = kept(&[1; 102], 10);
        assert_eq!(kept.len(), 12);
        let widest = kept.windows(2).map(|pair| pair[1] - pair[0]).max();
        assert!(widest <= Some(26_000), "{kept:?}");
    }

    #[test]
    fn many_small_snapshots_have_a_limit() {
        assert_eq!(kept(&[0; 400], 10).len(), OLD_SNAPSHOTS_MAX + SNAPSHOTS_MIN);
    }
}
