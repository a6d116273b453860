//! The wall clock, passed in so that tests can set it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time. Nothing decides by it: it dates rows and messages.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> i64;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
        }
    }
}

/// A clock that can be broken, which is a bug in the middle of whoever asks it next.
#[cfg(test)]
#[derive(Debug, Default)]
pub(crate) struct FragileClock {
    is_broken: std::sync::atomic::AtomicBool,
}

#[cfg(test)]
impl FragileClock {
    /// Breaks for who asks next, and for nobody else.
    pub(crate) fn break_once(&self) {
        self.is_broken.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

#[cfg(test)]
impl Clock for FragileClock {
    fn now_ms(&self) -> i64 {
        let is_broken = self.is_broken.swap(false, std::sync::atomic::Ordering::Relaxed);
        assert!(!is_broken, "the clock was told to break");
        1_000
    }
}
