//! `/api/documents`: create, list, look up, rename, delete, restore, and the text at the head.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use collab_protocol::{
    ClientId, CreateDocument, DocumentId, DocumentInfo, DocumentList, Epoch, ErrorCode,
    RenameDocument, Role, TITLE_CHARS_MAX,
};
use serde::Deserialize;
use uuid::Uuid;

use super::extract::{Asking, Body, DocumentBody, Permitted};
use crate::app::App;
use crate::auth::Kind;
use crate::error::ApiError;
use crate::people::one_line;
use crate::rights::Visitor;
use crate::store::{DocumentCursor, DocumentRecord, ListQuery, NewDocument, TextKey};

/// Documents of one page of a list, unless asked otherwise.
const PAGE_LEN_DEFAULT: u32 = 50;

/// Documents of one page of a list, at most.
const PAGE_LEN_MAX: u32 = 200;

/// The longest search text, in bytes: a title's worth.
const SEARCH_BYTES_MAX: usize = 4 * TITLE_CHARS_MAX;

/// Which revision a text is.
pub(super) static REVISION: HeaderName = HeaderName::from_static("concord-revision");

/// `POST /api/documents`
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Asking(identity): Asking,
    body: Option<DocumentBody<CreateDocument>>,
) -> Result<Response, ApiError> {
    let (body, _upload) = match body {
        Some(DocumentBody(body, upload)) => (body, upload),
        None => (CreateDocument::default(), None),
    };
    let CreateDocument { title, text } = body;
    let title = clean_title(title.as_deref().unwrap_or_default())?;
    let text = clean_text(text.unwrap_or_default(), app.config.document_bytes_max as usize)?;
    let mut profile = app.people.profile(&identity).await?;
    app.people.keep(&mut profile).await?;
    let id = DocumentId::new(Uuid::new_v4().as_u128());
    let new = NewDocument {
        id,
        title,
        tenant: identity.tenant.clone(),
        owner: identity.user.clone(),
        link: app.config.link_default.of(identity.kind == Kind::Guest),
        epoch: Epoch::new(Uuid::new_v4().as_u128()),
        text_key: TextKey::random(),
        created_ms: app.clock.now_ms(),
        text,
        client: ClientId::new(Uuid::new_v4().as_u128()),
    };
    app.store.create_document(new).await?;
    let (record, role) = app.access(id, &identity).await?;
    let location =
        HeaderValue::from_str(&format!("/api/documents/{id}")).expect("an id is a header value");
    let body = Json(info(&app, record, role, None));
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], body).into_response())
}

/// The parameters of a list.
#[derive(Deserialize)]
pub(super) struct ListParameters {
    #[serde(default)]
    q: String,
    limit: Option<u32>,
    cursor: Option<String>,
    #[serde(default)]
    deleted: bool,
}

/// `GET /api/documents`: the person's own documents and those they opened.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Asking(identity): Asking,
    parameters: Result<Query<ListParameters>, QueryRejection>,
) -> Result<Json<DocumentList>, ApiError> {
    let Query(ListParameters { q, limit, cursor, deleted }) = parameters?;
    if q.len() > SEARCH_BYTES_MAX || q.contains('\0') {
        return Err(ApiError::bad_request("q is not a title's part"));
    }
    let limit = limit.unwrap_or(PAGE_LEN_DEFAULT);
    if !(1..=PAGE_LEN_MAX).contains(&limit) {
        return Err(ApiError::bad_request("limit must be from 1 to 200"));
    }
    let after = cursor.as_deref().map(read_cursor).transpose()?;
    let query = ListQuery {
        person: identity.user.clone(),
        tenant: identity.tenant.clone(),
        search: one_line(&q),
        deleted,
        limit,
        after,
    };
    let page = app.store.list_documents(query).await?;
    let visitor = Visitor::from(&identity);
    let documents = page
        .documents
        .into_iter()
        .filter_map(|listed| {
            let role = listed.record.role_of(&visitor, listed.given)?;
            Some(info(&app, listed.record, role, listed.opened_ms))
        })
        .collect();
    Ok(Json(DocumentList { documents, cursor: page.next.map(write_cursor) }))
}

/// `GET /api/documents/{id}`
pub(super) async fn read(
    State(app): State<Arc<App>>,
    permitted: Permitted,
) -> Result<Json<DocumentInfo>, ApiError> {
    Ok(Json(info(&app, permitted.record, permitted.role, None)))
}

