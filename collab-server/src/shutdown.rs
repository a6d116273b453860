//! The end, in order: say that it comes, send sessions to other servers, stop taking connections,
//! let documents finish, say goodbye, leave in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What the parts of a running server share about its end.
///
/// Every task of the server is spawned on `tasks`, so none outlives it unseen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shutdown {
    /// Fires when the server is about to end: whoever asks hears that it is not ready, and all is
    /// served as before.
    pub(crate) draining: CancellationToken,
    /// Fires when sessions are to go to other servers, each at [`Shutdown::moment`] from now on: no
    /// new sessions.
    pub(crate) moving: CancellationToken,
    /// Fires when the server is to end: no new connections, no new documents.
    pub(crate) stopping: CancellationToken,
    /// Fires with the first of those two: all that a session waits for until then.
    pub(crate) ending: CancellationToken,
    /// Fires when the time for a graceful end is over.
    pub(crate) overdue: CancellationToken,
    /// The tasks to wait for.
    pub(crate) tasks: TaskTracker,
    /// How many sessions were given their moment.
    moments: Arc<AtomicU32>,
    /// Whether `ending` has fired; to be seen without a lock.
    has_begun: Arc<AtomicBool>,
}

impl Shutdown {
    /// Whether no session may begin any more.
    pub(crate) fn takes_no_session(&self) -> bool {
        self.moving.is_cancelled() || self.stopping.is_cancelled()
    }

    /// Sends sessions to other servers from now on.
    pub(crate) fn move_sessions(&self) {
        self.moving.cancel();
        self.begin();
    }

    /// Ends the server from now on.
    pub(crate) fn stop(&self) {
        self.stopping.cancel();
        self.begin();
    }

    /// Whoever hears of it finds out which of the two it was.
    fn begin(&self) {
        self.has_begun.store(true, Ordering::Release);
        self.ending.cancel();
    }

    /// Whether either has begun.
    pub(crate) fn is_ending(&self) -> bool {
        self.has_begun.load(Ordering::Acquire)
    }

    /// When one more session is to go, within `window`. However few or many there are, any stretch
    /// of the window holds about as many as any other of its length.
    pub(crate) fn moment(&self, window: Duration) -> Duration {
        // Steps of the golden ratio: each falls into the widest gap that those before have left.
        const STEP: u32 = 0x9E37_79B9;
        let place = self.moments.fetch_add(1, Ordering::Relaxed).wrapping_mul(STEP);
        window.mul_f64(f64::from(place) / (f64::from(u32::MAX) + 1.0))
    }
}

/// The signals that end the program: SIGINT and SIGTERM. They are heard from when this is made, so
/// that one that comes while the server starts is not the system's to answer.
#[cfg(unix)]
#[derive(Debug)]
pub struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// When the process cannot listen for signals.
    pub fn listen() -> std::io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
        Ok(Signals { interrupt: signal(interrupt)?, terminate: signal(terminate)? })
    }

    /// Waits for the next one; its name.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

/// The signal that ends the program: Ctrl-C.
#[cfg(not(unix))]
#[derive(Debug)]
pub struct Signals(());

#[cfg(not(unix))]
impl Signals {
    /// Nothing can fail yet.
    ///
    /// # Errors
    /// None.
    pub fn listen() -> std::io::Result<Signals> {
        Ok(Signals(()))
    }

    /// Waits for it; its name.
    pub async fn next(&mut self) -> &'static str {
        match tokio::signal::ctrl_c().await {
            Ok(()) => "Ctrl-C",
            // Nobody can end it but the system.
            Err(_) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_go_evenly_spread_over_the_window_however_many_there_are() {
        let window = Duration::from_secs(1);
        for count in [1, 10, 100, 10_000] {
            let shutdown = Shutdown::default();
            let mut tenths = [0_u32; 10];
            for _ in 0..count {
                let moment = shutdown.moment(window);
                assert!(moment < window, "{moment:?}");
                tenths[usize::try_from(moment.as_millis() / 100).expect("below ten")] += 1;
            }
            let most = count / 10 + count / 100 + 1;
            assert!(tenths.iter().all(|&tenth| tenth <= most), "{count}: {tenths:?}");
        }
        assert_eq!(Shutdown::default().moment(Duration::ZERO), Duration::ZERO);
    }
}
