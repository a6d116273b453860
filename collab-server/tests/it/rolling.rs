//! Servers on one database that are restarted one after another while people type: nobody loses or
//! doubles anything, and typing pauses for a moment only, over WebSockets and over HTTP requests.
//!
//! `cargo xtask test` has a short form of it, with everybody in a hurry; `cargo xtask soak rolling`
//! has people as the browser has them, and prints and asserts their pauses.

mod ending;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::support::balancer::Balancer;
use crate::support::choices::{Characters, Choices};
use crate::support::native::NativeClient;
use crate::support::oracle::{self, Account, Evidence};
use crate::support::person::{Person, Temper};
use crate::support::postgres::Schema;
use crate::support::process::Process;
use crate::support::until;

/// What typing may pause for when one's server is restarted.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Readiness is false for long enough before sessions are moved: the balancer looks every 50 ms.
const FLAGS: [&str; 14] = [
    "--drain-ms",
    "300",
    "--move-ms",
    "1000",
    "--poll-interval-ms",
    "200",
    "--submissions-per-s",
    "100000",
    "--messages-per-s",
    "100000",
    "--joins-per-s",
    "100000",
    "--connections-per-user-max",
    "10000",
];

fn is_full() -> bool {
    std::env::var_os("CONCORD_FAULTS").is_some_and(|size| size == "full")
}

fn sized<T>(short: T, full: T) -> T {
    if is_full() { full } else { short }
}

/// The browser's; the short form has pauses a fifth as long.
fn temper() -> Temper {
    let pace = Duration::from_millis(sized(60, 100));
    Temper { pace, patience: Duration::from_secs(5), haste: sized(5, 1) }
}

/// How long a connection must have lasted for its client to take 1012 at its word, and some more.
fn settled() -> Duration {
    Duration::from_millis(sized(1_500, 7_000))
}

/// Servers on one database, and what stands in front of them.
struct Stage {
    schema: Schema,
    servers: Vec<Process>,
    balancer: Balancer,
    cookie: String,
    documents: Vec<String>,
    people: Vec<Person>,
    characters: Characters,
    seed: u64,
}

impl Stage {
    /// With two servers, and people of whom every second one comes over HTTP requests.
    async fn new(seed: u64, people: usize, documents: usize) -> Stage {
        let seed =
            std::env::var("CONCORD_SEED").map_or(seed, |seed| seed.parse().expect("a number"));
        println!("CONCORD_SEED={seed}");
        let schema = Schema::create().await;
        let url = schema.url();
        let servers = [Process::start(&url, &FLAGS).await, Process::start(&url, &FLAGS).await];
        let mut balancer = Balancer::start(&servers.each_ref().map(Process::address)).await;
        let cookie = servers[0].new_guest().await;
        let mut ids = Vec::new();
        for _ in 0..documents {
            ids.push(servers[0].create_document(&cookie, "").await);
        }
        let mut choices = Choices::new(seed);
        let mut all = Vec::new();
        for index in 0..people {
            let door = balancer.door(index / 2).await;
            let mut client = NativeClient::new(door, &cookie, &ids[index % documents]);
            if index % 2 == 1 {
                client.go_over_http();
            }
            client.connect().await.expect("the servers take connections");
            all.push(Person::new(client, choices.fork(), temper()));
        }
        Stage {
            schema,
            servers: servers.into(),
            balancer,
            cookie,
            documents: ids,
            people: all,
            characters: Characters::default(),
            seed,
        }
    }

    /// Everybody types while `doing` goes on, and then until all is acknowledged.
    async fn typing<T>(&mut self, doing: impl AsyncFnOnce(&mut Vec<Process>, &Balancer) -> T) -> T {
        let Stage { people, characters, servers, balancer, .. } = self;
        let is_over = AtomicBool::new(false);
        let goes_on = || !is_over.load(Ordering::Relaxed);
        let writing = people.iter_mut().map(|person| person.write_while(goes_on, characters));
        let doing = async {
            let done = doing(servers, balancer).await;
            is_over.store(true, Ordering::Relaxed);
            done
        };
        tokio::join!(doing, join_all(writing)).0
    }

    /// Everybody reads what is there; each document is judged. How much was acknowledged.
    async fn finish(mut self) -> usize {
        let count = self.documents.len();
        let mut served = Vec::new();
        for id in &self.documents {
            let heads = join_all(self.servers.iter().map(|server| server.head(&self.cookie, id)));
            // Whichever answers with less has not heard of the rest yet; the log decides below.
            served.push(heads.await.into_iter().max_by_key(|head| head.1).expect("a server"));
        }
        let reading = self.people.iter_mut().enumerate();
        join_all(reading.map(|(index, person)| person.read_to(served[index % count].1))).await;
        for server in self.servers {
            server.stop().await;
        }
        let store = oracle::open(&self.schema.url()).await;
        let mut acknowledged = 0;
        for (number, (id, served)) in self.documents.iter().zip(served).enumerate() {
            let (log, loaded) = oracle::read(&*store, id).await;
            let here = self.people.iter().skip(number).step_by(count);
            let accounts = here.map(|person| Account::from(&person.client)).collect();
            let evidence = Evidence { log, served, loaded, accounts };
            acknowledged += oracle::assert_sound(&evidence, self.seed).acknowledged;
        }
        store.close().await;
        self.schema.remove().await;
        acknowledged
    }
}

