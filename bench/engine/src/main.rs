//! The engine against its peers, in one run: `cargo xtask bench engine-apply`, and so on.
//!
//! `EDITING_TRACES` names a folder of recorded histories (github.com/josephg/editing-traces, CC BY 4.0); without it,
//! typing is made up. With `--criterion`, criterion measures: it tells how the times of each contender spread and what
//! has changed since the last time, but measures one to its end before the next begins. Peers need the feature `peers`;
//! without it, only our own figures are printed.
#![cfg_attr(
    not(feature = "peers"),
    allow(dead_code, unused_mut, reason = "peers add to what is compared")
)]

mod apply;
mod client;
mod growth;
mod histories;
#[cfg(feature = "peers")]
#[path = "../../../collab-server/tests/it/support/history.rs"]
mod logged;
mod measure;
mod merge;
mod pair;
#[cfg(not(feature = "peers"))]
#[path = "../../../collab-server/tests/it/support/patches.rs"]
mod patches;
#[cfg(feature = "peers")]
mod peers;
mod report;
mod storage;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use criterion::Criterion;

#[cfg(feature = "peers")]
use self::logged::patches;
use self::report::Report;

/// A section by the name that the command line takes.
type Section = (&'static str, fn(&mut Report, Option<&Path>));

/// Asks for criterion's measure.
const CRITERION: &str = "--criterion";

/// Where criterion keeps what it has found, below the working folder.
const KEPT: &str = "bench/results/criterion";

const SECTIONS: [Section; 6] = [
    ("engine-apply", apply::section),
    ("engine-transform", pair::section),
    ("engine-merge", merge::section),
    ("engine-storage", storage::section),
    ("engine-growth", growth::section),
    ("engine-client", client::section),
];

fn main() -> ExitCode {
    let traces = std::env::var_os("EDITING_TRACES").map(PathBuf::from);
    let csv = std::env::var_os("CONCORD_BENCH_CSV").map(PathBuf::from);
    let (flags, wanted): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument == CRITERION);
    if let Some(unknown) =
        wanted.iter().find(|name| SECTIONS.iter().all(|(known, _)| known != name))
    {
        let known: Vec<&str> = SECTIONS.iter().map(|(name, _)| *name).collect();
        eprintln!("no section {unknown}; there are: {}", known.join(", "));
        return ExitCode::FAILURE;
    }
    let mut missed = 0;
    for (name, section) in SECTIONS {
        if !wanted.is_empty() && !wanted.iter().any(|one| one == name) {
            continue;
        }
        let criterion =
            (!flags.is_empty()).then(|| Criterion::default().output_directory(Path::new(KEPT)));
        let mut report = Report::new(name, criterion);
        section(&mut report, traces.as_deref());
        match report.finish(csv.as_deref()) {
            Ok(count) => missed += count,
            Err(error) => {
                eprintln!("cannot write the CSV of {name}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("\n{missed} targets not met");
    ExitCode::SUCCESS
}
