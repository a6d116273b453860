//! The store in one SQLite file: nothing else to install, and an acknowledged edit is on the disk.
//!
//! One thread writes. The appends that wait, of all documents, go in one transaction, so that a commit's
//! fsync is shared; other writes that wait go in another. Readers have connections of their own. The
//! journal is a write-ahead log, and every commit is synced (`synchronous = full`).

mod appender;
mod chat;
mod config;
mod history;
mod notification;
mod packed;
mod read;
mod write;
mod writer;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use collab_protocol::{ClientId, DocumentId, GivenRole, UserId, VersionId};
use ot_core::{ClientSeq, Revision};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use self::appender::Appender;
use self::chat::ChatWrite;
pub use self::config::SqliteConfig;
use self::config::{check_library, check_settings};
use self::notification::NotificationWrite;
pub(super) use self::read::people;
use self::write::Write;
use self::writer::{Task, Writer};
use super::chat::{
    ChatChange, ChatExtract, ChatHead, ChatOutcome, ChatProgress, ChatRange, NewChatMessage,
};
use super::history::{Activity, Seen, VersionRecord};
use super::import::ImportStep;
use super::migration;
use super::notification::{
    NotificationExtract, NotificationOutcome, NotificationRange, NotificationRecord,
    NotificationSelection, NotificationsMarked, Recipient,
};
use super::packed::{Pack, PackOutcome, PackedClient, PackedRow, PackedSpan};
use super::record::{
    Append, AppendOutcome, ClientProgress, DocumentHead, DocumentPage, DocumentRecord, ListQuery,
    Loaded, NewDocument, PageLimit, PersonRecord, Snapshot, TailPage,
};
use super::sql;
use super::{OpenError, Store, StoreError, StoreFuture, Work};
use crate::rights::{Rights, RightsChange};

/// Documents in a SQLite file. Clones share it.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    tasks: mpsc::Sender<Task>,
    readers: SqlitePool,
    writer: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl SqliteStore {
    /// Opens or creates the database, brings it to this server's schema and checks that it keeps
    /// what it acknowledges. `now_ms` dates the schema.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(config: SqliteConfig, now_ms: i64) -> Result<Self, OpenError> {
        let options = config.options();
        let mut connection = options.clone().create_if_missing(true).connect().await?;
        check_library(&mut connection).await?;
        check_settings(&mut connection).await?;
        migration::sqlite::migrate(&mut connection, now_ms).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(config.readers.max(1))
            .connect_with(options.clone().pragma("query_only", "on"))
            .await?;
        let (tasks, waiting) = mpsc::channel(config.queue_len.max(1));
        let group_max = config.group_max.max(1);
        let appender = Appender::open(config)?;
        let writer = Writer { appender, connection, options, group_max };
        let writer = writer.spawn(waiting).map_err(sqlx::Error::from)?;
        let writer = Arc::new(Mutex::new(Some(writer)));
        Ok(SqliteStore { tasks, readers, writer })
    }

    /// Hands a write to the writer and waits for what came of it.
    fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Write,
    ) -> Work<'_, T> {
        let (reply, answer) = oneshot::channel();
        let write = write(reply);
        Box::pin(async move {
            let closed = || StoreError::unavailable("the store is closed");
            self.tasks.send(Task::Write(write)).await.map_err(|_| closed())?;
            answer.await.unwrap_or_else(|_| Err(closed()))
        })
    }

    fn write_chat(&self, write: ChatWrite) -> StoreFuture<'_, Result<ChatOutcome, StoreError>> {
        self.write(|reply| Write::Chat(Box::new(write), reply))
    }

    /// Hands a write of notifications to the writer and waits for what came of it.
    fn write_notification<T: Send + 'static>(
        &self,
        write: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> NotificationWrite,
    ) -> Work<'_, T> {
        self.write(|reply| Write::Notification(Box::new(write(reply))))
    }

    /// Reads in a task of its own, which goes on when nobody waits any more.
    fn call<T: Send + 'static>(
        &self,
        work: impl for<'c> FnOnce(&'c mut SqliteConnection) -> Work<'c, T> + Send + 'static,
    ) -> Work<'_, T> {
        let readers = self.readers.clone();
        let read = async move { work(&mut *readers.acquire().await?).await };
        Box::pin(async move { tokio::spawn(read).await.map_err(StoreError::unavailable)? })
    }

    /// Reads what must fit together: all of it is of one moment of the database.
    fn moment<T: Send + 'static>(
        &self,
        work: impl for<'c> FnOnce(&'c mut SqliteConnection) -> Work<'c, T> + Send + 'static,
    ) -> Work<'_, T> {
        self.call(move |connection| {
            Box::pin(async move { work(&mut *connection.begin().await?).await })
        })
    }
}

impl Store for SqliteStore {
    crate::store::sql::reads!();

