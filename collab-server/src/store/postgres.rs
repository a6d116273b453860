//! The store in PostgreSQL: several servers may share it, and the database decides between them.
//!
//! One task per server appends, with one statement per round for all documents that wait, so that
//! a commit's flush and round trip are shared. Everything else runs on a few more connections, each
//! call in a task of its own. No call is ever cancelled on a connection that is used again: one
//! that takes too long loses its connection with it.

mod ahead;
mod append;
mod appender;
mod chat;
mod config;
mod history;
mod import;
mod notification;
mod packed;
mod pool;
mod read;
mod server;
mod write;

use std::sync::{Arc, Mutex, PoisonError};

use collab_protocol::{ClientId, DocumentId, GivenRole, UserId, VersionId};
use ot_core::{ClientSeq, Revision};
use sqlx::{Connection, PgConnection};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use uuid::Uuid;

use self::ahead::Ahead;
use self::appender::{Appender, Request};
pub use self::config::PostgresConfig;
use self::pool::Pool;
pub(super) use self::read::people;
use self::server::Session;
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

/// Documents in PostgreSQL. Clones share it.
#[derive(Clone, Debug)]
pub struct PostgresStore {
    appends: mpsc::Sender<Request>,
    ahead: Ahead,
    pool: Arc<Pool>,
    appender: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl PostgresStore {
    /// Connects, checks that the database keeps what it acknowledges and brings it to this server's
    /// schema. `now_ms` dates the schema.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(config: PostgresConfig, now_ms: i64) -> Result<Self, OpenError> {
        let options = config.options()?;
        let session = Session::new(&config);
        let limit = config.timeout + config.silence_timeout;
        let mut connection = match timeout(limit, session.connect(&options)).await {
            Ok(connected) => connected?,
            Err(_) => return Err(OpenError::Silent),
        };
        migration::postgres::migrate(&mut connection, now_ms).await?;
        let pool = Pool::new(options.clone(), session.clone(), limit, config.connections);
        let (appends, waiting) = mpsc::channel(config.queue_len.max(1));
        let appender = Appender::new(connection, options, session, limit, config.group_max.max(1));
        let appender = Arc::new(Mutex::new(Some(tokio::spawn(appender.run(waiting)))));
        let ahead = Ahead::new(config.connections);
        Ok(PostgresStore { appends, ahead, pool: Arc::new(pool), appender })
    }

    /// Calls the database in a task of its own, which goes on when nobody waits any more.
    fn call<T: Send + 'static>(
        &self,
        work: impl for<'c> FnOnce(&'c mut PgConnection) -> Work<'c, T> + Send + 'static,
    ) -> Work<'_, T> {
        let pool = Arc::clone(&self.pool);
        let called = async move { pool.call(work).await };
        Box::pin(async move { tokio::spawn(called).await.map_err(StoreError::unavailable)? })
    }

    /// Reads what must fit together: all of it is of one moment of the database.
    fn moment<T: Send + 'static>(
        &self,
        work: impl for<'c> FnOnce(&'c mut PgConnection) -> Work<'c, T> + Send + 'static,
    ) -> Work<'_, T> {
        self.call(move |connection| {
            Box::pin(async move {
                let begin = "begin isolation level repeatable read read only";
                let mut moment = connection.begin_with(begin).await?;
                let found = work(&mut moment).await?;
                moment.commit().await?;
                Ok(found)
            })
        })
    }
}

/// An id as PostgreSQL holds it.
pub(super) fn uuid(id: u128) -> Uuid {
    Uuid::from_u128(id)
}

impl Store for PostgresStore {
    crate::store::sql::reads!();

