//! One session's place in rooms, given back when dropped.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use collab_protocol::{TenantId, TopicName, UserId};

use super::Rooms;
use super::inbox::Inbox;
use crate::auth::Identity;
use crate::document::Frame;
use crate::fanout::Address;

/// The session watches as many topics as one may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

/// See the module.
pub(crate) struct Seat {
    rooms: Arc<Rooms>,
    number: u64,
    inbox: Arc<Inbox>,
    tenant: TenantId,
    user: UserId,
    topics: BTreeSet<TopicName>,
    topics_max: usize,
}

impl Seat {
    pub(super) fn new(
        rooms: Arc<Rooms>,
        number: u64,
        inbox: Inbox,
        identity: &Identity,
        topics_max: usize,
    ) -> Self {
        let (tenant, user) = (identity.tenant.clone(), identity.user.clone());
        let (inbox, topics) = (Arc::new(inbox), BTreeSet::new());
        let seat = Seat { rooms, number, inbox, tenant, user, topics, topics_max };
        for address in seat.own() {
            seat.rooms.join(address, number, Arc::clone(&seat.inbox));
        }
        seat
    }

    /// The rooms that it is in without having asked.
    fn own(&self) -> [Address; 2] {
        let user = Address::User(self.tenant.clone(), self.user.clone());
        [user, Address::Tenant(self.tenant.clone())]
    }

    /// Watches a topic, if it did not already.
    pub(crate) fn watch(&mut self, topic: TopicName) -> Result<(), TooMany> {
        if self.topics.contains(&topic) {
            return Ok(());
        }
        if self.topics.len() >= self.topics_max {
            return Err(TooMany);
        }
        self.topics.insert(topic.clone());
        self.rooms.join(self.address(topic), self.number, Arc::clone(&self.inbox));
        Ok(())
    }

    /// Watches a topic no more, if it did.
    pub(crate) fn unwatch(&mut self, topic: TopicName) {
        if self.topics.remove(&topic) {
            self.rooms.leave(&self.address(topic), self.number);
        }
    }

    /// Takes what waits, about `budget_bytes` of it; nothing if nothing does.
    pub(crate) fn take(&self, budget_bytes: usize) -> Vec<Frame> {
        self.inbox.take(budget_bytes)
    }

    /// A topic of the session's tenant.
    pub(crate) fn address(&self, topic: TopicName) -> Address {
        Address::Topic(self.tenant.clone(), topic)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let topics = std::mem::take(&mut self.topics);
        for topic in topics {
            self.rooms.leave(&self.address(topic), self.number);
        }
        for address in self.own() {
            self.rooms.leave(&address, self.number);
        }
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat").field("number", &self.number).finish_non_exhaustive()
    }
}
