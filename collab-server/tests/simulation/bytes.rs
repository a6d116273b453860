//! The bodies of fuzz targets that live in this crate, on seeded bytes; and what fuzzing has found, by
//! name. `CONCORD_RUNS` says how many inputs each gets (2,000).

use collab_server::simulation::{Bytes, Choice, Seeded, Watch, run, session, stored_rows};

use crate::runner::number;

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
