//! The rope of the browser: a list of short strings that knows its lengths.
//!
//! It does what `Text` asks of `jumprope`, under the same names, in a third of the code to
//! download. Finding a place walks the list: a thousand entries for a document of a megabyte,
//! microseconds beside what a browser does for one key. Lengths count Unicode scalar values;
//! "wchars" are UTF-16 code units.
//!
//! Invariant: no chunk is empty, each knows its own lengths, and the sums are the text's.

use std::ops::Range;

use crate::apply::byte_offset;

/// Where a chunk is cut. Small under test, so that every edge is crossed.
const CHUNK_BYTES: usize = if cfg!(test) { 12 } else { 1024 };

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Lengths {
    bytes: usize,
    chars: usize,
    wchars: usize,
}

impl Lengths {
    fn of(text: &str) -> Lengths {
        let (mut chars, mut wchars) = (0, 0);
        for byte in text.bytes() {
            chars += usize::from(begins_char(byte));
            wchars += width_utf16(byte);
        }
        Lengths { bytes: text.len(), chars, wchars }
    }

    fn add(&mut self, more: Lengths) {
        self.bytes += more.bytes;
        self.chars += more.chars;
        self.wchars += more.wchars;
    }

    fn take(&mut self, less: Lengths) {
        self.bytes -= less.bytes;
        self.chars -= less.chars;
        self.wchars -= less.wchars;
    }
}

/// Whether a byte is the first of its character.
fn begins_char(byte: u8) -> bool {
    byte & 0b1100_0000 != 0b1000_0000
}

/// Code units of the character that begins with the byte; 0 when none does.
fn width_utf16(byte: u8) -> usize {
    usize::from(begins_char(byte)) + usize::from(byte >= 0b1111_0000)
}

#[derive(Debug, Clone)]
struct Chunk {
    text: String,
    lengths: Lengths,
}

impl Chunk {
    fn new(text: &str) -> Chunk {
        Chunk { text: text.to_owned(), lengths: Lengths::of(text) }
    }

    /// Where the character at `offset` begins, in bytes.
    fn byte_at(&self, offset: usize) -> usize {
        if self.lengths.chars == self.lengths.bytes {
            return offset;
        }
        byte_offset(&self.text, offset)
    }
}

/// A text in chunks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chunks {
    chunks: Vec<Chunk>,
    lengths: Lengths,
}

impl Chunks {
    pub(crate) fn len_chars(&self) -> usize {
        self.lengths.chars
    }

    pub(crate) fn len_wchars(&self) -> usize {
        self.lengths.wchars
    }

