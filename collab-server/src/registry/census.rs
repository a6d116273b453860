//! How many have a document open on other servers, for lists of documents that are not loaded here.
//!
//! Soft state. Each server tells the others once a second which of its counts have changed, and all
//! of them every [`WHOLE`]; what was not heard of for [`LEASE`] is gone. So anything may be lost, and
//! nothing has to be cleaned up after a server that dies.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use collab_protocol::DocumentId;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Registry;
use crate::fanout::{Address, Heard, News, ServerId};

/// From one telling of changes to the next.
const PAUSE: Duration = Duration::from_secs(1);

/// From one telling of everything to the next.
const WHOLE: Duration = Duration::from_secs(5);

/// How long a count is believed: two tellings of everything may be lost.
const LEASE: Duration = Duration::from_secs(16);

/// Documents in one message, some 90 KB.
const ROOMS_MAX: usize = 2_000;

/// What one server tells of its documents: how many sessions each has; 0 for one that had some.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CensusNews {
    /// Some of its documents, or all.
    pub rooms: Vec<(DocumentId, u32)>,
}

/// What other servers told.
#[derive(Debug, Default)]
pub(super) struct Census {
    counts: Mutex<HashMap<DocumentId, Vec<Count>>>,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    server: ServerId,
    sessions: u32,
    heard: Instant,
}

impl Census {
    /// Sessions of a document on other servers.
    pub(super) fn count(&self, document: DocumentId) -> usize {
        let counts = self.counts();
        let counts = counts.get(&document).into_iter().flatten();
        counts.map(|count| count.sessions as usize).sum()
    }

    fn hear(&self, server: ServerId, news: &CensusNews, now: Instant) {
        let mut counts = self.counts();
        for (document, sessions) in &news.rooms {
            let of_document = counts.entry(*document).or_default();
            of_document.retain(|count| count.server != server);
            if *sessions > 0 {
                of_document.push(Count { server, sessions: *sessions, heard: now });
            }
        }
        counts.retain(|_, of_document| !of_document.is_empty());
    }

    fn expire(&self, now: Instant) {
        self.counts().retain(|_, of_document| {
            of_document.retain(|count| now.saturating_duration_since(count.heard) < LEASE);
            !of_document.is_empty()
        });
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<DocumentId, Vec<Count>>> {
        // Each change under the lock leaves the counts in order.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What this server told the others.
#[derive(Debug, Default)]
struct Told {
    rooms: HashMap<DocumentId, u32>,
    whole_at: Option<Instant>,
}

impl Told {
    /// What to tell now, of these documents with their sessions. It counts as told.
    fn next(&mut self, open: HashMap<DocumentId, u32>, now: Instant) -> Vec<CensusNews> {
        let is_whole = self.whole_at.is_none_or(|at| at <= now);
        if is_whole {
            self.whole_at = Some(now + WHOLE);
        }
        let is_news =
            |room: &(&DocumentId, &u32)| is_whole || self.rooms.get(room.0) != Some(room.1);
        let changed =
            open.iter().filter(is_news).map(|(document, sessions)| (*document, *sessions));
        let gone = self.rooms.keys().filter(|document| !open.contains_key(document));
        let rooms: Vec<(DocumentId, u32)> = changed.chain(gone.map(|gone| (*gone, 0))).collect();
        self.rooms = open;
        rooms.chunks(ROOMS_MAX).map(|rooms| CensusNews { rooms: rooms.to_vec() }).collect()
    }
}

impl Registry {
    /// Tells the other servers how many are where, and hears it from them, until the server stops.
    pub(crate) async fn take_census(self: Arc<Self>, stopping: CancellationToken) {
        let Some(fanout) = self.around.fanout.clone() else { return };
        let mut others = fanout.subscribe(Address::Servers);
        let mut told = Told::default();
        let mut tick = tokio::time::interval(PAUSE);
        loop {
            tokio::select! {
                heard = others.next() => match heard {
                    Some(Heard::News { from, news }) => {
                        if let News::Census(news) = &*news {
                            self.census.hear(from, news, Instant::now());
                        }
                    }
                    // All is told again soon.
                    Some(Heard::Gap) => {}
                    None => return,
                },
                _ = tick.tick() => {
                    let now = Instant::now();
                    self.census.expire(now);
                    for news in told.next(self.open_rooms(), now) {
                        fanout.publish(Address::Servers, Arc::new(News::Census(news)));
                    }
                }
                () = stopping.cancelled() => return,
            }
        }
    }

    /// The documents with sessions, and how many each has.
    fn open_rooms(&self) -> HashMap<DocumentId, u32> {
        let loaded = self.all_loaded().into_iter();
        let counted = loaded.map(|(id, document)| (id, document.session_count() as u32));
        counted.filter(|(_, sessions)| *sessions > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rooms(rooms: &[(u128, u32)]) -> HashMap<DocumentId, u32> {
        rooms.iter().map(|(id, sessions)| (DocumentId::new(*id), *sessions)).collect()
    }

    fn told(told: &mut Told, open: &[(u128, u32)], now: Instant) -> Vec<(u128, u32)> {
        let news = told.next(rooms(open), now);
        let mut all: Vec<(u128, u32)> =
            news.iter().flat_map(|n| &n.rooms).map(|(id, count)| (id.get(), *count)).collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn changes_are_told_at_once_and_everything_now_and_then() {
        let (mut all, began) = (Told::default(), Instant::now());
        assert_eq!(told(&mut all, &[(1, 2), (2, 1)], began), [(1, 2), (2, 1)]);
        assert_eq!(told(&mut all, &[(1, 2), (2, 1)], began), []);
        assert_eq!(told(&mut all, &[(1, 3), (3, 1)], began), [(1, 3), (2, 0), (3, 1)]);
        assert_eq!(told(&mut all, &[(1, 3), (3, 1)], began + WHOLE), [(1, 3), (3, 1)]);
        let many: Vec<(u128, u32)> = (1..=4_500).map(|id| (id, 1)).collect();
        assert_eq!(all.next(rooms(&many), began + 2 * WHOLE).len(), 3, "in parts");
    }

    #[test]
    fn counts_of_servers_are_added_and_forgotten_with_them() {
        let (census, began) = (Census::default(), Instant::now());
        let document = DocumentId::new(1);
        let hear = |server, sessions, at| {
            let news = CensusNews { rooms: vec![(document, sessions)] };
            census.hear(ServerId::new(server), &news, at);
            census.count(document)
        };
        assert_eq!(hear(1, 2, began), 2);
        assert_eq!(hear(2, 3, began + LEASE / 2), 5);
        assert_eq!(hear(2, 1, began + LEASE / 2), 3);
        census.expire(began + LEASE);
        assert_eq!(census.count(document), 1);
        assert_eq!(hear(2, 0, began + LEASE), 0);
        assert!(census.counts().is_empty());
    }
}
