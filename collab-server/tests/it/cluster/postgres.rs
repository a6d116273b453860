//! PostgreSQL that is restarted, or away for a while, under several servers.

use std::time::{Duration, Instant};

use super::{Stage, TEMPER, write};
use crate::faults::{seed, sized};
use crate::support::http::Request;
use crate::support::person::Person;
use crate::support::until;

fn acknowledged(crowds: &[Vec<Person>]) -> usize {
    crowds.iter().flatten().map(|person| person.client.acked().len()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_is_restarted_again_and_again_costs_only_time() {
    let rounds = sized(2, 25);
    let mut stage = Stage::new(seed(221), 2, 5, &[]).await;
    let mut crowds = stage.people(sized(5, 10), TEMPER).await;
    for _ in 0..rounds {
        let Stage { postgres, characters, choices, .. } = &mut stage;
        let pause = Duration::from_millis(100 + choices.below(300) as u64);
        let is_killed = choices.below(2) == 0;
        let striking = async {
            tokio::time::sleep(pause).await;
            if is_killed {
                postgres.kill().await
            } else {
                postgres.stop().await
            }
            postgres.restart().await;
        };
        tokio::join!(striking, write(&mut crowds, 20, characters));
    }
    let acknowledged = stage.judge(&mut crowds).await;
    println!("{rounds} restarts of PostgreSQL: {acknowledged} acknowledged, all texts one");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_postgres_is_away_nothing_is_acknowledged_and_then_everything() {
    let mut stage = Stage::new(seed(222), 2, 5, &[]).await;
    let mut crowds = stage.people(5, TEMPER).await;
    write(&mut crowds, 5, &stage.characters).await;
    let before: Vec<u64> =
        stage.servers.iter().map(|server| server.process.memory_peak_bytes()).collect();

    stage.postgres.stop().await;
    let told = acknowledged(&crowds);
    let edits = sized(40, 200);
    let (postgres, characters) = (&mut stage.postgres, &stage.characters);
    let servers = &stage.servers;
    let away = async {
        for server in servers {
            // Not that appends fail: where the outcome of one is unknown, its document first reads
            // what became of it, and appends nothing until then.
            until("the server has noticed", async || {
                Request::get("/health/ready").send(server.process.address()).await.status == 503
            })
            .await;
        }
        tokio::time::sleep(Duration::from_secs(sized(1, 30))).await;
        let mut committed = 0.0;
        for server in servers {
            committed += server.process.metric("concord_operations_total").await;
        }
        postgres.restart().await;
        (committed, Instant::now())
    };
    let ((committed, back), ()) = tokio::join!(away, write(&mut crowds, edits, characters));
    let caught_up = back.elapsed();
    assert!(committed <= told as f64, "{committed} committed, {told} acknowledged before");

    let total = stage.judge(&mut crowds).await;
    let peaks: Vec<String> = stage
        .servers
        .iter()
        .zip(before)
        .map(|(server, before)| {
            let peak = server.process.memory_peak_bytes();
            format!("{} to {} MiB", before >> 20, peak >> 20)
        })
        .collect();
    println!(
        "PostgreSQL away: {told} acknowledged before, none meanwhile, {total} in the end; all that \
         was pending {caught_up:.1?} after it was back; memory {}",
        peaks.join(", ")
    );
    stage.stop().await;
}
