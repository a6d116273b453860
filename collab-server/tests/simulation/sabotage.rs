//! A test of the test: every planted bug is found, and it is told how soon and by what.

use std::fmt::Write;

use collab_server::simulation::{PLANTED, PLANTED_IN_TALK, Planted};

use crate::runner::{DOCUMENTS, TALKS, Worlds, seeds};

const SEEDS_MAX: u64 = 5_000;

#[test]
fn every_planted_bug_is_found_within_5_000_seeds() {
    find_all(DOCUMENTS, &PLANTED);
}

#[test]
fn every_bug_planted_in_chats_and_notifications_is_found_within_5_000_seeds() {
    find_all(TALKS, &PLANTED_IN_TALK);
}

fn find_all(worlds: Worlds, bugs: &[Planted]) {
    let mut table = format!("{:<50} {:<34} seeds\n", "planted bug", "found by");
    let mut missed = Vec::new();
    for planted in bugs.iter().copied() {
        let outcome = seeds(worlds, 0, SEEDS_MAX, Some(planted));
        match outcome.first {
            Some((seed, violation)) => {
                let control = seeds(worlds, seed, 1, None).first.is_none();
                assert!(control, "seed {seed} is not well without {:?} either", planted.name);
                let needed = seed + 1;
                let row = writeln!(table, "{:<50} {:<34} {needed}", planted.name, violation.oracle);
                row.expect("a string takes it");
            }
            None => missed.push(planted.name),
        }
    }
    println!("{table}");
    assert!(missed.is_empty(), "not found within {SEEDS_MAX} seeds: {missed:?}");
}
