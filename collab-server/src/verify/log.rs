//! One walk along a log, from the first revision to the head.

use std::collections::HashMap;

use collab_protocol::{ClientId, DocumentId};
use ot_core::{Revision, Text};

use super::{DocumentReport, LIST_MAX};
use crate::store::{
    ChainHash, ClientProgress, DocumentRecord, LastSubmission, LoggedOperation, PackedRow,
    PageLimit, Store, StoreError, Walk,
};

/// What a snapshot must be.
struct Expected {
    revision: Revision,
    /// BLAKE3 of the text.
    text: [u8; 32],
    chain: ChainHash,
}

/// Where the walk is, and what it has seen.
pub(super) struct LogWalk<'s, F> {
    store: &'s dyn Store,
    record: &'s DocumentRecord,
    replayed: F,
    at: Place,
    /// Snapshots that are still ahead, the nearest last.
    snapshots: Vec<Revision>,
    /// Those that were passed and are not yet compared.
    passed: Vec<Expected>,
}

/// The text at a revision, with all that the log says up to there.
struct Place {
    revision: Revision,
    chain: ChainHash,
    text: Text,
    clients: HashMap<ClientId, LastSubmission>,
}

const ONE_PAGE: PageLimit = PageLimit { operations_max: 1, bytes_max: 1 };

impl<'s, F: FnMut(u64)> LogWalk<'s, F> {
    pub(super) fn new(store: &'s dyn Store, record: &'s DocumentRecord, replayed: F) -> Self {
        let (revision, chain) = (Revision::ZERO, ChainHash::START);
        let at = Place { revision, chain, text: Text::new(), clients: HashMap::new() };
        LogWalk { store, record, replayed, at, snapshots: Vec::new(), passed: Vec::new() }
    }

    fn document(&self) -> DocumentId {
        self.record.id
    }

    fn corrupt(&self, reason: String) -> StoreError {
        StoreError::Corrupt { document: self.document(), reason }
    }

    /// Replays packed pages, then rows, up to the head as it was at the beginning. Whether it came
    /// there.
    pub(super) async fn run(&mut self, report: &mut DocumentReport) -> Result<bool, StoreError> {
        match self.store.snapshot_revisions(self.document()).await {
            Ok(snapshots) => self.snapshots = snapshots.into_iter().rev().collect(),
            Err(error) => report.note(None, error)?,
        }
        self.pass_snapshot();
        let walked = match self.pages(report).await {
            Ok(()) => self.rows(report).await,
            Err(error) => Err(error),
        };
        report.revisions = self.at.revision.get();
        if let Err(error) = walked {
            report.note(Some(Revision::new(report.revisions + 1)), error)?;
            return Ok(false);
        }
        Ok(true)
    }

    async fn pages(&mut self, report: &mut DocumentReport) -> Result<(), StoreError> {
        while self.at.revision < self.record.revision {
            let pages =
                self.store.packed_pages(self.document(), self.at.revision, ONE_PAGE).await?;
            // A page that begins elsewhere was merged while we read: the rest is read as rows are.
            let next = self.at.revision.get() + 1;
            let Some(page) = pages.first().filter(|page| page.first.get() == next) else { break };
            self.page(page, report).await?;
            self.compare_snapshots(report).await?;
        }
        Ok(())
    }

    /// Replays one page in two ways, which must agree, and holds its list of clients against it.
    async fn page(
        &mut self,
        row: &PackedRow,
        report: &mut DocumentReport,
    ) -> Result<(), StoreError> {
        let document = self.document();
        let mut replayed = Text::from(self.at.text.contents().as_str());
        let (key, start) = (&self.record.text_key, self.at.chain);
        row.walk(document, key, start, |logged| self.operation(&logged).map(|()| Walk::On))?;
        let is_replayed = row.page(document)?.replay(&mut replayed, Revision::MAX).is_ok();
        if !is_replayed || replayed != self.at.text {
            let last = row.last;
            return Err(
                self.corrupt(format!("page that ends at revision {last} replays otherwise"))
            );
        }
        report.pages += 1;
        let listed = self.store.packed_clients(document, row.last).await?;
        if listed != row.clients(document)? {
            let reason =
                format!("clients listed for the page that ends at {} are others", row.last);
            report.found(Some(row.first), reason);
        }
        Ok(())
    }

    async fn rows(&mut self, report: &mut DocumentReport) -> Result<(), StoreError> {
        let head = self.record.revision;
        while self.at.revision < head {
            let page =
                self.store.since(self.document(), self.at.revision, PageLimit::DEFAULT).await?;
            if page.operations.is_empty() {
                let end = self.at.revision;
                return Err(self.corrupt(format!("log ends at revision {end}, the head is {head}")));
            }
            for logged in page.operations.iter().take_while(|logged| logged.revision <= head) {
                self.operation(logged)?;
            }
            self.compare_snapshots(report).await?;
        }
        let behind = self.store.since(self.document(), self.at.revision, ONE_PAGE).await?;
        if let Some(next) = behind.operations.first().filter(|next| next.revision > behind.head) {
            let reason = format!("log goes on at {}, the head is {}", next.revision, behind.head);
            report.found(Some(next.revision), reason);
        }
        Ok(())
    }

