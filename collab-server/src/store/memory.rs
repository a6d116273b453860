//! A store that forgets everything at exit: for tests, and for trying things out.

mod chat;
mod history;
mod import;
mod notification;
mod packed;
mod rights;
mod tables;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use collab_protocol::{ClientId, DocumentId, GivenRole, UserId, VersionId};
use ot_core::{ClientSeq, Revision};

use self::tables::{Stored, Tables};
use super::chat::{
    ChatChange, ChatExtract, ChatHead, ChatOutcome, ChatProgress, ChatRange, NewChatMessage,
};
use super::checks::{check_dense, check_text};
use super::history::{Activity, Seen, VersionRecord};
use super::import::ImportStep;
use super::notification::{
    NotificationExtract, NotificationOutcome, NotificationRange, NotificationRecord,
    NotificationSelection, NotificationsMarked, Recipient,
};
use super::packed::{Gathering, Pack, PackOutcome, PackedClient, PackedRow, PackedSpan};
use super::record::{
    Append, AppendOutcome, ClientProgress, DocumentHead, DocumentPage, DocumentRecord, ListQuery,
    Loaded, NewDocument, PageLimit, PersonRecord, Snapshot, TailPage,
};
use super::{Store, StoreError, StoreFuture};
use crate::revision::between;
use crate::rights::{Rights, RightsChange};

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

