//! A rope that writes a run of typing at once.
//!
//! Whoever types edits the same place again and again. What is typed and taken back there is gathered
//! in one plain string, the *window*, and reaches the rope when an edit falls elsewhere: one search
//! in the rope for a word instead of one for each letter. Every question is answered as if the window
//! were written already, so nobody needs to write it in order to read, and a text can be shared
//! between threads.
//!
//! ```text
//! rope    Many peop|le |write       window: at 9, 3 deleted, "as" inserted
//! text    Many peop|as|write
//! ```
//!
//! Lengths count Unicode scalar values; "wchars" are UTF-16 code units.

use std::ops::Range;

use jumprope::JumpRope;

use crate::apply::byte_offset;
use crate::operation::count_chars;

/// Where a window is written though the typing goes on: it is a plain string, and reading looks through
/// it. Small under test, so that every edge is crossed.
const WINDOW_CHARS: usize = if cfg!(test) { 6 } else { 256 };

/// A rope, and the edit that it does not have yet.
///
/// Invariant: `at + deleted` is at most the rope's length, `chars` counts `inserted`, and both `deleted`
/// and `chars` are at most [`WINDOW_CHARS`]. Before anything goes past the window to the rope, and may
/// make it shorter than where the window lay, that is written and lies at 0, which is in every text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buffered {
    rope: JumpRope,
    /// Where the window lies in the rope.
    at: usize,
    /// Characters of the rope behind `at` that are no more.
    deleted: usize,
    inserted: String,
    chars: usize,
}

impl Buffered {
    #[inline]
    pub(crate) fn len_chars(&self) -> usize {
        self.rope.len_chars() - self.deleted + self.chars
    }

    pub(crate) fn len_wchars(&self) -> usize {
        self.rope.len_wchars() - self.deleted_wchars() + wchars(&self.inserted)
    }

    pub(crate) fn len_bytes(&self) -> usize {
        let deleted = self.rope.slice_substrings(self.at..self.at + self.deleted);
        self.rope.len_bytes() - deleted.map(str::len).sum::<usize>() + self.inserted.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len_chars() == 0
    }

    /// Inserts `text` at a character offset within the text.
    #[inline]
    pub(crate) fn insert(&mut self, offset: usize, text: &str) {
        let chars = count_chars(text);
        if chars > WINDOW_CHARS || self.chars + chars > WINDOW_CHARS || !self.touches(offset) {
            self.write();
            if chars > WINDOW_CHARS {
                self.rope.insert(offset, text);
                return;
            }
            self.at = offset;
        }
        if offset == self.at + self.chars {
            self.inserted.push_str(text);
        } else {
            let byte = self.byte_at(offset - self.at);
            self.inserted.insert_str(byte, text);
        }
        self.chars += chars;
    }

    /// Removes a range of characters within the text.
    #[inline]
    pub(crate) fn remove(&mut self, range: Range<usize>) {
        let joins = range.start <= self.at + self.chars && range.end >= self.at;
        // What of the range lies in front of the window's own text, in it, and behind it.
        let before = self.at.saturating_sub(range.start);
        let behind = range.end.saturating_sub(self.at + self.chars);
        if !joins || self.deleted + before + behind > WINDOW_CHARS {
            self.write();
            if range.len() > WINDOW_CHARS {
                self.rope.remove(range);
            } else {
                (self.at, self.deleted) = (range.start, range.len());
            }
            return;
        }
        let from = range.start.max(self.at) - self.at;
        let to = range.end.min(self.at + self.chars) - self.at;
        if from < to {
            let first = self.byte_at(from);
            if to == self.chars {
                self.inserted.truncate(first);
            } else {
                let last = self.byte_at(to);
                self.inserted.drain(first..last);
            }
            self.chars -= to - from;
        }
        self.at -= before;
        self.deleted += before + behind;
    }

