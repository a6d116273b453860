//! A document's past: its text at any revision or time, what lies between two revisions, who wrote
//! what, and how much happened when.
//!
//! Everything is built from the log, which never changes, from the nearest text at hand: a stored
//! snapshot, or one kept from looking back before. Nothing here runs in a document's own task, and
//! what takes time runs off the async threads, bounded by [`HistoryConfig`].
//!
//! Units: revisions count operations; offsets and lengths count scalar values.

mod attribution;
mod config;
mod jobs;
mod kept;
mod locate;
mod replay;
mod spans;
mod summary;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use ot_core::{Operation, Revision, Text, compose_all};
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit};

use self::jobs::Jobs;
use self::kept::{KeptPasts, Past};
use self::replay::{Log, Place, Replayed};
use crate::packed::PackedPage;
use crate::revision::between;
use crate::store::{DocumentRecord, LoggedOperation, Store, StoreError};

pub(crate) use self::attribution::Window;
pub(crate) use self::config::HistoryConfig;
pub(crate) use self::locate::Located;

/// Why a look into the past shows nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum HistoryError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The document is not that far.
    #[error("revision {asked} is asked for, the document is at {head}")]
    Ahead {
        /// What was asked for.
        asked: Revision,
        /// The document's last revision.
        head: Revision,
    },
    /// Too many look back at the same time.
    #[error("too many look into the past at the same time")]
    Overloaded,
    /// A bug ended the work.
    #[error("looking into the past failed")]
    Failed,
}

/// A text of the past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PastText {
    pub(crate) revision: Revision,
    /// When the revision was committed; when the document was created for revision 0.
    pub(crate) time_ms: i64,
    pub(crate) text: Arc<str>,
}

/// Looks into the past of documents. Who may see a document is the caller's affair.
pub(crate) struct Histories {
    store: Arc<dyn Store>,
    config: HistoryConfig,
    jobs: Jobs,
    pasts: KeptPasts,
}

impl Replayed for Text {
    fn carry_out(&mut self, operations: Vec<LoggedOperation>) -> Result<(), String> {
        for logged in &operations {
            self.apply(&logged.operation)
                .map_err(|error| format!("revision {}: {error}", logged.revision))?;
        }
        Ok(())
    }

    fn carry_out_page(
        &mut self,
        page: &PackedPage<'_>,
        after: Revision,
        through: Revision,
    ) -> Result<(), String> {
        let edits = page.edits().map_err(|error| error.to_string())?;
        if page.first_revision() > after {
            return edits.replay(self, through).map_err(|error| error.to_string());
        }
        for read in edits.operations(after) {
            let (revision, operation) = read.map_err(|error| error.to_string())?;
            if revision > through {
                break;
            }
            self.apply(&operation).map_err(|error| format!("revision {revision}: {error}"))?;
        }
        Ok(())
    }
}

/// Composed pages of operations.
#[derive(Default)]
struct Composed(Vec<Operation>);

impl Replayed for Composed {
    fn carry_out(&mut self, operations: Vec<LoggedOperation>) -> Result<(), String> {
        let operations = operations.into_iter().map(|logged| logged.operation);
        self.0.extend(compose_all(operations).map_err(|error| error.to_string())?);
        Ok(())
    }
}

impl Histories {
    pub(crate) fn new(store: Arc<dyn Store>, config: HistoryConfig) -> Self {
        let jobs = Jobs::new(config.jobs_max, config.waiting_max);
        let pasts = KeptPasts::new(config.kept_bytes_max, config.document_bytes_max);
        Histories { store, config, jobs, pasts }
    }

    /// The last revision committed at `time_ms` or before.
    pub(crate) async fn revision_at(
        &self,
        record: &DocumentRecord,
        time_ms: i64,
    ) -> Result<Revision, HistoryError> {
        // What was committed since the record was read is not for this answer.
        Ok(self.store.revision_at(record.id, time_ms).await?.min(record.revision))
    }

