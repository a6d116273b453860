//! Interleaved rounds: every contender once a round, in turn, so that what else the machine does at the time falls on
//! all of them alike. A statistics library that measures one function to its end before the next begins cannot compare
//! engines on a shared machine, where the second minute is not like the first. It can tell how one of them spreads, and
//! whether that has changed since: for that the same contenders go through criterion (`by_criterion`).

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode, Throughput};

/// One thing to measure. Each call runs it once, with whatever it needs made ready before the clock starts, and what it
/// leaves checked and dropped after the clock has stopped.
pub(crate) struct Contender<'a> {
    pub(crate) name: String,
    /// In how many rounds it takes part, at most; what takes seconds runs once.
    rounds_max: usize,
    /// How many edits, components or the like one call is, so that unlike amounts compare.
    pub(crate) count: usize,
    /// How many calls one run is.
    calls: u32,
    run: Box<dyn FnMut() -> Duration + 'a>,
}

impl<'a> Contender<'a> {
    /// Measures `work` on what `ready` makes anew each time; `check` sees what it returned and left.
    pub(crate) fn new<S, R>(
        name: impl Into<String>,
        mut ready: impl FnMut() -> S + 'a,
        mut work: impl FnMut(&mut S) -> R + 'a,
        mut check: impl FnMut(S, R) + 'a,
    ) -> Self {
        let run = move || {
            let mut state = black_box(ready());
            let began = Instant::now();
            let result = black_box(work(&mut state));
            let took = began.elapsed();
            check(state, result);
            took
        };
        let name = name.into();
        Contender { name, rounds_max: usize::MAX, count: 1, calls: 1, run: Box::new(run) }
    }

    /// Measures `calls` calls of `work` together and counts one of them.
    pub(crate) fn repeated<R>(
        name: impl Into<String>,
        calls: u32,
        mut work: impl FnMut() -> R + 'a,
    ) -> Self {
        let run = move || {
            let began = Instant::now();
            for _ in 0..calls {
                black_box(work());
            }
            began.elapsed()
        };
        Contender { name: name.into(), rounds_max: usize::MAX, count: 1, calls, run: Box::new(run) }
    }

    /// Takes part in the first `rounds` rounds only.
    pub(crate) fn rounds(mut self, rounds: usize) -> Self {
        self.rounds_max = rounds;
        self
    }

    /// One call is `count` of what is compared.
    pub(crate) fn of(mut self, count: usize) -> Self {
        self.count = count;
        self
    }
}

/// What one contender took, in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub(crate) median: f64,
    /// The quickest and the slowest round, which tell how quiet the machine was.
    pub(crate) least: f64,
    pub(crate) most: f64,
    pub(crate) rounds: usize,
    /// The median by how many edits, components or the like one call is.
    pub(crate) each: f64,
}

/// All contenders, by rounds; what each took, in the order in which they were given.
pub(crate) fn interleaved(contenders: &mut [Contender<'_>], rounds: usize) -> Vec<Taken> {
    let mut times = vec![Vec::with_capacity(rounds); contenders.len()];
    for round in 0..rounds {
        for place in 0..contenders.len() {
            // Each round begins with another one.
            let at = (place + round) % contenders.len();
            if round < contenders[at].rounds_max {
                times[at].push((contenders[at].run)());
            }
        }
    }
    times.into_iter().zip(contenders).map(|(times, one)| summary(times, one)).collect()
}

/// Samples that criterion takes of one contender; the least that it allows, since some take seconds.
const SAMPLES: usize = 10;

/// All contenders, one after another, by criterion, which prints what it found and keeps it for the next time.
pub(crate) fn by_criterion(
    criterion: &mut Criterion,
    title: &str,
    contenders: &mut [Contender<'_>],
) -> Vec<Taken> {
    let mut group = criterion.benchmark_group(title);
    group.sample_size(SAMPLES).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_secs(1));
    let mut measure = |one: &mut Contender<'_>| {
        let mut times = Vec::new();
        group.throughput(Throughput::Elements(u64::from(one.calls) * one.count as u64));
        group.bench_function(one.name.as_str(), |bencher| {
            bencher.iter_custom(|runs| {
                let from = times.len();
                times.extend((0..runs).map(|_| (one.run)()));
                times[from..].iter().sum()
            });
        });
        summary(times, one)
    };
    let taken = contenders.iter_mut().map(&mut measure).collect();
    group.finish();
    taken
}

fn summary(mut times: Vec<Duration>, one: &Contender<'_>) -> Taken {
    times.sort_unstable();
    let of_a_call = |took: Duration| took.as_nanos() as f64 / f64::from(one.calls);
    let (least, most) = (of_a_call(times[0]), of_a_call(times[times.len() - 1]));
    let median = of_a_call(times[times.len() / 2]);
    Taken { median, least, most, rounds: times.len(), each: median / one.count as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_runs_in_its_rounds_only() {
        let (mut often, mut once) = (0, 0);
        let taken = {
            let mut contenders = [
                Contender::new("often", || (), |()| often += 1, |(), ()| ()),
                Contender::new("once", || (), |()| once += 1, |(), ()| ()).rounds(1),
            ];
            interleaved(&mut contenders, 3)
        };
        assert_eq!((often, once), (3, 1));
        assert_eq!((taken[0].rounds, taken[1].rounds), (3, 1));
    }

    #[test]
    fn what_runs_together_counts_by_one_call() {
        let one = Contender::repeated("one", 4, || ()).of(5);
        let taken = summary(vec![Duration::from_nanos(400)], &one);
        assert!(taken.median == 100.0 && taken.each == 20.0);
    }
}