    pub(crate) fn slice_substrings(&self, range: Range<usize>) -> impl Iterator<Item = &str> {
        let end = self.at + self.chars;
        let within = |from: usize, to: usize| from.min(to)..to;
        let front = within(range.start, range.end.min(self.at));
        let inner = within(range.start.max(self.at), range.end.min(end));
        let back = within(range.start.max(end), range.end);
        // The same places in the window's string, and in the rope behind what is deleted.
        let inner = if inner.is_empty() {
            ""
        } else {
            &self.inserted[self.byte_at(inner.start - self.at)..self.byte_at(inner.end - self.at)]
        };
        let back = if back.is_empty() {
            0..0
        } else {
            let shift = |place: usize| place - self.chars + self.deleted;
            shift(back.start)..shift(back.end)
        };
        let pieces = self.rope.slice_substrings(front).chain([inner]);
        pieces.chain(self.rope.slice_substrings(back)).filter(|piece| !piece.is_empty())
    }

    pub(crate) fn substrings(&self) -> impl Iterator<Item = &str> {
        self.slice_substrings(0..self.len_chars())
    }

    pub(crate) fn chars_to_wchars(&self, offset: usize) -> usize {
        if offset <= self.at {
            return self.rope.chars_to_wchars(offset);
        }
        let inner = offset - self.at;
        if inner <= self.chars {
            let in_front = &self.inserted[..self.byte_at(inner)];
            return self.rope.chars_to_wchars(self.at) + wchars(in_front);
        }
        let in_rope = self.rope.chars_to_wchars(offset - self.chars + self.deleted);
        in_rope - self.deleted_wchars() + wchars(&self.inserted)
    }

    /// The character that the code unit belongs to; in a pair, one side of it.
    pub(crate) fn wchars_to_chars(&self, offset_utf16: usize) -> usize {
        let start = self.rope.chars_to_wchars(self.at);
        if offset_utf16 <= start {
            return self.rope.wchars_to_chars(offset_utf16);
        }
        let window = wchars(&self.inserted);
        if offset_utf16 <= start + window {
            let mut left = offset_utf16 - start;
            let fits = |character: &char| {
                let has_room = character.len_utf16() <= left;
                left = left.saturating_sub(character.len_utf16());
                has_room
            };
            return self.at + self.inserted.chars().take_while(fits).count();
        }
        let in_rope = offset_utf16 - window + self.deleted_wchars();
        self.rope.wchars_to_chars(in_rope) - self.deleted + self.chars
    }

    pub(crate) fn mem_size(&self) -> usize {
        self.rope.mem_size() + size_of::<Self>() - size_of::<JumpRope>() + self.inserted.capacity()
    }

    /// Whether an insert there can be part of the window; any can where there is none.
    #[inline]
    fn touches(&self, offset: usize) -> bool {
        self.at <= offset && offset <= self.at + self.chars
    }

    /// Where the window's character at `offset` begins, in bytes of its string.
    #[inline]
    fn byte_at(&self, offset: usize) -> usize {
        if self.chars == self.inserted.len() {
            return offset;
        }
        byte_offset(&self.inserted, offset)
    }

    fn deleted_wchars(&self) -> usize {
        match self.deleted {
            0 => 0,
            deleted => {
                let end = self.rope.chars_to_wchars(self.at + deleted);
                end - self.rope.chars_to_wchars(self.at)
            }
        }
    }

    /// Brings the rope up to date.
    fn write(&mut self) {
        if self.deleted > 0 {
            self.rope.remove(self.at..self.at + self.deleted);
            self.deleted = 0;
        }
        if self.chars > 0 {
            self.rope.insert(self.at, &self.inserted);
            self.inserted.clear();
            self.chars = 0;
        }
        self.at = 0;
    }
}

