//! A fan-out within one process: for several registries over one database, and for the one server
//! that has nobody to tell.

use std::sync::{Arc, Mutex, PoisonError};

use super::hub::Hub;
use super::{Address, Fanout, Heard, News, ServerId, Subscription};

type Members = Arc<Mutex<Vec<(ServerId, Arc<Hub>)>>>;

/// One server's place among those of this process that are to hear each other.
#[derive(Clone, Debug)]
pub struct LocalFanout {
    server: ServerId,
    hub: Arc<Hub>,
    members: Members,
}

impl Default for LocalFanout {
    /// A server that is alone.
    fn default() -> Self {
        LocalFanout::among(Members::default())
    }
}

impl LocalFanout {
    fn among(members: Members) -> Self {
        let (server, hub) = (ServerId::random(), Arc::new(Hub::default()));
        let mut places = members.lock().unwrap_or_else(PoisonError::into_inner);
        places.push((server, Arc::clone(&hub)));
        drop(places);
        LocalFanout { server, hub, members }
    }

    /// One more server beside this one.
    #[must_use]
    pub fn another(&self) -> Self {
        LocalFanout::among(Arc::clone(&self.members))
    }
}

impl Fanout for LocalFanout {
    fn server(&self) -> ServerId {
        self.server
    }

    fn publish(&self, to: Address, news: Arc<News>) {
        let heard = match *news {
            News::Changed => Heard::Gap,
            _ => Heard::News { from: self.server, news },
        };
        let members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, hub) in members.iter().filter(|(server, _)| *server != self.server) {
            hub.give(&to, &heard);
        }
    }

    fn subscribe(&self, to: Address) -> Subscription {
        self.hub.subscribe(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fanout::Batch;
    use collab_protocol::DocumentId;
    use futures_util::FutureExt;

    fn news(document: DocumentId) -> Arc<News> {
        Arc::new(News::Batch(Batch { document, operations: Vec::new() }))
    }

    fn address(number: u128) -> Address {
        Address::Document(DocumentId::new(number))
    }

    #[test]
    fn everybody_who_subscribed_hears_it_but_who_said_it() {
        let one = LocalFanout::default();
        let other = one.another();
        let mut own = one.subscribe(address(1));
        let mut heard = [other.subscribe(address(1)), other.subscribe(address(1))];
        let mut elsewhere = other.subscribe(address(2));
        one.publish(address(1), news(DocumentId::new(1)));
        for heard in &mut heard {
            let expected = Heard::News { from: one.server(), news: news(DocumentId::new(1)) };
            assert_eq!(heard.next().now_or_never(), Some(Some(expected)));
        }
        assert_eq!(own.next().now_or_never(), None);
        assert_eq!(elsewhere.next().now_or_never(), None);
    }

    #[test]
    fn who_takes_nothing_hears_of_a_gap_and_then_what_waited() {
        let one = LocalFanout::default();
        let mut heard = one.another().subscribe(address(1));
        for _ in 0..=Subscription::WAITING_MAX {
            one.publish(address(1), news(DocumentId::new(1)));
        }
        assert_eq!(heard.next().now_or_never(), Some(Some(Heard::Gap)));
        for _ in 0..Subscription::WAITING_MAX {
            let next = heard.next().now_or_never();
            assert!(matches!(next, Some(Some(Heard::News { .. }))), "{next:?}");
        }
        assert_eq!(heard.next().now_or_never(), None);
    }
}
