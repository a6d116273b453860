//! The bodies of the REST interface.

mod edits;
mod history;
mod sharing;

use serde::{Deserialize, Serialize};

use crate::code::ErrorCode;
use crate::id::{DocumentId, UserId};
use crate::server_message::Role;

pub use edits::{EditText, SetText, TextEdit, TextEdited};
pub use history::{
    AttributedRun, Attribution, CreateVersion, HistoryAuthor, HistoryBucket, HistoryEntry,
    HistoryPage, HistorySummary, MarkSeen, RenameVersion, RestoreRevision, RevisionDiff,
    RevisionRestored, SeenMark, Version, VersionList,
};
pub use sharing::{
    AccessBy, GivenRole, LinkAccess, SetPerson, Sharing, SharingPerson, UpdateSharing,
};

/// A document as lists and `GET /api/documents/{id}` show it. Times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentInfo {
    /// The document.
    pub id: DocumentId,
    /// Its title; may be empty.
    pub title: String,
    /// When it was created.
    #[cfg_attr(test, ts(type = "number"))]
    pub created_ms: i64,
    /// When its text or title last changed.
    #[cfg_attr(test, ts(type = "number"))]
    pub updated_ms: i64,
    /// When the asking person last opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub opened_ms: Option<i64>,
    /// How many operations are committed.
    #[cfg_attr(test, ts(type = "number"))]
    pub revision: u64,
    /// The length of its text, in scalar values.
    #[cfg_attr(test, ts(type = "number"))]
    pub len_chars: u64,
    /// How many sessions are in it now.
    pub here: u32,
    /// What the asking person may do.
    pub role: Role,
    /// When it was deleted; it can be restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub deleted_ms: Option<i64>,
}

/// A page of documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentList {
    /// The documents, latest opened or changed first.
    pub documents: Vec<DocumentInfo>,
    /// What to ask with for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub cursor: Option<String>,
}

/// The body of `POST /api/documents`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateDocument {
    /// The title, at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub title: Option<String>,
    /// The text to begin with. CR LF and CR become LF.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub text: Option<String>,
}

/// The body of `PATCH /api/documents/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RenameDocument {
    /// The new title, at most 200 characters.
    pub title: String,
}

/// The asking person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Me {
    /// The person's id.
    pub id: UserId,
    /// The name others see.
    pub name: String,
    /// The colour others see, 0 to 11.
    pub color: u8,
    /// Whether the person is a guest, known by a cookie only.
    pub guest: bool,
}

/// The body of `PUT /api/me`; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateMe {
    /// The name, 1 to 40 characters after trimming.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub name: Option<String>,
    /// The colour, 0 to 11.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub color: Option<u8>,
}

/// The body of `POST /api/session`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OpenSession {
    /// The protocol and its version: [`SUBPROTOCOL`](crate::SUBPROTOCOL).
    pub subprotocol: String,
    /// Whether the first message will be `auth`, so that cookies do not count; `false` if left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub auth: bool,
}

/// Its answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionOpened {
    /// The session's id: a secret, to be named in the header
    /// [`SESSION_HEADER`](crate::SESSION_HEADER) of every request about it.
    pub session: String,
}

/// The body of every answer that is an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// The error.
    pub error: ErrorDetail,
}

/// What went wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorDetail {
    /// The code.
    pub code: ErrorCode,
    /// A sentence for a person.
    pub message: String,
    /// With `unauthenticated`: where to sign in, if the server was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub sign_in_url: Option<String>,
}
