//! Who opened which document when, noted for people's lists after they were let in: nobody waits
//! for it, and who comes again before it is stored costs no further write.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use collab_protocol::{DocumentId, UserId};
use futures_util::stream::{self, StreamExt};

use crate::shown::Shown;
use crate::store::Store;

/// Visits that may wait; beyond it they are not noted. A person's list lacks one then, no text does.
const WAITING_MAX: usize = 10_000;

/// Visits that are stored at the same time, which a store makes one transaction of.
const AT_ONCE: usize = 64;

/// The visits that are not stored yet.
#[derive(Default)]
pub(super) struct Visits {
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    opened_ms: HashMap<(DocumentId, UserId), i64>,
    is_being_stored: bool,
}

/// What is to be done after a visit was noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Noted {
    /// Somebody must run [`Visits::store`].
    Store,
    /// It will be stored by who runs that already.
    Waits,
}

impl Visits {
    /// Notes a visit.
    pub(super) fn note(&self, document: DocumentId, user: UserId, now_ms: i64) -> Noted {
        let mut waiting = self.waiting();
        if waiting.opened_ms.len() < WAITING_MAX {
            waiting.opened_ms.insert((document, user), now_ms);
        } else {
            tracing::warn!(document = %Shown(document), "visit was not noted: too many wait");
        }
        match std::mem::replace(&mut waiting.is_being_stored, true) {
            true => Noted::Waits,
            false => Noted::Store,
        }
    }

    /// Stores what was noted, until nothing more is.
    pub(super) async fn store(&self, store: Arc<dyn Store>) {
        while let Some(visits) = self.take() {
            stream::iter(visits)
                .map(|((document, user), opened_ms)| {
                    let store = Arc::clone(&store);
                    async move {
                        if let Err(error) = store.mark_opened(document, user, opened_ms).await {
                            tracing::warn!(document = %Shown(document), %error, "visit was not noted");
                        }
                    }
                })
                .buffer_unordered(AT_ONCE)
                .collect::<()>()
                .await;
        }
    }

    /// What waits; if nothing does, the next visit needs somebody to store it.
    fn take(&self) -> Option<HashMap<(DocumentId, UserId), i64>> {
        let mut waiting = self.waiting();
        waiting.is_being_stored = !waiting.opened_ms.is_empty();
        waiting.is_being_stored.then(|| std::mem::take(&mut waiting.opened_ms))
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Each change under the lock is one step, so a panic leaves nothing half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
