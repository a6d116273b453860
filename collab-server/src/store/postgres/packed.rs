//! The packed log: pages in place of rows, one transaction for each.

use collab_protocol::{ClientId, DocumentId};
use ot_core::{ClientSeq, Revision};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::read::{self, moment};
use super::uuid;
use crate::revision::between;
use crate::store::StoreError;
use crate::store::chain::{ChainHash, TextKey};
use crate::store::packed::{
    Gathering, Pack, PackOutcome, PackedClient, PackedRow, PackedSpan, too_many,
};
use crate::store::record::PageLimit;
use crate::store::row::{Columns, bytes, corrupt, id, integer, unsigned};

/// The columns that [`page`] reads.
const PAGE: &str = "first_revision, last_revision, chain, last_ms, body, row_hash";

fn revision(row: &PgRow, column: &str) -> Result<Revision, String> {
    unsigned(row, column).map(Revision::new)
}

fn page(document: DocumentId, row: &PgRow) -> Result<PackedRow, StoreError> {
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
    connection: &mut PgConnection,
    document: DocumentId,
    after: Revision,
) -> Result<Option<PackedRow>, StoreError> {
    let sql = format!(
        "select {PAGE} from packed_page where document_id = $1 and last_revision > $2
         order by last_revision limit 1"
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(uuid(document.get()));
    let found = query.bind(integer(after.get())).fetch_optional(connection).await?;
    found.map(|found| page(document, &found)).transpose()
}

/// The chain hash at the end of the page that ends at `last`.
async fn chain_at(
    connection: &mut PgConnection,
    document: DocumentId,
    last: u64,
) -> Result<Option<ChainHash>, StoreError> {
    if last == 0 {
        return Ok(Some(ChainHash::START));
    }
    let found =
        sqlx::query("select chain from packed_page where document_id = $1 and last_revision = $2")
            .bind(uuid(document.get()))
            .bind(integer(last))
            .fetch_optional(connection)
            .await?;
    let read = |row: PgRow| bytes(&row, "chain").map(ChainHash::from_bytes);
    found.map(|row| read(row).map_err(corrupt(document))).transpose()
}

/// Takes what is packed behind `after`, as far as there is room.
pub(super) async fn gather(
    connection: &mut PgConnection,
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
    connection: &mut PgConnection,
    document: DocumentId,
    time_ms: i64,
) -> Result<Option<Revision>, StoreError> {
    let sql = format!(
        "select {PAGE} from packed_page where document_id = $1 and last_ms > $2
         order by last_revision limit 1"
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(uuid(document.get())).bind(time_ms);
    let Some(found) = query.fetch_optional(connection).await? else { return Ok(None) };
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
    connection: &mut PgConnection,
    document: DocumentId,
) -> Result<Revision, StoreError> {
    let last: Option<i64> =
        sqlx::query_scalar("select max(last_revision) from packed_page where document_id = $1")
            .bind(uuid(document.get()))
            .fetch_one(connection)
            .await?;
    Ok(Revision::new(last.unwrap_or(0).cast_unsigned()))
}

pub(super) async fn find_submission(
    connection: &mut PgConnection,
    document: DocumentId,
    client: ClientId,
    seq: ClientSeq,
) -> Result<Option<Revision>, StoreError> {
    let pages: Vec<i64> = sqlx::query_scalar(
        "select last_revision from packed_client where document_id = $1 and client_id = $2
         and first_seq <= $3 and last_seq >= $3 order by last_revision",
    )
    .bind(uuid(document.get()))
    .bind(uuid(client.get()))
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
    connection: &mut PgConnection,
    document: DocumentId,
) -> Result<Vec<PackedSpan>, StoreError> {
    let mut moment = moment(connection).await?;
    read::document(&mut moment, document).await?;
    let spans = spans(&mut moment, document).await?;
    moment.commit().await?;
    Ok(spans)
}

async fn spans(
    connection: &mut PgConnection,
    document: DocumentId,
) -> Result<Vec<PackedSpan>, StoreError> {
    let rows = sqlx::query(
        "select first_revision, last_revision, chain, length(body)::bigint as bytes from packed_page
         where document_id = $1 order by last_revision",
    )
    .bind(uuid(document.get()))
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
    connection: &mut PgConnection,
    document: DocumentId,
    after: Revision,
    limit: PageLimit,
) -> Result<Vec<PackedRow>, StoreError> {
    let mut moment = moment(connection).await?;
    read::document(&mut moment, document).await?;
    let (mut found, mut operations, mut bytes): (Vec<PackedRow>, _, _) = (Vec::new(), 0, 0);
    let mut at = after;
    while operations < limit.operations_max.max(1) && bytes < limit.bytes_max.max(1) {
        let Some(row) = page_behind(&mut moment, document, at).await? else { break };
        operations += between(row.first, row.last) + 1;
        bytes += row.body.len();
        at = row.last;
        found.push(row);
    }
    moment.commit().await?;
    Ok(found)
}

pub(super) async fn clients(
    connection: &mut PgConnection,
    document: DocumentId,
    last: Revision,
) -> Result<Vec<PackedClient>, StoreError> {
    let rows = sqlx::query(
        "select client_id, first_seq, last_seq from packed_client
         where document_id = $1 and last_revision = $2 order by client_id",
    )
    .bind(uuid(document.get()))
    .bind(integer(last.get()))
    .fetch_all(connection)
    .await?;
    let read = |row: &PgRow| {
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
    connection: &mut PgConnection,
    document: DocumentId,
    pack: &Pack,
) -> Result<bool, StoreError> {
    let (first, last) = (pack.row.first.get(), pack.row.last.get());
    let merged: Vec<i64> = sqlx::query_scalar(
        "select last_revision from packed_page where document_id = $1 and last_revision >= $2
         order by last_revision",
    )
    .bind(uuid(document.get()))
    .bind(integer(first))
    .fetch_all(&mut *connection)
    .await?;
    let expected = pack.merged.iter().map(|last| integer(last.get()));
    let before = chain_at(connection, document, first.saturating_sub(1)).await?;
    if !merged.into_iter().eq(expected) || before != Some(pack.previous) {
        return Ok(false);
    }
    let rows: i64 = sqlx::query_scalar(
        "select count(*) from operation where document_id = $1 and revision between $2 and $3",
    )
    .bind(uuid(document.get()))
    .bind(integer(pack.first_row()))
    .bind(integer(last))
    .fetch_one(&mut *connection)
    .await?;
    let chain: Option<Vec<u8>> = match pack.row_count() {
        0 => chain_at(connection, document, last).await?.map(|chain| chain.as_bytes().to_vec()),
        _ => {
            sqlx::query_scalar(
                "select chain from operation where document_id = $1 and revision = $2",
            )
            .bind(uuid(document.get()))
            .bind(integer(last))
            .fetch_optional(&mut *connection)
            .await?
        }
    };
    let newest: Option<i64> =
        sqlx::query_scalar("select max(revision) from snapshot where document_id = $1")
            .bind(uuid(document.get()))
            .fetch_one(connection)
            .await?;
    Ok(rows.cast_unsigned() == pack.row_count()
        && chain.as_deref() == Some(&pack.row.chain.as_bytes()[..])
        && newest.is_some_and(|newest| newest >= integer(last)))
}

/// One page in place of what it was made of. Of several servers that pack one document the others
/// wait, and then find that the log is not what they read.
pub(super) async fn pack(
    connection: &mut PgConnection,
    document: DocumentId,
    pack: Pack,
) -> Result<PackOutcome, StoreError> {
    let mut transaction = connection.begin().await?;
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('concord pack ' || $1, 0))")
        .bind(document.to_string())
        .execute(&mut *transaction)
        .await?;
    if !fits(&mut transaction, document, &pack).await? {
        transaction.rollback().await?;
        return Ok(PackOutcome::Conflict);
    }
    // Their clients go with them.
    sqlx::query("delete from packed_page where document_id = $1 and last_revision >= $2")
        .bind(uuid(document.get()))
        .bind(integer(pack.row.first.get()))
        .execute(&mut *transaction)
        .await?;
    sqlx::query("delete from operation where document_id = $1 and revision between $2 and $3")
        .bind(uuid(document.get()))
        .bind(integer(pack.first_row()))
        .bind(integer(pack.row.last.get()))
        .execute(&mut *transaction)
        .await?;
    insert(&mut transaction, document, &pack).await?;
    thin(&mut transaction, document).await?;
    transaction.commit().await?;
    Ok(PackOutcome::Done)
}

async fn insert(
    connection: &mut PgConnection,
    document: DocumentId,
    pack: &Pack,
) -> Result<(), sqlx::Error> {
    let row = &pack.row;
    sqlx::query(
        "insert into packed_page (document_id, first_revision, last_revision, chain, last_ms,
             body, row_hash)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(uuid(document.get()))
    .bind(integer(row.first.get()))
    .bind(integer(row.last.get()))
    .bind(row.chain.as_bytes().to_vec())
    .bind(row.last_ms)
    .bind(row.body.to_vec())
    .bind(row.hash(document).to_vec())
    .execute(&mut *connection)
    .await?;
    let column =
        |value: fn(&PackedClient) -> i64| -> Vec<i64> { pack.clients.iter().map(value).collect() };
    sqlx::query(
        "insert into packed_client (document_id, last_revision, client_id, first_seq, last_seq)
         select $1, $2, * from unnest($3::uuid[], $4::bigint[], $5::bigint[])",
    )
    .bind(uuid(document.get()))
    .bind(integer(row.last.get()))
    .bind(pack.clients.iter().map(|known| uuid(known.client.get())).collect::<Vec<_>>())
    .bind(column(|known| integer(known.first_seq.get())))
    .bind(column(|known| integer(known.last_seq.get())))
    .execute(connection)
    .await?;
    Ok(())
}

/// Lets go of snapshots that are too many.
pub(super) async fn thin(
    connection: &mut PgConnection,
    document: DocumentId,
) -> Result<(), sqlx::Error> {
    let packed: Option<i64> = sqlx::query_scalar(
        "select sum(length(body))::bigint from packed_page where document_id = $1",
    )
    .bind(uuid(document.get()))
    .fetch_one(&mut *connection)
    .await?;
    let rows = sqlx::query(
        "select revision, octet_length(body)::bigint as bytes from snapshot
         where document_id = $1 order by revision",
    )
    .bind(uuid(document.get()))
    .fetch_all(&mut *connection)
    .await?;
    let mut sizes = Vec::with_capacity(rows.len());
    for row in rows {
        let (at, bytes): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        sizes.push((Revision::new(at.cast_unsigned()), bytes.cast_unsigned()));
    }
    for going in too_many(sizes, packed.unwrap_or(0).cast_unsigned()) {
        sqlx::query("delete from snapshot where document_id = $1 and revision = $2")
            .bind(uuid(document.get()))
            .bind(integer(going.get()))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
