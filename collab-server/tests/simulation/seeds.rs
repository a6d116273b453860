//! Seeds without a planted bug: nothing wrong may be seen.

use std::time::Instant;

use collab_server::simulation::{Seeded, Watch, run};

use crate::runner::{number, report, seeds};

#[test]
fn no_seed_shows_a_violation() {
    let began = Instant::now();
    let (first, count) = (number("CONCORD_FIRST_SEED", 0), number("CONCORD_SEEDS", 20_000));
    let outcome = seeds(first, count, None);
    println!(
        "{} seeds from {first}: {} events, {} operations committed, {} faults, {:.0} s",
        outcome.seeds,
        outcome.events,
        outcome.committed,
        outcome.faults,
        began.elapsed().as_secs_f64()
    );
    if let Some((seed, violation)) = outcome.first {
        panic!("{}", report(seed, &violation));
    }
    assert!(outcome.committed > count && outcome.faults > count, "a world in which things happen");
}

/// With `CONCORD_SEED`, what happens in that one, line by line; else seed 0.
#[test]
fn one_seed_is_told_step_by_step() {
    let seed = number("CONCORD_SEED", 0);
    let is_wanted = std::env::var_os("CONCORD_SEED").is_some();
    let lines = match run(&mut Seeded::new(seed), Watch { trace: true }) {
        Ok(summary) => {
            println!("seed {seed}: no violation, {summary:?}");
            assert!(summary.events > 0);
            return;
        }
        Err(violation) => {
            if is_wanted {
                violation.trace.iter().for_each(|line| println!("{line}"));
            }
            report(seed, &violation)
        }
    };
    panic!("{lines}");
}
