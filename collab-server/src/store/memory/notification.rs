//! Notifications, in memory.

use crate::store::notification::{
    NotificationEntry, NotificationExtract, NotificationHead, NotificationOutcome,
    NotificationRange, NotificationRecord, NotificationSelection, NotificationsMarked, Repeated,
};

/// A person's notifications.
#[derive(Debug, Default)]
pub(super) struct NotificationBox {
    /// With their keys, by number.
    entries: Vec<(String, NotificationEntry)>,
    last_number: u64,
    last_change: u64,
}

impl NotificationBox {
    fn head(&self) -> NotificationHead {
        let unread = self.entries.iter().filter(|(_, entry)| entry.read_ms.is_none()).count();
        NotificationHead {
            number: self.last_number,
            change: self.last_change,
            unread: u32::try_from(unread).unwrap_or(u32::MAX),
        }
    }

    pub(super) fn notify(&mut self, new: NotificationRecord) -> NotificationOutcome {
        let place = self.entries.iter().position(|(key, _)| *key == new.key);
        let old = place.map(|place| &self.entries[place].1);
        if let (Some(old), Repeated::Stays) = (old, new.repeated) {
            return NotificationOutcome::Before(old.clone());
        }
        let entry = new.entry(self.head(), old);
        if let Some(place) = place {
            self.entries.remove(place);
        }
        (self.last_number, self.last_change) = (entry.number, entry.change);
        self.entries.push((new.key, entry.clone()));
        while self.entries.len() > new.keep_max as usize {
            let read = self.entries.iter().position(|(_, entry)| entry.read_ms.is_some());
            self.entries.remove(read.unwrap_or(0));
        }
        NotificationOutcome::Done(entry, self.head())
    }

    pub(super) fn extract(&self, range: NotificationRange, limit: u32) -> NotificationExtract {
        let is_asked = |entry: &NotificationEntry| match range {
            NotificationRange::Latest => true,
            NotificationRange::Before(number) => entry.number < number,
            NotificationRange::Since(change) => entry.change > change,
        };
        let latest = self.entries.iter().rev().map(|(_, entry)| entry);
        let entries = latest.filter(|entry| is_asked(entry)).take(limit as usize);
        NotificationExtract { head: self.head(), entries: entries.cloned().collect() }
    }

    pub(super) fn mark(
        &mut self,
        which: &NotificationSelection,
        now_ms: i64,
    ) -> NotificationsMarked {
        let change = self.last_change + 1;
        let mut ids = Vec::new();
        for (_, entry) in &mut self.entries {
            if entry.read_ms.is_none() && which.has(entry.id, entry.number) {
                (entry.read_ms, entry.change) = (Some(now_ms), change);
                ids.push(entry.id);
            }
        }
        if !ids.is_empty() {
            self.last_change = change;
        }
        NotificationsMarked { head: self.head(), ids }
    }
}
