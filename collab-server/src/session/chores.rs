//! Futures that run beside a session, and cost it nothing while there are none.

use std::future::Future;

use futures_util::stream::{FuturesUnordered, StreamExt};

/// See the module. The library's own collection has a heap of its own even while it is empty.
///
/// Invariant: what is there is not empty.
pub(super) struct Chores<F>(Option<FuturesUnordered<F>>);

impl<F> Default for Chores<F> {
    fn default() -> Self {
        Chores(None)
    }
}

impl<F: Future> Chores<F> {
    pub(super) fn push(&mut self, chore: F) {
        self.0.get_or_insert_default().push(chore);
    }

    pub(super) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, FuturesUnordered::len)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Waits for the next one to be done; for ever if there is none. Dropped before it returns, it
    /// has lost nothing.
    pub(super) async fn done(&mut self) -> F::Output {
        if let Some(running) = &mut self.0
            && let Some(done) = running.next().await
        {
            if running.is_empty() {
                self.0 = None;
            }
            return done;
        }
        std::future::pending().await
    }
}
