//! A store that forgets everything at exit: for tests, and for trying things out.

mod history;
mod import;
mod packed;

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use collab_protocol::{ClientId, DocumentId, UserId, VersionId};
use ot_core::{ClientSeq, Revision};

use super::checks::{check_dense, check_loaded, check_text};
use super::history::{Activity, Seen, VersionRecord};
use super::import::ImportStep;
use super::packed::{Pack, PackOutcome, PackedClient, PackedRow, PackedSpan};
use super::record::{
    Append, AppendOutcome, ClientProgress, DocumentCursor, DocumentPage, DocumentRecord, ListQuery,
    ListedDocument, Loaded, LoggedOperation, NewDocument, PageLimit, PersonRecord, Snapshot,
    TailPage,
};
use super::{Store, StoreError, StoreFuture};
use crate::revision::between;

#[derive(Debug)]
struct Stored {
    record: DocumentRecord,
    /// What is packed, from revision 1.
    pages: Vec<PackedRow>,
    packed_clients: Vec<PackedClient>,
    /// What lies behind it.
    rows: Vec<LoggedOperation>,
    snapshots: BTreeMap<Revision, Snapshot>,
    clients: HashMap<ClientId, ClientProgress>,
    versions: Vec<VersionRecord>,
    seen: HashMap<UserId, Seen>,
    is_importing: bool,
}

impl Stored {
    /// A document without operations.
    fn new(record: DocumentRecord) -> Self {
        Stored {
            record,
            pages: Vec::new(),
            packed_clients: Vec::new(),
            rows: Vec::new(),
            snapshots: BTreeMap::new(),
            clients: HashMap::new(),
            versions: Vec::new(),
            seen: HashMap::new(),
            is_importing: false,
        }
    }
}

#[derive(Debug, Default)]
struct Tables {
    documents: BTreeMap<DocumentId, Stored>,
    opened: HashMap<(UserId, DocumentId), i64>,
    people: HashMap<UserId, PersonRecord>,
    settings: HashMap<&'static str, Vec<u8>>,
    is_closed: bool,
}

/// Documents in memory. Clones share them, as two servers share a database.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore(Arc<Mutex<Tables>>);

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        MemoryStore::default()
    }

    fn tables(&self) -> Result<MutexGuard<'_, Tables>, StoreError> {
        let tables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tables.is_closed {
            return Err(StoreError::unavailable("the store is closed"));
        }
        Ok(tables)
    }

    fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tables) -> Result<T, StoreError>,
    ) -> StoreFuture<'_, Result<T, StoreError>> {
        let result = self.tables().and_then(|mut tables| work(&mut tables));
        Box::pin(std::future::ready(result))
    }
}

impl Tables {
    fn stored(&self, document: DocumentId) -> Result<&Stored, StoreError> {
        self.documents.get(&document).ok_or(StoreError::NotFound)
    }

    fn stored_mut(&mut self, document: DocumentId) -> Result<&mut Stored, StoreError> {
        self.documents.get_mut(&document).ok_or(StoreError::NotFound)
    }

    fn append(&mut self, append: Append) -> Result<AppendOutcome, StoreError> {
        let stored = self.stored_mut(append.document)?;
        let is_new = |client: &ClientId, author: &UserId, seq: ClientSeq| {
            let last = stored.clients.get(client);
            last.is_none_or(|last| last.seq < seq && last.author == *author)
        };
        let wins = stored.record.revision == append.base
            && stored.record.chain == append.base_chain
            && stored.record.deleted_ms.is_none()
            && append.operations.iter().all(|new| is_new(&new.client, &new.author, new.seq));
        if !wins {
            return Ok(AppendOutcome::Conflict);
        }
        for new in append.operations {
            let revision = crate::revision::later(stored.record.revision, 1);
            let progress = ClientProgress {
                author: new.author.clone(),
                seq: new.seq,
                revision,
                submission: new.submission,
            };
            stored.clients.insert(new.client, progress);
            stored.record.revision = revision;
            stored.record.chain = new.chain;
            stored.rows.push(LoggedOperation {
                revision,
                client: new.client,
                seq: new.seq,
                author: new.author,
                time_ms: append.time_ms,
                operation: (*new.operation).clone(),
                chain: new.chain,
            });
        }
        stored.record.len_chars = append.len_chars;
        stored.record.updated_ms = append.time_ms;
        Ok(AppendOutcome::Done)
    }

