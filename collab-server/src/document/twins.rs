//! The latest frames of operations, each kept for all readers that lack the very same.
//!
//! Most of a crowd stands where everybody stands, and is owed the same bytes: they are put together
//! for the first of them, and the others take a reference.

use std::collections::VecDeque;
use std::fmt;

use collab_protocol::{AuthorNumber, ChannelId};
use ot_core::Revision;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Frames kept: of readers in step, and of a few who are a commit behind or call the document by
/// another number.
const FRAMES_MAX: usize = 4;

/// All that a frame's text depends on, beside the log, for a reader who has no operation of its own
/// in it and knows its authors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lack {
    pub(super) channel: ChannelId,
    pub(super) from: Revision,
    /// Where the reader's stream ends for now.
    pub(super) head: Revision,
    /// Whether the reader lacks the hash of the text at `from`.
    pub(super) unchecked: bool,
    pub(super) budget_bytes: usize,
}

/// A frame, and where it leads.
#[derive(Clone, Debug)]
pub(super) struct Twin {
    pub(super) frame: Utf8Bytes,
    pub(super) to: Revision,
    /// The last revision whose hash it has, if it has any.
    pub(super) checked: Option<Revision>,
    /// The highest number among its authors.
    pub(super) by_max: AuthorNumber,
}

/// See the module.
///
/// Invariant: at most [`FRAMES_MAX`] frames, of which none holds anything beyond the ring's head or
/// lacks a hash of before it.
#[derive(Clone, Default)]
pub(super) struct Twins(VecDeque<(Lack, Twin)>);

impl fmt::Debug for Twins {
    /// Not which frames: nothing that happens depends on them, and worlds that differ by them alone
    /// are one to the simulation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Twins")
    }
}

impl Twins {
    /// The frame that was put together for another reader who lacked the same.
    pub(super) fn find(&self, lack: &Lack) -> Option<&Twin> {
        self.0.iter().find(|(of, _)| of == lack).map(|(_, twin)| twin)
    }

    /// Keeps a frame; the oldest makes room.
    pub(super) fn keep(&mut self, lack: Lack, twin: Twin) {
        if self.0.len() == FRAMES_MAX {
            self.0.pop_front();
        }
        self.0.push_back((lack, twin));
    }

    /// A hash was taken that frames from now on have.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lack(from: u64) -> Lack {
        let (from, head) = (Revision::new(from), Revision::new(9));
        Lack { channel: ChannelId(1), from, head, unchecked: false, budget_bytes: 100 }
    }

    fn twin(text: &'static str) -> Twin {
        let (frame, to) = (Utf8Bytes::from_static(text), Revision::new(9));
        Twin { frame, to, checked: None, by_max: AuthorNumber(1) }
    }

    #[test]
    fn a_frame_is_found_for_the_very_same_lack_and_the_oldest_makes_room() {
        let mut twins = Twins::default();
        for (from, text) in (1..).zip(["one", "two", "three", "four", "five"]) {
            twins.keep(lack(from), twin(text));
        }
        assert!(twins.find(&lack(1)).is_none());
        assert_eq!(twins.find(&lack(2)).map(|twin| twin.frame.as_str()), Some("two"));
        for other in [
            Lack { channel: ChannelId(2), ..lack(5) },
            Lack { head: Revision::new(8), ..lack(5) },
            Lack { unchecked: true, ..lack(5) },
            Lack { budget_bytes: 99, ..lack(5) },
        ] {
            assert!(twins.find(&other).is_none(), "{other:?}");
        }
        twins.clear();
        assert!(twins.find(&lack(5)).is_none());
    }
}
