//! Futures that run beside a session, and cost it nothing while there are none.

use std::future::Future;
use std::task::{Context, Poll, ready};

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

    /// What is done next, if anything is yet.
    pub(super) fn poll_done(&mut self, context: &mut Context<'_>) -> Poll<F::Output> {
        let Some(running) = &mut self.0 else { return Poll::Pending };
        let Some(done) = ready!(running.poll_next_unpin(context)) else { return Poll::Pending };
        if running.is_empty() {
            self.0 = None;
        }
        Poll::Ready(done)
    }
}
