//! Notifications: what is written of them, within the writer's transaction.

use sqlx::SqliteConnection;
use tokio::sync::oneshot;

use crate::store::notification::{
    NotificationOutcome, NotificationRecord, NotificationSelection, NotificationsMarked, Recipient,
};
use crate::store::{StoreError, sql};

/// What is written of a person's notifications, with the way to answer it.
pub(super) enum NotificationWrite {
    Notify(NotificationRecord, oneshot::Sender<Result<NotificationOutcome, StoreError>>),
    Read(
        Recipient,
        NotificationSelection,
        i64,
        oneshot::Sender<Result<NotificationsMarked, StoreError>>,
    ),
}

/// What such a write came to.
#[derive(Debug)]
pub(super) enum NotificationWritten {
    Notified(NotificationOutcome),
    Marked(NotificationsMarked),
}

impl NotificationWrite {
    pub(super) async fn run(
        &self,
        connection: &mut SqliteConnection,
    ) -> Result<NotificationWritten, sqlx::Error> {
        Ok(match self {
            NotificationWrite::Notify(new, _) => {
                NotificationWritten::Notified(sql::notify(connection, new).await?)
            }
            NotificationWrite::Read(to, which, now_ms, _) => NotificationWritten::Marked(
                sql::read_notifications(connection, to, which, *now_ms).await?,
            ),
        })
    }

    /// Tells who waits what is committed.
    pub(super) fn committed(self, written: NotificationWritten) {
        // Who asked may have gone; then nobody is to be told.
        match (self, written) {
            (NotificationWrite::Notify(_, reply), NotificationWritten::Notified(outcome)) => {
                drop(reply.send(Ok(outcome)));
            }
            (NotificationWrite::Read(.., reply), NotificationWritten::Marked(marked)) => {
                drop(reply.send(Ok(marked)));
            }
            (other, _) => other.failed(StoreError::unavailable("the write came to another")),
        }
    }

    /// Tells who waits that nothing is known to be written.
    pub(super) fn failed(self, error: StoreError) {
        match self {
            NotificationWrite::Notify(_, reply) => drop(reply.send(Err(error))),
            NotificationWrite::Read(.., reply) => drop(reply.send(Err(error))),
        }
    }
}
