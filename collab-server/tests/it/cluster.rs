//! Several real servers on one PostgreSQL and one Redis, and everything between them that fails:
//! nothing acknowledged is lost, nothing is doubled, nothing forks, and all servers serve one text.
//!
//! Every server reaches the database and Redis by proxies of its own, which can be cut. The sizes
//! and the seeds are those of `faults`: a short form with all tests, the full one by `cargo xtask
//! soak cluster-…`.

mod control;
mod converge;
mod fair;
mod lossy;
mod partitions;
mod people;
mod postgres;
mod redis;
mod speed;

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;

use crate::faults::OPEN;
use crate::support::choices::{Characters, Choices};
use crate::support::native::NativeClient;
use crate::support::oracle::{self, Account, Evidence};
use crate::support::person::{Person, Temper};
use crate::support::postgres::Cluster;
use crate::support::process::{Process, Start};
use crate::support::proxy::{Network, Proxy};
use crate::support::redis::Redis;

const TEMPER: Temper =
    Temper { pace: Duration::from_millis(40), patience: Duration::from_secs(2), haste: 20 };

/// A server with its ways to what it shares.
struct Server {
    process: Process,
    to_postgres: Proxy,
    to_redis: Proxy,
}

impl Server {
    /// Starts one, or a test of this program in its place.
    async fn start(
        postgres: SocketAddr,
        redis: SocketAddr,
        flags: &[&str],
        stand_in: Option<&str>,
    ) -> Server {
        let (to_postgres, to_redis) = (Proxy::start(postgres).await, Proxy::start(redis).await);
        let redis_url = Redis::url_by(to_redis.address());
        let own = ["--redis-url", &redis_url, "--database-timeout-ms", "2000"];
        let flags = [&OPEN[..], &own, flags].concat();
        let database = Cluster::url_by(to_postgres.address());
        let start = Start { database: &database, flags: &flags, stand_in, ..Start::default() };
        Server { process: Process::start_as(start).await, to_postgres, to_redis }
    }

    /// Nothing more reaches it from there, nor it; connections of before are gone.
    fn cut_off(proxy: &Proxy) {
        proxy.aim(None);
        proxy.cut();
    }

    /// Whether it has a way to Redis.
    async fn has_redis(&self) -> bool {
        self.process.metric("concord_redis_connected").await > 0.0
    }
}

/// Servers, what they share, and documents.
struct Stage {
    postgres: Cluster,
    redis: Redis,
    servers: Vec<Server>,
    cookie: String,
    documents: Vec<String>,
    characters: Characters,
    seed: u64,
    choices: Choices,
}

impl Stage {
    async fn new(seed: u64, servers: usize, documents: usize, flags: &[&str]) -> Stage {
        Self::with(seed, servers, documents, flags, None).await
    }

    async fn with(
        seed: u64,
        servers: usize,
        documents: usize,
        flags: &[&str],
        stand_in: Option<&str>,
    ) -> Stage {
        let postgres = Cluster::start(&[]).await;
        let redis = Redis::start(&[]).await;
        let (one, other) = (postgres.address(), redis.address());
        let starting = (0..servers).map(|_| Server::start(one, other, flags, stand_in));
        let servers = join_all(starting).await;
        let cookie = servers[0].process.new_guest().await;
        let creating = (0..documents).map(|_| servers[0].process.create_document(&cookie, ""));
        let documents = join_all(creating).await;
        let (characters, choices) = (Characters::default(), Choices::new(seed));
        Stage { postgres, redis, servers, cookie, documents, characters, seed, choices }
    }

    /// So many people on every server, who take the documents by turns.
    async fn people(&mut self, per_server: usize, temper: Temper) -> Vec<Vec<Person>> {
        let mut crowds = Vec::new();
        for server in &self.servers {
            let mut people: Vec<Person> = (0..per_server)
                .map(|index| {
                    let document = &self.documents[index % self.documents.len()];
                    let address = server.process.address();
                    let client = NativeClient::new(address, &self.cookie, document);
                    Person::new(client, self.choices.fork(), temper)
                })
                .collect();
            join_all(people.iter_mut().map(|person| person.client.connect()))
                .await
                .into_iter()
                .for_each(|connected| connected.expect("the server takes connections"));
            crowds.push(people);
        }
        crowds
    }

    /// Everything works again.
    fn heal(&self) {
        for server in &self.servers {
            for (proxy, target) in [
                (&server.to_postgres, self.postgres.address()),
                (&server.to_redis, self.redis.address()),
            ] {
                proxy.aim(Some(target));
                proxy.set(Network::GOOD);
            }
        }
    }

    /// Everybody reads what is there, and every document is judged by what every server says of it.
    /// How many operations were acknowledged.
    async fn judge(&self, crowds: &mut [Vec<Person>]) -> usize {
        let mut acknowledged = 0;
        let store = oracle::open(&self.postgres.url()).await;
        for (number, document) in self.documents.iter().enumerate() {
            let mut heads = Vec::new();
            for server in &self.servers {
                heads.push(server.process.head(&self.cookie, document).await);
            }
            let head = heads.iter().map(|(_, head)| *head).max().expect("there are servers");
            let count = self.documents.len();
            let mut people: Vec<&mut Person> = crowds
                .iter_mut()
                .flat_map(|people| people.iter_mut().skip(number).step_by(count))
                .collect();
            join_all(people.iter_mut().map(|person| person.read_to(head))).await;
            // A server that nobody reads from has until its next look at the heads.
            for (server, served) in self.servers.iter().zip(&mut heads) {
                crate::support::until("every server serves the head", async || {
                    *served = server.process.head(&self.cookie, document).await;
                    served.1 >= head
                })
                .await;
            }
            let (log, loaded) = oracle::read(&*store, document).await;
            let accounts: Vec<Account> =
                people.iter().map(|person| Account::from(&person.client)).collect();
            for served in heads {
                let (log, loaded, accounts) = (log.clone(), loaded.clone(), accounts.clone());
                let evidence = Evidence { log, served, loaded, accounts };
                oracle::assert_sound(&evidence, self.seed);
            }
            acknowledged += accounts.iter().map(|account| account.acked.len()).sum::<usize>();
        }
        store.close().await;
        acknowledged
    }

    async fn stop(self) {
        for server in self.servers {
            server.process.stop().await;
        }
    }
}

/// Everybody on every server types so many times, and all is acknowledged.
async fn write(crowds: &mut [Vec<Person>], edits: usize, characters: &Characters) {
    let everybody = crowds.iter_mut().flatten();
    join_all(everybody.map(|person| person.write(edits, characters))).await;
}
