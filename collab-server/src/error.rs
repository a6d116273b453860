//! From a failure to its answer, in one place: the status, the stable code, the sentence.
//!
//! The client's mistakes are told to the client. Ours are logged with their cause where they
//! happen, and the client gets the code alone.

use std::borrow::Cow;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use collab_protocol::{ErrorBody, ErrorCode, ErrorDetail};

use crate::config::Config;
use crate::document::JoinError;
use crate::history::HistoryError;
use crate::shown::Shown;
use crate::store::StoreError;

/// An answer that is an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct ApiError {
    code: ErrorCode,
    message: Cow<'static, str>,
    /// The answer's status, where it is not its code's own.
    status: Option<StatusCode>,
    /// When asking again may succeed, where that is known.
    retry: Option<Duration>,
    /// Where to sign in, for who is not.
    sign_in_url: Option<Box<str>>,
}

impl ApiError {
    /// The code with its own sentence.
    pub(crate) fn new(code: ErrorCode) -> Self {
        let message = Cow::Borrowed(code.sentence());
        ApiError { code, message, status: None, retry: None, sign_in_url: None }
    }

    /// A request that does not have the documented form; `message` says what would do.
    pub(crate) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        ApiError { message: message.into(), ..ApiError::new(ErrorCode::BadRequest) }
    }

    /// A request that took longer than it may, or whose body did.
    pub(crate) fn too_slow() -> Self {
        let error = ApiError::bad_request("the request took longer than it may");
        ApiError { status: Some(StatusCode::REQUEST_TIMEOUT), ..error }
    }

    /// Too many requests; the next one may come after `retry`.
    pub(crate) fn slow_down(retry: Duration) -> Self {
        ApiError { retry: Some(retry), ..ApiError::new(ErrorCode::SlowDown) }
    }

    /// The request of somebody who is not known, told where to sign in.
    pub(crate) fn unauthenticated(config: &Config) -> Self {
        let sign_in_url = config.sign_in_url.as_ref().map(|url| url.as_str().into());
        ApiError { sign_in_url, ..ApiError::new(ErrorCode::Unauthenticated) }
    }

    /// The code.
    pub(crate) fn code(&self) -> ErrorCode {
        self.code
    }

    fn status(&self) -> StatusCode {
        self.status.unwrap_or_else(|| status_of(self.code))
    }
}

/// The status of answers with this code.
pub(crate) fn status_of(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::BadRequest
        | ErrorCode::BadMessage
        | ErrorCode::BadChannel
        | ErrorCode::NotJoined
        | ErrorCode::BadRanges
        | ErrorCode::TooManyDocuments
        | ErrorCode::TooManyTopics => StatusCode::BAD_REQUEST,
        ErrorCode::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden | ErrorCode::ForeignOrigin => StatusCode::FORBIDDEN,
        ErrorCode::NotFound | ErrorCode::RevisionAhead | ErrorCode::AccessRevoked => {
            StatusCode::NOT_FOUND
        }
        ErrorCode::ClientTaken
        | ErrorCode::TooManyVersions
        | ErrorCode::TooManyPeople
        | ErrorCode::DocumentFull => StatusCode::CONFLICT,
        ErrorCode::DocumentDeleted => StatusCode::GONE,
        ErrorCode::MessageTooLarge | ErrorCode::EventTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::SlowDown => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::StorageUnavailable | ErrorCode::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::DocCorrupt | ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A whole answer of HTTP/1.1 for who got no further than to connect. The connection ends with it.
pub(crate) fn bare_answer(code: ErrorCode) -> Vec<u8> {
    let status = status_of(code);
    let detail = ErrorDetail { code, message: code.sentence().to_owned(), sign_in_url: None };
    let body = serde_json::to_string(&ErrorBody { error: detail }).expect("texts are JSON");
    let len = body.len();
    format!(
        "HTTP/1.1 {status}\r\nretry-after: 5\r\ncontent-type: application/json\r\n\
         content-length: {len}\r\nconnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let retry = self.code.retryable() && status != StatusCode::INTERNAL_SERVER_ERROR;
        let detail = ErrorDetail {
            code: self.code,
            message: self.message.into_owned(),
            sign_in_url: self.sign_in_url.map(String::from),
        };
        let mut response = (status, Json(ErrorBody { error: detail })).into_response();
        if retry {
            // Whole seconds, upwards: who comes at the stroke is let in.
            let wait = self.retry.unwrap_or(Duration::ZERO);
            let seconds = (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        ApiError::from(&error)
    }
}

impl From<&StoreError> for ApiError {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::NotFound => ApiError::new(ErrorCode::NotFound),
            StoreError::Invalid { reason } => ApiError::bad_request(*reason),
            StoreError::Unavailable { reason } => {
                tracing::warn!(reason, "storage unavailable");
                ApiError::new(ErrorCode::StorageUnavailable)
            }
            StoreError::Corrupt { document, reason } => {
                tracing::error!(document = %Shown(*document), reason, "document damaged");
                ApiError::new(ErrorCode::DocCorrupt)
            }
            StoreError::AlreadyExists => {
                tracing::error!("a random id was drawn twice");
                ApiError::new(ErrorCode::Internal)
            }
        }
    }
}

impl From<JoinError> for ApiError {
    fn from(error: JoinError) -> Self {
        if matches!(error, JoinError::Corrupt(_) | JoinError::Unavailable(_)) {
            tracing::warn!(%error, "document cannot be opened");
        }
        ApiError::new(error.code())
    }
}

impl From<HistoryError> for ApiError {
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::Store(error) => error.into(),
            HistoryError::Ahead { .. } => ApiError::new(ErrorCode::RevisionAhead),
            HistoryError::Overloaded => ApiError::new(ErrorCode::Overloaded),
            HistoryError::Failed => {
                tracing::error!("looking into the past failed");
                ApiError::new(ErrorCode::Internal)
            }
        }
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::new(ErrorCode::MessageTooLarge),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                ApiError::bad_request("the body must be application/json")
            }
            _ => ApiError::bad_request("the body does not have the documented form"),
        }
    }
}

impl From<QueryRejection> for ApiError {
    fn from(_: QueryRejection) -> Self {
        ApiError::bad_request("a parameter does not have the documented form")
    }
}
