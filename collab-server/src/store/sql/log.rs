//! A document and its log: whole pages first, rows behind them.
//!
//! What must fit together is to be asked within one transaction, which sees one moment of the
//! database.

use collab_protocol::{ClientId, DocumentId, UserId};
use ot_core::{ClientSeq, Revision};
use sqlx::AssertSqlSafe;

use super::{Sql, Value, packed, rights};
use crate::revision::between;
use crate::store::StoreError;
use crate::store::checks::{check_dense, check_loaded};
use crate::store::packed::Gathering;
use crate::store::record::{
    ClientProgress, DocumentCursor, DocumentPage, DocumentRecord, ListQuery, ListedDocument,
    Loaded, LoggedOperation, PageLimit, Snapshot, TailPage,
};
use crate::store::row::{self, Columns, integer};

pub(in crate::store) async fn load(
    moment: &mut impl Sql,
    document: DocumentId,
) -> Result<Loaded, StoreError> {
    let record = record(moment, document).await?;
    let snapshot = snapshot_until(moment, document, i64::MAX).await?;
    let start = snapshot.as_ref().map_or(Revision::ZERO, |snapshot| snapshot.revision);
    // The limit takes one more than there should be, so that too many are seen.
    let limit = between(start, record.revision) + 1;
    let limit = PageLimit { operations_max: limit, bytes_max: usize::MAX };
    // Nothing of it is packed, unless the newest snapshots were lost.
    let mut tail = log_behind(moment, &record, start, limit).await?;
    tail.shrink_to_fit();
    check_loaded(&record, snapshot.as_ref(), &tail)?;
    let mut ids: Vec<UserId> = tail.iter().map(|logged| logged.author.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    let authors = moment.people(&ids).await?;
    let rights = rights::rights_of(moment, &record).await?;
    Ok(Loaded { record, rights, snapshot, tail, authors })
}

pub(in crate::store) async fn record(
    connection: &mut impl Sql,
    document: DocumentId,
) -> Result<DocumentRecord, StoreError> {
    let sql = format!("select {} from document where document_id = $1", row::DOCUMENT);
    row::document(&connection.row(AssertSqlSafe(sql), [document.into()]).await?)
}

/// Where a document's log ends; `None` without such a document.
pub(in crate::store) async fn head(
    connection: &mut impl Sql,
    document: DocumentId,
) -> Result<Option<Revision>, sqlx::Error> {
    let sql = "select revision from document where document_id = $1";
    let Some(found) = connection.optional_row(sql, [document.into()]).await? else {
        return Ok(None);
    };
    let head = found.integer("revision").map_err(sqlx::Error::Protocol)?;
    Ok(Some(Revision::new(head.cast_unsigned())))
}

/// The newest snapshot of a revision up to `until`, as databases count.
pub(super) async fn snapshot_until(
    connection: &mut impl Sql,
    document: DocumentId,
    until: i64,
) -> Result<Option<Snapshot>, StoreError> {
    let sql = "select revision, body, body_hash, chain, time_ms, row_hash from snapshot
               where document_id = $1 and revision <= $2 order by revision desc limit 1";
    let found = connection.optional_row(sql, [document.into(), until.into()]).await?;
    found.map(|found| row::snapshot(document, &found)).transpose()
}

/// Keeps a snapshot, unless its revision has one, and lets go of those that are too many then.
pub(in crate::store) async fn insert_snapshot(
    transaction: &mut impl Sql,
    document: DocumentId,
    snapshot: &Snapshot,
) -> Result<(), sqlx::Error> {
    let sql = "insert into snapshot
                   (document_id, revision, body, body_hash, chain, time_ms, row_hash)
               values ($1, $2, $3, $4, $5, $6, $7) on conflict (document_id, revision) do nothing";
    let values = [
        document.into(),
        snapshot.revision.into(),
        snapshot.text.to_string().into(),
        blake3::hash(snapshot.text.as_bytes()).as_bytes().as_slice().into(),
        snapshot.chain.as_bytes().as_slice().into(),
        snapshot.time_ms.into(),
        snapshot.row_hash(&document.get().to_be_bytes()).as_slice().into(),
    ];
    transaction.execute(sql, values).await?;
    packed::thin(transaction, document).await
}

/// Reads a log behind `after`, first what is packed and then the rows, as far as `limit` allows.
async fn log_behind(
    moment: &mut impl Sql,
    record: &DocumentRecord,
    after: Revision,
    limit: PageLimit,
) -> Result<Vec<LoggedOperation>, StoreError> {
    let gathering = Gathering::new(limit);
    let mut gathering =
        packed::gather(moment, record.id, &record.text_key, after, gathering).await?;
    let sql = format!(
        "select {} from operation where document_id = $1 and revision > $2
         order by revision limit $3",
        row::OPERATION
    );
    let mut at = gathering.operations.last().map_or(after, |last| last.revision);
    // In small steps, so that a page of large operations does not read far beyond its limit.
    while gathering.room() > 0 {
        let step = gathering.room().min(256);
        let values = [record.id.into(), at.into(), integer(step as u64).into()];
        let rows = moment.rows(AssertSqlSafe(sql.as_str()), values).await?;
        let is_last = rows.len() < step;
        for row in rows {
            if gathering.room() == 0 {
                break;
            }
            let bytes = row.bytes("body").map_err(row::corrupt(record.id))?.len();
            let logged = row::operation(record.id, &row)?;
            at = logged.revision;
            gathering.push(logged, bytes);
        }
        if is_last {
            break;
        }
    }
    Ok(gathering.operations)
}

pub(in crate::store) async fn since(
    moment: &mut impl Sql,
    document: DocumentId,
    after: Revision,
    page: PageLimit,
) -> Result<TailPage, StoreError> {
    let record = record(moment, document).await?;
    let operations = log_behind(moment, &record, after, page).await?;
    check_dense(document, after, &operations)?;
    let is_deleted = record.deleted_ms.is_some();
    let rights_version = record.rights_version;
    Ok(TailPage { operations, head: record.revision, is_deleted, rights_version })
}

pub(in crate::store) async fn find_submission(
    moment: &mut impl Sql,
    document: DocumentId,
    client: ClientId,
    seq: ClientSeq,
) -> Result<Option<Revision>, StoreError> {
    let Some(last) = progress(moment, document, client).await? else { return Ok(None) };
    if seq > last.seq {
        return Ok(None);
    }
    match row_at_or_before(moment, document, client, seq, last.revision).await? {
        Some((revision, found)) if found == seq => Ok(Some(revision)),
        // A client's numbers ascend with the revisions: it passed this one over.
        Some(_) => Ok(None),
        None => packed::find_submission(moment, document, client, seq).await,
    }
}

/// The latest row of a client up to revision `until` whose number is at most `seq`, and that number. It reads
/// back from `until` along the rows of all clients: an index of each client's would cost every append a page.
async fn row_at_or_before(
    moment: &mut impl Sql,
    document: DocumentId,
    client: ClientId,
    seq: ClientSeq,
    until: Revision,
) -> Result<Option<(Revision, ClientSeq)>, StoreError> {
    let sql = "select revision, client_seq from operation
               where document_id = $1 and client_id = $2 and client_seq <= $3 and revision <= $4
               order by revision desc limit 1";
    let values = [document.into(), client.into(), seq.into(), until.into()];
    let Some(found) = moment.optional_row(sql, values).await? else { return Ok(None) };
    let read = || {
        let seq = ClientSeq::new(row::unsigned(&found, "client_seq")?);
        Ok((row::revision(&found, "revision")?, seq))
    };
    read().map(Some).map_err(row::corrupt(document))
}

pub(in crate::store) async fn progress(
    connection: &mut impl Sql,
    document: DocumentId,
    client: ClientId,
) -> Result<Option<ClientProgress>, StoreError> {
    let sql = "select author_id, last_seq, last_revision, submission_hash, row_hash
               from client_progress where document_id = $1 and client_id = $2";
    let found = connection.optional_row(sql, [document.into(), client.into()]).await?;
    found.map(|found| row::progress(document, client, &found)).transpose()
}

pub(in crate::store) async fn list<C: Sql>(
    connection: &mut C,
    query: ListQuery,
) -> Result<DocumentPage, StoreError> {
    let active = format!("{}(updated_ms, coalesce(opened_ms, updated_ms))", C::GREATEST);
    let mut values: Vec<Value> = vec![
        (&query.person).into(),
        (i64::from(query.limit.max(1)) + 1).into(),
        (&query.tenant).into(),
    ];
    // The last condition is `Door::role_of`, for who is no back end.
    let mut sql = format!(
        "select {}, opened_ms, role, {active} as active_ms
         from (select document_id from document_opened where person_id = $1
               union select document_id from document_member
                     where person_id = $1 and has_left = 0
               union select document_id from document where owner_id = $1) as mine
             join document using (document_id)
             left join (select document_id, opened_ms from document_opened
                        where person_id = $1) as opened using (document_id)
             left join (select document_id, role from document_member
                        where person_id = $1) as member using (document_id)
         where tenant_id = $3 and {}
             and (owner_id = $1 or coalesce(role, link) not in ('none', 'off'))",
        row::DOCUMENT,
        match query.deleted {
            true => {
                "deleted_ms is not null and owner_id = $1 and document_id not in
                     (select document_id from document_import)"
            }
            false => "deleted_ms is null",
        }
    );
    if !query.search.is_empty() {
        values.push(query.search.to_lowercase().into());
        sql += &format!(" and {}(title_search, ${}) > 0", C::PLACE, values.len());
    }
    if let Some(after) = query.after {
        let first = values.len() + 1;
        values.extend([after.active_ms.into(), after.document.into()]);
        sql += &format!(" and ({active}, document_id) < (${first}, ${})", values.len());
    }
    sql += " order by active_ms desc, document_id desc limit $2";
    let mut found = Vec::new();
    for row in connection.rows(AssertSqlSafe(sql), values).await? {
        let record = row::document(&row)?;
        let time = |column| row.integer(column).map_err(row::corrupt(record.id));
        let cursor = DocumentCursor { active_ms: time("active_ms")?, document: record.id };
        let opened_ms = row.optional_integer("opened_ms").map_err(row::corrupt(record.id))?;
        let given = row::optional_given(&row).map_err(row::corrupt(record.id))?;
        found.push((cursor, ListedDocument { record, opened_ms, given }));
    }
    Ok(DocumentPage::of(found, query.limit))
}
