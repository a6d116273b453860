//! `/api/notifications`: what a person is told, what they have read, and what back ends tell.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use collab_protocol::{
    ErrorCode, NOTIFICATION_BODY_CHARS_MAX, NOTIFICATION_TITLE_CHARS_MAX,
    NOTIFICATION_URL_BYTES_MAX, NewNotification, NotificationPage, NotificationTaken,
    NotificationsRead, ReadNotifications, UserId,
};
use serde::Deserialize;

use super::extract::{Asking, Body};
use crate::app::App;
use crate::auth::Identity;
use crate::error::ApiError;
use crate::notifications;
use crate::store::{NotificationContent, NotificationSelection, Recipient};

/// Notifications read in one request by their ids.
const IDS_MAX: usize = 100;

/// People told in one request.
const PEOPLE_MAX: usize = 100;

#[derive(Deserialize)]
pub(super) struct PageParameters {
    before: Option<u64>,
    since: Option<u64>,
}

fn recipient(identity: Identity) -> Recipient {
    Recipient { tenant: identity.tenant, person: identity.user }
}

/// `GET /api/notifications`
pub(super) async fn page(
    State(app): State<Arc<App>>,
    Asking(identity): Asking,
    parameters: Result<Query<PageParameters>, QueryRejection>,
) -> Result<Json<NotificationPage>, ApiError> {
    let Query(PageParameters { before, since }) = parameters?;
    if before.is_some() && since.is_some() {
        return Err(ApiError::bad_request("either before or since, not both"));
    }
    Ok(Json(notifications::page(&*app, recipient(identity), before, since).await?))
}

/// `POST /api/notifications/read`
pub(super) async fn read(
    State(app): State<Arc<App>>,
    Asking(identity): Asking,
    Body(read): Body<ReadNotifications>,
) -> Result<Json<NotificationsRead>, ApiError> {
    let which = match read {
        ReadNotifications { ids: Some(_), to: Some(_) } => {
            return Err(ApiError::bad_request("either ids or to, not both"));
        }
        ReadNotifications { ids: Some(ids), .. } if ids.len() > IDS_MAX => {
            return Err(ApiError::bad_request("at most 100 ids"));
        }
        ReadNotifications { ids: Some(ids), .. } => NotificationSelection::These(ids),
        ReadNotifications { to, .. } => NotificationSelection::UpTo(to.unwrap_or(u64::MAX)),
    };
    Ok(Json(notifications::read(&*app, recipient(identity), which).await?))
}

/// `POST /api/notifications`
pub(super) async fn tell(
    State(app): State<Arc<App>>,
    Asking(identity): Asking,
    Body(new): Body<NewNotification>,
) -> Result<(StatusCode, Json<NotificationTaken>), ApiError> {
    let NewNotification { to, name, title, body, url, data, id } = new;
    let people: BTreeSet<UserId> = to.into_iter().collect();
    if people.is_empty() || people.len() > PEOPLE_MAX {
        return Err(ApiError::bad_request("to names 1 to 100 people"));
    }
    check_text(&title, 1, NOTIFICATION_TITLE_CHARS_MAX, "title must have 1 to 200 characters")?;
    if let Some(body) = &body {
        check_text(body, 0, NOTIFICATION_BODY_CHARS_MAX, "body must have at most 1000 characters")?;
    }
    if url.as_deref().is_some_and(|url| !is_harmless(url)) {
        let told = "url must be a path of this origin, or an http or https address";
        return Err(ApiError::bad_request(told));
    }
    let data_len = data.as_ref().map_or(0, |data| data.to_string().len());
    if data_len > app.config.event_bytes_max as usize {
        return Err(ApiError::new(ErrorCode::EventTooLarge));
    }
    let id = id.unwrap_or_else(crate::rooms::new_id);
    let content = NotificationContent::App { name, title, body, url, data };
    notifications::told_by_app(&*app, &identity.tenant, people, id.as_str(), content).await?;
    Ok((StatusCode::CREATED, Json(NotificationTaken { id })))
}

fn check_text(
    text: &str,
    chars_min: usize,
    chars_max: usize,
    told: &'static str,
) -> Result<(), ApiError> {
    let len = text.chars().count();
    let is_blank = chars_min > 0 && text.trim().is_empty();
    match is_blank || len > chars_max || text.contains('\0') {
        true => Err(ApiError::bad_request(told)),
        false => Ok(()),
    }
}

/// Whether a page may lead there when it is clicked: nothing that runs as a script, and no control
/// characters, which browsers drop before they read an address.
fn is_harmless(url: &str) -> bool {
    let is_plain = url.len() <= NOTIFICATION_URL_BYTES_MAX
        && !url.contains(|c: char| c.is_control() || c == '\\');
    let is_path = url.starts_with('/') && !url.starts_with("//");
    is_plain && (is_path || url.starts_with("https://") || url.starts_with("http://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_path_or_of_the_web() {
        for url in ["/", "/d/1?a=b#c", "https://example.com/é", "http://localhost:1"] {
            assert!(is_harmless(url), "{url}");
        }
        for url in [
            "",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "javascript:alert(1)",
            " https://example.com",
            "data:text/html,x",
            "d/1",
        ] {
            assert!(!is_harmless(url), "{url}");
        }
    }
}
