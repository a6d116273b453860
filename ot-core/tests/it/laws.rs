//! The laws, on random texts and edits of 1- to 4-byte characters. What each law says is told in
//! `docs/theory.md`.

use ot_core::testing::{EditPlan, Gap, Gaps, parse, plans, texts};
use ot_core::{
    Assoc, CharOffset, Component, Invertible, Limits, MAX_LEN, Operation, Ranges, Selection, Text,
    TextHash, TransformError, Utf16Offset, compose_all, diff, transform, transform_committed,
    transform_pending,
};
use proptest::prelude::*;

use crate::config;

const TEXT_CHARS: usize = 12;
const STEPS: usize = 6;

fn len(text: &str) -> usize {
    text.chars().count()
}

fn compose(first: &Operation, second: &Operation) -> Operation {
    let both = first.compose(second).expect("they meet");
    both.check_invariants();
    both
}

fn pending(pending: &Operation, committed: &Operation) -> Operation {
    let next = transform_pending(pending, committed).expect("one base");
    next.check_invariants();
    next
}

fn invertible(op: &Operation, base: &str) -> Invertible {
    let edit = Invertible::from(op.clone(), &Text::from(base)).expect("fits");
    edit.check_invariants();
    edit
}

/// Three steps in a row on one text.
fn chain(text: &str, plans: &[EditPlan; 3]) -> [Operation; 3] {
    let mut base_len = len(text);
    plans.each_ref().map(|plan| {
        let op = plan.on(base_len);
        base_len = op.target_len();
        op
    })
}

fn three_plans() -> impl Strategy<Value = [EditPlan; 3]> {
    [plans(STEPS), plans(STEPS), plans(STEPS)]
}

fn limits() -> impl Strategy<Value = Limits> {
    (4..9usize, 4..12usize).prop_map(|(components_max, inserted_bytes_max)| Limits {
        components_max,
        inserted_bytes_max,
        len_max: MAX_LEN,
    })
}

