//! The server, and PostgreSQL under it, killed at random moments while eight clients write: what
//! was acknowledged is in the database, once, whoever died when.
//!
//! The ledger of acknowledgements is the clients', outside the server. It is held against the
//! database after every kill, before anybody comes back, and in full at the end. `cargo xtask soak
//! kill` runs more rounds; `CONCORD_SEED` repeats a run's choices, not the system's timing.

mod control;

use std::sync::Arc;
use std::time::{Duration, Instant};

use collab_server::{PostgresConfig, PostgresStore, SqliteConfig, SqliteStore, Store};
use futures_util::future::join_all;
use tempfile::TempDir;

use crate::support::choices::{Characters, Choices};
use crate::support::native::NativeClient;
use crate::support::oracle::{self, Account, Evidence, Violation};
use crate::support::person::{Person, Temper};
use crate::support::postgres::Cluster;
use crate::support::process::{Process, Start, sqlite_in};
use crate::support::proxy::Proxy;
use crate::support::until;

const CLIENTS: usize = 8;

const TEMPER: Temper =
    Temper { pace: Duration::from_millis(6), patience: Duration::from_secs(3), haste: 100 };

/// What the server counts as committed since it began.
const COMMITTED: &str = "concord_operations_total";

/// All clients are one person here, in a hurry.
const FLAGS: [&str; 6] = [
    "--submissions-per-s",
    "100000",
    "--connections-per-user-max",
    "1000",
    // So that a kill meets snapshots too.
    "--snapshot-every-revisions",
    "20",
];

/// Where the documents are.
enum Ground {
    Sqlite(TempDir),
    Postgres(Box<Cluster>),
}

impl Ground {
    fn address(&self) -> String {
        match self {
            Ground::Sqlite(folder) => sqlite_in(folder.path()),
            Ground::Postgres(cluster) => cluster.url(),
        }
    }

    /// The database, opened beside the dead server.
    async fn store(&self) -> Arc<dyn Store> {
        match self {
            Ground::Sqlite(folder) => {
                let config = SqliteConfig::new(folder.path().join("concord.db"));
                Arc::new(SqliteStore::open(config, 0).await.expect("the file opens"))
            }
            Ground::Postgres(cluster) => {
                let config = PostgresConfig::new(cluster.url());
                Arc::new(PostgresStore::open(config, 0).await.expect("the database opens"))
            }
        }
    }
}

/// What dies in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Server,
    /// The database; the server sees it come back, and dies later.
    DatabaseFirst,
    Both,
}

struct Stage<'a> {
    ground: Ground,
    /// The test that serves in the server's place, for the control.
    stand_in: Option<&'a str>,
    process: Process,
    proxy: Proxy,
    people: Vec<Person>,
    characters: Characters,
    choices: Choices,
    cookie: String,
    document: String,
    seed: u64,
}

async fn serve(ground: &Ground, stand_in: Option<&str>) -> Process {
    let database = ground.address();
    let start = Start { database: &database, flags: &FLAGS, stand_in, ..Start::default() };
    Process::start_as(start).await
}

impl<'a> Stage<'a> {
    async fn new(ground: Ground, stand_in: Option<&'a str>, seed: u64) -> Self {
        let seed =
            std::env::var("CONCORD_SEED").map_or(seed, |seed| seed.parse().expect("a number"));
        println!("CONCORD_SEED={seed}");
        let process = serve(&ground, stand_in).await;
        let proxy = Proxy::start(process.address()).await;
        let cookie = process.new_guest().await;
        let document = process.create_document(&cookie, "").await;
        let mut choices = Choices::new(seed);
        let people = (0..CLIENTS)
            .map(|_| {
                let client = NativeClient::new(proxy.address(), &cookie, &document);
                Person::new(client, choices.fork(), TEMPER)
            })
            .collect();
        let characters = Characters::default();
        Stage {
            ground,
            stand_in,
            process,
            proxy,
            people,
            characters,
            choices,
            cookie,
            document,
            seed,
        }
    }

    fn pause(&mut self) -> Duration {
        Duration::from_millis(100 + self.choices.below(600) as u64)
    }

