//! Notifications: what is written of them, each write in a transaction of its own.

use sqlx::{Connection, PgConnection};

use crate::store::notification::{
    NotificationOutcome, NotificationRecord, NotificationSelection, NotificationsMarked, Recipient,
};
use crate::store::{StoreError, sql};

pub(super) async fn notify(
    connection: &mut PgConnection,
    new: NotificationRecord,
) -> Result<NotificationOutcome, StoreError> {
    let mut transaction = connection.begin().await?;
    let outcome = sql::notify(&mut *transaction, &new).await?;
    transaction.commit().await?;
    Ok(outcome)
}

pub(super) async fn read(
    connection: &mut PgConnection,
    to: Recipient,
    which: NotificationSelection,
    now_ms: i64,
) -> Result<NotificationsMarked, StoreError> {
    let mut transaction = connection.begin().await?;
    let marked = sql::read_notifications(&mut *transaction, &to, &which, now_ms).await?;
    transaction.commit().await?;
    Ok(marked)
}
