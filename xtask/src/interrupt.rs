//! Ctrl-C and SIGTERM: the first one ends what runs and cleans up, because every wait in [`crate::process`] asks here.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::{Result, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

static RAISED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Starts to listen. A second signal ends the process at once, for when the clean-up itself hangs.
pub(crate) fn listen() -> Result<()> {
    let raised = RAISED.get_or_init(Arc::default);
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(raised))?;
        signal_hook::flag::register(signal, Arc::clone(raised))?;
    }
    Ok(())
}

/// Whether a signal has come.
pub(crate) fn raised() -> bool {
    RAISED.get().is_some_and(|raised| raised.load(Ordering::Relaxed))
}

/// Ends a series of steps once a signal has come.
///
/// # Errors
/// When a signal has come.
pub(crate) fn check() -> Result<()> {
    if raised() {
        bail!("interrupted");
    }
    Ok(())
}
