//! The packed log: pages in place of rows, one transaction for each.

use collab_protocol::{ClientId, DocumentId};
use ot_core::{ClientSeq, Revision};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{QueryBuilder, Row, SqliteConnection};

use super::id_bytes;
use super::read;
use super::write::Written;
use crate::revision::between;
use crate::store::StoreError;
use crate::store::chain::{ChainHash, TextKey};
use crate::store::packed::{Gathering, Pack, PackedClient, PackedRow, PackedSpan, too_many};
use crate::store::record::PageLimit;
use crate::store::row::{Columns, bytes, corrupt, id, integer, unsigned};

/// The columns that [`page`] reads.
const PAGE: &str = "first_revision, last_revision, chain, last_ms, body, row_hash";

fn revision(row: &SqliteRow, column: &str) -> Result<Revision, String> {
    unsigned(row, column).map(Revision::new)
}

fn page(document: DocumentId, row: &SqliteRow) -> Result<PackedRow, StoreError> {
    let read = || {
        let body = row.bytes("body")?;
        let page = PackedRow {
            first: revision(row, "first_revision")?,
            last: revision(row, "last_revision")?,
            chain: ChainHash::from_bytes(bytes(row, "chain")?),
            last_ms: row.integer("last_ms")?,
            body: body.into(),
        };
        Ok((page, bytes::<32>(row, "row_hash")?))
    };
    let (page, hash) = read().map_err(corrupt(document))?;
    page.check(document, &hash)
}

/// The first page that ends behind `after`.
pub(super) async fn page_behind(
    connection: &mut SqliteConnection,
    document: DocumentId,
    after: Revision,
) -> Result<Option<PackedRow>, StoreError> {
    let mut query = QueryBuilder::new("select ");
    query.push(PAGE).push(" from packed_page where document_id = ");
    query.push_bind(id_bytes(document.get())).push(" and last_revision > ");
    query.push_bind(integer(after.get())).push(" order by last_revision limit 1");
    let found = query.build().fetch_optional(connection).await?;
    found.map(|found| page(document, &found)).transpose()
}

/// The chain hash at the end of the page that ends at `last`.
async fn chain_at(
    connection: &mut SqliteConnection,
    document: DocumentId,
    last: u64,
) -> Result<Option<ChainHash>, StoreError> {
    if last == 0 {
        return Ok(Some(ChainHash::START));
    }
    let found =
        sqlx::query("select chain from packed_page where document_id = ? and last_revision = ?")
            .bind(id_bytes(document.get()))
            .bind(integer(last))
            .fetch_optional(connection)
            .await?;
    let read = |row: SqliteRow| bytes(&row, "chain").map(ChainHash::from_bytes);
    found.map(|row| read(row).map_err(corrupt(document))).transpose()
}

/// Takes what is packed behind `after`, as far as there is room.
pub(super) async fn gather(
    connection: &mut SqliteConnection,
    document: DocumentId,
    key: &TextKey,
    after: Revision,
    mut gathering: Gathering,
) -> Result<Gathering, StoreError> {
    let mut at = after;
    while gathering.room() > 0 {
        let Some(row) = page_behind(connection, document, at).await? else { break };
        let previous = chain_at(connection, document, row.first.get().saturating_sub(1)).await?;
        let previous = previous.ok_or_else(|| {
            let reason = format!("log has no packed page before revision {}", row.first);
            StoreError::Corrupt { document, reason }
        })?;
        let (key, from) = (key.clone(), at);
        at = row.last;
        // Expanding a page takes milliseconds of a processor.
        let taken = tokio::task::spawn_blocking(move || {
            gathering.take_page(&row, document, &key, previous, from).map(|()| gathering)
        });
        gathering = taken.await.map_err(StoreError::unavailable)??;
    }
    Ok(gathering)
}

/// The revision at a time, if that lies in a packed page.
pub(super) async fn revision_at(
    connection: &mut SqliteConnection,
    document: DocumentId,
    time_ms: i64,
) -> Result<Option<Revision>, StoreError> {
    let mut query = QueryBuilder::new("select ");
    query.push(PAGE).push(" from packed_page where document_id = ");
    query.push_bind(id_bytes(document.get())).push(" and last_ms > ").push_bind(time_ms);
    query.push(" order by last_revision limit 1");
    let Some(found) = query.build().fetch_optional(connection).await? else { return Ok(None) };
    let row = page(document, &found)?;
    let mut last = row.first.get().saturating_sub(1);
    for stamp in row.stamps(document)?.iter() {
        let stamp = stamp.map_err(|error| damaged(document, &error))?;
        if stamp.time_ms > time_ms {
            break;
        }
        last = stamp.revision.get();
    }
    Ok(Some(Revision::new(last)))
}

fn damaged(document: DocumentId, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Corrupt { document, reason: error.to_string() }
}

