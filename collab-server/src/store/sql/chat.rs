//! Chats: messages by number and by change, and how far each person has read.
//!
//! Who adds to a chat locks its row first. So numbers have no gap, a message that is sent twice at
//! once is found by the second, and rights that change meanwhile wait or are seen.

use collab_protocol::{ChatMessage, ChatReference, DocumentId, MessageId, UserId};
use sqlx::AssertSqlSafe;

use super::{Sql, Value};
use crate::store::StoreError;
use crate::store::chat::{
    ChatChange, ChatEntry, ChatExtract, ChatHead, ChatOutcome, ChatProgress, ChatRange,
    NewChatMessage, mentions_json,
};
use crate::store::row::{self, Columns, corrupt, integer, unsigned, user};

/// The columns that [`entry`] reads.
const ENTRY: &str = "number, message_id, author_id, time_ms, body, mentions, ref_revision, \
     ref_start, ref_end, edited_ms, deleted_ms, change";

/// Takes the chat's row for this transaction, made if there is none, so that nobody else adds to the
/// chat or changes the document's rights before it ends.
pub(in crate::store) async fn lock_chat(
    transaction: &mut impl Sql,
    document: DocumentId,
) -> Result<ChatHead, sqlx::Error> {
    let sql = "insert into chat (document_id, last_number, last_change) values ($1, 0, 0)
               on conflict (document_id) do update set last_number = chat.last_number
               returning last_number, last_change";
    let found = transaction.row(sql, [document.into()]).await?;
    head(&found).map_err(damaged)
}

/// What a row holds that it cannot: within a transaction, which is given up for it.
fn damaged(reason: String) -> sqlx::Error {
    sqlx::Error::Decode(reason.into())
}

fn head(row: &impl Columns) -> Result<ChatHead, String> {
    Ok(ChatHead { number: unsigned(row, "last_number")?, change: unsigned(row, "last_change")? })
}

/// What keeps a chat from being written to under these rights, if anything does.
async fn refusal(
    transaction: &mut impl Sql,
    document: DocumentId,
    rights_version: u64,
) -> Result<Option<ChatOutcome>, sqlx::Error> {
    let sql = "select rights_version, deleted_ms from document where document_id = $1";
    let found = transaction.row(sql, [document.into()]).await?;
    let version = unsigned(&found, "rights_version").map_err(damaged)?;
    let deleted = found.optional_integer("deleted_ms").map_err(damaged)?;
    Ok(match deleted {
        Some(_) => Some(ChatOutcome::DocumentDeleted),
        None if version != rights_version => Some(ChatOutcome::OtherRights),
        None => None,
    })
}

/// Adds a message, within a transaction.
pub(in crate::store) async fn send_chat(
    transaction: &mut impl Sql,
    new: NewChatMessage,
) -> Result<ChatOutcome, sqlx::Error> {
    let document = new.document;
    let head = lock_chat(transaction, document).await?;
    // What was said while one might is answered as that, whatever one may do by now.
    if let Some((entry, sent_hash)) = find(transaction, document, new.id).await? {
        return Ok(new.met(entry, &sent_hash));
    }
    if let Some(refused) = refusal(transaction, document, new.rights_version).await? {
        return Ok(refused);
    }
    let hash = new.hash();
    let entry = new.entry(head);
    insert(transaction, document, &entry, &hash).await?;
    let sql = "update chat set last_number = $2, last_change = $3 where document_id = $1";
    let (number, change) = (integer(entry.message.number), integer(entry.change));
    transaction.execute(sql, [document.into(), number.into(), change.into()]).await?;
    Ok(ChatOutcome::Done(entry))
}

async fn insert(
    transaction: &mut impl Sql,
    document: DocumentId,
    entry: &ChatEntry,
    sent_hash: &[u8],
) -> Result<(), sqlx::Error> {
    let sql = "insert into chat_message (document_id, number, message_id, author_id, time_ms, body,
                   mentions, ref_revision, ref_start, ref_end, edited_ms, deleted_ms, change,
                   sent_hash)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, null, null, $11, $12)";
    let message = &entry.message;
    let part = |of: fn(&ChatReference) -> u64| {
        Value::Optional(message.reference.as_ref().map(|reference| integer(of(reference))))
    };
    let values = [
        document.into(),
        integer(message.number).into(),
        message.id.into(),
        (&message.user).into(),
        message.time_ms.into(),
        message.text.clone().into(),
        mentions_json(&message.mentions).into(),
        part(|reference| reference.rev),
        part(|reference| reference.start.into()),
        part(|reference| reference.end.into()),
        integer(entry.change).into(),
        sent_hash.into(),
    ];
    transaction.execute(sql, values).await?;
    Ok(())
}

