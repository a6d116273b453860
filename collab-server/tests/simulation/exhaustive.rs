//! Every order of events in small worlds. `CONCORD_WORLDS` bounds how many worlds are gone through in
//! one test; without it, those that CI has the time for are gone through whole.

use std::thread;
use std::time::Instant;

use collab_server::simulation::{
    Explored, LeftOut, PLANTED, Planted, Scope, Small, Violation, exhaust,
};

use crate::runner::{number, quietly};

/// Worlds that CI goes through where it cannot go through all.
const WORLDS_IN_CI: u64 = 5_000;

/// More than any whole small world has.
const ALL: u64 = 1 << 40;

const fn small(scope: Scope, edits: &'static [usize]) -> Small {
    Small { scope, edits, left_out: LeftOut::Unanswered }
}

fn walk(
    small: Small,
    worlds_max: u64,
    planted: Option<Planted>,
) -> Result<Explored, Box<Violation>> {
    quietly();
    let walk = move || {
        planted.into_iter().for_each(Planted::plant);
        let walked = exhaust(small, worlds_max);
        Planted::clear();
        walked
    };
    thread::spawn(walk).join().expect("it tells")
}

fn check(small: Small, worlds_max: u64) -> Explored {
    let began = Instant::now();
    match walk(small, worlds_max, None) {
        Ok(explored) => {
            let Explored { worlds, runs, orders, is_whole, ends, outcomes } = explored;
            let Small { scope, edits, left_out } = small;
            println!(
                "{scope:?}, edits of each {edits:?}, left out {left_out:?}: {worlds} worlds, {runs} ways \
                 to one that was known or to one of {} ends with {} outcomes, {}, {:.1} s",
                ends.count,
                outcomes.count,
                if is_whole { format!("all {orders} orders") } else { "not all orders".to_owned() },
                began.elapsed().as_secs_f64()
            );
            explored
        }
        Err(violation) => panic!("{small:?}: {}: {}", violation.oracle, violation.message),
    }
}

fn check_all(small: Small) -> Explored {
    let explored = check(small, ALL);
    assert!(explored.is_whole && explored.orders > u128::from(explored.worlds));
    explored
}

/// The first of them in CI; all where there is time.
fn check_some(small: Small) {
    let worlds_max = number("CONCORD_WORLDS", WORLDS_IN_CI);
    let explored = check(small, worlds_max);
    assert!(explored.is_whole || explored.worlds >= worlds_max);
}

/// Goes through a world with nothing left out, with what commutes left out, and with all that may be: the
/// same must come of it, by every field where events commute.
fn check_rules(scope: Scope, edits: &'static [usize]) {
    let every = check_all(Small { left_out: LeftOut::Nothing, ..small(scope, edits) });
    let commuting = check_last_rule(scope, edits);
    assert_eq!((commuting.ends, commuting.outcomes), (every.ends, every.outcomes));
    assert!(commuting.worlds < every.worlds && commuting.orders < every.orders);
}

/// The same with what commutes left out, and with all that may be.
fn check_last_rule(scope: Scope, edits: &'static [usize]) -> Explored {
    let [commuting, least] = [LeftOut::Commuting, LeftOut::Unanswered]
        .map(|left_out| check_all(Small { left_out, ..small(scope, edits) }));
    assert_eq!(least.outcomes, commuting.outcomes);
    assert!(least.worlds < commuting.worlds && least.orders < commuting.orders);
    commuting
}

/// The planted bugs that a world shows, by name.
fn found(small: Small) -> Vec<&'static str> {
    let is_found = |planted: &&Planted| walk(small, ALL, Some(**planted)).is_err();
    PLANTED.iter().filter(is_found).map(|planted| planted.name).collect()
}

#[test]
fn all_orders_of_two_people_with_one_edit_are_well() {
    check_all(small(Scope::Quiet, &[1, 1]));
}

#[test]
fn all_orders_of_two_people_with_two_edits_are_well() {
    check_all(small(Scope::Quiet, &[2, 2]));
}

#[test]
fn all_orders_of_one_edit_with_one_reconnect_are_well() {
    check_all(small(Scope::Reconnect, &[1, 1]));
}

#[test]
fn all_orders_of_one_edit_with_one_crash_are_well() {
    check_all(small(Scope::Crash, &[1, 1]));
}

#[test]
fn orders_of_two_edits_with_one_reconnect_are_well() {
    check_some(small(Scope::Reconnect, &[2, 2]));
}

#[test]
fn orders_of_two_edits_and_one_with_one_crash_are_well() {
    check_some(small(Scope::Crash, &[2, 1]));
}

#[test]
fn orders_of_two_edits_with_one_crash_are_well() {
    check_some(small(Scope::Crash, &[2, 2]));
}

#[test]
fn all_orders_of_one_person_with_one_crash_or_reconnect_are_well() {
    check_all(small(Scope::Reconnect, &[2]));
    check_all(small(Scope::Crash, &[2]));
}

#[test]
fn orders_that_are_left_out_end_as_others_do() {
    check_rules(Scope::Quiet, &[1, 1]);
    check_rules(Scope::Quiet, &[2, 1]);
    check_rules(Scope::Reconnect, &[1]);
    check_rules(Scope::Crash, &[1]);
    check_rules(Scope::Crash, &[2]);
}

/// With nothing left out this world takes longer than all other tests here: only where there is time.
#[test]
fn orders_that_are_left_out_with_one_crash_between_two_end_as_others_do() {
    if std::env::var_os("CONCORD_WORLDS").is_some() {
        return check_rules(Scope::Crash, &[1, 1]);
    }
    check_last_rule(Scope::Crash, &[1, 1]);
}

#[test]
fn planted_bugs_are_found_with_orders_left_out_as_without() {
    for (scope, edits) in [(Scope::Quiet, &[1, 1][..]), (Scope::Crash, &[1])] {
        let reduced = found(small(scope, edits));
        let every = found(Small { left_out: LeftOut::Nothing, ..small(scope, edits) });
        assert_eq!(reduced, every, "{scope:?}");
        assert!(reduced.contains(&"ack before it is durable"), "{scope:?}: {reduced:?}");
    }
}

#[test]
fn a_bug_that_only_a_crash_or_a_reconnect_shows_is_found_there() {
    let doubled = "resends are not recognised";
    assert!(found(small(Scope::Crash, &[1])).contains(&doubled));
    assert!(found(small(Scope::Reconnect, &[1])).contains(&doubled));
    assert!(!found(small(Scope::Quiet, &[1, 1])).contains(&doubled));
}
