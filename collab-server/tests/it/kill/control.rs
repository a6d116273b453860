//! The control: a server that acknowledges before it appends. The same rounds must find it out.

use std::time::Duration;

use collab_server::{Append, AppendOutcome, SqliteStore, Store, StoreFuture, StoreLayer};
use tokio::sync::mpsc;

use super::{Ground, Stage};
use crate::support::oracle::Violation;
use crate::support::stand_in;

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledging_before_the_append_is_found_out() {
    if stand_in::serve_if_asked(async |store, _| AckFirst::around(store)).await {
        return;
    }
    let ground = Ground::Sqlite(tempfile::tempdir().expect("a folder"));
    let own = "kill::control::acknowledging_before_the_append_is_found_out";
    let mut stage = Stage::new(ground, Some(own), 73).await;
    let found = stage.round().await;
    let lost = found.iter().filter(|found| matches!(found, Violation::Lost { .. })).count();
    assert!(lost > 0, "acknowledged and not appended, and nobody noticed: {found:?}");
    println!("{lost} lost operations were found");
}
