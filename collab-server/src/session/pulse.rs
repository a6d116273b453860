//! When a connection is pinged, given up as dead, or cut as too slow. One deadline for all three,
//! so that a connection needs one timer.

use std::time::Duration;

use tokio::time::Instant;

use crate::config::Config;

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beat {
    Nothing,
    /// Send a ping with this payload.
    Ping([u8; 8]),
    /// Nothing was heard for too long.
    Dead,
    /// Nothing of what is being sent was taken for too long.
    Slow,
}

/// The times that matter to one connection.
#[derive(Debug)]
pub(super) struct Pulse {
    began: Instant,
    heartbeat: Duration,
    dead_after: Duration,
    slow_after: Duration,
    heard: Instant,
    next_ping: Instant,
    /// Since when nothing of the current frame was taken, and how much was written until then.
    stalled: Option<(Instant, u64)>,
}

impl Pulse {
    pub(super) fn new(now: Instant, config: &Config) -> Self {
        let ms = |value: u32| Duration::from_millis(value.into());
        Pulse {
            began: now,
            heartbeat: ms(config.heartbeat_ms),
            dead_after: ms(config.dead_after_ms),
            slow_after: ms(config.slow_after_ms),
            heard: now,
            next_ping: now + ms(config.heartbeat_ms),
            stalled: None,
        }
    }

    /// When [`Pulse::beat`] has something to say at the earliest.
    pub(super) fn deadline(&self) -> Instant {
        let slow_at = self.stalled.map(|(since, _)| since + self.slow_after);
        let other = self.next_ping.min(self.heard + self.dead_after);
        slow_at.map_or(other, |slow_at| slow_at.min(other))
    }

    /// Something came from the other side.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
    }

    /// A frame begins its way; `written` bytes went before it.
    pub(super) fn sending(&mut self, now: Instant, written: u64) {
        self.stalled = Some((now, written));
    }

    /// The round trip that a pong ends, if it answers one of our pings.
    pub(super) fn on_pong(&self, now: Instant, payload: &[u8]) -> Option<Duration> {
        let sent_us = u64::from_be_bytes(payload.try_into().ok()?);
        let now_us = u64::try_from((now - self.began).as_micros()).ok()?;
        now_us.checked_sub(sent_us).map(Duration::from_micros)
    }

    /// What is to be done at `now`.
    pub(super) fn beat(&mut self, now: Instant, is_sending: bool, written: u64) -> Beat {
        match self.stalled {
            Some(_) if !is_sending => self.stalled = None,
            Some((_, before)) if written > before => self.stalled = Some((now, written)),
            Some((since, _)) if now >= since + self.slow_after => return Beat::Slow,
            _ => {}
        }
        if now >= self.heard + self.dead_after {
            return Beat::Dead;
        }
        if now >= self.next_ping {
            self.next_ping = now + self.heartbeat;
            let now_us = u64::try_from((now - self.began).as_micros()).unwrap_or(u64::MAX);
            return Beat::Ping(now_us.to_be_bytes());
        }
        Beat::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pulse() -> (Pulse, Instant) {
        let now = Instant::now();
        let config = Config {
            heartbeat_ms: 30_000,
            dead_after_ms: 45_000,
            slow_after_ms: 10_000,
            ..Config::default()
        };
        (Pulse::new(now, &config), now)
    }

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_ping_measures_its_round_trip() {
        let (mut pulse, start) = pulse();
        assert_eq!(pulse.deadline(), start + s(30));
        let Beat::Ping(payload) = pulse.beat(start + s(30), false, 0) else { panic!("no ping") };
        assert_eq!(pulse.on_pong(start + s(31), &payload), Some(s(1)));
        assert_eq!(pulse.on_pong(start + s(31), b"short"), None);
        assert_eq!(pulse.on_pong(start + s(1), &u64::MAX.to_be_bytes()), None);
    }

    #[test]
    fn silence_is_death_and_any_word_is_life() {
        let (mut pulse, start) = pulse();
        pulse.beat(start + s(30), false, 0);
        assert_eq!(pulse.deadline(), start + s(45));
        pulse.heard(start + s(31));
        assert_eq!(pulse.beat(start + s(45), false, 0), Beat::Nothing);
        pulse.beat(start + s(60), false, 0);
        assert_eq!(pulse.beat(start + s(76), false, 0), Beat::Dead);
    }

    #[test]
    fn only_a_frame_that_makes_no_headway_is_slow() {
        let (mut pulse, start) = pulse();
        pulse.sending(start, 100);
        assert_eq!(pulse.deadline(), start + s(10));
        assert_eq!(pulse.beat(start + s(10), true, 101), Beat::Nothing);
        assert_eq!(pulse.beat(start + s(19), true, 101), Beat::Nothing);
        assert_eq!(pulse.beat(start + s(20), true, 101), Beat::Slow);

        pulse.sending(start + s(20), 200);
        assert_eq!(pulse.beat(start + s(30), false, 200), Beat::Ping(30_000_000_u64.to_be_bytes()));
        assert_eq!(pulse.deadline(), start + s(45));
    }
}
