//! What comes of people who type as fast as answers come, spread over one server or several.

use std::fmt;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::HASTY;
use crate::cluster::Stage;
use crate::faults::sized;
use crate::support::native::NativeClient;
use crate::support::person::Person;

/// What is spread over servers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Spread {
    /// The people of one document: each document is open on all servers.
    People,
    /// The documents, as a proxy does that goes by the document.
    Documents,
}

/// Who types, and where.
#[derive(Clone, Copy)]
pub(super) struct Load {
    pub(super) people: usize,
    /// So many of the stage's servers are used.
    pub(super) servers: usize,
    pub(super) spread: Spread,
}

impl Load {
    /// The document and the server of one of the people.
    fn place(self, index: usize, documents: usize) -> (usize, usize) {
        let document = index % documents;
        let server = match self.spread {
            Spread::People => index / documents,
            Spread::Documents => document,
        };
        (document, server % self.servers)
    }
}

/// What a load came to.
pub(super) struct Throughput {
    pub(super) operations_per_s: f64,
    appends_per_s: f64,
    operations_per_append: f64,
    /// Of a hundred appends, how many lost their race.
    pub(super) lost: f64,
    /// Operations of the people of each server.
    shares: Vec<usize>,
    /// How many cores all servers took together, and all of this machine's programs.
    pub(super) server_cores: f64,
    pub(super) all_cores: f64,
}

impl Throughput {
    /// Operations for each second of processor time that servers took: what a server is worth, as
    /// far as that does not depend on what else the machine does.
    pub(super) fn operations_per_server_s(&self) -> f64 {
        self.operations_per_s / self.server_cores
    }
}

impl fmt::Display for Throughput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Throughput { operations_per_s, appends_per_s, operations_per_append, .. } = self;
        let Throughput { lost, shares, server_cores, all_cores, .. } = self;
        write!(
            f,
            "{operations_per_s:.0} operations a second in {appends_per_s:.0} appends of \
             {operations_per_append:.1}, {lost:.0} of 100 appends lost their race, shares {shares:?}; \
             servers took {server_cores:.2} cores of {all_cores:.2} that were busy: {:.0} operations \
             for a second of theirs",
            self.operations_per_server_s()
        )
    }
}

/// What servers and machine have done so far.
struct Reading {
    at: Instant,
    /// Appends that were done, and that lost their race.
    appends: [f64; 2],
    /// Processor time, in seconds.
    servers_s: f64,
    busy_s: f64,
}

impl Reading {
    async fn take(stage: &Stage) -> Reading {
        let mut appends = [0.0; 2];
        for server in &stage.servers {
            for (sum, code) in appends.iter_mut().zip(["done", "conflict"]) {
                let name = format!(r#"concord_appends_total{{code="{code}"}}"#);
                *sum += server.process.metric(&name).await;
            }
        }
        let servers_s = stage.servers.iter().map(|server| server.process.cpu_s()).sum();
        Reading { at: Instant::now(), appends, servers_s, busy_s: busy_s() }
    }
}

/// Processor time of all programs of this machine so far, in seconds.
fn busy_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/stat").expect("Linux says");
    let line = stat.lines().next().expect("the sum of all cores");
    let ticks: Vec<f64> = line.split_whitespace().skip(1).filter_map(|n| n.parse().ok()).collect();
    // User, nice, system; then idle and waiting; then interrupts. A tick is a hundredth.
    (ticks[..3].iter().sum::<f64>() + ticks[5..7].iter().sum::<f64>()) / 100.0
}

/// Everybody types for so long, as fast as answers come.
pub(super) async fn throughput(stage: &mut Stage, load: Load) -> Throughput {
    let lasts = Duration::from_millis(sized(700, 15_000));
    let documents = stage.documents.clone();
    let place = |index: usize| load.place(index, documents.len());
    let mut crowd: Vec<Person> = (0..load.people)
        .map(|index| {
            let (document, server) = place(index);
            let address = stage.servers[server].process.address();
            let client = NativeClient::new(address, &stage.cookie, &documents[document]);
            Person::new(client, stage.choices.fork(), HASTY)
        })
        .collect();
    join_all(crowd.iter_mut().map(|person| person.client.connect())).await;
    let characters = &stage.characters;
    // Documents are loaded and statements prepared before anything counts.
    join_all(crowd.iter_mut().map(|person| person.write(1, characters))).await;
    let before = Reading::take(stage).await;
    join_all(crowd.iter_mut().map(async |person| {
        while before.at.elapsed() < lasts {
            person.write(1, characters).await;
        }
    }))
    .await;
    let after = Reading::take(stage).await;
    let acked = |person: &Person| person.client.acked().len() - 1;
    let total: usize = crowd.iter().map(acked).sum();
    assert!(total > 0, "a load worth the name");
    let mut shares = vec![0; load.servers];
    for (index, person) in crowd.iter().enumerate() {
        shares[place(index).1] += acked(person);
    }
    let took = (after.at - before.at).as_secs_f64();
    let [done, lost] = [0, 1].map(|code| after.appends[code] - before.appends[code]);
    Throughput {
        operations_per_s: total as f64 / took,
        appends_per_s: done / took,
        operations_per_append: total as f64 / done.max(1.0),
        lost: 100.0 * lost / (done + lost).max(1.0),
        shares,
        server_cores: (after.servers_s - before.servers_s) / took,
        all_cores: (after.busy_s - before.busy_s) / took,
    }
}
