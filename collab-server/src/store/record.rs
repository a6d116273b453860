//! What goes into a store and comes out of it.

use std::sync::Arc;

use collab_protocol::{ClientId, DocumentId, Epoch, GivenRole, LinkAccess, Role, TenantId, UserId};
use ot_core::{ClientSeq, Operation, Revision};

use super::StoreError;
use super::chain::{ChainHash, ChainLink, TextKey};
use crate::document::{Submission, SubmissionHash};
use crate::revision::later;
use crate::rights::{Door, Rights, Visitor};

/// A document, without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentRecord {
    /// Its id.
    pub id: DocumentId,
    /// Its title; may be empty.
    pub title: String,
    /// The tenant it belongs to, for ever.
    pub tenant: TenantId,
    /// Whose it is: who created it, unless they have handed it over.
    pub owner: UserId,
    /// What its link gives.
    pub link: LinkAccess,
    /// Counts the changes of who may do what with it.
    pub rights_version: u64,
    /// The line of history its revisions belong to.
    pub epoch: Epoch,
    /// The key under which the chain hashes inserted text.
    pub text_key: TextKey,
    /// Its last revision.
    pub revision: Revision,
    /// The chain hash of its last revision.
    pub chain: ChainHash,
    /// Length of its text, in scalar values.
    pub len_chars: u64,
    /// When it was created.
    pub created_ms: i64,
    /// When its text or title last changed.
    pub updated_ms: i64,
    /// When it was deleted, if it is.
    pub deleted_ms: Option<i64>,
}

impl DocumentRecord {
    /// What a visitor may do with it, with the role that was given to them by name, if any was;
    /// `None` for who must not learn of it.
    pub(crate) fn role_of(&self, visitor: &Visitor, given: Option<GivenRole>) -> Option<Role> {
        let Self { tenant, owner, link, .. } = self;
        Door { tenant, owner, link: *link }.role_of(visitor, given)
    }
}

/// One committed operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedOperation {
    /// The revision it leads to: 1 for the first.
    pub revision: Revision,
    /// Who submitted it, under which number.
    pub client: ClientId,
    /// The client's number for it.
    pub seq: ClientSeq,
    /// Whose it is.
    pub author: UserId,
    /// When it was committed.
    pub time_ms: i64,
    /// The operation as committed.
    pub operation: Operation,
    /// Its chain hash.
    pub chain: ChainHash,
}

impl LoggedOperation {
    /// The chain hash that this operation must have behind `previous`.
    #[must_use]
    pub fn expected_chain(
        &self,
        document: DocumentId,
        key: &TextKey,
        previous: ChainHash,
    ) -> ChainHash {
        ChainLink {
            document,
            revision: self.revision,
            client: self.client,
            seq: self.seq,
            author: &self.author,
            time_ms: self.time_ms,
            operation: &self.operation,
        }
        .hash(key, previous)
    }

    /// Its chain hash, when it is the one that it must have behind `previous`.
    ///
    /// # Errors
    /// What to tell when it is not.
    pub(crate) fn check_chain(
        &self,
        document: DocumentId,
        key: &TextKey,
        previous: ChainHash,
    ) -> Result<ChainHash, String> {
        if self.chain == self.expected_chain(document, key, previous) {
            return Ok(self.chain);
        }
        Err(format!("chain breaks at revision {}", self.revision))
    }
}

/// A document's text at one revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The revision.
    pub revision: Revision,
    /// The text.
    pub text: Arc<str>,
    /// The chain hash of that revision.
    pub chain: ChainHash,
    /// When it was taken.
    pub time_ms: i64,
}

impl Snapshot {
    /// Refuses a snapshot of `document` that is ahead of its log.
    pub(super) fn check_reached(
        &self,
        document: DocumentId,
        head: Revision,
    ) -> Result<(), StoreError> {
        if self.revision <= head {
            return Ok(());
        }
        let reason =
            format!("snapshot at revision {} is ahead of the log at {head}", self.revision);
        Err(StoreError::Corrupt { document, reason })
    }

    /// The hash of the row that keeps this snapshot of `document` (its id as 16 bytes).
    pub(super) fn row_hash(&self, document: &[u8]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(document);
        hasher.update(&self.revision.get().to_le_bytes());
        hasher.update(self.chain.as_bytes());
        hasher.update(&self.time_ms.to_le_bytes());
        hasher.update(self.text.as_bytes());
        *hasher.finalize().as_bytes()
    }
}

/// Everything needed to serve a document.
///
/// Invariant: `tail` leads without a gap from the snapshot (or revision 0) to `record.revision`,
/// and the chain holds along it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The document.
    pub record: DocumentRecord,
    /// Who may do what with it, as of the same moment.
    pub rights: Rights,
    /// Its newest snapshot; `None` means the empty text at revision 0.
    pub snapshot: Option<Snapshot>,
    /// Every operation behind the snapshot.
    pub tail: Vec<LoggedOperation>,
    /// The people who wrote the tail, as far as they are known.
    pub authors: Vec<PersonRecord>,
}