    pub(crate) fn len_bytes(&self) -> usize {
        self.lengths.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Inserts `text` at a character offset, which must be within the text.
    pub(crate) fn insert(&mut self, offset: usize, text: &str) {
        let (index, inner) = self.find(offset);
        let mut place = index;
        let more = Lengths::of(text);
        self.lengths.add(more);
        if let Some(chunk) = self.chunks.get_mut(index) {
            let byte = chunk.byte_at(inner);
            if chunk.text.len() + text.len() <= 2 * CHUNK_BYTES {
                chunk.text.insert_str(byte, text);
                chunk.lengths.add(more);
                return;
            }
            place += usize::from(byte > 0);
            if 0 < byte && byte < chunk.text.len() {
                let tail = Chunk::new(&chunk.text[byte..]);
                chunk.text.truncate(byte);
                chunk.lengths.take(tail.lengths);
                self.chunks.insert(place, tail);
            }
        }
        self.insert_pieces(place, text);
    }

    /// Inserts a text in pieces of at most `CHUNK_BYTES`, cut between characters, before a chunk.
    fn insert_pieces(&mut self, place: usize, text: &str) {
        let (mut place, mut rest) = (place, text);
        while !rest.is_empty() {
            let mut cut = rest.len().min(CHUNK_BYTES);
            while !rest.is_char_boundary(cut) {
                cut -= 1;
            }
            let (piece, later) = rest.split_at(cut);
            self.chunks.insert(place, Chunk::new(piece));
            (place, rest) = (place + 1, later);
        }
    }

    /// Removes a range of characters, which must be within the text.
    pub(crate) fn remove(&mut self, range: Range<usize>) {
        let (first, mut from) = self.find(range.start);
        let (mut index, mut left) = (first, range.len());
        while left > 0
            && let Some(chunk) = self.chunks.get_mut(index)
        {
            let count = left.min(chunk.lengths.chars - from);
            let (start, end) = (chunk.byte_at(from), chunk.byte_at(from + count));
            let removed = Lengths::of(&chunk.text[start..end]);
            let behind = chunk.text.split_off(end);
            chunk.text.truncate(start);
            chunk.text.push_str(&behind);
            chunk.lengths.take(removed);
            self.lengths.take(removed);
            if chunk.lengths.bytes > 0 {
                index += 1;
            } else {
                self.chunks.remove(index);
            }
            left -= count;
            from = 0;
        }
        self.join(first + 1);
        self.join(first);
    }

    /// The parts of a range, in order; none is empty.
    pub(crate) fn slice_substrings(&self, range: Range<usize>) -> impl Iterator<Item = &str> {
        let mut end = 0;
        self.chunks.iter().filter_map(move |chunk| {
            let start = end;
            end += chunk.lengths.chars;
            let (from, to) = (range.start.max(start), range.end.min(end));
            (from < to).then(|| &chunk.text[chunk.byte_at(from - start)..chunk.byte_at(to - start)])
        })
    }

    pub(crate) fn substrings(&self) -> impl Iterator<Item = &str> {
        self.chunks.iter().map(|chunk| chunk.text.as_str())
    }

    pub(crate) fn chars_to_wchars(&self, offset: usize) -> usize {
        let (index, inner) = self.find(offset);
        let mut before = 0;
        for chunk in &self.chunks[..index] {
            before += chunk.lengths.wchars;
        }
        let Some(chunk) = self.chunks.get(index) else { return before };
        if chunk.lengths.wchars == chunk.lengths.chars {
            return before + inner;
        }
        before + Lengths::of(&chunk.text[..chunk.byte_at(inner)]).wchars
    }

    /// An offset inside a pair counts as the end of the character.
    pub(crate) fn wchars_to_chars(&self, offset_utf16: usize) -> usize {
        let (mut left, mut before) = (offset_utf16, 0);
        for chunk in &self.chunks {
            if left > chunk.lengths.wchars {
                left -= chunk.lengths.wchars;
                before += chunk.lengths.chars;
                continue;
            }
            for byte in chunk.text.bytes() {
                if left == 0 {
                    break;
                }
                left = left.saturating_sub(width_utf16(byte));
                before += usize::from(begins_char(byte));
            }
            break;
        }
        before
    }

    pub(crate) fn mem_size(&self) -> usize {
        let chunks = self.chunks.iter().map(|chunk| chunk.text.capacity()).sum::<usize>();
        size_of::<Chunks>() + self.chunks.capacity() * size_of::<Chunk>() + chunks
    }

    /// The chunk a character offset lies in or at the end of, and the offset within it.
    fn find(&self, offset: usize) -> (usize, usize) {
        let mut inner = offset;
        for (index, chunk) in self.chunks.iter().enumerate() {
            if inner <= chunk.lengths.chars {
                return (index, inner);
            }
            inner -= chunk.lengths.chars;
        }
        (self.chunks.len(), 0)
    }

    /// Joins the chunk at `index` with the one before it when both are short, so that deleting
    /// here and there does not leave a list of crumbs.
    fn join(&mut self, index: usize) {
        if index == 0 || index >= self.chunks.len() {
            return;
        }
        if self.chunks[index - 1].text.len() + self.chunks[index].text.len() <= CHUNK_BYTES {
            let chunk = self.chunks.remove(index);
            let before = &mut self.chunks[index - 1];
            before.text.push_str(&chunk.text);
            before.lengths.add(chunk.lengths);
        }
    }
}

impl From<&str> for Chunks {
    fn from(text: &str) -> Chunks {
        let mut chunks = Chunks { chunks: Vec::new(), lengths: Lengths::of(text) };
        chunks.insert_pieces(0, text);
        chunks
    }
}

impl PartialEq for Chunks {
    fn eq(&self, other: &Chunks) -> bool {
        let bytes = |text: &Chunks| text.lengths.bytes;
        bytes(self) == bytes(other)
            && self.substrings().flat_map(str::bytes).eq(other.substrings().flat_map(str::bytes))
    }
}

impl PartialEq<str> for Chunks {
    fn eq(&self, other: &str) -> bool {
        self.lengths.bytes == other.len()
            && self.substrings().flat_map(str::bytes).eq(other.bytes())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(rope: &Chunks, model: &str) {
        assert_eq!(rope.substrings().collect::<String>(), model);
        let again = Chunks::from(model);
        assert!(rope == model && *rope == again && rope.mem_size() >= model.len());
        let lengths = (rope.len_bytes(), rope.len_chars(), rope.len_wchars());
        assert_eq!(lengths, (model.len(), model.chars().count(), model.encode_utf16().count()));
        assert_eq!((rope.lengths, rope.is_empty()), (Lengths::of(model), model.is_empty()));
        for chunk in &rope.chunks {
            assert!(!chunk.text.is_empty() && chunk.text.len() <= 2 * CHUNK_BYTES);
            assert_eq!(chunk.lengths, Lengths::of(&chunk.text));
        }
        let mut wchars = 0;
        for (offset, character) in model.chars().chain(['.']).enumerate() {
            assert_eq!(rope.chars_to_wchars(offset), wchars);
            assert_eq!(rope.wchars_to_chars(wchars), offset);
            if offset < rope.len_chars() && character.len_utf16() == 2 {
                let inside = rope.wchars_to_chars(wchars + 1);
                assert_ne!(rope.chars_to_wchars(inside), wchars + 1, "the way back tells");
            }
            wchars += character.len_utf16();
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn chunks_are_the_text_they_were_made_of(
            start in "[aé😀\n]{0,40}",
            edits in prop::collection::vec((any::<u16>(), 0..30usize, "[bñ🚀]{0,40}"), 0..12),
            from in any::<u16>(),
            len in 0..50usize,
        ) {
            let (mut rope, mut model) = (Chunks::from(start.as_str()), start);
            check(&rope, &model);
            for (at, deleted, text) in edits {
                let characters: Vec<char> = model.chars().collect();
                let at = usize::from(at) % (characters.len() + 1);
                let end = characters.len().min(at + deleted);
                rope.remove(at..end);
                rope.insert(at, &text);
                let (head, tail) = (&characters[..at], &characters[end..]);
                model = head.iter().copied().chain(text.chars()).chain(tail.iter().copied()).collect();
                check(&rope, &model);
            }
            let from = usize::from(from) % (rope.len_chars() + 1);
            let parts: Vec<&str> = rope.slice_substrings(from..from + len).collect();
            prop_assert!(parts.iter().all(|part| !part.is_empty()));
            prop_assert_eq!(parts.concat(), model.chars().skip(from).take(len).collect::<String>());
        }
    }
}
