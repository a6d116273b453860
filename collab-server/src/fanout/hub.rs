//! Who within this server listens to which address.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::Address;
use super::subscription::{Feed, Heard, Subscription};

/// See the module. Several may listen to one address; each gets everything.
#[derive(Debug, Default)]
pub(super) struct Hub {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    feeds: HashMap<Address, Vec<(u64, Feed)>>,
    last_number: u64,
}

impl Hub {
    pub(super) fn subscribe(self: &Arc<Self>, to: Address) -> Subscription {
        let mut table = self.table();
        table.last_number += 1;
        let number = table.last_number;
        let ending = Ending { hub: Arc::downgrade(self), address: to.clone(), number };
        let (feed, subscription) = Subscription::new(Box::new(ending));
        table.feeds.entry(to).or_default().push((number, feed));
        subscription
    }

    /// Gives everybody who listens to an address what was heard.
    pub(super) fn give(&self, to: &Address, heard: &Heard) {
        for (_, feed) in self.table().feeds.get(to).into_iter().flatten() {
            feed.give(heard.clone());
        }
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
        if let Some(feeds) = table.feeds.get_mut(&self.address) {
            feeds.retain(|(number, _)| *number != self.number);
            if feeds.is_empty() {
                table.feeds.remove(&self.address);
            }
        }
    }
}
