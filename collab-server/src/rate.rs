//! How often one person may submit to one document.
//!
//! The limit belongs to person and document, not to a connection, so that neither a second tab nor
//! a reconnect multiplies it.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use collab_protocol::{DocumentId, UserId};
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

type Limiter = RateLimiter<
    NotKeyed,
    InMemoryState,
    MonotonicClock,
    NoOpMiddleware<<MonotonicClock as Clock>::Instant>,
>;

/// The limiters in use, and those lately so.
pub(crate) struct SubmissionRates {
    quota: Quota,
    limiters: Mutex<Limiters>,
}

struct Limiters {
    by_key: HashMap<(UserId, DocumentId), Arc<Limiter>>,
    /// At how many entries to look for idle ones next.
    sweep_at: usize,
}

/// Below this many entries, idle ones are left alone.
const SWEEP_MIN: usize = 1_024;

/// One person's limit in one document, shared by all their sessions there.
#[derive(Clone)]
pub(crate) struct SubmissionRate(Arc<Limiter>);

impl SubmissionRates {
    /// `per_s` submissions a second for any length of time, `burst` at once.
    pub(crate) fn new(per_s: u32, burst: u32) -> Self {
        let quota = Quota::per_second(NonZeroU32::new(per_s).unwrap_or(NonZeroU32::MIN))
            .allow_burst(NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN));
        let limiters = Limiters { by_key: HashMap::new(), sweep_at: SWEEP_MIN };
        SubmissionRates { quota, limiters: Mutex::new(limiters) }
    }

    /// The limit of this person in this document.
    pub(crate) fn of(&self, user: &UserId, document: DocumentId) -> SubmissionRate {
        let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        if limiters.by_key.len() >= limiters.sweep_at {
            // What nobody holds and would let the next submission pass may go: coming back, its
            // person gains at most the burst that the time away has mostly given already.
            limiters
                .by_key
                .retain(|_, limiter| Arc::strong_count(limiter) > 1 || limiter.check().is_err());
            limiters.sweep_at = (2 * limiters.by_key.len()).max(SWEEP_MIN);
        }
        let limiter = limiters.by_key.entry((user.clone(), document)).or_insert_with(|| {
            Arc::new(RateLimiter::direct_with_clock(self.quota, MonotonicClock))
        });
        SubmissionRate(Arc::clone(limiter))
    }
}

impl SubmissionRate {
    /// Takes one submission's place, or says how long to wait for one.
    pub(crate) fn take(&self) -> Result<(), Duration> {
        self.0.check().map_err(|until| until.wait_time_from(MonotonicClock.now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: u32) -> UserId {
        format!("g_{id}").parse().expect("a user id")
    }

    #[test]
    fn a_burst_passes_and_the_next_one_waits() {
        let rates = SubmissionRates::new(1, 3);
        let document = DocumentId::new(1);
        let rate = rates.of(&user(1), document);
        for _ in 0..3 {
            assert_eq!(rate.take(), Ok(()));
        }
        let wait = rate.take().expect_err("a wait");
        assert!(wait <= Duration::from_secs(1) && wait > Duration::ZERO, "{wait:?}");
    }

    #[test]
    fn a_new_connection_brings_no_new_burst_but_another_document_does() {
        let rates = SubmissionRates::new(1, 1);
        assert_eq!(rates.of(&user(1), DocumentId::new(1)).take(), Ok(()));
        assert!(rates.of(&user(1), DocumentId::new(1)).take().is_err());
        assert_eq!(rates.of(&user(1), DocumentId::new(2)).take(), Ok(()));
        assert_eq!(rates.of(&user(2), DocumentId::new(1)).take(), Ok(()));
    }

    #[test]
    fn idle_limits_are_forgotten_and_exhausted_ones_are_not() {
        let rates = SubmissionRates::new(1, 1);
        assert_eq!(rates.of(&user(0), DocumentId::new(0)).take(), Ok(()));
        for id in 1..=u32::try_from(2 * SWEEP_MIN).expect("small") {
            rates.of(&user(id), DocumentId::new(0));
        }
        assert!(rates.of(&user(0), DocumentId::new(0)).take().is_err());
        let held = rates.limiters.lock().expect("unpoisoned").by_key.len();
        assert!(held <= SWEEP_MIN + 2, "{held}");
    }
}
