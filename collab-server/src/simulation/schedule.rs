//! What is to come in a world, by when it is due; what is due at the same time in the order in which it
//! was put in.

use std::collections::BTreeMap;

/// When an event is due, and its number: what it is known by.
pub(super) type Key = (u64, u64);

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Schedule<What> {
    coming: BTreeMap<Key, What>,
    /// How many were put in.
    last: u64,
}

impl<What> Default for Schedule<What> {
    fn default() -> Self {
        Schedule { coming: BTreeMap::new(), last: 0 }
    }
}

impl<What> Schedule<What> {
    pub(super) fn add(&mut self, at: u64, what: What) {
        self.last += 1;
        self.coming.insert((at, self.last), what);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.coming.is_empty()
    }

    /// When the next is due.
    pub(super) fn next_at(&self) -> u64 {
        self.next_key().map_or(u64::MAX, |(at, _)| at)
    }

    pub(super) fn next_key(&self) -> Option<Key> {
        self.coming.first_key_value().map(|(key, _)| *key)
    }

    /// What is known by this.
    pub(super) fn event(&self, key: Key) -> &What {
        &self.coming[&key]
    }

    /// All of it, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, &What)> {
        self.coming.iter()
    }

    /// Takes it out, since it happens now.
    pub(super) fn take(&mut self, key: Key) -> What {
        self.coming.remove(&key).expect("it is to come")
    }

    pub(super) fn retain(&mut self, is_kept: impl Fn(&What) -> bool) {
        self.coming.retain(|_, what| is_kept(what));
    }
}
