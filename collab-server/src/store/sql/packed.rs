//! The packed log: pages in place of rows.

use collab_protocol::{ClientId, DocumentId};
use ot_core::{ClientSeq, Revision};
use sqlx::AssertSqlSafe;

use super::log::record;
use super::{Sql, Value};
use crate::store::StoreError;
use crate::store::chain::{ChainHash, TextKey};
use crate::store::packed::{
    Gathering, Pack, PackedClient, PackedRow, PackedSpan, PageCount, in_background, too_many,
};
use crate::store::record::PageLimit;
use crate::store::row::{self, Columns, bytes, corrupt, id, unsigned};

fn chain(row: &impl Columns) -> Result<ChainHash, String> {
    bytes(row, "chain").map(ChainHash::from_bytes)
}

/// The first page, in order, of which `condition` holds.
async fn first_page(
    connection: &mut impl Sql,
    document: DocumentId,
    condition: &'static str,
    values: [Value; 2],
) -> Result<Option<PackedRow>, StoreError> {
    let sql = format!(
        "select first_revision, last_revision, chain, last_ms, body, row_hash from packed_page
         where document_id = $1 and {condition} order by last_revision limit 1"
    );
    let Some(row) = connection.optional_row(AssertSqlSafe(sql), values).await? else {
        return Ok(None);
    };
    let read = || {
        let page = PackedRow {
            first: row::revision(&row, "first_revision")?,
            last: row::revision(&row, "last_revision")?,
            chain: chain(&row)?,
            last_ms: row.integer("last_ms")?,
            body: row.bytes("body")?.into(),
        };
        Ok((page, bytes::<32>(&row, "row_hash")?))
    };
    let (page, hash) = read().map_err(corrupt(document))?;
    page.check(document, &hash).map(Some)
}

/// The first page that ends behind `after`.
pub(super) async fn page_behind(
    connection: &mut impl Sql,
    document: DocumentId,
    after: Revision,
) -> Result<Option<PackedRow>, StoreError> {
    let values = [document.into(), after.into()];
    first_page(connection, document, "last_revision > $2", values).await
}

/// The chain hash at the end of the page that ends at `last`.
async fn chain_at(
    connection: &mut impl Sql,
    document: DocumentId,
    last: Revision,
) -> Result<Option<ChainHash>, StoreError> {
    if last == Revision::ZERO {
        return Ok(Some(ChainHash::START));
    }
    let sql = "select chain from packed_page where document_id = $1 and last_revision = $2";
    let found = connection.optional_row(sql, [document.into(), last.into()]).await?;
    found.map(|row| chain(&row).map_err(corrupt(document))).transpose()
}

/// Takes what is packed behind `after`, as far as there is room.
pub(super) async fn gather(
    moment: &mut impl Sql,
    document: DocumentId,
    key: &TextKey,
    after: Revision,
    mut gathering: Gathering,
) -> Result<Gathering, StoreError> {
    let mut at = after;
    while gathering.room() > 0 {
        let Some(row) = page_behind(moment, document, at).await? else { break };
        let previous = chain_at(moment, document, row.before()).await?;
        let previous = previous.ok_or_else(|| {
            let reason = format!("log has no packed page before revision {}", row.first);
            StoreError::Corrupt { document, reason }
        })?;
        let (key, from) = (key.clone(), at);
        at = row.last;
        gathering = in_background(move || {
            gathering.take_page(&row, document, &key, previous, from).map(|()| gathering)
        })
        .await?;
    }
    Ok(gathering)
}

/// The revision at a time, if that lies in a packed page.
pub(super) async fn revision_at(
    connection: &mut impl Sql,
    document: DocumentId,
    time_ms: i64,
) -> Result<Option<Revision>, StoreError> {
    let values = [document.into(), time_ms.into()];
    match first_page(connection, document, "last_ms > $2", values).await? {
        Some(row) => in_background(move || row.revision_at(document, time_ms)).await.map(Some),
        None => Ok(None),
    }
}

/// Where the packed pages end.
pub(super) async fn end(
    connection: &mut impl Sql,
    document: DocumentId,
) -> Result<Revision, StoreError> {
    let sql = "select coalesce(max(last_revision), 0) as last from packed_page
               where document_id = $1";
    let found = connection.row(sql, [document.into()]).await?;
    row::revision(&found, "last").map_err(corrupt(document))
}

