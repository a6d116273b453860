//! Reads less from a connection that goes on sending what is refused for its rate.
//!
//! An answer to each of such messages costs the server as much as the message cost its sender. Who
//! comes back after the time that it was told never meets this.

use std::time::Duration;

use tokio::time::Instant;

/// Refusals within [`SPAN`] that cost nothing more: a client may have had so much on its way.
const REFUSED_MAX: u32 = 32;

/// What refusals are counted over.
const SPAN: Duration = Duration::from_secs(1);

/// How long nothing is read after that, each time.
const PAUSE: Duration = Duration::from_millis(250);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Brake {
    /// Since when refusals are counted, and how many.
    counted: Option<(Instant, u32)>,
    until: Option<Instant>,
}

impl Brake {
    /// A message was refused for its rate.
    pub(super) fn refused(&mut self, now: Instant) {
        let (since, count) =
            self.counted.filter(|(since, _)| *since + SPAN > now).unwrap_or((now, 0));
        self.counted = Some((since, count + 1));
        if count >= REFUSED_MAX {
            self.until = Some(now + PAUSE);
        }
    }

    /// Whether nothing is to be read now.
    pub(super) fn holds(&mut self, now: impl FnOnce() -> Instant) -> bool {
        self.until = self.until.filter(|until| *until > now());
        self.until.is_some()
    }

    /// Until when nothing is to be read.
    pub(super) fn until(&self) -> Option<Instant> {
        self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_goes_on_after_many_refusals_is_read_later() {
        let start = Instant::now();
        let mut brake = Brake::default();
        for _ in 0..REFUSED_MAX {
            brake.refused(start);
            assert!(!brake.holds(|| start));
        }
        brake.refused(start);
        assert!(brake.holds(|| start) && brake.holds(|| start + PAUSE / 2));
        assert_eq!(brake.until(), Some(start + PAUSE));
        assert!(!brake.holds(|| start + PAUSE));
        brake.refused(start + PAUSE);
        assert!(
            brake.holds(|| start + PAUSE),
            "within the same span each further one costs a pause"
        );
        let later = start + 2 * SPAN;
        brake.refused(later);
        assert!(!brake.holds(|| later), "a new span counts anew");
    }
}