    /// Everybody writes until the server is dead; then the ledger is held against the database.
    async fn round(&mut self) -> Vec<Violation> {
        let victim = match &self.ground {
            Ground::Sqlite(_) => Victim::Server,
            Ground::Postgres(_) => {
                [Victim::Server, Victim::DatabaseFirst, Victim::Both][self.choices.below(3)]
            }
        };
        let connecting = self.people.iter_mut().map(async |person| {
            while !person.client.is_connected() {
                person.come_back().await;
            }
        });
        join_all(connecting).await;
        let pauses = [self.pause(), self.pause()];
        let Stage { people, characters, process, ground, .. } = self;
        let writing = join_all(people.iter_mut().map(|person| person.write(100_000, characters)));
        let killing = async {
            // A round in which nothing was acknowledged would prove nothing.
            until("operations are committed", async || process.metric(COMMITTED).await > 0.0).await;
            tokio::time::sleep(pauses[0]).await;
            match (victim, ground) {
                (Victim::Server, _) | (_, Ground::Sqlite(_)) => process.kill().await,
                (Victim::DatabaseFirst, Ground::Postgres(cluster)) => {
                    cluster.kill().await;
                    cluster.restart().await;
                    tokio::time::sleep(pauses[1]).await;
                    process.kill().await;
                }
                (Victim::Both, Ground::Postgres(cluster)) => {
                    tokio::join!(cluster.kill(), process.kill());
                    cluster.restart().await;
                }
            }
        };
        tokio::select! {
            _ = writing => panic!("nobody writes that fast"),
            () = killing => {}
        }
        join_all(self.people.iter_mut().map(drain)).await;
        self.judge(("", 0)).await.into_iter().filter(is_of_the_ledger).collect()
    }

    async fn judge(&self, served: (&str, u64)) -> Vec<Violation> {
        let store = self.ground.store().await;
        let (log, loaded) = oracle::read(&*store, &self.document).await;
        store.close().await;
        let accounts = self.people.iter().map(|person| Account::from(&person.client)).collect();
        let served = (served.0.to_owned(), served.1);
        oracle::judge(&Evidence { log, served, loaded, accounts }).err().unwrap_or_default()
    }

    async fn come_back(&mut self) {
        self.process = serve(&self.ground, self.stand_in).await;
        self.proxy.aim(Some(self.process.address()));
    }

    /// Everybody writes a little more, all is acknowledged and read, and everything is judged.
    async fn finish(mut self, figures: &str) {
        let Stage { people, characters, .. } = &mut self;
        join_all(people.iter_mut().map(|person| person.write(5, characters))).await;
        let (text, head) = self.process.head(&self.cookie, &self.document).await;
        join_all(self.people.iter_mut().map(|person| person.read_to(head))).await;
        self.process.signal("-TERM");
        assert!(self.process.ended().await.success());
        let found = self.judge((&text, head)).await;
        assert!(found.is_empty(), "seed {}: {found:?}", self.seed);
        let acked = |person: &Person| person.client.acked().len();
        let acknowledged: usize = self.people.iter().map(acked).sum();
        assert!(acknowledged > 10 * CLIENTS, "a load worth the name: {acknowledged} operations");
        println!(
            "{figures}: {CLIENTS} clients, {acknowledged} operations acknowledged, {head} revisions; \
             0 lost, 0 doubled, 0 gaps, all texts one"
        );
    }
}

/// Takes what the server had sent before it died: an ack on the wire is an ack.
async fn drain(person: &mut Person) {
    let draining = async { while person.client.take_entry().await.is_ok() {} };
    // Beyond that nothing can come: the proxy's other end is closed.
    let _ = tokio::time::timeout(Duration::from_millis(200), draining).await;
    person.client.cut();
}

/// Whether a violation counts while submissions are still unanswered.
fn is_of_the_ledger(found: &Violation) -> bool {
    !matches!(found, Violation::Unanswered { .. } | Violation::Diverged { .. })
}

async fn survive(ground: Ground, seed: u64, name: &str) {
    let rounds =
        std::env::var("CONCORD_KILL_ROUNDS").map_or(3, |rounds| rounds.parse().expect("a number"));
    let began = Instant::now();
    let mut stage = Stage::new(ground, None, seed).await;
    for round in 1..=rounds {
        let found = stage.round().await;
        assert!(found.is_empty(), "seed {}, round {round}: {found:?}", stage.seed);
        stage.come_back().await;
    }
    let took = began.elapsed().as_secs_f64();
    stage.finish(&format!("{name}: {rounds} rounds of kill -9 in {took:.0} s")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_a_server_on_sqlite_is_killed() {
    survive(Ground::Sqlite(tempfile::tempdir().expect("a folder")), 71, "SQLite").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_server_or_postgres_is_killed() {
    survive(Ground::Postgres(Box::new(Cluster::start(&[]).await)), 72, "PostgreSQL").await;
}
