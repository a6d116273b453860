//! Carets and selections, and how they follow operations.
//!
//! Offsets count Unicode scalar values. An offset names a gap between characters:
//!
//! ```text
//! text   a b c        a deleted run keeps its gaps   a[b c]d
//! gap   0 1 2 3       inside the operation          0 1 2 3 4
//! ```
//!
//! So an offset follows an operation exactly: text inserted at an earlier gap pushes it, text at a
//! later gap does not, and only for text at its own gap must the caller say which side it is on.

use thiserror::Error;

use crate::operation::{Component, Operation};
use crate::small::One;

/// On which side of text inserted exactly at an offset the offset comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assoc {
    /// In front of it: the rule for other people's text, which must not push a resting caret.
    Before,
    /// Behind it: the rule for one's own text, where the caret follows the typing.
    After,
}

impl Operation {
    /// Where the offset of the base lies in the target, in characters. An offset behind the base
    /// counts as its end.
    ///
    /// The result is at most [`target_len`](Self::target_len) and grows with the offset. With
    /// [`Assoc::After`] following a composed operation equals following its steps, as for a
    /// pending insert. With [`Assoc::Before`] so too, unless a later step inserts where an earlier
    /// one deleted: a composed operation cannot tell that from text which was there before the
    /// deletion, and the offset may come out behind such text.
    #[must_use]
    pub fn transform_offset(&self, offset: usize, assoc: Assoc) -> usize {
        // `left` is the way still to go in the base, `offset` where that leads in the target.
        let (mut left, mut target) = (offset.min(self.base_len()), 0);
        for component in self.components() {
            match component {
                Component::Insert(text) => {
                    if left == 0 && assoc == Assoc::Before {
                        break;
                    }
                    target += text.chars().count();
                }
                Component::Retain(len) => {
                    let passed = len.min(left);
                    target += passed;
                    left -= passed;
                    if passed < len {
                        break;
                    }
                }
                Component::Delete(len) => {
                    if left < len {
                        break;
                    }
                    left -= len;
                }
            }
        }
        target
    }

    /// Where the caret goes after this change when nobody says otherwise: behind the last inserted
    /// text, or where the last deleted text was. `None` for an operation that changes nothing.
    #[must_use]
    pub fn caret_after(&self) -> Option<usize> {
        let (mut target, mut caret) = (0, None);
        let mut inserted_here = false;
        for component in self.components() {
            match component {
                Component::Retain(len) => {
                    target += len;
                    inserted_here = false;
                }
                Component::Insert(text) => {
                    target += text.chars().count();
                    caret = Some(target);
                    inserted_here = true;
                }
                Component::Delete(_) if !inserted_here => caret = Some(target),
                Component::Delete(_) => {}
            }
        }
        caret
    }
}

/// What one person has selected: from the anchor, where it began, to the head, where the caret is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Selection {
    /// The fixed end, an offset in characters.
    pub anchor: usize,
    /// The moving end, an offset in characters; may lie before the anchor.
    pub head: usize,
}

impl Selection {
    /// From `anchor` to `head`, offsets in characters.
    #[must_use]
    pub const fn new(anchor: usize, head: usize) -> Selection {
        Selection { anchor, head }
    }

    /// Nothing selected, the caret at `offset`.
    #[must_use]
    pub const fn caret(offset: usize) -> Selection {
        Selection { anchor: offset, head: offset }
    }

    /// Whether nothing is selected.
    #[must_use]
    pub const fn is_caret(self) -> bool {
        self.anchor == self.head
    }

    /// The earlier end.
    #[must_use]
    pub fn start(self) -> usize {
        self.anchor.min(self.head)
    }

    /// The later end.
    #[must_use]
    pub fn end(self) -> usize {
        self.anchor.max(self.head)
    }

    /// The same selection after `operation`; its direction is kept.
    ///
    /// A caret goes by `assoc`. A selection of some text keeps to that text: what is inserted
    /// exactly at one of its edges stays outside, whoever wrote it.
    #[must_use]
    pub fn transform(self, operation: &Operation, assoc: Assoc) -> Selection {
        if self.is_caret() {
            return Selection::caret(operation.transform_offset(self.head, assoc));
        }
        // For start < end this keeps the order: what is at or before the gap `start` lies before
        // the gap `end`.
        let start = operation.transform_offset(self.start(), Assoc::After);
        let end = operation.transform_offset(self.end(), Assoc::Before);
        if self.anchor < self.head {
            Selection::new(start, end)
        } else {
            Selection::new(end, start)
        }
    }

    /// The same selection with both ends at most at `len`.
    #[must_use]
    pub fn clamp(self, len: usize) -> Selection {
        Selection::new(self.anchor.min(len), self.head.min(len))
    }
}

/// More selections than one person may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{found} selections, at most {max} are allowed")]
pub struct TooManyRanges {
    /// How many there are.
    pub found: usize,
    /// The limit.
    pub max: usize,
}

/// All selections of one person in one document; none when the editor has no focus.
///
/// Invariant: at most [`RANGES_MAX`](Ranges::RANGES_MAX).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ranges(One<Selection>);

impl Ranges {
    /// The most selections one person has: enough for several carets, and a bound for what every
    /// reader must transform.
    pub const RANGES_MAX: usize = 16;

    /// No selection.
    #[must_use]
    pub fn none() -> Ranges {
        Ranges::default()
    }

    /// One selection.
    #[must_use]
    pub fn one(selection: Selection) -> Ranges {
        Ranges(std::iter::once(selection).collect())
    }

