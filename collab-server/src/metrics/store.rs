//! A store whose loads and appends are measured: what a person feels of the database.

use std::sync::Arc;
use std::time::Instant;

use collab_protocol::{ClientId, DocumentId, UserId};
use ot_core::{ClientSeq, Revision};

use super::{Metrics, count};
use crate::store::{
    Append, AppendOutcome, ClientProgress, DocumentPage, DocumentRecord, ListQuery, Loaded,
    NewDocument, PageLimit, PersonRecord, Snapshot, Store, StoreError, StoreFuture, TailPage,
};

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

impl Store for MeasuredStore {
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
            self.metrics.append_time.observe(began.elapsed().as_secs_f64());
            count(&self.metrics.appends, outcome_name(&outcome));
            if matches!(outcome, AppendOutcome::Done) {
                self.metrics.operations.inc_by(operations);
            }
            outcome
        })
    }

    fn since(
        &self,
        document: DocumentId,
        after: Revision,
        page: PageLimit,
    ) -> StoreFuture<'_, Result<TailPage, StoreError>> {
        self.inner.since(document, after, page)
    }

    fn find_submission(
        &self,
        document: DocumentId,
        client: ClientId,
        seq: ClientSeq,
    ) -> StoreFuture<'_, Result<Option<Revision>, StoreError>> {
        self.inner.find_submission(document, client, seq)
    }

    fn progress(
        &self,
        document: DocumentId,
        client: ClientId,
    ) -> StoreFuture<'_, Result<Option<ClientProgress>, StoreError>> {
        self.inner.progress(document, client)
    }

    fn write_snapshot(
        &self,
        document: DocumentId,
        snapshot: Snapshot,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        self.inner.write_snapshot(document, snapshot)
    }

    fn create_document(&self, new: NewDocument) -> StoreFuture<'_, Result<(), StoreError>> {
        self.inner.create_document(new)
    }

    fn document(
        &self,
        document: DocumentId,
    ) -> StoreFuture<'_, Result<DocumentRecord, StoreError>> {
        self.inner.document(document)
    }

    fn rename_document(
        &self,
        document: DocumentId,
        title: String,
        now_ms: i64,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        self.inner.rename_document(document, title, now_ms)
    }

    fn set_deleted(
        &self,
        document: DocumentId,
        deleted_ms: Option<i64>,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        self.inner.set_deleted(document, deleted_ms)
    }

    fn list_documents(
        &self,
        query: ListQuery,
    ) -> StoreFuture<'_, Result<DocumentPage, StoreError>> {
        self.inner.list_documents(query)
    }

    fn mark_opened(
        &self,
        document: DocumentId,
        person: UserId,
        now_ms: i64,
    ) -> StoreFuture<'_, Result<(), StoreError>> {
        self.inner.mark_opened(document, person, now_ms)
    }

    fn put_person(&self, person: PersonRecord) -> StoreFuture<'_, Result<(), StoreError>> {
        self.inner.put_person(person)
    }

    fn people(&self, ids: Vec<UserId>) -> StoreFuture<'_, Result<Vec<PersonRecord>, StoreError>> {
        self.inner.people(ids)
    }

    fn setting_or_insert(
        &self,
        name: &'static str,
        value: Vec<u8>,
    ) -> StoreFuture<'_, Result<Vec<u8>, StoreError>> {
        self.inner.setting_or_insert(name, value)
    }

    fn check(&self) -> StoreFuture<'_, Result<(), StoreError>> {
        self.inner.check()
    }

    fn close(&self) -> StoreFuture<'_, ()> {
        self.inner.close()
    }
}
