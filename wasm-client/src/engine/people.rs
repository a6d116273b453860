//! Other people's selections in an engine. They come and are kept in characters of the text at the
//! revision, as the server has them, and are shown in UTF-16 code units of the shown text.

use ot_core::{Component, Operation, Ranges, Selection};

use super::Engine;
use crate::convert;

impl Engine {
    /// What a remote session has selected: pairs of anchor and head in characters, in the text at
    /// [`revision`](Self::revision); no pairs for a session that has gone. Ends behind the text
    /// count as its end.
    pub fn set_presence(&mut self, session: u32, pairs: &[u32]) {
        let pairs = pairs.chunks_exact(2).take(Ranges::RANGES_MAX);
        let ranges =
            Ranges::new(pairs.map(|pair| Selection::new(pair[0] as usize, pair[1] as usize)));
        let ranges = ranges.unwrap_or_default();
        if let Some(known) = self.people.iter().position(|(known, _)| *known == session) {
            self.people.remove(known);
        }
        if !ranges.is_empty() {
            self.people.push((session, ranges));
        }
    }

    /// Every remote session with a selection: its number, how many ranges, then anchor and head of
    /// each, in code units of the shown text.
    #[must_use]
    pub fn presence(&self) -> Vec<u32> {
        let mut out = Vec::with_capacity(4 * self.people.len());
        for (session, ranges) in &self.people {
            let ranges = self.client.carry_ranges(ranges).clamp(self.client.text().len_chars());
            out.push(*session);
            out.push(ranges.as_slice().len() as u32);
            for selection in &ranges {
                out.push(self.place(selection.anchor));
                out.push(self.place(selection.head));
            }
        }
        out
    }

    /// Where an offset of the local text is shown.
    fn place(&self, local: usize) -> u32 {
        let shown = match &self.waiting {
            None => local,
            Some(waiting) => offset_before(waiting, local),
        };
        convert::to_utf16(&self.shown, shown) as u32
    }
}

/// The offset before `operation` of what is at `target` after it; inside inserted text, the gap it
/// was inserted at.
fn offset_before(operation: &Operation, target: usize) -> usize {
    let (mut base, mut left) = (0, target);
    for component in operation.components() {
        match component {
            Component::Retain(len) if len > left => return base + left,
            Component::Retain(len) => (base, left) = (base + len, left - len),
            Component::Insert(text) => {
                let len = text.chars().count();
                if len > left {
                    return base;
                }
                left -= len;
            }
            Component::Delete(len) if left > 0 => base += len,
            Component::Delete(_) => return base,
        }
    }
    base
}
