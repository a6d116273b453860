//! Every case there is, for small documents: each gap with or without an insert, each character
//! kept or deleted.

use ot_core::testing::{Gap, Gaps};
use ot_core::{Component, Operation, transform, transform_pending};

/// Every operation on a text of `base_len` characters with at most one insert for each gap, each
/// of its own letter starting at `letter`.
fn operations(base_len: usize, letter: char) -> Vec<Operation> {
    let gaps = base_len + 1;
    (0..1u32 << (gaps + base_len))
        .map(|bits| {
            let mut builder = Operation::builder();
            for gap in 0..gaps {
                if bits >> gap & 1 == 1 {
                    let own = char::from_u32(letter as u32 + gap as u32).expect("a letter");
                    builder = builder.insert(&own.to_string());
                }
                if gap < base_len {
                    let deleted = bits >> (gaps + gap) & 1 == 1;
                    builder = if deleted { builder.delete(1) } else { builder.retain(1) };
                }
            }
            builder.build().expect("small")
        })
        .collect()
}

fn texts(len_max: usize) -> impl Iterator<Item = (usize, &'static str)> {
    (0..=len_max).map(|len| (len, &"αβγδ"[..2 * len]))
}

/// Calls `check` with every committed `a`, `b` and pending `c` on documents of up to 2 characters.
/// Returns how many triples there were.
fn for_all_triples(mut check: impl FnMut(&str, &Operation, &Operation, &Operation)) -> usize {
    let mut triples = 0;
    for (len, text) in texts(2) {
        for a in operations(len, 'a') {
            for b in operations(a.target_len(), 'p') {
                for c in operations(len, 'A') {
                    triples += 1;
                    check(text, &a, &b, &c);
                }
            }
        }
    }
    triples
}

#[test]
fn tp1_holds_for_every_pair_up_to_three_characters() {
    let mut pairs = 0;
    for (len, text) in texts(3) {
        let (ours, theirs) = (operations(len, 'A'), operations(len, 'a'));
        for a in &ours {
            for b in &theirs {
                pairs += 1;
                let (a_next, b_next) = transform(a, b).expect("one base");
                let one = b_next.apply(&a.apply(text).expect("fits"));
                let other = a_next.apply(&b.apply(text).expect("fits"));
                assert_eq!(one, other, "{a:?} beside {b:?}");
            }
        }
    }
    println!("TP1: {pairs} pairs, 0 violations");
    assert_eq!(pairs, 2 * 2 + 8 * 8 + 32 * 32 + 128 * 128);
}

#[test]
fn history_law_holds_for_every_triple_up_to_two_characters() {
    let triples = for_all_triples(|_, a, b, c| {
        let stepwise = transform_pending(&transform_pending(c, a).expect("base"), b).expect("base");
        let both = a.compose(b).expect("they meet");
        let at_once = transform_pending(c, &both).expect("base");
        assert_eq!(at_once, stepwise, "{c:?} over {a:?} then {b:?}");
    });
    println!("history law: {triples} triples, 0 violations");
    assert_eq!(triples, 202_020);
}

/// What most libraries do: where an insert and a delete touch, the insert goes in front.
fn inserts_first(operation: &Operation) -> Operation {
    let mut builder = Operation::builder();
    let mut deleted = 0;
    for component in operation.components() {
        match component {
            Component::Insert(text) => builder = builder.insert(text),
            Component::Delete(len) => deleted += len,
            Component::Retain(len) => {
                builder = builder.delete(std::mem::take(&mut deleted)).retain(len);
            }
        }
    }
    builder.delete(deleted).build().expect("small")
}

#[test]
fn control_inserts_before_deletes_break_the_history_law() {
    let follow = |c: &Operation, a: &Operation| {
        inserts_first(&transform_pending(&inserts_first(c), &inserts_first(a)).expect("base"))
    };
    let mut violations = 0;
    let mut example = None;
    let triples = for_all_triples(|text, a, b, c| {
        let both = a.compose(b).expect("they meet");
        let committed = both.apply(text).expect("fits");
        let stepwise = follow(&follow(c, a), b).apply(&committed).expect("fits");
        let at_once = follow(c, &both).apply(&committed).expect("fits");
        if stepwise != at_once {
            violations += 1;
            example.get_or_insert_with(|| format!("{c:?} over {a:?} then {b:?}"));
        }
    });
    println!("inserts before deletes: {violations} of {triples} texts differ, first: {example:?}");
    assert!(violations > 30_000, "the law test sees what the normal form is for");
}

#[test]
fn control_the_rightmost_gap_breaks_the_history_law() {
    let mut violations = 0;
    let triples = for_all_triples(|_, a, b, c| {
        let (model_a, model_b) = (Gaps::of(a), Gaps::of(b));
        let both = model_a.compose(&model_b, Gap::Rightmost).to_operation();
        let stepwise = transform_pending(&transform_pending(c, a).expect("base"), b).expect("base");
        violations += usize::from(transform_pending(c, &both).expect("base") != stepwise);
    });
    println!("rightmost gap: {violations} of {triples} operations differ");
    assert!(violations > 10_000, "the law test sees what the leftmost gap is for");
}
