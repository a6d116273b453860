//! What one server of the simulation is to its chats and notifications.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use collab_protocol::{DocumentId, NotificationId, Notified};

use super::store::Shelf;
use crate::chat::ChatNews;
use crate::desk::Desk;
use crate::fanout::Address;
use crate::store::{MemoryStore, Store};

/// What all servers share: the time, and ids.
#[derive(Debug, Default)]
pub(super) struct Clockwork {
    pub(super) now_ms: AtomicI64,
    ids: AtomicU64,
}

/// Something that a server says to others and to its own sessions.
#[derive(Clone, Debug)]
pub(super) enum Said {
    Chat(ChatNews),
    Notified(Address, Notified),
    /// Something has happened to somebody's notifications, and nobody knows what was told.
    Look(Address),
}

/// See the module.
pub(super) struct Counter {
    pub(super) shelf: Shelf,
    clockwork: Arc<Clockwork>,
    said: Mutex<Vec<Said>>,
}

impl Counter {
    pub(super) fn new(memory: MemoryStore, clockwork: Arc<Clockwork>) -> Self {
        Counter { shelf: Shelf::new(memory), clockwork, said: Mutex::default() }
    }

    /// What was said since the last time.
    pub(super) fn take_said(&self) -> Vec<Said> {
        std::mem::take(&mut self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn say(&self, said: Said) {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).push(said);
    }
}

impl Desk for Counter {
    fn store(&self) -> &dyn Store {
        &self.shelf
    }

    fn now_ms(&self) -> i64 {
        self.clockwork.now_ms.load(Ordering::Relaxed)
    }

    fn new_id(&self) -> NotificationId {
        NotificationId::new(self.clockwork.ids.fetch_add(1, Ordering::Relaxed).into())
    }

    fn notifications_max(&self) -> u32 {
        1_000
    }

    fn publish(&self, _: DocumentId, news: ChatNews) {
        self.say(Said::Chat(news));
    }

    fn notified(&self, to: &Address, news: Notified) {
        self.say(Said::Notified(to.clone(), news));
    }

    fn overlooked(&self, to: &Address) {
        self.say(Said::Look(to.clone()));
    }
}
