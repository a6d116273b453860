//! SQL as every database here understands it: one text, with `$1`, `$2`, … in place of its values.
//!
//! What is asked in the same words of every database is written once, below, for any [`Sql`]. A
//! database's own module keeps what only it says or does: how it appends, puts in many rows at
//! once and lets one writer wait for another.

mod audit;
mod chat;
mod history;
mod log;
mod notification;
mod packed;
mod rights;

use std::future::Future;
use std::pin::Pin;

use collab_protocol::{
    ClientId, DocumentId, MessageId, NotificationId, TenantId, UserId, VersionId,
};
use ot_core::{ClientSeq, Revision};
use sqlx::postgres::{PgRow, Postgres};
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{Database, PgConnection, SqlSafeStr, SqliteConnection};

use super::record::PersonRecord;
use super::row::{Columns, integer};
use super::{Work, postgres, sqlite};

pub(super) use self::audit::{Scan, clients, document_ids, orphans, snapshot_revisions};
pub(super) use self::chat::{
    change_chat, chat, chat_heads, chat_marks, chat_progress, lock_chat, mark_chat_read, send_chat,
};
pub(super) use self::history::{
    activity, delete_version, mark_seen, put_version, rename_version, revision_at, seen,
    snapshot_at_or_before, versions,
};
pub(super) use self::log::{
    find_submission, head, insert_snapshot, list, load, progress, record, since,
};
pub(super) use self::notification::{notifications, notify, read_notifications};
pub(super) use self::packed::{
    delete_packed, fits, insert_page, packed_clients, packed_log, packed_pages, thin,
};
pub(super) use self::rights::{access, change_rights, heads, rights, visitors};

/// A value in a statement.
pub(super) enum Value {
    Id(u128),
    Integer(i64),
    /// A number, or null.
    Optional(Option<i64>),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<DocumentId> for Value {
    fn from(id: DocumentId) -> Self {
        Value::Id(id.get())
    }
}

impl From<ClientId> for Value {
    fn from(id: ClientId) -> Self {
        Value::Id(id.get())
    }
}

impl From<MessageId> for Value {
    fn from(id: MessageId) -> Self {
        Value::Id(id.get())
    }
}

impl From<NotificationId> for Value {
    fn from(id: NotificationId) -> Self {
        Value::Id(id.get())
    }
}

impl From<VersionId> for Value {
    fn from(id: VersionId) -> Self {
        Value::Id(id.get())
    }
}

impl From<Revision> for Value {
    fn from(revision: Revision) -> Self {
        Value::Integer(integer(revision.get()))
    }
}

impl From<ClientSeq> for Value {
    fn from(seq: ClientSeq) -> Self {
        Value::Integer(integer(seq.get()))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Integer(number)
    }
}

impl From<&UserId> for Value {
    fn from(person: &UserId) -> Self {
        Value::Text(person.as_str().to_owned())
    }
}

impl From<&TenantId> for Value {
    fn from(tenant: &TenantId) -> Self {
        Value::Text(tenant.as_str().to_owned())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Value::Bytes(bytes.to_vec())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

/// What a statement comes to. Boxed, since what is asked must not become part of the type: the
/// compiler would not see that a task that asks may go from thread to thread.
type Answer<'c, T> = Pin<Box<dyn Future<Output = Result<T, sqlx::Error>> + Send + 'c>>;

/// A connection that carries out one statement at a time, with its values in order.
pub(super) trait Sql: Send {
    type Row: Columns + Send + Sync;

    /// The function that gives the greatest of its arguments.
    const GREATEST: &'static str;
    /// The function that gives the place of its second text in its first, or 0.
    const PLACE: &'static str;

    fn rows(
        &mut self,
        sql: impl SqlSafeStr,
        values: impl Into<Vec<Value>>,
    ) -> Answer<'_, Vec<Self::Row>>;

    fn optional_row(
        &mut self,
        sql: impl SqlSafeStr,
        values: impl Into<Vec<Value>>,
    ) -> Answer<'_, Option<Self::Row>>;

    /// The one row that there is; [`sqlx::Error::RowNotFound`] without one.
    fn row(&mut self, sql: impl SqlSafeStr, values: impl Into<Vec<Value>>)
    -> Answer<'_, Self::Row>;

    /// How many rows it touched.
    fn execute(&mut self, sql: impl SqlSafeStr, values: impl Into<Vec<Value>>) -> Answer<'_, u64>;

    /// The people with these ids, as far as they are known.
    fn people<'c>(&'c mut self, ids: &'c [UserId]) -> Work<'c, Vec<PersonRecord>>;
}

macro_rules! sql_in {
    ($database:ty, $connection:ty, $row:ty, $bound:ident: $module:ident::$id:ident,
     greatest: $greatest:literal, place: $place:literal) => {
        fn $bound(
            sql: impl SqlSafeStr,
            values: impl Into<Vec<Value>>,
        ) -> Query<'static, $database, <$database as Database>::Arguments> {
            values.into().into_iter().fold(sqlx::query(sql), |query, value| match value {
                Value::Id(id) => query.bind($module::$id(id)),
                Value::Integer(number) => query.bind(number),
                Value::Optional(number) => query.bind(number),
                Value::Text(text) => query.bind(text),
                Value::Bytes(bytes) => query.bind(bytes),
            })
        }

        impl Sql for $connection {
            type Row = $row;

            const GREATEST: &'static str = $greatest;
            const PLACE: &'static str = $place;

            fn rows(
                &mut self,
                sql: impl SqlSafeStr,
                values: impl Into<Vec<Value>>,
            ) -> Answer<'_, Vec<$row>> {
                Box::pin($bound(sql, values).fetch_all(self))
            }

            fn optional_row(
                &mut self,
                sql: impl SqlSafeStr,
                values: impl Into<Vec<Value>>,
            ) -> Answer<'_, Option<$row>> {
                Box::pin($bound(sql, values).fetch_optional(self))
            }

            fn row(
                &mut self,
                sql: impl SqlSafeStr,
                values: impl Into<Vec<Value>>,
            ) -> Answer<'_, $row> {
                Box::pin($bound(sql, values).fetch_one(self))
            }

