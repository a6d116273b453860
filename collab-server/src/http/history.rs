//! `/api/documents/{id}/history` and what else is asked of a document's past.
//!
//! Who may read a document's text may read its past, and who may edit it may restore.

mod cached;
mod restore;
mod seen;
mod versions;

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use collab_protocol::{
    AttributedRun, Attribution, ErrorCode, HistoryAuthor, HistoryBucket, HistoryEntry, HistoryPage,
    HistorySummary, RawOperation, RevisionDiff, UserId,
};
use ot_core::Revision;
use serde::Deserialize;

use self::cached::Fixed;
use super::documents::REVISION;
use super::extract::Permitted;
use crate::app::App;
use crate::error::ApiError;
use crate::history::Window;
use crate::store::{DocumentRecord, PageLimit};

pub(super) use self::restore::restore_revision;
pub(super) use self::seen::{mark_seen, seen};
pub(super) use self::versions::{
    create as create_version, delete as delete_version, list as list_versions,
    rename as rename_version,
};

/// When a text's revision was committed.
static TIME_MS: HeaderName = HeaderName::from_static("concord-time-ms");

/// Operations of one page, unless asked otherwise.
const PAGE_LEN_DEFAULT: usize = 100;

/// Operations of one page, at most.
const PAGE_LEN_MAX: usize = 1_000;

/// No further operation once those of a page have so many stored bytes.
const PAGE_BYTES_MAX: usize = 1 << 20;

/// Stretches of a summary, unless asked otherwise.
const BUCKETS_DEFAULT: u64 = 200;

/// Stretches of a summary, at most.
const BUCKETS_MAX: u64 = 1_000;

/// Neighbours of one author make one run when written within a minute, unless asked otherwise.
const GAP_MS_DEFAULT: u64 = 60_000;

/// What comes as parameters, or why not.
type Parameters<T> = Result<Query<T>, QueryRejection>;

/// A revision as clients give it.
fn revision(number: u64) -> Result<Revision, ApiError> {
    let revision = Revision::new(number);
    if revision > Revision::MAX {
        return Err(ApiError::bad_request("a revision is at most 2^53 - 1"));
    }
    Ok(revision)
}

/// A revision that the document has reached; its last one where none is given.
pub(super) fn reached(record: &DocumentRecord, number: Option<u64>) -> Result<Revision, ApiError> {
    let asked = number.map_or(Ok(record.revision), revision)?;
    if asked > record.revision {
        return Err(ApiError::new(ErrorCode::RevisionAhead));
    }
    Ok(asked)
}

/// People as others see them now.
async fn authors(
    app: &App,
    users: impl IntoIterator<Item = UserId>,
) -> Result<Vec<HistoryAuthor>, ApiError> {
    let participants = app.people.participants(users).await?;
    let author = |(user, name, color)| HistoryAuthor { user, name, color };
    Ok(participants.into_iter().map(|one| author((one.user, one.name, one.color))).collect())
}

#[derive(Deserialize)]
pub(super) struct PageParameters {
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
}

/// `GET /api/documents/{id}/history`: committed operations, in order.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    Permitted { record, .. }: Permitted,
    parameters: Parameters<PageParameters>,
) -> Result<Json<HistoryPage>, ApiError> {
    let Query(PageParameters { after, limit }) = parameters?;
    let operations_max = limit.unwrap_or(PAGE_LEN_DEFAULT);
    if !(1..=PAGE_LEN_MAX).contains(&operations_max) {
        return Err(ApiError::bad_request("limit must be from 1 to 1000"));
    }
    let after = reached(&record, Some(after))?;
    let page = PageLimit { operations_max, bytes_max: PAGE_BYTES_MAX };
    let page = app.store.since(record.id, after, page).await?;
    let last = page.operations.last().map(|logged| logged.revision);
    let next = last.filter(|last| *last < page.head).map(Revision::get);
    let authors = authors(&app, page.operations.iter().map(|logged| logged.author.clone())).await?;
    let entries = page.operations.into_iter().map(|logged| HistoryEntry {
        revision: logged.revision.get(),
        time_ms: logged.time_ms,
        author: logged.author,
        op: RawOperation::from(&logged.operation),
    });
    let entries = entries.collect();
    Ok(Json(HistoryPage { revision: page.head.get(), entries, authors, next }))
}

#[derive(Deserialize)]
pub(super) struct SummaryParameters {
    buckets: Option<u64>,
}

