//! Answers that never change: what a revision's text is, stays so.
//!
//! They may be kept by the browser of who asked and by nobody else, for a while: rights that are
//! taken away later cannot take away what was read, but should end what is asked anew.

use std::fmt;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use collab_protocol::Epoch;

/// Kept for an hour without asking, and apart for each cookie and token.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("private, max-age=3600, immutable");

/// An answer that is fixed by what was asked.
pub(super) struct Fixed(HeaderValue);

impl Fixed {
    /// The answer to a question within one line of history.
    pub(super) fn new(epoch: Epoch, question: fmt::Arguments<'_>) -> Self {
        let tag = format!("\"{epoch}-{question}\"");
        Fixed(HeaderValue::from_str(&tag).expect("digits and signs are a header value"))
    }

    /// Whether who asks has it already.
    pub(super) fn is_held(&self, headers: &HeaderMap) -> bool {
        let held = headers.get_all(header::IF_NONE_MATCH).iter();
        let mut tags = held.filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(','));
        tags.any(|tag| tag.trim().trim_start_matches("W/").as_bytes() == self.0.as_bytes())
    }

    /// Says so.
    pub(super) fn not_modified(&self) -> Response {
        self.mark(StatusCode::NOT_MODIFIED.into_response())
    }

    /// Puts the headers on an answer.
    pub(super) fn mark(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        headers.insert(header::ETAG, self.0.clone());
        headers.insert(header::CACHE_CONTROL, CACHE_CONTROL);
        headers.insert(header::VARY, HeaderValue::from_static("cookie, authorization"));
        response
    }
}