/// Ends a server in order, as an operator's new version does, and starts it again; how long the end
/// took.
async fn restart(server: &mut Process, database: &str) -> Duration {
    let told = Instant::now();
    server.signal("-TERM");
    let status = server.ended().await;
    let took = told.elapsed();
    assert!(status.success(), "{status}: {:?}", server.log());
    server.assert_no_panic();
    *server = Process::start(database, &FLAGS).await;
    took
}

/// The one in the middle, and the longest.
fn summary(mut pauses: Vec<Duration>) -> String {
    pauses.sort_unstable();
    let Some(longest) = pauses.last() else { return "none".to_owned() };
    let ms = |pause: Duration| pause.as_millis();
    let at = |share: usize| ms(pauses[(pauses.len() - 1) * share / 100]);
    format!("{} ms, 95 % below {} ms, longest {} ms", at(50), at(95), ms(*longest))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_are_restarted_one_after_another_under_typing_people() {
    let (rounds, people, documents) = (sized(1, 5), sized(12, 40), sized(3, 5));
    let mut stage = Stage::new(151, people, documents).await;
    let mut ends = Vec::new();
    for _ in 0..rounds {
        for index in 0..2 {
            let database = stage.schema.url();
            let took = stage.typing(async |servers, balancer| {
                tokio::time::sleep(settled()).await;
                let took = restart(&mut servers[index], &database).await;
                balancer.replace(index, servers[index].address());
                balancer.is_ready(index).await;
                took
            });
            ends.push(took.await);
        }
    }
    let losses = stage.people.iter().map(|person| person.losses).sum::<usize>();
    assert!(losses >= people * rounds, "everybody was moved: {losses} times");
    for person in &stage.people {
        let is_told = |code: &Option<u16>| *code == Some(1012);
        assert!(person.closes.iter().all(is_told), "{:?}", person.closes);
        assert!(!person.pauses.is_empty(), "typing went on elsewhere");
    }
    let pauses = |over_http: usize| -> Vec<Duration> {
        let of_kind = stage.people.iter().skip(over_http).step_by(2);
        of_kind.flat_map(|person| person.pauses.iter().copied()).collect()
    };
    let [sockets, requests] = [pauses(0), pauses(1)];
    let longest = sockets.iter().chain(&requests).max().copied().unwrap_or_default();
    if is_full() {
        assert!(longest < PAUSE_MAX, "somebody could not type for {longest:?}");
    }
    let end = ends.iter().max().copied().unwrap_or_default();
    let acknowledged = stage.finish().await;
    println!(
        "{} restarts of two servers under {people} typing people, each with 1012: {losses} sessions \
         moved, typing paused over WebSockets for {}; over HTTP for {}; an end took at most \
         {end:.1?}; {acknowledged} submissions acknowledged, 0 lost, 0 doubled, all texts one",
        rounds * 2,
        summary(sockets),
        summary(requests),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_another_server_does_not_know_is_opened_anew_without_loss() {
    let people = sized(8, 20);
    let mut stage = Stage::new(152, people, 2).await;
    let sessions = async |server: &Process| server.metric("concord_sockets").await;
    for (from, to) in [(0, 1), (1, 0)] {
        stage
            .typing(async |servers, balancer| {
                tokio::time::sleep(settled()).await;
                // Both live on, but requests of everybody come to one, as when a balancer forgets.
                let address = servers[to].address();
                let own = servers[from].address();
                balancer.replace(from, address);
                // All those over HTTP, and the WebSockets that were there.
                let expected = (people / 2 + people / 4) as f64;
                until("requests have found the other server", async || {
                    sessions(&servers[to]).await >= expected
                })
                .await;
                tokio::time::sleep(settled()).await;
                balancer.replace(from, own);
                balancer.is_ready(from).await;
            })
            .await;
    }
    let over_http = stage.people.iter().skip(1).step_by(2);
    let losses = over_http.clone().map(|person| person.losses).sum::<usize>();
    assert!(losses >= people / 2, "sessions were not known: {losses}");
    let pauses = over_http.flat_map(|person| person.pauses.iter().copied()).collect();
    let acknowledged = stage.finish().await;
    println!(
        "{losses} sessions over HTTP met a server that did not know them; typing paused for {}; \
         {acknowledged} submissions acknowledged, 0 lost, 0 doubled, all texts one",
        summary(pauses)
    );
}
