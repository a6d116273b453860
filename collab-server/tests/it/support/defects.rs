//! Defects of a server, as layers around a sound store, for stand-ins: each breaks one promise, and
//! the scenario that is there for this promise must find it out.

use std::time::Duration;

use collab_protocol::DocumentId;
use collab_server::{
    Append, AppendOutcome, PageLimit, SqliteStore, Store, StoreError, StoreFuture, StoreLayer,
    TailPage,
};
use ot_core::{Component, Operation, Revision};
use tokio::sync::mpsc;

/// Says that an append is done, and lets it be done later.
pub(crate) struct AckFirst {
    inner: SqliteStore,
    later: mpsc::UnboundedSender<Append>,
}

impl AckFirst {
    pub(crate) fn around(inner: SqliteStore) -> Self {
        let (later, mut waiting) = mpsc::unbounded_channel();
        let store = inner.clone();
        tokio::spawn(async move {
            while let Some(append) = waiting.recv().await {
                tokio::time::sleep(Duration::from_millis(10)).await;
                store.append(append).await;
            }
        });
        AckFirst { inner, later }
    }
}

impl StoreLayer for AckFirst {
    fn inner(&self) -> &dyn Store {
        &self.inner
    }

    fn append(&self, append: Append) -> StoreFuture<'_, AppendOutcome> {
        let _ = self.later.send(append);
        Box::pin(async { AppendOutcome::Done })
    }
}

/// Takes every append as done, unless another one came first.
pub(crate) struct TakenAsDone<S>(pub(crate) S);

impl<S: Store> StoreLayer for TakenAsDone<S> {
    fn inner(&self) -> &dyn Store {
        &self.0
    }

    fn append(&self, append: Append) -> StoreFuture<'_, AppendOutcome> {
        Box::pin(async move {
            match self.0.append(append).await {
                AppendOutcome::Failed(_) | AppendOutcome::Unknown(_) => AppendOutcome::Done,
                other => other,
            }
        })
    }
}

/// Tells who was away another text than was committed, of the same length.
pub(crate) struct OtherHistory(pub(crate) SqliteStore);

/// The operation with dots in place of what it inserts.
fn dotted(operation: &Operation) -> Operation {
    let builder =
        operation.components().fold(Operation::builder(), |builder, component| match component {
            Component::Retain(count) => builder.retain(count),
            Component::Insert(text) => builder.insert(&".".repeat(text.chars().count())),
            Component::Delete(count) => builder.delete(count),
        });
    builder.build().expect("as long as it was")
}

impl StoreLayer for OtherHistory {
    fn inner(&self) -> &dyn Store {
        &self.0
    }

    fn since(
        &self,
        document: DocumentId,
        after: Revision,
        limit: PageLimit,
    ) -> StoreFuture<'_, Result<TailPage, StoreError>> {
        Box::pin(async move {
            let mut page = self.0.since(document, after, limit).await?;
            for logged in &mut page.operations {
                logged.operation = dotted(&logged.operation);
            }
            Ok(page)
        })
    }
}
