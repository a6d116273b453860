//! History beside the operations: where a time lies, who was active when, versions, what was seen.

use collab_protocol::{DocumentId, UserId, VersionId};
use ot_core::Revision;
use sqlx::SqliteConnection;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use super::id_bytes;
use super::packed;
use super::read;
use super::write::{Written, found};
use crate::store::StoreError;
use crate::store::checks::check_text;
use crate::store::history::{Activities, Activity, Seen, VersionRecord, check_reached};
use crate::store::record::Snapshot;
use crate::store::row::{self, Columns, corrupt, integer, unsigned, user};

pub(super) async fn snapshot_at_or_before(
    readers: SqlitePool,
    document: DocumentId,
    revision: Revision,
) -> Result<Option<Snapshot>, StoreError> {
    let mut moment = readers.begin().await?;
    read::record(&mut moment, document).await?;
    let found = sqlx::query(
        "select revision, body, body_hash, chain, time_ms, row_hash from snapshot
         where document_id = ? and revision <= ? order by revision desc limit 1",
    )
    .bind(id_bytes(document.get()))
    .bind(integer(revision.get()))
    .fetch_optional(&mut *moment)
    .await?;
    found.map(|found| row::snapshot(document, &found)).transpose()
}

/// In the packed page of that time, or by bisection: a look at one row halves the log.
pub(super) async fn revision_at(
    readers: SqlitePool,
    document: DocumentId,
    time_ms: i64,
) -> Result<Revision, StoreError> {
    let mut moment = readers.begin().await?;
    let head = read::record(&mut moment, document).await?.revision.get();
    if let Some(revision) = packed::revision_at(&mut moment, document, time_ms).await? {
        return Ok(revision);
    }
    let (mut before, mut after) = (packed::end(&mut moment, document).await?.get(), head + 1);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        let time: i64 = sqlx::query_scalar(
            "select time_ms from operation where document_id = ? and revision = ?",
        )
        .bind(id_bytes(document.get()))
        .bind(integer(middle))
        .fetch_one(&mut *moment)
        .await?;
        if time <= time_ms {
            before = middle;
        } else {
            after = middle;
        }
    }
    Ok(Revision::new(before))
}

pub(super) async fn activity(
    readers: SqlitePool,
    document: DocumentId,
    width: u64,
) -> Result<Vec<Activity>, StoreError> {
    let mut moment = readers.begin().await?;
    read::record(&mut moment, document).await?;
    let rows = sqlx::query(
        "select author_id, count(*) as operations, min(revision) as first, max(revision) as last,
             min(time_ms) as first_ms, max(time_ms) as last_ms
         from operation where document_id = ?
         group by (revision - 1) / ?, author_id order by (revision - 1) / ?2, author_id",
    )
    .bind(id_bytes(document.get()))
    .bind(integer(width.max(1)))
    .fetch_all(&mut *moment)
    .await?;
    let in_rows: Result<Vec<Activity>, StoreError> =
        rows.iter().map(|row| read_activity(row).map_err(corrupt(document))).collect();
    let mut found = Activities::new(width);
    let mut at = Revision::ZERO;
    while let Some(page) = packed::page_behind(&mut moment, document, at).await? {
        at = page.last;
        found = found.with_page(document, page).await?;
    }
    found.add_rows(in_rows?);
    Ok(found.finish())
}

fn read_activity(row: &SqliteRow) -> Result<Activity, String> {
    Ok(Activity {
        author: user(row, "author_id")?,
        first: Revision::new(unsigned(row, "first")?),
        last: Revision::new(unsigned(row, "last")?),
        operations: unsigned(row, "operations")?,
        first_ms: row.integer("first_ms")?,
        last_ms: row.integer("last_ms")?,
    })
}

pub(super) async fn versions(
    readers: SqlitePool,
    document: DocumentId,
) -> Result<Vec<VersionRecord>, StoreError> {
    let rows = sqlx::query(
        "select version_id, revision, name, author_id, time_ms from version
         where document_id = ? order by revision, time_ms, version_id",
    )
    .bind(id_bytes(document.get()))
    .fetch_all(&readers)
    .await?;
    rows.iter().map(|row| read_version(document, row).map_err(corrupt(document))).collect()
}

