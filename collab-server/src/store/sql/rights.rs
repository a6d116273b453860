//! Who may do what with a document: its people, its link, and every change of them.

use std::collections::BTreeMap;

use collab_protocol::{ClientId, DocumentId, GivenRole, UserId};
use sqlx::AssertSqlSafe;

use super::log::record;
use super::{Sql, Value};
use crate::rights::{FENCES_MAX, Rights, RightsChange};
use crate::store::StoreError;
use crate::store::record::{DocumentHead, DocumentRecord};
use crate::store::row::{self, Columns, corrupt, unsigned, user};

/// Documents asked for in one statement, far below the number of values that one may have.
const ASKED_MAX: usize = 1 << 13;

pub(in crate::store) async fn rights(
    moment: &mut impl Sql,
    document: DocumentId,
) -> Result<Rights, StoreError> {
    let record = record(moment, document).await?;
    rights_of(moment, &record).await
}

/// The rights of a document whose record was read in the same moment.
pub(super) async fn rights_of(
    moment: &mut impl Sql,
    record: &DocumentRecord,
) -> Result<Rights, StoreError> {
    let sql = "select person_id, role from document_member where document_id = $1";
    let rows = moment.rows(sql, [record.id.into()]).await?;
    let read = |row: &_| Ok((user(row, "person_id")?, row::given(row)?));
    let members: BTreeMap<UserId, GivenRole> =
        row::each(record.id, &rows, read)?.into_iter().collect();
    let sql = "select client_id, version from client_fence where document_id = $1";
    let rows = moment.rows(sql, [record.id.into()]).await?;
    let read = |row: &_| Ok((ClientId::new(row::id(row, "client_id")?), unsigned(row, "version")?));
    let fences = row::each(record.id, &rows, read)?.into_iter().collect();
    Ok(Rights {
        version: record.rights_version,
        tenant: record.tenant.clone(),
        owner: record.owner.clone(),
        link: record.link,
        members,
        fences,
    })
}

pub(in crate::store) async fn access(
    connection: &mut impl Sql,
    document: DocumentId,
    person: UserId,
) -> Result<(DocumentRecord, Option<GivenRole>), StoreError> {
    let sql = format!(
        "select {}, (select role from document_member as member
                     where member.document_id = document.document_id and person_id = $2) as role
         from document where document_id = $1",
        row::DOCUMENT
    );
    let found = connection.row(AssertSqlSafe(sql), [document.into(), (&person).into()]).await?;
    let given = row::optional_given(&found).map_err(corrupt(document))?;
    Ok((row::document(&found)?, given))
}

pub(in crate::store) async fn heads(
    connection: &mut impl Sql,
    documents: Vec<DocumentId>,
) -> Result<Vec<DocumentHead>, StoreError> {
    let mut found = Vec::with_capacity(documents.len());
    for asked in documents.chunks(ASKED_MAX) {
        // A statement for each power of two, and not one for each number that may be asked for: the
        // last one is asked for again.
        let places = asked.len().next_power_of_two();
        let names: Vec<String> = (1..=places).map(|number| format!("${number}")).collect();
        let sql = format!(
            "select document_id, revision, rights_version, deleted_ms, title
             from document where document_id in ({})",
            names.join(", ")
        );
        let again = asked.last().into_iter().cycle();
        let values = asked.iter().chain(again).take(places).map(|document| (*document).into());
        for row in connection.rows(AssertSqlSafe(sql), values.collect::<Vec<Value>>()).await? {
            let document = row::document_id(&row)?;
            let read = || {
                Ok(DocumentHead {
                    document,
                    revision: row::revision(&row, "revision")?,
                    rights_version: unsigned(&row, "rights_version")?,
                    is_deleted: row.optional_integer("deleted_ms")?.is_some(),
                    title: row.text("title")?.to_owned(),
                })
            };
            found.push(read().map_err(corrupt(document))?);
        }
    }
    Ok(found)
}

