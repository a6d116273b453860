//! When a document's latest commits became visible, for the figures alone.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ot_core::Revision;
use tokio::time::Instant;

/// Commits whose moment is kept. Who is further behind is behind for other reasons.
const MOMENTS_MAX: usize = 64;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Moments(Mutex<VecDeque<(Revision, Instant)>>);

impl Moments {
    /// The document is at `head` now.
    pub(super) fn note(&self, head: Revision) {
        let mut moments = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if moments.back().is_some_and(|(last, _)| *last >= head) {
            return;
        }
        if moments.len() == MOMENTS_MAX {
            moments.pop_front();
        }
        moments.push_back((head, Instant::now()));
    }

    /// How long ago what comes behind `revision` became visible. What was not noted yet became so
    /// just now.
    pub(super) fn age_behind(&self, revision: Revision) -> Duration {
        let moments = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = moments.partition_point(|(head, _)| *head <= revision);
        moments.get(next).map_or(Duration::ZERO, |(_, moment)| moment.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_a_reader_lacks_is_as_old_as_the_first_of_it() {
        let moments = Moments::default();
        moments.note(Revision::new(5));
        for head in [7, 8] {
            tokio::time::advance(Duration::from_secs(1)).await;
            moments.note(Revision::new(head));
        }
        let ages: Vec<u64> =
            (4..=8).map(|at| moments.age_behind(Revision::new(at)).as_secs()).collect();
        assert_eq!(ages, [2, 1, 1, 0, 0]);
        for head in 9..200 {
            moments.note(Revision::new(head));
        }
        assert_eq!(moments.0.lock().expect("unpoisoned").len(), MOMENTS_MAX);
    }
}
