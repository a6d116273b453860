//! Every order of events in small worlds. `CONCORD_WORLDS` bounds how many worlds are gone through in
//! one test; without it, those that CI has the time for are gone through whole.

use std::thread;
use std::time::Instant;

use collab_server::simulation::{Explored, PLANTED, Planted, Scope, Small, exhaust};

use crate::runner::{number, quietly};

/// Worlds that CI goes through where it cannot go through all.
const WORLDS_IN_CI: u64 = 5_000;

/// More than any whole small world has.
const ALL: u64 = 1 << 40;

fn check(scope: Scope, edits: usize, worlds_max: u64) -> Explored {
    quietly();
    let small = Small { scope, people: 2, edits };
    let began = Instant::now();
    match thread::spawn(move || exhaust(small, worlds_max)).join().expect("it tells") {
        Ok(explored) => {
            let Explored { worlds, runs, orders, is_whole } = explored;
            println!(
                "{scope:?}, 2 people, {edits} edits each: {worlds} worlds in {runs} runs, {}, {:.0} s",
                if is_whole { format!("all {orders} orders") } else { "not all orders".to_owned() },
                began.elapsed().as_secs_f64()
            );
            explored
        }
        Err(violation) => panic!("{small:?}: {}: {}", violation.oracle, violation.message),
    }
}

fn check_all(scope: Scope, edits: usize) {
    let explored = check(scope, edits, ALL);
    assert!(explored.is_whole && explored.orders > u128::from(explored.worlds));
}

/// The first of them in CI; all where there is time.
fn check_some(scope: Scope, edits: usize) {
    let worlds_max = number("CONCORD_WORLDS", WORLDS_IN_CI);
    let explored = check(scope, edits, worlds_max);
    assert!(explored.is_whole || explored.worlds >= worlds_max);
}

#[test]
fn all_orders_of_two_people_with_one_edit_are_well() {
    check_all(Scope::Quiet, 1);
}

#[test]
fn all_orders_of_two_people_with_two_edits_are_well() {
    check_all(Scope::Quiet, 2);
}

#[test]
fn all_orders_of_one_edit_with_one_reconnect_are_well() {
    check_all(Scope::Reconnect, 1);
}

#[test]
fn orders_of_one_edit_with_one_crash_are_well() {
    check_some(Scope::Crash, 1);
}

#[test]
fn orders_of_two_edits_with_one_reconnect_are_well() {
    check_some(Scope::Reconnect, 2);
}

#[test]
fn orders_of_two_edits_with_one_crash_are_well() {
    check_some(Scope::Crash, 2);
}

#[test]
fn a_planted_bug_is_found_in_a_small_world_too() {
    quietly();
    let found = thread::spawn(|| {
        let bug = PLANTED.iter().find(|planted| planted.name == "ack before it is durable");
        bug.expect("it is in the list").plant();
        let found = exhaust(Small { scope: Scope::Quiet, people: 2, edits: 1 }, ALL);
        Planted::clear();
        found
    });
    assert!(found.join().expect("it tells").is_err());
}
