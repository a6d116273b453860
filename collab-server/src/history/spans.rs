//! Which revision wrote each character of a text.
//!
//! A list of spans in chunks, with a finger on the chunk that was edited last: people edit where
//! they edited before, so that an operation costs the few spans around it, and at worst a walk over
//! the chunks. What is typed on, character by character, is one span, since each of its characters
//! has the revision behind that of the character before.
//!
//! Units: offsets and lengths count Unicode scalar values.

use ot_core::{Component, Operation, Revision};

/// Spans of one chunk before it is halved.
const CHUNK_SPANS_MAX: usize = if cfg!(test) { 4 } else { 128 };

/// Neighbouring characters whose revisions are equal, or ascend by one from each to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) len: u32,
    /// 0 when all have the revision of the first, 1 when they ascend.
    pub(super) step: u32,
    /// The revision of the first character.
    pub(super) first: u64,
}

impl Span {
    /// The characters behind the first `len`.
    fn behind(self, len: u32) -> Span {
        Span {
            len: self.len - len,
            step: self.step,
            first: self.first + u64::from(self.step * len),
        }
    }

    /// Takes in `next`, which follows, if one span can say both.
    fn extend(&mut self, next: Span) -> bool {
        let (step, len) = (self.step, self.len);
        let ascends = |by: u32| self.first + u64::from(by * len) == next.first;
        let fits = match (len, next.len) {
            (1, 1) if self.first == next.first => Some(0),
            (1, 1) if ascends(1) => Some(1),
            (1, _) if next.step == 0 && self.first == next.first => Some(0),
            (1, _) if next.step == 1 && ascends(1) => Some(1),
            (_, 1) if step == 0 && self.first == next.first => Some(0),
            (_, 1) if step == 1 && ascends(1) => Some(1),
            _ if step == 0 && next.step == 0 && self.first == next.first => Some(0),
            _ if step == 1 && next.step == 1 && ascends(1) => Some(1),
            _ => None,
        };
        let Some(step) = fits else { return false };
        let Some(len) = self.len.checked_add(next.len) else { return false };
        (self.step, self.len) = (step, len);
        true
    }
}

#[derive(Clone, Debug, Default)]
struct Chunk {
    len: usize,
    spans: Vec<Span>,
}

/// The spans of a text.
///
/// Invariant: no span and no chunk is empty, no chunk has more than [`CHUNK_SPANS_MAX`] spans, each
/// chunk's `len` is that of its spans, and `finger` is a chunk with the sum of those before it.
#[derive(Clone, Debug, Default)]
pub(super) struct Spans {
    chunks: Vec<Chunk>,
    len: usize,
    finger: (usize, usize),
}

impl Spans {
    /// Length of the text.
    pub(super) fn len_chars(&self) -> usize {
        self.len
    }

    /// What these spans take in memory, about.
    pub(super) fn memory_bytes(&self) -> usize {
        let spans: usize = self.chunks.iter().map(|chunk| chunk.spans.capacity()).sum();
        spans * size_of::<Span>() + self.chunks.capacity() * size_of::<Chunk>()
    }

    /// Takes in an operation: what it inserts is written by `revision`.
    ///
    /// # Errors
    /// When it spans another length.
    pub(super) fn apply(
        &mut self,
        operation: &Operation,
        revision: Revision,
    ) -> Result<(), ot_core::LengthMismatch> {
        operation.check_base(self.len)?;
        let mut offset = 0;
        for component in operation.components() {
            match component {
                Component::Retain(len) => offset += len,
                Component::Delete(len) => self.delete(offset, len),
                Component::Insert(text) => {
                    let len = text.chars().count();
                    self.insert(offset, len, revision);
                    offset += len;
                }
            }
        }
        Ok(())
    }

    /// Puts the finger on the chunk that holds the character before `offset`; on the first for 0.
    fn seek(&mut self, offset: usize) {
        let (mut index, mut start) = self.finger;
        while start > 0 && offset <= start {
            index -= 1;
            start -= self.chunks[index].len;
        }
        while offset > start + self.chunks[index].len {
            start += self.chunks[index].len;
            index += 1;
        }
        self.finger = (index, start);
    }

