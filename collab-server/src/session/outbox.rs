//! Frames that wait for the socket, in order.

use std::collections::VecDeque;

use crate::document::Frame;

/// See the module.
///
/// Invariant: `bytes` is the size of all frames; where there is no `next`, there is no other.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// Mostly there is one, which needs no room of its own.
    next: Option<Frame>,
    others: VecDeque<Frame>,
    bytes: usize,
}

impl Outbox {
    pub(super) fn push(&mut self, frame: impl Into<Frame>) {
        let frame = frame.into();
        self.bytes += frame.len_bytes();
        match self.next {
            None => self.next = Some(frame),
            Some(_) => self.others.push_back(frame),
        }
    }

    pub(super) fn pop(&mut self) -> Option<Frame> {
        let frame = self.next.take()?;
        self.bytes -= frame.len_bytes();
        self.next = self.others.pop_front();
        if self.others.is_empty() {
            // Most connections have nothing to be sent most of the time.
            self.others = VecDeque::new();
        }
        Some(frame)
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.next.is_some()) + self.others.len()
    }

    pub(super) fn len_bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.next.is_none()
    }

    pub(super) fn into_frames(self) -> impl Iterator<Item = Frame> {
        self.next.into_iter().chain(self.others)
    }
}
