//! Frames that wait for the socket, in order.

use std::collections::VecDeque;

use crate::document::Frame;

/// See the module.
///
/// Invariant: `bytes` is the size of all `frames`.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    frames: VecDeque<Frame>,
    bytes: usize,
}

impl Outbox {
    pub(super) fn push(&mut self, frame: impl Into<Frame>) {
        let frame = frame.into();
        self.bytes += frame.len_bytes();
        self.frames.push_back(frame);
    }

    pub(super) fn pop(&mut self) -> Option<Frame> {
        let frame = self.frames.pop_front()?;
        self.bytes -= frame.len_bytes();
        if self.frames.is_empty() {
            // Most connections have nothing to be sent most of the time.
            self.frames = VecDeque::new();
        }
        Some(frame)
    }

    pub(super) fn len(&self) -> usize {
        self.frames.len()
    }

    pub(super) fn len_bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    pub(super) fn into_frames(self) -> VecDeque<Frame> {
        self.frames
    }
}
