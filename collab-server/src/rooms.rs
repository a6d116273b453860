//! Rooms of applications: what is told to a person, a tenant or a topic comes to every session
//! there, on every server.
//!
//! A session takes a seat, and with it a place in its person's room and in its tenant's; topics it
//! watches one by one. What is told is encoded once, put into the inbox of each session here, and
//! published for the other servers. Events are told at most once and stored nowhere.

mod inbox;
mod recent;
mod seat;
#[cfg(test)]
mod tests;
mod windows;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use axum::body::Bytes;
use collab_protocol::{
    Event, EventId, EventName, Missed, Notified, RawJson, RoomKind, ServerMessage, TenantId,
    TopicName, UserId,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use self::inbox::Inbox;
use self::recent::Recent;
pub(crate) use self::seat::{Seat, TooMany};
use self::windows::{Offered, Windows};
use crate::auth::Identity;
use crate::fanout::{Address, Fanout, Heard, News};
use crate::metrics::Metrics;
use crate::shutdown::Shutdown;

/// An event as servers tell it each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventNews {
    /// What clients get.
    pub event: Event,
    /// Whether the id is the caller's: the same one again is not told again.
    pub is_given: bool,
}

/// A room, within its tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum RoomName {
    User,
    Tenant,
    Topic(TopicName),
}

impl RoomName {
    fn kind(&self) -> RoomKind {
        match self {
            RoomName::User => RoomKind::User,
            RoomName::Tenant => RoomKind::Tenant,
            RoomName::Topic(_) => RoomKind::Topic,
        }
    }

    fn topic(&self) -> Option<TopicName> {
        match self {
            RoomName::Topic(topic) => Some(topic.clone()),
            RoomName::User | RoomName::Tenant => None,
        }
    }
}

impl From<&Address> for RoomName {
    fn from(address: &Address) -> Self {
        match address {
            Address::User(..) => RoomName::User,
            Address::Topic(_, topic) => RoomName::Topic(topic.clone()),
            Address::Tenant(_) | Address::Document(_) | Address::Servers => RoomName::Tenant,
        }
    }
}

/// What is to be told.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) name: EventName,
    pub(crate) data: RawJson,
    /// The caller's id, if it has one.
    pub(crate) id: Option<EventId>,
    pub(crate) by: Option<UserId>,
    pub(crate) time_ms: i64,
}

/// Whoever is in one room on this server.
struct Room {
    inboxes: BTreeMap<u64, Arc<Inbox>>,
    /// Ends what listens to the other servers.
    _listening: Option<DropGuard>,
}

#[derive(Default)]
struct Table {
    rooms: HashMap<Address, Room>,
    last_seat: u64,
    recent: Recent,
    windows: Windows,
}

/// The rooms of this server.
pub(crate) struct Rooms {
    /// The way to other servers, where there are any.
    fanout: Option<Arc<dyn Fanout>>,
    metrics: Arc<Metrics>,
    stopping: CancellationToken,
    tasks: TaskTracker,
    table: Mutex<Table>,
    this: Weak<Rooms>,
}

impl Rooms {
    pub(crate) fn new(
        fanout: Option<Arc<dyn Fanout>>,
        metrics: Arc<Metrics>,
        shutdown: &Shutdown,
    ) -> Arc<Rooms> {
        let (stopping, tasks) = (shutdown.stopping.clone(), shutdown.tasks.clone());
        Arc::new_cyclic(|this| Rooms {
            fanout,
            metrics,
            stopping,
            tasks,
            table: Mutex::default(),
            this: this.clone(),
        })
    }

    /// A place for a session, in its person's and its tenant's room. `wake` is notified when there
    /// is something to take; `topics_max` is how many topics it may watch.
    pub(crate) fn enter(
        self: &Arc<Self>,
        identity: &Identity,
        wake: Arc<Notify>,
        topics_max: usize,
    ) -> Seat {
        let number = {
            let mut table = self.table();
            table.last_seat += 1;
            table.last_seat
        };
        Seat::new(Arc::clone(self), number, Inbox::new(wake), identity, topics_max)
    }

    /// Tells a room something; the event's id. What has an id that was told lately is not told
    /// again.
    pub(crate) fn tell(&self, to: &Address, told: Told) -> EventId {
        let news = news(to, told);
        let id = news.event.id.clone();
        self.spread(to, news);
        id
    }

    /// Tells a topic a value: at most one in each window, the latest. `None` where too many topics
    /// are told of values at once.
    pub(crate) fn publish(
        &self,
        tenant: &TenantId,
        topic: &TopicName,
        told: Told,
    ) -> Option<EventId> {
        let to = Address::Topic(tenant.clone(), topic.clone());
        let (news, topic) = (news(&to, told), (tenant.clone(), topic.clone()));
        let id = news.event.id.clone();
        let offered = self.table().windows.offer(&topic, news, Instant::now());
        match offered {
            Offered::Full => return None,
            Offered::Waits => {}
            Offered::Now(news, ends) => {
                self.spread(&to, news);
                self.tasks.spawn(close_windows(
                    self.this.clone(),
                    topic,
                    ends,
                    self.stopping.clone(),
                ));
            }
        }
        Some(id)
    }

    /// Topics that are watched here.
    pub(crate) fn topic_count(&self) -> usize {
        let table = self.table();
        table.rooms.keys().filter(|address| matches!(address, Address::Topic(..))).count()
    }

