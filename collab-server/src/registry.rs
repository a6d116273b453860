//! The documents that are loaded, each once.
//!
//! However many ask at the same time, a document is loaded once, and all get that one or the same
//! error. Each loading has a generation, so that a document that ends late never takes its
//! successor out.

mod census;
mod loading;
mod slots;
#[cfg(test)]
mod tests;
mod visits;
mod watching;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use collab_protocol::{ClientId, DocumentId, RejectCode, UserId};
use ot_core::Revision;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use self::census::Census;
pub use self::census::CensusNews;
pub(crate) use self::slots::Slots;
#[cfg(feature = "simulation")]
pub(crate) use self::slots::opened;
use self::visits::{Noted, Visits};
pub(crate) use self::watching::Watch;
use crate::clock::Clock;
use crate::dashboard::Holder;
use crate::document::{
    Activity, Control, Document, DocumentConfig, HeadText, Heads, JoinError, JoinFailure,
    JoinRequest, Joined, Participant, Submission, Surroundings,
};
use crate::fanout::{Address, Fanout, News};
use crate::rights::{RightsChange, Visitor};
use crate::shown::Shown;
use crate::store::{PersonRecord, Store, StoreError};

/// What a load came to.
type Opened = Result<Document, JoinError>;

type Waiting = watch::Receiver<Option<Opened>>;

#[derive(Default)]
struct Table {
    slots: Slots<Waiting>,
    /// The actors and what is stored beside them, joined at shutdown.
    tasks: JoinSet<()>,
    is_stopping: bool,
}

/// The loaded documents.
pub struct Registry {
    around: Surroundings,
    table: Mutex<Table>,
    visits: Arc<Visits>,
    census: Census,
    person_changes: AtomicU64,
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

/// How much goes on in one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoomFigures {
    /// Tells it from the others in this process, and nothing else: the number of its loading.
    pub(crate) number: u64,
    /// Which document it is: not for the log.
    pub(crate) document: DocumentId,
    /// Whose it is.
    pub(crate) holder: Arc<Holder>,
    /// Live sessions.
    pub(crate) sessions: usize,
    /// People who have at least one of those.
    pub(crate) people: usize,
    /// Sessions of other servers.
    pub(crate) elsewhere: usize,
    /// Its last revision.
    pub(crate) head: Revision,
    /// How many revisions the session furthest behind lacks.
    pub(crate) lag_revisions: u64,
}

