//! What a database would have in tables, and what it would do with them in one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use collab_protocol::{ClientId, DocumentId, GivenRole, UserId};
use ot_core::{ClientSeq, Revision};

use super::chat::Chat;
use super::notification::NotificationBox;
use crate::revision::between;
use crate::rights::Visitor;
use crate::store::StoreError;
use crate::store::checks::{check_loaded, check_text};
use crate::store::history::{Seen, VersionRecord};
use crate::store::notification::Recipient;
use crate::store::packed::{PackedClient, PackedRow};
use crate::store::record::{
    Append, AppendOutcome, ClientProgress, DocumentCursor, DocumentPage, DocumentRecord, ListQuery,
    ListedDocument, Loaded, LoggedOperation, NewDocument, PersonRecord, Snapshot,
};

#[derive(Debug)]
pub(super) struct Stored {
    pub(super) record: DocumentRecord,
    /// What is packed, from revision 1.
    pub(super) pages: Vec<PackedRow>,
    pub(super) packed_clients: Vec<PackedClient>,
    /// What lies behind it.
    pub(super) rows: Vec<LoggedOperation>,
    pub(super) snapshots: BTreeMap<Revision, Snapshot>,
    pub(super) clients: HashMap<ClientId, ClientProgress>,
    pub(super) versions: Vec<VersionRecord>,
    pub(super) seen: HashMap<UserId, Seen>,
    pub(super) members: BTreeMap<UserId, GivenRole>,
    pub(super) fences: BTreeMap<ClientId, u64>,
    /// Members who have left: it is not in their lists.
    pub(super) left: BTreeSet<UserId>,
    pub(super) is_importing: bool,
    pub(super) chat: Chat,
}

impl Stored {
    /// A document without operations.
    pub(super) fn new(record: DocumentRecord) -> Self {
        Stored {
            record,
            pages: Vec::new(),
            packed_clients: Vec::new(),
            rows: Vec::new(),
            snapshots: BTreeMap::new(),
            clients: HashMap::new(),
            versions: Vec::new(),
            seen: HashMap::new(),
            members: BTreeMap::new(),
            fences: BTreeMap::new(),
            left: BTreeSet::new(),
            is_importing: false,
            chat: Chat::default(),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) documents: BTreeMap<DocumentId, Stored>,
    pub(super) opened: HashMap<(UserId, DocumentId), i64>,
    pub(super) people: HashMap<UserId, PersonRecord>,
    pub(super) settings: HashMap<&'static str, Vec<u8>>,
    pub(super) notifications: HashMap<Recipient, NotificationBox>,
    pub(super) is_closed: bool,
}

impl Tables {
    pub(super) fn stored(&self, document: DocumentId) -> Result<&Stored, StoreError> {
        self.documents.get(&document).ok_or(StoreError::NotFound)
    }

    pub(super) fn stored_mut(&mut self, document: DocumentId) -> Result<&mut Stored, StoreError> {
        self.documents.get_mut(&document).ok_or(StoreError::NotFound)
    }

    pub(super) fn append(&mut self, append: Append) -> Result<AppendOutcome, StoreError> {
        let stored = self.stored_mut(append.document)?;
        let is_new = |client: &ClientId, author: &UserId, seq: ClientSeq| {
            let last = stored.clients.get(client);
            last.is_none_or(|last| last.seq < seq && last.author == *author)
        };
        let wins = stored.record.revision == append.base
            && stored.record.chain == append.base_chain
            && stored.record.rights_version == append.rights_version
            && stored.record.deleted_ms.is_none()
            && append.operations.iter().all(|new| is_new(&new.client, &new.author, new.seq));
        if !wins {
            return Ok(AppendOutcome::Conflict);
        }
        for (logged, new) in append.logged().zip(&append.operations) {
            let progress = ClientProgress {
                author: logged.author.clone(),
                seq: logged.seq,
                revision: logged.revision,
                submission: new.submission,
            };
            stored.clients.insert(logged.client, progress);
            stored.record.revision = logged.revision;
            stored.record.chain = logged.chain;
            stored.rows.push(logged);
        }
        stored.record.len_chars = append.len_chars;
        stored.record.updated_ms = append.time_ms;
        Ok(AppendOutcome::Done)
    }

    pub(super) fn load(&self, document: DocumentId) -> Result<Loaded, StoreError> {
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
        Ok(Loaded { record, rights: stored.rights(), snapshot, tail, authors })
    }

    pub(super) fn create(&mut self, new: NewDocument) -> Result<(), StoreError> {
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

    pub(super) fn list(&self, query: &ListQuery) -> DocumentPage {
        let search = query.search.to_lowercase();
        let visitor =
            Visitor { user: query.person.clone(), tenant: query.tenant.clone(), is_service: false };
        let mut found: Vec<(DocumentCursor, ListedDocument)> = self
            .documents
            .values()
            .filter_map(|stored| {
                let record = &stored.record;
                let opened_ms = self.opened.get(&(query.person.clone(), record.id)).copied();
                let given = stored.members.get(&query.person).copied();
                let is_own = record.owner == query.person;
                let is_hidden = stored.is_importing || record.role_of(&visitor, given).is_none();
                let is_member = given.is_some() && !stored.left.contains(&query.person);
                let is_known = is_own || opened_ms.is_some() || is_member;
                let belongs = !is_hidden && if query.deleted { is_own } else { is_known };
                let matches = record.title.to_lowercase().contains(&search);
                if !belongs || record.deleted_ms.is_some() != query.deleted || !matches {
                    return None;
                }
                let active_ms = record.updated_ms.max(opened_ms.unwrap_or(i64::MIN));
                let cursor = DocumentCursor { active_ms, document: record.id };
                Some((cursor, ListedDocument { record: record.clone(), opened_ms, given }))
            })
            .filter(|(cursor, _)| query.after.is_none_or(|after| cursor.is_behind(after)))
            .collect();
        found.sort_by_key(|(cursor, _)| std::cmp::Reverse((cursor.active_ms, cursor.document)));
        DocumentPage::of(found, query.limit)
    }
}
