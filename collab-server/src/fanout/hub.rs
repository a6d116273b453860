//! Who within this server listens to which address.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::Notify;

use super::Address;
use super::subscription::{Feed, Heard, Subscription};

/// See the module. Several may listen to one address; each gets everything.
#[derive(Debug, Default)]
pub(super) struct Hub {
    table: Mutex<Table>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Table {
    feeds: HashMap<Address, Vec<(u64, Feed)>>,
    last_number: u64,
    /// Addresses to which somebody new listens, or nobody any more, since that was last asked.
    changes: HashSet<Address>,
}

/// What has become of addresses.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Somebody listens there.
    pub(super) heeded: Vec<Address>,
    /// Nobody does.
    pub(super) left: Vec<Address>,
}

impl Hub {
    pub(super) fn subscribe(self: &Arc<Self>, to: Address) -> Subscription {
        let mut table = self.table();
        table.last_number += 1;
        let number = table.last_number;
        let ending = Ending { hub: Arc::downgrade(self), address: to.clone(), number };
        let (feed, subscription) = Subscription::new(Box::new(ending));
        table.changes.insert(to.clone());
        table.feeds.entry(to).or_default().push((number, feed));
        drop(table);
        self.changed.notify_one();
        subscription
    }

    /// Gives everybody who listens to an address what was heard.
    pub(super) fn give(&self, to: &Address, heard: &Heard) {
        for (_, feed) in self.table().feeds.get(to).into_iter().flatten() {
            feed.give(heard.clone());
        }
    }

    /// Gives it to everybody, whatever they listen to.
    pub(super) fn give_all(&self, heard: &Heard) {
        for (_, feed) in self.table().feeds.values().flatten() {
            feed.give(heard.clone());
        }
    }

    /// Every address that somebody listens to; what changes from now on is told as a change.
    pub(super) fn addresses(&self) -> Vec<Address> {
        let mut table = self.table();
        table.changes.clear();
        table.feeds.keys().cloned().collect()
    }

    /// Waits until something has changed, and takes that. Dropped before it returns, it has taken
    /// nothing.
    pub(super) async fn changes(&self) -> Changes {
        loop {
            let changed = self.changed.notified();
            let changes = self.take_changes();
            if !changes.heeded.is_empty() || !changes.left.is_empty() {
                return changes;
            }
            changed.await;
        }
    }

    fn take_changes(&self) -> Changes {
        let mut table = self.table();
        let changed = std::mem::take(&mut table.changes);
        let (heeded, left) =
            changed.into_iter().partition(|address| table.feeds.contains_key(address));
        Changes { heeded, left }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Each change under the lock is one step, so a panic leaves nothing half done.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a subscription out when it is dropped.
struct Ending {
    hub: Weak<Hub>,
    address: Address,
    number: u64,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let Some(hub) = self.hub.upgrade() else { return };
        let mut table = hub.table();
        let Some(feeds) = table.feeds.get_mut(&self.address) else { return };
        feeds.retain(|(number, _)| *number != self.number);
        if feeds.is_empty() {
            table.feeds.remove(&self.address);
            table.changes.insert(self.address.clone());
            drop(table);
            hub.changed.notify_one();
        }
    }
}
