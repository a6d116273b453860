//! The store as a server meets it: calls that are carried out some time or never, and answered
//! later, wrongly not at all. What they write is in memory's store, which the servers share.

use std::sync::{Mutex, PoisonError};

use collab_protocol::{DocumentId, GivenRole, UserId};
use futures_util::FutureExt;
use tokio::sync::oneshot;

use crate::rights::Rights;
use crate::store::{
    ChatChange, ChatExtract, ChatOutcome, ChatProgress, ChatRange, DocumentRecord, MemoryStore,
    NewChatMessage, NotificationExtract, NotificationOutcome, NotificationRange,
    NotificationRecord, NotificationSelection, NotificationsMarked, PersonRecord, Recipient, Store,
    StoreError, StoreFuture, StoreLayer,
};

type Answer<T> = Result<T, StoreError>;

/// A call that waits for what becomes of it.
pub(super) trait Call: Send {
    /// It reaches the database.
    fn apply(&mut self, store: &MemoryStore);
    /// Its answer comes, or that none will.
    fn answer(&mut self, is_told: bool);
}

struct Pending<T, F> {
    run: Option<F>,
    found: Option<Answer<T>>,
    asker: Option<oneshot::Sender<Answer<T>>>,
}

impl<T, F> Call for Pending<T, F>
where
    T: Send,
    F: FnOnce(&MemoryStore) -> Option<Answer<T>> + Send,
{
    fn apply(&mut self, store: &MemoryStore) {
        let run = self.run.take().expect("it is carried out once");
        self.found = run(store);
    }

    fn answer(&mut self, is_told: bool) {
        let found = self.found.take().filter(|_| is_told);
        let lost = || Err(StoreError::unavailable("the simulation says so"));
        if let Some(asker) = self.asker.take() {
            // Whoever asked may be gone.
            drop(asker.send(found.unwrap_or_else(lost)));
        }
    }
}

/// A server's way to the store. What is asked waits here until the world takes it.
pub(super) struct Shelf {
    memory: MemoryStore,
    asked: Mutex<Vec<Box<dyn Call>>>,
}

impl Shelf {
    pub(super) fn new(memory: MemoryStore) -> Self {
        Shelf { memory, asked: Mutex::default() }
    }

    /// What was asked since the last time.
    pub(super) fn take(&self) -> Vec<Box<dyn Call>> {
        std::mem::take(&mut self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn ask<T, F>(&self, run: F) -> StoreFuture<'_, Answer<T>>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a MemoryStore) -> StoreFuture<'a, Answer<T>> + Send + 'static,
    {
        let (asker, answer) = oneshot::channel();
        // Memory's store answers at once.
        let run = Some(|store: &MemoryStore| run(store).now_or_never());
        let pending = Pending { run, found: None, asker: Some(asker) };
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(pending));
        let gone = || Err(StoreError::unavailable("nobody answers"));
        Box::pin(async move { answer.await.unwrap_or_else(|_| gone()) })
    }
}

impl StoreLayer for Shelf {
    fn inner(&self) -> &dyn Store {
        &self.memory
    }

    fn document(&self, document: DocumentId) -> StoreFuture<'_, Answer<DocumentRecord>> {
        self.ask(move |store| store.document(document))
    }

    fn access(
        &self,
        document: DocumentId,
        person: UserId,
    ) -> StoreFuture<'_, Answer<(DocumentRecord, Option<GivenRole>)>> {
        self.ask(move |store| store.access(document, person))
    }

    fn rights(&self, document: DocumentId) -> StoreFuture<'_, Answer<Rights>> {
        self.ask(move |store| store.rights(document))
    }

    fn people(&self, ids: Vec<UserId>) -> StoreFuture<'_, Answer<Vec<PersonRecord>>> {
        self.ask(move |store| store.people(ids))
    }

    fn send_chat(&self, new: NewChatMessage) -> StoreFuture<'_, Answer<ChatOutcome>> {
        self.ask(move |store| store.send_chat(new))
    }

    fn change_chat(&self, change: ChatChange) -> StoreFuture<'_, Answer<ChatOutcome>> {
        self.ask(move |store| store.change_chat(change))
    }

    fn chat(
        &self,
        document: DocumentId,
        range: ChatRange,
        limit: u32,
    ) -> StoreFuture<'_, Answer<ChatExtract>> {
        self.ask(move |store| store.chat(document, range, limit))
    }

    fn chat_progress(
        &self,
        document: DocumentId,
        person: UserId,
    ) -> StoreFuture<'_, Answer<ChatProgress>> {
        self.ask(move |store| store.chat_progress(document, person))
    }

    fn chat_marks(
        &self,
        document: DocumentId,
        people: Vec<UserId>,
    ) -> StoreFuture<'_, Answer<Vec<(UserId, u64)>>> {
        self.ask(move |store| store.chat_marks(document, people))
    }

    fn mark_chat_read(
        &self,
        document: DocumentId,
        person: UserId,
        number: u64,
    ) -> StoreFuture<'_, Answer<ChatProgress>> {
        self.ask(move |store| store.mark_chat_read(document, person, number))
    }

    fn notify(&self, new: NotificationRecord) -> StoreFuture<'_, Answer<NotificationOutcome>> {
        self.ask(move |store| store.notify(new))
    }

    fn notifications(
        &self,
        to: Recipient,
        range: NotificationRange,
        limit: u32,
    ) -> StoreFuture<'_, Answer<NotificationExtract>> {
        self.ask(move |store| store.notifications(to, range, limit))
    }

    fn read_notifications(
        &self,
        to: Recipient,
        which: NotificationSelection,
        now_ms: i64,
    ) -> StoreFuture<'_, Answer<NotificationsMarked>> {
        self.ask(move |store| store.read_notifications(to, which, now_ms))
    }
}
