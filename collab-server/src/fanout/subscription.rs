//! What one part of this server hears of the others.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;

use super::{News, ServerId};

/// What a subscription brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Another server said this.
    News {
        /// Which one.
        from: ServerId,
        /// What it said.
        news: Arc<News>,
    },
    /// Something may have been said that did not come through: whatever the news is about is to be
    /// looked at, now.
    Gap,
}

/// News to one address, until it is dropped. It is bounded: who takes none hears of a gap in the end.
pub struct Subscription {
    receiver: mpsc::Receiver<Heard>,
    is_behind: Arc<AtomicBool>,
    /// Dropped with it, which ends it where it was made.
    _ended: Box<dyn Send + Sync>,
}

/// What feeds a subscription.
#[derive(Clone, Debug)]
pub(super) struct Feed {
    sender: mpsc::Sender<Heard>,
    is_behind: Arc<AtomicBool>,
}

impl Feed {
    pub(super) fn give(&self, heard: Heard) {
        // Where nobody listens any more nothing is lost.
        if let Err(mpsc::error::TrySendError::Full(_)) = self.sender.try_send(heard) {
            self.is_behind.store(true, Ordering::Release);
        }
    }
}

impl Subscription {
    /// What waits and is not taken; one more is lost, which is told.
    pub const WAITING_MAX: usize = 64;

    /// A subscription and what feeds it. It holds `ended` to its end.
    pub(super) fn new(ended: Box<dyn Send + Sync>) -> (Feed, Subscription) {
        let (sender, receiver) = mpsc::channel(Subscription::WAITING_MAX);
        let is_behind = Arc::new(AtomicBool::new(false));
        let feed = Feed { sender, is_behind: is_behind.clone() };
        (feed, Subscription { receiver, is_behind, _ended: ended })
    }

    /// The next that is heard; `None` when the fan-out has ended. Dropped before it returns, it has
    /// taken nothing.
    pub async fn next(&mut self) -> Option<Heard> {
        if self.is_behind.swap(false, Ordering::AcqRel) {
            return Some(Heard::Gap);
        }
        self.receiver.recv().await
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("waiting", &self.receiver.len()).finish()
    }
}