pub(in crate::store) async fn visitors(
    connection: &mut impl Sql,
    document: DocumentId,
    limit: u32,
) -> Result<Vec<UserId>, StoreError> {
    let sql = "select person_id from document_opened where document_id = $1
               order by opened_ms desc, person_id limit $2";
    let rows = connection.rows(sql, [document.into(), i64::from(limit).into()]).await?;
    row::each(document, &rows, |row| user(row, "person_id"))
}

/// Changes the rights, within a transaction: their version then. `None` when there is no document, or
/// the change does not apply to it; nothing is written then. Where somebody's role changes, the document's row comes first:
/// who appends waits for it, and so does another change.
pub(in crate::store) async fn change_rights(
    transaction: &mut impl Sql,
    document: DocumentId,
    change: &RightsChange,
    now_ms: i64,
) -> Result<Option<u64>, sqlx::Error> {
    if matches!(change, RightsChange::Give { role: GivenRole::Owner, .. }) {
        return Ok(None);
    }
    if let RightsChange::Fence { .. } = change {
        // Held before the fences are looked at: of two servers the later one sees the other's.
        let sql = "update document set rights_version = rights_version where document_id = $1";
        transaction.execute(sql, [document.into()]).await?;
    }
    let counted = count(transaction, document, change).await?;
    if counted == 0 && !keep(transaction, document, change).await? {
        return Ok(None);
    }
    if counted > 0 {
        write(transaction, document, change, now_ms).await?;
    }
    let sql = "select rights_version from document where document_id = $1";
    let row = transaction.row(sql, [document.into()]).await?;
    Ok(Some(unsigned(&row, "rights_version").map_err(sqlx::Error::Protocol)?))
}

/// Writes what is counted.
async fn write(
    transaction: &mut impl Sql,
    document: DocumentId,
    change: &RightsChange,
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    match change {
        RightsChange::Link(_) => {}
        RightsChange::Give { person, role, by } => {
            give(transaction, document, (person, *role), by, now_ms).await?;
        }
        RightsChange::Forget { person } | RightsChange::Leave { person } => {
            forget(transaction, document, person).await?;
            unlist(transaction, document, person).await?;
        }
        RightsChange::HandOver { from, to } => {
            forget(transaction, document, to).await?;
            give(transaction, document, (from, GivenRole::Editor), to, now_ms).await?;
        }
        RightsChange::Fence { client, .. } => fence(transaction, document, *client).await?,
    }
    Ok(())
}

/// Counts the version of the rights up, if this changes anybody's: how many documents it touched.
async fn count(
    transaction: &mut impl Sql,
    document: DocumentId,
    change: &RightsChange,
) -> Result<u64, sqlx::Error> {
    const COUNTED: &str = "update document set rights_version = rights_version + 1";
    const MEMBER: &str = "(select 1 from document_member where document_id = $1 and person_id = $2";
    let word = |text: &str| Value::from(text.to_owned());
    let (sql, values) = match change {
        RightsChange::Link(link) => (
            format!("{COUNTED}, link = $2 where document_id = $1 and link <> $2"),
            vec![document.into(), word(link.as_str())],
        ),
        RightsChange::Give { person, role, .. } => (
            format!(
                "{COUNTED} where document_id = $1 and owner_id <> $2
                     and not exists {MEMBER} and role = $3)"
            ),
            vec![document.into(), person.into(), word(role.as_str())],
        ),
        RightsChange::Forget { person } => (
            format!("{COUNTED} where document_id = $1 and owner_id <> $2 and exists {MEMBER})"),
            vec![document.into(), person.into()],
        ),
        RightsChange::Leave { person } => (
            format!(
                "{COUNTED} where document_id = $1 and owner_id <> $2
                     and exists {MEMBER} and role = $3)"
            ),
            vec![document.into(), person.into(), word(GivenRole::Editor.as_str())],
        ),
        RightsChange::HandOver { from, to } => (
            format!(
                "{COUNTED}, owner_id = $3
                 where document_id = $1 and owner_id = $2 and owner_id <> $3"
            ),
            vec![document.into(), from.into(), to.into()],
        ),
        RightsChange::Fence { client, known } => (
            format!(
                "{COUNTED} where document_id = $1 and not exists
                     (select 1 from client_fence
                      where document_id = $1 and client_id = $2 and version > $3)"
            ),
            vec![document.into(), (*client).into(), Value::Integer(known.cast_signed())],
        ),
    };
    transaction.execute(AssertSqlSafe(sql), values).await
}

