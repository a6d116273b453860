//! What outlives the process: documents, their operation logs and snapshots, people and settings.
//!
//! The [`Store`] trait says what is kept and which promises hold; one suite of contract tests runs
//! on every implementation. The database alone decides who commits a revision: an append names the
//! head it was made on, and loses when the head has moved.
//!
//! Units: revisions count operations; lengths count scalar values; times are milliseconds since
//! 1970.

mod chain;
mod chat;
mod checks;
mod error;
#[cfg(test)]
pub(crate) mod faulty;
mod history;
mod import;
mod layer;
mod memory;
mod migration;
mod notification;
mod packed;
mod postgres;
mod record;
mod row;
mod sql;
mod sqlite;
#[cfg(feature = "simulation")]
mod stored_rows;

use std::future::Future;
use std::pin::Pin;

use collab_protocol::{ClientId, DocumentId, GivenRole, UserId, VersionId};
use ot_core::{ClientSeq, Revision};

use crate::rights::{Rights, RightsChange};

#[cfg(feature = "simulation")]
pub(crate) use checks::check_loaded;

pub use chain::{ChainHash, ChainLink, TextKey};
pub use chat::{
    ChatBecomes, ChatChange, ChatEntry, ChatExtract, ChatHead, ChatOutcome, ChatProgress,
    ChatRange, NewChatMessage,
};
pub use error::{OpenError, StoreError};
pub use history::{Activity, Seen, VersionRecord};
pub use import::{ImportBatch, ImportStep};
pub use memory::MemoryStore;
pub use notification::{
    NotificationContent, NotificationEntry, NotificationExtract, NotificationHead,
    NotificationOutcome, NotificationRange, NotificationRecord, NotificationSelection,
    NotificationsMarked, Recipient, Repeated,
};
pub(crate) use packed::in_background;
pub use packed::{Pack, PackOutcome, PackedClient, PackedRow, PackedSpan, Walk};
pub use postgres::{PostgresConfig, PostgresStore};
pub(crate) use record::LastSubmission;
pub use record::{
    Append, AppendOutcome, ClientProgress, DocumentCursor, DocumentHead, DocumentPage,
    DocumentRecord, ListQuery, ListedDocument, Loaded, LoggedOperation, NewDocument, NewOperation,
    PageLimit, PersonRecord, Snapshot, TailPage,
};
pub use sqlite::{SqliteConfig, SqliteStore};
#[cfg(feature = "simulation")]
pub use stored_rows::stored_rows;

/// What a store returns: a future that may be dropped without harm. The work behind it goes on in
/// a task of the store, so that no database call is ever cancelled halfway.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a call of the database comes to.
type Work<'a, T> = StoreFuture<'a, Result<T, StoreError>>;

