//! How long documents have had more to do than they can, as one connection meets it.

use std::time::Duration;

use collab_protocol::RejectCode;
use tokio::time::Instant;

/// How long a connection may be answered `overloaded` without a commit between. After that it is
/// better gone for a while: its resends are part of the load.
const STRAIN_MAX: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Strain {
    since: Option<Instant>,
}

impl Strain {
    /// A submission was refused with this code.
    pub(super) fn refused(&mut self, code: RejectCode) {
        if code == RejectCode::Overloaded {
            self.since.get_or_insert_with(Instant::now);
        }
    }

    /// A submission was committed.
    pub(super) fn committed(&mut self) {
        self.since = None;
    }

    /// Whether it has lasted too long.
    pub(super) fn is_too_long(&self) -> bool {
        self.since.is_some_and(|since| since.elapsed() >= STRAIN_MAX)
    }
}
