//! The spread of times since it was last asked for, in a fixed amount of memory.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Each step is a quarter more than the one before it, from 50 µs to about an hour.
const STEPS: usize = 82;

/// The upper end of the first step, in microseconds.
const FIRST_US: f64 = 50.0;

/// What each step is times the one before it.
const FACTOR: f64 = 1.25;

/// How times were spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quantiles {
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Window([AtomicU32; STEPS]);

impl Default for Window {
    fn default() -> Self {
        Window([const { AtomicU32::new(0) }; STEPS])
    }
}

fn upper_end(step: usize) -> Duration {
    let power = i32::try_from(step).unwrap_or(i32::MAX);
    Duration::from_secs_f64(FIRST_US * FACTOR.powi(power) / 1e6)
}

/// The upper end of each step but the last, which has none.
static UPPER_ENDS: LazyLock<[Duration; STEPS - 1]> =
    LazyLock::new(|| std::array::from_fn(upper_end));

impl Window {
    /// Notes one time.
    pub(crate) fn observe(&self, time: Duration) {
        let step = UPPER_ENDS.partition_point(|end| *end < time);
        self.0[step].fetch_add(1, Ordering::Relaxed);
    }

    /// What half, and what 99 in 100, of the times noted since the last call were below, to a
    /// quarter; `None` when there were none.
    pub(crate) fn take(&self) -> Option<Quantiles> {
        let counts = self.0.each_ref().map(|count| u64::from(count.swap(0, Ordering::Relaxed)));
        let all: u64 = counts.iter().sum();
        let below = |wanted: u64| {
            let mut below = 0;
            let step = counts.iter().position(|count| {
                below += count;
                *count > 0 && below >= wanted
            })?;
            Some(upper_end(step))
        };
        Some(Quantiles { p50: below(all - all / 2)?, p99: below(all - all / 100)? })
    }

    /// What 99 in 100 were below.
    pub(crate) fn take_p99(&self) -> Option<Duration> {
        self.take().map(|taken| taken.p99)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_99th_is_told_to_a_quarter_and_forgotten() {
        let window = Window::default();
        assert_eq!(window.take_p99(), None);
        for _ in 0..99 {
            window.observe(Duration::from_millis(2));
        }
        window.observe(Duration::from_secs(1));
        let Quantiles { p50, p99 } = window.take().expect("times were noted");
        assert_eq!(p50, p99, "all but the hundredth took as long");
        assert!(p99 >= Duration::from_millis(2) && p99 < Duration::from_micros(2_500), "{p99:?}");
        assert_eq!(window.take_p99(), None);
        window.observe(Duration::from_secs(1));
        let p99 = window.take_p99().expect("one was noted");
        assert!(p99 >= Duration::from_secs(1) && p99 < Duration::from_millis(1_250), "{p99:?}");
        for ms in [1, 1, 8, 8] {
            window.observe(Duration::from_millis(ms));
        }
        let Quantiles { p50, p99 } = window.take().expect("times were noted");
        assert!(
            p50 < Duration::from_millis(2) && p99 >= Duration::from_millis(8),
            "{p50:?} {p99:?}"
        );
        window.observe(Duration::from_secs(1_000_000));
        assert!(window.take_p99() > Some(Duration::from_secs(3_000)));
    }
}