    /// These selections, in this order; the first is the main one.
    ///
    /// # Errors
    /// [`TooManyRanges`] above [`RANGES_MAX`](Ranges::RANGES_MAX).
    pub fn new(selections: impl IntoIterator<Item = Selection>) -> Result<Ranges, TooManyRanges> {
        let mut kept = One::new();
        let mut found = 0;
        for selection in selections {
            found += 1;
            if found <= Ranges::RANGES_MAX {
                kept.push(selection);
            }
        }
        if found > Ranges::RANGES_MAX {
            return Err(TooManyRanges { found, max: Ranges::RANGES_MAX });
        }
        Ok(Ranges(kept))
    }

    /// The selections, the main one first.
    #[must_use]
    pub fn as_slice(&self) -> &[Selection] {
        &self.0
    }

    /// The selections, the main one first.
    pub fn iter(&self) -> std::slice::Iter<'_, Selection> {
        self.0.iter()
    }

    /// Whether there is no selection.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every end lies within a document of `len` characters.
    #[must_use]
    pub fn fit(&self, len: usize) -> bool {
        self.iter().all(|selection| selection.end() <= len)
    }

    /// All of them after `operation`; see [`Selection::transform`].
    #[must_use]
    pub fn transform(&self, operation: &Operation, assoc: Assoc) -> Ranges {
        let mut ranges = self.clone();
        for selection in &mut ranges.0 {
            *selection = selection.transform(operation, assoc);
        }
        ranges
    }

    /// The same selections with every end at most at `len`.
    #[must_use]
    pub fn clamp(&self, len: usize) -> Ranges {
        let mut ranges = self.clone();
        for selection in &mut ranges.0 {
            *selection = selection.clamp(len);
        }
        ranges
    }
}

impl From<Selection> for Ranges {
    fn from(selection: Selection) -> Ranges {
        Ranges::one(selection)
    }
}

impl<'a> IntoIterator for &'a Ranges {
    type Item = &'a Selection;
    type IntoIter = std::slice::Iter<'a, Selection>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The JSON form of ranges: pairs `[anchor, head]`.
#[cfg(feature = "serde")]
mod with_serde {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Ranges, Selection};

    impl Serialize for Selection {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            (self.anchor, self.head).serialize(serializer)
        }
    }

    impl<'de> Deserialize<'de> for Selection {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let (anchor, head) = Deserialize::deserialize(deserializer)?;
            Ok(Selection::new(anchor, head))
        }
    }

    impl Serialize for Ranges {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(self)
        }
    }

    impl<'de> Deserialize<'de> for Ranges {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let selections: Vec<Selection> = Deserialize::deserialize(deserializer)?;
            Ranges::new(selections).map_err(D::Error::custom)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(operation: &Operation, before: (usize, usize), expected: (usize, usize)) {
        let selection = Selection::new(before.0, before.1);
        let found = selection.transform(operation, Assoc::Before);
        assert_eq!((found.anchor, found.head), expected, "{before:?} through {operation:?}");
    }

    #[test]
    fn a_remote_insert_at_the_caret_does_not_push_it_and_an_own_one_does() {
        let insert = Operation::splice(3, 1, 0, "xy").expect("fits");
        check(&insert, (1, 1), (1, 1));
        check(&insert, (2, 2), (4, 4));
        assert_eq!(Selection::caret(1).transform(&insert, Assoc::After), Selection::caret(3));
    }

    #[test]
    fn text_at_the_edges_stays_outside_and_text_inside_extends() {
        let edges = Operation::builder().retain(1).insert("(").retain(2).insert(")").retain(1);
        let edges = edges.build().expect("small");
        check(&edges, (1, 3), (2, 4));
        check(&edges, (3, 1), (4, 2));
        let inside = Operation::splice(4, 2, 0, "xx").expect("fits");
        check(&inside, (1, 3), (1, 5));
        check(&inside, (3, 1), (5, 1));
    }

    #[test]
    fn a_selection_whose_text_is_deleted_becomes_a_caret() {
        let delete = Operation::splice(5, 1, 3, "").expect("fits");
        check(&delete, (2, 3), (1, 1));
        check(&delete, (0, 5), (0, 2));
        let replace = Operation::builder().retain(1).delete(3).insert("new").retain(1);
        check(&replace.build().expect("small"), (4, 1), (1, 1));
    }

    #[test]
    fn the_gap_inside_a_deleted_run_is_kept() {
        let operation = Operation::builder().delete(1).insert("x").delete(1).build();
        let operation = operation.expect("small");
        check(&operation, (0, 0), (0, 0));
        check(&operation, (2, 2), (1, 1));
    }

    #[test]
    fn the_caret_goes_behind_the_last_change() {
        let caret =
            |builder: crate::OperationBuilder| builder.build().expect("small").caret_after();
        assert_eq!(caret(Operation::builder().retain(2).insert("é🦀").retain(1)), Some(4));
        assert_eq!(caret(Operation::builder().retain(2).delete(1)), Some(2));
        assert_eq!(caret(Operation::builder().insert("ab").delete(3).retain(1)), Some(2));
        assert_eq!(caret(Operation::builder().delete(3).insert("ab").retain(1)), Some(2));
        assert_eq!(caret(Operation::builder().insert("a").retain(4).delete(1)), Some(5));
        assert_eq!(caret(Operation::builder().retain(4)), None);
    }

    #[test]
    fn more_than_the_maximum_is_refused_with_both_numbers() {
        let many = std::iter::repeat_n(Selection::caret(0), 17);
        assert_eq!(Ranges::new(many), Err(TooManyRanges { found: 17, max: 16 }));
        let ranges = Ranges::new([Selection::new(3, 1), Selection::caret(9)]).expect("two");
        assert!(ranges.fit(9) && !ranges.fit(8));
        assert!(ranges.clamp(8).fit(8));
    }
}