    /// Takes one operation, with its link, its length and its client's number checked.
    fn operation(&mut self, logged: &LoggedOperation) -> Result<(), StoreError> {
        let (revision, place) = (logged.revision, &mut self.at);
        let linked = logged.check_chain(self.record.id, &self.record.text_key, place.chain);
        let applied = place.text.apply(&logged.operation);
        let last = place.clients.get(&logged.client);
        let reason = if let Err(reason) = linked {
            Some(reason)
        } else if let Err(error) = applied {
            Some(format!("revision {revision}: {error}"))
        } else if last.is_some_and(|last| last.seq >= logged.seq || last.author != logged.author) {
            Some(format!("revision {revision} has a number or author that its client cannot have"))
        } else {
            None
        };
        if let Some(reason) = reason {
            return Err(self.corrupt(reason));
        }
        place.clients.insert(logged.client, logged.into());
        (place.revision, place.chain) = (revision, logged.chain);
        self.pass_snapshot();
        (self.replayed)(1);
        Ok(())
    }

    /// Notes what a snapshot of this revision must be, if there is one.
    fn pass_snapshot(&mut self) {
        let revision = self.at.revision;
        if self.snapshots.last() != Some(&revision) {
            return;
        }
        self.snapshots.pop();
        let mut hasher = blake3::Hasher::new();
        for chunk in self.at.text.chunks() {
            hasher.update(chunk.as_bytes());
        }
        let text = *hasher.finalize().as_bytes();
        self.passed.push(Expected { revision, text, chain: self.at.chain });
    }

    async fn compare_snapshots(&mut self, report: &mut DocumentReport) -> Result<(), StoreError> {
        for expected in std::mem::take(&mut self.passed) {
            let at = expected.revision;
            let found = match self.store.snapshot_at_or_before(self.document(), at).await {
                Ok(found) => found.filter(|found| found.revision == at),
                Err(error) => {
                    report.note(Some(at), error)?;
                    continue;
                }
            };
            // One that is gone was thinned out while we read.
            let Some(found) = found else { continue };
            let text = blake3::hash(found.text.as_bytes());
            if *text.as_bytes() != expected.text || found.chain != expected.chain {
                report.found(
                    Some(at),
                    format!("snapshot at revision {at} is not what the log gives"),
                );
            }
            report.snapshots += 1;
        }
        Ok(())
    }

    /// What the document's own row says of its head, and what lies behind it.
    pub(super) async fn check_end(
        &mut self,
        report: &mut DocumentReport,
    ) -> Result<(), StoreError> {
        self.compare_snapshots(report).await?;
        let (record, head) = (self.record, Some(self.record.revision));
        if self.at.chain != record.chain {
            report.found(head, format!("chain at the head {} is another one", record.revision));
        }
        let found = self.at.text.len_chars();
        if found as u64 != record.len_chars {
            let said = record.len_chars;
            report.found(head, format!("text has {found} characters, {said} are noted"));
        }
        self.check_versions(report).await?;
        if !self.snapshots.is_empty() {
            // Written since, unless the log still does not reach them.
            let now = self.store.document(self.document()).await?.revision;
            for ahead in self.snapshots.iter().filter(|ahead| **ahead > now) {
                let reason = format!("snapshot at revision {ahead} is ahead of the log at {now}");
                report.found(Some(*ahead), reason);
            }
        }
        Ok(())
    }

    /// Every named version is of a revision that the log has.
    async fn check_versions(&self, report: &mut DocumentReport) -> Result<(), StoreError> {
        let versions = match self.store.versions(self.document()).await {
            Ok(versions) => versions,
            Err(error) => return report.note(None, error),
        };
        if versions.iter().all(|version| version.revision <= self.record.revision) {
            return Ok(());
        }
        // Named since, unless the log still does not reach it.
        let now = self.store.document(self.document()).await?.revision;
        for ahead in versions.iter().filter(|version| version.revision > now) {
            let (id, at) = (ahead.id, ahead.revision);
            let reason = format!("version {id} is of revision {at}, the log is at {now}");
            report.found(Some(at), reason);
        }
        Ok(())
    }

    /// Every client's progress is its last submission in the log, and every client has one.
    pub(super) async fn check_clients(
        &mut self,
        report: &mut DocumentReport,
    ) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = match self.store.clients(self.document(), after, LIST_MAX).await {
                Ok(page) => page,
                Err(error) => return report.note(None, error),
            };
            let Some((last, _)) = page.last() else { break };
            after = Some(*last);
            for (client, progress) in &page {
                self.check_client(*client, progress, report).await?;
            }
        }
        for (client, last) in &self.at.clients {
            let reason = format!("nothing is noted of client {client}, who wrote it");
            report.found(Some(last.revision), reason);
        }
        Ok(())
    }

    async fn check_client(
        &mut self,
        client: ClientId,
        progress: &ClientProgress,
        report: &mut DocumentReport,
    ) -> Result<(), StoreError> {
        report.clients += 1;
        let last = self.at.clients.remove(&client);
        if last.as_ref().is_some_and(|last| last.is_noted_in(progress)) {
            return Ok(());
        }
        // It may have gone on while we read: then the log has that very submission.
        let (document, seq) = (self.document(), progress.seq);
        let is_later = progress.revision > self.record.revision
            && last.as_ref().is_none_or(|last| last.author == progress.author)
            && self.store.find_submission(document, client, seq).await? == Some(progress.revision);
        if !is_later {
            let touched = last.map_or(progress.revision, |last| last.revision);
            report.found(Some(touched), format!("what is noted of client {client} is not so"));
        }
        Ok(())
    }
}
