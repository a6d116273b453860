//! History beside the operations: where a time lies, who was active when, versions, what was seen.

use collab_protocol::{DocumentId, UserId, VersionId};
use ot_core::Revision;
use sqlx::postgres::PgRow;
use sqlx::{Connection, PgConnection};

use super::packed;
use super::read::{document, moment};
use super::uuid;
use super::write::found;
use crate::store::StoreError;
use crate::store::checks::check_text;
use crate::store::history::{Activities, Activity, Seen, VersionRecord, check_reached};
use crate::store::record::Snapshot;
use crate::store::row::{self, Columns, corrupt, integer, unsigned, user};

pub(super) async fn snapshot_at_or_before(
    connection: &mut PgConnection,
    id: DocumentId,
    revision: Revision,
) -> Result<Option<Snapshot>, StoreError> {
    let mut moment = moment(connection).await?;
    document(&mut moment, id).await?;
    let found = sqlx::query(
        "select revision, body, body_hash, chain, time_ms, row_hash from snapshot
         where document_id = $1 and revision <= $2 order by revision desc limit 1",
    )
    .bind(uuid(id.get()))
    .bind(integer(revision.get()))
    .fetch_optional(&mut *moment)
    .await?;
    moment.commit().await?;
    found.map(|found| row::snapshot(id, &found)).transpose()
}

/// In the packed page of that time, or by bisection in the database: a look at one row halves the
/// log.
pub(super) async fn revision_at(
    connection: &mut PgConnection,
    id: DocumentId,
    time_ms: i64,
) -> Result<Revision, StoreError> {
    let mut moment = moment(connection).await?;
    let head = document(&mut moment, id).await?.revision;
    if let Some(revision) = packed::revision_at(&mut moment, id, time_ms).await? {
        moment.commit().await?;
        return Ok(revision);
    }
    let packed = packed::end(&mut moment, id).await?;
    let before: i64 = sqlx::query_scalar(
        "with recursive bisection (before, after) as (
             select $4::bigint, $2 + 1
             union all
             select case when time_ms <= $3 then revision else before end,
                    case when time_ms <= $3 then after else revision end
             from bisection join operation
                 on document_id = $1 and revision = before + (after - before) / 2
             where after - before > 1
         )
         select before from bisection order by after - before limit 1",
    )
    .bind(uuid(id.get()))
    .bind(integer(head.get()))
    .bind(time_ms)
    .bind(integer(packed.get()))
    .fetch_one(&mut *moment)
    .await?;
    moment.commit().await?;
    Ok(Revision::new(before.cast_unsigned()))
}

pub(super) async fn activity(
    connection: &mut PgConnection,
    id: DocumentId,
    width: u64,
) -> Result<Vec<Activity>, StoreError> {
    let mut moment = moment(connection).await?;
    document(&mut moment, id).await?;
    let rows = sqlx::query(
        "select author_id, count(*) as operations, min(revision) as first, max(revision) as last,
             min(time_ms) as first_ms, max(time_ms) as last_ms
         from operation where document_id = $1
         group by (revision - 1) / $2, author_id order by (revision - 1) / $2",
    )
    .bind(uuid(id.get()))
    .bind(integer(width.max(1)))
    .fetch_all(&mut *moment)
    .await?;
    let in_rows: Result<Vec<Activity>, StoreError> =
        rows.iter().map(|row| read_activity(row).map_err(corrupt(id))).collect();
    let mut found = Activities::new(width);
    let mut at = Revision::ZERO;
    while let Some(page) = packed::page_behind(&mut moment, id, at).await? {
        at = page.last;
        found = found.with_page(id, page).await?;
    }
    moment.commit().await?;
    found.add_rows(in_rows?);
    Ok(found.finish())
}

fn read_activity(row: &PgRow) -> Result<Activity, String> {
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
    connection: &mut PgConnection,
    document: DocumentId,
) -> Result<Vec<VersionRecord>, StoreError> {
    let rows = sqlx::query(
        "select version_id, revision, name, author_id, time_ms from version
         where document_id = $1 order by revision, time_ms, version_id",
    )
    .bind(uuid(document.get()))
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| read_version(document, row).map_err(corrupt(document))).collect()
}

fn read_version(document: DocumentId, row: &PgRow) -> Result<VersionRecord, String> {
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
    connection: &mut PgConnection,
    document: DocumentId,
    person: UserId,
) -> Result<Option<Seen>, StoreError> {
    let found = sqlx::query(
        "select revision, time_ms from document_seen where document_id = $1 and person_id = $2",
    )
    .bind(uuid(document.get()))
    .bind(person.as_str())
    .fetch_optional(connection)
    .await?;
    let read = |row: PgRow| {
        let revision = Revision::new(unsigned(&row, "revision")?);
        Ok(Seen { revision, time_ms: row.integer("time_ms")? })
    };
    found.map(|row| read(row).map_err(corrupt(document))).transpose()
}

/// Refuses to note anything about a revision that the log has not reached. A log never gets
/// shorter, so what holds now holds when it is noted.
async fn check_is_reached(
    connection: &mut PgConnection,
    document: DocumentId,
    revision: Revision,
) -> Result<(), StoreError> {
    let head: i64 = sqlx::query_scalar("select revision from document where document_id = $1")
        .bind(uuid(document.get()))
        .fetch_one(connection)
        .await?;
    check_reached(revision, Revision::new(head.cast_unsigned()))
}

pub(super) async fn put_version(
    connection: &mut PgConnection,
    version: VersionRecord,
) -> Result<(), StoreError> {
    check_text(&version.name)?;
    let mut transaction = connection.begin().await?;
    check_is_reached(&mut transaction, version.document, version.revision).await?;
    sqlx::query(
        "insert into version (version_id, document_id, revision, name, author_id, time_ms)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (version_id) do update set name = excluded.name",
    )
    .bind(uuid(version.id.get()))
    .bind(uuid(version.document.get()))
    .bind(integer(version.revision.get()))
    .bind(&version.name)
    .bind(version.author.as_str())
    .bind(version.time_ms)
    .execute(&mut *transaction)
    .await?;
    Ok(transaction.commit().await?)
}

pub(super) async fn delete_version(
    connection: &mut PgConnection,
    document: DocumentId,
    version: VersionId,
) -> Result<(), StoreError> {
    let deleted = sqlx::query("delete from version where document_id = $1 and version_id = $2")
        .bind(uuid(document.get()))
        .bind(uuid(version.get()))
        .execute(connection)
        .await?;
    found(deleted.rows_affected())
}

pub(super) async fn mark_seen(
    connection: &mut PgConnection,
    document: DocumentId,
    person: UserId,
    seen: Seen,
) -> Result<(), StoreError> {
    let mut transaction = connection.begin().await?;
    check_is_reached(&mut transaction, document, seen.revision).await?;
    sqlx::query(
        "insert into document_seen (document_id, person_id, revision, time_ms)
         values ($1, $2, $3, $4)
         on conflict (document_id, person_id) do update set
             revision = excluded.revision, time_ms = excluded.time_ms
         where excluded.revision >= document_seen.revision",
    )
    .bind(uuid(document.get()))
    .bind(person.as_str())
    .bind(integer(seen.revision.get()))
    .bind(seen.time_ms)
    .execute(&mut *transaction)
    .await?;
    Ok(transaction.commit().await?)
}
