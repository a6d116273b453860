//! Bounds how many look into the past at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::HistoryError;

/// Places to work, and a short queue before them.
#[derive(Debug)]
pub(super) struct Jobs {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
}

/// One who waits for a place, counted for as long as it lives.
#[derive(Debug)]
pub(super) struct Waiting<'a>(&'a Jobs);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Waiting<'_> {
    /// A place to work, given back when dropped.
    ///
    /// # Errors
    /// [`HistoryError::Overloaded`] when there are no places any more.
    pub(super) async fn enter(self) -> Result<OwnedSemaphorePermit, HistoryError> {
        let place = self.0.places.clone().acquire_owned().await;
        place.map_err(|_| HistoryError::Overloaded)
    }
}

impl Jobs {
    pub(super) fn new(jobs_max: usize, waiting_max: usize) -> Self {
        let places = Arc::new(Semaphore::new(jobs_max.max(1)));
        Jobs { places, waiting: AtomicUsize::new(0), waiting_max }
    }

    /// Joins those who wait.
    ///
    /// # Errors
    /// [`HistoryError::Overloaded`] when too many do already.
    pub(super) fn line_up(&self) -> Result<Waiting<'_>, HistoryError> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting(self);
        if before >= self.waiting_max { Err(HistoryError::Overloaded) } else { Ok(waiting) }
    }

    /// A place to work, given back when dropped.
    ///
    /// # Errors
    /// [`HistoryError::Overloaded`] when too many wait already.
    pub(super) async fn enter(&self) -> Result<OwnedSemaphorePermit, HistoryError> {
        match self.places.clone().try_acquire_owned() {
            Ok(place) => Ok(place),
            Err(_) => self.line_up()?.enter().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn one_more_than_may_wait_is_told_so() {
        let jobs = Jobs::new(1, 1);
        let working = jobs.enter().await.expect("a place");
        let mut waiting = Box::pin(jobs.enter());
        assert!((&mut waiting).now_or_never().is_none(), "it waits");
        assert!(matches!(jobs.enter().await, Err(HistoryError::Overloaded)));
        drop(working);
        let working = waiting.await.expect("its turn");
        let given_up = Box::pin(jobs.enter());
        drop(given_up);
        drop(working);
        drop(jobs.enter().await.expect("a place"));
        assert_eq!(jobs.waiting.load(Ordering::Relaxed), 0);
    }
}
