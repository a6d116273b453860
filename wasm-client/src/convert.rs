//! UTF-16 at the editor's edge, Unicode scalar values inside.
//!
//! Editors count code units, in which an emoji is two and an offset may lie between its halves.
//! Such an offset has no counterpart in the document: it is an error, or, for an edit the editor
//! has made already, it is widened to the whole character.

use ot_core::{CharOffset, Component, Operation, Selection, Text, Utf16Offset};
use thiserror::Error;

/// Why a range of the editor is none of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RangeError {
    /// It begins or ends between the halves of a surrogate pair.
    #[error("the range begins or ends inside a surrogate pair")]
    InsidePair,
    /// It ends behind the text.
    #[error("the range ends behind the text")]
    Outside,
}

/// A run of characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CharRange {
    /// Where it begins, in characters.
    pub offset: usize,
    /// Its length in characters.
    pub len: usize,
}

/// The range of `deleted` code units from `at`, in characters.
///
/// # Errors
/// [`RangeError`] when an end lies inside a character or the range leaves the text.
pub fn char_range(text: &Text, at: usize, deleted: usize) -> Result<CharRange, RangeError> {
    let (offset, end) = ends(text, at, deleted)?;
    let exact = |offset_utf16| {
        let found = text.utf16_to_char(Utf16Offset::new(offset_utf16));
        found.map(CharOffset::get).map_err(|_| RangeError::InsidePair)
    };
    let (offset, end) = (exact(offset)?, exact(end)?);
    Ok(CharRange { offset, len: end - offset })
}

/// As [`char_range`], but an end inside a character takes the whole character in.
///
/// # Errors
/// [`RangeError::Outside`] when the range leaves the text.
pub fn char_range_widened(text: &Text, at: usize, deleted: usize) -> Result<CharRange, RangeError> {
    let (start, end) = ends(text, at, deleted)?;
    let offset = char_at_or_before(text, start);
    // Text typed between the halves replaces the character: half of it would be left otherwise.
    let end = char_at_or_after(text, end);
    Ok(CharRange { offset, len: end - offset })
}

fn ends(text: &Text, at: usize, deleted: usize) -> Result<(usize, usize), RangeError> {
    match at.checked_add(deleted) {
        Some(end) if end <= text.len_utf16() => Ok((at, end)),
        _ => Err(RangeError::Outside),
    }
}

/// The last boundary between characters that is not behind `offset_utf16`, in characters.
#[must_use]
pub fn char_at_or_before(text: &Text, offset_utf16: usize) -> usize {
    match text.utf16_to_char(Utf16Offset::new(offset_utf16)) {
        Ok(offset) => offset.get(),
        // Pairs are two units long, so one unit back is a boundary.
        Err(_) => char_at_or_before(text, offset_utf16 - 1),
    }
}

/// The first boundary between characters that is not before `offset_utf16`, in characters.
#[must_use]
pub fn char_at_or_after(text: &Text, offset_utf16: usize) -> usize {
    match text.utf16_to_char(Utf16Offset::new(offset_utf16)) {
        Ok(offset) => offset.get(),
        Err(_) => char_at_or_after(text, offset_utf16 + 1),
    }
}

/// A selection of the editor, in characters. Ends are moved out of pairs and into the text.
#[must_use]
pub fn selection_to_chars(text: &Text, anchor: usize, head: usize) -> Selection {
    Selection::new(char_at_or_before(text, anchor), char_at_or_before(text, head))
}

/// How many characters of `text` end at or before `offset_utf16`.
#[must_use]
pub fn chars_before(text: &str, offset_utf16: usize) -> usize {
    let mut end = 0;
    text.chars()
        .take_while(|character| {
            end += character.len_utf16();
            end <= offset_utf16
        })
        .count()
}

/// The place of a character offset in code units; an offset behind the text counts as its end.
#[must_use]
pub fn to_utf16(text: &Text, offset: usize) -> usize {
    text.char_to_utf16(CharOffset::new(offset)).get()
}

/// Changes on their way to the editor: per change the three numbers `at`, `deleted`, `inserted` in
/// code units, each in the text left by the one before; the inserted texts lie end to end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patches {
    /// Three numbers for each change.
    pub numbers: Vec<u32>,
    /// What is inserted, one after the other.
    pub text: String,
}

