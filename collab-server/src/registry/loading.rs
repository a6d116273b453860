//! A document's task, from its load to its end.

use std::sync::Weak;

use collab_protocol::DocumentId;
use tokio::sync::watch;

use super::{Opened, Registry, slots};
use crate::document::{Document, JoinError, Surroundings};
use crate::fanout::Address;
use crate::shown::Shown;

/// Loads a document, tells who waits, and runs it to its end.
pub(super) async fn serve(
    around: Surroundings,
    document: DocumentId,
    generation: u64,
    registry: Weak<Registry>,
    publish: watch::Sender<Option<Opened>>,
) {
    let this = registry.clone();
    let retiring = Retiring { registry, document, generation };
    // First this: what is committed while the document is being loaded must not go unheard.
    let news = around.fanout.as_ref();
    let news = news.map(|fanout| fanout.subscribe(Address::Document(document)));
    let loaded = around.store.load(document).await;
    if let Err(error) = &loaded {
        tracing::warn!(document = %Shown(document), %error, "document was not loaded");
    }
    let opened = match slots::opened(loaded) {
        Ok(loaded) => {
            let retire = Box::new(move || drop(retiring));
            match Document::new(loaded, around, news, retire) {
                Ok((document, actor)) => {
                    if is_published(&this, &publish, document) {
                        return actor.await;
                    }
                    Err(JoinError::Overloaded)
                }
                Err(error) => Err(error.into()),
            }
        }
        Err(error) => Err(error),
    };
    // Whoever asks from now on loads anew; who waited gets the reason.
    publish.send_replace(Some(opened));
}

/// Hands a loaded document to who waits, unless the server has begun to stop: whoever stops it
/// finds either the document or nobody who would run it.
fn is_published(
    registry: &Weak<Registry>,
    publish: &watch::Sender<Option<Opened>>,
    document: Document,
) -> bool {
    let Some(registry) = registry.upgrade() else { return false };
    let table = registry.table();
    if !table.is_stopping {
        publish.send_replace(Some(Ok(document)));
    }
    !table.is_stopping
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
