//! When a session leaves a server that is about to end, for another one.
//!
//! At its moment it stops reading, takes the answers to what it has read, and closes. What its
//! client sends from then on it sends again elsewhere.

use std::time::Duration;

use tokio::time::Instant;

/// How long a session waits for its last answers. What is not answered by then is asked for again
/// on the other server.
const ANSWERS_MAX: Duration = Duration::from_millis(500);

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Departure {
    at: Option<Instant>,
}

impl Departure {
    /// The session is to leave at this moment.
    pub(super) fn set(&mut self, at: Instant) {
        self.at = Some(at);
    }

    pub(super) fn is_set(&self) -> bool {
        self.at.is_some()
    }

    /// Whether nothing more is to be read.
    pub(super) fn has_begun(&self, now: impl FnOnce() -> Instant) -> bool {
        self.at.is_some_and(|at| now() >= at)
    }

    /// Whether it leaves now, with or without answers that it waits for.
    pub(super) fn is_due(&self, now: Instant, awaits_answers: bool) -> bool {
        let patience = if awaits_answers { ANSWERS_MAX } else { Duration::ZERO };
        self.at.is_some_and(|at| now >= at + patience)
    }

    /// When there is something to do at the earliest.
    pub(super) fn deadline(&self, now: impl FnOnce() -> Instant) -> Option<Instant> {
        self.at.map(|at| if now() < at { at } else { at + ANSWERS_MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_leaves_at_its_moment_or_a_little_later_with_its_answers() {
        let (now, ms) = (Instant::now(), Duration::from_millis);
        let mut departure = Departure::default();
        assert!(!departure.is_set() && !departure.is_due(now, false));
        assert_eq!(departure.deadline(|| now), None);

        departure.set(now + ms(200));
        assert_eq!(departure.deadline(|| now), Some(now + ms(200)));
        assert!(!departure.has_begun(|| now + ms(199)) && !departure.is_due(now + ms(199), false));
        assert!(departure.has_begun(|| now + ms(200)) && departure.is_due(now + ms(200), false));
        assert!(!departure.is_due(now + ms(200), true), "an answer is on its way");
        assert_eq!(departure.deadline(|| now + ms(200)), Some(now + ms(200) + ANSWERS_MAX));
        assert!(departure.is_due(now + ms(200) + ANSWERS_MAX, true), "but not for ever");
    }
}
