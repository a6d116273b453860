//! Chats: what is written of them, each write in a transaction of its own.

use collab_protocol::{DocumentId, UserId};
use sqlx::{Connection, PgConnection, PgTransaction};

use crate::store::StoreError;
use crate::store::chat::{ChatChange, ChatOutcome, ChatProgress, NewChatMessage};
use crate::store::checks::check_text;
use crate::store::error::is_constraint;
use crate::store::sql;

pub(super) async fn send(
    connection: &mut PgConnection,
    new: NewChatMessage,
) -> Result<ChatOutcome, StoreError> {
    check_text(&new.text)?;
    let mut transaction = connection.begin().await?;
    let written = sql::send_chat(&mut *transaction, new).await;
    end(transaction, written).await
}

pub(super) async fn change(
    connection: &mut PgConnection,
    change: ChatChange,
) -> Result<ChatOutcome, StoreError> {
    check_text(change.text())?;
    let mut transaction = connection.begin().await?;
    let written = sql::change_chat(&mut *transaction, change).await;
    end(transaction, written).await
}

/// Commits what is done, and nothing else.
async fn end(
    transaction: PgTransaction<'_>,
    written: Result<ChatOutcome, sqlx::Error>,
) -> Result<ChatOutcome, StoreError> {
    match written {
        Ok(ChatOutcome::Done(entry)) => {
            transaction.commit().await?;
            Ok(ChatOutcome::Done(entry))
        }
        Ok(other) => {
            transaction.rollback().await?;
            Ok(other)
        }
        // The only constraint that can be in the way is that of a document that is not there.
        Err(error) if is_constraint(&error) => {
            transaction.rollback().await?;
            Err(StoreError::NotFound)
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn mark_read(
    connection: &mut PgConnection,
    document: DocumentId,
    person: UserId,
    number: u64,
) -> Result<ChatProgress, StoreError> {
    sql::mark_chat_read(connection, document, &person, number).await?;
    sql::chat_progress(connection, document, person).await
}
