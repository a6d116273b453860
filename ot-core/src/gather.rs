//! Edits near one another, taken together before they are an operation.
//!
//! What a person types, takes back and types again is gathered at a caret between the components in front of it
//! and those behind it, each a stack with its top at the caret. An edit at the caret touches the tops alone; one
//! elsewhere takes the caret there, past what lies between. Lengths count Unicode scalar values.
//!
//! ```text
//! front                         caret            behind
//! =3 +"x" =12 -1 =7   typed: +"wor" | deleted: -2   =40 +"y" =9
//! ```

mod gap;
#[cfg(test)]
pub(crate) mod tests;

use self::gap::{Gap, Stretch};
use crate::error::LengthMismatch;
use crate::operation::{Kind, Operation, Part, Writer};
use crate::small::Few;

/// Components in front of and behind the caret that are gathered: whoever goes elsewhere passes a part of them.
const PARTS_MAX: usize = if cfg!(test) { 4 } else { 64 };

/// Text that the caret passes in any case, in bytes, and characters that it goes beside a longer one.
const TEXT_MAX: usize = if cfg!(test) { 8 } else { 1 << 12 };
const NEAR: usize = if cfg!(test) { 2 } else { 1 << 8 };

/// The composition of the operations that were taken, as a caret in it.
///
/// Invariant: `front`, `typed`, `deleted` and `behind` are its components, in this order, `behind` from its end;
/// neighbours in one stack differ in kind. Between operations the caret stands in the leftmost gap that its
/// offset can mean: `front` ends with a deletion only where something is typed behind it, `behind` begins
/// with none, and `front` with no insert.
pub(crate) struct Gathered {
    target_len: usize,
    /// Where the caret is in the target.
    at: usize,
    front: Few<Part>,
    /// What is inserted directly in front of the caret.
    typed: Stretch,
    /// What is deleted directly behind it.
    deleted: usize,
    behind: Few<Part>,
    text: Gap,
}

const NONE: Stretch = Stretch { chars: 0, bytes: 0 };

impl Gathered {
    /// Begins with one operation; `None` where that has too many components.
    pub(crate) fn begin(operation: &Operation) -> Option<Gathered> {
        if operation.component_count() > PARTS_MAX {
            return None;
        }
        let target_len = operation.base_len();
        let (mut behind, text) = (Few::new(), Gap::default());
        push(&mut behind, Kind::Retain, target_len, 0);
        let (at, front, typed, deleted) = (0, Few::new(), NONE, 0);
        let mut gathered = Gathered { target_len, at, front, typed, deleted, behind, text };
        gathered.walk(operation);
        Some(gathered)
    }

    /// Composes `next` in place; `false`, and nothing changes, when that would take longer than to begin anew.
    ///
    /// # Errors
    /// [`LengthMismatch`] when it does not span what the ones before leave.
    #[inline]
    pub(crate) fn take(&mut self, next: &Operation) -> Result<bool, LengthMismatch> {
        next.check_base(self.target_len)?;
        let (at, parts) = match *next.parts() {
            [first, ref parts @ ..] if first.kind() == Kind::Retain => (first.chars(), parts),
            ref parts => (0, parts),
        };
        let is_taken = match *parts {
            [one] => self.take_at_caret(at, one, next),
            [one, last] if last.kind() == Kind::Retain => self.take_at_caret(at, one, next),
            _ => false,
        };
        Ok(is_taken || self.take_elsewhere(at, next))
    }

    /// An operation of one insert or delete, if it types on, or takes back what is in front of the caret.
    #[inline]
    fn take_at_caret(&mut self, at: usize, part: Part, next: &Operation) -> bool {
        match part.kind() {
            Kind::Insert if at == self.at => {
                self.insert(part, next.inserted_text());
                true
            }
            Kind::Delete if at + part.chars() == self.at => self.take_back(part.chars()),
            _ => false,
        }
    }

    /// An operation that begins at `at`.
    fn take_elsewhere(&mut self, at: usize, next: &Operation) -> bool {
        let parts = self.front.len() + self.behind.len() + next.component_count();
        let is_far = at.abs_diff(self.at) > NEAR && self.text.len() > TEXT_MAX;
        if parts > PARTS_MAX || is_far {
            return false;
        }
        self.walk(next);
        true
    }

    fn walk(&mut self, next: &Operation) {
        let (mut at, mut text) = (0, next.inserted_text());
        let mut before = Kind::Retain;
        for part in next.parts() {
            match part.kind() {
                Kind::Retain => at += part.chars(),
                Kind::Insert => {
                    if before == Kind::Delete {
                        self.pass_deleted();
                    } else {
                        self.move_to(at);
                    }
                    let (own, rest) = text.split_at(part.bytes());
                    self.insert(*part, own);
                    (at, text) = (at + part.chars(), rest);
                }
                Kind::Delete => {
                    self.move_to(at);
                    self.delete(part.chars());
                }
            }
            before = part.kind();
        }
        self.settle();
    }

    #[inline]
    fn insert(&mut self, part: Part, text: &str) {
        self.text.push(text);
        self.typed.chars += part.chars();
        self.typed.bytes += part.bytes();
        self.at += part.chars();
        self.target_len += part.chars();
    }

    /// Deletes the last `chars` characters in front of the caret; `false` where they are not of one component.
    #[inline]
    fn take_back(&mut self, chars: usize) -> bool {
        if chars <= self.typed.chars {
            let bytes = self.text.bytes_before(self.typed, chars);
            self.text.drop_before(bytes);
            self.typed.chars -= chars;
            self.typed.bytes -= bytes;
        } else {
            match self.front.last_mut() {
                Some(top) if self.typed.chars == 0 && top.chars() > chars => {
                    *top = Part::new(Kind::Retain, top.chars() - chars, 0);
                    self.deleted += chars;
                }
                _ => return false,
            }
        }
        self.at -= chars;
        self.target_len -= chars;
        if self.typed.chars == 0 {
            self.settle();
        }
        true
    }