/// Changes a message, within a transaction.
pub(in crate::store) async fn change_chat(
    transaction: &mut impl Sql,
    change: ChatChange,
) -> Result<ChatOutcome, sqlx::Error> {
    let document = change.document;
    let head = lock_chat(transaction, document).await?;
    let Some((entry, _)) = find(transaction, document, change.id).await? else {
        return Ok(ChatOutcome::NoMessage);
    };
    let entry = match change.applied(entry, head.change + 1) {
        Ok(entry) => entry,
        Err(outcome) => return Ok(*outcome),
    };
    if let Some(refused) = refusal(transaction, document, change.rights_version).await? {
        return Ok(refused);
    }
    let sql = "update chat_message set body = $3, mentions = $4, edited_ms = $5, change = $6
               where document_id = $1 and number = $2";
    let message = &entry.message;
    let values = [
        document.into(),
        integer(message.number).into(),
        message.text.clone().into(),
        mentions_json(&message.mentions).into(),
        Value::Optional(message.edited_ms),
        integer(entry.change).into(),
    ];
    transaction.execute(sql, values).await?;
    if let Some(deleted_ms) = message.deleted_ms {
        let sql = "update chat_message set deleted_ms = $3, sent_hash = $4, ref_revision = null,
                       ref_start = null, ref_end = null
                   where document_id = $1 and number = $2";
        let nothing: &[u8] = &[];
        let number = integer(message.number).into();
        let values = [document.into(), number, deleted_ms.into(), nothing.into()];
        transaction.execute(sql, values).await?;
    }
    let sql = "update chat set last_change = $2 where document_id = $1";
    transaction.execute(sql, [document.into(), integer(entry.change).into()]).await?;
    Ok(ChatOutcome::Done(entry))
}

async fn find(
    transaction: &mut impl Sql,
    document: DocumentId,
    id: MessageId,
) -> Result<Option<(ChatEntry, Vec<u8>)>, sqlx::Error> {
    let sql = format!(
        "select {ENTRY}, sent_hash from chat_message where document_id = $1 and message_id = $2"
    );
    let found = transaction.optional_row(AssertSqlSafe(sql), [document.into(), id.into()]).await?;
    let Some(row) = found else { return Ok(None) };
    let read = || Ok((entry(&row)?, row.bytes("sent_hash")?.to_vec()));
    read().map(Some).map_err(damaged)
}

fn entry(row: &impl Columns) -> Result<ChatEntry, String> {
    let offset = |column: &str| {
        let value = unsigned(row, column)?;
        u32::try_from(value).map_err(|_| format!("{column} is {value}"))
    };
    let reference = match row.optional_integer("ref_revision")? {
        None => None,
        Some(_) => Some(ChatReference {
            rev: unsigned(row, "ref_revision")?,
            start: offset("ref_start")?,
            end: offset("ref_end")?,
        }),
    };
    let message = ChatMessage {
        number: unsigned(row, "number")?,
        id: MessageId::new(row::id(row, "message_id")?),
        user: user(row, "author_id")?,
        time_ms: row.integer("time_ms")?,
        text: row.text("body")?.to_owned(),
        mentions: serde_json::from_str(row.text("mentions")?)
            .map_err(|error| format!("mentions: {error}"))?,
        reference,
        edited_ms: row.optional_integer("edited_ms")?,
        deleted_ms: row.optional_integer("deleted_ms")?,
    };
    Ok(ChatEntry { message, change: unsigned(row, "change")? })
}

pub(in crate::store) async fn chat(
    moment: &mut impl Sql,
    document: DocumentId,
    range: ChatRange,
    limit: u32,
) -> Result<ChatExtract, StoreError> {
    let head = chat_head(moment, document).await?;
    let (condition, order, from) = match range {
        ChatRange::Latest => ("number < $2", "number desc", i64::MAX),
        ChatRange::Before(number) => ("number < $2", "number desc", integer(number)),
        ChatRange::Since(change) => ("change > $2", "change", integer(change)),
    };
    let sql = format!(
        "select {ENTRY} from chat_message where document_id = $1 and {condition}
         order by {order} limit $3"
    );
    let values = [document.into(), from.into(), i64::from(limit).into()];
    let rows = moment.rows(AssertSqlSafe(sql), values).await?;
    let mut entries = row::each(document, &rows, entry)?;
    if !matches!(range, ChatRange::Since(_)) {
        entries.reverse();
    }
    Ok(ChatExtract { head, entries })
}