/// Operations to be committed at the end of a log.
#[derive(Clone, Debug)]
pub struct Append {
    /// The document.
    pub document: DocumentId,
    /// The head they were made on: the append loses when the log has another.
    pub base: Revision,
    /// The chain hash of that head. The append loses too when the log has another one there: behind
    /// a lost append of the same length another server's operation may stand in its place, and what
    /// was rebased over the lost one does not follow that.
    pub base_chain: ChainHash,
    /// The version of the rights under which they were accepted. The append loses when the document
    /// has another one: so nothing is committed for somebody whose right was taken away before.
    pub rights_version: u64,
    /// The operations, in order; at least one. No client occurs twice.
    pub operations: Vec<NewOperation>,
    /// When they are committed.
    pub time_ms: i64,
    /// Length of the text behind the last of them, in scalar values.
    pub len_chars: u64,
}

impl Append {
    /// The operations as the log holds them once they are durable.
    pub(crate) fn logged(&self) -> impl Iterator<Item = LoggedOperation> {
        self.operations.iter().zip(1..).map(|(new, count)| LoggedOperation {
            revision: later(self.base, count),
            client: new.client,
            seq: new.seq,
            author: new.author.clone(),
            time_ms: self.time_ms,
            operation: Operation::clone(&new.operation),
            chain: new.chain,
        })
    }
}

/// One operation to be committed.
#[derive(Clone, Debug)]
pub struct NewOperation {
    /// Who submitted it.
    pub client: ClientId,
    /// Its number there; above the client's last.
    pub seq: ClientSeq,
    /// Whose it is. A client belongs to the author of its first operation for ever.
    pub author: UserId,
    /// The operation, rebased to its place.
    pub operation: Arc<Operation>,
    /// What was submitted, as a hash, to tell a resend from a reuse of the number.
    pub submission: SubmissionHash,
    /// Its chain hash.
    pub chain: ChainHash,
}

/// What became of an append.
#[derive(Clone, Debug)]
pub enum AppendOutcome {
    /// It is durable.
    Done,
    /// The head had moved, rights had changed, the document is deleted, or a client's number was
    /// used: nothing was written.
    Conflict,
    /// Nothing was written.
    Failed(StoreError),
    /// It may have been written or not: look before doing anything else.
    Unknown(StoreError),
}

/// A client's last committed submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientProgress {
    /// Whose client it is.
    pub author: UserId,
    /// The number of its last committed submission.
    pub seq: ClientSeq,
    /// The revision that became.
    pub revision: Revision,
    /// What was submitted, as a hash.
    pub submission: SubmissionHash,
}

impl ClientProgress {
    /// The hash of the row that keeps this of `client` in `document` (its id as 16 bytes).
    pub(super) fn row_hash(&self, document: &[u8], client: ClientId) -> [u8; 8] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(document);
        hasher.update(&client.get().to_le_bytes());
        hasher.update(&self.seq.get().to_le_bytes());
        hasher.update(&self.revision.get().to_le_bytes());
        hasher.update(&self.submission.get().to_le_bytes());
        hasher.update(self.author.as_str().as_bytes());
        *hasher.finalize().as_bytes().first_chunk().expect("a hash is longer")
    }

    /// That of the client whose only submission a document was created with.
    pub(super) fn of_first(first: &LoggedOperation) -> Self {
        let submission =
            Submission::new(first.seq, Revision::ZERO, first.operation.clone(), None).hash();
        let (author, seq, revision) = (first.author.clone(), first.seq, first.revision);
        ClientProgress { author, seq, revision, submission }
    }
}

/// A client's last submission, as a log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LastSubmission {
    pub(crate) author: UserId,
    pub(crate) seq: ClientSeq,
    pub(crate) revision: Revision,
}

impl LastSubmission {
    /// Whether this is what is noted of the client.
    pub(crate) fn is_noted_in(&self, progress: &ClientProgress) -> bool {
        (&self.author, self.seq, self.revision)
            == (&progress.author, progress.seq, progress.revision)
    }
}

impl From<&LoggedOperation> for LastSubmission {
    fn from(logged: &LoggedOperation) -> Self {
        let (author, seq, revision) = (logged.author.clone(), logged.seq, logged.revision);
        LastSubmission { author, seq, revision }
    }
}

/// How much of a log is read at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimit {
    /// At most this many operations.
    pub operations_max: usize,
    /// No further operation once their stored form has this many bytes.
    pub bytes_max: usize,
}

impl PageLimit {
    /// A page that an actor can compose at once.
    pub const DEFAULT: PageLimit = PageLimit { operations_max: 2_000, bytes_max: 4 << 20 };

    /// A page for one session that is behind. It holds what comes of it until its socket has taken
    /// that, however slow it is: so this is what each of many slow ones may cost.
    pub const CATCH_UP: PageLimit = PageLimit { operations_max: 2_000, bytes_max: 128 << 10 };
}

