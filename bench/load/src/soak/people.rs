//! People who write for a long time: memory and open files must not grow with it.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::crowd::{Crowd, Edit, Pace, Plan};
use crate::figures::percentile;
use crate::process;
use crate::subject::{Places, Running, Setup, Subject};

/// See the module.
#[derive(Debug, clap::Args)]
pub(crate) struct People {
    /// How long, in minutes
    #[arg(long, default_value_t = 30)]
    minutes: u64,
    /// How many people, ten in a document
    #[arg(long, default_value_t = 200)]
    people: usize,
    /// Characters that each types a second
    #[arg(long, default_value_t = 2.0)]
    per_second: f64,
    #[command(flatten)]
    places: Places,
}

/// People in one document.
const TOGETHER: usize = 10;

/// The first of this long is left out when growth is judged: caches fill, histories begin to be packed.
const SETTLING: f64 = 0.25;

/// Memory may grow by this much from the end of settling to the end.
const GROWTH_MAX: f64 = 1.15;

impl People {
    /// Runs a minute at a time; prints a line for each.
    ///
    /// # Errors
    /// When somebody is thrown out, something typed does not arrive, or memory or files grow.
    pub(crate) async fn run(&self) -> Result<()> {
        let documents = self.people.div_ceil(TOGETHER);
        let running = Running::start(Subject::Concord, &self.places, documents)?;
        let setup = Setup::new(&running, documents, self.people).await?;
        let plan = Plan {
            people: self.people,
            first_document: 0,
            documents,
            writers: self.people,
            // Replaced all along, so that the texts do not grow either.
            pace: Pace::PerSecond(self.per_second),
            edit: Edit::Exchange,
            warm: Duration::ZERO,
            measured: Duration::from_secs(60),
            answers_max: u64::MAX,
        };
        let crowd = Crowd::gather(&setup, plan).await?;
        println!(
            "| minute | operations/s | ack p50 ms | ack p99 ms | server CPU % | resident MB | files |"
        );
        println!("|---|---|---|---|---|---|---|");
        let (started, id) = (Instant::now(), running.process());
        let mut samples = Vec::new();
        for minute in 1..=self.minutes {
            let outcome = crowd.run(&running).await?;
            let bytes = process::resident_bytes(id)? as f64;
            let files = process::open_files(id)?;
            samples.push((bytes, files));
            println!(
                "| {minute} | {:.0} | {:.2} | {:.2} | {:.1} | {:.1} | {files} |",
                outcome.acked_per_s(),
                percentile(&outcome.acks_ms, 0.5),
                percentile(&outcome.acks_ms, 0.99),
                outcome.server_cpu_us as f64 / outcome.seconds / 1e4,
                bytes / 1e6,
            );
            if outcome.refusals > 0 {
                println!("{} refused in minute {minute}", outcome.refusals);
            }
        }
        println!("\n{} people, {:.0} minutes", self.people, started.elapsed().as_secs_f64() / 60.0);
        judge(&samples)
    }
}

fn judge(samples: &[(f64, usize)]) -> Result<()> {
    let settled = (samples.len() as f64 * SETTLING) as usize;
    let (Some(first), Some(last)) = (samples.get(settled), samples.last()) else { return Ok(()) };
    let growth = last.0 / first.0;
    println!("memory {growth:.3} times, files {} to {}", first.1, last.1);
    if growth > GROWTH_MAX {
        bail!("memory grew by {:.0} %", (growth - 1.0) * 100.0);
    }
    if last.1 > first.1 + 8 {
        bail!("open files grew from {} to {}", first.1, last.1);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_judged_behind_the_beginning() {
        let flat = [(10.0, 5), (80.0, 250), (80.0, 250), (81.0, 250), (84.0, 251)];
        assert!(judge(&flat).is_ok());
        assert!(judge(&[(80.0, 250), (80.0, 250), (99.0, 250), (99.0, 250)]).is_err());
        assert!(judge(&[(80.0, 250), (80.0, 250), (80.0, 250), (80.0, 290)]).is_err());
    }
}
