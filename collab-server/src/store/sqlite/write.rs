//! The writes other than appends, each within a savepoint of the writer's transaction.

mod import;
mod logged;

use collab_protocol::{DocumentId, UserId, VersionId};
use sqlx::SqliteConnection;
use tokio::sync::oneshot;

use super::chat::{self, ChatWrite};
use super::history;
use super::id_bytes;
use super::notification::{NotificationWrite, NotificationWritten};
use super::packed;
use crate::rights::RightsChange;
use crate::store::StoreError;
use crate::store::chat::ChatOutcome;
use crate::store::checks::check_text;
use crate::store::error::is_constraint;
use crate::store::history::{Seen, VersionRecord};
use crate::store::import::ImportStep;
use crate::store::packed::{Pack, PackOutcome};
use crate::store::record::{CHANGE_UNFIT, DocumentRecord, NewDocument, PersonRecord, Snapshot};
use crate::store::row::integer;
use crate::store::sql::{self, head, insert_snapshot};

/// Where the answer goes.
type Reply = oneshot::Sender<Result<(), StoreError>>;

/// Something to be written, with the way to answer it.
pub(super) enum Write {
    Pack(DocumentId, Box<Pack>, oneshot::Sender<Result<PackOutcome, StoreError>>),
    Snapshot(DocumentId, Snapshot, Reply),
    Create(Box<NewDocument>, Reply),
    Rename(DocumentId, String, i64, Reply),
    SetDeleted(DocumentId, Option<i64>, Reply),
    MarkOpened(DocumentId, UserId, i64, Reply),
    ChangeRights(DocumentId, Box<RightsChange>, i64, oneshot::Sender<Result<u64, StoreError>>),
    PutPerson(PersonRecord, Reply),
    InsertSetting(&'static str, Vec<u8>, Reply),
    PutVersion(VersionRecord, Reply),
    RenameVersion(DocumentId, VersionId, String, Reply),
    DeleteVersion(DocumentId, VersionId, Reply),
    MarkSeen(DocumentId, UserId, Seen, Reply),
    Import(Box<ImportStep>, Reply),
    Chat(Box<ChatWrite>, oneshot::Sender<Result<ChatOutcome, StoreError>>),
    ChatRead(DocumentId, UserId, u64, Reply),
    Notification(Box<NotificationWrite>),
    Check(Reply),
}

/// What one write came to, if the transaction is committed.
#[derive(Debug)]
pub(super) enum Written {
    Yes,
    /// A page that lost; nothing of it is written.
    Conflict,
    /// Nothing of it is written.
    Refused(StoreError),
    /// The rights have this version with the change.
    Rights(u64),
    /// What a write to a chat came to.
    Chat(Box<ChatOutcome>),
    /// What a write of notifications came to.
    Notification(Box<NotificationWritten>),
}

/// Why the whole transaction cannot go on: the disk is full, the file is gone…
pub(super) type Broken = sqlx::Error;

impl Write {
    /// Carries the write out, all or nothing of it. The rest of the transaction stands.
    pub(super) async fn run(&self, connection: &mut SqliteConnection) -> Result<Written, Broken> {
        sqlx::query("savepoint one").execute(&mut *connection).await?;
        let written = match self.execute(connection).await {
            Ok(written) => written,
            Err(error) if is_constraint(&error) => self.refused_by(&error),
            Err(error) => return Err(error),
        };
        if matches!(written, Written::Conflict | Written::Refused(_)) {
            sqlx::query("rollback to one").execute(&mut *connection).await?;
        }
        sqlx::query("release one").execute(connection).await?;
        Ok(written)
    }

    fn refused_by(&self, constraint: &sqlx::Error) -> Written {
        match self {
            Write::Create(..) | Write::Import(..) => Written::Refused(StoreError::AlreadyExists),
            Write::MarkOpened(..) | Write::Chat(..) => Written::Refused(StoreError::NotFound),
            _ => Written::Refused(StoreError::unavailable(constraint)),
        }
    }

