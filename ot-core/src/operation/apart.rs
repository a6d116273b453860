//! Short ways: operations that change one place, and operations that change different places. Of those nothing of
//! one meets anything of the other, so neither is walked through, and what one does to the other is a length.
//!
//! Natively only; in a browser, where every kilobyte is downloaded, the general algorithms do.

use super::{Body, Kind, Operation, Part};
use crate::small::{Chars, Few, Held};

/// What of the base an operation changes: from the first gap or character to the last, in characters.
///
/// Only operations that keep something at the respective end lie in front of or behind another.
struct Changed {
    front: usize,
    end: usize,
    /// The same end in the target.
    target_end: usize,
}

impl Operation {
    /// The operation of [`splice`](Self::splice), checked and not without effect: its components are known, so
    /// none has to be compared with the one before it.
    #[inline]
    pub(super) fn one_edit(
        base_len: usize,
        offset: usize,
        delete_len: usize,
        text: &str,
        chars: usize,
    ) -> Operation {
        let mut parts = Few::new();
        for (kind, chars, bytes) in [
            (Kind::Retain, offset, 0),
            (Kind::Insert, chars, text.len()),
            (Kind::Delete, delete_len, 0),
            (Kind::Retain, base_len - offset - delete_len, 0),
        ] {
            if chars > 0 {
                parts.push(Part::new(kind, chars, bytes));
            }
        }
        let (text, target_len) = (Chars::from(text), base_len - delete_len + chars);
        Operation { body: Held::new(Body { parts, text, base_len, target_len }) }
    }

    #[inline]
    fn changed(&self) -> Changed {
        let kept = |part: Option<&Part>| match part {
            Some(part) if part.kind() == Kind::Retain => part.chars(),
            _ => 0,
        };
        let (front, back) = (kept(self.parts().first()), kept(self.parts().last()));
        Changed { front, end: self.base_len() - back, target_end: self.target_len() - back }
    }

    /// Both sides of a transformation, `None` where the two touch.
    #[inline]
    pub(crate) fn past_each_other(&self, other: &Operation) -> Option<(Operation, Operation)> {
        let (own, theirs) = (self.changed(), other.changed());
        if own.end < theirs.front {
            Some((self.with_longer(End::Back, other), other.with_longer(End::Front, self)))
        } else if theirs.end < own.front {
            Some((self.with_longer(End::Front, other), other.with_longer(End::Back, self)))
        } else {
            None
        }
    }

    /// The one side of it that is made of `self`.
    #[inline]
    pub(crate) fn past(&self, other: &Operation) -> Option<Operation> {
        let (own, theirs) = (self.changed(), other.changed());
        if own.end < theirs.front {
            Some(self.with_longer(End::Back, other))
        } else if theirs.end < own.front {
            Some(self.with_longer(End::Front, other))
        } else {
            None
        }
    }

    /// The composition, `None` where `next` touches what `self` has changed.
    #[inline]
    pub(crate) fn beside(&self, next: &Operation) -> Option<Operation> {
        let (own, theirs) = (self.changed(), next.changed());
        let (first, second, between) = if own.target_end < theirs.front {
            (self, next, theirs.front - own.target_end)
        } else if theirs.end < own.front {
            (next, self, own.front - theirs.end)
        } else {
            return None;
        };
        // The one in front ends with what it keeps, and the other begins with it: one piece of text.
        let (front, back) = (first.parts(), second.parts());
        let (front, back) = (&front[..front.len() - 1], &back[1..]);
        let mut parts = Few::with_capacity(front.len() + 1 + back.len());
        parts.extend_from_slice(front);
        parts.push(Part::new(Kind::Retain, between, 0));
        parts.extend_from_slice(back);
        let mut text = first.body.text.clone();
        text.push_str(&second.body.text);
        let (base_len, target_len) = (self.base_len(), next.target_len());
        Some(Operation { body: Held::new(Body { parts, text, base_len, target_len }) })
    }

    /// This operation where what it keeps at one end is as much longer as `other` makes the text.
    #[inline]
    fn with_longer(&self, end: End, other: &Operation) -> Operation {
        let longer = |len: usize| len + other.target_len() - other.base_len();
        let mut parts: Few<Part> = Few::from_slice(self.parts());
        let at = match end {
            End::Front => 0,
            End::Back => parts.len() - 1,
        };
        parts[at] = Part::new(Kind::Retain, longer(parts[at].chars()), 0);
        let text: Chars = self.body.text.clone();
        let (base_len, target_len) = (longer(self.base_len()), longer(self.target_len()));
        Operation { body: Held::new(Body { parts, text, base_len, target_len }) }
    }
}

#[derive(Clone, Copy)]
enum End {
    Front,
    Back,
}
