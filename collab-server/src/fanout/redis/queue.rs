//! What is to be said, until Redis has taken it.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::fanout::{Address, Way};
use crate::metrics::Metrics;

/// Messages that wait; one more is lost.
const MESSAGES_MAX: usize = 4_096;

/// What those may weigh.
const BYTES_MAX: usize = 8 << 20;

/// Addresses remembered to which something was not said. Beyond that who listens there finds it by
/// looking at the log now and then.
const LOST_MAX: usize = 16_384;

/// Messages handed to Redis in one go.
const ROUND_MAX: usize = 256;

/// Something to be said.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) to: Address,
    pub(super) channel: String,
    pub(super) payload: Vec<u8>,
}

/// What goes to Redis in one go.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// To whom is to be said that something was lost.
    pub(super) lost: Vec<Address>,
    pub(super) messages: Vec<Message>,
}

impl Round {
    pub(super) fn is_empty(&self) -> bool {
        self.lost.is_empty() && self.messages.is_empty()
    }
}

/// See the module. It never waits for anybody: what finds no place is dropped, counted and, by its
/// address, remembered.
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    filled: Notify,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct Waiting {
    /// Whether there is a way to Redis.
    is_open: bool,
    /// How often there has been one.
    times_opened: u64,
    messages: VecDeque<Message>,
    bytes: usize,
    lost: HashSet<Address>,
}

impl Waiting {
    fn lose(&mut self, to: Address) {
        if self.lost.len() < LOST_MAX {
            self.lost.insert(to);
        }
    }
}

impl Queue {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Queue { waiting: Mutex::default(), filled: Notify::new(), metrics }
    }

    pub(super) fn is_open(&self) -> bool {
        self.waiting().is_open
    }

    pub(super) fn way(&self) -> Way {
        let waiting = self.waiting();
        match waiting.is_open {
            true => Way::Open { times: waiting.times_opened },
            false => Way::Lost,
        }
    }

    pub(super) fn put(&self, message: Message) {
        let mut waiting = self.waiting();
        let bytes = waiting.bytes + message.payload.len();
        if !waiting.is_open || bytes > BYTES_MAX || waiting.messages.len() >= MESSAGES_MAX {
            drop(waiting);
            return self.lose(message.to);
        }
        waiting.bytes = bytes;
        waiting.messages.push_back(message);
        drop(waiting);
        self.filled.notify_one();
    }

    /// Something is not said.
    pub(super) fn lose(&self, to: Address) {
        self.metrics.redis_dropped.inc();
        self.waiting().lose(to);
    }

    /// There is a way to Redis.
    pub(super) fn open(&self) {
        let mut waiting = self.waiting();
        waiting.is_open = true;
        waiting.times_opened += 1;
        drop(waiting);
        self.metrics.redis_connected.set(1);
        self.filled.notify_one();
    }

    /// There is none any more. What waits is lost.
    pub(super) fn close(&self) {
        let mut waiting = self.waiting();
        waiting.is_open = false;
        waiting.bytes = 0;
        let messages = std::mem::take(&mut waiting.messages);
        self.metrics.redis_connected.set(0);
        self.metrics.redis_dropped.inc_by(messages.len() as u64);
        messages.into_iter().for_each(|message| waiting.lose(message.to));
    }

    /// Nobody knows whether Redis has taken these.
    pub(super) fn take_back(&self, round: Round) {
        self.metrics.redis_dropped.inc_by(round.messages.len() as u64);
        let mut waiting = self.waiting();
        round.lost.into_iter().for_each(|to| waiting.lose(to));
        round.messages.into_iter().for_each(|message| waiting.lose(message.to));
    }

    /// Waits until there is something to say. Dropped before it returns, it has taken nothing.
    pub(super) async fn filled(&self) {
        loop {
            let filled = self.filled.notified();
            if !self.is_empty() {
                return;
            }
            filled.await;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        let waiting = self.waiting();
        waiting.messages.is_empty() && waiting.lost.is_empty()
    }

    /// The oldest that waits.
    pub(super) fn take_round(&self) -> Round {
        let mut waiting = self.waiting();
        let lost: Vec<Address> = waiting.lost.iter().take(ROUND_MAX).cloned().collect();
        lost.iter().for_each(|to| {
            waiting.lost.remove(to);
        });
        let count = waiting.messages.len().min(ROUND_MAX - lost.len());
        let messages: Vec<Message> = waiting.messages.drain(..count).collect();
        waiting.bytes -= messages.iter().map(|message| message.payload.len()).sum::<usize>();
        Round { lost, messages }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Each change under the lock is one step, so a panic leaves nothing half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use collab_protocol::DocumentId;

    fn message(number: u128, bytes: usize) -> Message {
        let to = Address::Document(DocumentId::new(number));
        Message { to, channel: number.to_string(), payload: vec![0; bytes] }
    }

    fn queue() -> Queue {
        Queue::new(Metrics::new())
    }

    #[test]
    fn what_finds_no_way_or_no_place_is_remembered_by_its_address_and_counted() {
        let queue = queue();
        queue.put(message(1, 1));
        queue.open();
        for _ in 0..=MESSAGES_MAX {
            queue.put(message(2, 1));
        }
        assert_eq!(queue.metrics.redis_dropped.get(), 2);
        let round = queue.take_round();
        assert_eq!((round.lost.len(), round.messages.len()), (2, ROUND_MAX - 2));
    }

    #[test]
    fn it_never_weighs_more_than_it_may() {
        let queue = queue();
        queue.open();
        for _ in 0..100 {
            queue.put(message(1, BYTES_MAX / 4));
        }
        assert_eq!(queue.take_round().messages.len(), 4);
        queue.put(message(1, BYTES_MAX / 4));
        assert_eq!(queue.take_round().messages.len(), 1, "what is taken makes room");
    }

    #[test]
    fn what_waits_when_the_way_is_lost_is_said_later_as_a_gap() {
        let queue = queue();
        queue.open();
        queue.put(message(1, 1));
        queue.put(message(1, 1));
        queue.put(message(2, 1));
        let taken = Round { messages: vec![message(3, 1)], ..Round::default() };
        queue.close();
        queue.take_back(taken);
        queue.open();
        let round = queue.take_round();
        assert_eq!((round.lost.len(), round.messages.len()), (3, 0));
        assert!(queue.is_empty());
    }

    #[test]
    fn no_more_addresses_are_remembered_than_there_are_places() {
        let queue = queue();
        for number in 0..LOST_MAX + 100 {
            queue.put(message(number as u128, 1));
        }
        assert_eq!(queue.waiting().lost.len(), LOST_MAX);
    }
}
