//! Values that are published to topics: of each window of a second the latest one is told.

use std::collections::HashMap;
use std::time::Duration;

use collab_protocol::{TenantId, TopicName};
use tokio::time::Instant;

use super::EventNews;

/// How often one topic is told of a value at most.
pub(crate) const WINDOW: Duration = Duration::from_secs(1);

/// Topics that have a window open at a time, over all tenants.
const LEN_MAX: usize = 10_000;

type Topic = (TenantId, TopicName);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Windows {
    open: HashMap<Topic, Window>,
}

#[derive(Debug)]
struct Window {
    ends: Instant,
    latest: Option<EventNews>,
}

/// What becomes of a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Offered {
    /// It is to be told now, and the window is to be looked at when it ends.
    Now(EventNews, Instant),
    /// It waits, in place of what waited before.
    Waits,
    /// There are too many topics.
    Full,
}

impl Windows {
    pub(super) fn offer(&mut self, topic: &Topic, news: EventNews, now: Instant) -> Offered {
        if let Some(window) = self.open.get_mut(topic) {
            window.latest = Some(news);
            return Offered::Waits;
        }
        if self.open.len() >= LEN_MAX {
            return Offered::Full;
        }
        let ends = now + WINDOW;
        self.open.insert(topic.clone(), Window { ends, latest: None });
        Offered::Now(news, ends)
    }

    /// A window has ended: what is to be told, and when to look again; nothing if it stays closed.
    pub(super) fn end(&mut self, topic: &Topic) -> Option<(EventNews, Instant)> {
        let window = self.open.get_mut(topic)?;
        match window.latest.take() {
            Some(news) => {
                window.ends += WINDOW;
                Some((news, window.ends))
            }
            None => {
                self.open.remove(topic);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rooms::tests::news;

    #[test]
    fn of_each_window_the_latest_value_is_told() {
        let (mut windows, start) = (Windows::default(), Instant::now());
        let topic: Topic = (TenantId::default(), "load".parse().expect("a name"));
        let offer = |windows: &mut Windows, id: &str| windows.offer(&topic, news(id), start);
        assert_eq!(offer(&mut windows, "1"), Offered::Now(news("1"), start + WINDOW));
        assert_eq!(offer(&mut windows, "2"), Offered::Waits);
        assert_eq!(offer(&mut windows, "3"), Offered::Waits);
        assert_eq!(windows.end(&topic), Some((news("3"), start + 2 * WINDOW)));
        assert_eq!(windows.end(&topic), None);
        assert!(windows.open.is_empty());
        assert_eq!(windows.end(&topic), None);
    }
}
