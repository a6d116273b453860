//! Notifications: by number and by change, one for each key.
//!
//! Who adds or reads locks the person's box first. So numbers and changes have no gap, and one that
//! is told twice at once is found by the second.

use collab_protocol::{NotificationId, TenantId, UserId};
use sqlx::AssertSqlSafe;

use super::{Sql, Value};
use crate::store::StoreError;
use crate::store::notification::{
    NotificationEntry, NotificationExtract, NotificationHead, NotificationOutcome,
    NotificationRange, NotificationRecord, NotificationSelection, NotificationsMarked, Recipient,
    Repeated,
};
use crate::store::row::{self, Columns, integer, unsigned};

/// The columns that [`entry`] reads.
const ENTRY: &str = "notification_id, number, change, time_ms, read_ms, body";

/// The first two values of every statement here.
fn whose(to: &Recipient) -> [Value; 2] {
    let (tenant, person): (&TenantId, &UserId) = (&to.tenant, &to.person);
    [tenant.into(), person.into()]
}

fn with(to: &Recipient, more: impl IntoIterator<Item = Value>) -> Vec<Value> {
    whose(to).into_iter().chain(more).collect()
}

/// What a row holds that it cannot: within a transaction, which is given up for it.
fn damaged(reason: String) -> sqlx::Error {
    sqlx::Error::Decode(reason.into())
}

fn entry(row: &impl Columns) -> Result<NotificationEntry, String> {
    Ok(NotificationEntry {
        id: NotificationId::new(row::id(row, "notification_id")?),
        number: unsigned(row, "number")?,
        change: unsigned(row, "change")?,
        time_ms: row.integer("time_ms")?,
        read_ms: row.optional_integer("read_ms")?,
        content: serde_json::from_str(row.text("body")?)
            .map_err(|error| format!("a notification's body: {error}"))?,
    })
}

/// Takes a person's box for this transaction, made if there is none.
async fn lock(transaction: &mut impl Sql, to: &Recipient) -> Result<NotificationHead, sqlx::Error> {
    let sql = "insert into notification_box (tenant_id, person_id, last_number, last_change)
               values ($1, $2, 0, 0)
               on conflict (tenant_id, person_id)
                   do update set last_number = notification_box.last_number
               returning last_number, last_change";
    let found = transaction.row(sql, whose(to)).await?;
    head(&found, 0).map_err(damaged)
}

fn head(row: &impl Columns, unread: u32) -> Result<NotificationHead, String> {
    let (number, change) = (unsigned(row, "last_number")?, unsigned(row, "last_change")?);
    Ok(NotificationHead { number, change, unread })
}

async fn count_unread(connection: &mut impl Sql, to: &Recipient) -> Result<u32, sqlx::Error> {
    let sql = "select count(*) as unread from notification
               where tenant_id = $1 and person_id = $2 and read_ms is null";
    let counted = connection.row(sql, whose(to)).await?;
    let unread = unsigned(&counted, "unread").map_err(damaged)?;
    Ok(u32::try_from(unread).unwrap_or(u32::MAX))
}

/// Stores a notification, within a transaction.
pub(in crate::store) async fn notify(
    transaction: &mut impl Sql,
    new: &NotificationRecord,
) -> Result<NotificationOutcome, sqlx::Error> {
    let to = &new.to;
    let head = lock(transaction, to).await?;
    let sql = format!(
        "select {ENTRY} from notification
         where tenant_id = $1 and person_id = $2 and topic_key = $3"
    );
    let values = with(to, [new.key.clone().into()]);
    let found = transaction.optional_row(AssertSqlSafe(sql), values).await?;
    let old = found.map(|row| entry(&row)).transpose().map_err(damaged)?;
    if let (Some(old), Repeated::Stays) = (&old, new.repeated) {
        return Ok(NotificationOutcome::Before(old.clone()));
    }
    let entry = new.entry(head, old.as_ref());
    put(transaction, new, &entry, old.is_some()).await?;
    move_head(transaction, to, entry.number, entry.change).await?;
    trim(transaction, to, new.keep_max).await?;
    let unread = count_unread(transaction, to).await?;
    let head = NotificationHead { number: entry.number, change: entry.change, unread };
    Ok(NotificationOutcome::Done(entry, head))
}

async fn put(
    transaction: &mut impl Sql,
    new: &NotificationRecord,
    entry: &NotificationEntry,
    is_there: bool,
) -> Result<(), sqlx::Error> {
    let mut more = vec![
        new.key.clone().into(),
        integer(entry.number).into(),
        integer(entry.change).into(),
        entry.time_ms.into(),
        entry.content.json().into(),
    ];
    let sql = if is_there {
        "update notification set number = $4, change = $5, time_ms = $6, body = $7, read_ms = null
         where tenant_id = $1 and person_id = $2 and topic_key = $3"
    } else {
        more.push(entry.id.into());
        "insert into notification (tenant_id, person_id, topic_key, number, change, time_ms, body,
             notification_id, read_ms)
         values ($1, $2, $3, $4, $5, $6, $7, $8, null)"
    };
    transaction.execute(sql, with(&new.to, more)).await.map(drop)
}