    /// Deletes the next `chars` characters. What had been deleted behind the last of them stays where it is.
    fn delete(&mut self, chars: usize) {
        self.target_len -= chars;
        let mut left = chars;
        while left > 0 {
            let part = self.behind.pop().expect("the operation spans the target");
            let taken = left.min(part.chars());
            let rest = part.chars() - taken;
            match part.kind() {
                Kind::Delete => self.deleted += part.chars(),
                Kind::Retain => {
                    self.deleted += taken;
                    left -= taken;
                    push(&mut self.behind, Kind::Retain, rest, 0);
                }
                Kind::Insert => {
                    let bytes = self.text.bytes_behind(stretch(part), taken);
                    self.text.drop_behind(bytes);
                    left -= taken;
                    push(&mut self.behind, Kind::Insert, rest, part.bytes() - bytes);
                }
            }
        }
    }

    /// Takes the caret behind what is deleted there, for an insert that comes behind what its own operation deletes.
    fn pass_deleted(&mut self) {
        if self.deleted > 0 {
            push(&mut self.front, Kind::Insert, self.typed.chars, self.typed.bytes);
            push(&mut self.front, Kind::Delete, self.deleted, 0);
            (self.typed, self.deleted) = (NONE, 0);
        }
    }

    /// Takes the caret to an offset in the target.
    fn move_to(&mut self, at: usize) {
        if at == self.at {
            return self.settle();
        }
        push(&mut self.front, Kind::Insert, self.typed.chars, self.typed.bytes);
        push(&mut self.behind, Kind::Delete, self.deleted, 0);
        (self.typed, self.deleted) = (NONE, 0);
        if at < self.at {
            self.move_before(self.at - at)
        } else {
            self.move_behind(at - self.at)
        }
        self.at = at;
        self.settle();
    }

    fn move_before(&mut self, chars: usize) {
        let (mut left, mut bytes) = (chars, 0);
        let mut split = None;
        while left > 0 {
            let part = self.front.pop().expect("the caret stays in the target");
            if part.kind() != Kind::Delete {
                if part.chars() > left {
                    split = Some(part);
                    break;
                }
                left -= part.chars();
                bytes += part.bytes();
            }
            push(&mut self.behind, part.kind(), part.chars(), part.bytes());
        }
        self.text.move_before(bytes);
        if let Some(part) = split {
            let bytes = self.text.bytes_before(stretch(part), left);
            self.text.move_before(bytes);
            push(&mut self.behind, part.kind(), left, bytes);
            push(&mut self.front, part.kind(), part.chars() - left, part.bytes() - bytes);
        }
    }

    fn move_behind(&mut self, chars: usize) {
        let (mut left, mut bytes) = (chars, 0);
        let mut split = None;
        while left > 0 {
            let part = self.behind.pop().expect("the caret stays in the target");
            if part.kind() != Kind::Delete {
                if part.chars() > left {
                    split = Some(part);
                    break;
                }
                left -= part.chars();
                bytes += part.bytes();
            }
            push(&mut self.front, part.kind(), part.chars(), part.bytes());
        }
        self.text.move_behind(bytes);
        if let Some(part) = split {
            let bytes = self.text.bytes_behind(stretch(part), left);
            self.text.move_behind(bytes);
            push(&mut self.front, part.kind(), left, bytes);
            push(&mut self.behind, part.kind(), part.chars() - left, part.bytes() - bytes);
        }
    }

    /// Brings the caret into the leftmost gap, and what touches it there to it.
    fn settle(&mut self) {
        if self.typed.chars == 0 {
            if let Some(part) = pop(&mut self.front, Kind::Delete) {
                self.deleted += part.chars();
            }
            if let Some(part) = pop(&mut self.front, Kind::Insert) {
                self.typed = stretch(part);
            }
        }
        if let Some(part) = pop(&mut self.behind, Kind::Delete) {
            self.deleted += part.chars();
        }
    }

    /// The operation.
    pub(crate) fn finish(mut self) -> Operation {
        push(&mut self.front, Kind::Insert, self.typed.chars, self.typed.bytes);
        push(&mut self.front, Kind::Delete, self.deleted, 0);
        while let Some(part) = self.behind.pop() {
            push(&mut self.front, part.kind(), part.chars(), part.bytes());
        }
        let mut out = Writer::with_capacity(self.front.len());
        out.extend(&self.front);
        out.finish(self.text.finish())
    }
}

fn stretch(part: Part) -> Stretch {
    Stretch { chars: part.chars(), bytes: part.bytes() }
}

/// Puts a component on a stack, as one with the top where that is of its kind; none, if it is empty.
#[inline]
fn push(stack: &mut Few<Part>, kind: Kind, chars: usize, bytes: usize) {
    match stack.last_mut() {
        _ if chars == 0 => {}
        Some(top) if top.kind() == kind => {
            *top = Part::new(kind, top.chars() + chars, top.bytes() + bytes);
        }
        _ => stack.push(Part::new(kind, chars, bytes)),
    }
}

/// Takes the top off a stack, if it is of that kind.
#[inline]
fn pop(stack: &mut Few<Part>, kind: Kind) -> Option<Part> {
    let is_top = stack.last().is_some_and(|top| top.kind() == kind);
    if is_top { stack.pop() } else { None }
}