/// Why an edit of the server is not committed.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum EditError {
    /// The document cannot be opened.
    #[error(transparent)]
    Open(#[from] JoinError),
    /// The document does not take it.
    #[error("the document does not take the edit: {0}")]
    Rejected(RejectCode),
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
        let (config, is_shared, heads) = (Arc::new(config), false, Heads::default());
        let fanout = None;
        Registry::around(Surroundings { config, store, clock, is_shared, fanout, catch_ups, heads })
    }

    /// A registry of documents that other servers may commit to as well. `fanout` is the way to
    /// them; without one, their commits are found by looking at the heads every
    /// [`DocumentConfig::poll_interval_alone`].
    #[must_use]
    pub fn shared(
        store: Arc<dyn Store>,
        config: DocumentConfig,
        clock: Arc<dyn Clock>,
        fanout: Option<Arc<dyn Fanout>>,
    ) -> Arc<Registry> {
        let catch_ups = Arc::new(Semaphore::new(config.catch_ups_max.max(1)));
        let (config, is_shared, heads) = (Arc::new(config), true, Heads::default());
        Registry::around(Surroundings { config, store, clock, is_shared, fanout, catch_ups, heads })
    }

    fn around(around: Surroundings) -> Arc<Registry> {
        Arc::new_cyclic(|this| Registry {
            around,
            table: Mutex::default(),
            visits: Arc::default(),
            census: Census::default(),
            person_changes: AtomicU64::new(0),
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
            if opened.rights_version() < request.rights_version {
                opened.set_rights(self.around.store.rights(document).await?).await;
            }
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
            self.table().tasks.spawn(async move { visits.store(store).await });
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

    /// Commits an edit that the server makes for a person, once, whatever happens to the document
    /// meanwhile. `client` is new: nobody else submits under it.
    ///
    /// # Errors
    /// [`EditError`].
    pub(crate) async fn edit(
        &self,
        document: DocumentId,
        (author, visitor): (Participant, Visitor),
        client: ClientId,
        submission: Submission,
    ) -> Result<Revision, EditError> {
        for _ in 0..ATTEMPTS_MAX {
            let opened = self.open(document).await?;
            // The same bytes again after an unknown outcome: the document knows them.
            let who = (author.clone(), visitor.clone());
            if let Some(edited) = opened.edit(who, client, submission.clone()).await {
                return edited.map_err(EditError::Rejected);
            }
            tokio::task::yield_now().await;
        }
        Err(EditError::Rejected(RejectCode::Overloaded))
    }

    /// Live sessions of a document, those of other servers too as far as they have told, also where
    /// it is not loaded here.
    #[must_use]
    pub fn here(&self, document: DocumentId) -> usize {
        match self.loaded(document).map(|document| document.activity()) {
            // Who is in it is told of everybody there by name.
            Some(activity) if activity.sessions > 0 => activity.sessions + activity.elsewhere,
            _ => self.census.count(document),
        }
    }

    /// Whether a person has a document open, here or, as far as is known, on another server.
    pub(crate) fn is_here(&self, document: DocumentId, user: &UserId) -> bool {
        self.loaded(document).is_some_and(|document| document.is_here(user))
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
        self.tell_changed(document);
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
        self.tell_changed(document);
        Ok(())
    }

    /// Changes who may do what with a document. When this returns, nothing more is committed for who
    /// may not write any more, on any server; sessions on this one are about to be told.
    ///
    /// # Errors
    /// As [`Store::change_rights`].
    pub async fn change_rights(
        &self,
        document: DocumentId,
        change: RightsChange,
    ) -> Result<(), StoreError> {
        let now_ms = self.around.clock.now_ms();
        self.around.store.change_rights(document, change, now_ms).await?;
        self.tell_changed(document);
        if let Some(loaded) = self.settled(document).await {
            match self.around.store.rights(document).await {
                Ok(rights) => loaded.set_rights(rights).await,
                // It is made. The next look at the versions brings it here.
                Err(error) => {
                    tracing::warn!(document = %Shown(document), %error, "rights were not read")
                }
            }
        }
        Ok(())
    }

    /// Tells other servers to look at what is stored of a document beside its text.
    fn tell_changed(&self, document: DocumentId) {
        if let Some(fanout) = &self.around.fanout {
            fanout.publish(Address::Document(document), Arc::new(News::Changed));
        }
    }

    /// Stores a person's name and colour and shows them in every document they are in.
    ///
    /// # Errors
    /// As [`Store::put_person`].
    pub async fn put_person(&self, person: PersonRecord) -> Result<(), StoreError> {
        self.around.store.put_person(person.clone()).await?;
        self.person_changes.fetch_add(1, Ordering::AcqRel);
        self.show_person(person.into()).await;
        Ok(())
    }

    /// Counts the calls of [`Registry::put_person`]. Who entered a document while it grew may have
    /// entered under a name of before.
    pub(crate) fn person_changes(&self) -> u64 {
        self.person_changes.load(Ordering::Acquire)
    }

    /// Shows a person's name and colour in every loaded document they are in.
    pub(crate) async fn show_person(&self, participant: Participant) {
        let documents: Vec<Document> = self.table().slots.values().filter_map(document).collect();
        for document in documents {
            document.control(Control::PersonChanged(participant.clone())).await;
        }
    }

    /// How much is loaded.
    #[must_use]
    pub fn stats(&self) -> RegistryStats {
        let table = self.table();
        let documents = table.slots.len();
        let loaded = table.slots.values().filter_map(document);
        let nothing = RegistryStats { documents, ..RegistryStats::default() };
        loaded.fold(nothing, |stats, document| RegistryStats {
            documents,
            sessions: stats.sessions + document.session_count(),
            waiting: stats.waiting + document.waiting_count(),
        })
    }

    /// How much goes on in each document, in no order.
    pub(crate) fn rooms(&self) -> Vec<RoomFigures> {
        let numbered: Vec<(u64, Document)> = {
            let table = self.table();
            let numbered = table.slots.numbered();
            numbered.filter_map(|(number, held)| Some((number, document(held)?))).collect()
        };
        let figures = |(number, document): (u64, Document)| {
            let (holder, id) = (document.holder(), document.id());
            let Activity { sessions, people, elsewhere, head, lag_revisions } = document.activity();
            let document = id;
            RoomFigures {
                number,
                document,
                holder,
                sessions,
                people,
                elsewhere,
                head,
                lag_revisions,
            }
        };
        numbered.into_iter().map(figures).collect()
    }

    /// Finishes every append that was begun, ends every session once its answers are pulled, keeps
    /// a last snapshot of each document, and loads nothing any more.
    pub async fn shutdown(&self) {
        let (documents, mut tasks) = {
            let mut table = self.table();
            table.is_stopping = true;
            let documents: Vec<Document> = table.slots.values().filter_map(document).collect();
            (documents, std::mem::take(&mut table.tasks))
        };
        for document in documents {
            document.control(Control::Stop).await;
        }
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a document's task failed");
            }
        }
        self.around.heads.end().await;
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Each change under the lock is one step, so a panic leaves nothing half done.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn loaded(&self, id: DocumentId) -> Option<Document> {
        self.table().slots.get(id).and_then(document)
    }

    /// The document, if it is loaded, or once it is: what is being loaded may have been read before
    /// the change that it is to be told of.
    async fn settled(&self, document: DocumentId) -> Option<Document> {
        let mut opened = self.table().slots.get(document)?.clone();
        opened.wait_for(Option::is_some).await.ok()?.as_ref()?.as_ref().ok().cloned()
    }

    async fn open(&self, document: DocumentId) -> Opened {
        let mut opened = self.slot(document)?;
        let unavailable = || JoinError::Unavailable("loading the document failed".to_owned());
        let outcome = opened.wait_for(Option::is_some).await.map_err(|_| unavailable())?;
        outcome.clone().unwrap_or_else(|| Err(unavailable()))
    }

    /// The document's slot, whose load is begun now if there is none.
    fn slot(&self, document: DocumentId) -> Result<Waiting, JoinError> {
        let mut table = self.table();
        if table.is_stopping {
            return Err(JoinError::Overloaded);
        }
        if let Some(opened) = table.slots.get(document) {
            return Ok(opened.clone());
        }
        let (publish, opened) = watch::channel(None);
        let generation = table.slots.begin(document, opened.clone());
        while table.tasks.try_join_next().is_some() {}
        let load =
            loading::serve(self.around.clone(), document, generation, self.this.clone(), publish);
        table.tasks.spawn(load);
        Ok(opened)
    }

    fn retire(&self, document: DocumentId, generation: u64) {
        self.table().slots.retire(document, generation);
    }
}

/// The document, once it is loaded.
fn document(opened: &Waiting) -> Option<Document> {
    opened.borrow().as_ref()?.as_ref().ok().cloned()
}