    async fn execute(&self, connection: &mut SqliteConnection) -> Result<Written, sqlx::Error> {
        match self {
            Write::Pack(document, pack, _) => packed::pack(connection, *document, pack).await,
            Write::Snapshot(document, snapshot, _) => {
                write_snapshot(connection, *document, snapshot).await
            }
            Write::Create(new, _) => create(connection, new).await,
            Write::Rename(document, title, now_ms, _) => {
                rename(connection, *document, title, *now_ms).await
            }
            Write::SetDeleted(document, deleted_ms, _) => {
                set_deleted(connection, *document, *deleted_ms).await
            }
            Write::MarkOpened(document, person, now_ms, _) => {
                mark_opened(connection, *document, person, *now_ms).await
            }
            Write::ChangeRights(document, change, now_ms, _) => {
                change_rights(connection, *document, change, *now_ms).await
            }
            Write::PutPerson(person, _) => put_person(connection, person).await,
            Write::InsertSetting(name, value, _) => insert_setting(connection, name, value).await,
            Write::PutVersion(version, _) => history::put_version(connection, version).await,
            Write::RenameVersion(document, version, name, _) => {
                history::rename_version(connection, *document, *version, name).await
            }
            Write::DeleteVersion(document, version, _) => {
                history::delete_version(connection, *document, *version).await
            }
            Write::MarkSeen(document, person, seen, _) => {
                history::mark_seen(connection, *document, person, *seen).await
            }
            Write::Import(step, _) => import::import(connection, step).await,
            Write::Chat(write, _) => write.run(connection).await,
            Write::ChatRead(document, person, number, _) => {
                chat::mark_read(connection, *document, person, *number).await
            }
            Write::Notification(write) => {
                Ok(Written::Notification(Box::new(write.run(connection).await?)))
            }
            Write::Check(_) => Ok(Written::Yes),
        }
    }

    /// Tells who waits that the transaction is committed.
    pub(super) fn committed(self, written: Written) {
        // Who asked may have gone; then nobody is to be told.
        match (self, written) {
            (Write::Pack(.., reply), Written::Yes) => drop(reply.send(Ok(PackOutcome::Done))),
            (Write::Pack(.., reply), Written::Conflict) => {
                drop(reply.send(Ok(PackOutcome::Conflict)));
            }
            (Write::ChangeRights(.., reply), Written::Rights(version)) => {
                drop(reply.send(Ok(version)));
            }
            (Write::Chat(_, reply), Written::Chat(outcome)) => drop(reply.send(Ok(*outcome))),
            (Write::Notification(write), Written::Notification(written)) => {
                write.committed(*written);
            }
            (other, Written::Refused(error)) => other.answer(Err(error)),
            (other, _) => other.answer(Ok(())),
        }
    }

    /// Tells who waits that nothing was written, or that nobody knows.
    pub(super) fn failed(self, error: StoreError) {
        self.answer(Err(error));
    }

    fn answer(self, result: Result<(), StoreError>) {
        match self {
            Write::Snapshot(.., reply)
            | Write::Create(_, reply)
            | Write::Rename(.., reply)
            | Write::SetDeleted(.., reply)
            | Write::MarkOpened(.., reply)
            | Write::PutPerson(_, reply)
            | Write::InsertSetting(.., reply)
            | Write::PutVersion(_, reply)
            | Write::RenameVersion(.., reply)
            | Write::DeleteVersion(.., reply)
            | Write::MarkSeen(.., reply)
            | Write::Import(_, reply)
            | Write::ChatRead(.., reply)
            | Write::Check(reply) => drop(reply.send(result)),
            Write::Pack(.., reply) => {
                drop(reply.send(result.map(|()| PackOutcome::Done)));
            }
            Write::ChangeRights(.., reply) => drop(reply.send(Err(nothing(result)))),
            Write::Chat(_, reply) => drop(reply.send(Err(nothing(result)))),
            Write::Notification(write) => write.failed(nothing(result)),
        }
    }
}

/// Why a write that answers with more than that it is done has not done anything.
fn nothing(result: Result<(), StoreError>) -> StoreError {
    result.err().unwrap_or_else(|| StoreError::unavailable("the write came to nothing"))
}

async fn write_snapshot(
    connection: &mut SqliteConnection,
    document: DocumentId,
    snapshot: &Snapshot,
) -> Result<Written, sqlx::Error> {
    if let Err(error) = check_text(&snapshot.text) {
        return Ok(Written::Refused(error));
    }
    let Some(head) = head(connection, document).await? else {
        return Ok(Written::Refused(StoreError::NotFound));
    };
    if let Err(error) = snapshot.check_reached(document, head) {
        return Ok(Written::Refused(error));
    }
    insert_snapshot(connection, document, snapshot).await?;
    Ok(Written::Yes)
}

async fn create(
    connection: &mut SqliteConnection,
    new: &NewDocument,
) -> Result<Written, sqlx::Error> {
    let first = match check_text(&new.title).and_then(|()| new.first_operation()) {
        Ok(first) => first,
        Err(error) => return Ok(Written::Refused(error)),
    };
    let record = new.record(first.as_ref());
    insert_document(connection, &record).await?;
    if let Some(first) = &first {
        logged::insert_first(connection, &id_bytes(record.id.get()), first).await?;
    }
    mark_opened(connection, record.id, &record.owner, record.created_ms).await
}

async fn insert_document(
    connection: &mut SqliteConnection,
    record: &DocumentRecord,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into document (document_id, title, title_search, tenant_id, owner_id, link,
             rights_version, epoch, text_key, revision, chain, len_chars, created_ms, updated_ms,
             deleted_ms)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id_bytes(record.id.get()))
    .bind(record.title.clone())
    .bind(record.title.to_lowercase())
    .bind(record.tenant.as_str().to_owned())
    .bind(record.owner.as_str().to_owned())
    .bind(record.link.as_str())
    .bind(integer(record.rights_version))
    .bind(id_bytes(record.epoch.get()))
    .bind(record.text_key.as_bytes().to_vec())
    .bind(integer(record.revision.get()))
    .bind(record.chain.as_bytes().to_vec())
    .bind(integer(record.len_chars))
    .bind(record.created_ms)
    .bind(record.updated_ms)
    .bind(record.deleted_ms)
    .execute(connection)
    .await?;
    Ok(())
}

