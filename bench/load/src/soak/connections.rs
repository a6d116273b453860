//! As many connections as the limit on open files allows, on one server, from several processes and addresses; and
//! whether who types beside them notices.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use collab_protocol::{ClientId, DocumentId, Join};
use futures_util::StreamExt;

use crate::connection::Connection;
use crate::crowd::{Crowd, Edit, Pace, Plan};
use crate::driver::{Concord, Driver};
use crate::figures::percentile;
use crate::process;
use crate::random::Random;
use crate::subject::{Places, Running, Setup, Subject};

/// See the module.
#[derive(Debug, clap::Args)]
pub(crate) struct Connections {
    /// How many
    #[arg(long, default_value_t = 18_000)]
    connections: usize,
    /// From how many processes
    #[arg(long, default_value_t = 4)]
    processes: usize,
    #[command(flatten)]
    places: Places,
}

/// What one of the processes holds. Not for the command line.
#[derive(Debug, clap::Args)]
pub(crate) struct Hold {
    address: SocketAddr,
    from: Ipv4Addr,
    connections: usize,
    cookie: String,
    documents: Vec<DocumentId>,
}

/// People in one document.
const TOGETHER: usize = 20;

/// Typing may take this many times as long beside the connections.
const SLOWER_MAX: f64 = 2.0;

impl Connections {
    /// Prints figures step by step.
    ///
    /// # Errors
    /// When not all can come in, or who types notices.
    pub(crate) async fn run(&self) -> Result<()> {
        let share = self.connections.div_ceil(self.processes);
        let documents = share.div_ceil(TOGETHER);
        let running = Running::start(Subject::Concord, &self.places, 0)?;
        // Each process has its own, and behind them is one in which two people are.
        let all = documents * self.processes;
        let setup = Setup::new(&running, all + 1, self.processes.max(2)).await?;
        let id = running.process();
        let alone = typing(&setup, all, &running).await?;
        let empty = process::resident_bytes(id)?;
        println!(
            "| connections | resident MB | KB/connection | opened/s | files |\n|---|---|---|---|---|"
        );
        println!("| 0 | {:.1} | – | – | {} |", empty as f64 / 1e6, process::open_files(id)?);
        let mut holders = Vec::new();
        for number in 0..self.processes {
            let started = Instant::now();
            holders.push(Holder::start(&setup, number, share, documents)?);
            let seconds = started.elapsed().as_secs_f64();
            tokio::time::sleep(Duration::from_secs(3)).await;
            let held = (number + 1) * share;
            let bytes = process::resident_bytes(id)?;
            println!(
                "| {held} | {:.1} | {:.2} | {:.0} | {} |",
                bytes as f64 / 1e6,
                bytes.saturating_sub(empty) as f64 / 1024.0 / held as f64,
                share as f64 / seconds,
                process::open_files(id)?
            );
        }
        let cpu = process::cpu_us(id)?;
        tokio::time::sleep(Duration::from_secs(10)).await;
        println!("\nidle CPU {:.2} %", (process::cpu_us(id)? - cpu) as f64 / 1e5);
        let beside = typing(&setup, all, &running).await?;
        let all_hold = holders.iter_mut().all(Holder::holds);
        println!("typing alone: ack p50 {:.2} ms, p99 {:.2} ms", alone.0, alone.1);
        println!("typing beside them: ack p50 {:.2} ms, p99 {:.2} ms", beside.0, beside.1);
        if !all_hold {
            bail!("connections were lost");
        }
        if beside.0 > SLOWER_MAX * alone.0 {
            bail!("typing is {:.1} times as slow", beside.0 / alone.0);
        }
        Ok(())
    }
}

/// Two people in a document of their own, one of whom types: milliseconds, median and p99.
async fn typing(setup: &Setup, document: usize, running: &Running) -> Result<(f64, f64)> {
    let plan = Plan {
        people: 2,
        first_document: document,
        documents: 1,
        writers: 1,
        pace: Pace::PerSecond(100.0),
        edit: Edit::Tag,
        warm: Duration::from_secs(1),
        measured: Duration::from_secs(5),
        answers_max: u64::MAX,
    };
    let outcome = Crowd::gather(setup, plan).await?.run(running).await?;
    if outcome.lost > 0 {
        bail!("{} characters were lost", outcome.lost);
    }
    Ok((percentile(&outcome.acks_ms, 0.5), percentile(&outcome.acks_ms, 0.99)))
}

/// A process that holds connections; they end with this value.
struct Holder {
    child: Child,
}

impl Holder {
    /// Starts it and waits until all its connections have their document open.
    fn start(setup: &Setup, number: usize, connections: usize, documents: usize) -> Result<Holder> {
        let from = Ipv4Addr::new(127, 0, 0, u8::try_from(number + 2)?);
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("hold").arg(setup.address().to_string()).arg(from.to_string());
        command.arg(connections.to_string()).arg(setup.cookie(number));
        let own = setup.documents().iter().skip(number * documents).take(documents);
        command.args(own.map(ToString::to_string));
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut holder = Holder { child };
        let output = holder.child.stdout.take().context("its output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        if line.trim() != "open" {
            bail!("a process could not open its connections");
        }
        Ok(holder)
    }

    /// Whether all connections are still open: the process ends with the first that is not.
    fn holds(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Hold {
    /// Until one connection ends; the parent ends the process.
    pub(crate) async fn run(&self) -> Result<()> {
        let mut random = Random::fresh();
        let drivers = (0..self.connections).map(|index| {
            let doc = self.documents[index % self.documents.len()];
            let join = Join { doc, client: ClientId::new(random.wide()), since: None, epoch: None };
            Box::new(Concord::new(&self.cookie, join)) as Box<dyn Driver>
        });
        let connections = Connection::open_all(self.address, self.from, drivers.collect()).await?;
        println!("open");
        let reading = connections.into_iter().map(|mut connection| {
            Box::pin(async move { while let Some(Ok(_)) = connection.socket.next().await {} })
        });
        futures_util::future::select_all(reading).await;
        bail!("a connection ended");
    }
}
