//! The end, in order: stop taking connections, let documents finish, say goodbye, leave in time.

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What the parts of a running server share about its end.
///
/// Every task of the server is spawned on `tasks`, so none outlives it unseen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shutdown {
    /// Fires when the server is to end: no new connections, no new documents.
    pub(crate) stopping: CancellationToken,
    /// Fires when the time for a graceful end is over.
    pub(crate) overdue: CancellationToken,
    /// The tasks to wait for.
    pub(crate) tasks: TaskTracker,
}

/// Waits for SIGINT or SIGTERM.
///
/// # Errors
/// When the process cannot listen for signals.
#[cfg(unix)]
pub async fn signal() -> std::io::Result<&'static str> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    })
}

/// Waits for Ctrl-C.
///
/// # Errors
/// When the process cannot listen for it.
#[cfg(not(unix))]
pub async fn signal() -> std::io::Result<&'static str> {
    tokio::signal::ctrl_c().await?;
    Ok("Ctrl-C")
}
