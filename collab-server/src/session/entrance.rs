//! Who comes in: known from the upgrade, or by the first message, in time.

use std::time::Duration;

use collab_protocol::{ClientMessage, CloseCode, ErrorCode};

use super::link::{Link, LinkEvent};
use super::{CLOSE_TIMEOUT, End, fatal};
use crate::app::App;
use crate::auth::{Identity, Refused};

/// Finds out who is there: from the upgrade, or else from the first message, in time.
pub(super) async fn authenticate(
    app: &App,
    link: &mut impl Link,
    identity: Option<Identity>,
) -> Result<Identity, End> {
    if let Some(identity) = identity {
        return Ok(identity);
    }
    let deadline = Duration::from_millis(app.config.auth_deadline_ms.into());
    let preauth_max = app.config.preauth_message_bytes_max;
    link.limit_reading(preauth_max.into());
    let first = tokio::select! {
        first = tokio::time::timeout(deadline, link.next_message()) => first,
        () = app.shutdown.stopping.cancelled() => return Err(End::Close(CloseCode::Restart)),
    };
    let code = match first {
        Err(_) => return Err(End::Close(CloseCode::AuthDeadline)),
        Ok(LinkEvent::Gone) => return Err(End::Gone),
        Ok(LinkEvent::Unreadable(code)) => return Err(End::Close(code)),
        Ok(LinkEvent::TooLarge) => ErrorCode::MessageTooLarge,
        Ok(LinkEvent::Text(text)) if text.len() > preauth_max as usize => {
            ErrorCode::MessageTooLarge
        }
        Ok(LinkEvent::Text(text)) => match ClientMessage::decode(&text) {
            Ok(ClientMessage::Auth(auth)) => match app.auth.token(&auth.token) {
                Ok(identity) => {
                    link.limit_reading(u64::MAX);
                    return Ok(identity);
                }
                Err(Refused) => ErrorCode::Unauthenticated,
            },
            Ok(_) => ErrorCode::Unauthenticated,
            Err(_) => ErrorCode::BadMessage,
        },
        Ok(_) => ErrorCode::BadMessage,
    };
    app.metrics.error(code);
    link.finish([fatal(code).to_json().into()], CLOSE_TIMEOUT).await;
    Err(End::Close(match code {
        ErrorCode::MessageTooLarge => CloseCode::TooLarge,
        ErrorCode::BadMessage => CloseCode::BadMessage,
        _ => CloseCode::Unauthenticated,
    }))
}
