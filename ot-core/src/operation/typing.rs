//! Typing on, in place.

use super::{Kind, Operation, Part};
use crate::small::Len;

impl Operation {
    /// Composes in place when `next` only types on behind the last insert, or takes back a part of
    /// it, and that insert is the last change; `false` when it does something else.
    pub(crate) fn type_on(&mut self, next: &Operation) -> bool {
        let (own, next) = (&mut *self.body, &*next.body);
        // `next` as what it keeps in front, the one thing that it does, and what it keeps behind.
        let (act, tail) = match *next.parts.as_slice() {
            [front, act, tail] if front.kind() == Kind::Retain && tail.kind() == Kind::Retain => {
                (act, tail.chars())
            }
            [front, act] if front.kind() == Kind::Retain => (act, 0),
            _ => return false,
        };
        let last = match *own.parts.as_slice() {
            [.., _, last] if last.kind() == Kind::Retain && last.chars() == tail => 2,
            [.., last] if last.kind() == Kind::Insert && tail == 0 => 1,
            _ => return false,
        };
        let at = own.parts.len() - last;
        let part = &mut own.parts[at];
        if part.kind() != Kind::Insert {
            return false;
        }
        match act.kind() {
            Kind::Insert => {
                *part =
                    Part::new(Kind::Insert, part.chars() + act.chars(), part.bytes() + act.bytes());
                own.text.push_str(&next.text);
                own.target_len += act.chars() as Len;
                true
            }
            Kind::Delete if act.chars() < part.chars() => {
                let mut end = own.text.len();
                for _ in 0..act.chars() {
                    end -= 1;
                    while !own.text.is_char_boundary(end) {
                        end -= 1;
                    }
                }
                let bytes = part.bytes() - (own.text.len() - end);
                *part = Part::new(Kind::Insert, part.chars() - act.chars(), bytes);
                own.text.truncate(end);
                own.target_len -= act.chars() as Len;
                true
            }
            _ => false,
        }
    }
}
