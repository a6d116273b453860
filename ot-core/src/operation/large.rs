//! Ways of operations of many components: what both lengths will be is known before the first is written, and
//! results go to buffers that are large enough from the beginning.
//!
//! Natively only; in a browser, where every kilobyte is downloaded, the general algorithms do.

use super::{Body, Kind, Operation, Part};
use crate::apply::byte_offset;
use crate::small::{Chars, Few, INLINE_PARTS};

impl Operation {
    /// Whether these are many components together.
    #[inline]
    pub(crate) fn is_large_with(&self, other: &Operation) -> bool {
        self.component_count() + other.component_count() > 4 * INLINE_PARTS
    }

    /// As [`compose`](Self::compose), for a `next` that spans the target.
    #[inline(never)]
    pub(crate) fn compose_large(&self, next: &Operation) -> Operation {
        let mut out = Parts::with_capacity(self.component_count() + next.component_count());
        let mut text = Woven::of(self.inserted_text(), next.inserted_text());
        let mut firsts = self.parts().iter();
        let mut advance = || firsts.next().copied().unwrap_or(Part::END);
        let mut first = advance();
        for second in next.parts() {
            let mut left = second.chars();
            match second.kind() {
                Kind::Insert => {
                    out.put(*second);
                    text.take_second(second.bytes());
                }
                Kind::Retain => loop {
                    if first.kind() == Kind::Delete {
                        out.put(first);
                        first = advance();
                    } else if first.chars() <= left {
                        out.put(first);
                        if first.bytes() > 0 {
                            text.take_first(first.bytes());
                        }
                        left -= first.chars();
                        first = advance();
                        if left == 0 {
                            break;
                        }
                    } else {
                        let bytes = text.bytes_of(first, left);
                        out.put(Part::new(first.kind(), left, bytes));
                        if bytes > 0 {
                            text.take_first(bytes);
                        }
                        first = first.behind(left, bytes);
                        break;
                    }
                },
                Kind::Delete => loop {
                    if first.kind() == Kind::Delete {
                        out.put(first);
                        first = advance();
                        continue;
                    }
                    let chars = left.min(first.chars());
                    let bytes = text.bytes_of(first, chars);
                    if first.kind() == Kind::Retain {
                        out.put(Part::new(Kind::Delete, chars, 0));
                    } else {
                        text.drop_first(bytes);
                    }
                    left -= chars;
                    first =
                        if first.chars() == chars { advance() } else { first.behind(chars, bytes) };
                    if left == 0 {
                        break;
                    }
                },
            }
        }
        if first.chars() > 0 {
            out.put(first);
        }
        out.operation(text.out.into(), self.base_len(), next.target_len())
    }
}

impl Operation {
    /// As [`transform`](crate::transform), for two on one base whose joint text is not too long.
    #[inline(never)]
    pub(crate) fn transform_large(&self, committed: &Operation) -> (Operation, Operation) {
        let parts = self.component_count() + committed.component_count();
        let (mut own, mut theirs) = (Parts::with_capacity(parts), Parts::with_capacity(parts));
        let joint_len = self.follow(committed, &mut own, &mut theirs);
        (
            own.operation(self.body.text.clone(), committed.target_len(), joint_len),
            theirs.operation(committed.body.text.clone(), self.target_len(), joint_len),
        )
    }

    /// The pending side of it alone.
    #[inline(never)]
    pub(crate) fn follow_committed_large(&self, committed: &Operation) -> Operation {
        let parts = self.component_count() + committed.component_count();
        let mut own = Parts::with_capacity(parts);
        let joint_len = self.follow(committed, &mut own, &mut Nowhere);
        own.operation(self.body.text.clone(), committed.target_len(), joint_len)
    }

    /// Writes both sides; returns the length of the text with both effects.
    #[inline]
    fn follow(&self, committed: &Operation, own: &mut impl Put, theirs: &mut impl Put) -> usize {
        let mut pendings = self.parts().iter();
        let mut advance = || pendings.next().copied().unwrap_or(Part::END);
        let (mut pending, mut deleted_by_both) = (advance(), 0);
        for part in committed.parts() {
            if part.kind() == Kind::Insert {
                theirs.put(*part);
                own.put(Part::new(Kind::Retain, part.chars(), 0));
                continue;
            }
            let is_kept = part.kind() == Kind::Retain;
            let mut left = part.chars();
            while left > 0 {
                let chars = pending.chars().min(left);
                match pending.kind() {
                    Kind::Insert => {
                        own.put(pending);
                        theirs.put(Part::new(Kind::Retain, pending.chars(), 0));
                        pending = advance();
                        continue;
                    }
                    Kind::Retain if is_kept => {
                        let both = Part::new(Kind::Retain, chars, 0);
                        own.put(both);
                        theirs.put(both);
                    }
                    Kind::Retain => theirs.put(Part::new(Kind::Delete, chars, 0)),
                    Kind::Delete if is_kept => own.put(Part::new(Kind::Delete, chars, 0)),
                    Kind::Delete => deleted_by_both += chars,
                }
                left -= chars;
                pending =
                    if pending.chars() == chars { advance() } else { pending.behind(chars, 0) };
            }
        }
        if pending.kind() == Kind::Insert {
            own.put(pending);
            theirs.put(Part::new(Kind::Retain, pending.chars(), 0));
        }
        self.target_len() + committed.target_len() + deleted_by_both - self.base_len()
    }
}

