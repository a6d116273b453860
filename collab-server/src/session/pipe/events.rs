//! Numbered frames on their way down, kept until they are acknowledged: whoever comes back after a
//! cut stream gets what was on its way.

use std::collections::VecDeque;

use crate::document::Frame;

/// Bytes that may wait for their acknowledgement before nothing more is sent. One frame may be
/// longer, so that a large text passes; it shares that text with the document.
pub(super) const WINDOW_BYTES: usize = 64 * 1024;

/// See the module. The first event is number 1.
///
/// Invariant: `kept` are the events behind `acknowledged`, and `bytes` is their size.
#[derive(Debug, Default)]
pub(super) struct Events {
    kept: VecDeque<Frame>,
    acknowledged: u64,
    bytes: usize,
}

/// An acknowledgement of what was never sent, or a wish for what was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OutOfRange;

impl Events {
    pub(super) fn push(&mut self, frame: Frame) {
        self.bytes += frame.len_bytes();
        self.kept.push_back(frame);
    }

    /// Whether no further frame may be pushed.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= WINDOW_BYTES
    }

    /// The number of the latest event.
    pub(super) fn last(&self) -> u64 {
        self.acknowledged + self.kept.len() as u64
    }

    /// An event that is still kept.
    pub(super) fn get(&self, number: u64) -> Option<Frame> {
        let index = number.checked_sub(self.acknowledged + 1)?;
        self.kept.get(usize::try_from(index).ok()?).cloned()
    }

    /// Lets go of all events up to this one. An older acknowledgement that comes late changes
    /// nothing.
    pub(super) fn acknowledge(&mut self, through: u64) -> Result<(), OutOfRange> {
        if through > self.last() {
            return Err(OutOfRange);
        }
        while self.acknowledged < through {
            let frame = self.kept.pop_front().expect("events up to the last are kept");
            self.bytes -= frame.len_bytes();
            self.acknowledged += 1;
        }
        Ok(())
    }

    /// The same from one who goes on reading there.
    pub(super) fn resume(&mut self, after: u64) -> Result<(), OutOfRange> {
        if after < self.acknowledged { Err(OutOfRange) } else { self.acknowledge(after) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(count: usize) -> Events {
        let mut events = Events::default();
        for number in 1..=count {
            events.push(Frame::from(number.to_string()));
        }
        events
    }

    #[test]
    fn what_is_not_acknowledged_can_be_had_again() {
        let mut events = events(3);
        events.acknowledge(1).expect("it was sent");
        assert!(events.get(1).is_none());
        for _ in 0..2 {
            assert_eq!(events.get(2).map(Frame::into_string), Some("2".to_owned()));
        }
        assert!(events.get(4).is_none());
        assert_eq!(events.last(), 3);
    }

    #[test]
    fn what_was_never_sent_cannot_be_acknowledged_nor_what_was_be_had_again() {
        let mut events = events(2);
        assert_eq!(events.acknowledge(3), Err(OutOfRange));
        events.acknowledge(2).expect("it was sent");
        assert_eq!(events.acknowledge(1), Ok(()), "it comes late");
        assert_eq!(events.resume(1), Err(OutOfRange));
        assert_eq!(events.resume(2), Ok(()));
    }

    #[test]
    fn a_full_window_opens_by_acknowledgement_alone() {
        let mut events = Events::default();
        events.push(Frame::from("x".repeat(WINDOW_BYTES - 1)));
        assert!(!events.is_full());
        events.push(Frame::from("x".to_owned()));
        assert!(events.is_full());
        let _ = events.get(1);
        assert!(events.is_full());
        events.acknowledge(1).expect("it was sent");
        assert!(!events.is_full());
    }
}
