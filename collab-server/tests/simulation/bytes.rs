//! The bodies of fuzz targets that live in this crate, on seeded bytes; and what fuzzing has found, by
//! name. `CONCORD_RUNS` says how many inputs each gets (2,000).

use std::thread;

use collab_server::simulation::{Bytes, Choice, Seeded, Watch, run, session, stored_rows};

use crate::runner::{number, quietly};

/// Inputs of up to `len_max` bytes, each from its seed.
fn inputs(len_max: u64) -> impl Iterator<Item = (u64, Vec<u8>)> {
    (0..number("CONCORD_RUNS", 2_000)).map(move |seed| {
        let mut choice = Seeded::new(seed);
        let len = choice.below(len_max + 1);
        (seed, (0..len).map(|_| choice.below(256) as u8).collect())
    })
}

/// Says which input it was that a check panicked on.
struct Input(u64);

impl Drop for Input {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("input of seed {}", self.0);
        }
    }
}

/// Choices of a seed, and 0 from some point on: as a fuzzer's bytes end.
struct RunsDry {
    choice: Seeded,
    left: usize,
}

impl Choice for RunsDry {
    fn below(&mut self, bound: u64) -> u64 {
        if self.left == 0 {
            return 0;
        }
        self.left -= 1;
        self.choice.below(bound)
    }
}

/// Choices of a seed, in which whatever may take seconds takes no time.
struct Hasty(Seeded);

impl Choice for Hasty {
    fn below(&mut self, bound: u64) -> u64 {
        if bound >= 5_000 { 0 } else { self.0.below(bound) }
    }
}

/// Nothing wrong may be seen in the world of any of these choices.
fn check_worlds<C: Choice>(choice_of: impl Fn(u64) -> C + Sync) {
    quietly();
    let check = || {
        for seed in 0..number("CONCORD_RUNS", 2_000).min(1_000) {
            if let Err(violation) = run(&mut choice_of(seed), Watch::default()) {
                return Err(format!("seed {seed}: {}: {}", violation.oracle, violation.message));
            }
        }
        Ok(())
    };
    let checked = thread::scope(|scope| scope.spawn(check).join().expect("it tells"));
    assert_eq!(checked, Ok(()));
}

/// The loser of a race for the log asked what it had lost to, which was not on disk yet, and tried
/// again, without end in one moment: the store had answered in no time.
#[test]
fn who_loses_a_race_lets_the_winner_finish_where_nothing_else_takes_time() {
    check_worlds(|seed| RunsDry {
        choice: Seeded::new(seed),
        left: 100 + 3 * (seed % 300) as usize,
    });
}

/// A look at the rights of a document that was being loaded was put off for no time.
#[test]
fn a_look_at_rights_that_must_wait_for_a_load_comes_again_later() {
    check_worlds(|seed| Hasty(Seeded::new(seed)));
}

#[test]
fn frames_of_any_bytes_get_one_answer_each_and_break_nothing() {
    for (seed, bytes) in inputs(600) {
        let _input = Input(seed);
        session(&bytes);
    }
}

#[test]
fn rows_of_any_bytes_are_read_as_written_or_refused() {
    for (seed, bytes) in inputs(400) {
        let _input = Input(seed);
        stored_rows(&bytes);
    }
}

#[test]
fn worlds_of_any_bytes_are_well() {
    for (seed, bytes) in inputs(3_000).step_by(8) {
        if run(&mut Bytes::new(&bytes), Watch::default()).is_ok() {
            continue;
        }
        let Err(violation) = run(&mut Bytes::new(&bytes), Watch { trace: true }) else {
            panic!("input of seed {seed}: it goes wrong, and then it does not");
        };
        let last = violation.trace.len().saturating_sub(60);
        violation.trace[last..].iter().for_each(|line| println!("{line}"));
        panic!("input of seed {seed}: {}: {}", violation.oracle, violation.message);
    }
}
