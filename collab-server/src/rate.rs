//! How often one person may submit to one document, and one connection may say anything else; and
//! how often a person may ask for work over REST, and an address for an identity.
//!
//! The limit of submissions belongs to person and document, not to a connection, so that neither a
//! second tab nor a reconnect multiplies it.

mod keyed;

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use collab_protocol::{DocumentId, UserId};
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::{NoOpMiddleware, StateInformationMiddleware};
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

pub(crate) use keyed::Rates;

type Limiter = RateLimiter<NotKeyed, InMemoryState, MonotonicClock, StateInformationMiddleware>;

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
pub(crate) struct SubmissionRate {
    limiter: Arc<Limiter>,
    quota: Quota,
}

/// What a submission met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Admittance {
    /// Whether there was a place for it, or how long until there is one.
    pub(crate) place: Result<(), Duration>,
    /// Where at most a quarter of the burst is left: how long until half of it is there again. Who
    /// rests that long sends more at once and is not refused.
    pub(crate) rest: Option<Duration>,
}

impl SubmissionRates {
    /// `per_s` submissions a second for any length of time, `burst` at once.
    pub(crate) fn new(per_s: u32, burst: u32) -> Self {
        let limiters = Limiters { by_key: HashMap::new(), sweep_at: SWEEP_MIN };
        SubmissionRates { quota: quota(per_s, burst), limiters: Mutex::new(limiters) }
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
            let limiter = RateLimiter::direct_with_clock(self.quota, MonotonicClock);
            Arc::new(limiter.with_middleware::<StateInformationMiddleware>())
        });
        SubmissionRate { limiter: Arc::clone(limiter), quota: self.quota }
    }
}

impl SubmissionRate {
    /// Takes one submission's place, if there is one.
    pub(crate) fn take(&self) -> Admittance {
        let checked = self.limiter.check();
        let left = checked.as_ref().map_or(0, |state| state.remaining_burst_capacity());
        let burst = self.quota.burst_size().get();
        let rest = (left <= burst / 4)
            .then(|| self.quota.replenish_interval() * (burst / 2).saturating_sub(left).max(1));
        let wait = |until: governor::NotUntil<_>| until.wait_time_from(MonotonicClock.now());
        Admittance { place: checked.map(|_| ()).map_err(wait), rest }
    }
}

/// What one connection may do so many times.
pub(crate) struct Allowance(
    RateLimiter<NotKeyed, InMemoryState, MonotonicClock, NoOpMiddleware<Moment>>,
);

type Moment = <MonotonicClock as Clock>::Instant;

impl Allowance {
    /// `per_s` times a second for any length of time, `burst` at once.
    pub(crate) fn new(per_s: u32, burst: u32) -> Self {
        Allowance(RateLimiter::direct_with_clock(quota(per_s, burst), MonotonicClock))
    }

    /// Takes one, if any is left.
    pub(crate) fn take(&self) -> bool {
        self.0.check().is_ok()
    }
}

fn quota(per_s: u32, burst: u32) -> Quota {
    Quota::per_second(NonZeroU32::new(per_s).unwrap_or(NonZeroU32::MIN))
        .allow_burst(NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN))
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
            assert_eq!(rate.take().place, Ok(()));
        }
        let wait = rate.take().place.expect_err("a wait");
        assert!(wait <= Duration::from_secs(1) && wait > Duration::ZERO, "{wait:?}");
    }

    #[test]
    fn who_has_little_of_the_burst_left_is_told_how_long_to_rest() {
        let rate = SubmissionRates::new(1, 8).of(&user(1), DocumentId::new(1));
        let rests: Vec<Option<u64>> =
            (0..10).map(|_| rate.take().rest.map(|rest| rest.as_secs())).collect();
        let few = [2, 3, 4, 4, 4].map(Some);
        assert_eq!((&rests[..5], &rests[5..]), (&[None; 5][..], &few[..]));
    }

    #[test]
    fn a_new_connection_brings_no_new_burst_but_another_document_does() {
        let rates = SubmissionRates::new(1, 1);
        assert_eq!(rates.of(&user(1), DocumentId::new(1)).take().place, Ok(()));
        assert!(rates.of(&user(1), DocumentId::new(1)).take().place.is_err());
        assert_eq!(rates.of(&user(1), DocumentId::new(2)).take().place, Ok(()));
        assert_eq!(rates.of(&user(2), DocumentId::new(1)).take().place, Ok(()));
    }

    #[test]
    fn idle_limits_are_forgotten_and_exhausted_ones_are_not() {
        let rates = SubmissionRates::new(1, 1);
        assert_eq!(rates.of(&user(0), DocumentId::new(0)).take().place, Ok(()));
        for id in 1..=u32::try_from(2 * SWEEP_MIN).expect("small") {
            rates.of(&user(id), DocumentId::new(0));
        }
        assert!(rates.of(&user(0), DocumentId::new(0)).take().place.is_err());
        let held = rates.limiters.lock().expect("unpoisoned").by_key.len();
        assert!(held <= SWEEP_MIN + 2, "{held}");
    }
}
