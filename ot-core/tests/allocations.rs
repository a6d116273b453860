//! How often the engine asks for memory. A test binary of its own, since it counts for the whole
//! process.

use std::alloc::System;

use ot_core::{
    Invertible, Operation, Text, compose_all, transform, transform_committed, transform_pending,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const LEN: usize = 100_000;

/// Allocations while `run` runs.
fn allocations<T>(run: impl FnOnce() -> T) -> usize {
    let region = Region::new(ALLOCATOR);
    let result = run();
    let stats = region.change();
    drop(result);
    stats.allocations + stats.reallocations
}

fn splice(at: usize, deleted: usize, text: &str) -> Operation {
    Operation::splice(LEN, at, deleted, text).expect("fits")
}

#[test]
fn small_operations_allocate_nothing_beyond_their_text() {
    let (insert, delete) = (splice(60_000, 0, "é"), splice(40_000, 1, ""));
    let replace = splice(50_000, 3, "some text");
    let operations = [&insert, &delete, &replace];

    assert_eq!(allocations(|| splice(60_000, 0, "é")), 0, "build an insert");
    assert_eq!(allocations(|| splice(60_000, 1, "")), 0, "build a delete");
    assert_eq!(allocations(|| splice(60_000, 2, "24 bytes of text, inline")), 0, "inline text");
    let builder = || Operation::builder().retain(5).delete(1).insert("x").retain(LEN - 6).build();
    assert_eq!(allocations(builder), 0, "build by steps");
    for a in operations {
        for b in operations {
            assert_eq!(allocations(|| transform(a, b)), 0, "transform {a:?} and {b:?}");
            assert_eq!(allocations(|| transform_pending(a, b)), 0);
            assert_eq!(allocations(|| transform_committed(a, b)), 0);
        }
        assert_eq!(allocations(|| a.clone()), 0, "clone {a:?}");
    }
    // A run of typing composes in place; two places far apart are five components: one buffer.
    let next = Operation::splice(LEN + 1, 60_001, 0, "x").expect("fits");
    assert_eq!(allocations(|| insert.compose(&next)), 0, "compose a run");
    let apart = Operation::splice(LEN + 1, 10, 0, "x").expect("fits");
    assert!(allocations(|| insert.compose(&apart)) <= 1, "compose apart");
    let run = [insert.clone(), next];
    assert!(allocations(|| compose_all(run)) <= 1, "compose many");
    // Long text costs its own buffer, no more.
    assert_eq!(allocations(|| splice(60_000, 0, "more than twenty-four bytes")), 1);

    let mut text = Text::from("0123456789".repeat(LEN / 10).as_str());
    let taken = allocations(|| Invertible::from(delete.clone(), &text).expect("fits"));
    assert!(taken <= 1, "the deleted text is copied once");
    let back = Operation::splice(LEN - 1, 40_000, 0, "0").expect("fits");
    let edit = |text: &mut Text| {
        text.apply(&delete).expect("fits");
        text.apply(&back).expect("fits");
    };
    edit(&mut text);
    assert_eq!(allocations(|| edit(&mut text)), 0, "edit where there is room");
}