/// A stretch of a log.
#[derive(Clone, Debug)]
pub struct TailPage {
    /// The operations, in order.
    pub operations: Vec<LoggedOperation>,
    /// The log's last revision when they were read.
    pub head: Revision,
    /// Whether the document is deleted.
    pub is_deleted: bool,
    /// The version of its rights.
    pub rights_version: u64,
}

/// Where a document stands: what others may have changed of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DocumentHead {
    /// The document.
    pub document: DocumentId,
    /// Its last revision.
    pub revision: Revision,
    /// The version of its rights.
    pub rights_version: u64,
    /// Whether it is deleted.
    pub is_deleted: bool,
    /// Its title.
    pub title: String,
}

/// A document to be created.
#[derive(Clone, Debug)]
pub struct NewDocument {
    /// Its id, random.
    pub id: DocumentId,
    /// Its title.
    pub title: String,
    /// The tenant it belongs to: that of who creates it.
    pub tenant: TenantId,
    /// Who creates it.
    pub owner: UserId,
    /// What its link gives.
    pub link: LinkAccess,
    /// Its epoch, random.
    pub epoch: Epoch,
    /// Its text key, random.
    pub text_key: TextKey,
    /// When.
    pub created_ms: i64,
    /// The text it begins with, as its first operation; LF only, no NUL. Empty is none.
    pub text: String,
    /// The client id that the first operation is logged under, random.
    pub client: ClientId,
}

impl NewDocument {
    /// The operation that its text is committed as, if it has one.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the text has characters that no document may hold.
    pub(crate) fn first_operation(&self) -> Result<Option<LoggedOperation>, StoreError> {
        if self.text.is_empty() {
            return Ok(None);
        }
        let operation = Operation::splice(0, 0, 0, &self.text)
            .map_err(|_| StoreError::Invalid { reason: "the text is too long" })?;
        operation
            .check_text()
            .map_err(|_| StoreError::Invalid { reason: "the text has a NUL or a CR" })?;
        let mut logged = LoggedOperation {
            revision: Revision::new(1),
            client: self.client,
            seq: ClientSeq::new(1),
            author: self.owner.clone(),
            time_ms: self.created_ms,
            operation,
            chain: ChainHash::START,
        };
        logged.chain = logged.expected_chain(self.id, &self.text_key, ChainHash::START);
        Ok(Some(logged))
    }

    /// The record of the document once it is created, with `first` committed.
    pub(crate) fn record(&self, first: Option<&LoggedOperation>) -> DocumentRecord {
        DocumentRecord {
            id: self.id,
            title: self.title.clone(),
            tenant: self.tenant.clone(),
            owner: self.owner.clone(),
            link: self.link,
            rights_version: 0,
            epoch: self.epoch,
            text_key: self.text_key.clone(),
            revision: first.map_or(Revision::new(0), |first| first.revision),
            chain: first.map_or(ChainHash::START, |first| first.chain),
            len_chars: first.map_or(0, |first| first.operation.target_len() as u64),
            created_ms: self.created_ms,
            updated_ms: self.created_ms,
            deleted_ms: None,
        }
    }
}

/// Why a change of rights is not made.
pub(super) const CHANGE_UNFIT: StoreError =
    StoreError::Invalid { reason: "the change does not apply to the rights as they are" };

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRecord {
    /// The opaque id.
    pub id: UserId,
    /// The name others see.
    pub name: String,
    /// The colour others see, 0 to 11.
    pub color: u8,
    /// When the person was first seen.
    pub created_ms: i64,
}

/// Which documents to list.
#[derive(Clone, Debug)]
pub struct ListQuery {
    /// Whose list.
    pub person: UserId,
    /// Only documents of this tenant, the person's.
    pub tenant: TenantId,
    /// Only titles that contain this, in any case of letters; empty for all.
    pub search: String,
    /// Whether to list the person's own deleted documents instead of the live ones.
    pub deleted: bool,
    /// At most this many.
    pub limit: u32,
    /// Only what comes behind this place.
    pub after: Option<DocumentCursor>,
}

/// A place in a list of documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentCursor {
    /// When that document was last opened by the person or changed, whichever is later.
    pub active_ms: i64,
    /// The document.
    pub document: DocumentId,
}

impl DocumentCursor {
    /// Whether this place comes behind `other` in a list.
    pub(super) fn is_behind(self, other: DocumentCursor) -> bool {
        (self.active_ms, self.document) < (other.active_ms, other.document)
    }
}

/// A document in a person's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedDocument {
    /// The document.
    pub record: DocumentRecord,
    /// When the person last opened it.
    pub opened_ms: Option<i64>,
    /// What the person was given by name, if anything.
    pub given: Option<GivenRole>,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct DocumentPage {
    /// The documents.
    pub documents: Vec<ListedDocument>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<DocumentCursor>,
}

impl DocumentPage {
    /// The first `limit` of what was found, which may be more.
    pub(super) fn of(mut found: Vec<(DocumentCursor, ListedDocument)>, limit: u32) -> Self {
        let limit = limit.max(1) as usize;
        let has_more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| has_more).map(|(cursor, _)| *cursor);
        DocumentPage { documents: found.into_iter().map(|(_, listed)| listed).collect(), next }
    }
}
