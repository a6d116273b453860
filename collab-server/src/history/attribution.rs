//! Who wrote each character of a text, and when.

use std::sync::Arc;

use collab_protocol::UserId;
use ot_core::Revision;

use super::kept::{Marks, Past};
use super::replay::{Log, Place, Replayed};
use super::spans::Spans;
use super::{Histories, HistoryError, check_reached};
use crate::store::{DocumentRecord, LoggedOperation};

/// What of a text is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// The first character.
    pub(crate) from: usize,
    /// How many; fewer where the text ends.
    pub(crate) len: usize,
    /// Neighbours of one author make one run when they were written within so many milliseconds;
    /// at 0 only those of one operation do.
    pub(crate) gap_ms: u64,
}

/// Neighbouring characters of one author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// How many.
    pub(crate) len: usize,
    /// Whose they are.
    pub(crate) author: UserId,
    /// The latest revision that wrote one of them.
    pub(crate) revision: Revision,
    /// When that was.
    pub(crate) time_ms: i64,
}

/// Who wrote a part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AttributedPart {
    /// Length of the whole text.
    pub(crate) len_chars: usize,
    /// The runs, from the first character asked about.
    pub(crate) runs: Vec<Run>,
    /// Where to go on, when the runs of one answer did not reach the end of what was asked.
    pub(crate) next: Option<usize>,
}

/// Authorship as it is built: the spans, and what the operations say of their authors.
#[derive(Default)]
struct Authorship {
    spans: Spans,
    marks: Arc<Marks>,
}

impl Replayed for Authorship {
    fn carry_out(&mut self, operations: Vec<LoggedOperation>) -> Result<(), String> {
        for logged in &operations {
            self.spans
                .apply(&logged.operation, logged.revision)
                .map_err(|error| format!("revision {}: {error}", logged.revision))?;
        }
        if operations.last().is_some_and(|last| last.revision.get() > self.marks.len()) {
            Arc::make_mut(&mut self.marks).learn(&operations);
        }
        Ok(())
    }
}

impl Histories {
    /// Who wrote a part of the text at a revision.
    pub(crate) async fn attribution(
        &self,
        record: &DocumentRecord,
        revision: Revision,
        window: Window,
    ) -> Result<AttributedPart, HistoryError> {
        check_reached(record, revision)?;
        let log = Log::new(&self.store, record);
        let (mut past, _place) = self.turn(record).await?;
        let spans = self.build_spans(&log, &mut past, revision).await;
        self.pasts.weigh(record.id, record.epoch, &past);
        let (spans, marks) = (spans?, past.marks.clone());
        drop(past);
        let runs_max = self.config.runs_max;
        let work = tokio::task::spawn_blocking(move || runs(&spans, &marks, window, runs_max));
        let part = work.await.map_err(|_| HistoryError::Failed)?;
        part.ok_or_else(|| log.corrupt("a character has no revision").into())
    }

    async fn build_spans(
        &self,
        log: &Log,
        past: &mut Past,
        revision: Revision,
    ) -> Result<Arc<Spans>, HistoryError> {
        let (from, start) = past.spans.nearest(revision).unwrap_or((Place::START, Arc::default()));
        if from.revision == revision {
            return Ok(start);
        }
        let authorship = Authorship { spans: Spans::clone(&start), marks: past.marks.clone() };
        // Kept in passing, so that who gives up half way has not come for nothing.
        let keep = |place, built: &Authorship| {
            past.marks = built.marks.clone();
            let bytes = built.spans.memory_bytes();
            past.spans.keep(place, Arc::new(built.spans.clone()), bytes);
        };
        let every = self.config.spans_every;
        let (built, place) = log.replay(from, revision, authorship, every, keep).await?;
        past.marks = built.marks;
        let spans = Arc::new(built.spans);
        past.spans.keep(place, spans.clone(), spans.memory_bytes());
        Ok(spans)
    }
}

/// The runs of a window; `None` when a character has a revision that was never learnt.
fn runs(spans: &Spans, marks: &Marks, window: Window, runs_max: usize) -> Option<AttributedPart> {
    let mut merged: Vec<(u32, Run, i64)> = Vec::new();
    let mut offset = window.from.min(spans.len_chars());
    let end = window.from.saturating_add(window.len).min(spans.len_chars());
    let mut next = None;
    'spans: for span in spans.from(offset) {
        // All of one revision go at once, what ascends one by one.
        let (steps, each) = if span.step == 0 { (1, span.len) } else { (span.len, 1) };
        for step in 0..steps {
            if offset >= end {
                break 'spans;
            }
            let revision = span.first + u64::from(step);
            let (author, time_ms) = marks.of(revision)?;
            let len = (each as usize).min(end - offset);
            if let Some((last_author, run, last_ms)) = merged.last_mut()
                && *last_author == author
                && (run.revision.get() == revision
                    || (window.gap_ms > 0 && last_ms.abs_diff(time_ms) <= window.gap_ms))
            {
                run.len += len;
                *last_ms = time_ms;
                if run.revision.get() < revision {
                    (run.revision, run.time_ms) = (Revision::new(revision), time_ms);
                }
            } else if merged.len() == runs_max {
                next = Some(offset);
                break 'spans;
            } else {
                let user = marks.user(author).clone();
                let revision = Revision::new(revision);
                merged.push((author, Run { len, author: user, revision, time_ms }, time_ms));
            }
            offset += len;
        }
    }
    let runs = merged.into_iter().map(|(_, run, _)| run).collect();
    Some(AttributedPart { len_chars: spans.len_chars(), runs, next })
}