/// `GET /api/documents/{id}/history/summary`: everything in a few stretches.
pub(super) async fn summary(
    State(app): State<Arc<App>>,
    Permitted { record, .. }: Permitted,
    parameters: Parameters<SummaryParameters>,
) -> Result<Json<HistorySummary>, ApiError> {
    let Query(SummaryParameters { buckets }) = parameters?;
    let buckets = buckets.unwrap_or(BUCKETS_DEFAULT);
    if !(1..=BUCKETS_MAX).contains(&buckets) {
        return Err(ApiError::bad_request("buckets must be from 1 to 1000"));
    }
    let summary = app.histories.summary(&record, buckets).await?;
    let named = summary.buckets.iter().flat_map(|bucket| bucket.authors.iter().cloned());
    let authors = authors(&app, named).await?;
    let first_ms = summary.buckets.first().map_or(record.created_ms, |bucket| bucket.from_ms);
    let last_ms = summary.buckets.last().map_or(record.created_ms, |bucket| bucket.to_ms);
    let buckets = summary.buckets.into_iter().map(|bucket| HistoryBucket {
        from: bucket.from,
        to: bucket.to,
        from_ms: bucket.from_ms,
        to_ms: bucket.to_ms,
        operations: bucket.to + 1 - bucket.from,
        authors: bucket.authors,
    });
    let (revision, buckets) = (summary.revision, buckets.collect());
    Ok(Json(HistorySummary { revision, first_ms, last_ms, buckets, authors }))
}

#[derive(Deserialize)]
pub(super) struct TextParameters {
    revision: Option<u64>,
    time_ms: Option<i64>,
}

/// `GET /api/documents/{id}/text`: the text at the head, at a revision, or at a time.
pub(super) async fn text(
    State(app): State<Arc<App>>,
    Permitted { record, .. }: Permitted,
    parameters: Parameters<TextParameters>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Query(TextParameters { revision, time_ms }) = parameters?;
    let (at, fixed) = match (revision, time_ms) {
        (None, None) => return super::documents::head_text(&app, record.id).await,
        (Some(_), Some(_)) => {
            return Err(ApiError::bad_request("give revision or time_ms, not both"));
        }
        (revision @ Some(_), None) => {
            let at = reached(&record, revision)?;
            (at, Some(Fixed::new(record.epoch, format_args!("{at}"))))
        }
        (None, Some(time_ms)) => (app.histories.revision_at(&record, time_ms).await?, None),
    };
    if let Some(fixed) = fixed.as_ref().filter(|fixed| fixed.is_held(&headers)) {
        return Ok(fixed.not_modified());
    }
    let past = app.histories.text(&record, at).await?;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    let revision = HeaderValue::from(past.revision.get());
    let time_ms = HeaderValue::from(past.time_ms);
    let headers =
        [(header::CONTENT_TYPE, kind), (REVISION.clone(), revision), (TIME_MS.clone(), time_ms)];
    let response = (headers, past.text.to_string()).into_response();
    Ok(match fixed {
        Some(fixed) => fixed.mark(response),
        None => response,
    })
}

#[derive(Deserialize)]
pub(super) struct DiffParameters {
    from: u64,
    to: u64,
}

/// `GET /api/documents/{id}/diff`: what leads from one text to a later one.
pub(super) async fn diff(
    State(app): State<Arc<App>>,
    Permitted { record, .. }: Permitted,
    parameters: Parameters<DiffParameters>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Query(DiffParameters { from, to }) = parameters?;
    if from > to {
        return Err(ApiError::bad_request("from must not be later than to"));
    }
    let (from, to) = (reached(&record, Some(from))?, reached(&record, Some(to))?);
    let fixed = Fixed::new(record.epoch, format_args!("{from}-{to}"));
    if fixed.is_held(&headers) {
        return Ok(fixed.not_modified());
    }
    let operation = app.histories.diff(&record, from, to).await?;
    let op = RawOperation::from(&operation);
    let body = Json(RevisionDiff { from: from.get(), to: to.get(), op });
    Ok(fixed.mark(body.into_response()))
}

#[derive(Deserialize)]
pub(super) struct AttributionParameters {
    revision: Option<u64>,
    #[serde(default)]
    from: usize,
    len: Option<usize>,
    gap_ms: Option<u64>,
}

/// `GET /api/documents/{id}/attribution`: who wrote the characters of a text.
pub(super) async fn attribution(
    State(app): State<Arc<App>>,
    Permitted { record, .. }: Permitted,
    parameters: Parameters<AttributionParameters>,
) -> Result<Json<Attribution>, ApiError> {
    let Query(AttributionParameters { revision, from, len, gap_ms }) = parameters?;
    let at = reached(&record, revision)?;
    let len = len.unwrap_or(usize::MAX);
    let window = Window { from, len, gap_ms: gap_ms.unwrap_or(GAP_MS_DEFAULT) };
    let part = app.histories.attribution(&record, at, window).await?;
    let authors = authors(&app, part.runs.iter().map(|run| run.author.clone())).await?;
    let runs = part.runs.into_iter().map(|run| AttributedRun {
        len: run.len as u64,
        author: run.author,
        revision: run.revision.get(),
        time_ms: run.time_ms,
    });
    Ok(Json(Attribution {
        revision: at.get(),
        len_chars: part.len_chars as u64,
        authors,
        runs: runs.collect(),
        next: part.next.map(|next| next as u64),
    }))
}
