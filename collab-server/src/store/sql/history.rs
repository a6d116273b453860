//! History beside the operations: where a time lies, who was active when, versions, what was seen.

use collab_protocol::{DocumentId, UserId, VersionId};
use ot_core::Revision;

use super::log::{record, snapshot_until};
use super::{Sql, packed};
use crate::store::StoreError;
use crate::store::history::{Activities, Activity, Seen, VersionRecord};
use crate::store::record::Snapshot;
use crate::store::row::{self, Columns, corrupt, integer, unsigned, user};

pub(in crate::store) async fn snapshot_at_or_before(
    moment: &mut impl Sql,
    document: DocumentId,
    revision: Revision,
) -> Result<Option<Snapshot>, StoreError> {
    record(moment, document).await?;
    snapshot_until(moment, document, integer(revision.get())).await
}

/// In the packed page of that time, or by bisection in the database: a look at one row halves the
/// log.
pub(in crate::store) async fn revision_at(
    moment: &mut impl Sql,
    document: DocumentId,
    time_ms: i64,
) -> Result<Revision, StoreError> {
    let head = record(moment, document).await?.revision;
    if let Some(revision) = packed::revision_at(moment, document, time_ms).await? {
        return Ok(revision);
    }
    let packed = packed::end(moment, document).await?;
    let sql = "with recursive bisection (low, high) as (
                   select cast($4 as bigint), cast($2 as bigint) + 1
                   union all
                   select case when time_ms <= $3 then revision else low end,
                          case when time_ms <= $3 then high else revision end
                   from bisection join operation
                       on document_id = $1 and revision = low + (high - low) / 2
                   where high - low > 1
               )
               select low from bisection order by high - low limit 1";
    let values = [document.into(), head.into(), time_ms.into(), packed.into()];
    let found = moment.row(sql, values).await?;
    row::revision(&found, "low").map_err(corrupt(document))
}

pub(in crate::store) async fn activity(
    moment: &mut impl Sql,
    document: DocumentId,
    width: u64,
) -> Result<Vec<Activity>, StoreError> {
    record(moment, document).await?;
    let sql = "select author_id, count(*) as operations, min(revision) as first,
                   max(revision) as last, min(time_ms) as first_ms, max(time_ms) as last_ms
               from operation where document_id = $1 group by (revision - 1) / $2, author_id";
    let rows = moment.rows(sql, [document.into(), integer(width.max(1)).into()]).await?;
    let in_rows = row::each(document, &rows, read_activity)?;
    let mut found = Activities::new(width);
    let mut at = Revision::ZERO;
    while let Some(page) = packed::page_behind(moment, document, at).await? {
        at = page.last;
        found = found.with_page(document, page).await?;
    }
    found.add_rows(in_rows);
    Ok(found.finish())
}

fn read_activity(row: &impl Columns) -> Result<Activity, String> {
    Ok(Activity {
        author: user(row, "author_id")?,
        first: row::revision(row, "first")?,
        last: row::revision(row, "last")?,
        operations: unsigned(row, "operations")?,
        first_ms: row.integer("first_ms")?,
        last_ms: row.integer("last_ms")?,
    })
}

pub(in crate::store) async fn versions(
    connection: &mut impl Sql,
    document: DocumentId,
) -> Result<Vec<VersionRecord>, StoreError> {
    let sql = "select version_id, revision, name, author_id, time_ms from version
               where document_id = $1 order by revision, time_ms, version_id";
    let rows = connection.rows(sql, [document.into()]).await?;
    row::each(document, &rows, |row| {
        Ok(VersionRecord {
            id: VersionId::new(row::id(row, "version_id")?),
            document,
            revision: row::revision(row, "revision")?,
            name: row.text("name")?.to_owned(),
            author: user(row, "author_id")?,
            time_ms: row.integer("time_ms")?,
        })
    })
}

pub(in crate::store) async fn seen(
    connection: &mut impl Sql,
    document: DocumentId,
    person: UserId,
) -> Result<Option<Seen>, StoreError> {
    let sql =
        "select revision, time_ms from document_seen where document_id = $1 and person_id = $2";
    let found = connection.rows(sql, [document.into(), (&person).into()]).await?;
    let seen = row::each(document, &found, |row| {
        let revision = row::revision(row, "revision")?;
        Ok(Seen { revision, time_ms: row.integer("time_ms")? })
    })?;
    Ok(seen.into_iter().next())
}

/// Names a revision that the log has reached; of a version that is there only the name changes.
pub(in crate::store) async fn put_version(
    transaction: &mut impl Sql,
    version: &VersionRecord,
) -> Result<(), sqlx::Error> {
    let sql = "insert into version (version_id, document_id, revision, name, author_id, time_ms)
               values ($1, $2, $3, $4, $5, $6)
               on conflict (version_id) do update set name = excluded.name";
    let values = [
        version.id.into(),
        version.document.into(),
        version.revision.into(),
        version.name.clone().into(),
        (&version.author).into(),
        version.time_ms.into(),
    ];
    transaction.execute(sql, values).await.map(drop)
}

/// How many versions got the name: none or one.
pub(in crate::store) async fn rename_version(
    connection: &mut impl Sql,
    document: DocumentId,
    version: VersionId,
    name: &str,
) -> Result<u64, sqlx::Error> {
    let sql = "update version set name = $1 where document_id = $2 and version_id = $3";
    let values = [name.to_owned().into(), document.into(), version.into()];
    connection.execute(sql, values).await
}

/// How many versions went: none or one.
pub(in crate::store) async fn delete_version(
    connection: &mut impl Sql,
    document: DocumentId,
    version: VersionId,
) -> Result<u64, sqlx::Error> {
    let sql = "delete from version where document_id = $1 and version_id = $2";
    connection.execute(sql, [document.into(), version.into()]).await
}

/// Notes what a person has seen, unless they saw a later revision.
pub(in crate::store) async fn mark_seen(
    transaction: &mut impl Sql,
    document: DocumentId,
    person: &UserId,
    seen: Seen,
) -> Result<(), sqlx::Error> {
    let sql = "insert into document_seen (document_id, person_id, revision, time_ms)
               values ($1, $2, $3, $4)
               on conflict (document_id, person_id) do update set
                   revision = excluded.revision, time_ms = excluded.time_ms
               where excluded.revision >= document_seen.revision";
    let values = [document.into(), person.into(), seen.revision.into(), seen.time_ms.into()];
    transaction.execute(sql, values).await.map(drop)
}
