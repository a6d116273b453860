//! How often the writers of a busy document are woken.
//!
//! Waking four hundred writers for each operation would make the server send frames and do nothing
//! else. Past a budget of deliveries (operations times receivers) the wakes are spaced, so that one
//! frame carries several operations. A small room is always woken at once.
//!
//! Units: a moment is the time since the document was loaded.

use std::time::Duration;

use crate::document::config::DocumentConfig;

/// The window over which the rate of operations is taken.
const WINDOW: Duration = Duration::from_millis(250);

/// How many times the budget brings the longest pause.
const LOAD_AT_PACE_MAX: f64 = 8.0;

/// Measures a document's rate and says when its writers are next to be woken.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    budget_per_s: f64,
    pause_max: Duration,
    window_start: Option<Duration>,
    window_count: u32,
    operations_per_s: f64,
    last_wake: Option<Duration>,
}

impl Pace {
    pub(super) fn new(config: &DocumentConfig) -> Self {
        Pace {
            budget_per_s: f64::from(config.deliveries_per_s_unpaced.max(1)),
            pause_max: config.pace_max,
            window_start: None,
            window_count: 0,
            operations_per_s: 0.0,
            last_wake: None,
        }
    }

    /// Counts one committed operation.
    pub(super) fn count(&mut self) {
        self.window_count += 1;
    }

    /// When the writers of `sessions` sessions are to be woken for what was just committed.
    pub(super) fn next_wake(&mut self, now: Duration, sessions: usize) -> Duration {
        self.measure(now);
        let deliveries_per_s = self.operations_per_s * sessions as f64;
        let load = deliveries_per_s / self.budget_per_s;
        let share = ((load - 1.0) / (LOAD_AT_PACE_MAX - 1.0)).clamp(0.0, 1.0);
        let pause = self.pause_max.mul_f64(share);
        self.last_wake.map_or(now, |last| last + pause).max(now)
    }

    /// The writers were woken.
    pub(super) fn woken(&mut self, now: Duration) {
        self.last_wake = Some(now);
    }

    fn measure(&mut self, now: Duration) {
        let start = *self.window_start.get_or_insert(now);
        let elapsed = now.saturating_sub(start);
        if elapsed >= WINDOW {
            self.operations_per_s = f64::from(self.window_count) / elapsed.as_secs_f64();
            self.window_start = Some(now);
            self.window_count = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pause after ten seconds of `people` typing `rate` operations a second each.
    fn pause(people: u32, rate: u32) -> Duration {
        let mut pace = Pace::new(&DocumentConfig::default());
        let mut now = Duration::ZERO;
        let mut pause = Duration::ZERO;
        for _ in 0..people * rate * 10 {
            pace.count();
            let wake_at = pace.next_wake(now, people as usize);
            if wake_at <= now {
                pace.woken(now);
            }
            pause = wake_at - now;
            now += Duration::from_secs(1) / (people * rate);
        }
        pause
    }

    #[test]
    fn small_rooms_are_woken_at_once_and_crowds_in_turns() {
        assert_eq!(pause(2, 10), Duration::ZERO);
        assert_eq!(pause(40, 10), Duration::ZERO);
        let hundred = pause(100, 5);
        assert!(hundred <= Duration::from_millis(3), "{hundred:?}");
        let crowd = pause(400, 2);
        assert!(crowd <= Duration::from_millis(30), "{crowd:?}");
    }
}
