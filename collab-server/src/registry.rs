//! The documents that are loaded, each once.
//!
//! However many ask at the same time, a document is loaded once, and all get that one or the same
//! error. Each loading has a generation, so that a document that ends late never takes its
//! successor out.

#[cfg(test)]
mod tests;
mod visits;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use collab_protocol::DocumentId;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use self::visits::{Noted, Visits};
use crate::clock::Clock;
use crate::document::{
    Control, Document, DocumentConfig, HeadText, JoinError, JoinFailure, JoinRequest, Joined,
    Participant, Surroundings,
};
use crate::store::{PersonRecord, Store, StoreError};

/// What a load came to.
type Opened = Result<Document, JoinError>;

struct Slot {
    generation: u64,
    opened: watch::Receiver<Option<Opened>>,
}

#[derive(Default)]
struct Slots {
    by_document: HashMap<DocumentId, Slot>,
    last_generation: u64,
    /// The actors and what is stored beside them, joined at shutdown.
    tasks: JoinSet<()>,
    is_stopping: bool,
}

/// The loaded documents.
pub struct Registry {
    around: Surroundings,
    slots: Mutex<Slots>,
    visits: Arc<Visits>,
    this: Weak<Registry>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// How much is loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RegistryStats {
    /// Documents loaded or being loaded.
    pub documents: usize,
    /// Live sessions in them.
    pub sessions: usize,
    /// Messages that wait in their mailboxes.
    pub waiting: usize,
}

/// How often a join follows a document that was unloaded under its hands.
const ATTEMPTS_MAX: usize = 8;

impl Registry {
    /// A registry of the documents in `store`. `clock` dates what is committed.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        config: DocumentConfig,
        clock: Arc<dyn Clock>,
    ) -> Arc<Registry> {
        let catch_ups = Arc::new(Semaphore::new(config.catch_ups_max.max(1)));
        let around = Surroundings { config: Arc::new(config), store, clock, catch_ups };
        Arc::new_cyclic(|this| Registry {
            around,
            slots: Mutex::default(),
            visits: Arc::default(),
            this: this.clone(),
        })
    }

    /// Lets a session into a document, which is loaded if it is not. A first visit is noted for the
    /// person's list, soon after.
    ///
    /// Waits as long as the store does; dropped before it returns, it has let nobody in.
    ///
    /// # Errors
    /// [`JoinError`].
    pub async fn join(
        &self,
        document: DocumentId,
        request: JoinRequest,
    ) -> Result<Joined, JoinError> {
        for _ in 0..ATTEMPTS_MAX {
            let opened = self.open(document).await?;
            match opened.join(request.clone()).await {
                Ok(joined) => {
                    if request.since.is_none() {
                        self.note_visit(document, &request);
                    }
                    return Ok(joined);
                }
                Err(JoinFailure::Refused(error)) => return Err(error),
                Err(JoinFailure::Gone) => tokio::task::yield_now().await,
            }
        }
        Err(JoinError::Overloaded)
    }

    fn note_visit(&self, document: DocumentId, request: &JoinRequest) {
        let user = request.participant.user.clone();
        let now_ms = self.around.clock.now_ms();
        if self.visits.note(document, user, now_ms) == Noted::Store {
            let (visits, store) = (self.visits.clone(), self.around.store.clone());
            self.slots().tasks.spawn(async move { visits.store(store).await });
        }
    }

    /// A document's text at its head.
    ///
    /// # Errors
    /// [`JoinError`].
    pub async fn text(&self, document: DocumentId) -> Result<HeadText, JoinError> {
        for _ in 0..ATTEMPTS_MAX {
            if let Some(text) = self.open(document).await?.text().await {
                return Ok(text);
            }
            tokio::task::yield_now().await;
        }
        Err(JoinError::Overloaded)
    }

    /// Live sessions of a document; 0 when it is not loaded.
    #[must_use]
    pub fn here(&self, document: DocumentId) -> usize {
        self.loaded(document).map_or(0, |document| document.session_count())
    }

    /// Gives a document another title and tells who has it open.
    ///
    /// # Errors
    /// As [`Store::rename_document`].
    pub async fn rename(&self, document: DocumentId, title: String) -> Result<(), StoreError> {
        let now_ms = self.around.clock.now_ms();
        self.around.store.rename_document(document, title.clone(), now_ms).await?;
        if let Some(loaded) = self.settled(document).await {
            loaded.control(Control::Renamed(title)).await;
        }
        Ok(())
    }

    /// Deletes a document recoverably: from now on it takes no edit. Who has it open keeps the
    /// text.
    ///
    /// # Errors
    /// As [`Store::set_deleted`].
    pub async fn delete(&self, document: DocumentId) -> Result<(), StoreError> {
        self.set_deleted(document, Some(self.around.clock.now_ms())).await
    }

    /// Restores a deleted document.
    ///
    /// # Errors
    /// As [`Store::set_deleted`].
    pub async fn restore(&self, document: DocumentId) -> Result<(), StoreError> {
        self.set_deleted(document, None).await
    }

    async fn set_deleted(
        &self,
        document: DocumentId,
        deleted_ms: Option<i64>,
    ) -> Result<(), StoreError> {
        self.around.store.set_deleted(document, deleted_ms).await?;
        if let Some(loaded) = self.settled(document).await {
            loaded.control(Control::SetDeleted(deleted_ms.is_some())).await;
        }
        Ok(())
    }

    /// Stores a person's name and colour and shows them in every document they are in.
    ///
    /// # Errors
    /// As [`Store::put_person`].
    pub async fn put_person(&self, person: PersonRecord) -> Result<(), StoreError> {
        self.around.store.put_person(person.clone()).await?;
        let participant = Participant { user: person.id, name: person.name, color: person.color };
        let documents: Vec<Document> =
            self.slots().by_document.values().filter_map(Slot::document).collect();
        for document in documents {
            document.control(Control::PersonChanged(participant.clone())).await;
        }
        Ok(())
    }

    /// How much is loaded.
    #[must_use]
    pub fn stats(&self) -> RegistryStats {
        let slots = self.slots();
        let documents = slots.by_document.len();
        let loaded = slots.by_document.values().filter_map(Slot::document);
        let nothing = RegistryStats { documents, ..RegistryStats::default() };
        loaded.fold(nothing, |stats, document| RegistryStats {
            documents,
            sessions: stats.sessions + document.session_count(),
            waiting: stats.waiting + document.waiting_count(),
        })
    }

    /// Finishes every append that was begun, ends every session once its answers are pulled, keeps
    /// a last snapshot of each document, and loads nothing any more.
    pub async fn shutdown(&self) {
        let (documents, mut tasks) = {
            let mut slots = self.slots();
            slots.is_stopping = true;
            let documents: Vec<Document> =
                slots.by_document.values().filter_map(Slot::document).collect();
            (documents, std::mem::take(&mut slots.tasks))
        };
        for document in documents {
            document.control(Control::Stop).await;
        }
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a document's task failed");
            }
        }
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        // Each change under the lock is one step, so a panic leaves nothing half done.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn loaded(&self, document: DocumentId) -> Option<Document> {
        self.slots().by_document.get(&document)?.document()
    }

    /// The document, if it is loaded, or once it is: what is being loaded may have been read before
    /// the change that it is to be told of.
    async fn settled(&self, document: DocumentId) -> Option<Document> {
        let mut opened = self.slots().by_document.get(&document)?.opened.clone();
        opened.wait_for(Option::is_some).await.ok()?.as_ref()?.as_ref().ok().cloned()
    }

    async fn open(&self, document: DocumentId) -> Opened {
        let mut opened = self.slot(document)?;
        let unavailable = || JoinError::Unavailable("loading the document failed".to_owned());
        let outcome = opened.wait_for(Option::is_some).await.map_err(|_| unavailable())?;
        outcome.clone().unwrap_or_else(|| Err(unavailable()))
    }

    /// The document's slot, whose load is begun now if there is none.
    fn slot(&self, document: DocumentId) -> Result<watch::Receiver<Option<Opened>>, JoinError> {
        let mut slots = self.slots();
        if slots.is_stopping {
            return Err(JoinError::Overloaded);
        }
        if let Some(slot) = slots.by_document.get(&document) {
            return Ok(slot.opened.clone());
        }
        slots.last_generation += 1;
        let generation = slots.last_generation;
        let (publish, opened) = watch::channel(None);
        slots.by_document.insert(document, Slot { generation, opened: opened.clone() });
        while slots.tasks.try_join_next().is_some() {}
        let load = serve(self.around.clone(), document, generation, self.this.clone(), publish);
        slots.tasks.spawn(load);
        Ok(opened)
    }

    fn retire(&self, document: DocumentId, generation: u64) {
        let mut slots = self.slots();
        if slots.by_document.get(&document).is_some_and(|slot| slot.generation == generation) {
            slots.by_document.remove(&document);
        }
    }
}

