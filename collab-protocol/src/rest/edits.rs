//! A document's text, changed over REST.
//!
//! Units: offsets and lengths count scalar values of the text at `revision`.

use serde::{Deserialize, Serialize};

use crate::id::EventId;

/// The body of `PUT /api/documents/{id}/text`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SetText {
    /// The text that the document is to have. What has changed in it is committed as one edit.
    pub text: String,
    /// The revision that it was made from: what others have changed since stays. The latest one if
    /// absent, and then the document has exactly this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub revision: Option<u64>,
    /// A key of the caller's: the same one again changes nothing and is answered as the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub id: Option<EventId>,
}

/// One place where a text is changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TextEdit {
    /// Where it begins.
    #[cfg_attr(test, ts(type = "number"))]
    pub at: u64,
    /// How many characters go; none if absent.
    #[serde(default, skip_serializing_if = "is_none")]
    #[cfg_attr(test, ts(as = "Option<u32>", optional))]
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub delete: u64,
    /// What comes in their place; nothing if absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(test, ts(as = "Option<String>", optional))]
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub insert: String,
}

// Serde asks for a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// The body of `POST /api/documents/{id}/edits`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EditText {
    /// The revision whose text the edits are of: what others have changed since stays.
    #[cfg_attr(test, ts(type = "number"))]
    pub revision: u64,
    /// Where and what, from the beginning of the text on, each behind the one before: 1 to 1000.
    /// They become one edit.
    pub edits: Vec<TextEdit>,
    /// A key of the caller's: the same one again changes nothing and is answered as the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub id: Option<EventId>,
}

/// A text was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TextEdited {
    /// The revision that it was committed as; where there was nothing to change, the latest one.
    #[cfg_attr(test, ts(type = "number"))]
    pub revision: u64,
}
