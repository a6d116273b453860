//! When a session ends because its token does.

use std::time::Duration;

use tokio::time::Instant;

/// How often the clock is looked at, at least. It may be set or stand still while a machine sleeps,
/// which a timer does not tell.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Until when a session's identity holds.
#[derive(Debug)]
pub(super) struct Expiry {
    /// In milliseconds since 1970; `None` has no end.
    at_ms: Option<i64>,
    look_at: Option<Instant>,
}

impl Expiry {
    pub(super) fn new(at_ms: Option<i64>, now: Instant, now_ms: impl FnOnce() -> i64) -> Self {
        let mut expiry = Expiry { at_ms, look_at: None };
        expiry.is_over(now, now_ms);
        expiry
    }

    /// A fresh token holds until then.
    pub(super) fn renew(&mut self, at_ms: Option<i64>) {
        self.at_ms = at_ms;
    }

    /// When [`Expiry::is_over`] is to be asked, at the latest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.look_at
    }

    /// Whether the end has come. The wall clock is asked only where there is an end.
    pub(super) fn is_over(&mut self, now: Instant, now_ms: impl FnOnce() -> i64) -> bool {
        let Some(at_ms) = self.at_ms else {
            self.look_at = None;
            return false;
        };
        let left_ms = at_ms.saturating_sub(now_ms());
        let left = Duration::from_millis(u64::try_from(left_ms).unwrap_or_default());
        self.look_at = Some(now + left.min(LOOK_EVERY));
        left_ms <= 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_seen_on_time_and_soon_where_the_clock_is_set() {
        let now = Instant::now();
        let mut expiry = Expiry::new(Some(10_500), now, || 10_000);
        assert_eq!(expiry.deadline(), Some(now + Duration::from_millis(500)));
        assert!(!expiry.is_over(now, || 10_499));
        assert!(expiry.is_over(now, || 10_500));
        expiry.renew(Some(99_000));
        assert!(!expiry.is_over(now, || 10_500));
        assert_eq!(expiry.deadline(), Some(now + LOOK_EVERY), "far off, and looked at soon");
        assert!(expiry.is_over(now, || 99_001));
    }

    #[test]
    fn what_has_no_end_never_asks_the_clock() {
        let now = Instant::now();
        let mut expiry = Expiry::new(None, now, || panic!("asked"));
        assert_eq!(expiry.deadline(), None);
        assert!(!expiry.is_over(now, || panic!("asked")));
    }
}