/// Where the packed pages end.
pub(super) async fn end(
    connection: &mut SqliteConnection,
    document: DocumentId,
) -> Result<Revision, StoreError> {
    let last: Option<i64> =
        sqlx::query_scalar("select max(last_revision) from packed_page where document_id = ?")
            .bind(id_bytes(document.get()))
            .fetch_one(connection)
            .await?;
    Ok(Revision::new(last.unwrap_or(0).cast_unsigned()))
}

pub(super) async fn find_submission(
    connection: &mut SqliteConnection,
    document: DocumentId,
    client: ClientId,
    seq: ClientSeq,
) -> Result<Option<Revision>, StoreError> {
    let pages: Vec<i64> = sqlx::query_scalar(
        "select last_revision from packed_client where document_id = ? and client_id = ?
         and first_seq <= ?3 and last_seq >= ?3 order by last_revision",
    )
    .bind(id_bytes(document.get()))
    .bind(id_bytes(client.get()))
    .bind(integer(seq.get()))
    .fetch_all(&mut *connection)
    .await?;
    for last in pages {
        let before = Revision::new(last.cast_unsigned().saturating_sub(1));
        let Some(row) = page_behind(connection, document, before).await? else { continue };
        let found = row.stamps(document)?.find(client, seq);
        if let Some(revision) = found.map_err(|error| damaged(document, &error))? {
            return Ok(Some(revision));
        }
    }
    Ok(None)
}

pub(super) async fn log(
    readers: SqlitePool,
    document: DocumentId,
) -> Result<Vec<PackedSpan>, StoreError> {
    let mut moment = readers.begin().await?;
    read::record(&mut moment, document).await?;
    spans(&mut moment, document).await
}

async fn spans(
    connection: &mut SqliteConnection,
    document: DocumentId,
) -> Result<Vec<PackedSpan>, StoreError> {
    let rows = sqlx::query(
        "select first_revision, last_revision, chain, length(body) as bytes from packed_page
         where document_id = ? order by last_revision",
    )
    .bind(id_bytes(document.get()))
    .fetch_all(connection)
    .await?;
    let mut spans: Vec<PackedSpan> = Vec::with_capacity(rows.len());
    for row in rows {
        let read = || {
            let first = revision(&row, "first_revision")?;
            let expected = spans.last().map_or(1, |before| before.last.get() + 1);
            if first.get() != expected {
                return Err(format!("packed page begins at {first} in place of {expected}"));
            }
            Ok(PackedSpan {
                first,
                last: revision(&row, "last_revision")?,
                chain: ChainHash::from_bytes(bytes(&row, "chain")?),
                bytes: unsigned(&row, "bytes")?,
            })
        };
        spans.push(read().map_err(corrupt(document))?);
    }
    Ok(spans)
}

pub(super) async fn pages(
    readers: SqlitePool,
    document: DocumentId,
    after: Revision,
    limit: PageLimit,
) -> Result<Vec<PackedRow>, StoreError> {
    let mut moment = readers.begin().await?;
    read::record(&mut moment, document).await?;
    let (mut found, mut operations, mut bytes): (Vec<PackedRow>, _, _) = (Vec::new(), 0, 0);
    let mut at = after;
    while operations < limit.operations_max.max(1) && bytes < limit.bytes_max.max(1) {
        let Some(row) = page_behind(&mut moment, document, at).await? else { break };
        operations += between(row.first, row.last) + 1;
        bytes += row.body.len();
        at = row.last;
        found.push(row);
    }
    Ok(found)
}

pub(super) async fn clients(
    readers: SqlitePool,
    document: DocumentId,
    last: Revision,
) -> Result<Vec<PackedClient>, StoreError> {
    let rows = sqlx::query(
        "select client_id, first_seq, last_seq from packed_client
         where document_id = ? and last_revision = ? order by client_id",
    )
    .bind(id_bytes(document.get()))
    .bind(integer(last.get()))
    .fetch_all(&readers)
    .await?;
    let read = |row: &SqliteRow| {
        Ok(PackedClient {
            last,
            client: ClientId::new(id(row, "client_id")?),
            first_seq: ClientSeq::new(unsigned(row, "first_seq")?),
            last_seq: ClientSeq::new(unsigned(row, "last_seq")?),
        })
    };
    rows.iter().map(|row| read(row).map_err(corrupt(document))).collect()
}

