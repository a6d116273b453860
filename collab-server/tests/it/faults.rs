//! The real program, real databases and a network that fails: whatever happens to them, nothing
//! acknowledged is lost, nothing is doubled, and all end with one text.
//!
//! Every scenario has two sizes: a short one, which runs with all tests and asserts no times, and
//! the full one of `cargo xtask soak faults`, which prints its figures. Every scenario prints the
//! seed of its choices; `CONCORD_SEED` sets it. The operating system's own timing is not part of a
//! seed: a run is repeated with it, not replayed.

mod control;
mod defective;
mod ending;
mod handles;
mod malformed;
mod network;
mod postgres;
mod slow;
mod storage;
mod storm;

use std::net::SocketAddr;

use futures_util::future::join_all;
use tempfile::TempDir;

use crate::support::choices::{Characters, Choices};
use crate::support::native::NativeClient;
use crate::support::oracle::{self, Account, Evidence, Verdict};
use crate::support::person::{Person, Temper};
use crate::support::process::{Process, Start, sqlite_in};

/// Whether this is the full size.
pub(crate) fn is_full() -> bool {
    std::env::var_os("CONCORD_FAULTS").is_some_and(|size| size == "full")
}

/// One number for the short size, another for the full one.
pub(crate) fn sized<T>(short: T, full: T) -> T {
    if is_full() { full } else { short }
}

/// The seed of this run: `CONCORD_SEED`, or the scenario's own.
pub(crate) fn seed(own: u64) -> u64 {
    let seed = std::env::var("CONCORD_SEED").ok().map(|seed| seed.parse().expect("a number"));
    let seed = seed.unwrap_or(own);
    println!("CONCORD_SEED={seed}");
    seed
}

/// A server on a database of its own, and one document.
struct Stage {
    /// The database, as `--database` takes it.
    database: String,
    /// The test that serves in the server's place, for a control.
    stand_in: Option<&'static str>,
    /// Where a SQLite database lies; gone with this value.
    _folder: Option<TempDir>,
    process: Process,
    cookie: String,
    document: String,
    characters: Characters,
    seed: u64,
    choices: Choices,
}

/// Flags of servers whose clients are all one person, in a hurry.
pub(crate) const OPEN: [&str; 8] = [
    "--submissions-per-s",
    "100000",
    "--joins-per-s",
    "100000",
    "--messages-per-s",
    "100000",
    "--connections-per-user-max",
    "10000",
];

async fn serve(database: &str, flags: &[&str]) -> Process {
    serve_as(database, flags, None).await
}

/// The same; a test of this program may serve in its place.
async fn serve_as(database: &str, flags: &[&str], stand_in: Option<&str>) -> Process {
    let flags = [&OPEN, flags].concat();
    Process::start_as(Start { database, flags: &flags, stand_in, ..Start::default() }).await
}

impl Stage {
    /// On a SQLite file.
    async fn new(seed: u64, flags: &[&str]) -> Self {
        Self::with(seed, flags, None).await
    }

    /// On a SQLite file, perhaps with a defective server.
    async fn with(seed: u64, flags: &[&str], stand_in: Option<&'static str>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let database = sqlite_in(folder.path());
        let process = serve_as(&database, flags, stand_in).await;
        Stage { _folder: Some(folder), stand_in, ..Self::on(database, process, seed).await }
    }

    /// On a server that runs already.
    async fn on(database: String, process: Process, seed: u64) -> Self {
        let cookie = process.new_guest().await;
        let document = process.create_document(&cookie, "").await;
        let characters = Characters::default();
        let choices = Choices::new(seed);
        Stage {
            database,
            stand_in: None,
            _folder: None,
            process,
            cookie,
            document,
            characters,
            seed,
            choices,
        }
    }

    /// Somebody who has not connected yet.
    fn person(&mut self, address: SocketAddr, temper: Temper) -> Person {
        let client = NativeClient::new(address, &self.cookie, &self.document);
        Person::new(client, self.choices.fork(), temper)
    }

    /// People who are there.
    async fn people(&mut self, address: SocketAddr, count: usize, temper: Temper) -> Vec<Person> {
        let mut people: Vec<Person> = (0..count).map(|_| self.person(address, temper)).collect();
        for person in &mut people {
            person.client.connect().await.expect("the server takes connections");
        }
        people
    }

    /// Appends that came to nothing, and those of which nobody knew.
    async fn setbacks(&self) -> f64 {
        self.appends("failed").await + self.unknown().await
    }

    /// Appends of which nobody knew whether they are done.
    async fn unknown(&self) -> f64 {
        self.appends("unknown").await
    }

    async fn appends(&self, code: &str) -> f64 {
        self.process.metric(&format!(r#"concord_appends_total{{code="{code}"}}"#)).await
    }

    /// Lets everybody read what is there, ends the server and judges.
    async fn finish(self, people: &mut [Person]) -> Verdict {
        let served = self.process.head(&self.cookie, &self.document).await;
        join_all(people.iter_mut().map(|person| person.read_to(served.1))).await;
        self.process.stop().await;
        let store = oracle::open(&self.database).await;
        let (log, loaded) = oracle::read(&*store, &self.document).await;
        let accounts = people.iter().map(|person| Account::from(&person.client)).collect();
        let evidence = Evidence { log, served, loaded, accounts };
        let verdict = oracle::assert_sound(&evidence, self.seed);
        store.close().await;
        verdict
    }
}
