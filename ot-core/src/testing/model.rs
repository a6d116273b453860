//! The laws by definition: an operation as the text at each gap of its base and the set of deleted
//! characters. Slow and obvious, to check the engine against.

use crate::operation::{Component, Operation};

/// Where a composition puts an insert that several gaps of the base could hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// Right behind the character before it: the engine's rule.
    Leftmost,
    /// Right before the character behind it: breaks the history law; a control.
    Rightmost,
}

/// An operation, gap by gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gaps {
    /// The text inserted at each gap: one more than there are characters.
    inserted: Vec<String>,
    /// Whether each character is deleted.
    deleted: Vec<bool>,
}

impl Gaps {
    /// The gaps of an operation.
    #[must_use]
    pub fn of(operation: &Operation) -> Gaps {
        let (mut inserted, mut deleted) = (vec![String::new()], Vec::new());
        for component in operation.components() {
            match component {
                Component::Insert(text) => inserted.last_mut().expect("never empty").push_str(text),
                Component::Retain(len) | Component::Delete(len) => {
                    let gone = matches!(component, Component::Delete(_));
                    deleted.extend(std::iter::repeat_n(gone, len));
                    inserted.extend(std::iter::repeat_n(String::new(), len));
                }
            }
        }
        Gaps { inserted, deleted }
    }

    /// The operation with these gaps.
    #[must_use]
    pub fn to_operation(&self) -> Operation {
        let mut builder = Operation::builder().insert(&self.inserted[0]);
        for (gone, text) in self.deleted.iter().zip(&self.inserted[1..]) {
            builder = if *gone { builder.delete(1) } else { builder.retain(1) }.insert(text);
        }
        builder.build().expect("models are short")
    }

    /// The text after it.
    #[must_use]
    pub fn apply(&self, base: &str) -> String {
        let mut out = self.inserted[0].clone();
        for ((c, gone), text) in base.chars().zip(&self.deleted).zip(&self.inserted[1..]) {
            out.extend((!gone).then_some(c));
            out.push_str(text);
        }
        out
    }

    /// First this, then `next`.
    #[must_use]
    pub fn compose(&self, next: &Gaps, gap: Gap) -> Gaps {
        let mut inserted = vec![String::new(); self.inserted.len()];
        let mut deleted = Vec::new();
        let mut middle = 0;
        // The text that `next` puts at a gap of the middle text is written when the middle
        // character before it (leftmost) or behind it (rightmost) is passed.
        let mut pending = String::new();
        match gap {
            Gap::Leftmost => inserted[0].push_str(&next.inserted[0]),
            Gap::Rightmost => pending.push_str(&next.inserted[0]),
        }
        for at in 0..self.inserted.len() {
            for c in self.inserted[at].chars() {
                inserted[at].push_str(&std::mem::take(&mut pending));
                inserted[at].extend((!next.deleted[middle]).then_some(c));
                middle += 1;
                let text = &next.inserted[middle];
                match gap {
                    Gap::Leftmost => inserted[at].push_str(text),
                    Gap::Rightmost => pending.push_str(text),
                }
            }
            if at == self.deleted.len() {
                inserted[at].push_str(&std::mem::take(&mut pending));
                break;
            }
            if self.deleted[at] {
                deleted.push(true);
                continue;
            }
            inserted[at].push_str(&std::mem::take(&mut pending));
            deleted.push(next.deleted[middle]);
            middle += 1;
            let text = &next.inserted[middle];
            match gap {
                Gap::Leftmost => inserted[at + 1].push_str(text),
                Gap::Rightmost => pending.push_str(text),
            }
        }
        Gaps { inserted, deleted }
    }

    /// This, pending, made to follow `committed`, whose text comes first at a common gap.
    #[must_use]
    pub fn follow_committed(&self, committed: &Gaps) -> Gaps {
        self.follow(committed, |gap| committed.inserted[..=gap].concat())
    }

    /// This, committed, made to follow `pending`.
    #[must_use]
    pub fn follow_pending(&self, pending: &Gaps) -> Gaps {
        self.follow(pending, |gap| pending.inserted[..gap].concat())
    }

    /// Rewrites this for the target of `other`; `before` is the text of `other` that comes before
    /// what this one inserts at a gap.
    fn follow(&self, other: &Gaps, before: impl Fn(usize) -> String) -> Gaps {
        let base = "x".repeat(self.deleted.len());
        let target_len = other.apply(&base).chars().count();
        let mut inserted = vec![String::new(); target_len + 1];
        let mut deleted = vec![false; target_len];
        for gap in 0..self.inserted.len() {
            let survivors = other.deleted[..gap].iter().filter(|gone| !**gone).count();
            let at = survivors + before(gap).chars().count();
            inserted[at].push_str(&self.inserted[gap]);
        }
        for index in 0..self.deleted.len() {
            if self.deleted[index] && !other.deleted[index] {
                let survivors = other.deleted[..index].iter().filter(|gone| !**gone).count();
                deleted[survivors + other.inserted[..=index].concat().chars().count()] = true;
            }
        }
        Gaps { inserted, deleted }
    }
}
