//! Many seeds on all cores.

use std::cell::Cell;
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use collab_server::simulation::{
    Choice, Listed, Planted, Recorded, Seeded, Summary, Violation, Watch, minimise, run, run_talk,
};

/// A number from the environment.
pub(crate) fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {text:?}")),
        Err(_) => default,
    }
}

/// What many seeds came to.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) seeds: u64,
    pub(crate) events: u64,
    pub(crate) committed: u64,
    pub(crate) faults: u64,
    /// The lowest seed that went wrong, and what was seen.
    pub(crate) first: Option<(u64, Box<Violation>)>,
}

thread_local! {
    /// Whether this thread tries what goes wrong with fewer choices.
    static IS_TRYING: Cell<bool> = const { Cell::new(false) };
}

/// Worlds of one kind, and how one of them is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Worlds {
    pub(crate) run: fn(&mut dyn Choice, Watch) -> Result<Summary, Box<Violation>>,
    /// The variables that name a seed or choices, and the test that reads them.
    pub(crate) seed: &'static str,
    pub(crate) choices: &'static str,
    pub(crate) test: &'static str,
}

/// Documents, and who edits them.
pub(crate) const DOCUMENTS: Worlds =
    Worlds { run, seed: "CONCORD_SEED", choices: "CONCORD_CHOICES", test: "one_seed_is_told" };

/// A chat, and who is told what.
pub(crate) const TALKS: Worlds = Worlds {
    run: run_talk,
    seed: "CONCORD_TALK_SEED",
    choices: "CONCORD_TALK_CHOICES",
    test: "one_talk_is_told",
};

/// A violation is what is looked for: it is told once, at the end.
pub(crate) fn quietly() {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let told = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // The simulation runs on threads without a name.
            if thread::current().name().is_some() && !IS_TRYING.get() {
                told(info);
            }
        }));
    });
}

/// Runs the seeds from `first` on, until one goes wrong or `count` are done. One in a hundred is run
/// twice and must go the same way.
pub(crate) fn seeds(worlds: Worlds, first: u64, count: u64, planted: Option<Planted>) -> Outcome {
    quietly();
    let next = AtomicU64::new(first);
    let end = AtomicU64::new(first + count);
    let worker = || {
        if let Some(planted) = planted {
            planted.plant();
        }
        let mut outcome = Outcome::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end.load(Ordering::Relaxed) {
                return outcome;
            }
            outcome.seeds += 1;
            match once(worlds, seed, planted.is_none()) {
                Ok(summary) => {
                    outcome.events += summary.events;
                    outcome.committed += summary.committed;
                    outcome.faults += summary.faults;
                }
                Err(violation) => {
                    // Seeds below this one are still run, so that the lowest is found.
                    end.fetch_min(seed, Ordering::Relaxed);
                    outcome.first = Some((seed, violation));
                    return outcome;
                }
            }
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let outcomes: Vec<Outcome> = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        threads.into_iter().map(|thread| thread.join().expect("it tells what it saw")).collect()
    });
    outcomes.into_iter().fold(Outcome::default(), add)
}

fn add(mut sum: Outcome, one: Outcome) -> Outcome {
    sum.seeds += one.seeds;
    sum.events += one.events;
    sum.committed += one.committed;
    sum.faults += one.faults;
    let is_lower = |seed: u64| sum.first.as_ref().is_none_or(|(lowest, _)| seed < *lowest);
    if let Some((seed, violation)) = one.first
        && is_lower(seed)
    {
        sum.first = Some((seed, violation));
    }
    sum
}

fn once(worlds: Worlds, seed: u64, may_repeat: bool) -> Result<Summary, Box<Violation>> {
    let summary = (worlds.run)(&mut Seeded::new(seed), Watch::default())?;
    if may_repeat && seed.is_multiple_of(100) {
        let again = (worlds.run)(&mut Seeded::new(seed), Watch::default())?;
        if again != summary {
            let message = format!("{summary:?}, and then {again:?}");
            let (oracle, trace) = ("the same seed goes the same way", Vec::new());
            return Err(Box::new(Violation { oracle, message, trace }));
        }
    }
    Ok(summary)
}

/// Runs in which a shorter list of choices is looked for.
const TRIES_MAX: usize = 3_000;

/// The choices of a seed that goes wrong, and fewer that go wrong before the same oracle.
pub(crate) fn shortened(worlds: Worlds, seed: u64, oracle: &str) -> (Vec<u64>, Vec<u64>) {
    quietly();
    IS_TRYING.set(true);
    let mut recorded = Recorded::new(Seeded::new(seed));
    let _ = (worlds.run)(&mut recorded, Watch::default());
    let all = recorded.into_choices();
    let fails = |choices: &[u64]| {
        let found = (worlds.run)(&mut Listed::new(choices), Watch::default());
        found.is_err_and(|found| found.oracle == oracle)
    };
    let short = minimise(all.clone(), TRIES_MAX, fails);
    IS_TRYING.set(false);
    (all, short)
}

/// What a person needs to look into a seed that went wrong. With the bug in this thread, if one is
/// planted.
pub(crate) fn report(worlds: Worlds, seed: u64, violation: &Violation) -> String {
    let (all, short) = shortened(worlds, seed, violation.oracle);
    let path = std::env::temp_dir().join(format!("concord-seed-{seed}.choices"));
    let kept = std::fs::write(&path, written(&short));
    let Worlds { seed: named, choices, test, .. } = worlds;
    let command = format!(
        "cargo test --package collab-server --features simulation --test simulation {test} \
         -- --nocapture"
    );
    let shown = match kept {
        Ok(()) => path.display().to_string(),
        Err(_) => written(&short),
    };
    format!(
        "seed {seed}: {}: {}\n  see it again, step by step: {named}={seed} {command}\n  \
         {} of its {} choices are enough: {choices}={shown} {command}",
        violation.oracle,
        violation.message,
        short.len(),
        all.len(),
    )
}

/// Choices as text.
pub(crate) fn written(choices: &[u64]) -> String {
    choices.iter().map(u64::to_string).collect::<Vec<_>>().join(",")
}

/// The choices of such a text, or of the file that has it.
pub(crate) fn choices_of(text_or_path: &str) -> Vec<u64> {
    let file = std::fs::read_to_string(text_or_path);
    let text = file.as_deref().unwrap_or(text_or_path);
    let numbers = text.split([',', '\n', ' ']).filter(|number| !number.is_empty());
    numbers.map(|number| number.parse().expect("choices are numbers or a file of them")).collect()
}