    fn append(&self, append: Append) -> StoreFuture<'_, AppendOutcome> {
        let (reply, answer) = oneshot::channel();
        Box::pin(async move {
            let closed = || StoreError::unavailable("the store is closed");
            let Some((append, reply)) = self.ahead.take((append, reply)) else {
                return answer.await.unwrap_or_else(|_| AppendOutcome::Unknown(closed()));
            };
            match self.appends.send(Request::Append(append, reply)).await {
                Ok(()) => answer.await.unwrap_or_else(|_| AppendOutcome::Unknown(closed())),
                Err(_) => AppendOutcome::Failed(closed()),
            }
        })
    }

    fn go_ahead(&self, document: DocumentId) -> StoreFuture<'_, ()> {
        Box::pin(self.ahead.lock(&self.pool, document))
    }

    fn write_snapshot(
        &self,
        document: DocumentId,
        snapshot: Snapshot,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        self.call(move |connection| Box::pin(write::snapshot(connection, document, snapshot)))
    }

    fn create_document(&self, new: NewDocument) -> StoreFuture<'_, Result<(), StoreError>> {
        self.call(move |connection| Box::pin(write::create(connection, new)))
    }

    fn rename_document(
        &self,
        document: DocumentId,
        title: String,
        now_ms: i64,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        self.call(move |connection| Box::pin(write::rename(connection, document, title, now_ms)))
    }

    fn set_deleted(
        &self,
        document: DocumentId,
        deleted_ms: Option<i64>,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        self.call(move |connection| Box::pin(write::set_deleted(connection, document, deleted_ms)))
    }

    fn mark_opened(
        &self,
        document: DocumentId,
        person: UserId,
        now_ms: i64,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        self.call(move |connection| {
            Box::pin(write::mark_opened(connection, document, person, now_ms))
        })
    }

    fn change_rights(
        &self,
        document: DocumentId,
        change: RightsChange,
        now_ms: i64,
    ) -> StoreFuture<'_, Result<u64, StoreError>> {
        self.call(move |connection| {
            Box::pin(write::change_rights(connection, document, change, now_ms))
        })
    }

    fn put_person(&self, person: PersonRecord) -> StoreFuture<'_, Result<(), StoreError>> {
        self.call(move |connection| Box::pin(write::put_person(connection, person)))
    }

    fn setting_or_insert(
        &self,
        name: &'static str,
        value: Vec<u8>,
    ) -> StoreFuture<'_, Result<Vec<u8>, StoreError>> {
        self.call(move |connection| Box::pin(write::setting_or_insert(connection, name, value)))
    }

    fn put_version(&self, version: VersionRecord) -> StoreFuture<'_, Result<(), StoreError>> {
        self.call(move |connection| Box::pin(history::put_version(connection, version)))
    }

    fn rename_version(
        &self,
        document: DocumentId,
        version: VersionId,
        name: String,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        self.call(move |connection| {
            Box::pin(history::rename_version(connection, document, version, name))
        })
    }

    fn delete_version(
        &self,
        document: DocumentId,
        version: VersionId,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        self.call(move |connection| {
            Box::pin(history::delete_version(connection, document, version))
        })
    }

    fn mark_seen(
        &self,
        document: DocumentId,
        person: UserId,
        seen: Seen,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        self.call(move |connection| {
            Box::pin(history::mark_seen(connection, document, person, seen))
        })
    }

    fn import(&self, step: ImportStep) -> StoreFuture<'_, Result<(), StoreError>> {
        self.call(move |connection| Box::pin(import::import(connection, step)))
    }

    fn pack(
        &self,
        document: DocumentId,
        pack: Pack,
    ) -> StoreFuture<'_, Result<PackOutcome, StoreError>> {
        self.call(move |connection| Box::pin(packed::pack(connection, document, pack)))
    }

    fn send_chat(&self, new: NewChatMessage) -> StoreFuture<'_, Result<ChatOutcome, StoreError>> {
        self.call(move |connection| Box::pin(chat::send(connection, new)))
    }

    fn change_chat(&self, change: ChatChange) -> StoreFuture<'_, Result<ChatOutcome, StoreError>> {
        self.call(move |connection| Box::pin(chat::change(connection, change)))
    }

    fn mark_chat_read(
        &self,
        document: DocumentId,
        person: UserId,
        number: u64,
    ) -> StoreFuture<'_, Result<ChatProgress, StoreError>> {
        self.call(move |connection| Box::pin(chat::mark_read(connection, document, person, number)))
    }

    fn notify(
        &self,
        new: NotificationRecord,
    ) -> StoreFuture<'_, Result<NotificationOutcome, StoreError>> {
        self.call(move |connection| Box::pin(notification::notify(connection, new)))
    }

    fn read_notifications(
        &self,
        to: Recipient,
        which: NotificationSelection,
        now_ms: i64,
    ) -> StoreFuture<'_, Result<NotificationsMarked, StoreError>> {
        self.call(move |connection| Box::pin(notification::read(connection, to, which, now_ms)))
    }

    fn check(&self) -> StoreFuture<'_, Result<(), StoreError>> {
        self.call(|connection| Box::pin(server::check_writable(connection)))
    }

    fn close(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let task = self.appender.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(task) = task {
                // Fails only when the appender has ended already.
                let _ = self.appends.send(Request::Close).await;
                if let Err(error) = task.await {
                    tracing::error!(%error, "the store's appender failed");
                }
            }
            self.pool.close().await;
        })
    }
}