    fn load(&self, document: DocumentId) -> Result<Loaded, StoreError> {
        let stored = self.stored(document)?;
        let record = stored.record.clone();
        let snapshot = stored.snapshots.last_key_value().map(|(_, snapshot)| snapshot.clone());
        let start = snapshot.as_ref().map_or(Revision::ZERO, |snapshot| snapshot.revision);
        let log = stored.log()?;
        let tail = log.get(between(Revision::ZERO, start)..).unwrap_or_default().to_vec();
        check_loaded(&record, snapshot.as_ref(), &tail)?;
        let mut ids: Vec<&UserId> = tail.iter().map(|logged| &logged.author).collect();
        ids.sort_unstable();
        ids.dedup();
        let authors = ids.into_iter().filter_map(|id| self.people.get(id)).cloned().collect();
        Ok(Loaded { record, snapshot, tail, authors })
    }

    fn create(&mut self, new: NewDocument) -> Result<(), StoreError> {
        check_text(&new.title)?;
        let first = new.first_operation()?;
        if self.documents.contains_key(&new.id) {
            return Err(StoreError::AlreadyExists);
        }
        let record = new.record(first.as_ref());
        self.opened.insert((record.owner.clone(), record.id), record.created_ms);
        let mut stored = Stored::new(record);
        if let Some(first) = first {
            stored.clients.insert(first.client, ClientProgress::of_first(&first));
            stored.rows.push(first);
        }
        self.documents.insert(new.id, stored);
        Ok(())
    }

    fn list(&self, query: &ListQuery) -> DocumentPage {
        let search = query.search.to_lowercase();
        let mut found: Vec<(DocumentCursor, ListedDocument)> = self
            .documents
            .values()
            .filter_map(|stored| {
                let record = &stored.record;
                let opened_ms = self.opened.get(&(query.person.clone(), record.id)).copied();
                let is_own = record.owner == query.person;
                let is_hidden = stored.is_importing;
                let belongs = !is_hidden
                    && if query.deleted { is_own } else { is_own || opened_ms.is_some() };
                let matches = record.title.to_lowercase().contains(&search);
                if !belongs || record.deleted_ms.is_some() != query.deleted || !matches {
                    return None;
                }
                let active_ms = record.updated_ms.max(opened_ms.unwrap_or(i64::MIN));
                let cursor = DocumentCursor { active_ms, document: record.id };
                Some((cursor, ListedDocument { record: record.clone(), opened_ms }))
            })
            .filter(|(cursor, _)| query.after.is_none_or(|after| cursor.is_behind(after)))
            .collect();
        found.sort_by_key(|(cursor, _)| std::cmp::Reverse((cursor.active_ms, cursor.document)));
        DocumentPage::of(found, query.limit)
    }
}

