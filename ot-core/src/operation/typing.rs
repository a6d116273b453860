//! Typing on, in place.

use super::{Kind, Operation, Part};

impl Operation {
    /// Composes in place when `next` only types on behind the last insert, or takes back a part of
    /// it, and that insert is the last change; `false` when it does something else.
    pub(crate) fn type_on(&mut self, next: &Operation) -> bool {
        // `next` as what it keeps in front, the one thing that it does, and what it keeps behind.
        let (act, tail) = match *next.parts.as_slice() {
            [front, act, tail] if front.kind() == Kind::Retain && tail.kind() == Kind::Retain => {
                (act, tail.chars())
            }
            [front, act] if front.kind() == Kind::Retain => (act, 0),
            _ => return false,
        };
        let last = match *self.parts.as_slice() {
            [.., _, last] if last.kind() == Kind::Retain && last.chars() == tail => 2,
            [.., last] if last.kind() == Kind::Insert && tail == 0 => 1,
            _ => return false,
        };
        let at = self.parts.len() - last;
        let part = &mut self.parts[at];
        if part.kind() != Kind::Insert {
            return false;
        }
        match act.kind() {
            Kind::Insert => {
                *part =
                    Part::new(Kind::Insert, part.chars() + act.chars(), part.bytes() + act.bytes());
                self.text.push_str(&next.text);
                self.target_len += act.chars();
                true
            }
            Kind::Delete if act.chars() < part.chars() => {
                let mut back = self.text.chars();
                let bytes =
                    back.by_ref().rev().take(act.chars()).map(char::len_utf8).sum::<usize>();
                *part = Part::new(Kind::Insert, part.chars() - act.chars(), part.bytes() - bytes);
                self.text.truncate(self.text.len() - bytes);
                self.target_len -= act.chars();
                true
            }
            _ => false,
        }
    }
}