            fn execute(
                &mut self,
                sql: impl SqlSafeStr,
                values: impl Into<Vec<Value>>,
            ) -> Answer<'_, u64> {
                let query = $bound(sql, values);
                Box::pin(async move { Ok(query.execute(self).await?.rows_affected()) })
            }

            fn people<'c>(&'c mut self, ids: &'c [UserId]) -> Work<'c, Vec<PersonRecord>> {
                Box::pin($module::people(self, ids))
            }
        }
    };
}

sql_in!(
    Sqlite, SqliteConnection, SqliteRow, bound_in_sqlite: sqlite::id_bytes,
    greatest: "max", place: "instr"
);
sql_in!(
    Postgres, PgConnection, PgRow, bound_in_postgres: postgres::uuid,
    greatest: "greatest", place: "strpos"
);

/// The methods of a store that only read. Beside them it needs `call`, which does something on a
/// connection, and `moment`, which does it in one transaction that sees one moment of the database.
macro_rules! reads {
    () => {
        fn load(&self, document: DocumentId) -> StoreFuture<'_, Result<Loaded, StoreError>> {
            self.moment(move |c| Box::pin(sql::load(c, document)))
        }

        fn since(
            &self,
            document: DocumentId,
            after: Revision,
            page: PageLimit,
        ) -> StoreFuture<'_, Result<TailPage, StoreError>> {
            self.moment(move |c| Box::pin(sql::since(c, document, after, page)))
        }

        fn find_submission(
            &self,
            document: DocumentId,
            client: ClientId,
            seq: ClientSeq,
        ) -> StoreFuture<'_, Result<Option<Revision>, StoreError>> {
            self.moment(move |c| Box::pin(sql::find_submission(c, document, client, seq)))
        }

        fn progress(
            &self,
            document: DocumentId,
            client: ClientId,
        ) -> StoreFuture<'_, Result<Option<ClientProgress>, StoreError>> {
            self.call(move |c| Box::pin(sql::progress(c, document, client)))
        }

        fn document(
            &self,
            document: DocumentId,
        ) -> StoreFuture<'_, Result<DocumentRecord, StoreError>> {
            self.call(move |c| Box::pin(sql::record(c, document)))
        }

        fn rights(&self, document: DocumentId) -> StoreFuture<'_, Result<Rights, StoreError>> {
            self.moment(move |c| Box::pin(sql::rights(c, document)))
        }

        fn access(
            &self,
            document: DocumentId,
            person: UserId,
        ) -> StoreFuture<'_, Result<(DocumentRecord, Option<GivenRole>), StoreError>> {
            self.call(move |c| Box::pin(sql::access(c, document, person)))
        }

        fn heads(
            &self,
            documents: Vec<DocumentId>,
        ) -> StoreFuture<'_, Result<Vec<DocumentHead>, StoreError>> {
            self.call(move |c| Box::pin(sql::heads(c, documents)))
        }

        fn visitors(
            &self,
            document: DocumentId,
            limit: u32,
        ) -> StoreFuture<'_, Result<Vec<UserId>, StoreError>> {
            self.call(move |c| Box::pin(sql::visitors(c, document, limit)))
        }

        fn list_documents(
            &self,
            query: ListQuery,
        ) -> StoreFuture<'_, Result<DocumentPage, StoreError>> {
            self.call(move |c| Box::pin(sql::list(c, query)))
        }

        fn people(
            &self,
            ids: Vec<UserId>,
        ) -> StoreFuture<'_, Result<Vec<PersonRecord>, StoreError>> {
            self.call(move |c| Box::pin(async move { sql::Sql::people(c, &ids).await }))
        }

        fn snapshot_at_or_before(
            &self,
            document: DocumentId,
            revision: Revision,
        ) -> StoreFuture<'_, Result<Option<Snapshot>, StoreError>> {
            self.moment(move |c| Box::pin(sql::snapshot_at_or_before(c, document, revision)))
        }

        fn revision_at(
            &self,
            document: DocumentId,
            time_ms: i64,
        ) -> StoreFuture<'_, Result<Revision, StoreError>> {
            self.moment(move |c| Box::pin(sql::revision_at(c, document, time_ms)))
        }

        fn activity(
            &self,
            document: DocumentId,
            width: u64,
        ) -> StoreFuture<'_, Result<Vec<Activity>, StoreError>> {
            self.moment(move |c| Box::pin(sql::activity(c, document, width)))
        }

        fn versions(
            &self,
            document: DocumentId,
        ) -> StoreFuture<'_, Result<Vec<VersionRecord>, StoreError>> {
            self.call(move |c| Box::pin(sql::versions(c, document)))
        }

        fn seen(
            &self,
            document: DocumentId,
            person: UserId,
        ) -> StoreFuture<'_, Result<Option<Seen>, StoreError>> {
            self.call(move |c| Box::pin(sql::seen(c, document, person)))
        }

        fn packed_log(
            &self,
            document: DocumentId,
        ) -> StoreFuture<'_, Result<Vec<PackedSpan>, StoreError>> {
            self.moment(move |c| Box::pin(sql::packed_log(c, document)))
        }

        fn packed_pages(
            &self,
            document: DocumentId,
            after: Revision,
            page: PageLimit,
        ) -> StoreFuture<'_, Result<Vec<PackedRow>, StoreError>> {
            self.moment(move |c| Box::pin(sql::packed_pages(c, document, after, page)))
        }

        fn document_ids(
            &self,
            after: Option<DocumentId>,
            limit: u32,
        ) -> StoreFuture<'_, Result<Vec<DocumentId>, StoreError>> {
            self.call(move |c| Box::pin(sql::document_ids(c, after, limit)))
        }

        fn snapshot_revisions(
            &self,
            document: DocumentId,
        ) -> StoreFuture<'_, Result<Vec<Revision>, StoreError>> {
            self.call(move |c| Box::pin(sql::snapshot_revisions(c, document)))
        }

        fn clients(
            &self,
            document: DocumentId,
            after: Option<ClientId>,
            limit: u32,
        ) -> StoreFuture<'_, Result<Vec<(ClientId, ClientProgress)>, StoreError>> {
            self.call(move |c| Box::pin(sql::clients(c, document, after, limit)))
        }

        fn packed_clients(
            &self,
            document: DocumentId,
            last: Revision,
        ) -> StoreFuture<'_, Result<Vec<PackedClient>, StoreError>> {
            self.call(move |c| Box::pin(sql::packed_clients(c, document, last)))
        }

        fn chat(
            &self,
            document: DocumentId,
            range: ChatRange,
            limit: u32,
        ) -> StoreFuture<'_, Result<ChatExtract, StoreError>> {
            self.moment(move |c| Box::pin(sql::chat(c, document, range, limit)))
        }

        fn chat_heads(
            &self,
            documents: Vec<DocumentId>,
        ) -> StoreFuture<'_, Result<Vec<(DocumentId, ChatHead)>, StoreError>> {
            self.call(move |c| Box::pin(sql::chat_heads(c, documents)))
        }

        fn chat_marks(
            &self,
            document: DocumentId,
            people: Vec<UserId>,
        ) -> StoreFuture<'_, Result<Vec<(UserId, u64)>, StoreError>> {
            self.call(move |c| Box::pin(sql::chat_marks(c, document, people)))
        }

        fn chat_progress(
            &self,
            document: DocumentId,
            person: UserId,
        ) -> StoreFuture<'_, Result<ChatProgress, StoreError>> {
            self.moment(move |c| Box::pin(sql::chat_progress(c, document, person)))
        }

        fn notifications(
            &self,
            to: Recipient,
            range: NotificationRange,
            limit: u32,
        ) -> StoreFuture<'_, Result<NotificationExtract, StoreError>> {
            self.moment(move |c| {
                Box::pin(async move { sql::notifications(c, &to, range, limit).await })
            })
        }

        fn orphans(&self, limit: u32) -> StoreFuture<'_, Result<Vec<String>, StoreError>> {
            Box::pin(async move {
                let mut found = Vec::new();
                // Each in a call of its own: together they may take longer than one call should.
                for scan in sql::Scan::ALL {
                    found.extend(self.call(move |c| Box::pin(sql::orphans(c, scan, limit))).await?);
                }
                found.truncate(limit as usize);
                Ok(found)
            })
        }
    };
}

pub(super) use reads;
