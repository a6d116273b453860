//! Events that wait for one session.
//!
//! A reader that does not keep up loses the oldest, and is told how many.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use collab_protocol::{Missed, ServerMessage};
use tokio::sync::Notify;

use super::RoomName;
use crate::document::Frame;

/// Events that may wait for one session.
const LEN_MAX: usize = 256;

/// And their size, in bytes.
const BYTES_MAX: usize = 256 << 10;

/// What waits for one session.
///
/// Invariant: at most [`LEN_MAX`] frames of at most [`BYTES_MAX`] bytes in all, or a single one;
/// `bytes` is their size.
#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<(RoomName, Bytes)>,
    bytes: usize,
    /// How many were dropped since the last time it was told, by room.
    missed: BTreeMap<RoomName, u64>,
}

impl Queue {
    /// Adds a frame; how many had to go for it.
    fn push(&mut self, room: RoomName, frame: Bytes) -> u64 {
        let mut dropped = 0;
        let is_full =
            |queue: &Queue| queue.frames.len() >= LEN_MAX || queue.bytes + frame.len() > BYTES_MAX;
        while is_full(self) {
            let Some((room, oldest)) = self.frames.pop_front() else { break };
            self.bytes -= oldest.len();
            *self.missed.entry(room).or_default() += 1;
            dropped += 1;
        }
        self.bytes += frame.len();
        self.frames.push_back((room, frame));
        dropped
    }

    /// Takes what was missed, and about `budget_bytes` of what waits.
    fn take(&mut self, budget_bytes: usize) -> Vec<Frame> {
        let missed = std::mem::take(&mut self.missed).into_iter();
        let missed = missed.map(|(room, events)| {
            let (room, topic) = (room.kind(), room.topic());
            ServerMessage::Missed(Missed { room, topic, events })
        });
        let mut taken: Vec<Frame> = missed.map(|missed| missed.to_json().into()).collect();
        let mut left = budget_bytes;
        while left > 0
            && let Some((_, frame)) = self.frames.pop_front()
        {
            self.bytes -= frame.len();
            left = left.saturating_sub(frame.len());
            taken.push(frame.into());
        }
        taken
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Inbox {
    queue: Mutex<Queue>,
    /// Whether something waits; to be seen without a lock, as nothing does at most times.
    is_filled: AtomicBool,
    /// Notified when there is something to take.
    wake: Arc<Notify>,
}

impl Inbox {
    pub(super) fn new(wake: Arc<Notify>) -> Self {
        Inbox { queue: Mutex::default(), is_filled: AtomicBool::new(false), wake }
    }

    /// Adds an event; how many had to go for it.
    pub(super) fn push(&self, room: &RoomName, frame: &Bytes) -> u64 {
        let mut queue = self.queue();
        let dropped = queue.push(room.clone(), frame.clone());
        self.is_filled.store(true, Ordering::Release);
        drop(queue);
        self.wake.notify_one();
        dropped
    }

    pub(super) fn take(&self, budget_bytes: usize) -> Vec<Frame> {
        if !self.is_filled.load(Ordering::Acquire) {
            return Vec::new();
        }
        let mut queue = self.queue();
        let taken = queue.take(budget_bytes);
        self.is_filled.store(!queue.frames.is_empty(), Ordering::Release);
        taken
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Each change under the lock is one step, so a panic leaves nothing half done.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(queue: &mut Queue, budget_bytes: usize) -> Vec<String> {
        queue.take(budget_bytes).into_iter().map(Frame::into_string).collect()
    }

    fn topic(name: &str) -> RoomName {
        RoomName::Topic(name.parse().expect("a name"))
    }

    #[test]
    fn who_takes_nothing_loses_the_oldest_and_is_told_how_many() {
        let mut queue = Queue::default();
        assert_eq!(queue.push(RoomName::User, "first".into()), 0);
        for number in 0..LEN_MAX {
            queue.push(topic("a"), number.to_string().into());
        }
        assert_eq!(queue.push(topic("b"), "last".into()), 1);
        let taken = texts(&mut queue, usize::MAX);
        assert_eq!(taken[0], r#"{"type":"missed","room":"user","events":1}"#);
        assert_eq!(taken[1], r#"{"type":"missed","room":"topic","topic":"a","events":1}"#);
        assert_eq!((taken[2].as_str(), taken.last().map(String::as_str)), ("1", Some("last")));
        assert_eq!(taken.len(), 2 + LEN_MAX);
        assert!(texts(&mut queue, usize::MAX).is_empty(), "it is told once");
    }

    #[test]
    fn what_waits_has_a_size() {
        let mut queue = Queue::default();
        let large = Bytes::from(vec![b'x'; BYTES_MAX / 2]);
        for _ in 0..3 {
            queue.push(RoomName::Tenant, large.clone());
        }
        assert_eq!((queue.frames.len(), queue.bytes), (2, BYTES_MAX / 2 * 2));
        queue.push(RoomName::Tenant, Bytes::from(vec![b'x'; 2 * BYTES_MAX]));
        assert_eq!(queue.frames.len(), 1, "one stays, however large");
    }

    #[test]
    fn a_budget_ends_behind_the_frame_that_exceeds_it() {
        let mut queue = Queue::default();
        for _ in 0..3 {
            queue.push(RoomName::Tenant, "0123456789".into());
        }
        assert_eq!(texts(&mut queue, 11).len(), 2);
        assert_eq!((queue.frames.len(), queue.bytes), (1, 10));
    }
}
