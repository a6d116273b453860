//! What servers that share a database tell each other.
//!
//! The database holds the truth. A fan-out only makes it known sooner: what it carries may be lost,
//! late, doubled or out of order, and costs nothing but time then. Gaps are read from the log, and
//! the log is looked at now and then.

mod local;

use std::fmt;
use std::sync::Arc;

use collab_protocol::DocumentId;
use ot_core::Revision;
use tokio::sync::mpsc;

use crate::store::LoggedOperation;

pub use local::LocalFanout;

/// Operations of one document that one server has committed, dense and in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The document.
    pub document: DocumentId,
    /// The operations, as the log holds them; at least one.
    pub operations: Vec<LoggedOperation>,
}

impl Batch {
    /// The last revision it tells of.
    #[must_use]
    pub fn head(&self) -> Revision {
        self.operations.last().map(|last| last.revision).unwrap_or_default()
    }
}

/// Carries batches between servers, as well as it can.
pub trait Fanout: Send + Sync + 'static {
    /// Tells the others. Never waits; what cannot be carried now is lost.
    fn publish(&self, batch: Arc<Batch>);

    /// From now on, what the others publish of a document; and perhaps what this server does. To be
    /// called before the document is loaded: else what is committed in between goes unheard.
    fn subscribe(&self, document: DocumentId) -> Subscription;
}

/// Batches of one document, until it is dropped.
pub struct Subscription {
    receiver: mpsc::Receiver<Arc<Batch>>,
}

impl Subscription {
    /// Batches that wait and are not taken; one more is lost.
    pub const WAITING_MAX: usize = 64;

    /// A subscription and what feeds it.
    #[must_use]
    pub fn new() -> (mpsc::Sender<Arc<Batch>>, Subscription) {
        let (sender, receiver) = mpsc::channel(Subscription::WAITING_MAX);
        (sender, Subscription { receiver })
    }

    /// The next batch; `None` when the fan-out has ended. Dropped before it returns, it has taken
    /// nothing.
    pub async fn next(&mut self) -> Option<Arc<Batch>> {
        self.receiver.recv().await
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("waiting", &self.receiver.len()).finish()
    }
}
