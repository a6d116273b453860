//! What handlers take from a request, each failure with its documented answer.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use collab_protocol::{DocumentId, ErrorCode, Role, UserId, VersionId};
use serde::de::DeserializeOwned;

use super::body::{self, Patience};
use crate::app::App;
use crate::auth::Identity;
use crate::error::ApiError;
use crate::metrics::Limit;
use crate::store::DocumentRecord;
use crate::uploads::{self, NoRoom, Upload};

/// Who asks; every request to the API has somebody.
#[derive(Clone, Debug)]
pub(super) struct Asking(pub(super) Identity);

impl<S: Sync> FromRequestParts<S> for Asking {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let asking = parts.extensions.get::<Asking>().cloned();
        asking.ok_or(ApiError::new(ErrorCode::Unauthenticated))
    }
}

/// A document of which the person who asks may do what they ask, as [`permit`](super::permit) has
/// found; and what they may do with it.
#[derive(Clone, Debug)]
pub(super) struct Permitted {
    pub(super) record: DocumentRecord,
    pub(super) role: Role,
}

impl<S: Sync> FromRequestParts<S> for Permitted {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        // Nobody asked for permission: then there is none.
        parts.extensions.remove::<Permitted>().ok_or(ApiError::new(ErrorCode::NotFound))
    }
}

/// The person in the path. What is no id is nobody.
pub(super) struct PersonInPath(pub(super) UserId);

impl<S: Send + Sync> FromRequestParts<S> for PersonInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let wrong = || ApiError::bad_request("a person is 1 to 64 printable ASCII characters");
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((_, person)) = path.map_err(|_| wrong())?;
        person.parse().map(PersonInPath).map_err(|_| wrong())
    }
}

/// The document and the version in the path. What is no id is neither.
pub(super) struct VersionInPath(pub(super) DocumentId, pub(super) VersionId);

impl<S: Send + Sync> FromRequestParts<S> for VersionInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let missing = || ApiError::new(ErrorCode::NotFound);
        let Path((document, version)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_| missing())?;
        let document = document.parse().map_err(|_| missing())?;
        let version = version.parse().map_err(|_| missing())?;
        Ok(VersionInPath(document, version))
    }
}

/// A JSON body of a few fields.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        small(app, request, body::SMALL_BYTES_MAX).await.map(Body)
    }
}

/// A JSON body of at most so many bytes, which comes as soon as a head has to.
///
/// # Errors
/// When it is too large, comes too slowly, or has another form.
pub(super) async fn small<T: DeserializeOwned>(
    app: &App,
    request: Request,
    bytes_max: usize,
) -> Result<T, ApiError> {
    check_kind(request.headers())?;
    let patience = Patience::with_a_small_one(&app.config);
    let bytes = body::read(request.into_body(), patience, body::up_to(bytes_max)).await?;
    parse(&bytes)
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    Ok(Json::from_bytes(bytes)?.0)
}

/// A page can have a browser send other kinds to any server without asking it first.
fn check_kind(headers: &HeaderMap) -> Result<(), ApiError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    let subtype = kind.strip_prefix("application/").unwrap_or_default();
    match subtype == "json" || subtype.ends_with("+json") {
        true => Ok(()),
        false => Err(ApiError::bad_request("the body must be application/json")),
    }
}

/// A JSON body that may hold a whole document, and the room that it takes; `None` without one.
pub(super) struct DocumentBody<T>(pub(super) T, pub(super) Option<Upload>);

impl<T: DeserializeOwned> OptionalFromRequest<Arc<App>> for DocumentBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Option<Self>, ApiError> {
        if !has_body(request.headers()) {
            return Ok(None);
        }
        check_kind(request.headers())?;
        let Some(Asking(identity)) = request.extensions().get::<Asking>().cloned() else {
            return Err(ApiError::new(ErrorCode::Unauthenticated));
        };
        let patience = Patience::with_a_large_one(&app.config);
        let mut within = body::up_to(body::document_bytes_max(&app.config));
        let mut upload = None;
        let admit = |len| {
            within(len)?;
            take_room(app, &identity, &mut upload, len)
        };
        let bytes = body::read(request.into_body(), patience, admit).await?;
        parse(&bytes).map(|value| Some(DocumentBody(value, upload)))
    }
}

/// Makes room for a body that has grown to so many bytes. A small one needs none.
fn take_room(
    app: &App,
    identity: &Identity,
    upload: &mut Option<Upload>,
    len: usize,
) -> Result<(), ApiError> {
    if len <= body::SMALL_BYTES_MAX {
        return Ok(());
    }
    let refused = |no_room: NoRoom| {
        app.metrics.limited(Limit::Uploads);
        match no_room {
            NoRoom::Person => ApiError::slow_down(uploads::RETRY),
            NoRoom::Server => ApiError::new(ErrorCode::Overloaded),
        }
    };
    let mut grown = match upload.take() {
        Some(upload) => upload,
        None => app.uploads.begin(identity).map_err(refused)?,
    };
    grown.grow(len).map_err(refused)?;
    *upload = Some(grown);
    Ok(())
}

fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(header::TRANSFER_ENCODING)
        || headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0")
}
