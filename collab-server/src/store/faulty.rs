//! A store that fails when told to; for tests.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use collab_protocol::{ClientId, DocumentId, GivenRole, UserId};
use ot_core::Revision;
use tokio::sync::{Semaphore, watch};

use super::*;

/// What happens to an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AppendFault {
    Failed,
    /// Written, and nobody hears of it.
    UnknownApplied,
    UnknownNotApplied,
}

/// A call that a store can be told to keep waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stalled {
    Documents,
    Rights,
    Loads,
    Pages,
    People,
    Visits,
}

/// A store in memory with faults. Clones share it.
#[derive(Clone)]
pub(crate) struct FaultyStore {
    pub(crate) inner: MemoryStore,
    faults: Arc<Faults>,
}

struct Faults {
    appends: Mutex<VecDeque<AppendFault>>,
    /// How many of the next loads, reads of the log and reads of progress fail.
    loads: AtomicUsize,
    pages: AtomicUsize,
    damaged_pages: AtomicUsize,
    progresses: AtomicUsize,
    /// How long each load takes, once it has read.
    load_ms: AtomicUsize,
    /// How many loads there were.
    load_count: AtomicUsize,
    /// Appends pass one permit each, once it is armed.
    gate: Semaphore,
    is_gated: std::sync::atomic::AtomicBool,
    /// Calls that wait until they are none of these.
    stalled: watch::Sender<Vec<Stalled>>,
}

impl FaultyStore {
    pub(crate) fn new() -> Self {
        let faults = Faults {
            appends: Mutex::default(),
            loads: AtomicUsize::new(0),
            pages: AtomicUsize::new(0),
            damaged_pages: AtomicUsize::new(0),
            progresses: AtomicUsize::new(0),
            load_ms: AtomicUsize::new(0),
            load_count: AtomicUsize::new(0),
            gate: Semaphore::new(0),
            is_gated: std::sync::atomic::AtomicBool::new(false),
            stalled: watch::Sender::default(),
        };
        FaultyStore { inner: MemoryStore::new(), faults: Arc::new(faults) }
    }

    pub(crate) fn fail_appends(&self, faults: impl IntoIterator<Item = AppendFault>) {
        self.faults.appends.lock().expect("no panic under it").extend(faults);
    }

    pub(crate) fn fail_loads(&self, count: usize) {
        self.faults.loads.store(count, Ordering::Relaxed);
    }

    pub(crate) fn fail_pages(&self, count: usize) {
        self.faults.pages.store(count, Ordering::Relaxed);
    }

    /// The next reads of the log find it damaged.
    pub(crate) fn damage_pages(&self, count: usize) {
        self.faults.damaged_pages.store(count, Ordering::Relaxed);
    }

    pub(crate) fn fail_progresses(&self, count: usize) {
        self.faults.progresses.store(count, Ordering::Relaxed);
    }

    pub(crate) fn slow_loads(&self, ms: usize) {
        self.faults.load_ms.store(ms, Ordering::Relaxed);
    }

    pub(crate) fn load_count(&self) -> usize {
        self.faults.load_count.load(Ordering::Relaxed)
    }

    /// From now on appends wait for [`release`](Self::release).
    pub(crate) fn hold_appends(&self) {
        self.faults.is_gated.store(true, Ordering::Relaxed);
    }

    /// From now on these calls wait, and no others.
    pub(crate) fn stall(&self, calls: impl IntoIterator<Item = Stalled>) {
        self.faults.stalled.send_replace(calls.into_iter().collect());
    }

    /// Makes `call` once the store is not stalled for it.
    fn passing<'a, T>(
        &'a self,
        kind: Stalled,
        call: impl FnOnce() -> StoreFuture<'a, T> + Send + 'a,
    ) -> StoreFuture<'a, T>
    where
        T: Send + 'a,
    {
        Box::pin(async move {
            let mut stalled = self.faults.stalled.subscribe();
            // The sender is in this very store.
            let _ = stalled.wait_for(|stalled| !stalled.contains(&kind)).await;
            call().await
        })
    }

    /// Lets waiting and coming appends through.
    pub(crate) fn release(&self) {
        self.faults.is_gated.store(false, Ordering::Relaxed);
        self.faults.gate.add_permits(1_000);
    }
}

