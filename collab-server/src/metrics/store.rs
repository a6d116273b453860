//! A store whose loads and appends are measured: what a person feels of the database.

use std::sync::Arc;
use std::time::Instant;

use collab_protocol::DocumentId;

use super::{Metrics, count};
use crate::store::{Append, AppendOutcome, Loaded, Store, StoreError, StoreFuture, StoreLayer};

/// Passes every call on, and measures some.
pub(crate) struct MeasuredStore {
    inner: Arc<dyn Store>,
    metrics: Arc<Metrics>,
}

impl MeasuredStore {
    pub(crate) fn new(inner: Arc<dyn Store>, metrics: Arc<Metrics>) -> Self {
        MeasuredStore { inner, metrics }
    }
}

fn outcome_name(outcome: &AppendOutcome) -> &'static str {
    match outcome {
        AppendOutcome::Done => "done",
        AppendOutcome::Conflict => "conflict",
        AppendOutcome::Failed(_) => "failed",
        AppendOutcome::Unknown(_) => "unknown",
    }
}

impl StoreLayer for MeasuredStore {
    fn inner(&self) -> &dyn Store {
        &*self.inner
    }

    fn load(&self, document: DocumentId) -> StoreFuture<'_, Result<Loaded, StoreError>> {
        let began = Instant::now();
        Box::pin(async move {
            let loaded = self.inner.load(document).await;
            self.metrics.load_time.observe(began.elapsed().as_secs_f64());
            loaded
        })
    }

    fn append(&self, append: Append) -> StoreFuture<'_, AppendOutcome> {
        let began = Instant::now();
        let operations = append.operations.len() as u64;
        Box::pin(async move {
            let outcome = self.inner.append(append).await;
            self.metrics.appended(began.elapsed());
            count(&self.metrics.appends, outcome_name(&outcome));
            if matches!(outcome, AppendOutcome::Done) {
                self.metrics.operations.inc_by(operations);
            }
            outcome
        })
    }
}
