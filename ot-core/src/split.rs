//! Splitting an operation that is too large for one message. Lengths count Unicode scalar values.

use crate::operation::{Component, Kind, Operation, TextWriter};
use crate::wire::Limits;

/// The tightest limit that still lets every split make progress: a retain, a delete and an insert
/// that touch, and the retain behind them; and one character of four bytes.
const SMALLEST_LIMIT: usize = 4;

/// Where the first part ends: before component `index`, or inside it when it is an insert.
struct Cut {
    index: usize,
    /// Bytes of the insert at `index` that still belong to the first part.
    bytes: usize,
}

impl Operation {
    /// Whether it has no more components and no more inserted text than `limits` allow.
    #[must_use]
    pub fn fits(&self, limits: &Limits) -> bool {
        self.component_count() <= limits.components_max
            && self.inserted_bytes() <= limits.inserted_bytes_max
    }

    /// A first part that fits `limits`, and the rest, which follows it and may need splitting
    /// again; no rest when all of it fits.
    ///
    /// `prefix.compose(&rest) == self`, equal as operations: the parts keep the gaps. An insert
    /// right behind a deletion is therefore never parted from it.
    ///
    /// # Limitations
    /// A limit below 4 counts as 4: less cannot hold one edit. `len_max` is not looked at, since
    /// no part of an operation is shorter than the document.
    #[must_use]
    pub fn split(&self, limits: &Limits) -> (Operation, Option<Operation>) {
        if self.fits(limits) {
            return (self.clone(), None);
        }
        match self.find_cut(limits) {
            Some(cut) => {
                let (prefix, rest) = self.cut_at(&cut);
                (prefix, Some(rest))
            }
            None => (self.clone(), None),
        }
    }

    fn find_cut(&self, limits: &Limits) -> Option<Cut> {
        let components_max = limits.components_max.max(SMALLEST_LIMIT);
        let mut bytes_left = limits.inserted_bytes_max.max(SMALLEST_LIMIT);
        let mut before = None;
        let count = self.component_count();
        for (index, component) in self.components().enumerate() {
            // One component is kept free for the retain that ends the first part.
            let is_last = index + 1 == count;
            let room = index + usize::from(!is_last) < components_max;
            let Component::Insert(text) = component else {
                if !room {
                    return Some(Cut { index, bytes: 0 });
                }
                before = Some(component);
                continue;
            };
            let taken = if room { floor_char(text, bytes_left) } else { 0 };
            if taken < text.len() {
                // Cut before this insert: the deletion in front of it comes along to the rest.
                let touches = taken == 0 && matches!(before, Some(Component::Delete(_)));
                return Some(Cut { index: index - usize::from(touches), bytes: taken });
            }
            bytes_left -= taken;
            before = Some(component);
        }
        None
    }

    fn cut_at(&self, cut: &Cut) -> (Operation, Operation) {
        let (mut prefix, mut rest) = (TextWriter::default(), TextWriter::default());
        let parts = self.parts();
        for part in &parts[..cut.index] {
            if part.kind() != Kind::Delete {
                rest.retain(part.chars());
            }
        }
        for (index, component) in self.components().enumerate() {
            match component {
                Component::Insert(text) => {
                    let at = match index.cmp(&cut.index) {
                        std::cmp::Ordering::Less => text.len(),
                        std::cmp::Ordering::Equal => cut.bytes,
                        std::cmp::Ordering::Greater => 0,
                    };
                    let (own, behind) = text.split_at(at);
                    let own_chars = own.chars().count();
                    prefix.insert(own, own_chars);
                    if index >= cut.index {
                        rest.retain(own_chars);
                        rest.insert(behind, parts[index].chars() - own_chars);
                    }
                }
                Component::Retain(len) => {
                    prefix.retain(len);
                    if index >= cut.index {
                        rest.retain(len);
                    }
                }
                Component::Delete(len) if index < cut.index => prefix.delete(len),
                Component::Delete(len) => {
                    prefix.retain(len);
                    rest.delete(len);
                }
            }
        }
        (prefix.finish(), rest.finish())
    }
}

/// The most bytes up to `max` that end between characters.
fn floor_char(text: &str, max: usize) -> usize {
    let mut at = max.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(operation: &Operation, components_max: usize, bytes_max: usize, expected: &[&str]) {
        let limits =
            Limits { components_max, inserted_bytes_max: bytes_max, len_max: crate::MAX_LEN };
        let mut parts = Vec::new();
        let mut left = Some(operation.clone());
        while let Some(operation) = left {
            let (prefix, rest) = operation.split(&limits);
            prefix.check_invariants();
            assert!(prefix.fits(&limits), "{prefix:?}");
            parts.push(prefix);
            left = rest;
        }
        let shown: Vec<String> = parts.iter().map(|part| format!("{part:?}")).collect();
        assert_eq!(shown, expected);
        assert_eq!(crate::compose_all(parts).expect("fits").as_ref(), Some(operation));
    }

    #[test]
    fn text_is_cut_between_characters() {
        let paste = Operation::splice(2, 1, 0, "aéé🦀").expect("fits");
        check(&paste, 9, 4, &[r#"=1 +"aé" =1"#, r#"=3 +"é" =1"#, r#"=4 +"🦀" =1"#]);
        check(&paste, 9, 9, &[r#"=1 +"aéé🦀" =1"#]);
    }

    #[test]
    fn an_insert_is_not_parted_from_the_deletion_before_it() {
        let operation = Operation::builder().insert("abcd").delete(1).insert("x").retain(1).build();
        check(&operation.expect("small"), 9, 4, &[r#"+"abcd" =2"#, r#"=4 -1 +"x" =1"#]);
        let operation =
            Operation::builder().retain(1).insert("a").delete(1).insert("b").retain(1).build();
        check(&operation.expect("small"), 4, 9, &[r#"=1 +"a" =2"#, r#"=2 -1 +"b" =1"#]);
    }

    #[test]
    fn many_components_are_cut_into_messages() {
        let operation = Operation::builder().delete(1).retain(1).delete(1).retain(1).delete(1);
        let operation = operation.build().expect("small");
        check(&operation, 4, 4, &["-1 =1 -1 =2", "=2 -1"]);
    }
}