/// `PATCH /api/documents/{id}`
pub(super) async fn rename(
    State(app): State<Arc<App>>,
    Asking(identity): Asking,
    permitted: Permitted,
    Body(change): Body<RenameDocument>,
) -> Result<Json<DocumentInfo>, ApiError> {
    let id = permitted.record.id;
    if permitted.record.deleted_ms.is_some() {
        return Err(ApiError::new(ErrorCode::DocumentDeleted));
    }
    let title = clean_title(&change.title)?;
    app.registry.rename(id, title).await?;
    let (record, role) = app.access(id, &identity).await?;
    Ok(Json(info(&app, record, role, None)))
}

/// `DELETE /api/documents/{id}`: recoverable, by the owner.
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    permitted: Permitted,
) -> Result<StatusCode, ApiError> {
    app.registry.delete(permitted.record.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/documents/{id}/restore`: by the owner.
pub(super) async fn restore(
    State(app): State<Arc<App>>,
    Asking(identity): Asking,
    permitted: Permitted,
) -> Result<Json<DocumentInfo>, ApiError> {
    let id = permitted.record.id;
    app.registry.restore(id).await?;
    let (record, role) = app.access(id, &identity).await?;
    Ok(Json(info(&app, record, role, None)))
}

/// The text at the head of a document that the asking person may see.
pub(super) async fn head_text(app: &App, id: DocumentId) -> Result<Response, ApiError> {
    let head = app.registry.text(id).await?;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    let revision = HeaderValue::from(head.revision.get());
    let headers = [(header::CONTENT_TYPE, kind), (REVISION.clone(), revision)];
    Ok((headers, head.text.to_string()).into_response())
}

fn info(app: &App, record: DocumentRecord, role: Role, opened_ms: Option<i64>) -> DocumentInfo {
    DocumentInfo {
        id: record.id,
        here: u32::try_from(app.registry.here(record.id)).unwrap_or(u32::MAX),
        title: record.title,
        created_ms: record.created_ms,
        updated_ms: record.updated_ms,
        opened_ms,
        revision: record.revision.get(),
        len_chars: record.len_chars,
        role,
        deleted_ms: record.deleted_ms,
    }
}

fn clean_title(title: &str) -> Result<String, ApiError> {
    let title = one_line(title);
    if title.chars().count() > TITLE_CHARS_MAX {
        return Err(ApiError::bad_request("title must have at most 200 characters"));
    }
    Ok(title)
}

/// A text as documents hold it: LF ends a line, and there is no NUL.
pub(super) fn clean_text(text: String, bytes_max: usize) -> Result<String, ApiError> {
    if text.contains('\0') {
        return Err(ApiError::bad_request("text must not hold a NUL"));
    }
    let text = match text.contains('\r') {
        true => text.replace("\r\n", "\n").replace('\r', "\n"),
        false => text,
    };
    if text.len() > bytes_max {
        return Err(ApiError::new(ErrorCode::MessageTooLarge));
    }
    Ok(text)
}

/// A cursor as clients carry it; what is in it is the server's affair.
fn write_cursor(cursor: DocumentCursor) -> String {
    format!("{:x}-{}", cursor.active_ms, cursor.document)
}

fn read_cursor(text: &str) -> Result<DocumentCursor, ApiError> {
    let parts = text.split_once('-').and_then(|(active, document)| {
        Some(DocumentCursor {
            active_ms: i64::from_str_radix(active, 16).ok()?,
            document: document.parse().ok()?,
        })
    });
    parts.ok_or_else(|| ApiError::bad_request("cursor is not one that a list gave"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back() {
        let cursor = DocumentCursor { active_ms: 1_764_000_000_123, document: DocumentId::new(42) };
        assert_eq!(read_cursor(&write_cursor(cursor)).expect("a cursor"), cursor);
        for text in ["", "-", "x-y", "12", "12-../../etc/passwd"] {
            assert!(read_cursor(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_text_ends_its_lines_with_lf() {
        let clean = |text: &str| clean_text(text.to_owned(), 8);
        assert_eq!(clean("a\r\nb\rc\n").expect("a text"), "a\nb\nc\n");
        assert!(clean("a\0").is_err());
        assert!(clean("12345678").is_ok());
        assert_eq!(clean("123456789").expect_err("too large").code(), ErrorCode::MessageTooLarge);
    }
}
