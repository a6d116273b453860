//! How often the writers of a busy document are woken.
//!
//! Waking a hundred writers for each commit would make the server send frames and do nothing else.
//! So a document has a budget of frames a second, and a wake costs one for each session: as long as
//! it is kept, and for a few wakes more, writers are woken at once; past it they are woken as often
//! as the budget allows, and one frame carries several commits. They do not wait for that where
//! much has come together already: people whose operations are committed together share a frame
//! without a pause.
//!
//! Units: a moment is the time since the document was loaded.

use std::time::Duration;

use crate::document::config::DocumentConfig;

/// Wakes above the budget that go at once, one after another, when it was not used up before.
const BURST: u32 = 4;

/// So many sessions for each operation that a frame carries: with more operations it is sent.
const SESSIONS_PER_OPERATION: usize = 2;

/// What no room is too small to wait for.
const ENOUGH_MIN: usize = 4;

/// Counts what waits and says when a document's writers are next to be woken.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    frames_per_s: f64,
    pause_max: Duration,
    /// Operations committed since the writers were woken.
    waiting: usize,
    /// When the budget has paid for all wakes so far.
    paid_at: Duration,
}

impl Pace {
    pub(super) fn new(config: &DocumentConfig) -> Self {
        Pace {
            frames_per_s: f64::from(config.deliveries_per_s_unpaced.max(1)),
            pause_max: config.pace_max,
            waiting: 0,
            paid_at: Duration::ZERO,
        }
    }

    /// Counts an operation that was committed.
    pub(super) fn count(&mut self) {
        self.waiting += 1;
    }

    /// When the writers of `sessions` sessions are to be woken for what was committed.
    pub(super) fn next_wake(&self, now: Duration, sessions: usize) -> Duration {
        let is_enough = self.waiting >= (sessions / SESSIONS_PER_OPERATION).max(ENOUGH_MIN);
        let pause = self.pause(sessions);
        let wake_at = self.paid_at.saturating_sub(pause * (BURST - 1)).min(now + pause);
        if is_enough { now } else { wake_at.max(now) }
    }

    /// The writers of `sessions` sessions were woken.
    pub(super) fn woken(&mut self, now: Duration, sessions: usize) {
        self.waiting = 0;
        let pause = self.pause(sessions);
        // What was woken in spite of the budget is not paid for by those who come after.
        self.paid_at = (self.paid_at.max(now) + pause).min(now + pause * BURST);
    }

    /// The time that the budget needs to pay for one wake.
    fn pause(&self, sessions: usize) -> Duration {
        Duration::from_secs_f64(sessions as f64 / self.frames_per_s).min(self.pause_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays ten seconds of `people` who type `rate` operations a second each, of which `together` are committed
    /// together: the longest wait for a wake, and the frames a second.
    fn play(people: u32, rate: u32, together: u32) -> (Duration, u32) {
        let mut pace = Pace::new(&DocumentConfig::default());
        let sessions = people as usize;
        let step = Duration::from_secs(1) * together / (people * rate);
        let (mut longest, mut frames) = (Duration::ZERO, 0);
        // Since when something waits, and until when.
        let mut waiting: Option<(Duration, Duration)> = None;
        for turn in 0..people * rate * 10 / together {
            let now = step * turn;
            if let Some((since, due)) = waiting.take_if(|(_, due)| *due <= now) {
                pace.woken(due, sessions);
                longest = longest.max(due - since);
                frames += people;
            }
            (0..together).for_each(|_| pace.count());
            let due = pace.next_wake(now, sessions);
            let since = waiting.map_or(now, |(since, _)| since);
            waiting = (due > now).then_some((since, due));
            if due <= now {
                pace.woken(now, sessions);
                longest = longest.max(now - since);
                frames += people;
            }
        }
        (longest, frames / 10)
    }

    #[test]
    fn small_rooms_are_woken_at_once() {
        assert_eq!(play(2, 10, 1).0, Duration::ZERO);
        assert_eq!(play(40, 10, 1).0, Duration::ZERO);
    }

    #[test]
    fn crowds_are_woken_as_often_as_the_budget_allows() {
        for (people, rate, longest_ms) in [(100, 5, 5), (400, 2, 20), (1_000, 2, 30)] {
            let (longest, frames) = play(people, rate, 1);
            assert!(longest > Duration::ZERO, "{people} people");
            assert!(longest <= Duration::from_millis(longest_ms), "{people} people: {longest:?}");
            let frames_max = if people < 600 { 20_500 } else { 35_000 };
            assert!(frames <= frames_max, "{people} people: {frames} frames a second");
        }
    }

    #[test]
    fn who_types_alone_among_many_readers_is_seen_at_once_and_so_is_a_short_burst() {
        let mut pace = Pace::new(&DocumentConfig::default());
        let second = Duration::from_secs(1);
        for turn in 1..100 {
            for key in 0..BURST {
                let now = second * turn + Duration::from_millis(1) * key;
                pace.count();
                assert_eq!(pace.next_wake(now, 400), now, "key {key}");
                pace.woken(now, 400);
            }
            let now = second * turn + Duration::from_millis(1) * BURST;
            pace.count();
            assert!(pace.next_wake(now, 400) > now);
            pace.woken(now + Duration::from_millis(20), 400);
        }
    }

    #[test]
    fn people_whose_edits_are_committed_together_do_not_wait_for_a_crowd() {
        assert_eq!(play(64, 300, 32).0, Duration::ZERO);
        // In smaller parts: until half of them have come together, which is sooner than the budget.
        let (longest, frames) = play(64, 300, 8);
        assert!(longest < Duration::from_millis(2), "{longest:?}");
        assert!(frames > 20_000, "{frames} frames a second");
    }
}