impl Patches {
    /// Adds the changes that `operation` makes to `before`. Touching inserts and deletes are one
    /// change.
    pub fn push(&mut self, before: &Text, operation: &Operation) {
        let (mut base, mut base_utf16, mut at) = (0, 0, 0);
        let mut open: Option<(usize, usize)> = None;
        for component in operation.components() {
            match component {
                Component::Retain(len) => {
                    self.close(&mut at, open.take());
                    let passed = to_utf16(before, base + len) - base_utf16;
                    (base, base_utf16, at) = (base + len, base_utf16 + passed, at + passed);
                }
                Component::Delete(len) => {
                    let passed = to_utf16(before, base + len) - base_utf16;
                    (base, base_utf16) = (base + len, base_utf16 + passed);
                    open.get_or_insert_default().0 += passed;
                }
                Component::Insert(text) => {
                    self.text.push_str(text);
                    open.get_or_insert_default().1 += text.encode_utf16().count();
                }
            }
        }
        self.close(&mut at, open);
    }

    fn close(&mut self, at: &mut usize, change: Option<(usize, usize)>) {
        if let Some((deleted, inserted)) = change {
            // Documents end long before 2^32 code units.
            for number in [*at, deleted, inserted] {
                self.numbers.push(number as u32);
            }
            *at += inserted;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a😀é👩‍🚀z";

    fn text() -> Text {
        Text::from(TEXT)
    }

    fn check(at: usize, deleted: usize, expected: Result<(usize, usize), RangeError>) {
        let found = char_range(&text(), at, deleted).map(|range| (range.offset, range.len));
        assert_eq!(found, expected, "{deleted} code units from {at}");
    }

    #[test]
    fn ranges_count_an_astral_character_once() {
        check(0, 0, Ok((0, 0)));
        check(1, 2, Ok((1, 1)));
        check(3, 1, Ok((2, 1)));
        check(4, 5, Ok((3, 3)));
        check(10, 0, Ok((7, 0)));
    }

    #[test]
    fn an_end_inside_a_pair_is_an_error() {
        check(2, 0, Err(RangeError::InsidePair));
        check(0, 2, Err(RangeError::InsidePair));
        check(2, 1, Err(RangeError::InsidePair));
    }

    #[test]
    fn a_range_that_leaves_the_text_is_an_error() {
        check(10, 1, Err(RangeError::Outside));
        check(11, 0, Err(RangeError::Outside));
        check(usize::MAX, 2, Err(RangeError::Outside));
    }

    #[test]
    fn widening_takes_in_the_whole_character() {
        let widened = |at, deleted| {
            let range = char_range_widened(&text(), at, deleted).expect("inside the text");
            (range.offset, range.len)
        };
        assert_eq!(widened(2, 1), (1, 1), "the low half deleted");
        assert_eq!(widened(1, 1), (1, 1), "the high half deleted");
        assert_eq!(widened(2, 0), (1, 1), "typed between the halves");
        assert_eq!(widened(0, 2), (0, 2));
        assert_eq!(widened(3, 1), (2, 1), "a range between characters stays as it is");
        assert_eq!(char_range_widened(&text(), 10, 1), Err(RangeError::Outside));
    }

    #[test]
    fn a_caret_inside_a_pair_counts_as_before_it() {
        for (offset_utf16, expected) in [(0, 0), (1, 1), (2, 1), (3, 2), (9, 6), (10, 7), (99, 7)] {
            assert_eq!(chars_before(TEXT, offset_utf16), expected, "{offset_utf16} code units");
        }
    }

    #[test]
    fn patches_name_places_in_the_text_left_by_the_one_before() {
        let operation = Operation::builder();
        let operation =
            operation.delete(1).insert("😀").retain(1).delete(1).retain(3).insert("!").retain(1);
        let operation = operation.build().expect("small");
        let mut patches = Patches::default();
        patches.push(&text(), &operation);
        assert_eq!(patches.numbers, [0, 1, 2, 4, 1, 0, 9, 0, 1]);
        assert_eq!(patches.text, "😀!");
        let mut units: Vec<u16> = TEXT.encode_utf16().collect();
        let mut inserted = patches.text.encode_utf16();
        for change in patches.numbers.chunks(3) {
            let (at, end) = (change[0] as usize, (change[0] + change[1]) as usize);
            let new: Vec<u16> = inserted.by_ref().take(change[2] as usize).collect();
            units.splice(at..end, new);
        }
        let edited = String::from_utf16(&units).expect("no pair is cut");
        assert_eq!(edited, operation.apply(TEXT).expect("fits"));
    }
}