impl Store for MemoryStore {
    fn load(&self, document: DocumentId) -> StoreFuture<'_, Result<Loaded, StoreError>> {
        self.with(|tables| tables.load(document))
    }

    fn append(&self, append: Append) -> StoreFuture<'_, AppendOutcome> {
        let result = self.tables().and_then(|mut tables| tables.append(append));
        Box::pin(std::future::ready(result.unwrap_or_else(AppendOutcome::Failed)))
    }

    fn go_ahead(&self, _: DocumentId) -> StoreFuture<'_, ()> {
        // Appends take no time.
        Box::pin(std::future::ready(()))
    }

    fn since(
        &self,
        document: DocumentId,
        after: Revision,
        page: PageLimit,
    ) -> StoreFuture<'_, Result<TailPage, StoreError>> {
        self.with(|tables| {
            let stored = tables.stored(document)?;
            let log = stored.log()?;
            let mut gathering = Gathering::new(page);
            for logged in log.get(between(Revision::ZERO, after)..).unwrap_or_default() {
                if gathering.room() == 0 {
                    break;
                }
                gathering.push(logged.clone(), logged.operation.to_bytes().len());
            }
            let operations = gathering.operations;
            check_dense(document, after, &operations)?;
            let head = stored.record.revision;
            let is_deleted = stored.record.deleted_ms.is_some();
            let rights_version = stored.record.rights_version;
            Ok(TailPage { operations, head, is_deleted, rights_version })
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

    fn rights(&self, document: DocumentId) -> StoreFuture<'_, Result<Rights, StoreError>> {
        self.with(|tables| Ok(tables.stored(document)?.rights()))
    }

    fn access(
        &self,
        document: DocumentId,
        person: UserId,
    ) -> StoreFuture<'_, Result<(DocumentRecord, Option<GivenRole>), StoreError>> {
        self.with(|tables| {
            let stored = tables.stored(document)?;
            Ok((stored.record.clone(), stored.members.get(&person).copied()))
        })
    }

    fn heads(
        &self,
        documents: Vec<DocumentId>,
    ) -> StoreFuture<'_, Result<Vec<DocumentHead>, StoreError>> {
        self.with(|tables| {
            let head = |document| {
                let record = &tables.documents.get(&document)?.record;
                Some(DocumentHead {
                    document,
                    revision: record.revision,
                    rights_version: record.rights_version,
                    is_deleted: record.deleted_ms.is_some(),
                    title: record.title.clone(),
                })
            };
            Ok(documents.into_iter().filter_map(head).collect())
        })
    }

    fn change_rights(
        &self,
        document: DocumentId,
        change: RightsChange,
        _now_ms: i64,
    ) -> StoreFuture<'_, Result<u64, StoreError>> {
        self.with(|tables| tables.change_rights(document, &change))
    }

    fn visitors(
        &self,
        document: DocumentId,
        limit: u32,
    ) -> StoreFuture<'_, Result<Vec<UserId>, StoreError>> {
        self.with(|tables| Ok(tables.visitors(document, limit)))
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

    fn send_chat(&self, new: NewChatMessage) -> StoreFuture<'_, Result<ChatOutcome, StoreError>> {
        self.with(|tables| {
            check_text(&new.text)?;
            Ok(tables.stored_mut(new.document)?.send_chat(new))
        })
    }

    fn change_chat(&self, change: ChatChange) -> StoreFuture<'_, Result<ChatOutcome, StoreError>> {
        self.with(|tables| {
            check_text(change.text())?;
            Ok(tables.stored_mut(change.document)?.change_chat(&change))
        })
    }

    fn chat(
        &self,
        document: DocumentId,
        range: ChatRange,
        limit: u32,
    ) -> StoreFuture<'_, Result<ChatExtract, StoreError>> {
        self.with(|tables| {
            let stored = tables.documents.get(&document);
            Ok(stored.map(|stored| stored.chat.extract(range, limit)).unwrap_or_default())
        })
    }

    fn chat_heads(
        &self,
        documents: Vec<DocumentId>,
    ) -> StoreFuture<'_, Result<Vec<(DocumentId, ChatHead)>, StoreError>> {
        self.with(|tables| {
            let head = |id| Some((id, tables.documents.get(&id)?.chat.head()));
            let found = documents.into_iter().filter_map(head);
            Ok(found.filter(|(_, head)| head.change > 0).collect())
        })
    }

    fn chat_progress(
        &self,
        document: DocumentId,
        person: UserId,
    ) -> StoreFuture<'_, Result<ChatProgress, StoreError>> {
        self.with(|tables| {
            let stored = tables.documents.get(&document);
            Ok(stored.map(|stored| stored.chat.progress(&person)).unwrap_or_default())
        })
    }

    fn chat_marks(
        &self,
        document: DocumentId,
        people: Vec<UserId>,
    ) -> StoreFuture<'_, Result<Vec<(UserId, u64)>, StoreError>> {
        self.with(move |tables| {
            let stored = tables.documents.get(&document);
            Ok(stored.map(|stored| stored.chat.marks(&people)).unwrap_or_default())
        })
    }

    fn mark_chat_read(
        &self,
        document: DocumentId,
        person: UserId,
        number: u64,
    ) -> StoreFuture<'_, Result<ChatProgress, StoreError>> {
        self.with(|tables| {
            let Some(stored) = tables.documents.get_mut(&document) else {
                return Ok(ChatProgress::default());
            };
            stored.chat.mark_read(person.clone(), number);
            Ok(stored.chat.progress(&person))
        })
    }

    fn notify(
        &self,
        new: NotificationRecord,
    ) -> StoreFuture<'_, Result<NotificationOutcome, StoreError>> {
        self.with(|tables| Ok(tables.notifications.entry(new.to.clone()).or_default().notify(new)))
    }

    fn notifications(
        &self,
        to: Recipient,
        range: NotificationRange,
        limit: u32,
    ) -> StoreFuture<'_, Result<NotificationExtract, StoreError>> {
        self.with(|tables| {
            let found = tables.notifications.get(&to);
            Ok(found.map(|found| found.extract(range, limit)).unwrap_or_default())
        })
    }

    fn read_notifications(
        &self,
        to: Recipient,
        which: NotificationSelection,
        now_ms: i64,
    ) -> StoreFuture<'_, Result<NotificationsMarked, StoreError>> {
        self.with(|tables| Ok(tables.notifications.entry(to).or_default().mark(&which, now_ms)))
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