/// Whether `next` inserts at a gap where `op` deleted: what a composed operation cannot show to an
/// offset that keeps in front.
fn inserts_where_deleted(op: &Operation, next: &Operation) -> bool {
    let mut gaps = Vec::new();
    let mut target = 0;
    for component in op.components() {
        match component {
            Component::Retain(len) => target += len,
            Component::Insert(text) => target += text.chars().count(),
            Component::Delete(_) => gaps.push(target),
        }
    }
    let mut offset = 0;
    next.components().any(|component| match component {
        Component::Insert(_) => gaps.contains(&offset),
        Component::Retain(len) | Component::Delete(len) => {
            offset += len;
            false
        }
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn tp1_both_orders_give_one_text(text in texts(TEXT_CHARS), a in plans(STEPS), b in plans(STEPS)) {
        let (a, b) = (a.on(len(&text)), b.on(len(&text)));
        let (a_next, b_next) = transform(&a, &b).expect("one base");
        a_next.check_invariants();
        b_next.check_invariants();
        prop_assert_eq!(
            b_next.apply(&a.apply(&text).expect("fits")),
            a_next.apply(&b.apply(&text).expect("fits"))
        );
        prop_assert_eq!(&transform_pending(&a, &b), &Ok(a_next));
        prop_assert_eq!(&transform_committed(&a, &b), &Ok(b_next));
    }

    #[test]
    fn composition_is_the_sequence(text in texts(TEXT_CHARS), steps in three_plans()) {
        let [a, b, c] = chain(&text, &steps);
        let stepwise = [&a, &b, &c].into_iter().fold(text.clone(), |text, op| op.apply(&text).expect("fits"));
        let all = compose_all([a.clone(), b.clone(), c.clone()]).expect("they meet").expect("some");
        prop_assert_eq!(all.apply(&text).expect("fits"), stepwise);
        prop_assert_eq!(&all, &compose(&compose(&a, &b), &c));
    }

    #[test]
    fn long_and_short_operations_compose_as_the_model_says(
        text in texts(60), long in plans(40), short in plans(2)
    ) {
        for [first, second] in [[&long, &short], [&short, &long]] {
            let a = first.on(len(&text));
            let b = second.on(a.target_len());
            let expected = Gaps::of(&a).compose(&Gaps::of(&b), Gap::Leftmost).to_operation();
            prop_assert_eq!(compose(&a, &b), expected);
        }
    }

    #[test]
    fn many_compose_as_one_after_the_other(
        text in texts(TEXT_CHARS), steps in proptest::collection::vec(plans(2), 1..40)
    ) {
        let mut base_len = len(&text);
        let mut folded = Operation::identity(base_len);
        let ops: Vec<Operation> = steps.iter().map(|plan| {
            let op = plan.on(base_len);
            base_len = op.target_len();
            folded = compose(&folded, &op);
            op
        }).collect();
        let all = compose_all(ops).expect("they meet").expect("some");
        all.check_invariants();
        prop_assert_eq!(all, folded);
    }

    #[test]
    fn runs_of_typing_compose_in_place_as_anywhere(
        text in texts(4), at in 0..5usize, keys in proptest::collection::vec((0..4u8, plans(1)), 1..30)
    ) {
        let mut caret = at.min(len(&text));
        let mut base_len = len(&text);
        let mut folded = Operation::identity(base_len);
        let mut ops = Vec::new();
        for (key, plan) in keys {
            let op = match key {
                0 if caret > 0 => {
                    caret -= 1;
                    Operation::splice(base_len, caret, 1, "").expect("fits")
                }
                1 => plan.on(base_len),
                _ => {
                    caret = caret.min(base_len) + 1;
                    Operation::splice(base_len, caret - 1, 0, "é").expect("fits")
                }
            };
            base_len = op.target_len();
            caret = caret.min(base_len);
            folded = compose(&folded, &op);
            ops.push(op);
        }
        let all = compose_all(ops).expect("they meet").expect("some");
        all.check_invariants();
        prop_assert_eq!(all, folded);
    }

    #[test]
    fn composition_is_associative(text in texts(TEXT_CHARS), steps in three_plans()) {
        let [a, b, c] = chain(&text, &steps);
        prop_assert_eq!(compose(&compose(&a, &b), &c), compose(&a, &compose(&b, &c)));
    }

    #[test]
    fn history_law_composed_history_rebases_as_its_steps(
        text in texts(TEXT_CHARS), steps in three_plans(), c in plans(STEPS)
    ) {
        let [a, b, d] = chain(&text, &steps);
        let c = c.on(len(&text));
        let stepwise = pending(&pending(&pending(&c, &a), &b), &d);
        prop_assert_eq!(&pending(&c, &compose(&compose(&a, &b), &d)), &stepwise);
        prop_assert_eq!(&pending(&pending(&c, &a), &compose(&b, &d)), &stepwise);
    }

    #[test]
    fn committed_side_keeps_its_effect_over_composed_history(
        text in texts(TEXT_CHARS), steps in three_plans(), c in plans(STEPS)
    ) {
        let [a, b, _] = chain(&text, &steps);
        let c = c.on(len(&text));
        let (c_next, a_next) = transform(&c, &a).expect("one base");
        let (_, b_next) = transform(&c_next, &b).expect("one base");
        let at_once = transform_committed(&c, &compose(&a, &b)).expect("one base");
        let local = c.apply(&text).expect("fits");
        prop_assert_eq!(compose(&a_next, &b_next).apply(&local), at_once.apply(&local));
    }

    #[test]
    fn the_engine_agrees_with_the_model(text in texts(TEXT_CHARS), steps in three_plans(), c in plans(STEPS)) {
        let [a, b, _] = chain(&text, &steps);
        let c = c.on(len(&text));
        let (model_a, model_b, model_c) = (Gaps::of(&a), Gaps::of(&b), Gaps::of(&c));
        prop_assert_eq!(model_a.to_operation(), a.clone());
        prop_assert_eq!(model_a.apply(&text), a.apply(&text).expect("fits"));
        prop_assert_eq!(model_a.compose(&model_b, Gap::Leftmost).to_operation(), compose(&a, &b));
        let (c_next, a_next) = transform(&c, &a).expect("one base");
        prop_assert_eq!(model_c.follow_committed(&model_a).to_operation(), c_next);
        prop_assert_eq!(model_a.follow_pending(&model_c).to_operation(), a_next);
    }

    #[test]
    fn the_inverse_restores_the_text(text in texts(TEXT_CHARS), a in plans(STEPS)) {
        let a = a.on(len(&text));
        let target = a.apply(&text).expect("fits");
        let inverse = a.invert(&text).expect("fits");
        inverse.check_invariants();
        prop_assert_eq!(inverse.apply(&target).expect("fits"), text.clone());
        prop_assert_eq!(inverse.invert(&target).expect("fits"), a.clone());
        prop_assert_eq!(invertible(&a, &text).inverse(), inverse);
        prop_assert_eq!(invertible(&a, &text).inverted().inverted(), invertible(&a, &text));
    }

    #[test]
    fn an_invertible_composes_as_if_made_at_once(text in texts(TEXT_CHARS), steps in three_plans()) {
        let [a, b, _] = chain(&text, &steps);
        let middle = a.apply(&text).expect("fits");
        let both = invertible(&a, &text).compose(&invertible(&b, &middle)).expect("they meet");
        both.check_invariants();
        prop_assert_eq!(&both, &invertible(&compose(&a, &b), &text));
    }

    #[test]
    fn an_invertible_follows_as_if_made_there(text in texts(TEXT_CHARS), a in plans(STEPS), b in plans(STEPS)) {
        let (a, b) = (a.on(len(&text)), b.on(len(&text)));
        let there = b.apply(&text).expect("fits");
        let (a_next, b_next) = invertible(&a, &text).transform(&b).expect("one base");
        a_next.check_invariants();
        prop_assert_eq!(&a_next, &invertible(&pending(&a, &b), &there));
        prop_assert_eq!(&b_next, &transform_committed(&a, &b).expect("one base"));
        prop_assert_eq!(&a_next, &invertible(&a, &text).transform_over(&b).expect("one base"));
        let again = a_next.op().apply(&there).expect("fits");
        prop_assert_eq!(a_next.inverse().apply(&again).expect("fits"), there);
    }

    #[test]
    fn a_following_offset_is_bounded_and_keeps_order(
        text in texts(TEXT_CHARS), a in plans(STEPS), x in 0..16usize, y in 0..16usize
    ) {
        let a = a.on(len(&text));
        let (x, y) = (x.min(y).min(len(&text)), x.max(y).min(len(&text)));
        for assoc in [Assoc::Before, Assoc::After] {
            let (x_next, y_next) = (a.transform_offset(x, assoc), a.transform_offset(y, assoc));
            prop_assert!(x_next <= y_next && y_next <= a.target_len());
        }
        prop_assert!(a.transform_offset(x, Assoc::Before) <= a.transform_offset(x, Assoc::After));
        if x < y {
            prop_assert!(a.transform_offset(x, Assoc::After) <= a.transform_offset(y, Assoc::Before));
        }
        prop_assert_eq!(Operation::identity(len(&text)).transform_offset(x, Assoc::Before), x);
        prop_assert_eq!(Operation::identity(len(&text)).transform_offset(x, Assoc::After), x);
    }

    #[test]
    fn an_offset_follows_its_neighbours(text in texts(TEXT_CHARS), a in plans(STEPS), x in 0..16usize) {
        let a = a.on(len(&text));
        let x = x.min(len(&text));
        // The nearest character that survives on each side stays on its side.
        let marked: String = ('\u{E000}'..).take(len(&text)).collect();
        let target: Vec<char> = a.apply(&marked).expect("fits").chars().collect();
        for assoc in [Assoc::Before, Assoc::After] {
            let next = a.transform_offset(x, assoc);
            for (index, mark) in marked.chars().enumerate() {
                if let Some(at) = target.iter().position(|c| *c == mark) {
                    prop_assert_eq!(index < x, at < next);
                }
            }
        }
    }

    #[test]
    fn a_following_selection_keeps_direction_and_text(
        text in texts(TEXT_CHARS), a in plans(STEPS), anchor in 0..16usize, head in 0..16usize
    ) {
        let a = a.on(len(&text));
        let selection = Selection::new(anchor, head).clamp(len(&text));
        let next = selection.transform(&a, Assoc::Before);
        prop_assert!(next.end() <= a.target_len());
        prop_assert!((selection.anchor <= selection.head) == (next.anchor <= next.head) || next.is_caret());
        let marked: String = ('\u{E000}'..).take(len(&text)).collect();
        let target: Vec<char> = a.apply(&marked).expect("fits").chars().collect();
        let selected: String = marked.chars().skip(selection.start()).take(selection.end() - selection.start()).collect();
        let survivors: Vec<char> = target.iter().copied().filter(|c| selected.contains(*c)).collect();
        let now: Vec<char> = target[next.start()..next.end()].to_vec();
        prop_assert_eq!(now.iter().copied().filter(|c| marked.contains(*c)).collect::<Vec<_>>(), survivors.clone());
        if survivors.len() == selected.chars().count() && !selected.is_empty() {
            prop_assert_eq!(now.first(), survivors.first());
            prop_assert_eq!(now.last(), survivors.last());
        }
    }

    #[test]
    fn following_composed_history_equals_following_its_steps(
        text in texts(TEXT_CHARS), steps in three_plans(), anchor in 0..16usize, head in 0..16usize
    ) {
        let [a, b, _] = chain(&text, &steps);
        let both = compose(&a, &b);
        let x = anchor.min(len(&text));
        let stepwise = |assoc| b.transform_offset(a.transform_offset(x, assoc), assoc);
        prop_assert_eq!(both.transform_offset(x, Assoc::After), stepwise(Assoc::After));
        let ranges = Ranges::new([Selection::new(anchor, head), Selection::caret(head)]).expect("two").clamp(len(&text));
        let at_once = ranges.transform(&both, Assoc::Before);
        prop_assert!(at_once.fit(both.target_len()));
        if inserts_where_deleted(&a, &b) {
            prop_assert!(both.transform_offset(x, Assoc::Before) >= stepwise(Assoc::Before));
        } else {
            prop_assert_eq!(both.transform_offset(x, Assoc::Before), stepwise(Assoc::Before));
        }
        if a.components().all(|component| !matches!(component, Component::Delete(_))) {
            prop_assert_eq!(at_once, ranges.transform(&a, Assoc::Before).transform(&b, Assoc::Before));
        }
    }

    #[test]
    fn diff_leads_from_old_to_new(old in texts(40), plan in plans(8), other in texts(40), caret in 0..50usize) {
        let edited = plan.on(len(&old)).apply(&old).expect("fits");
        for new in [edited.as_str(), other.as_str()] {
            for caret in [None, Some(caret)] {
                let op = diff(&old, new, caret);
                op.check_invariants();
                prop_assert_eq!(op.apply(&old).expect("fits"), new);
                prop_assert_eq!(op.is_identity(), old == new);
            }
        }
    }

    #[test]
    fn diff_finds_the_very_splice_when_told_the_caret(
        text in "[ab]{0,8}", at in 0..9usize, deleted in 0..3usize, typed in "[ab]{0,3}"
    ) {
        let at = at.min(len(&text));
        let deleted = deleted.min(len(&text) - at);
        let splice = Operation::splice(len(&text), at, deleted, &typed).expect("fits");
        let new = splice.apply(&text).expect("fits");
        let found = diff(&text, &new, Some(at + len(&typed)));
        prop_assert!(found.inserted_bytes() <= typed.len());
        if deleted == 0 || typed.is_empty() {
            prop_assert_eq!(found, splice);
        }
    }

    #[test]
    fn split_parts_fit_and_compose_to_the_operation(
        text in texts(TEXT_CHARS), plan in plans(12), limits in limits()
    ) {
        let op = plan.on(len(&text));
        let edit = invertible(&op, &text);
        let (mut parts, mut left) = (Vec::new(), Some(edit.clone()));
        while let Some(edit) = left {
            let (prefix, rest) = edit.split(&limits);
            prefix.check_invariants();
            prop_assert!(prefix.op().fits(&limits), "{:?}", prefix);
            prop_assert!(rest.is_none() || !prefix.is_identity(), "every part does something");
            parts.push(prefix);
            left = rest;
        }
        let ops = parts.iter().map(|part| part.op().clone());
        prop_assert_eq!(compose_all(ops).expect("they meet").expect("some"), op);
        let whole = parts.into_iter().reduce(|a, b| a.compose(&b).expect("they meet")).expect("some");
        prop_assert_eq!(whole, edit);
    }

    #[test]
    fn wire_and_binary_forms_read_back_as_written(text in texts(TEXT_CHARS), plan in plans(12)) {
        let op = plan.on(len(&text));
        prop_assert_eq!(Operation::from_json(&op.to_json(), &Limits::NONE), Ok(op.clone()));
        prop_assert_eq!(Operation::from_bytes(&op.to_bytes(), &Limits::NONE), Ok(op.clone()));
        prop_assert_eq!(parse(&format!("{op:?}")), Ok(op));
    }

    #[test]
    fn no_bytes_make_the_decoders_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40), json in "[\\[\\]0-9,\"\\\\ud83ex é😀-]{0,30}") {
        if let Ok(op) = Operation::from_bytes(&bytes, &Limits::NONE) {
            op.check_invariants();
            prop_assert_eq!(op.to_bytes(), bytes);
        }
        if let Ok(op) = Operation::from_json(&json, &Limits::NONE) {
            op.check_invariants();
        }
    }

    #[test]
    fn the_rope_edits_as_a_plain_string(text in texts(60), steps in proptest::collection::vec(plans(STEPS), 0..8)) {
        let (mut rope, mut plain) = (Text::from(text.as_str()), text);
        for plan in steps {
            let op = plan.on(len(&plain));
            prop_assert_eq!(rope.removed_by(&op), Text::from(plain.as_str()).removed_by(&op));
            rope.apply(&op).expect("fits");
            plain = op.apply(&plain).expect("fits");
        }
        prop_assert_eq!(rope.to_string(), plain.clone());
        prop_assert!(rope == *plain.as_str());
        prop_assert_eq!((rope.len_chars(), rope.len_bytes()), (len(&plain), plain.len()));
        prop_assert_eq!(rope.len_utf16(), plain.encode_utf16().count());
        prop_assert_eq!(rope.hash(), TextHash::of(&plain));
        let mut utf16 = 0;
        for (chars, c) in plain.chars().enumerate() {
            prop_assert_eq!(rope.char_to_utf16(CharOffset::new(chars)), Utf16Offset::new(utf16));
            prop_assert_eq!(rope.utf16_to_char(Utf16Offset::new(utf16)), Ok(CharOffset::new(chars)));
            if c.len_utf16() == 2 {
                prop_assert!(rope.utf16_to_char(Utf16Offset::new(utf16 + 1)).is_err());
            }
            utf16 += c.len_utf16();
        }
        let (from, to) = (len(&plain) / 3, len(&plain) / 2);
        prop_assert_eq!(rope.slice(from..to), plain.chars().skip(from).take(to - from).collect::<String>());
    }

    #[test]
    fn operations_on_other_lengths_are_refused(text in texts(TEXT_CHARS), a in plans(STEPS), extra in 1..4usize) {
        let a = a.on(len(&text));
        let other = Operation::identity(a.target_len() + extra);
        prop_assert!(a.compose(&other).is_err());
        let beside = Operation::identity(a.base_len() + extra);
        prop_assert!(matches!(transform(&a, &beside), Err(TransformError::Mismatch(_))));
        let longer = text + &"x".repeat(extra);
        prop_assert!(a.apply(&longer).is_err());
    }
}