async fn move_head(
    transaction: &mut impl Sql,
    to: &Recipient,
    number: u64,
    change: u64,
) -> Result<(), sqlx::Error> {
    let sql = "update notification_box set last_number = $3, last_change = $4
               where tenant_id = $1 and person_id = $2";
    let values = with(to, [integer(number).into(), integer(change).into()]);
    transaction.execute(sql, values).await.map(drop)
}

/// Lets go of what is too much: the oldest that are read, then the oldest.
async fn trim(
    transaction: &mut impl Sql,
    to: &Recipient,
    keep_max: u32,
) -> Result<(), sqlx::Error> {
    let sql = "select count(*) as kept from notification where tenant_id = $1 and person_id = $2";
    let counted = transaction.row(sql, whose(to)).await?;
    let kept = unsigned(&counted, "kept").map_err(damaged)?;
    let Some(surplus) = kept.checked_sub(keep_max.into()).filter(|surplus| *surplus > 0) else {
        return Ok(());
    };
    let sql = "delete from notification where tenant_id = $1 and person_id = $2 and number in (
                   select number from notification where tenant_id = $1 and person_id = $2
                   order by case when read_ms is null then 1 else 0 end, number
                   limit $3
               )";
    transaction.execute(sql, with(to, [integer(surplus).into()])).await.map(drop)
}

pub(in crate::store) async fn notifications(
    moment: &mut impl Sql,
    to: &Recipient,
    range: NotificationRange,
    limit: u32,
) -> Result<NotificationExtract, StoreError> {
    let damaged = |reason: String| StoreError::unavailable(reason);
    let sql = "select last_number, last_change from notification_box
               where tenant_id = $1 and person_id = $2";
    let Some(found) = moment.optional_row(sql, whose(to)).await? else {
        return Ok(NotificationExtract::default());
    };
    let unread = count_unread(moment, to).await?;
    let head = head(&found, unread).map_err(damaged)?;
    let (condition, from) = match range {
        NotificationRange::Latest => ("number <= $3", head.number),
        NotificationRange::Before(number) => ("number < $3", number.min(head.number + 1)),
        NotificationRange::Since(change) => ("change > $3", change.min(head.change)),
    };
    let sql = format!(
        "select {ENTRY} from notification where tenant_id = $1 and person_id = $2 and {condition}
         order by number desc limit $4"
    );
    let values = with(to, [integer(from).into(), i64::from(limit).into()]);
    let rows = moment.rows(AssertSqlSafe(sql), values).await?;
    let entries: Result<Vec<_>, String> = rows.iter().map(entry).collect();
    Ok(NotificationExtract { head, entries: entries.map_err(damaged)? })
}

/// Marks what is read, within a transaction.
pub(in crate::store) async fn read_notifications(
    transaction: &mut impl Sql,
    to: &Recipient,
    which: &NotificationSelection,
    now_ms: i64,
) -> Result<NotificationsMarked, sqlx::Error> {
    // Who has no box yet has nothing to read, and needs none.
    let sql = "update notification_box set last_number = last_number
               where tenant_id = $1 and person_id = $2
               returning last_number, last_change";
    let Some(found) = transaction.optional_row(sql, whose(to)).await? else {
        return Ok(NotificationsMarked::default());
    };
    let before = head(&found, 0).map_err(damaged)?;
    let sql = "select notification_id, number from notification
               where tenant_id = $1 and person_id = $2 and read_ms is null order by number";
    let rows = transaction.rows(sql, whose(to)).await?;
    let mut marked = Vec::new();
    for row in &rows {
        let read = || Ok((row::id(row, "notification_id")?, unsigned(row, "number")?));
        let (id, number) = read().map_err(damaged)?;
        if which.has(NotificationId::new(id), number) {
            marked.push((NotificationId::new(id), number));
        }
    }
    let left = rows.len() - marked.len();
    let unread = u32::try_from(left).unwrap_or(u32::MAX);
    let Some((_, last)) = marked.last().copied() else {
        let head = NotificationHead { unread, ..before };
        return Ok(NotificationsMarked { head, ids: Vec::new() });
    };
    let change = before.change + 1;
    let values =
        |number: u64| with(to, [integer(number).into(), now_ms.into(), integer(change).into()]);
    if let NotificationSelection::UpTo(_) = which {
        let sql = "update notification set read_ms = $4, change = $5
                   where tenant_id = $1 and person_id = $2 and number <= $3 and read_ms is null";
        transaction.execute(sql, values(last)).await?;
    } else {
        let sql = "update notification set read_ms = $4, change = $5
                   where tenant_id = $1 and person_id = $2 and number = $3";
        for (_, number) in &marked {
            transaction.execute(sql, values(*number)).await?;
        }
    }
    move_head(transaction, to, before.number, change).await?;
    let head = NotificationHead { number: before.number, change, unread };
    Ok(NotificationsMarked { head, ids: marked.into_iter().map(|(id, _)| id).collect() })
}