    /// Tells all connections of a person what happened to their notifications.
    pub(crate) fn notified(&self, to: &Address, news: Notified) {
        self.deliver(to, || ServerMessage::Notified(news.clone()));
        if let Some(fanout) = &self.fanout {
            fanout.publish(to.clone(), Arc::new(News::Notified(news)));
        }
    }

    /// Tells all connections of a person that they may have missed something, when nobody knows what
    /// they were told: they look for it.
    pub(crate) fn overlooked(&self, to: &Address) {
        self.lost_touch(to);
        if let Some(fanout) = &self.fanout {
            fanout.publish(to.clone(), Arc::new(News::Changed));
        }
    }

    /// To who is here and, unless it was told already, to the other servers.
    fn spread(&self, to: &Address, news: EventNews) {
        if self.is_repeated(to, &news) {
            return;
        }
        self.metrics.event(news.event.room);
        self.deliver(to, || ServerMessage::Event(news.event.clone()));
        if let Some(fanout) = &self.fanout {
            fanout.publish(to.clone(), Arc::new(News::Event(news)));
        }
    }

    /// Another server told this.
    fn heard(&self, to: &Address, news: &EventNews) {
        if !self.is_repeated(to, news) {
            self.deliver(to, || ServerMessage::Event(news.event.clone()));
        }
    }

    /// The way to the other servers was lost for a while. Events of then are lost, being told at
    /// most once; a person's notifications are kept, and their connections look for them.
    fn lost_touch(&self, to: &Address) {
        if let Address::User(..) = to {
            let missed = Missed { room: RoomKind::User, topic: None, events: 0 };
            self.deliver(to, || ServerMessage::Missed(missed));
        }
    }

    fn is_repeated(&self, to: &Address, news: &EventNews) -> bool {
        news.is_given && !self.table().recent.is_first((to, &news.event.id), Instant::now())
    }

    fn deliver(&self, to: &Address, message: impl FnOnce() -> ServerMessage) {
        let table = self.table();
        let Some(room) = table.rooms.get(to) else { return };
        let frame = Bytes::from(message().to_json());
        let name = RoomName::from(to);
        for inbox in room.inboxes.values() {
            self.metrics.events_delivered.inc();
            self.metrics.events_missed.inc_by(inbox.push(&name, &frame));
        }
    }

    fn join(&self, to: Address, seat: u64, inbox: Arc<Inbox>) {
        let mut table = self.table();
        let room = table.rooms.entry(to).or_insert_with_key(|to| Room {
            inboxes: BTreeMap::new(),
            _listening: self.listen(to.clone()),
        });
        room.inboxes.insert(seat, inbox);
    }

    fn leave(&self, to: &Address, seat: u64) {
        let mut table = self.table();
        let Some(room) = table.rooms.get_mut(to) else { return };
        room.inboxes.remove(&seat);
        if room.inboxes.is_empty() {
            table.rooms.remove(to);
        }
    }

    /// Listens to what other servers tell a room, until what this gives is dropped.
    fn listen(&self, to: Address) -> Option<DropGuard> {
        let mut subscription = self.fanout.as_ref()?.subscribe(to.clone());
        let (rooms, ended) = (self.this.clone(), self.stopping.child_token());
        let guard = ended.clone().drop_guard();
        self.tasks.spawn(async move {
            loop {
                let heard = tokio::select! {
                    heard = subscription.next() => heard,
                    () = ended.cancelled() => return,
                };
                let Some(rooms) = rooms.upgrade() else { return };
                match heard {
                    Some(Heard::News { news, .. }) => match &*news {
                        News::Event(news) => rooms.heard(&to, news),
                        News::Notified(news) => {
                            rooms.deliver(&to, || ServerMessage::Notified(news.clone()));
                        }
                        News::Changed => rooms.lost_touch(&to),
                        News::Batch(_) | News::Presence(_) | News::Chat(_) | News::Census(_) => {}
                    },
                    Some(Heard::Gap) => rooms.lost_touch(&to),
                    None => return,
                }
            }
        });
        Some(guard)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Each change under the lock is one step, so a panic leaves nothing half done.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells a topic the latest value at the end of each window, until one ends without any.
async fn close_windows(
    rooms: Weak<Rooms>,
    topic: (TenantId, TopicName),
    mut ends: Instant,
    stopping: CancellationToken,
) {
    loop {
        tokio::select! {
            () = tokio::time::sleep_until(ends) => {}
            () = stopping.cancelled() => return,
        }
        let Some(rooms) = rooms.upgrade() else { return };
        let Some((news, next)) = rooms.table().windows.end(&topic) else { return };
        rooms.spread(&Address::Topic(topic.0.clone(), topic.1.clone()), news);
        ends = next;
    }
}

fn news(to: &Address, told: Told) -> EventNews {
    let room = RoomName::from(to);
    let Told { name, data, id, by, time_ms } = told;
    let is_given = id.is_some();
    let id = id.unwrap_or_else(new_id);
    let event = Event { room: room.kind(), topic: room.topic(), name, data, id, time_ms, by };
    EventNews { event, is_given }
}

/// An id of an event that has none.
pub(crate) fn new_id() -> EventId {
    let id = uuid::Uuid::new_v4().simple().to_string();
    id.parse().expect("hexadecimal digits are an id")
}
