//! Documents as sessions see them: real actors over a store in memory that fails when told to. The
//! clock stands still and jumps where nobody has anything to do.

mod elsewhere;
mod faults;
mod life;
mod rights;
mod servers;
mod streams;
mod tab;

use std::sync::Arc;

use collab_protocol::{DocumentId, Epoch};

use super::*;
use crate::clock::FragileClock;
use crate::store::faulty::FaultyStore;
use crate::store::{NewDocument, TextKey};

const DOCUMENT: DocumentId = DocumentId::new(0xd0c);

/// A server without sockets.
struct Server {
    registry: Arc<Registry>,
    store: FaultyStore,
    clock: Arc<FragileClock>,
}

impl Server {
    /// With one document that begins with `text`.
    async fn new(config: DocumentConfig, text: &str) -> Server {
        let store = FaultyStore::new();
        create(&store, DOCUMENT, text).await;
        Server::on(store, config)
    }

    /// One more server on a database.
    fn on(store: FaultyStore, config: DocumentConfig) -> Server {
        let clock = Arc::new(FragileClock::default());
        let registry = Registry::new(Arc::new(store.clone()), config, clock.clone());
        Server { registry, store, clock }
    }

    async fn text(&self) -> String {
        self.registry.text(DOCUMENT).await.expect("it loads").text.to_string()
    }

    /// The text that the log stands for, and its revision.
    async fn stored(&self) -> (String, u64) {
        let loaded = self.store.inner.load(DOCUMENT).await.expect("it loads");
        let start = loaded.snapshot.map_or_else(String::new, |snapshot| snapshot.text.to_string());
        let text = loaded.tail.iter().fold(start, |text, logged| {
            logged.operation.apply(&text).expect("each follows the last")
        });
        (text, loaded.record.revision.get())
    }
}

async fn create(store: &FaultyStore, id: DocumentId, text: &str) {
    let new = NewDocument {
        id,
        title: "Notes".to_owned(),
        owner: "g_owner".parse().expect("an id"),
        tenant: collab_protocol::TenantId::default(),
        link: collab_protocol::LinkAccess::Edit,
        epoch: Epoch::new(7),
        text_key: TextKey::from_bytes([3; 32]),
        created_ms: 1,
        text: text.to_owned(),
        client: collab_protocol::ClientId::new(0xfff),
    };
    store.create_document(new).await.expect("created");
}