    fn insert(&mut self, offset: usize, len: usize, revision: Revision) {
        let span = Span {
            len: u32::try_from(len).expect("operations are shorter than 2^30 characters"),
            step: 0,
            first: revision.get(),
        };
        if self.chunks.is_empty() {
            self.chunks.push(Chunk::default());
            self.finger = (0, 0);
        }
        self.seek(offset);
        let (index, start) = self.finger;
        let chunk = &mut self.chunks[index];
        chunk.insert(offset - start, span);
        self.len += len;
        if chunk.spans.len() > CHUNK_SPANS_MAX {
            let half = chunk.halve();
            self.chunks.insert(index + 1, half);
        }
    }

    fn delete(&mut self, offset: usize, len: usize) {
        let mut left = len;
        while left > 0 {
            // The chunk of the character at the offset, which is the one before the next offset.
            self.seek(offset + 1);
            let (index, start) = self.finger;
            let chunk = &mut self.chunks[index];
            let here = left.min(start + chunk.len - offset);
            chunk.delete(offset - start, here);
            left -= here;
            self.len -= here;
            let is_empty = chunk.spans.is_empty();
            let is_long = chunk.spans.len() > CHUNK_SPANS_MAX;
            if is_long {
                let half = chunk.halve();
                self.chunks.insert(index + 1, half);
            }
            if is_empty {
                self.chunks.remove(index);
                self.finger = match index {
                    0 => (0, 0),
                    _ => (index - 1, start - self.chunks[index - 1].len),
                };
            }
        }
    }

    /// The spans of the characters from `offset` on, the first cut to begin there.
    pub(super) fn from(&self, offset: usize) -> impl Iterator<Item = Span> {
        let mut skip = offset;
        let first = self.chunks.iter().position(|chunk| {
            let is_first = skip < chunk.len;
            if !is_first {
                skip -= chunk.len;
            }
            is_first
        });
        let chunks = &self.chunks[first.unwrap_or(self.chunks.len())..];
        chunks.iter().flat_map(|chunk| &chunk.spans).filter_map(move |span| {
            let len = span.len as usize;
            if skip >= len {
                skip -= len;
                return None;
            }
            let cut = u32::try_from(std::mem::take(&mut skip)).expect("shorter than the span");
            Some(span.behind(cut))
        })
    }

    /// Checks every invariant; for tests.
    ///
    /// # Panics
    /// When one does not hold.
    #[cfg(test)]
    fn check_invariants(&self) {
        let mut sum = 0;
        for (index, chunk) in self.chunks.iter().enumerate() {
            if self.finger.0 == index {
                assert_eq!(self.finger.1, sum, "the finger's start");
            }
            assert!((1..=CHUNK_SPANS_MAX).contains(&chunk.spans.len()), "{}", chunk.spans.len());
            assert!(chunk.spans.iter().all(|span| span.len > 0));
            let len: usize = chunk.spans.iter().map(|span| span.len as usize).sum();
            assert_eq!(chunk.len, len);
            sum += len;
        }
        assert_eq!(self.len, sum);
        assert!(self.chunks.is_empty() || self.finger.0 < self.chunks.len());
    }
}

impl Chunk {
    /// The span that holds the character before `offset` and how many characters come before it;
    /// the first for 0.
    fn find(&self, offset: usize) -> (usize, usize) {
        let mut start = 0;
        for (index, span) in self.spans.iter().enumerate() {
            let end = start + span.len as usize;
            if offset <= end {
                return (index, start);
            }
            start = end;
        }
        (self.spans.len(), start)
    }