    /// The text at a revision.
    pub(crate) async fn text(
        &self,
        record: &DocumentRecord,
        revision: Revision,
    ) -> Result<PastText, HistoryError> {
        check_reached(record, revision)?;
        let log = Log::new(&self.store, record);
        let (mut past, _place) = self.turn(record).await?;
        let result = self.build_text(&log, &mut past, revision).await;
        self.pasts.weigh(record.id, record.epoch, &past);
        let text = result?;
        let time_ms = match revision {
            Revision::ZERO => record.created_ms,
            _ => log.time_ms(revision).await?,
        };
        Ok(PastText { revision, time_ms, text })
    }

    /// A document's past, and a place to work on it.
    async fn turn(
        &self,
        record: &DocumentRecord,
    ) -> Result<(OwnedMutexGuard<Past>, OwnedSemaphorePermit), HistoryError> {
        let waiting = self.jobs.line_up()?;
        // The document comes first: who waits for another at work on it keeps no place from those
        // who ask about other documents.
        let past = self.pasts.of(record.id, record.epoch).lock_owned().await;
        Ok((past, waiting.enter().await?))
    }

    async fn build_text(
        &self,
        log: &Log,
        past: &mut Past,
        revision: Revision,
    ) -> Result<Arc<str>, HistoryError> {
        let (from, start) = self.nearest_text(log, past, revision).await?;
        if from.revision == revision {
            return Ok(start);
        }
        // Kept in passing, so that who gives up half way has not come for nothing.
        let keep = |place, text: &Text| {
            past.texts.keep(place, text.contents().into(), text.len_bytes());
        };
        let text = Text::from(&*start);
        let (text, place) = log.replay(from, revision, text, self.config.text_every, keep).await?;
        let text: Arc<str> = text.contents().into();
        past.texts.keep(place, text.clone(), text.len());
        Ok(text)
    }

    /// The nearest text at or before a revision: one that is kept, unless a stored snapshot saves
    /// more than reading that costs.
    async fn nearest_text(
        &self,
        log: &Log,
        past: &Past,
        revision: Revision,
    ) -> Result<(Place, Arc<str>), HistoryError> {
        let (place, text) =
            past.texts.nearest(revision).unwrap_or_else(|| (Place::START, Arc::default()));
        let distance = between(place.revision, revision) as u64;
        if distance <= self.config.text_every / 4 {
            return Ok((place, text));
        }
        let snapshot = log.store.snapshot_at_or_before(log.document, revision).await?;
        Ok(match snapshot.filter(|snapshot| snapshot.revision > place.revision) {
            Some(found) => {
                (Place { revision: found.revision, chain: Some(found.chain) }, found.text)
            }
            None => (place, text),
        })
    }

    /// Does something that takes a processor for a while, in its turn and off the async threads.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HistoryError> {
        let _place = self.jobs.enter().await?;
        tokio::task::spawn_blocking(work).await.map_err(|_| HistoryError::Failed)
    }

    /// Everything between two revisions as one operation.
    pub(crate) async fn diff(
        &self,
        record: &DocumentRecord,
        from: Revision,
        to: Revision,
    ) -> Result<Operation, HistoryError> {
        check_reached(record, from.max(to))?;
        if from >= to {
            let text = self.text(record, from).await?;
            return Ok(Operation::identity(text.text.chars().count()));
        }
        let _place = self.jobs.enter().await?;
        let log = Log::new(&self.store, record);
        let from = Place { revision: from, chain: None };
        let (composed, _) = log.replay(from, to, Composed::default(), u64::MAX, |_, _| {}).await?;
        let work = tokio::task::spawn_blocking(move || compose_all(composed.0));
        let composed = work.await.map_err(|_| HistoryError::Failed)?;
        let composed = composed.map_err(|error| log.corrupt(error))?;
        composed.ok_or(HistoryError::Failed)
    }
}

/// Refuses a revision that the document has not reached.
fn check_reached(record: &DocumentRecord, asked: Revision) -> Result<(), HistoryError> {
    let head = record.revision;
    if asked > head { Err(HistoryError::Ahead { asked, head }) } else { Ok(()) }
}