/// The inserted text of a composition, woven of two texts piece by piece.
struct Woven<'a> {
    first: &'a str,
    second: &'a str,
    out: String,
}

impl<'a> Woven<'a> {
    fn of(first: &'a str, second: &'a str) -> Woven<'a> {
        Woven { first, second, out: String::with_capacity(first.len() + second.len()) }
    }

    /// Bytes of the first `chars` characters of what is left of a component of the first.
    #[inline]
    fn bytes_of(&self, part: Part, chars: usize) -> usize {
        match part.bytes() {
            0 => 0,
            bytes if chars == part.chars() => bytes,
            bytes if bytes == part.chars() => chars,
            _ => byte_offset(self.first, chars),
        }
    }

    #[inline(never)]
    fn take_first(&mut self, bytes: usize) {
        let (own, rest) = self.first.split_at(bytes);
        put(own, &mut self.out);
        self.first = rest;
    }

    #[inline(never)]
    fn take_second(&mut self, bytes: usize) {
        let (own, rest) = self.second.split_at(bytes);
        put(own, &mut self.out);
        self.second = rest;
    }

    fn drop_first(&mut self, bytes: usize) {
        self.first = &self.first[bytes..];
    }
}

#[inline]
fn put(text: &str, out: &mut String) {
    match *text.as_bytes() {
        [byte] => out.push(char::from(byte)),
        _ => out.push_str(text),
    }
}

/// Takes the components of one result; never an empty one.
trait Put {
    fn put(&mut self, part: Part);
}

/// The side nobody asked for.
struct Nowhere;

impl Put for Nowhere {
    #[inline]
    fn put(&mut self, _: Part) {}
}

/// Where components are written. The last is kept aside until one of another kind follows.
struct Parts {
    parts: Vec<Part>,
    last: Part,
}

impl Put for Parts {
    #[inline]
    fn put(&mut self, part: Part) {
        if part.is_of_kind_of(self.last) {
            self.last = self.last.and(part);
        } else {
            self.push_last();
            self.last = part;
        }
    }
}

impl Parts {
    fn with_capacity(parts: usize) -> Parts {
        Parts { parts: Vec::with_capacity(parts + 1), last: Part::END }
    }

    #[inline]
    fn push_last(&mut self) {
        if self.last.chars() > 0 {
            self.parts.push(self.last);
        }
    }

    fn operation(mut self, text: Chars, base_len: usize, target_len: usize) -> Operation {
        self.push_last();
        Body::operation(Few::from_vec(self.parts), text, base_len, target_len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gather::tests::operations;
    use crate::testing::{Gap, Gaps};
    use crate::transform;

    #[test]
    fn composing_many_components_is_composing_few() {
        let mut pairs = 0;
        for first in operations(2, "é🦀") {
            for second in operations(first.target_len(), "x") {
                pairs += 1;
                let composed = first.compose(&second).expect("they meet");
                assert_eq!(first.compose_large(&second), composed, "{first:?} then {second:?}");
            }
        }
        println!("{pairs} pairs");
        assert!(pairs > 10_000);
    }

    #[test]
    fn transforming_many_components_is_transforming_few() {
        let own = operations(3, "é🦀");
        for committed in operations(3, "x") {
            for pending in &own {
                let both = transform(pending, &committed).expect("one base");
                assert_eq!(pending.transform_large(&committed), both, "{pending:?}, {committed:?}");
                assert_eq!(pending.follow_committed_large(&committed), both.0);
            }
        }
    }

    #[test]
    fn many_components_compose_and_transform_by_definition() {
        let mut number = 1_u64;
        let mut below = |bound: usize| {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (number >> 33) as usize % bound
        };
        let mut operation = |base_len: Option<usize>| {
            let (mut builder, mut left) = (Operation::builder(), base_len.unwrap_or(60));
            while left > 0 {
                let chars = (1 + below(4)).min(left);
                let kind = below(3);
                builder = match kind {
                    0 => builder.insert(["a", "é", "bc🦀"][below(3)]),
                    1 => builder.delete(chars),
                    _ => builder.retain(chars),
                };
                left -= if kind == 0 { 0 } else { chars };
            }
            builder.build().expect("small")
        };
        for _ in 0..500 {
            let first = operation(None);
            let second = operation(Some(first.target_len()));
            assert!(first.is_large_with(&second));
            let expected = Gaps::of(&first).compose(&Gaps::of(&second), Gap::Leftmost);
            let composed = first.compose(&second).expect("they meet");
            composed.check_invariants();
            assert_eq!(composed, expected.to_operation(), "{first:?} then {second:?}");
            let (pending, committed) = (operation(None), first);
            let (own, theirs) = (Gaps::of(&pending), Gaps::of(&committed));
            let (pending_next, committed_next) = transform(&pending, &committed).expect("one base");
            pending_next.check_invariants();
            committed_next.check_invariants();
            assert_eq!(pending_next, own.follow_committed(&theirs).to_operation());
            assert_eq!(committed_next, theirs.follow_pending(&own).to_operation());
        }
    }
}