    fn append(&self, append: Append) -> StoreFuture<'_, AppendOutcome> {
        let (reply, answer) = oneshot::channel();
        Box::pin(async move {
            let closed = || StoreError::unavailable("the store is closed");
            match self.tasks.send(Task::Append((append, reply))).await {
                Ok(()) => answer.await.unwrap_or_else(|_| AppendOutcome::Unknown(closed())),
                Err(_) => AppendOutcome::Failed(closed()),
            }
        })
    }

    fn go_ahead(&self, _: DocumentId) -> StoreFuture<'_, ()> {
        // Nobody else appends.
        Box::pin(std::future::ready(()))
    }

    fn write_snapshot(
        &self,
        document: DocumentId,
        snapshot: Snapshot,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        self.write(|reply| Write::Snapshot(document, snapshot, reply))
    }

    fn create_document(&self, new: NewDocument) -> StoreFuture<'_, Result<(), StoreError>> {
        self.write(|reply| Write::Create(Box::new(new), reply))
    }

    fn rename_document(
        &self,
        document: DocumentId,
        title: String,
        now_ms: i64,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        self.write(|reply| Write::Rename(document, title, now_ms, reply))
    }

    fn set_deleted(
        &self,
        document: DocumentId,
        deleted_ms: Option<i64>,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        self.write(|reply| Write::SetDeleted(document, deleted_ms, reply))
    }

    fn mark_opened(
        &self,
        document: DocumentId,
        person: UserId,
        now_ms: i64,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        self.write(|reply| Write::MarkOpened(document, person, now_ms, reply))
    }

    fn change_rights(
        &self,
        document: DocumentId,
        change: RightsChange,
        now_ms: i64,
    ) -> StoreFuture<'_, Result<u64, StoreError>> {
        self.write(|reply| Write::ChangeRights(document, Box::new(change), now_ms, reply))
    }

    fn put_person(&self, person: PersonRecord) -> StoreFuture<'_, Result<(), StoreError>> {
        self.write(|reply| Write::PutPerson(person, reply))
    }

    fn setting_or_insert(
        &self,
        name: &'static str,
        value: Vec<u8>,
    ) -> StoreFuture<'_, Result<Vec<u8>, StoreError>> {
        Box::pin(async move {
            self.write(|reply| Write::InsertSetting(name, value, reply)).await?;
            self.call(move |c| Box::pin(read::setting(c, name))).await
        })
    }

    fn put_version(&self, version: VersionRecord) -> StoreFuture<'_, Result<(), StoreError>> {
        self.write(|reply| Write::PutVersion(version, reply))
    }

    fn rename_version(
        &self,
        document: DocumentId,
        version: VersionId,
        name: String,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        self.write(|reply| Write::RenameVersion(document, version, name, reply))
    }

    fn delete_version(
        &self,
        document: DocumentId,
        version: VersionId,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        self.write(|reply| Write::DeleteVersion(document, version, reply))
    }

    fn mark_seen(
        &self,
        document: DocumentId,
        person: UserId,
        seen: Seen,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        self.write(|reply| Write::MarkSeen(document, person, seen, reply))
    }

    fn import(&self, step: ImportStep) -> StoreFuture<'_, Result<(), StoreError>> {
        self.write(|reply| Write::Import(Box::new(step), reply))
    }

    fn pack(
        &self,
        document: DocumentId,
        pack: Pack,
    ) -> StoreFuture<'_, Result<PackOutcome, StoreError>> {
        self.write(|reply| Write::Pack(document, Box::new(pack), reply))
    }

    fn send_chat(&self, new: NewChatMessage) -> StoreFuture<'_, Result<ChatOutcome, StoreError>> {
        self.write_chat(ChatWrite::Send(new))
    }

    fn change_chat(&self, change: ChatChange) -> StoreFuture<'_, Result<ChatOutcome, StoreError>> {
        self.write_chat(ChatWrite::Change(change))
    }

    fn mark_chat_read(
        &self,
        document: DocumentId,
        person: UserId,
        number: u64,
    ) -> StoreFuture<'_, Result<ChatProgress, StoreError>> {
        Box::pin(async move {
            let reader = person.clone();
            self.write(|reply| Write::ChatRead(document, reader, number, reply)).await?;
            self.chat_progress(document, person).await
        })
    }

    fn notify(
        &self,
        new: NotificationRecord,
    ) -> StoreFuture<'_, Result<NotificationOutcome, StoreError>> {
        self.write_notification(|reply| NotificationWrite::Notify(new, reply))
    }

    fn read_notifications(
        &self,
        to: Recipient,
        which: NotificationSelection,
        now_ms: i64,
    ) -> StoreFuture<'_, Result<NotificationsMarked, StoreError>> {
        self.write_notification(|reply| NotificationWrite::Read(to, which, now_ms, reply))
    }

    fn check(&self) -> StoreFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.write(Write::Check).await?;
            self.call(|c| Box::pin(read::check(c))).await
        })
    }

    fn close(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(writer) = writer {
                let (reply, closed) = oneshot::channel();
                // Fails only when the writer has ended already.
                let _ = self.tasks.send(Task::Close(reply)).await;
                let _ = closed.await;
                // The answer, or its end without one, was the last that it did.
                if writer.join().is_err() {
                    tracing::error!("the store's writer failed");
                }
            }
            self.readers.close().await;
        })
    }
}

/// An id as SQLite holds it.
pub(super) fn id_bytes(id: u128) -> Vec<u8> {
    id.to_be_bytes().to_vec()
}

/// Another connection like the writer's, after that broke.
async fn reconnect(options: &SqliteConnectOptions) -> Result<SqliteConnection, sqlx::Error> {
    SqliteConnection::connect_with(options).await
}
