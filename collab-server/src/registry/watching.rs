//! Rights that are changed elsewhere: on another server, or by a program beside this one.
//!
//! Whoever may not write is stopped by the database, at once and everywhere: an append names the
//! version of the rights that it was accepted under. What is watched here is for everybody else's
//! eyes: who may not read any more is let go, and who may do something else is told.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use collab_protocol::DocumentId;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Registry, document};
use crate::document::{Control, Document};
use crate::store::StoreError;

/// How often rights are looked at, and how long sessions are kept when they cannot be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch {
    pub(crate) interval: Duration,
    pub(crate) grace: Duration,
}

impl Registry {
    /// Looks at the rights of everything that is loaded, again and again until the server stops.
    /// Where that has failed for the time of grace, sessions are ended: whoever comes back is asked
    /// for anew, and nobody is let in who cannot be.
    pub(crate) async fn watch_rights(self: Arc<Self>, watch: Watch, stopping: CancellationToken) {
        let mut known_at = Instant::now();
        loop {
            tokio::select! {
                () = tokio::time::sleep(watch.interval) => {}
                () = stopping.cancelled() => return,
            }
            let began = Instant::now();
            let limit = watch.interval.max(Duration::from_secs(1));
            let looked = tokio::time::timeout(limit, self.look_at_rights()).await;
            match looked.unwrap_or_else(|_| Err(StoreError::unavailable("it took too long"))) {
                Ok(()) => known_at = began,
                Err(error) if known_at.elapsed() >= watch.grace => {
                    tracing::warn!(%error, "rights cannot be read: sessions are ended");
                    self.distrust().await;
                }
                Err(error) => tracing::debug!(%error, "rights were not read"),
            }
        }
    }

    /// Tells every loaded document of changes that it has not heard of.
    pub(crate) async fn look_at_rights(&self) -> Result<(), StoreError> {
        let loaded = self.all_loaded();
        if loaded.is_empty() {
            return Ok(());
        }
        let store = &self.around.store;
        let ids = loaded.iter().map(|(id, _)| *id).collect();
        let loaded: HashMap<DocumentId, Document> = loaded.into_iter().collect();
        for head in store.heads(ids).await? {
            let document = loaded.get(&head.document);
            let is_stale = |document: &&Document| document.rights_version() < head.rights_version;
            if let Some(document) = document.filter(is_stale) {
                document.set_rights(store.rights(head.document).await?).await;
            }
        }
        Ok(())
    }

    async fn distrust(&self) {
        for (_, document) in self.all_loaded() {
            document.control(Control::Distrust).await;
        }
    }

    pub(super) fn all_loaded(&self) -> Vec<(DocumentId, Document)> {
        let table = self.table();
        let loaded = table.slots.iter();
        loaded.filter_map(|(id, opened)| Some((id, document(opened)?))).collect()
    }
}