// Written through a macro so that stores around stores need not repeat it: see `layer`.
layer::layered! {
/// Keeps documents, their history, people and settings.
///
/// Every future may be dropped without harm to the database. What a method reports as done is
/// durable.
pub trait Store: Send + Sync + 'static {
    /// A document with what is needed to serve it: its newest snapshot and every operation behind
    /// it, checked against each other.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Corrupt`] when snapshot, operations and head do not
    /// fit; [`StoreError::Unavailable`]. Never an empty document in place of an error.
    fn load(&self, document: DocumentId) -> StoreFuture<'_, Result<Loaded, StoreError>>;

    /// Commits operations at the end of a document's log, all or none, and moves its clients'
    /// progress in the same transaction. Of several appends made on one head, one wins.
    fn append(&self, append: Append) -> StoreFuture<'_, AppendOutcome>;

    /// Lets the next append to a document go ahead of those of other servers, if it comes soon: to be
    /// asked for before the log is read that the append will be made on. It is a courtesy and
    /// changes nothing about what is a conflict; where it is not granted nothing is different.
    fn go_ahead(&self, document: DocumentId) -> StoreFuture<'_, ()>;

    /// The operations that lead away from revision `after`, in order, at most a page of them and at
    /// least one if there is any; and where the log ends.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Corrupt`] on a gap, [`StoreError::Unavailable`].
    fn since(
        &self,
        document: DocumentId,
        after: Revision,
        page: PageLimit,
    ) -> StoreFuture<'_, Result<TailPage, StoreError>>;

    /// The revision that a client's submission was committed as, however long ago.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn find_submission(
        &self,
        document: DocumentId,
        client: ClientId,
        seq: ClientSeq,
    ) -> StoreFuture<'_, Result<Option<Revision>, StoreError>>;

    /// A client's last committed submission; `None` when it never committed one here.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn progress(
        &self,
        document: DocumentId,
        client: ClientId,
    ) -> StoreFuture<'_, Result<Option<ClientProgress>, StoreError>>;

    /// Keeps a snapshot. A revision that has one keeps it. The newest two stay, older ones only
    /// while they weigh no more together than the packed log does.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it is ahead of the log; [`StoreError::Unavailable`].
    fn write_snapshot(
        &self,
        document: DocumentId,
        snapshot: Snapshot,
    ) -> StoreFuture<'_, Result<(), StoreError>>;

    /// Creates a document, with its first operation if it begins with a text.
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`], [`StoreError::Invalid`], [`StoreError::Unavailable`].
    fn create_document(&self, new: NewDocument) -> StoreFuture<'_, Result<(), StoreError>>;

    /// What is known of a document besides its text, deleted or not.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Unavailable`].
    fn document(&self, document: DocumentId)
    -> StoreFuture<'_, Result<DocumentRecord, StoreError>>;

    /// Gives a document another title.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Invalid`], [`StoreError::Unavailable`].
    fn rename_document(
        &self,
        document: DocumentId,
        title: String,
        now_ms: i64,
    ) -> StoreFuture<'_, Result<(), StoreError>>;

    /// Deletes a document recoverably (`Some` time) or restores it (`None`). A deleted document
    /// takes no append. Deleting twice keeps the first time.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], also for restoring one that is still being imported; [`StoreError::Unavailable`].
    fn set_deleted(
        &self,
        document: DocumentId,
        deleted_ms: Option<i64>,
    ) -> StoreFuture<'_, Result<(), StoreError>>;

    /// Who may do what with a document.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Corrupt`], [`StoreError::Unavailable`].
    fn rights(&self, document: DocumentId) -> StoreFuture<'_, Result<Rights, StoreError>>;

    /// What is known of a document, and what a person was given in it by name, in one question.
    ///
    /// # Errors
    /// As [`Store::document`].
    fn access(
        &self,
        document: DocumentId,
        person: UserId,
    ) -> StoreFuture<'_, Result<(DocumentRecord, Option<GivenRole>), StoreError>>;

    /// Where these documents stand, in one question; what is not there is left out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn heads(
        &self,
        documents: Vec<DocumentId>,
    ) -> StoreFuture<'_, Result<Vec<DocumentHead>, StoreError>>;

    /// Changes who may do what with a document, and counts the change: the version with it. An append
    /// that was made under an older version loses from then on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Invalid`] when the change does not apply: see
    /// [`RightsChange`]; [`StoreError::Unavailable`].
    fn change_rights(
        &self,
        document: DocumentId,
        change: RightsChange,
        now_ms: i64,
    ) -> StoreFuture<'_, Result<u64, StoreError>>;

    /// Who has opened a document, latest first; at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn visitors(
        &self,
        document: DocumentId,
        limit: u32,
    ) -> StoreFuture<'_, Result<Vec<UserId>, StoreError>>;

    /// Documents of a tenant that a person owns, was given or has opened, as far as they may open
    /// them now; latest opened or changed first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn list_documents(&self, query: ListQuery)
    -> StoreFuture<'_, Result<DocumentPage, StoreError>>;

    /// Notes that a person opened a document.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Unavailable`].
    fn mark_opened(
        &self,
        document: DocumentId,
        person: UserId,
        now_ms: i64,
    ) -> StoreFuture<'_, Result<(), StoreError>>;

    /// Creates a person, or gives one another name and colour.
    ///
    /// # Errors
    /// [`StoreError::Invalid`], [`StoreError::Unavailable`].
    fn put_person(&self, person: PersonRecord) -> StoreFuture<'_, Result<(), StoreError>>;

    /// The people with these ids; who is unknown is left out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn people(&self, ids: Vec<UserId>) -> StoreFuture<'_, Result<Vec<PersonRecord>, StoreError>>;

    /// A server-wide secret or setting: what is stored under `name`, or else `value`, which is
    /// stored now. Of several first calls one wins and all return its value.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn setting_or_insert(
        &self,
        name: &'static str,
        value: Vec<u8>,
    ) -> StoreFuture<'_, Result<Vec<u8>, StoreError>>;

    /// The newest snapshot that is not newer than `revision`; `None` means that the empty text at
    /// revision 0 is the nearest.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Corrupt`] when the snapshot does not have its hash,
    /// [`StoreError::Unavailable`].
    fn snapshot_at_or_before(
        &self,
        document: DocumentId,
        revision: Revision,
    ) -> StoreFuture<'_, Result<Option<Snapshot>, StoreError>>;

    /// The last revision that was committed at `time_ms` or before; 0 when there was none yet.
    ///
    /// Times are taken to ascend with the revisions. Where a clock was set back they do not, and
    /// one of the revisions between which the time lies is given.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Unavailable`].
    fn revision_at(
        &self,
        document: DocumentId,
        time_ms: i64,
    ) -> StoreFuture<'_, Result<Revision, StoreError>>;

    /// Who wrote how much when, over the whole log, without reading an operation: one entry for
    /// each author in each stretch of `width` revisions (1 to `width`, and so on), by stretch and
    /// then by author.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Corrupt`], [`StoreError::Unavailable`].
    fn activity(
        &self,
        document: DocumentId,
        width: u64,
    ) -> StoreFuture<'_, Result<Vec<Activity>, StoreError>>;

    /// Names a revision. A version whose id is stored gets the new name and stays what it was in
    /// all else.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a document, [`StoreError::Invalid`] for a name that
    /// cannot be stored or a revision that the log has not reached, [`StoreError::Unavailable`].
    fn put_version(&self, version: VersionRecord) -> StoreFuture<'_, Result<(), StoreError>>;

    /// Gives a version another name.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it is not there, or not any more; [`StoreError::Invalid`] for
    /// a name that cannot be stored; [`StoreError::Unavailable`].
    fn rename_version(
        &self,
        document: DocumentId,
        version: VersionId,
        name: String,
    ) -> StoreFuture<'_, Result<(), StoreError>>;

    /// A document's named versions, by revision and then by time.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn versions(
        &self,
        document: DocumentId,
    ) -> StoreFuture<'_, Result<Vec<VersionRecord>, StoreError>>;

    /// Takes a version's name away. The revision stays, as all history does.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Unavailable`].
    fn delete_version(
        &self,
        document: DocumentId,
        version: VersionId,
    ) -> StoreFuture<'_, Result<(), StoreError>>;

    /// Notes that a person has looked at a document up to a revision. What they saw before of a
    /// later one stays.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Invalid`] for a revision that the log has not
    /// reached, [`StoreError::Unavailable`].
    fn mark_seen(
        &self,
        document: DocumentId,
        person: UserId,
        seen: Seen,
    ) -> StoreFuture<'_, Result<(), StoreError>>;

    /// What a person last looked at; `None` when nothing was noted.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn seen(
        &self,
        document: DocumentId,
        person: UserId,
    ) -> StoreFuture<'_, Result<Option<Seen>, StoreError>>;

    /// Takes in a document with its whole history, step by step. What was taken in stays, so that
    /// an import that was interrupted goes on where the document's log ends.
    ///
    /// # Errors
    /// As each [`ImportStep`] says; [`StoreError::Unavailable`]. Nothing of the step is written
    /// then, as far as the database says so.
    fn import(&self, step: ImportStep) -> StoreFuture<'_, Result<(), StoreError>>;

    /// What of a document's log is packed, oldest first. Each begins where the one before ends.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Corrupt`] on a gap, [`StoreError::Unavailable`].
    fn packed_log(
        &self,
        document: DocumentId,
    ) -> StoreFuture<'_, Result<Vec<PackedSpan>, StoreError>>;

    /// Whole packed pages that end behind revision `after`, oldest first, as they are stored; at
    /// least one if there is any. No further one is read once those read have as many operations
    /// or bytes as `page` allows.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Corrupt`] when a page is not as it was written,
    /// [`StoreError::Unavailable`].
    fn packed_pages(
        &self,
        document: DocumentId,
        after: Revision,
        page: PageLimit,
    ) -> StoreFuture<'_, Result<Vec<PackedRow>, StoreError>>;

    /// Puts a page in the place of the rows and smaller pages that it was made of, in one
    /// transaction, and only if the log holds exactly those, ends with the page's chain hash where
    /// the page ends, and has a snapshot there or behind. Every other answer of the store stays
    /// what it was.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Unavailable`].
    fn pack(
        &self,
        document: DocumentId,
        pack: Pack,
    ) -> StoreFuture<'_, Result<PackOutcome, StoreError>>;

    /// Adds a message to a document's chat, as the next number and the next change. One that is sent
    /// again, however often, is there once. A message is added under the rights that it was
    /// accepted under, or not at all.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a document, [`StoreError::Invalid`] for a text that
    /// cannot be stored, [`StoreError::Unavailable`].
    fn send_chat(
        &self,
        new: NewChatMessage,
    ) -> StoreFuture<'_, Result<ChatOutcome, StoreError>>;

    /// Changes a message of a chat, as the next change; made again, it changes nothing.
    ///
    /// # Errors
    /// As [`Store::send_chat`].
    fn change_chat(&self, change: ChatChange) -> StoreFuture<'_, Result<ChatOutcome, StoreError>>;

    /// Messages of a document's chat, `limit` at most, and where the chat ends at that moment.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`], [`StoreError::Unavailable`]. A document that is not there has an
    /// empty chat.
    fn chat(
        &self,
        document: DocumentId,
        range: ChatRange,
        limit: u32,
    ) -> StoreFuture<'_, Result<ChatExtract, StoreError>>;

    /// Where these documents' chats end, in one question; those without a message may be left out.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`], [`StoreError::Unavailable`].
    fn chat_heads(
        &self,
        documents: Vec<DocumentId>,
    ) -> StoreFuture<'_, Result<Vec<(DocumentId, ChatHead)>, StoreError>>;

    /// How far a person has read a document's chat.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`], [`StoreError::Unavailable`].
    fn chat_progress(
        &self,
        document: DocumentId,
        person: UserId,
    ) -> StoreFuture<'_, Result<ChatProgress, StoreError>>;

    /// Up to which message these people have read a document's chat; who has read nothing may be
    /// left out.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`], [`StoreError::Unavailable`].
    fn chat_marks(
        &self,
        document: DocumentId,
        people: Vec<UserId>,
    ) -> StoreFuture<'_, Result<Vec<(UserId, u64)>, StoreError>>;

    /// Notes that a person has read a chat up to a message, and tells how far they have read. It
    /// never goes back, and never ahead of the last message.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`], [`StoreError::Unavailable`].
    fn mark_chat_read(
        &self,
        document: DocumentId,
        person: UserId,
        number: u64,
    ) -> StoreFuture<'_, Result<ChatProgress, StoreError>>;

    /// Stores a notification as its person's next number and next change; under a key that is there
    /// none is added. The person keeps at most so many as it says.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn notify(
        &self,
        new: NotificationRecord,
    ) -> StoreFuture<'_, Result<NotificationOutcome, StoreError>>;

    /// A person's notifications, `limit` at most, and how all stand at that moment.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn notifications(
        &self,
        to: Recipient,
        range: NotificationRange,
        limit: u32,
    ) -> StoreFuture<'_, Result<NotificationExtract, StoreError>>;

    /// Notes that a person has read notifications, all as one change. What was read stays as it is;
    /// where nothing was unread, nothing changes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn read_notifications(
        &self,
        to: Recipient,
        which: NotificationSelection,
        now_ms: i64,
    ) -> StoreFuture<'_, Result<NotificationsMarked, StoreError>>;

    /// The ids of documents behind `after`, in order, deleted ones too; at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn document_ids(
        &self,
        after: Option<DocumentId>,
        limit: u32,
    ) -> StoreFuture<'_, Result<Vec<DocumentId>, StoreError>>;

    /// The revisions that a document has snapshots of, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn snapshot_revisions(
        &self,
        document: DocumentId,
    ) -> StoreFuture<'_, Result<Vec<Revision>, StoreError>>;

    /// What is noted of a document's clients with ids behind `after`, in order; at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`], [`StoreError::Unavailable`].
    fn clients(
        &self,
        document: DocumentId,
        after: Option<ClientId>,
        limit: u32,
    ) -> StoreFuture<'_, Result<Vec<(ClientId, ClientProgress)>, StoreError>>;

    /// Which clients the packed pages that end at `last` are said to have, in order of their ids.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`], [`StoreError::Unavailable`].
    fn packed_clients(
        &self,
        document: DocumentId,
        last: Revision,
    ) -> StoreFuture<'_, Result<Vec<PackedClient>, StoreError>>;

    /// What belongs to no document or page that is there, as sentences for an operator; at most
    /// `limit`. None in a database that is whole.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn orphans(&self, limit: u32) -> StoreFuture<'_, Result<Vec<String>, StoreError>>;

    /// Whether the database answers and takes writes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn check(&self) -> StoreFuture<'_, Result<(), StoreError>>;

    /// Finishes what was begun and closes the database. Later calls fail.
    fn close(&self) -> StoreFuture<'_, ()>;
}
}
