//! A fan-out within one process: for several registries over one database.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use collab_protocol::DocumentId;
use tokio::sync::mpsc;

use super::{Batch, Fanout, Subscription};

type Subscribers = HashMap<DocumentId, Vec<mpsc::Sender<Arc<Batch>>>>;

/// Carries batches between the registries that hold a clone of it.
#[derive(Clone, Debug, Default)]
pub struct LocalFanout {
    subscribers: Arc<Mutex<Subscribers>>,
}

impl Fanout for LocalFanout {
    fn publish(&self, batch: Arc<Batch>) {
        let mut subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(senders) = subscribers.get_mut(&batch.document) else { return };
        senders.retain(|sender| {
            let sent = sender.try_send(batch.clone());
            !matches!(sent, Err(mpsc::error::TrySendError::Closed(_)))
        });
        if senders.is_empty() {
            subscribers.remove(&batch.document);
        }
    }

    fn subscribe(&self, document: DocumentId) -> Subscription {
        let (sender, subscription) = Subscription::new();
        let mut subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        let senders = subscribers.entry(document).or_default();
        senders.retain(|sender| !sender.is_closed());
        senders.push(sender);
        subscription
    }
}
