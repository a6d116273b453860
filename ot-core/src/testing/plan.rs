//! Random texts and edits. A plan becomes an operation on any length, so plans can be drawn
//! before it is known what they will edit, and shrink well.

use proptest::collection::vec;
use proptest::prelude::*;

use super::Choices;
use crate::operation::Operation;

/// Characters of 1 to 4 bytes, a combining mark, a line end.
pub const ALPHABET: [char; 10] = ['a', 'b', 'z', '\n', 'é', 'ß', '中', '\u{301}', '😀', '🦀'];

/// One step of an [`EditPlan`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditStep {
    /// Keeps up to this many characters.
    Retain(usize),
    /// Inserts this text.
    Insert(String),
    /// Deletes up to this many characters.
    Delete(usize),
}

/// What to do to a text, whatever its length.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EditPlan(pub Vec<EditStep>);

impl EditPlan {
    /// The plan as an operation on a text of `base_len` characters; the rest is kept.
    #[must_use]
    pub fn on(&self, base_len: usize) -> Operation {
        let mut builder = Operation::builder();
        let mut left = base_len;
        for step in &self.0 {
            builder = match step {
                EditStep::Insert(text) => builder.insert(text),
                EditStep::Retain(len) => {
                    let len = (*len).min(left);
                    left -= len;
                    builder.retain(len)
                }
                EditStep::Delete(len) => {
                    let len = (*len).min(left);
                    left -= len;
                    builder.delete(len)
                }
            };
        }
        builder.retain(left).build().expect("plans are short")
    }

    /// A plan drawn from `choices`; `letter` gives each inserted character.
    pub fn draw(
        choices: &mut Choices<'_>,
        mut letter: impl FnMut(&mut Choices<'_>) -> char,
    ) -> Self {
        let mut steps = Vec::new();
        for _ in 0..=choices.below(4) {
            steps.push(match choices.below(5) {
                0 | 1 => EditStep::Retain(choices.below(5)),
                2 | 3 => {
                    let len = 1 + choices.below(3);
                    EditStep::Insert((0..len).map(|_| letter(choices)).collect())
                }
                _ => EditStep::Delete(1 + choices.below(4)),
            });
        }
        EditPlan(steps)
    }
}

/// Texts of up to `max_chars` characters of [`ALPHABET`].
pub fn texts(max_chars: usize) -> impl Strategy<Value = String> {
    vec(proptest::sample::select(&ALPHABET[..]), 0..=max_chars)
        .prop_map(|chars| chars.into_iter().collect())
}

/// Plans of up to `max_steps` short steps.
pub fn plans(max_steps: usize) -> impl Strategy<Value = EditPlan> {
    let step = prop_oneof![
        (1..5usize).prop_map(EditStep::Retain),
        vec(proptest::sample::select(&ALPHABET[..]), 1..4)
            .prop_map(|chars| EditStep::Insert(chars.into_iter().collect())),
        (1..4usize).prop_map(EditStep::Delete),
    ];
    vec(step, 0..=max_steps).prop_map(EditPlan)
}
