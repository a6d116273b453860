//! A text with a gap at the caret: what is typed fills the gap, and a caret that goes elsewhere takes it along.

use crate::small::Chars;

/// Bytes of a text in front of the gap and behind it, in UTF-8. Moves and cuts are given in characters of a
/// stretch whose bytes are known, so that nothing is counted where each character is one byte.
///
/// Invariant: the first `front` bytes and the last `back` bytes are each UTF-8, cut between characters.
#[derive(Debug, Default)]
pub(super) struct Gap {
    bytes: Vec<u8>,
    front: usize,
    back: usize,
}

/// A stretch of text beside the gap.
#[derive(Clone, Copy)]
pub(super) struct Stretch {
    pub(super) chars: usize,
    pub(super) bytes: usize,
}

impl Gap {
    pub(super) fn len(&self) -> usize {
        self.front + self.back
    }

    /// Puts `text` in front of the gap.
    #[inline]
    pub(super) fn push(&mut self, text: &str) {
        let (text, front) = (text.as_bytes(), self.front);
        if self.bytes.len() - self.len() < text.len() {
            self.widen(text.len());
        }
        self.front += text.len();
        match *text {
            [byte] => self.bytes[front] = byte,
            _ => self.bytes[front..front + text.len()].copy_from_slice(text),
        }
    }

    #[cold]
    fn widen(&mut self, room: usize) {
        let back = self.bytes.len() - self.back;
        let len = (2 * self.len() + room).max(64);
        let old = self.bytes.len();
        self.bytes.resize(len, 0);
        self.bytes.copy_within(back..old, len - self.back);
    }

    /// Bytes of the last `chars` characters of the `stretch` that ends at the gap.
    #[inline]
    pub(super) fn bytes_before(&self, stretch: Stretch, chars: usize) -> usize {
        if stretch.bytes == 0 || stretch.chars == stretch.bytes {
            return chars.min(stretch.bytes);
        }
        bytes_of_last(&self.bytes[self.front - stretch.bytes..self.front], chars)
    }

    /// Bytes of the first `chars` characters of the `stretch` that begins at the gap.
    #[inline]
    pub(super) fn bytes_behind(&self, stretch: Stretch, chars: usize) -> usize {
        if stretch.bytes == 0 || stretch.chars == stretch.bytes {
            return chars.min(stretch.bytes);
        }
        let begin = self.bytes.len() - self.back;
        bytes_of_first(&self.bytes[begin..begin + stretch.bytes], chars)
    }

    /// Drops the last `bytes` in front of the gap.
    #[inline]
    pub(super) fn drop_before(&mut self, bytes: usize) {
        self.front -= bytes;
    }

    /// Drops the first `bytes` behind it.
    #[inline]
    pub(super) fn drop_behind(&mut self, bytes: usize) {
        self.back -= bytes;
    }

    /// Takes the gap `bytes` to the front.
    pub(super) fn move_before(&mut self, bytes: usize) {
        let back = self.bytes.len() - self.back;
        self.bytes.copy_within(self.front - bytes..self.front, back - bytes);
        (self.front, self.back) = (self.front - bytes, self.back + bytes);
    }

    /// Takes it `bytes` to the back.
    pub(super) fn move_behind(&mut self, bytes: usize) {
        let back = self.bytes.len() - self.back;
        self.bytes.copy_within(back..back + bytes, self.front);
        (self.front, self.back) = (self.front + bytes, self.back - bytes);
    }

    /// The text without the gap.
    pub(super) fn finish(mut self) -> Chars {
        self.move_behind(self.back);
        self.bytes.truncate(self.front);
        String::from_utf8(self.bytes).expect("texts, cut between characters").into()
    }
}

/// Bytes of the first `chars` characters, at most all of it.
fn bytes_of_first(bytes: &[u8], chars: usize) -> usize {
    let mut begins = bytes.iter().enumerate().filter(|(_, byte)| !is_continuation(**byte));
    begins.nth(chars).map_or(bytes.len(), |(at, _)| at)
}

/// Bytes of the last `chars` characters, at least one and at most all of it.
fn bytes_of_last(bytes: &[u8], chars: usize) -> usize {
    let mut begins = bytes.iter().enumerate().rev().filter(|(_, byte)| !is_continuation(**byte));
    begins.nth(chars - 1).map_or(bytes.len(), |(at, _)| bytes.len() - at)
}

fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}
