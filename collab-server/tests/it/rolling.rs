//! Servers on one database that are restarted one after another while people type: nobody loses or
//! doubles anything, and typing pauses for a moment only, over WebSockets and over HTTP requests.
//!
//! `cargo xtask test` has a short form of it, with everybody in a hurry; `cargo xtask soak rolling`
//! has people as the browser has them, and prints and asserts their pauses.

mod ending;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::support::balancer::Balancer;
use crate::support::choices::{Characters, Choices};
use crate::support::native::NativeClient;
use crate::support::nginx::{self, Nginx};
use crate::support::oracle::{self, Account, Evidence};
use crate::support::person::{Person, Temper};
use crate::support::postgres::Schema;
use crate::support::process::{Process, Start};
use crate::support::until;

/// What typing may pause for when one's server is restarted.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// What stands in front of the servers.
enum Front {
    /// Looks which server is ready, and tells clients apart.
    Balancer(Balancer),
    /// As `deploy/` has it: looks at nothing, goes by the document, and passes on to the next server
    /// what one does not take.
    Nginx(Box<Nginx>),
}

impl Front {
    /// Where a client connects.
    async fn door(&mut self, number: usize) -> SocketAddr {
        match self {
            Front::Balancer(balancer) => balancer.door(number).await,
            Front::Nginx(nginx) => nginx.address(),
        }
    }

    /// Waits until a server that was started anew is used again.
    async fn takes_back(&self, index: usize, address: SocketAddr) {
        match self {
            Front::Balancer(balancer) => {
                balancer.replace(index, address);
                balancer.is_ready(index).await;
            }
            // It asks whoever a document belongs to, each time.
            Front::Nginx(_) => {
                until("it takes connections", async || {
                    tokio::net::TcpStream::connect(address).await.is_ok()
                })
                .await
            }
        }
    }
}

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
    front: Front,
    cookie: String,
    documents: Vec<String>,
    people: Vec<Person>,
    characters: Characters,
    seed: u64,
}

impl Stage {
    /// With two servers, and people of whom every second one comes over HTTP requests.
    async fn new(seed: u64, people: usize, documents: usize, through_nginx: bool) -> Stage {
        let seed =
            std::env::var("CONCORD_SEED").map_or(seed, |seed| seed.parse().expect("a number"));
        println!("CONCORD_SEED={seed}");
        let schema = Schema::create().await;
        let url = schema.url();
        let addresses = [nginx::free(), nginx::free()];
        let servers = [serve(&url, addresses[0]).await, serve(&url, addresses[1]).await];
        let mut front = match through_nginx {
            true => Front::Nginx(Box::new(Nginx::start(&addresses).await)),
            false => Front::Balancer(Balancer::start(&addresses).await),
        };
        let cookie = servers[0].new_guest().await;
        let mut ids = Vec::new();
        for _ in 0..documents {
            ids.push(servers[0].create_document(&cookie, "").await);
        }
        let mut choices = Choices::new(seed);
        let mut all = Vec::new();
        for index in 0..people {
            let door = front.door(index / 2).await;
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
            front,
            cookie,
            documents: ids,
            people: all,
            characters: Characters::default(),
            seed,
        }
    }

