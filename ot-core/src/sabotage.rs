//! Planted bugs, for a simulation to find: a test of the test.
//!
//! Only programs built with the feature `testing` know them, and even there none is planted until a
//! test asks. In every other program [`is_planted`] is the constant `false`.

/// A bug that can be planted in a [`Client`](crate::Client).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "testing"),
    allow(dead_code, unreachable_pub, reason = "planted by simulations, through `testing`")
)]
pub enum Bug {
    /// What is typed while a submission is in flight becomes part of it.
    ComposeIntoInFlight,
    /// A resend is what the edit has become since, not what was sent.
    ResendRebased,
    /// Where two insert at one place, the one who types comes first on their own screen.
    TiesByArrival,
    /// Composed history is passed over while something is pending.
    DropWhileCatchingUp,
    /// What was typed since a submission that is refused is forgotten with it.
    ForgetBufferOnReject,
    /// Undo does not follow the operations of others.
    StaleUndo,
}

#[cfg(feature = "testing")]
mod switch {
    use std::cell::Cell;

    use super::Bug;

    thread_local! {
        static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    /// Plants a bug in this thread, or takes it out.
    pub fn plant(bug: Option<Bug>) {
        PLANTED.set(bug);
    }

    pub(crate) fn is_planted(bug: Bug) -> bool {
        PLANTED.get() == Some(bug)
    }
}

#[cfg(feature = "testing")]
pub(crate) use switch::is_planted;
#[cfg(feature = "testing")]
pub use switch::plant;

/// Whether the bug is there.
#[cfg(not(feature = "testing"))]
pub(crate) const fn is_planted(_: Bug) -> bool {
    false
}