fn wchars(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

impl From<&str> for Buffered {
    fn from(text: &str) -> Buffered {
        Buffered { rope: JumpRope::from(text), ..Buffered::default() }
    }
}

impl PartialEq for Buffered {
    fn eq(&self, other: &Buffered) -> bool {
        if self.len_chars() != other.len_chars() {
            return false;
        }
        let bytes = |text: &Buffered| text.substrings().collect::<String>();
        bytes(self) == bytes(other)
    }
}

impl PartialEq<str> for Buffered {
    fn eq(&self, other: &str) -> bool {
        let mut rest = other;
        let is_next = |piece: &str| match rest.strip_prefix(piece) {
            Some(behind) => {
                rest = behind;
                true
            }
            None => false,
        };
        self.substrings().all(is_next) && rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(rope: &Buffered, model: &str) {
        assert_eq!(rope.substrings().collect::<String>(), model);
        let again = Buffered::from(model);
        assert!(rope.substrings().all(|piece| !piece.is_empty()));
        assert!(*rope == *model && *rope == again && rope.mem_size() >= model.len());
        let lengths = (rope.len_bytes(), rope.len_chars(), rope.len_wchars());
        assert_eq!(lengths, (model.len(), model.chars().count(), model.encode_utf16().count()));
        assert_eq!(rope.is_empty(), model.is_empty());
        assert!(rope.deleted <= WINDOW_CHARS && rope.chars <= WINDOW_CHARS);
        assert_eq!(rope.chars, rope.inserted.chars().count());
        let mut offset_utf16 = 0;
        for (offset, character) in model.chars().chain(['.']).enumerate() {
            assert_eq!(rope.chars_to_wchars(offset), offset_utf16);
            assert_eq!(rope.wchars_to_chars(offset_utf16), offset);
            offset_utf16 += character.len_utf16();
        }
    }

    /// Text of more characters than a window takes, in one removal or insertion.
    const LARGE: usize = WINDOW_CHARS + 1;

    #[test]
    fn what_is_typed_at_the_end_may_be_removed_with_all_before_it() {
        let long = "a".repeat(LARGE);
        for typed in ["", "é", &long] {
            let mut rope = Buffered::from(long.as_str());
            rope.insert(LARGE, typed);
            rope.remove(0..rope.len_chars());
            check(&rope, "");
            rope.insert(0, "🦀");
            check(&rope, "🦀");
        }
    }

    proptest! {
        /// Edits close to one another and far apart, of which some join and some do not.
        #[test]
        fn what_waits_in_the_window_is_read_as_if_written(
            start in "[a-zé🦀]{0,20}",
            edits in prop::collection::vec(
                (any::<prop::sample::Index>(), 0..3isize, 0..9usize, "[xß😀]{0,3}|[yß]{7,9}"),
                0..24,
            ),
        ) {
            let (mut rope, mut model) = (Buffered::from(start.as_str()), start);
            check(&rope, &model);
            let mut last = 0isize;
            for (place, near, deleted, text) in edits {
                let characters: Vec<char> = model.chars().collect();
                // Two in three fall at the last edit or beside it.
                let far = place.index(characters.len() + 1) as isize;
                let at = if near == 2 { far } else { last - near };
                let at = at.clamp(0, characters.len() as isize) as usize;
                let end = (at + deleted / 3 * deleted).min(characters.len());
                let chars = text.chars().count();
                let (head, tail) = (&characters[..at], &characters[end..]);
                if end > at {
                    rope.remove(at..end);
                    check(&rope, &[head, tail].concat().iter().collect::<String>());
                }
                if chars > 0 {
                    rope.insert(at, &text);
                }
                model = head.iter().copied().chain(text.chars()).chain(tail.iter().copied()).collect();
                check(&rope, &model);
                last = (at + chars) as isize;
                let (from, len) = (place.index(model.chars().count() + 1), deleted);
                let to = (from + len).min(model.chars().count());
                let found: String = rope.slice_substrings(from..to).collect();
                prop_assert_eq!(found, model.chars().skip(from).take(to - from).collect::<String>());
            }
        }
    }
}
