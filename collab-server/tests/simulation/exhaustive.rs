//! Every order of events in small worlds. `CONCORD_RUNS` bounds how many are gone through (5,000).

use collab_server::simulation::{PLANTED, Planted, Scope, exhaust};

use crate::runner::{number, quietly};

fn check(scope: Scope, edits: usize) {
    quietly();
    let runs_max = number("CONCORD_RUNS", 5_000);
    match std::thread::spawn(move || exhaust(scope, edits, runs_max)).join().expect("it tells") {
        Ok((runs, is_complete)) => {
            let all = if is_complete { "all orders" } else { "the first orders" };
            println!("{scope:?}, 2 clients, {edits} edits each: {runs} runs, {all}");
            assert!(runs > 1);
        }
        Err(violation) => panic!("{scope:?}: {}: {}", violation.oracle, violation.message),
    }
}

#[test]
fn all_orders_of_two_clients_with_two_edits_are_well() {
    check(Scope::Quiet, 2);
}

#[test]
fn all_orders_with_one_reconnect_are_well() {
    check(Scope::Reconnect, 2);
}

#[test]
fn all_orders_with_one_crash_are_well() {
    check(Scope::Crash, 2);
}

#[test]
fn a_planted_bug_is_found_in_a_small_world_too() {
    quietly();
    let found = std::thread::spawn(|| {
        let bug = PLANTED.iter().find(|planted| planted.name == "ack before it is durable");
        bug.expect("it is in the list").plant();
        let found = exhaust(Scope::Quiet, 1, 1_000);
        Planted::clear();
        found
    });
    assert!(found.join().expect("it tells").is_err());
}
