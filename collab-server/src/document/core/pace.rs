//! How often the writers of a busy document are woken.
//!
//! Waking four hundred writers for each commit would make the server send frames and do nothing
//! else. Past a budget of deliveries (commits times receivers) the wakes are spaced, so that one
//! frame carries several commits. A small room is always woken at once, and so are people whose
//! operations are committed together: they share a frame without a pause.
//!
//! Units: a moment is the time since the document was loaded.

use std::time::Duration;

use crate::document::config::DocumentConfig;

/// The window over which the rate of commits is taken.
const WINDOW: Duration = Duration::from_millis(250);

/// How many times the budget brings the longest pause.
const LOAD_AT_PACE_MAX: f64 = 17.0;

/// Measures a document's rate and says when its writers are next to be woken.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    budget_per_s: f64,
    pause_max: Duration,
    window_start: Option<Duration>,
    window_count: u32,
    commits_per_s: f64,
    last_wake: Option<Duration>,
}

impl Pace {
    pub(super) fn new(config: &DocumentConfig) -> Self {
        Pace {
            budget_per_s: f64::from(config.deliveries_per_s_unpaced.max(1)),
            pause_max: config.pace_max,
            window_start: None,
            window_count: 0,
            commits_per_s: 0.0,
            last_wake: None,
        }
    }

    /// Counts what was committed together.
    pub(super) fn count(&mut self) {
        self.window_count += 1;
    }

    /// When the writers of `sessions` sessions are to be woken for what was just committed.
    pub(super) fn next_wake(&mut self, now: Duration, sessions: usize) -> Duration {
        self.measure(now);
        let deliveries_per_s = self.commits_per_s * sessions as f64;
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
            self.commits_per_s = f64::from(self.window_count) / elapsed.as_secs_f64();
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
    #[test]
    fn people_whose_edits_are_committed_together_do_not_wait_for_a_crowd() {
        let mut pace = Pace::new(&DocumentConfig::default());
        let mut now = Duration::ZERO;
        // 64 people, 300 commits a second: with an edit of each of them in it, or of one.
        for _ in 0..300 {
            pace.count();
            assert_eq!(pace.next_wake(now, 64), now);
            pace.woken(now);
            now += Duration::from_secs(1) / 300;
        }
    }
}
