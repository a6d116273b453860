//! PostgreSQL that is killed, stopped or paused while people type, and connections to it that break
//! around a commit.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::{Stage, seed, serve, serve_as, sized};
use crate::support::person::Temper;
use crate::support::postgres::Cluster;
use crate::support::proxy::{Proxy, Trap};
use crate::support::until;

const TEMPER: Temper =
    Temper { pace: Duration::from_millis(20), patience: Duration::from_secs(2), haste: 20 };

#[derive(Clone, Copy, Debug)]
enum Outage {
    /// As by a power switch; then started again.
    Killed,
    /// In order; then started again.
    Stopped,
    /// Nothing runs for so many seconds, and everything goes on after.
    Paused(u64),
}

impl Outage {
    /// Has it, begin to end, with people at work; in the end the database answers again.
    async fn strike(self, cluster: &mut Cluster, stage: &Stage) {
        let before = stage.setbacks().await;
        let is_felt = async || stage.setbacks().await > before;
        match self {
            Outage::Killed => {
                cluster.kill().await;
                until("appends fail", is_felt).await;
                cluster.restart().await;
            }
            Outage::Stopped => {
                cluster.stop().await;
                until("appends fail", is_felt).await;
                cluster.restart().await;
            }
            Outage::Paused(seconds) => {
                cluster.pause();
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                cluster.resume();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outages_of_the_database_cost_only_time() {
    use Outage::{Killed, Paused, Stopped};
    let mut cluster = Cluster::start(&[]).await;
    let process = serve(&cluster.url(), &[]).await;
    let mut stage = Stage::on(cluster.url(), process, seed(91)).await;
    let address = stage.process.address();
    let mut people = stage.people(address, 6, TEMPER).await;
    let short = vec![Killed, Stopped, Paused(3)];
    let full = [[Killed, Stopped, Paused(3), Killed, Stopped].repeat(10), vec![Paused(30); 4]];
    for outage in sized(short, full.concat()) {
        let pause = Duration::from_millis(50 + stage.choices.below(400) as u64);
        let there = &stage;
        let writing = people.iter_mut().map(|person| person.write(80, &there.characters));
        let striking = async {
            tokio::time::sleep(pause).await;
            outage.strike(&mut cluster, there).await;
            Instant::now()
        };
        let (over, _) = tokio::join!(striking, join_all(writing));
        let longest = people.iter_mut().flat_map(|person| std::mem::take(&mut person.waits)).max();
        let longest = longest.expect("something was acknowledged");
        if let Paused(seconds) = outage {
            // Somebody types within the first second.
            let least = Duration::from_secs(seconds - 1);
            assert!(longest >= least, "paused for {seconds} s, and an ack took {longest:.1?}");
        }
        println!(
            "{outage:?}: all acknowledged {:.1?} after its end, the slowest in {longest:.1?}",
            over.elapsed()
        );
    }
    let (failed, peak) = (stage.setbacks().await, stage.process.memory_peak_bytes());
    let verdict = stage.finish(&mut people).await;
    println!(
        "{failed} appends failed or unknown, {} acknowledged, 0 lost, 0 doubled; server at {} MiB",
        verdict.acknowledged,
        peak >> 20
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_of_which_nobody_knows_is_found_or_made_once() {
    cut_around_commits(sized(8, 200), seed(92), None).await;
}

/// Cuts the connection around so many commits, under a server that may be defective.
pub(super) async fn cut_around_commits(rounds: u32, seed: u64, stand_in: Option<&'static str>) {
    let cluster = Cluster::start(&[]).await;
    let proxy = Proxy::start(cluster.address()).await;
    let database = Cluster::url_by(proxy.address());
    let process = serve_as(&database, &[], stand_in).await;
    let mut stage = Stage { stand_in, ..Stage::on(database, process, seed).await };
    let address = stage.process.address();
    let mut people = stage.people(address, 4, TEMPER).await;
    for round in 0..rounds {
        // The statement with this word is lost with its connection: before it reached the database,
        // or when the database answered that it is committed.
        let word = stage.characters.word(6);
        proxy.trap(Trap { needle: word.clone().into_bytes(), delivers: round % 2 == 0 });
        let (teller, others) = people.split_first_mut().expect("there are people");
        teller.client.edit(0, 0, &word);
        let others = others.iter_mut().map(|person| person.write(3, &stage.characters));
        tokio::join!(teller.write(0, &stage.characters), join_all(others));
        assert!(!proxy.is_set(), "the connection was cut around the commit");
    }
    let (setbacks, unknown) = (stage.setbacks().await, stage.unknown().await);
    let verdict = stage.finish(&mut people).await;
    // One that never reached the database may be known to have failed.
    assert!(setbacks >= f64::from(rounds), "{setbacks} of {rounds} were not done");
    assert!(unknown >= f64::from(rounds / 2), "{unknown} of {rounds} were not known");
    println!(
        "{rounds} connections cut around a commit, half of them before it and half after: {unknown} \
         appends of unknown outcome, {} acknowledged, 0 lost, 0 doubled",
        verdict.acknowledged
    );
}