    fn insert(&mut self, offset: usize, new: Span) {
        self.len += new.len as usize;
        let (index, start) = self.find(offset);
        let Some(span) = self.spans.get_mut(index) else {
            self.spans.push(new);
            return;
        };
        let before = u32::try_from(offset - start).expect("shorter than the span");
        if before == 0 {
            self.spans.insert(index, new);
        } else if before == span.len {
            if !span.extend(new) {
                self.spans.insert(index + 1, new);
            }
        } else {
            let behind = span.behind(before);
            span.len = before;
            self.spans.splice(index + 1..index + 1, [new, behind]);
        }
    }

    /// Deletes `len` characters behind `offset`, which this chunk has.
    fn delete(&mut self, offset: usize, len: usize) {
        self.len -= len;
        let (index, start) = self.find(offset + 1);
        let mut left = u32::try_from(len).expect("operations are shorter than 2^30 characters");
        let before = u32::try_from(offset - start).expect("shorter than the span");
        let mut first_gone = index;
        if before > 0 {
            let span = &mut self.spans[index];
            let behind = span.behind(before);
            span.len = before;
            if left < behind.len {
                self.spans.insert(index + 1, behind.behind(left));
                return;
            }
            left -= behind.len;
            first_gone += 1;
        }
        let mut end = first_gone;
        while left > 0 && self.spans[end].len <= left {
            left -= self.spans[end].len;
            end += 1;
        }
        if left > 0 {
            self.spans[end] = self.spans[end].behind(left);
        }
        self.spans.drain(first_gone..end);
    }

    /// Keeps the first half and gives the second.
    fn halve(&mut self) -> Chunk {
        let spans = self.spans.split_off(self.spans.len() / 2);
        let len = spans.iter().map(|span| span.len as usize).sum();
        self.len -= len;
        Chunk { len, spans }
    }
}

#[cfg(test)]
mod tests {
    use ot_core::testing;
    use proptest::prelude::*;

    use super::*;

    /// The revision of each character.
    fn expanded(spans: &Spans, offset: usize) -> Vec<u64> {
        spans
            .from(offset)
            .flat_map(|span| (0..span.len).map(move |at| span.behind(at).first))
            .collect()
    }

    /// The same, by a list of characters.
    fn naive(revisions: &mut Vec<u64>, operation: &Operation, revision: u64) {
        let mut at = 0;
        for component in operation.components() {
            match component {
                Component::Retain(len) => at += len,
                Component::Delete(len) => drop(revisions.drain(at..at + len)),
                Component::Insert(text) => {
                    let len = text.chars().count();
                    revisions.splice(at..at, std::iter::repeat_n(revision, len));
                    at += len;
                }
            }
        }
    }

    #[test]
    fn what_is_typed_on_is_one_span() {
        let mut spans = Spans::default();
        for revision in 1..=100 {
            let len = spans.len_chars();
            let typed = Operation::splice(len, len, 0, "x").expect("fits");
            spans.apply(&typed, Revision::new(revision)).expect("fits");
        }
        spans.check_invariants();
        assert_eq!(spans.from(0).collect::<Vec<_>>(), [Span { len: 100, step: 1, first: 1 }]);
        assert_eq!(expanded(&spans, 97), [98, 99, 100]);
    }

    #[test]
    fn an_operation_for_another_text_is_refused() {
        let mut spans = Spans::default();
        assert!(spans.apply(&Operation::identity(1), Revision::new(1)).is_err());
        assert_eq!(spans.len_chars(), 0);
    }

    proptest! {
        #[test]
        fn spans_are_what_a_list_of_characters_says(
            plans in proptest::collection::vec(testing::plans(6), 1..60)
        ) {
            let mut spans = Spans::default();
            let mut revisions = Vec::new();
            for (plan, revision) in plans.iter().zip(1..) {
                let operation = plan.on(revisions.len());
                naive(&mut revisions, &operation, revision);
                spans.apply(&operation, Revision::new(revision)).expect("it fits");
                spans.check_invariants();
            }
            prop_assert_eq!(expanded(&spans, 0), revisions.clone());
            for offset in 0..=revisions.len() {
                prop_assert_eq!(&expanded(&spans, offset), &revisions[offset..]);
            }
        }
    }
}
