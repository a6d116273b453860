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
use crate::small::Stack;

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
    front: Stack<Part>,
    /// What is inserted directly in front of the caret.
    typed: Stretch,
    /// What is deleted directly behind it.
    deleted: usize,
    behind: Stack<Part>,
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
        let (mut behind, text) = (Stack::new(), Gap::default());
        push(&mut behind, Kind::Retain, target_len, 0);
        let (at, front, typed, deleted) = (0, Stack::new(), NONE, 0);
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
        let one = match *parts {
            [one] => one,
            [one, last] if last.kind() == Kind::Retain => one,
            _ => return Ok(self.take_elsewhere(at, next)),
        };
        // Typing on, or taking back what is in front of the caret.
        if one.kind() == Kind::Insert && at == self.at {
            self.insert(one, next.inserted_text());
            return Ok(true);
        }
        let is_back = one.kind() == Kind::Delete && at + one.chars() == self.at;
        Ok(is_back && self.take_back(one.chars()) || self.take_elsewhere(at, next))
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
            let (bytes, left) = pass(&mut self.front, &mut self.behind, self.at - at);
            self.text.move_before(bytes);
            if left > 0
                && let Some(part) = self.front.pop()
            {
                let bytes = self.text.bytes_before(stretch(part), left);
                self.text.move_before(bytes);
                split(part, left, bytes, &mut self.behind, &mut self.front);
            }
        } else {
            let (bytes, left) = pass(&mut self.behind, &mut self.front, at - self.at);
            self.text.move_behind(bytes);
            if left > 0
                && let Some(part) = self.behind.pop()
            {
                let bytes = self.text.bytes_behind(stretch(part), left);
                self.text.move_behind(bytes);
                split(part, left, bytes, &mut self.front, &mut self.behind);
            }
        }
        self.at = at;
        self.settle();
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
        move_all(&mut self.behind, 0, &mut self.front);
        let mut out = Writer::with_capacity(self.front.len());
        out.extend(&self.front);
        out.finish(self.text.finish())
    }
}

fn stretch(part: Part) -> Stretch {
    Stretch { chars: part.chars(), bytes: part.bytes() }
}

/// Takes whole components off one stack and onto the other: `chars` characters of them, and what is deleted between.
/// Returns the bytes that they insert, and the characters of the next component that are still to be passed.
fn pass(from: &mut Stack<Part>, to: &mut Stack<Part>, chars: usize) -> (usize, usize) {
    let parts = from.as_slice();
    let (mut first, mut left, mut bytes) = (parts.len(), chars, 0);
    while left > 0 {
        let part = parts[first - 1];
        if part.kind() != Kind::Delete {
            if part.chars() > left {
                break;
            }
            left -= part.chars();
            bytes += part.bytes();
        }
        first -= 1;
    }
    move_all(from, first, to);
    (bytes, left)
}

/// Moves what lies above `first` on one stack to the other, the top first. Neighbours differ in kind, so that only the
/// tops may become one.
fn move_all(from: &mut Stack<Part>, first: usize, to: &mut Stack<Part>) {
    if let [ref below @ .., top] = from[first..] {
        push(to, top.kind(), top.chars(), top.bytes());
        let moved = to.len();
        to.extend_from_slice(below);
        to[moved..].reverse();
        from.truncate(first);
    }
}

/// Puts the `chars` characters of a component that are nearest to the caret on one stack, and the others on the other.
fn split(part: Part, chars: usize, bytes: usize, near: &mut Stack<Part>, far: &mut Stack<Part>) {
    push(near, part.kind(), chars, bytes);
    far.push(Part::new(part.kind(), part.chars() - chars, part.bytes() - bytes));
}

/// Puts a component on a stack, as one with the top where that is of its kind; none, if it is empty.
#[inline]
fn push(stack: &mut Stack<Part>, kind: Kind, chars: usize, bytes: usize) {
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
fn pop(stack: &mut Stack<Part>, kind: Kind) -> Option<Part> {
    let is_top = stack.last().is_some_and(|top| top.kind() == kind);
    if is_top { stack.pop() } else { None }
}
