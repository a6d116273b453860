//! What handlers take from a request, each failure with its documented answer.

use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use collab_protocol::{DocumentId, ErrorCode, Role, UserId, VersionId};
use serde::de::DeserializeOwned;

use crate::auth::Identity;
use crate::error::ApiError;
use crate::store::DocumentRecord;

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

/// A JSON body.
pub(super) struct Body<T>(pub(super) T);

impl<S, T> FromRequest<S> for Body<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let axum::Json(value) =
            <axum::Json<T> as FromRequest<S>>::from_request(request, state).await?;
        Ok(Body(value))
    }
}

impl<S, T> OptionalFromRequest<S> for Body<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, ApiError> {
        if !has_body(request.headers()) {
            return Ok(None);
        }
        <Body<T> as FromRequest<S>>::from_request(request, state).await.map(Some)
    }
}

fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(header::TRANSFER_ENCODING)
        || headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0")
}