pub(super) async fn find_submission(
    moment: &mut impl Sql,
    document: DocumentId,
    client: ClientId,
    seq: ClientSeq,
) -> Result<Option<Revision>, StoreError> {
    let sql = "select last_revision from packed_client where document_id = $1 and client_id = $2
               and first_seq <= $3 and last_seq >= $3 order by last_revision";
    let values = [document.into(), client.into(), seq.into()];
    let pages = moment.rows(sql, values).await?;
    for last in row::each(document, &pages, |row| row::revision(row, "last_revision"))? {
        let before = Revision::new(last.get().saturating_sub(1));
        let Some(page) = page_behind(moment, document, before).await? else { continue };
        let found = in_background(move || page.find_submission(document, client, seq)).await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

pub(in crate::store) async fn packed_log(
    moment: &mut impl Sql,
    document: DocumentId,
) -> Result<Vec<PackedSpan>, StoreError> {
    record(moment, document).await?;
    let sql = "select first_revision, last_revision, chain, cast(length(body) as bigint) as bytes
               from packed_page where document_id = $1 order by last_revision";
    let rows = moment.rows(sql, [document.into()]).await?;
    let mut expected = 1;
    row::each(document, &rows, |row| {
        let first = row::revision(row, "first_revision")?;
        if first.get() != expected {
            return Err(format!("packed page begins at {first} in place of {expected}"));
        }
        let last = row::revision(row, "last_revision")?;
        expected = last.get() + 1;
        Ok(PackedSpan { first, last, chain: chain(row)?, bytes: unsigned(row, "bytes")? })
    })
}

pub(in crate::store) async fn packed_pages(
    moment: &mut impl Sql,
    document: DocumentId,
    after: Revision,
    limit: PageLimit,
) -> Result<Vec<PackedRow>, StoreError> {
    record(moment, document).await?;
    let (mut found, mut count) = (Vec::new(), PageCount::new(limit));
    let mut at = after;
    while count.has_room() {
        let Some(row) = page_behind(moment, document, at).await? else { break };
        count.add(&row);
        at = row.last;
        found.push(row);
    }
    Ok(found)
}

pub(in crate::store) async fn packed_clients(
    connection: &mut impl Sql,
    document: DocumentId,
    last: Revision,
) -> Result<Vec<PackedClient>, StoreError> {
    let sql = "select client_id, first_seq, last_seq from packed_client
               where document_id = $1 and last_revision = $2 order by client_id";
    let rows = connection.rows(sql, [document.into(), last.into()]).await?;
    row::each(document, &rows, |row| {
        Ok(PackedClient {
            last,
            client: ClientId::new(id(row, "client_id")?),
            first_seq: ClientSeq::new(unsigned(row, "first_seq")?),
            last_seq: ClientSeq::new(unsigned(row, "last_seq")?),
        })
    })
}

/// Whether the log is what the page was made of.
pub(in crate::store) async fn fits(
    transaction: &mut impl Sql,
    document: DocumentId,
    pack: &Pack,
) -> Result<bool, StoreError> {
    let (first, last) = (pack.row.first, pack.row.last);
    let sql = "select last_revision from packed_page where document_id = $1 and last_revision >= $2
               order by last_revision";
    let rows = transaction.rows(sql, [document.into(), first.into()]).await?;
    let merged = row::each(document, &rows, |row| row::revision(row, "last_revision"))?;
    let before = chain_at(transaction, document, pack.row.before()).await?;
    if merged != pack.merged || before != Some(pack.previous) {
        return Ok(false);
    }
    let sql = "select count(*) as count from operation
               where document_id = $1 and revision between $2 and $3";
    let values = [document.into(), Revision::new(pack.first_row()).into(), last.into()];
    let found = transaction.row(sql, values).await?;
    let row_count = unsigned(&found, "count").map_err(corrupt(document))?;
    let ends = match pack.row_count() {
        0 => chain_at(transaction, document, last).await?,
        _ => {
            let sql = "select chain from operation where document_id = $1 and revision = $2";
            let found = transaction.optional_row(sql, [document.into(), last.into()]).await?;
            found.map(|row| chain(&row).map_err(corrupt(document))).transpose()?
        }
    };
    let sql = "select revision from snapshot where document_id = $1 and revision >= $2 limit 1";
    let snapshot = transaction.optional_row(sql, [document.into(), last.into()]).await?;
    Ok(row_count == pack.row_count() && ends == Some(pack.row.chain) && snapshot.is_some())
}

/// Takes away what the page was made of; the clients of its pages go with them.
pub(in crate::store) async fn delete_packed(
    transaction: &mut impl Sql,
    document: DocumentId,
    pack: &Pack,
) -> Result<(), sqlx::Error> {
    let sql = "delete from packed_page where document_id = $1 and last_revision >= $2";
    transaction.execute(sql, [document.into(), pack.row.first.into()]).await?;
    let sql = "delete from operation where document_id = $1 and revision between $2 and $3";
    let first_row = Revision::new(pack.first_row());
    transaction.execute(sql, [document.into(), first_row.into(), pack.row.last.into()]).await?;
    Ok(())
}

/// Puts in a page, without its clients.
pub(in crate::store) async fn insert_page(
    transaction: &mut impl Sql,
    document: DocumentId,
    row: &PackedRow,
) -> Result<(), sqlx::Error> {
    let sql = "insert into packed_page (document_id, first_revision, last_revision, chain, last_ms,
                   body, row_hash)
               values ($1, $2, $3, $4, $5, $6, $7)";
    let values = [
        document.into(),
        row.first.into(),
        row.last.into(),
        row.chain.as_bytes().as_slice().into(),
        row.last_ms.into(),
        (&*row.body).into(),
        row.hash(document).as_slice().into(),
    ];
    transaction.execute(sql, values).await?;
    Ok(())
}

/// Lets go of snapshots that are too many.
pub(in crate::store) async fn thin(
    transaction: &mut impl Sql,
    document: DocumentId,
) -> Result<(), sqlx::Error> {
    let sql = "select cast(coalesce(sum(length(body)), 0) as bigint) as bytes from packed_page
               where document_id = $1";
    let packed = transaction.row(sql, [document.into()]).await?;
    let packed = packed.integer("bytes").map_err(sqlx::Error::Protocol)?.cast_unsigned();
    let sql = "select revision, cast(octet_length(body) as bigint) as bytes from snapshot
               where document_id = $1 order by revision";
    let mut sizes = Vec::new();
    for row in transaction.rows(sql, [document.into()]).await? {
        let number =
            |column| row.integer(column).map(i64::cast_unsigned).map_err(sqlx::Error::Protocol);
        sizes.push((Revision::new(number("revision")?), number("bytes")?));
    }
    for going in too_many(sizes, packed) {
        let sql = "delete from snapshot where document_id = $1 and revision = $2";
        transaction.execute(sql, [document.into(), going.into()]).await?;
    }
    Ok(())
}