/// Found, unless no row was touched.
pub(super) fn found(touched: u64) -> Written {
    if touched == 0 { Written::Refused(StoreError::NotFound) } else { Written::Yes }
}

async fn rename(
    connection: &mut SqliteConnection,
    document: DocumentId,
    title: &str,
    now_ms: i64,
) -> Result<Written, sqlx::Error> {
    if let Err(error) = check_text(title) {
        return Ok(Written::Refused(error));
    }
    let renamed = sqlx::query(
        "update document set title = ?, title_search = ?, updated_ms = ? where document_id = ?",
    )
    .bind(title.to_owned())
    .bind(title.to_lowercase())
    .bind(now_ms)
    .bind(id_bytes(document.get()))
    .execute(connection)
    .await?;
    Ok(found(renamed.rows_affected()))
}

async fn set_deleted(
    connection: &mut SqliteConnection,
    document: DocumentId,
    deleted_ms: Option<i64>,
) -> Result<Written, sqlx::Error> {
    let sql = match deleted_ms {
        Some(_) => "update document set deleted_ms = coalesce(deleted_ms, ?) where document_id = ?",
        None => {
            "update document set deleted_ms = ? where document_id = ? and not exists (
                 select 1 from document_import where document_id = document.document_id
             )"
        }
    };
    let changed =
        sqlx::query(sql).bind(deleted_ms).bind(id_bytes(document.get())).execute(connection);
    Ok(found(changed.await?.rows_affected()))
}

async fn mark_opened(
    connection: &mut SqliteConnection,
    document: DocumentId,
    person: &UserId,
    now_ms: i64,
) -> Result<Written, sqlx::Error> {
    sqlx::query(
        "insert into document_opened (person_id, document_id, opened_ms) values (?, ?, ?)
         on conflict (person_id, document_id) do update set opened_ms = excluded.opened_ms",
    )
    .bind(person.as_str().to_owned())
    .bind(id_bytes(document.get()))
    .bind(now_ms)
    .execute(connection)
    .await?;
    Ok(Written::Yes)
}

async fn change_rights(
    connection: &mut SqliteConnection,
    document: DocumentId,
    change: &RightsChange,
    now_ms: i64,
) -> Result<Written, sqlx::Error> {
    if let Some(version) = sql::change_rights(connection, document, change, now_ms).await? {
        return Ok(Written::Rights(version));
    }
    let is_there = head(connection, document).await?.is_some();
    Ok(Written::Refused(if is_there { CHANGE_UNFIT } else { StoreError::NotFound }))
}

/// As if the owner had opened the document when it last changed.
async fn mark_opened_by_owner(
    connection: &mut SqliteConnection,
    document: DocumentId,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into document_opened (person_id, document_id, opened_ms)
         select owner_id, document_id, updated_ms from document where document_id = ?
         on conflict (person_id, document_id) do nothing",
    )
    .bind(id_bytes(document.get()))
    .execute(connection)
    .await?;
    Ok(())
}

async fn put_person(
    connection: &mut SqliteConnection,
    person: &PersonRecord,
) -> Result<Written, sqlx::Error> {
    if let Err(error) = check_text(&person.name) {
        return Ok(Written::Refused(error));
    }
    sqlx::query(
        "insert into person (person_id, name, color, created_ms) values (?, ?, ?, ?)
         on conflict (person_id) do update set
             name = excluded.name,
             color = excluded.color,
             created_ms = min(person.created_ms, excluded.created_ms)",
    )
    .bind(person.id.as_str().to_owned())
    .bind(person.name.clone())
    .bind(i64::from(person.color))
    .bind(person.created_ms)
    .execute(connection)
    .await?;
    Ok(Written::Yes)
}

async fn insert_setting(
    connection: &mut SqliteConnection,
    name: &'static str,
    value: &[u8],
) -> Result<Written, sqlx::Error> {
    sqlx::query("insert into setting (name, value) values (?, ?) on conflict (name) do nothing")
        .bind(name)
        .bind(value.to_vec())
        .execute(connection)
        .await?;
    Ok(Written::Yes)
}
