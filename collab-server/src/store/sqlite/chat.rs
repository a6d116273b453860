//! Chats: what is written of them, within the writer's transaction.

use collab_protocol::{DocumentId, UserId};
use sqlx::SqliteConnection;

use super::write::Written;
use crate::store::chat::{ChatChange, NewChatMessage};
use crate::store::checks::check_text;
use crate::store::sql;

/// What is written to a chat.
#[derive(Clone, Debug)]
pub(super) enum ChatWrite {
    Send(NewChatMessage),
    Change(ChatChange),
}

impl ChatWrite {
    pub(super) async fn run(
        &self,
        connection: &mut SqliteConnection,
    ) -> Result<Written, sqlx::Error> {
        let text = match self {
            ChatWrite::Send(new) => &new.text,
            ChatWrite::Change(change) => change.text(),
        };
        if let Err(error) = check_text(text) {
            return Ok(Written::Refused(error));
        }
        let outcome = match self {
            ChatWrite::Send(new) => sql::send_chat(connection, new.clone()).await?,
            ChatWrite::Change(change) => sql::change_chat(connection, change.clone()).await?,
        };
        Ok(Written::Chat(Box::new(outcome)))
    }
}

pub(super) async fn mark_read(
    connection: &mut SqliteConnection,
    document: DocumentId,
    person: &UserId,
    number: u64,
) -> Result<Written, sqlx::Error> {
    sql::mark_chat_read(connection, document, person, number).await?;
    Ok(Written::Yes)
}
