//! Ids of events that were told lately: an id that comes again is no other event.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use tokio::time::Instant;

/// How long an id is remembered.
pub(super) const WINDOW: Duration = Duration::from_secs(600);

/// How many are; beyond it the oldest are forgotten early.
const LEN_MAX: usize = 100_000;

/// See the module.
///
/// Invariant: `order` has each key of `told`, oldest first.
#[derive(Debug, Default)]
pub(super) struct Recent {
    told: HashMap<u64, Instant>,
    order: VecDeque<(Instant, u64)>,
    hasher: RandomState,
}

impl Recent {
    /// Whether this is told for the first time; from now on it is not.
    pub(super) fn is_first(&mut self, key: impl std::hash::Hash, now: Instant) -> bool {
        while let Some((told, oldest)) = self.order.front().copied()
            && (told + WINDOW <= now || self.order.len() >= LEN_MAX)
        {
            self.order.pop_front();
            self.told.remove(&oldest);
        }
        let key = self.hasher.hash_one(key);
        if self.told.contains_key(&key) {
            return false;
        }
        self.told.insert(key, now);
        self.order.push_back((now, key));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_told_once_within_the_window() {
        let (mut recent, start) = (Recent::default(), Instant::now());
        assert!(recent.is_first("a", start));
        assert!(!recent.is_first("a", start + WINDOW - Duration::from_millis(1)));
        assert!(recent.is_first("b", start));
        assert!(recent.is_first("a", start + WINDOW));
    }

    #[test]
    fn only_so_many_ids_are_remembered() {
        let (mut recent, now) = (Recent::default(), Instant::now());
        for number in 0..=LEN_MAX {
            assert!(recent.is_first(number, now));
        }
        assert_eq!((recent.told.len(), recent.order.len()), (LEN_MAX, LEN_MAX));
        assert!(!recent.is_first(LEN_MAX, now));
        assert!(recent.is_first(0, now), "the oldest was forgotten");
    }
}
