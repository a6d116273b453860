//! What chats and notifications ask of their server, so that they can be run without one.
//!
//! Their code is the same in the program and in the simulation, which answers the store's calls in
//! its own time and hears what is published.

use collab_protocol::{DocumentId, NotificationId, Notified};

use crate::app::App;
use crate::chat::ChatNews;
use crate::fanout::Address;
use crate::store::Store;

/// See the module.
pub(crate) trait Desk: Send + Sync {
    /// What is kept.
    fn store(&self) -> &dyn Store;

    /// Milliseconds since 1970, to date messages with.
    fn now_ms(&self) -> i64;

    /// An id that nothing had before.
    fn new_id(&self) -> NotificationId;

    /// Notifications that one person keeps.
    fn notifications_max(&self) -> u32;

    /// Tells the other servers of a chat.
    fn publish(&self, document: DocumentId, news: ChatNews);

    /// Tells a person's connections, here and at the other servers.
    fn notified(&self, to: &Address, news: Notified);

    /// Tells them that they may have missed something, when nobody knows what they were told.
    fn overlooked(&self, to: &Address);

    /// Somebody said something, and it took so many seconds to store it.
    fn count_said(&self, _is_new: bool, _seconds: f64) {}

    /// Somebody is told something, of this kind.
    fn count_told(&self, _kind: &'static str) {}
}

impl Desk for App {
    fn store(&self) -> &dyn Store {
        &*self.store
    }

    fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    fn new_id(&self) -> NotificationId {
        NotificationId::new(uuid::Uuid::new_v4().as_u128())
    }

    fn notifications_max(&self) -> u32 {
        self.config.notifications_per_person_max
    }

    fn publish(&self, document: DocumentId, news: ChatNews) {
        self.chats.publish(document, news);
    }

    fn notified(&self, to: &Address, news: Notified) {
        self.rooms.notified(to, news);
    }

    fn overlooked(&self, to: &Address) {
        self.rooms.overlooked(to);
    }

    fn count_said(&self, is_new: bool, seconds: f64) {
        if is_new {
            self.metrics.chat_messages.inc();
        }
        self.metrics.chat_time.observe(seconds);
    }

    fn count_told(&self, kind: &'static str) {
        self.metrics.notification(kind);
    }
}
