//! What is gathered is what the operations compose to, one after another.

use super::*;

/// Every operation on `len` characters with inserts of one text, in all orders of insert and delete.
pub(crate) fn operations(len: usize, text: &str) -> Vec<Operation> {
    let gaps = len + 1;
    let operation = |bits: u32| {
        let mut builder = Operation::builder();
        for gap in 0..gaps {
            if bits >> gap & 1 == 1 {
                builder = builder.insert(text);
            }
            if gap < len {
                let is_deleted = bits >> (gaps + gap) & 1 == 1;
                builder = if is_deleted { builder.delete(1) } else { builder.retain(1) };
            }
        }
        builder.build().expect("small")
    };
    (0..1 << (gaps + len)).map(operation).collect()
}

impl Gathered {
    fn check_invariants(&self) {
        for stack in [&self.front, &self.behind] {
            assert!(stack.windows(2).all(|pair| pair[0].kind() != pair[1].kind()));
        }
        let front = self.front.last().map(|part| part.kind());
        assert!(front != Some(Kind::Insert), "what is typed is one");
        assert!(front != Some(Kind::Delete) || self.typed.chars > 0, "the leftmost gap");
        assert!(self.behind.last().is_none_or(|part| part.kind() != Kind::Delete));
    }
}

/// The composition of the last of `operations` onto `expected`, where it is taken.
fn check(operations: &[&Operation], expected: &Operation) -> bool {
    let (first, rest) = operations.split_first().expect("some");
    let Some(mut gathered) = Gathered::begin(first) else { return false };
    let (last, between) = rest.split_last().expect("two");
    for operation in between {
        if !gathered.take(operation).expect("they meet") {
            return false;
        }
    }
    gathered.check_invariants();
    let is_taken = gathered.take(last).expect("they meet");
    gathered.check_invariants();
    if is_taken {
        assert_eq!(gathered.finish(), *expected, "{operations:?}");
    }
    is_taken
}

#[test]
fn what_is_gathered_is_the_composition() {
    let (mut taken, mut asked) = (0, 0);
    for first in operations(2, "é") {
        assert_eq!(Gathered::begin(&first).map_or(first.clone(), Gathered::finish), first);
        for second in operations(first.target_len(), "xy") {
            let both = first.compose(&second).expect("they meet");
            asked += 1;
            taken += usize::from(check(&[&first, &second], &both));
            if both.target_len() > 2 {
                continue;
            }
            for third in operations(both.target_len(), "🦀") {
                let all = both.compose(&third).expect("they meet");
                asked += 1;
                taken += usize::from(check(&[&first, &second, &third], &all));
            }
        }
    }
    println!("{taken} of {asked}");
    assert!(taken > 1_000 && taken < asked, "{taken} of {asked}");
}

#[test]
fn edits_anywhere_are_gathered_as_a_fold_composes_them() {
    let mut number = 1_u64;
    let mut below = |bound: usize| {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (number >> 33) as usize % bound
    };
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..2_000 {
        let first = Operation::identity(below(12));
        let mut gathered = Gathered::begin(&first).expect("one component");
        let mut expected = first;
        for _ in 0..30 {
            let len = expected.target_len();
            let at = below(len + 1);
            let deleted = below(4).min(len - at);
            let text = ["", "a", "é", "bc", "🦀 d"][below(5)];
            let next = Operation::splice(len, at, deleted, text).expect("fits");
            if !gathered.take(&next).expect("they meet") {
                refused += 1;
                break;
            }
            taken += 1;
            gathered.check_invariants();
            expected = expected.compose(&next).expect("they meet");
        }
        assert_eq!(gathered.finish(), expected);
    }
    println!("{taken} taken, {refused} refused");
    assert!(taken > 5_000 && refused > 100, "{taken} taken, {refused} refused");
}

#[test]
fn an_operation_of_another_length_is_refused() {
    let first = Operation::splice(2, 1, 1, "ab").expect("fits");
    let mut gathered = Gathered::begin(&first).expect("few components");
    let error = gathered.take(&Operation::identity(2));
    assert_eq!(error.err(), Some(LengthMismatch { expected: 3, found: 2 }));
    assert_eq!(gathered.finish(), first);
}
