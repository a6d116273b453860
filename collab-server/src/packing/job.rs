//! The one task that packs: documents with a new snapshot wait in a short line, each once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use collab_protocol::DocumentId;
use tokio::sync::mpsc;

use super::pack_document;
use crate::metrics::Metrics;
use crate::shown::Shown;
use crate::shutdown::Shutdown;
use crate::store::{Snapshot, Store, StoreError, StoreFuture, StoreLayer};

/// Documents that wait to be packed. One more is passed over until its next snapshot.
const WAITING_MAX: usize = 1_024;

/// A store that has a document packed, in the background, when it has a new snapshot.
pub(crate) struct PackingStore {
    inner: Arc<dyn Store>,
    line: mpsc::Sender<DocumentId>,
    waiting: Waiting,
}

/// What stands in the line.
#[derive(Clone, Default)]
struct Waiting(Arc<Mutex<HashSet<DocumentId>>>);

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, HashSet<DocumentId>> {
        // Each change under the lock is one step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PackingStore {
    /// A layer around `inner`, with its task, which `shutdown` ends and waits for. Histories of
    /// fewer than `revisions_min` revisions are left as rows.
    pub(crate) fn start(
        inner: Arc<dyn Store>,
        revisions_min: u64,
        metrics: Arc<Metrics>,
        shutdown: &Shutdown,
    ) -> Self {
        let (line, mut next) = mpsc::channel(WAITING_MAX);
        let waiting = Waiting::default();
        let (store, own) = (inner.clone(), waiting.clone());
        let work = async move {
            while let Some(document) = next.recv().await {
                own.lock().remove(&document);
                pack(store.as_ref(), document, revisions_min, &metrics).await;
            }
        };
        // Dropping it between two steps harms nothing: a page is one transaction.
        let stopping = shutdown.stopping.clone();
        shutdown.tasks.spawn(async move {
            stopping.run_until_cancelled(work).await;
        });
        PackingStore { inner, line, waiting }
    }

    fn has_snapshot(&self, document: DocumentId) {
        let mut waiting = self.waiting.lock();
        if waiting.insert(document) && self.line.try_send(document).is_err() {
            waiting.remove(&document);
        }
    }
}

impl StoreLayer for PackingStore {
    fn inner(&self) -> &dyn Store {
        &*self.inner
    }

    fn write_snapshot(
        &self,
        document: DocumentId,
        snapshot: Snapshot,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.inner.write_snapshot(document, snapshot).await?;
            self.has_snapshot(document);
            Ok(())
        })
    }
}

async fn pack(store: &dyn Store, document: DocumentId, revisions_min: u64, metrics: &Metrics) {
    let began = Instant::now();
    match pack_document(store, document, revisions_min).await {
        Ok(report) if report.pages > 0 => {
            metrics.packed(&report, began.elapsed());
            tracing::debug!(document = %Shown(document), ?report, "history packed");
        }
        Ok(_) => {}
        Err(error) => {
            metrics.packing_failures.inc();
            tracing::warn!(document = %Shown(document), %error, "history was not packed");
        }
    }
}
