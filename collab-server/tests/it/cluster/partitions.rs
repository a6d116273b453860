//! Servers that are cut off from Redis, from PostgreSQL or from both, or stand still for a while,
//! round after round: no fork, nothing lost, nothing doubled.

use std::time::Duration;

use super::{Server, Stage, TEMPER, write};
use crate::faults::{seed, sized};
use crate::support::person::Temper;
use crate::support::proxy::{Flow, Network};
use crate::support::until;

/// What happens to a server.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Redis,
    Postgres,
    Both,
    /// Bytes are taken and never arrive: the connections seem to live on.
    SilentRedis,
    SilentPostgres,
    /// It stands still, and goes on believing what it believed.
    Still,
}

const FAULTS: [Fault; 6] = [
    Fault::Redis,
    Fault::Postgres,
    Fault::Both,
    Fault::SilentRedis,
    Fault::SilentPostgres,
    Fault::Still,
];

impl Fault {
    fn begin(self, server: &Server) {
        let dead = Network { up: Flow::Dead, down: Flow::Dead };
        match self {
            Fault::Redis => Server::cut_off(&server.to_redis),
            Fault::Postgres => Server::cut_off(&server.to_postgres),
            Fault::Both => {
                Server::cut_off(&server.to_redis);
                Server::cut_off(&server.to_postgres);
            }
            Fault::SilentRedis => server.to_redis.set(dead),
            Fault::SilentPostgres => server.to_postgres.set(dead),
            Fault::Still => server.process.signal("-STOP"),
        }
    }

    fn end(self, stage: &Stage, server: &Server) {
        if matches!(self, Fault::Still) {
            server.process.signal("-CONT");
        }
        stage.heal();
        // What died silently stays dead on the connections of then.
        if matches!(self, Fault::SilentRedis | Fault::SilentPostgres) {
            server.to_redis.cut();
            server.to_postgres.cut();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_are_cut_off_or_stand_still_never_fork() {
    let rounds = sized(6, 100);
    let mut stage = Stage::new(seed(231), 2, 2, &[]).await;
    let temper = Temper { patience: Duration::from_millis(500), ..TEMPER };
    let mut crowds = stage.people(sized(4, 8), temper).await;
    for round in 0..rounds {
        let fault = FAULTS[round % FAULTS.len()];
        let victim = stage.choices.below(stage.servers.len());
        let begins = Duration::from_millis(20 + stage.choices.below(200) as u64);
        let lasts = Duration::from_millis(200 + stage.choices.below(1_300) as u64);
        let there = &stage;
        let striking = async {
            let server = &there.servers[victim];
            tokio::time::sleep(begins).await;
            fault.begin(server);
            tokio::time::sleep(lasts).await;
            fault.end(there, server);
        };
        // Everything is acknowledged in the end, whatever happened meanwhile.
        tokio::join!(striking, write(&mut crowds, 15, &there.characters));
        for server in &stage.servers {
            until("Redis is found again", async || server.has_redis().await).await;
        }
    }
    let acknowledged = stage.judge(&mut crowds).await;
    let waits = || crowds.iter().flatten().flat_map(|person| person.waits.iter());
    println!(
        "{rounds} partitions: {acknowledged} acknowledged, after {:.1?} at most; 0 forks, 0 lost, \
         0 doubled",
        waits().max().copied().unwrap_or_default()
    );
    stage.stop().await;
}