/// Whether the log is what the page was made of.
async fn fits(
    connection: &mut SqliteConnection,
    document: DocumentId,
    pack: &Pack,
) -> Result<bool, StoreError> {
    let (first, last) = (pack.row.first.get(), pack.row.last.get());
    let merged: Vec<i64> = sqlx::query_scalar(
        "select last_revision from packed_page where document_id = ? and last_revision >= ?
         order by last_revision",
    )
    .bind(id_bytes(document.get()))
    .bind(integer(first))
    .fetch_all(&mut *connection)
    .await?;
    let expected = pack.merged.iter().map(|last| integer(last.get()));
    let before = chain_at(connection, document, first.saturating_sub(1)).await?;
    if !merged.into_iter().eq(expected) || before != Some(pack.previous) {
        return Ok(false);
    }
    let rows: i64 = sqlx::query_scalar(
        "select count(*) from operation where document_id = ? and revision between ? and ?",
    )
    .bind(id_bytes(document.get()))
    .bind(integer(pack.first_row()))
    .bind(integer(last))
    .fetch_one(&mut *connection)
    .await?;
    let chain: Option<Vec<u8>> = match pack.row_count() {
        0 => chain_at(connection, document, last).await?.map(|chain| chain.as_bytes().to_vec()),
        _ => {
            sqlx::query_scalar("select chain from operation where document_id = ? and revision = ?")
                .bind(id_bytes(document.get()))
                .bind(integer(last))
                .fetch_optional(&mut *connection)
                .await?
        }
    };
    let newest: Option<i64> =
        sqlx::query_scalar("select max(revision) from snapshot where document_id = ?")
            .bind(id_bytes(document.get()))
            .fetch_one(connection)
            .await?;
    Ok(rows.cast_unsigned() == pack.row_count()
        && chain.as_deref() == Some(&pack.row.chain.as_bytes()[..])
        && newest.is_some_and(|newest| newest >= integer(last)))
}

/// One page in place of what it was made of.
pub(super) async fn pack(
    connection: &mut SqliteConnection,
    document: DocumentId,
    pack: &Pack,
) -> Result<Written, sqlx::Error> {
    match fits(connection, document, pack).await {
        Ok(true) => {}
        Ok(false) => return Ok(Written::Conflict),
        Err(error) => return Ok(Written::Refused(error)),
    }
    // Their clients go with them.
    sqlx::query("delete from packed_page where document_id = ? and last_revision >= ?")
        .bind(id_bytes(document.get()))
        .bind(integer(pack.row.first.get()))
        .execute(&mut *connection)
        .await?;
    sqlx::query("delete from operation where document_id = ? and revision between ? and ?")
        .bind(id_bytes(document.get()))
        .bind(integer(pack.first_row()))
        .bind(integer(pack.row.last.get()))
        .execute(&mut *connection)
        .await?;
    insert(connection, document, pack).await?;
    thin(connection, document).await?;
    Ok(Written::Yes)
}

async fn insert(
    connection: &mut SqliteConnection,
    document: DocumentId,
    pack: &Pack,
) -> Result<(), sqlx::Error> {
    let row = &pack.row;
    sqlx::query(
        "insert into packed_page (document_id, first_revision, last_revision, chain, last_ms,
             body, row_hash)
         values (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id_bytes(document.get()))
    .bind(integer(row.first.get()))
    .bind(integer(row.last.get()))
    .bind(row.chain.as_bytes().to_vec())
    .bind(row.last_ms)
    .bind(row.body.to_vec())
    .bind(row.hash(document).to_vec())
    .execute(&mut *connection)
    .await?;
    for clients in pack.clients.chunks(256) {
        let mut insert = QueryBuilder::new(
            "insert into packed_client (document_id, client_id, last_revision, first_seq, last_seq) ",
        );
        insert.push_values(clients, |mut values, known| {
            values
                .push_bind(id_bytes(document.get()))
                .push_bind(id_bytes(known.client.get()))
                .push_bind(integer(row.last.get()))
                .push_bind(integer(known.first_seq.get()))
                .push_bind(integer(known.last_seq.get()));
        });
        insert.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// Lets go of snapshots that are too many.
pub(super) async fn thin(
    connection: &mut SqliteConnection,
    document: DocumentId,
) -> Result<(), sqlx::Error> {
    let packed: Option<i64> =
        sqlx::query_scalar("select sum(length(body)) from packed_page where document_id = ?")
            .bind(id_bytes(document.get()))
            .fetch_one(&mut *connection)
            .await?;
    let rows = sqlx::query(
        "select revision, octet_length(body) as bytes from snapshot
         where document_id = ? order by revision",
    )
    .bind(id_bytes(document.get()))
    .fetch_all(&mut *connection)
    .await?;
    let mut sizes = Vec::with_capacity(rows.len());
    for row in rows {
        let (at, bytes): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        sizes.push((Revision::new(at.cast_unsigned()), bytes.cast_unsigned()));
    }
    for going in too_many(sizes, packed.unwrap_or(0).cast_unsigned()) {
        sqlx::query("delete from snapshot where document_id = ? and revision = ?")
            .bind(id_bytes(document.get()))
            .bind(integer(going.get()))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