    /// Everybody types while `doing` goes on, and then until all is acknowledged.
    async fn typing<T>(&mut self, doing: impl AsyncFnOnce(&mut Vec<Process>, &Front) -> T) -> T {
        let Stage { people, characters, servers, front, .. } = self;
        let is_over = AtomicBool::new(false);
        let goes_on = || !is_over.load(Ordering::Relaxed);
        let writing = people.iter_mut().map(|person| person.write_while(goes_on, characters));
        let doing = async {
            let done = doing(servers, front).await;
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

async fn serve(database: &str, address: SocketAddr) -> Process {
    let (flags, listen) = (&FLAGS, Some(address));
    Process::start_as(Start { database, flags, listen, ..Start::default() }).await
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
    *server = serve(database, server.address()).await;
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

/// Restarts the servers in turn, judges, and prints the figures.
async fn restart_in_turn(mut stage: Stage, through: &str) {
    let (rounds, people) = (sized(1, 3), stage.people.len());
    let mut ends = Vec::new();
    for _ in 0..rounds {
        for index in 0..2 {
            let database = stage.schema.url();
            let took = stage.typing(async |servers, front| {
                tokio::time::sleep(settled()).await;
                let took = restart(&mut servers[index], &database).await;
                front.takes_back(index, servers[index].address()).await;
                took
            });
            ends.push(took.await);
        }
    }
    let losses = stage.people.iter().map(|person| person.losses).sum::<usize>();
    assert!(losses >= people * rounds, "everybody was moved: {losses} times");
    let closes = || stage.people.iter().flat_map(|person| &person.closes);
    let untold = closes().filter(|code| **code != Some(1012)).count();
    assert!(
        untold * 10 <= losses,
        "{untold} of {losses} were not told: {:?}",
        closes().collect::<Vec<_>>()
    );
    assert!(
        stage.people.iter().any(|person| !person.pauses.is_empty()),
        "typing went on elsewhere"
    );
    let pauses = |over_http: usize| -> Vec<Duration> {
        let of_kind = stage.people.iter().skip(over_http).step_by(2);
        of_kind.flat_map(|person| person.pauses.iter().copied()).collect()
    };
    let [sockets, requests] = [pauses(0), pauses(1)];
    let mut all = [sockets.clone(), requests.clone()].concat();
    all.sort_unstable();
    let most = all[(all.len() - 1) * 95 / 100];
    let end = ends.iter().max().copied().unwrap_or_default();
    let acknowledged = stage.finish().await;
    println!(
        "{} restarts of two servers under {people} people typing {through}: {losses} sessions moved, \
         {untold} of them without 1012; typing paused over WebSockets for {}; over HTTP for {}; an end took at most \
         {end:.1?}; {acknowledged} submissions acknowledged, 0 lost, 0 doubled, all texts one",
        rounds * 2,
        summary(sockets),
        summary(requests),
    );
    // The machine may be busy with other things, of which nothing follows for the slowest.
    assert!(!is_full() || most < PAUSE_MAX, "one in twenty could not type for {most:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_are_restarted_one_after_another_under_typing_people() {
    let stage = Stage::new(151, sized(12, 40), sized(3, 5), false).await;
    restart_in_turn(stage, "through a balancer that asks who is ready").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_are_restarted_one_after_another_behind_nginx() {
    let stage = Stage::new(153, sized(12, 40), sized(3, 5), true).await;
    restart_in_turn(stage, "through nginx").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_of_one_document_meet_at_one_server_behind_nginx() {
    let schema = Schema::create().await;
    let addresses = [nginx::free(), nginx::free()];
    let servers =
        [serve(&schema.url(), addresses[0]).await, serve(&schema.url(), addresses[1]).await];
    let nginx = Nginx::start(&addresses).await;
    let cookie = servers[0].new_guest().await;
    let documents = 24;
    let mut clients = Vec::new();
    for _ in 0..documents {
        let document = servers[0].create_document(&cookie, "").await;
        for _ in 0..3 {
            let other = servers[1].new_guest().await;
            clients.push(NativeClient::join(nginx.address(), &other, &document).await);
        }
    }
    let mut rooms = [0.0; 2];
    for (rooms, server) in rooms.iter_mut().zip(&servers) {
        *rooms = server.metric("concord_rooms").await;
    }
    assert_eq!(rooms[0] + rooms[1], f64::from(documents), "each document is open at one server");
    assert!(rooms.iter().all(|rooms| *rooms > 0.0), "and both have some: {rooms:?}");
    drop(clients);
    for server in servers {
        server.stop().await;
    }
    schema.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_over_http_stays_with_the_server_that_opened_it_behind_nginx() {
    let schema = Schema::create().await;
    let addresses = [nginx::free(), nginx::free()];
    // So few requests of somebody unknown that those of a moved session must not be taken for such.
    let few = [&FLAGS[..], &["--anonymous-per-s", "1", "--anonymous-burst", "1"]].concat();
    let start = async |address| {
        let (database, listen) = (&*schema.url(), Some(address));
        Process::start_as(Start { database, flags: &few, listen, ..Start::default() }).await
    };
    let maker = serve(&schema.url(), nginx::free()).await;
    let mut guests = Vec::new();
    for _ in 0..12 {
        guests.push(maker.new_guest().await);
    }
    let document = maker.create_document(&guests[0], "").await;
    maker.stop().await;

    // nginx has two servers, of which one comes only when all sessions are open.
    let there = start(addresses[1]).await;
    let nginx = Nginx::start(&addresses).await;
    let mut clients = Vec::new();
    for guest in &guests {
        let mut client = NativeClient::new(nginx.address(), guest, &document);
        client.go_over_http();
        client.connect().await.expect("the one server takes them all");
        clients.push(client);
    }
    let late = start(addresses[0]).await;
    for client in &mut clients {
        for _ in 0..3 {
            client.edit(0, 0, "é");
            assert!(client.submit_and_wait_until_committed().await);
            while client.awaits_ack() {
                client.take_entry().await.expect("the session holds");
            }
        }
    }
    assert_eq!(late.metric("concord_sockets").await, 0.0, "nobody had to begin anew");
    assert_eq!(there.metric("concord_sockets").await, 12.0);
    drop(clients);
    for server in [there, late] {
        server.stop().await;
    }
    schema.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_another_server_does_not_know_is_opened_anew_without_loss() {
    let people = sized(8, 20);
    let mut stage = Stage::new(152, people, 2, false).await;
    let sessions = async |server: &Process| server.metric("concord_sockets").await;
    for (from, to) in [(0, 1), (1, 0)] {
        stage
            .typing(async |servers, front| {
                let Front::Balancer(balancer) = front else { panic!("it stands there") };
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
