//! The connections to Redis: one speaks, one hears. They live and die together, and are made anew
//! for as long as the server runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use redis::aio::{MultiplexedConnection, PubSubSink, PubSubStream};
use redis::{AsyncConnectionConfig, Client, RedisError};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::channel::Channels;
use super::queue::{Queue, Round};
use super::{MESSAGE_BYTES_MAX, backoff};
use crate::config::RedisUrl;
use crate::fanout::hub::Hub;
use crate::fanout::{Address, Heard, ServerId, wire};
use crate::metrics::Metrics;

/// How long Redis may take to let this server in.
const CONNECT_MAX: Duration = Duration::from_secs(2);

/// How long Redis may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(1);

/// How often a server says something to itself.
const BEAT: Duration = Duration::from_secs(1);

/// How long it may not hear itself before the connections are given up.
const SILENCE_MAX: Duration = Duration::from_secs(3);

/// Channels subscribed to with one command.
const CHANNELS_MAX: usize = 512;

/// How long what waits at the server's end is still said.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Why a connection is given up.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error(transparent)]
    Redis(#[from] RedisError),
    #[error("it does not answer")]
    Silent(#[from] tokio::time::error::Elapsed),
    #[error("what is said there is not heard")]
    Deaf,
    #[error("it closed the connection")]
    Closed,
}

/// Which address each channel is that is subscribed to.
type Subscribed = Mutex<HashMap<String, Address>>;

/// See the module.
pub(super) struct Link {
    pub(super) url: RedisUrl,
    pub(super) server: ServerId,
    pub(super) channels: Channels,
    pub(super) hub: Arc<Hub>,
    pub(super) queue: Arc<Queue>,
    pub(super) metrics: Arc<Metrics>,
}

impl Link {
    /// Runs until it is told to end; what waits then is said first.
    pub(super) async fn run(self, ending: CancellationToken) {
        let mut attempts = 0;
        loop {
            let lost = self.live(&ending).await;
            let was_open = self.queue.is_open();
            self.queue.close();
            let Err(error) = lost else { return };
            if was_open {
                attempts = 0;
                self.metrics.redis_losses.inc();
                tracing::warn!(%error, redis = %self.url, "Redis is lost: others hear later");
            } else if attempts == 0 {
                tracing::warn!(%error, redis = %self.url, "Redis cannot be reached");
            } else {
                tracing::debug!(%error, redis = %self.url, "Redis cannot be reached");
            }
            tokio::select! {
                () = tokio::time::sleep(backoff(attempts)) => {}
                () = ending.cancelled() => return,
            }
            attempts += 1;
        }
    }

    /// One life of the connections. `Ok` when the server ends.
    async fn live(&self, ending: &CancellationToken) -> Result<(), Lost> {
        let subscribed = Subscribed::default();
        let (speaking, sink, hearing) = tokio::select! {
            connected = self.connect(&subscribed) => connected?,
            () = ending.cancelled() => return Ok(()),
        };
        self.queue.open();
        tracing::info!(redis = %self.url, "Redis is there");
        // What was said while there was no way was not heard.
        self.hub.give_all(&Heard::Gap);
        let epoch = Instant::now();
        tokio::select! {
            lost = self.hear(hearing, &subscribed, epoch) => lost,
            lost = self.follow_changes(sink, &subscribed) => lost,
            lost = self.speak(speaking.clone(), epoch) => lost,
            () = ending.cancelled() => {
                // Whether it is still said or not, nothing depends on it.
                let _ = timeout(LAST_WORDS, self.speak_all(speaking)).await;
                Ok(())
            }
        }
    }

    /// Connects, and subscribes to everything that somebody listens to.
    async fn connect(
        &self,
        subscribed: &Subscribed,
    ) -> Result<(MultiplexedConnection, PubSubSink, PubSubStream), Lost> {
        let (speaking, mut sink, hearing) = timeout(CONNECT_MAX, self.open()).await??;
        timeout(ANSWER_MAX, sink.subscribe(self.channels.own(self.server))).await??;
        self.subscribe(&mut sink, subscribed, self.hub.addresses()).await?;
        Ok((speaking, sink, hearing))
    }

    async fn open(&self) -> Result<(MultiplexedConnection, PubSubSink, PubSubStream), RedisError> {
        let client = Client::open(self.url.secret())?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_MAX))
            .set_response_timeout(Some(ANSWER_MAX));
        let speaking = client.get_multiplexed_async_connection_with_config(&config).await?;
        let (sink, hearing) = client.get_async_pubsub().await?.split();
        Ok((speaking, sink, hearing))
    }

    async fn subscribe(
        &self,
        sink: &mut PubSubSink,
        subscribed: &Subscribed,
        addresses: Vec<Address>,
    ) -> Result<(), Lost> {
        for some in addresses.chunks(CHANNELS_MAX) {
            let names: Vec<String> = some.iter().map(|one| self.channels.name(one)).collect();
            lock(subscribed).extend(names.iter().cloned().zip(some.iter().cloned()));
            timeout(ANSWER_MAX, sink.subscribe(names)).await??;
        }
        Ok(())
    }

    /// Subscribes to what somebody begins to listen to, and lets go of what nobody does any more.
    async fn follow_changes(
        &self,
        mut sink: PubSubSink,
        subscribed: &Subscribed,
    ) -> Result<(), Lost> {
        loop {
            let changes = self.hub.changes().await;
            self.subscribe(&mut sink, subscribed, changes.heeded.clone()).await?;
            // What was said before Redis confirmed it was not heard.
            changes.heeded.iter().for_each(|address| self.hub.give(address, &Heard::Gap));
            for some in changes.left.chunks(CHANNELS_MAX) {
                let names: Vec<String> = some.iter().map(|one| self.channels.name(one)).collect();
                names.iter().for_each(|name| drop(lock(subscribed).remove(name)));
                timeout(ANSWER_MAX, sink.unsubscribe(names)).await??;
            }
        }
    }

    /// Gives what is heard to who listens, until this server does not hear itself any more.
    async fn hear(
        &self,
        mut hearing: PubSubStream,
        subscribed: &Subscribed,
        epoch: Instant,
    ) -> Result<(), Lost> {
        let own = self.channels.own(self.server);
        let mut heard_at = Instant::now();
        loop {
            let message =
                match tokio::time::timeout_at(heard_at + SILENCE_MAX, hearing.next()).await {
                    Ok(message) => message.ok_or(Lost::Closed)?,
                    Err(_) => return Err(Lost::Deaf),
                };
            let (channel, payload) = (message.get_channel_name(), message.get_payload_bytes());
            if channel == own {
                if let Ok((from, wire::Word::Beat(sent_us))) = wire::read(payload)
                    && from == self.server
                {
                    heard_at = Instant::now();
                    let sent = epoch + Duration::from_micros(sent_us);
                    let lag = heard_at.saturating_duration_since(sent);
                    self.metrics.redis_lag.observe(lag.as_secs_f64());
                }
                continue;
            }
            let address = lock(subscribed).get(channel).cloned();
            if let Some(address) = address {
                self.take_in(&address, payload);
            }
        }
    }

    fn take_in(&self, address: &Address, payload: &[u8]) {
        let read = match payload.len() {
            0..=MESSAGE_BYTES_MAX => wire::read(payload),
            _ => Err(wire::Unreadable::Malformed),
        };
        match read {
            Ok((from, _)) if from == self.server => {}
            Ok((from, wire::Word::News(news))) => {
                self.metrics.redis_received.inc();
                self.hub.give(address, &Heard::News { from, news: Arc::new(news) });
            }
            Ok((_, wire::Word::Gap)) => {
                self.metrics.redis_received.inc();
                self.hub.give(address, &Heard::Gap);
            }
            Ok((_, wire::Word::Beat(_))) => {}
            Err(error) => {
                self.metrics.redis_skipped.inc();
                tracing::debug!(%error, "a message from Redis is passed over");
            }
        }
    }

    /// Says what waits, everything at once, and now and then something to itself.
    async fn speak(&self, mut speaking: MultiplexedConnection, epoch: Instant) -> Result<(), Lost> {
        let mut beats = tokio::time::interval(BEAT);
        beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let is_beat = tokio::select! {
                _ = beats.tick() => true,
                () = self.queue.filled() => false,
            };
            let mut pipe = redis::pipe();
            if is_beat {
                let now_us = u64::try_from(epoch.elapsed().as_micros()).unwrap_or(u64::MAX);
                let beat = wire::beat(self.server, now_us);
                pipe.publish(self.channels.own(self.server), beat).ignore();
            }
            self.say(&mut speaking, pipe, self.queue.take_round()).await?;
        }
    }

    /// Says what waits, to the end.
    async fn speak_all(&self, mut speaking: MultiplexedConnection) -> Result<(), Lost> {
        while !self.queue.is_empty() {
            self.say(&mut speaking, redis::pipe(), self.queue.take_round()).await?;
        }
        Ok(())
    }

    async fn say(
        &self,
        speaking: &mut MultiplexedConnection,
        mut pipe: redis::Pipeline,
        round: Round,
    ) -> Result<(), Lost> {
        for to in &round.lost {
            pipe.publish(self.channels.name(to), wire::gap(self.server)).ignore();
        }
        for message in &round.messages {
            pipe.publish(&message.channel, &message.payload).ignore();
        }
        // Whoever gives this up does not know what was said; then it counts as lost.
        let unsaid = Unsaid { queue: &self.queue, round };
        timeout(ANSWER_MAX, pipe.query_async::<()>(speaking)).await??;
        self.metrics.redis_published.inc_by(unsaid.said());
        Ok(())
    }
}

/// What is being said. Dropped, it goes back as lost.
struct Unsaid<'a> {
    queue: &'a Queue,
    round: Round,
}

impl Unsaid<'_> {
    /// It was said: so many messages.
    fn said(mut self) -> u64 {
        let round = std::mem::take(&mut self.round);
        (round.lost.len() + round.messages.len()) as u64
    }
}

impl Drop for Unsaid<'_> {
    fn drop(&mut self) {
        if !self.round.is_empty() {
            self.queue.take_back(std::mem::take(&mut self.round));
        }
    }
}

fn lock(subscribed: &Subscribed) -> std::sync::MutexGuard<'_, HashMap<String, Address>> {
    subscribed.lock().unwrap_or_else(PoisonError::into_inner)
}