fn takes_one(count: &AtomicUsize) -> bool {
    let less = |count: usize| count.checked_sub(1);
    count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
}

fn unavailable<T: Send + 'static>() -> StoreFuture<'static, Result<T, StoreError>> {
    Box::pin(async {
        tokio::task::yield_now().await;
        Err(StoreError::unavailable("told to fail"))
    })
}

impl StoreLayer for FaultyStore {
    fn inner(&self) -> &dyn Store {
        &self.inner
    }

    fn load(&self, document: DocumentId) -> StoreFuture<'_, Result<Loaded, StoreError>> {
        self.faults.load_count.fetch_add(1, Ordering::Relaxed);
        if takes_one(&self.faults.loads) {
            return unavailable();
        }
        Box::pin(async move {
            let ms = self.faults.load_ms.load(Ordering::Relaxed) as u64;
            let loaded = self.passing(Stalled::Loads, move || self.inner.load(document)).await;
            tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
            loaded
        })
    }

    fn append(&self, append: Append) -> StoreFuture<'_, AppendOutcome> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            if self.faults.is_gated.load(Ordering::Relaxed) {
                self.faults.gate.acquire().await.expect("never closed").forget();
            }
            let fault = self.faults.appends.lock().expect("no panic under it").pop_front();
            let error = StoreError::unavailable("told to fail");
            match fault {
                None => self.inner.append(append).await,
                Some(AppendFault::Failed) => AppendOutcome::Failed(error),
                Some(AppendFault::UnknownNotApplied) => AppendOutcome::Unknown(error),
                Some(AppendFault::UnknownApplied) => {
                    self.inner.append(append).await;
                    AppendOutcome::Unknown(error)
                }
            }
        })
    }

    fn since(
        &self,
        document: DocumentId,
        after: Revision,
        page: PageLimit,
    ) -> StoreFuture<'_, Result<TailPage, StoreError>> {
        if takes_one(&self.faults.pages) {
            return unavailable();
        }
        if takes_one(&self.faults.damaged_pages) {
            let reason = "told to be".to_owned();
            return Box::pin(async move { Err(StoreError::Corrupt { document, reason }) });
        }
        self.passing(Stalled::Pages, move || self.inner.since(document, after, page))
    }

    fn document(
        &self,
        document: DocumentId,
    ) -> StoreFuture<'_, Result<DocumentRecord, StoreError>> {
        self.passing(Stalled::Documents, move || self.inner.document(document))
    }

    fn access(
        &self,
        document: DocumentId,
        person: UserId,
    ) -> StoreFuture<'_, Result<(DocumentRecord, Option<GivenRole>), StoreError>> {
        self.passing(Stalled::Documents, move || self.inner.access(document, person))
    }

    fn heads(
        &self,
        documents: Vec<DocumentId>,
    ) -> StoreFuture<'_, Result<Vec<DocumentHead>, StoreError>> {
        self.passing(Stalled::Rights, move || self.inner.heads(documents))
    }

    fn people(&self, users: Vec<UserId>) -> StoreFuture<'_, Result<Vec<PersonRecord>, StoreError>> {
        self.passing(Stalled::People, move || self.inner.people(users))
    }

    fn mark_opened(
        &self,
        document: DocumentId,
        person: UserId,
        opened_ms: i64,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        self.passing(Stalled::Visits, move || self.inner.mark_opened(document, person, opened_ms))
    }

    fn progress(
        &self,
        document: DocumentId,
        client: ClientId,
    ) -> StoreFuture<'_, Result<Option<ClientProgress>, StoreError>> {
        if takes_one(&self.faults.progresses) {
            return unavailable();
        }
        self.inner.progress(document, client)
    }
}