/// A change that leaves everybody's role as it was: only lists change. Whether it applies. Roles are
/// not touched here, since the document's row is not held.
async fn keep(
    transaction: &mut impl Sql,
    document: DocumentId,
    change: &RightsChange,
) -> Result<bool, sqlx::Error> {
    let (person, has_left) = match change {
        RightsChange::Link(_) => {
            let sql = "select 1 as found from document where document_id = $1";
            return Ok(transaction.optional_row(sql, [document.into()]).await?.is_some());
        }
        RightsChange::HandOver { .. } | RightsChange::Fence { .. } => return Ok(false),
        RightsChange::Give { person, .. } => (person, 0),
        RightsChange::Forget { person } | RightsChange::Leave { person } => (person, 1),
    };
    let sql = "select 1 as found from document where document_id = $1 and owner_id <> $2";
    if transaction.optional_row(sql, [document.into(), person.into()]).await?.is_none() {
        return Ok(false);
    }
    let sql = "update document_member set has_left = $3
               where document_id = $1 and person_id = $2 and has_left <> $3";
    transaction.execute(sql, [document.into(), person.into(), Value::Integer(has_left)]).await?;
    if has_left == 1 {
        unlist(transaction, document, person).await?;
    }
    Ok(true)
}

/// The client began anew with the version that is now; fences of long ago are forgotten.
async fn fence(
    transaction: &mut impl Sql,
    document: DocumentId,
    client: ClientId,
) -> Result<(), sqlx::Error> {
    let sql = "insert into client_fence (document_id, client_id, version)
               select document_id, $2, rights_version from document where document_id = $1
               on conflict (document_id, client_id) do update set version = excluded.version";
    transaction.execute(sql, [document.into(), client.into()]).await?;
    let sql = "delete from client_fence where document_id = $1 and version + $2 <=
                   (select rights_version from document where document_id = $1)";
    let kept = Value::Integer(FENCES_MAX.cast_signed());
    transaction.execute(sql, [document.into(), kept]).await.map(drop)
}

/// The person has not opened the document.
async fn unlist(
    transaction: &mut impl Sql,
    document: DocumentId,
    person: &UserId,
) -> Result<(), sqlx::Error> {
    let sql = "delete from document_opened where document_id = $1 and person_id = $2";
    transaction.execute(sql, [document.into(), person.into()]).await.map(drop)
}

async fn give(
    transaction: &mut impl Sql,
    document: DocumentId,
    (person, role): (&UserId, GivenRole),
    by: &UserId,
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    let sql = "insert into document_member (document_id, person_id, role, added_by, time_ms)
               values ($1, $2, $3, $4, $5)
               on conflict (document_id, person_id) do update set
                   role = excluded.role, added_by = excluded.added_by, time_ms = excluded.time_ms,
                   has_left = 0";
    let role = role.as_str().to_owned();
    let values = [document.into(), person.into(), role.into(), by.into(), now_ms.into()];
    transaction.execute(sql, values).await.map(drop)
}

async fn forget(
    transaction: &mut impl Sql,
    document: DocumentId,
    person: &UserId,
) -> Result<(), sqlx::Error> {
    let sql = "delete from document_member where document_id = $1 and person_id = $2";
    transaction.execute(sql, [document.into(), person.into()]).await.map(drop)
}
