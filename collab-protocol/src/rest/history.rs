//! The bodies of the REST interface to a document's history. Times are milliseconds since 1970;
//! offsets and lengths count Unicode scalar values.

use serde::{Deserialize, Serialize};

use crate::entry::RawOperation;
use crate::id::{UserId, VersionId};

/// Somebody who is named in an answer about history, as others see them now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HistoryAuthor {
    /// The person.
    pub user: UserId,
    /// The name others see.
    pub name: String,
    /// The colour others see, 0 to 11.
    pub color: u8,
}

/// One committed operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HistoryEntry {
    /// The revision it led to; 1 for the first.
    #[cfg_attr(test, ts(type = "number"))]
    pub revision: u64,
    /// When it was committed.
    #[cfg_attr(test, ts(type = "number"))]
    pub time_ms: i64,
    /// Whose it is.
    pub author: UserId,
    /// The operation, from the text one revision before to the text at this one.
    #[cfg_attr(test, ts(type = "OperationJson"))]
    pub op: RawOperation,
}

/// A page of committed operations, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HistoryPage {
    /// The document's last revision.
    #[cfg_attr(test, ts(type = "number"))]
    pub revision: u64,
    /// The operations.
    pub entries: Vec<HistoryEntry>,
    /// Everybody whom the entries name.
    pub authors: Vec<HistoryAuthor>,
    /// The `after` of the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub next: Option<u64>,
}

/// What happened in one stretch of revisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HistoryBucket {
    /// The first revision of the stretch.
    #[cfg_attr(test, ts(type = "number"))]
    pub from: u64,
    /// Its last revision.
    #[cfg_attr(test, ts(type = "number"))]
    pub to: u64,
    /// The earliest time in it.
    #[cfg_attr(test, ts(type = "number"))]
    pub from_ms: i64,
    /// The latest time in it.
    #[cfg_attr(test, ts(type = "number"))]
    pub to_ms: i64,
    /// How many operations it has.
    #[cfg_attr(test, ts(type = "number"))]
    pub operations: u64,
    /// Who wrote them, who wrote most first.
    pub authors: Vec<UserId>,
}

/// A document's whole history at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HistorySummary {
    /// The document's last revision.
    #[cfg_attr(test, ts(type = "number"))]
    pub revision: u64,
    /// The time of its first operation; of its creation while there is none.
    #[cfg_attr(test, ts(type = "number"))]
    pub first_ms: i64,
    /// The time of its last operation; of its creation while there is none.
    #[cfg_attr(test, ts(type = "number"))]
    pub last_ms: i64,
    /// Stretches of equally many revisions, the last one perhaps shorter, in order.
    pub buckets: Vec<HistoryBucket>,
    /// Everybody whom the buckets name.
    pub authors: Vec<HistoryAuthor>,
}

/// What leads from the text at one revision to the text at a later one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevisionDiff {
    /// The earlier revision.
    #[cfg_attr(test, ts(type = "number"))]
    pub from: u64,
    /// The later one.
    #[cfg_attr(test, ts(type = "number"))]
    pub to: u64,
    /// Everything between them as one operation.
    #[cfg_attr(test, ts(type = "OperationJson"))]
    pub op: RawOperation,
}

/// Neighbouring characters that one person wrote in one go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttributedRun {
    /// How many characters.
    #[cfg_attr(test, ts(type = "number"))]
    pub len: u64,
    /// Whose they are.
    pub author: UserId,
    /// The latest revision that wrote one of them.
    #[cfg_attr(test, ts(type = "number"))]
    pub revision: u64,
    /// When that was.
    #[cfg_attr(test, ts(type = "number"))]
    pub time_ms: i64,
}

/// Who wrote the characters of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attribution {
    /// The revision of the text.
    #[cfg_attr(test, ts(type = "number"))]
    pub revision: u64,
    /// The text's length.
    #[cfg_attr(test, ts(type = "number"))]
    pub len_chars: u64,
    /// Everybody whom the runs name.
    pub authors: Vec<HistoryAuthor>,
    /// The runs, without a gap from the offset that was asked for.
    pub runs: Vec<AttributedRun>,
    /// The `from` to go on with where one answer could not hold all; absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub next: Option<u64>,
}

/// A revision with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Version {
    /// Its id.
    pub id: VersionId,
    /// The revision.
    #[cfg_attr(test, ts(type = "number"))]
    pub revision: u64,
    /// The name.
    pub name: String,
    /// Who named it.
    pub author: UserId,
    /// When it was named.
    #[cfg_attr(test, ts(type = "number"))]
    pub time_ms: i64,
}

/// A document's named versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VersionList {
    /// The versions, by revision.
    pub versions: Vec<Version>,
    /// Everybody whom they name.
    pub authors: Vec<HistoryAuthor>,
}

/// The body of `POST /api/documents/{id}/versions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateVersion {
    /// The name, 1 to 120 characters on one line.
    pub name: String,
    /// The revision; the document's last one where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub revision: Option<u64>,
}

/// The body of `PATCH /api/documents/{id}/versions/{version}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RenameVersion {
    /// The new name, 1 to 120 characters on one line.
    pub name: String,
}

/// The body of `POST /api/documents/{id}/restore-revision`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RestoreRevision {
    /// The revision whose text the document is to have again.
    #[cfg_attr(test, ts(type = "number"))]
    pub revision: u64,
}

/// A revision was restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevisionRestored {
    /// The revision that the restoring became; the document's last one where there was nothing to
    /// change.
    #[cfg_attr(test, ts(type = "number"))]
    pub revision: u64,
}

/// The body of `PUT /api/documents/{id}/seen`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MarkSeen {
    /// The revision that the person has looked at.
    #[cfg_attr(test, ts(type = "number"))]
    pub revision: u64,
}

/// How far the asking person has looked at a document, on any device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeenMark {
    /// The latest revision they have looked at; 0 for none.
    #[cfg_attr(test, ts(type = "number"))]
    pub revision: u64,
    /// When that was noted; absent when nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub time_ms: Option<i64>,
    /// The document's last revision.
    #[cfg_attr(test, ts(type = "number"))]
    pub head: u64,
}
