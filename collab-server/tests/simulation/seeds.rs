//! Seeds without a planted bug: nothing wrong may be seen.

use std::time::Instant;

use collab_server::simulation::{Listed, PLANTED, Planted, Seeded, Watch, run};

use crate::runner::{
    DOCUMENTS, TALKS, Worlds, choices_of, number, quietly, report, seeds, shortened, written,
};

/// Runs so many seeds of these worlds, from `CONCORD_FIRST_SEED` on.
fn hold(worlds: Worlds, count: u64, [of, done]: [&str; 2]) {
    let began = Instant::now();
    let first = number("CONCORD_FIRST_SEED", 0);
    let outcome = seeds(worlds, first, count, None);
    println!(
        "{} {of} from {first}: {} events, {} {done}, {} faults, {:.0} s",
        outcome.seeds,
        outcome.events,
        outcome.committed,
        outcome.faults,
        began.elapsed().as_secs_f64()
    );
    if let Some((seed, violation)) = outcome.first {
        panic!("{}", report(worlds, seed, &violation));
    }
    assert!(outcome.committed > count && outcome.faults > count, "a world in which things happen");
}

#[test]
fn no_seed_shows_a_violation() {
    hold(DOCUMENTS, number("CONCORD_SEEDS", 20_000), ["seeds", "operations committed"]);
}

#[test]
fn no_talk_shows_a_violation() {
    hold(TALKS, number("CONCORD_TALKS", 2_000), ["talks", "changes of chats"]);
}

/// With `CONCORD_SEED`, what happens in that one, line by line; with `CONCORD_CHOICES`, in the run of
/// those choices; else in seed 0.
#[test]
fn one_seed_is_told_step_by_step() {
    tell(DOCUMENTS);
}

/// The same of chats and notifications, with `CONCORD_TALK_SEED` or `CONCORD_TALK_CHOICES`.
#[test]
fn one_talk_is_told_step_by_step() {
    tell(TALKS);
}

fn tell(worlds: Worlds) {
    if let Ok(choices) = std::env::var(worlds.choices) {
        let choices = choices_of(&choices);
        let told = (worlds.run)(&mut Listed::new(&choices), Watch { trace: true });
        let violation = match told {
            Ok(summary) => return println!("{} choices: {summary:?}", choices.len()),
            Err(violation) => violation,
        };
        violation.trace.iter().for_each(|line| println!("{line}"));
        panic!("{}: {}", violation.oracle, violation.message);
    }
    let seed = number(worlds.seed, 0);
    let is_wanted = std::env::var_os(worlds.seed).is_some();
    let lines = match (worlds.run)(&mut Seeded::new(seed), Watch { trace: true }) {
        Ok(summary) => {
            println!("seed {seed}: no violation, {summary:?}");
            assert!(summary.events > 0);
            return;
        }
        Err(violation) => {
            if is_wanted {
                violation.trace.iter().for_each(|line| println!("{line}"));
            }
            println!("{}: {}; looking for fewer choices", violation.oracle, violation.message);
            report(worlds, seed, &violation)
        }
    };
    panic!("{lines}");
}

#[test]
fn what_goes_wrong_goes_wrong_with_fewer_choices_too() {
    quietly();
    let told = std::thread::spawn(|| {
        let bug = PLANTED.iter().find(|planted| planted.name == "resends are not recognised");
        bug.expect("it is in the list").plant();
        let found = (0..1_000).find_map(|seed| {
            let violation = run(&mut Seeded::new(seed), Watch::default()).err()?;
            Some((seed, violation.oracle))
        });
        let (seed, oracle) = found.expect("it is found soon");
        let (all, short) = shortened(DOCUMENTS, seed, oracle);
        let short = choices_of(&written(&short));
        let again = run(&mut Listed::new(&short), Watch { trace: true });
        Planted::clear();
        let control = run(&mut Listed::new(&short), Watch::default());
        (seed, oracle, all, short, again, control)
    });
    let (seed, oracle, all, short, again, control) = told.join().expect("it tells");
    println!("seed {seed}: {oracle}: {} choices of {}", short.len(), all.len());
    let again = again.expect_err("the short list goes wrong too");
    assert_eq!(again.oracle, oracle);
    assert!(!again.trace.is_empty(), "and tells what happened");
    assert!(short.len() * 2 < all.len(), "{} choices of {}", short.len(), all.len());
    assert!(control.is_ok(), "it is the bug that goes wrong, not the list: {control:?}");
}