async fn chat_head(
    connection: &mut impl Sql,
    document: DocumentId,
) -> Result<ChatHead, StoreError> {
    let sql = "select last_number, last_change from chat where document_id = $1";
    let found = connection.optional_row(sql, [document.into()]).await?;
    found.map_or(Ok(ChatHead::default()), |row| head(&row)).map_err(corrupt(document))
}

/// Documents asked for in one statement, far below the number of values that one may have.
const ASKED_MAX: usize = 8_000;

pub(in crate::store) async fn chat_heads(
    connection: &mut impl Sql,
    documents: Vec<DocumentId>,
) -> Result<Vec<(DocumentId, ChatHead)>, StoreError> {
    let mut found = Vec::with_capacity(documents.len());
    for asked in documents.chunks(ASKED_MAX) {
        let places: Vec<String> = (1..=asked.len()).map(|number| format!("${number}")).collect();
        let sql = format!(
            "select document_id, last_number, last_change from chat where document_id in ({})",
            places.join(", ")
        );
        let values: Vec<Value> = asked.iter().map(|document| (*document).into()).collect();
        for row in connection.rows(AssertSqlSafe(sql), values).await? {
            let document = row::document_id(&row)?;
            found.push((document, head(&row).map_err(corrupt(document))?));
        }
    }
    Ok(found)
}

pub(in crate::store) async fn chat_progress(
    moment: &mut impl Sql,
    document: DocumentId,
    person: UserId,
) -> Result<ChatProgress, StoreError> {
    let sql = "select number from chat_read where document_id = $1 and person_id = $2";
    let found = moment.optional_row(sql, [document.into(), (&person).into()]).await?;
    let number = found.map_or(Ok(0), |row| unsigned(&row, "number")).map_err(corrupt(document))?;
    let sql = "select count(*) as unread from (
                   select 1 as one from chat_message
                   where document_id = $1 and number > $2 and author_id <> $3
                     and deleted_ms is null
                   limit $4
               ) as behind";
    let limit = i64::from(ChatProgress::UNREAD_MAX);
    let values = [document.into(), integer(number).into(), (&person).into(), limit.into()];
    let counted = moment.row(sql, values).await?;
    let unread = unsigned(&counted, "unread").map_err(corrupt(document))?;
    Ok(ChatProgress { number, unread: u32::try_from(unread).unwrap_or(ChatProgress::UNREAD_MAX) })
}

/// People asked for in one statement.
const PEOPLE_MAX: usize = 1_000;

pub(in crate::store) async fn chat_marks(
    connection: &mut impl Sql,
    document: DocumentId,
    people: Vec<UserId>,
) -> Result<Vec<(UserId, u64)>, StoreError> {
    let mut found = Vec::with_capacity(people.len());
    for asked in people.chunks(PEOPLE_MAX) {
        let places: Vec<String> = (2..=asked.len() + 1).map(|at| format!("${at}")).collect();
        let sql = format!(
            "select person_id, number from chat_read
             where document_id = $1 and person_id in ({})",
            places.join(", ")
        );
        let mut values: Vec<Value> = vec![document.into()];
        values.extend(asked.iter().map(Value::from));
        for row in connection.rows(AssertSqlSafe(sql), values).await? {
            let mark =
                user(&row, "person_id").and_then(|user| Ok((user, unsigned(&row, "number")?)));
            found.push(mark.map_err(corrupt(document))?);
        }
    }
    Ok(found)
}

/// Notes how far a person has read: no further than there are messages, and never less than before.
pub(in crate::store) async fn mark_chat_read(
    connection: &mut impl Sql,
    document: DocumentId,
    person: &UserId,
    number: u64,
) -> Result<(), sqlx::Error> {
    let sql = "insert into chat_read (document_id, person_id, number)
               select document_id, $2, case when last_number < $3 then last_number else $3 end
               from chat where document_id = $1
               on conflict (document_id, person_id) do update set number = excluded.number
               where excluded.number > chat_read.number";
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    connection.execute(sql, [document.into(), person.into(), number.into()]).await.map(drop)
}
