//! The packed log in memory: as a database has it, so that one suite of tests tells of all.

use std::borrow::Cow;

use collab_protocol::{ClientId, DocumentId};
use ot_core::{ClientSeq, Revision};

use super::Stored;
use crate::store::StoreError;
use crate::store::chain::ChainHash;
use crate::store::packed::{
    Pack, PackOutcome, PackedClient, PackedRow, PackedSpan, PageCount, Walk, too_many,
};
use crate::store::record::{LoggedOperation, PageLimit};

impl Stored {
    /// Where the packed pages end, with the chain hash there.
    fn packed_end(&self) -> (Revision, ChainHash) {
        self.pages.last().map_or((Revision::ZERO, ChainHash::START), |page| (page.last, page.chain))
    }

    /// The whole log, packed or not.
    pub(super) fn log(&self) -> Result<Cow<'_, [LoggedOperation]>, StoreError> {
        if self.pages.is_empty() {
            return Ok(Cow::Borrowed(&self.rows));
        }
        let mut log = Vec::new();
        let mut chain = ChainHash::START;
        for page in &self.pages {
            page.walk(self.record.id, &self.record.text_key, chain, |logged| {
                log.push(logged);
                Ok(Walk::On)
            })?;
            chain = page.chain;
        }
        log.extend_from_slice(&self.rows);
        Ok(Cow::Owned(log))
    }

    pub(super) fn find_submission(
        &self,
        client: ClientId,
        seq: ClientSeq,
    ) -> Result<Option<Revision>, StoreError> {
        let row = self.rows.iter().find(|logged| logged.client == client && logged.seq == seq);
        if let Some(row) = row {
            return Ok(Some(row.revision));
        }
        let document = self.record.id;
        for known in self.packed_clients.iter().filter(|known| known.client == client) {
            let page = self.pages.iter().find(|page| page.last == known.last);
            let found = page.map(|page| page.find_submission(document, client, seq));
            if let Some(revision) = found.transpose()?.flatten() {
                return Ok(Some(revision));
            }
        }
        Ok(None)
    }

    pub(super) fn packed_log(&self) -> Vec<PackedSpan> {
        let span = |page: &PackedRow| PackedSpan {
            first: page.first,
            last: page.last,
            chain: page.chain,
            bytes: page.body.len() as u64,
        };
        self.pages.iter().map(span).collect()
    }

    pub(super) fn packed_pages(&self, after: Revision, limit: PageLimit) -> Vec<PackedRow> {
        let mut count = PageCount::new(limit);
        let has_room = |page: &&PackedRow| {
            let has_room = count.has_room();
            count.add(page);
            has_room
        };
        let behind = self.pages.iter().filter(|page| page.last > after);
        behind.take_while(has_room).cloned().collect()
    }

    pub(super) fn pack(&mut self, pack: &Pack) -> PackOutcome {
        let kept = self.pages.len().saturating_sub(pack.merged.len());
        let merged = self.pages[kept..].iter().map(|page| page.last);
        let before = self.pages[..kept]
            .last()
            .map_or((0, ChainHash::START), |page| (page.last.get(), page.chain));
        let row_count = usize::try_from(pack.row_count()).unwrap_or(usize::MAX);
        let ends = match self.rows.get(..row_count) {
            Some([.., last]) => Some((last.revision, last.chain)),
            Some([]) => Some(self.packed_end()),
            None => None,
        };
        let has_snapshot =
            self.snapshots.last_key_value().is_some_and(|(newest, _)| *newest >= pack.row.last);
        let fits = merged.eq(pack.merged.iter().copied())
            && before == (pack.row.first.get() - 1, pack.previous)
            && ends == Some((pack.row.last, pack.row.chain))
            && has_snapshot;
        if !fits {
            return PackOutcome::Conflict;
        }
        self.rows.drain(..row_count);
        self.pages.truncate(kept);
        self.pages.push(pack.row.clone());
        self.packed_clients.retain(|known| !pack.merged.contains(&known.last));
        self.packed_clients.extend_from_slice(&pack.clients);
        self.thin();
        PackOutcome::Done
    }

    /// Lets go of snapshots that are too many.
    pub(super) fn thin(&mut self) {
        let packed = self.pages.iter().map(|page| page.body.len() as u64).sum();
        let sizes = self.snapshots.iter().map(|(at, one)| (*at, one.text.len() as u64)).collect();
        for revision in too_many(sizes, packed) {
            self.snapshots.remove(&revision);
        }
    }

    pub(super) fn clients_behind(&self, last: Revision) -> Vec<PackedClient> {
        let mut found: Vec<PackedClient> =
            self.packed_clients.iter().filter(|known| known.last == last).copied().collect();
        found.sort_unstable_by_key(|known| known.client);
        found
    }
}

/// Those behind `after`, in order, at most `limit`.
pub(super) fn ordered<K: Copy + Ord, V>(
    all: impl Iterator<Item = (K, V)>,
    after: Option<K>,
    limit: u32,
) -> Vec<(K, V)> {
    let mut found: Vec<(K, V)> =
        all.filter(|(key, _)| after.is_none_or(|after| *key > after)).collect();
    found.sort_unstable_by_key(|(key, _)| *key);
    found.truncate(limit as usize);
    found
}

/// A document's id, for lists of ids alone.
pub(super) fn id_alone(document: &DocumentId) -> (DocumentId, ()) {
    (*document, ())
}