fn read_version(document: DocumentId, row: &SqliteRow) -> Result<VersionRecord, String> {
    Ok(VersionRecord {
        id: VersionId::new(row::id(row, "version_id")?),
        document,
        revision: Revision::new(unsigned(row, "revision")?),
        name: row.text("name")?.to_owned(),
        author: user(row, "author_id")?,
        time_ms: row.integer("time_ms")?,
    })
}

pub(super) async fn seen(
    readers: SqlitePool,
    document: DocumentId,
    person: UserId,
) -> Result<Option<Seen>, StoreError> {
    let found = sqlx::query(
        "select revision, time_ms from document_seen where document_id = ? and person_id = ?",
    )
    .bind(id_bytes(document.get()))
    .bind(person.as_str().to_owned())
    .fetch_optional(&readers)
    .await?;
    let read = |row: SqliteRow| {
        let revision = Revision::new(unsigned(&row, "revision")?);
        Ok(Seen { revision, time_ms: row.integer("time_ms")? })
    };
    found.map(|row| read(row).map_err(corrupt(document))).transpose()
}

/// What keeps something from being noted about a revision of a document, if anything does.
async fn refusal(
    connection: &mut SqliteConnection,
    document: DocumentId,
    revision: Revision,
) -> Result<Option<Written>, sqlx::Error> {
    let head: Option<i64> =
        sqlx::query_scalar("select revision from document where document_id = ?")
            .bind(id_bytes(document.get()))
            .fetch_optional(connection)
            .await?;
    let reached = match head {
        None => Err(StoreError::NotFound),
        Some(head) => check_reached(revision, Revision::new(head.cast_unsigned())),
    };
    Ok(reached.err().map(Written::Refused))
}

pub(super) async fn put_version(
    connection: &mut SqliteConnection,
    version: &VersionRecord,
) -> Result<Written, sqlx::Error> {
    if let Err(error) = check_text(&version.name) {
        return Ok(Written::Refused(error));
    }
    if let Some(refused) = refusal(connection, version.document, version.revision).await? {
        return Ok(refused);
    }
    sqlx::query(
        "insert into version (version_id, document_id, revision, name, author_id, time_ms)
         values (?, ?, ?, ?, ?, ?)
         on conflict (version_id) do update set name = excluded.name",
    )
    .bind(id_bytes(version.id.get()))
    .bind(id_bytes(version.document.get()))
    .bind(integer(version.revision.get()))
    .bind(version.name.clone())
    .bind(version.author.as_str().to_owned())
    .bind(version.time_ms)
    .execute(connection)
    .await?;
    Ok(Written::Yes)
}

pub(super) async fn delete_version(
    connection: &mut SqliteConnection,
    document: DocumentId,
    version: VersionId,
) -> Result<Written, sqlx::Error> {
    let deleted = sqlx::query("delete from version where document_id = ? and version_id = ?")
        .bind(id_bytes(document.get()))
        .bind(id_bytes(version.get()))
        .execute(connection)
        .await?;
    Ok(found(deleted.rows_affected()))
}

pub(super) async fn mark_seen(
    connection: &mut SqliteConnection,
    document: DocumentId,
    person: &UserId,
    seen: Seen,
) -> Result<Written, sqlx::Error> {
    if let Some(refused) = refusal(connection, document, seen.revision).await? {
        return Ok(refused);
    }
    sqlx::query(
        "insert into document_seen (document_id, person_id, revision, time_ms)
         values (?, ?, ?, ?)
         on conflict (document_id, person_id) do update set
             revision = excluded.revision, time_ms = excluded.time_ms
         where excluded.revision >= document_seen.revision",
    )
    .bind(id_bytes(document.get()))
    .bind(person.as_str().to_owned())
    .bind(integer(seen.revision.get()))
    .bind(seen.time_ms)
    .execute(connection)
    .await?;
    Ok(Written::Yes)
}
