//! A fan-out by Redis: each address is a channel, and what is said there reaches every server that
//! has subscribed to it.
//!
//! Redis keeps nothing and promises nothing, and nothing is asked of it: what a server says waits in
//! a short queue, and where Redis does not take it in time it is dropped and counted. Whoever might
//! have missed something is told so as soon as there is a way again, and looks into the database.
//!
//! A server also says something to itself, once a second. That it is heard shows that both
//! directions work, and how long they take; where it stays out the connections are given up and made
//! anew, also when Redis is there and does not answer.

mod channel;
mod link;
mod queue;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use self::channel::Channels;
use self::link::Link;
use self::queue::{Message, Queue};
use super::hub::Hub;
use super::{Address, Fanout, News, ServerId, Subscription, Way, wire};
use crate::config::RedisUrl;
use crate::metrics::Metrics;
use crate::shutdown::Shutdown;

/// The largest message. A larger one is sent as the word that there is something to look at.
const MESSAGE_BYTES_MAX: usize = 256 << 10;

/// See the module.
pub(crate) struct RedisFanout {
    server: ServerId,
    channels: Channels,
    hub: Arc<Hub>,
    queue: Arc<Queue>,
    ending: CancellationToken,
}

impl RedisFanout {
    /// Begins to look for the Redis at `url`, and never ends to; nobody waits for it. Servers on one
    /// database, named by `database`, hear each other, and no others.
    pub(crate) fn start(
        url: &RedisUrl,
        database: u128,
        metrics: &Arc<Metrics>,
        shutdown: &Shutdown,
    ) -> Arc<RedisFanout> {
        let server = ServerId::random();
        let channels = Channels::new(database);
        let hub = Arc::new(Hub::default());
        let queue = Arc::new(Queue::new(Arc::clone(metrics)));
        let ending = CancellationToken::new();
        let link = Link {
            url: url.clone(),
            server,
            channels: channels.clone(),
            hub: Arc::clone(&hub),
            queue: Arc::clone(&queue),
            metrics: Arc::clone(metrics),
        };
        let (ended, overdue) = (ending.clone(), shutdown.overdue.clone());
        shutdown.tasks.spawn(async move {
            tokio::select! {
                () = link.run(ended) => {}
                () = overdue.cancelled() => {}
            }
        });
        Arc::new(RedisFanout { server, channels, hub, queue, ending })
    }
}

impl Fanout for RedisFanout {
    fn server(&self) -> ServerId {
        self.server
    }

    fn publish(&self, to: Address, news: Arc<News>) {
        if !self.queue.is_open() {
            return self.queue.lose(to);
        }
        let bytes = wire::news(self.server, &news);
        let payload = match bytes.len() {
            0..=MESSAGE_BYTES_MAX => bytes,
            _ => wire::gap(self.server),
        };
        let channel = self.channels.name(&to);
        self.queue.put(Message { to, channel, payload });
    }

    fn subscribe(&self, to: Address) -> Subscription {
        self.hub.subscribe(to)
    }

    fn way(&self) -> Way {
        self.queue.way()
    }

    fn end(&self) {
        self.ending.cancel();
    }
}

impl fmt::Debug for RedisFanout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisFanout").field("server", &self.server).finish_non_exhaustive()
    }
}

/// How long to wait before Redis is asked again: from nothing up to twice as long each time, so that
/// servers that lost it together do not come back together.
fn backoff(attempts: u32) -> Duration {
    let longest_ms = 50_u128 << attempts.min(5);
    let drawn_ms = uuid::Uuid::new_v4().as_u128() % longest_ms;
    Duration::from_millis(drawn_ms as u64)
}
