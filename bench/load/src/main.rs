//! Loads Concord and the servers it is measured against, and prints what came of it. `cargo xtask bench servers` builds
//! and starts everything; docs/performance.md says what the scenarios are.
//!
//! One thread, for a processor of its own: what loads must not take time from what is loaded.

mod connection;
mod crowd;
mod driver;
mod figures;
mod http;
mod process;
mod random;
mod scenario;
mod soak;
mod subject;
mod tags;
mod targets;

use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand, ValueEnum};

use crate::figures::Figures;
use crate::scenario::{Scenario, Size};
use crate::soak::connections::{Connections, Hold};
use crate::soak::people::People;
use crate::subject::{Places, Subject};

/// Loads servers and prints tables.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure servers beside each other
    Run(Run),
    /// Let people write for a long time
    People(People),
    /// Open as many connections as there may be
    Connections(Connections),
    /// Hold connections for the command before
    #[command(hide = true)]
    Hold(Hold),
}

#[derive(clap::Args)]
struct Run {
    /// Which scenarios; all unless some are named
    scenarios: Vec<Scenario>,
    /// Short: one round, little time, for a look
    #[arg(long)]
    quick: bool,
    /// Only these servers, as the tables name them, with commas between
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// How often each server takes its turn
    #[arg(long)]
    rounds: Option<usize>,
    /// Write every figure of every round here
    #[arg(long)]
    csv: Option<PathBuf>,
    #[command(flatten)]
    places: Places,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let command = Arguments::parse().command;
    let work = async {
        match command {
            Command::Run(run) => run.run().await,
            Command::People(people) => people.run().await,
            Command::Connections(connections) => connections.run().await,
            Command::Hold(hold) => hold.run().await,
        }
    };
    tokio::task::LocalSet::new().run_until(work).await
}

impl Run {
    async fn run(&self) -> Result<()> {
        let figures = self.measure().await;
        for table in self.wanted().into_iter().flat_map(Scenario::tables) {
            println!("\n{}", figures.table(table));
        }
        println!("| target | wanted | figure | ratio | |\n|---|---|---|---|---|");
        targets::rows(&figures).iter().for_each(|row| println!("{row}"));
        for failure in figures.failures() {
            println!("\nFAILED {failure}");
        }
        if let Some(path) = &self.csv {
            let file = File::create(path).with_context(|| format!("cannot write {path:?}"))?;
            figures.write_csv(file)?;
        }
        Ok(())
    }

    fn wanted(&self) -> Vec<Scenario> {
        match &self.scenarios[..] {
            [] => Scenario::value_variants().to_vec(),
            named => named.to_vec(),
        }
    }

    /// Round after round, each server in its turn, so that whatever slows the machine down slows all.
    async fn measure(&self) -> Figures {
        let size = Size { is_quick: self.quick };
        let rounds = self.rounds.unwrap_or(if self.quick { 1 } else { 3 });
        let is_wanted = |subject: &Subject| {
            let is_named = self.only.iter().any(|name| name == subject.name());
            (self.only.is_empty() || is_named)
                && (self.places.has_postgres() || !subject.is_on_postgres())
        };
        let mut figures = Figures::default();
        for scenario in self.wanted() {
            for round in 1..=rounds {
                for subject in scenario.subjects().into_iter().filter(is_wanted) {
                    eprintln!("  {} {}, round {round}", scenario.name(), subject.name());
                    let run = scenario.run(subject, &self.places, size, &mut figures);
                    if let Err(error) = run.await {
                        figures.fail(scenario.name(), subject, &error);
                    }
                }
            }
        }
        figures
    }
}
