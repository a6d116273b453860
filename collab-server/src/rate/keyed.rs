//! How often each of many may do something, by a key: a person, an address.

use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use governor::RateLimiter;
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;

use super::{Moment, SWEEP_MIN, quota};

/// See the module.
pub(crate) struct Rates<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, HashMapStateStore<K>, MonotonicClock, NoOpMiddleware<Moment>>,
    /// At how many keys to look for idle ones next.
    sweep_at: AtomicUsize,
}

impl<K: Hash + Eq + Clone> Rates<K> {
    /// `per_s` times a second for any length of time, `burst` at once, for each key.
    pub(crate) fn new(per_s: u32, burst: u32) -> Self {
        let limiter = RateLimiter::hashmap_with_clock(quota(per_s, burst), MonotonicClock);
        Rates { limiter, sweep_at: AtomicUsize::new(SWEEP_MIN) }
    }

    /// Takes one for this key.
    ///
    /// # Errors
    /// How long until there is one again.
    pub(crate) fn take(&self, key: &K) -> Result<(), Duration> {
        let taken = self.limiter.check_key(key);
        if self.limiter.len() >= self.sweep_at.load(Ordering::Relaxed) {
            // Whoever has its whole burst again is forgotten.
            self.limiter.retain_recent();
            self.sweep_at.store((2 * self.limiter.len()).max(SWEEP_MIN), Ordering::Relaxed);
        }
        taken.map_err(|until| until.wait_time_from(MonotonicClock.now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_a_burst_of_its_own_and_is_told_how_long_to_wait() {
        let rates = Rates::new(1, 2);
        assert_eq!([rates.take(&1), rates.take(&1)], [Ok(()); 2]);
        let wait = rates.take(&1).expect_err("a wait");
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1), "{wait:?}");
        assert_eq!(rates.take(&2), Ok(()));
    }

    #[test]
    fn keys_that_rest_are_forgotten_and_exhausted_ones_are_not() {
        // What one take costs is back after 0.1 ms, the whole burst after 10 s.
        let rates = Rates::new(10_000, 100_000);
        while rates.take(&0_usize).is_ok() {}
        for key in 1..=20 * SWEEP_MIN {
            assert_eq!(rates.take(&key), Ok(()));
        }
        let held = rates.limiter.len();
        assert!(held <= 10 * SWEEP_MIN, "{held}");
        let left = (0..100_000).take_while(|_| rates.take(&0).is_ok()).count();
        assert!(left < 100_000, "the exhausted one was forgotten");
    }
}