impl Slot {
    /// The document, once it is loaded.
    fn document(&self) -> Option<Document> {
        self.opened.borrow().as_ref()?.as_ref().ok().cloned()
    }
}

/// Hands a loaded document to who waits, unless the server has begun to stop: whoever stops it
/// finds either the document or nobody who would run it.
fn is_published(
    registry: &Weak<Registry>,
    publish: &watch::Sender<Option<Opened>>,
    document: Document,
) -> bool {
    let Some(registry) = registry.upgrade() else { return false };
    let slots = registry.slots();
    if !slots.is_stopping {
        publish.send_replace(Some(Ok(document)));
    }
    !slots.is_stopping
}

/// Takes a slot out when dropped, whatever the way there.
struct Retiring {
    registry: Weak<Registry>,
    document: DocumentId,
    generation: u64,
}

impl Drop for Retiring {
    fn drop(&mut self) {
        if let Some(registry) = self.registry.upgrade() {
            registry.retire(self.document, self.generation);
        }
    }
}

/// Loads a document, tells who waits, and runs it to its end.
async fn serve(
    around: Surroundings,
    document: DocumentId,
    generation: u64,
    registry: Weak<Registry>,
    publish: watch::Sender<Option<Opened>>,
) {
    let this = registry.clone();
    let retiring = Retiring { registry, document, generation };
    let opened = match around.store.load(document).await {
        Ok(loaded) if loaded.record.deleted_ms.is_some() => Err(JoinError::Deleted),
        Ok(loaded) => {
            let retire = Box::new(move || drop(retiring));
            match Document::new(loaded, around, retire) {
                Ok((document, actor)) => {
                    if is_published(&this, &publish, document) {
                        return actor.await;
                    }
                    Err(JoinError::Overloaded)
                }
                Err(error) => Err(error.into()),
            }
        }
        Err(error) => {
            tracing::warn!(%document, %error, "document was not loaded");
            Err(error.into())
        }
    };
    // Whoever asks from now on loads anew; who waited gets the reason.
    publish.send_replace(Some(opened));
}