impl Store for MemoryStore {
    fn load(&self, document: DocumentId) -> StoreFuture<'_, Result<Loaded, StoreError>> {
        self.with(|tables| tables.load(document))
    }

    fn append(&self, append: Append) -> StoreFuture<'_, AppendOutcome> {
        let result = self.tables().and_then(|mut tables| tables.append(append));
        Box::pin(std::future::ready(result.unwrap_or_else(AppendOutcome::Failed)))
    }

    fn since(
        &self,
        document: DocumentId,
        after: Revision,
        page: PageLimit,
    ) -> StoreFuture<'_, Result<TailPage, StoreError>> {
        self.with(|tables| {
            let stored = tables.stored(document)?;
            let mut bytes = 0;
            let log = stored.log()?;
            let log = log.get(between(Revision::ZERO, after)..).unwrap_or_default();
            let operations: Vec<LoggedOperation> = log
                .iter()
                .take(page.operations_max.max(1))
                .take_while(|logged| {
                    let fits = bytes < page.bytes_max.max(1);
                    bytes += logged.operation.to_bytes().len();
                    fits
                })
                .cloned()
                .collect();
            check_dense(document, after, &operations)?;
            let head = stored.record.revision;
            Ok(TailPage { operations, head, is_deleted: stored.record.deleted_ms.is_some() })
        })
    }

    fn find_submission(
        &self,
        document: DocumentId,
        client: ClientId,
        seq: ClientSeq,
    ) -> StoreFuture<'_, Result<Option<Revision>, StoreError>> {
        self.with(|tables| tables.stored(document)?.find_submission(client, seq))
    }

    fn progress(
        &self,
        document: DocumentId,
        client: ClientId,
    ) -> StoreFuture<'_, Result<Option<ClientProgress>, StoreError>> {
        self.with(|tables| Ok(tables.stored(document)?.clients.get(&client).cloned()))
    }

    fn write_snapshot(
        &self,
        document: DocumentId,
        snapshot: Snapshot,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        self.with(|tables| {
            check_text(&snapshot.text)?;
            let stored = tables.stored_mut(document)?;
            snapshot.check_reached(document, stored.record.revision)?;
            stored.snapshots.entry(snapshot.revision).or_insert(snapshot);
            stored.thin();
            Ok(())
        })
    }

    fn create_document(&self, new: NewDocument) -> StoreFuture<'_, Result<(), StoreError>> {
        self.with(|tables| tables.create(new))
    }

    fn document(
        &self,
        document: DocumentId,
    ) -> StoreFuture<'_, Result<DocumentRecord, StoreError>> {
        self.with(|tables| Ok(tables.stored(document)?.record.clone()))
    }

    fn rename_document(
        &self,
        document: DocumentId,
        title: String,
        now_ms: i64,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        self.with(|tables| {
            check_text(&title)?;
            let record = &mut tables.stored_mut(document)?.record;
            (record.title, record.updated_ms) = (title, now_ms);
            Ok(())
        })
    }

    fn set_deleted(
        &self,
        document: DocumentId,
        deleted_ms: Option<i64>,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        self.with(|tables| {
            let stored = tables.stored_mut(document)?;
            if stored.is_importing && deleted_ms.is_none() {
                return Err(StoreError::NotFound);
            }
            let record = &mut stored.record;
            record.deleted_ms = deleted_ms.map(|now| record.deleted_ms.unwrap_or(now));
            Ok(())
        })
    }

    fn list_documents(
        &self,
        query: ListQuery,
    ) -> StoreFuture<'_, Result<DocumentPage, StoreError>> {
        self.with(|tables| Ok(tables.list(&query)))
    }

    fn mark_opened(
        &self,
        document: DocumentId,
        person: UserId,
        now_ms: i64,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        self.with(|tables| {
            tables.stored(document)?;
            tables.opened.insert((person, document), now_ms);
            Ok(())
        })
    }

    fn put_person(&self, person: PersonRecord) -> StoreFuture<'_, Result<(), StoreError>> {
        self.with(|tables| {
            check_text(&person.name)?;
            let created_ms = person.created_ms;
            let known = tables.people.entry(person.id.clone()).or_insert_with(|| person.clone());
            *known = PersonRecord { created_ms: known.created_ms.min(created_ms), ..person };
            Ok(())
        })
    }

    fn people(&self, ids: Vec<UserId>) -> StoreFuture<'_, Result<Vec<PersonRecord>, StoreError>> {
        self.with(|tables| Ok(ids.iter().filter_map(|id| tables.people.get(id).cloned()).collect()))
    }

    fn setting_or_insert(
        &self,
        name: &'static str,
        value: Vec<u8>,
    ) -> StoreFuture<'_, Result<Vec<u8>, StoreError>> {
        self.with(|tables| Ok(tables.settings.entry(name).or_insert(value).clone()))
    }

    fn snapshot_at_or_before(
        &self,
        document: DocumentId,
        revision: Revision,
    ) -> StoreFuture<'_, Result<Option<Snapshot>, StoreError>> {
        self.with(|tables| Ok(tables.stored(document)?.snapshot_at_or_before(revision)))
    }

    fn revision_at(
        &self,
        document: DocumentId,
        time_ms: i64,
    ) -> StoreFuture<'_, Result<Revision, StoreError>> {
        self.with(|tables| tables.stored(document)?.revision_at(time_ms))
    }

    fn activity(
        &self,
        document: DocumentId,
        width: u64,
    ) -> StoreFuture<'_, Result<Vec<Activity>, StoreError>> {
        self.with(|tables| tables.stored(document)?.activity(width))
    }

    fn put_version(&self, version: VersionRecord) -> StoreFuture<'_, Result<(), StoreError>> {
        self.with(|tables| tables.stored_mut(version.document)?.put_version(version))
    }

    fn rename_version(
        &self,
        document: DocumentId,
        version: VersionId,
        name: String,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        self.with(|tables| tables.stored_mut(document)?.rename_version(version, name))
    }

    fn versions(
        &self,
        document: DocumentId,
    ) -> StoreFuture<'_, Result<Vec<VersionRecord>, StoreError>> {
        self.with(|tables| {
            Ok(tables
                .documents
                .get(&document)
                .map_or_else(Vec::new, |stored| stored.versions.clone()))
        })
    }

    fn delete_version(
        &self,
        document: DocumentId,
        version: VersionId,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        self.with(|tables| tables.stored_mut(document)?.delete_version(version))
    }

    fn mark_seen(
        &self,
        document: DocumentId,
        person: UserId,
        seen: Seen,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        self.with(|tables| tables.stored_mut(document)?.mark_seen(person, seen))
    }

    fn seen(
        &self,
        document: DocumentId,
        person: UserId,
    ) -> StoreFuture<'_, Result<Option<Seen>, StoreError>> {
        self.with(|tables| {
            Ok(tables.documents.get(&document).and_then(|stored| stored.seen.get(&person)).copied())
        })
    }

    fn import(&self, step: ImportStep) -> StoreFuture<'_, Result<(), StoreError>> {
        self.with(|tables| tables.import(step))
    }

    fn packed_log(
        &self,
        document: DocumentId,
    ) -> StoreFuture<'_, Result<Vec<PackedSpan>, StoreError>> {
        self.with(|tables| Ok(tables.stored(document)?.packed_log()))
    }

    fn packed_pages(
        &self,
        document: DocumentId,
        after: Revision,
        page: PageLimit,
    ) -> StoreFuture<'_, Result<Vec<PackedRow>, StoreError>> {
        self.with(|tables| Ok(tables.stored(document)?.packed_pages(after, page)))
    }

    fn pack(
        &self,
        document: DocumentId,
        pack: Pack,
    ) -> StoreFuture<'_, Result<PackOutcome, StoreError>> {
        self.with(|tables| Ok(tables.stored_mut(document)?.pack(&pack)))
    }

    fn document_ids(
        &self,
        after: Option<DocumentId>,
        limit: u32,
    ) -> StoreFuture<'_, Result<Vec<DocumentId>, StoreError>> {
        self.with(|tables| {
            let found =
                packed::ordered(tables.documents.keys().map(packed::id_alone), after, limit);
            Ok(found.into_iter().map(|(id, ())| id).collect())
        })
    }

    fn snapshot_revisions(
        &self,
        document: DocumentId,
    ) -> StoreFuture<'_, Result<Vec<Revision>, StoreError>> {
        self.with(|tables| Ok(tables.stored(document)?.snapshots.keys().copied().collect()))
    }

    fn clients(
        &self,
        document: DocumentId,
        after: Option<ClientId>,
        limit: u32,
    ) -> StoreFuture<'_, Result<Vec<(ClientId, ClientProgress)>, StoreError>> {
        self.with(|tables| {
            let all = tables.stored(document)?.clients.iter();
            Ok(packed::ordered(all.map(|(id, known)| (*id, known.clone())), after, limit))
        })
    }

    fn packed_clients(
        &self,
        document: DocumentId,
        last: Revision,
    ) -> StoreFuture<'_, Result<Vec<PackedClient>, StoreError>> {
        self.with(|tables| Ok(tables.stored(document)?.clients_behind(last)))
    }

    fn orphans(&self, _limit: u32) -> StoreFuture<'_, Result<Vec<String>, StoreError>> {
        // Everything here hangs on its document.
        self.with(|_| Ok(Vec::new()))
    }

    fn check(&self) -> StoreFuture<'_, Result<(), StoreError>> {
        self.with(|_| Ok(()))
    }

    fn close(&self) -> StoreFuture<'_, ()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_closed = true;
        Box::pin(std::future::ready(()))
    }
}
