//! Clients and a server that delays, cuts, repeats, refuses and composes end with one text.

use ot_core::testing::{Report, run_schedule};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::config;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn replicas_converge_under_every_schedule(bytes in vec(any::<u8>(), 0..400)) {
        run_schedule(&bytes);
    }
}

/// The schedules above are worth nothing if they never do what they are for.
#[test]
fn schedules_cover_every_kind_of_trouble() {
    let mut total = Report::default();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..300 {
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .take(600)
        .collect();
        total.add(&run_schedule(&bytes));
    }
    println!("{total:?}");
    assert!(total.commits > 1_000 && total.composed > 200, "{total:?}");
    assert!(total.rejects > 50 && total.repeats > 50 && total.splits > 50, "{total:?}");
}
