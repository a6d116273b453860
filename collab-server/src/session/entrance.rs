//! Who comes in: known from the upgrade, or by the first message, in time.

use std::time::Duration;

use collab_protocol::{ClientMessage, CloseCode, ErrorCode};
use tokio::io::{AsyncRead, AsyncWrite};

use super::socket::{Socket, SocketEvent};
use super::{CLOSE_TIMEOUT, End, fatal};
use crate::app::App;
use crate::auth::Identity;

/// Finds out who is there: from the upgrade, or else from the first message, in time.
pub(super) async fn authenticate<S>(
    app: &App,
    socket: &mut Socket<S>,
    identity: Option<Identity>,
) -> Result<Identity, End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if let Some(identity) = identity {
        return Ok(identity);
    }
    let deadline = Duration::from_millis(app.config.auth_deadline_ms.into());
    let preauth_max = app.config.preauth_message_bytes_max;
    socket.limit_reading(preauth_max.into());
    let first = tokio::select! {
        first = tokio::time::timeout(deadline, socket.next_message()) => first,
        () = app.shutdown.stopping.cancelled() => return Err(End::Close(CloseCode::Restart)),
    };
    let code = match first {
        Err(_) => return Err(End::Close(CloseCode::AuthDeadline)),
        Ok(SocketEvent::Gone) => return Err(End::Gone),
        Ok(SocketEvent::Unreadable(code)) => return Err(End::Close(code)),
        Ok(SocketEvent::TooLarge) => ErrorCode::MessageTooLarge,
        Ok(SocketEvent::Text(text)) if text.len() > preauth_max as usize => {
            ErrorCode::MessageTooLarge
        }
        Ok(SocketEvent::Text(text)) => match ClientMessage::decode(&text) {
            Ok(ClientMessage::Auth(auth)) => match app.guests.token(&auth.token) {
                Some(identity) => {
                    socket.limit_reading(u64::MAX);
                    return Ok(identity);
                }
                None => ErrorCode::Unauthenticated,
            },
            Ok(_) => ErrorCode::Unauthenticated,
            Err(_) => ErrorCode::BadMessage,
        },
        Ok(_) => ErrorCode::BadMessage,
    };
    app.metrics.error(code);
    socket.finish([fatal(code).to_json().into()], CLOSE_TIMEOUT).await;
    Err(End::Close(match code {
        ErrorCode::MessageTooLarge => CloseCode::TooLarge,
        ErrorCode::BadMessage => CloseCode::BadMessage,
        _ => CloseCode::Unauthenticated,
    }))
}
