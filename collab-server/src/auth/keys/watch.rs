//! Key files are read again while the server runs, so that keys are changed without a restart.

use std::sync::Arc;
use std::time::Duration;

use crate::auth::token::Tokens;
use crate::shutdown::Shutdown;

/// How often a key file is looked at. What is taken out of it is refused at most so much later.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Watches the file that the keys are in, if they are in one, until the shutdown.
pub(in crate::auth) fn watch(tokens: Arc<Tokens>, shutdown: &Shutdown) {
    if !tokens.is_in_file() {
        return;
    }
    let stopping = shutdown.stopping.clone();
    shutdown.tasks.spawn(async move {
        let mut hangups = Hangups::listen();
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = hangups.next() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let tokens = Arc::clone(&tokens);
            if let Err(error) = tokio::task::spawn_blocking(move || tokens.reload_and_tell()).await
            {
                tracing::error!(%error, "reading the keys for tokens failed");
            }
        }
    });
}

/// SIGHUP, which asks to look at once.
struct Hangups(#[cfg(unix)] Option<tokio::signal::unix::Signal>);

impl Hangups {
    fn listen() -> Self {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Hangups(signal(SignalKind::hangup()).ok())
        }
        #[cfg(not(unix))]
        Hangups()
    }

    /// Ends with the next one; never where there is none.
    async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.0
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending().await
    }
}
