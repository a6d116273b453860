//! Redis that is restarted, hangs, loses messages or is not there: it costs time and nothing else,
//! and no time at all for what a person writes.

use std::time::{Duration, Instant};

use super::lossy::Lossy;
use super::speed::ratio;
use super::{Server, Stage, TEMPER, write};
use crate::faults::{seed, sized};
use crate::support::choices::Choices;
use crate::support::native::NativeClient;
use crate::support::until;

/// How much later than its writer somebody on another server has an edit, edit after edit.
async fn staleness(stage: &Stage, edits: usize) -> Vec<Duration> {
    let join = async |server: &Server| {
        NativeClient::join(server.process.address(), &stage.cookie, &stage.documents[0]).await
    };
    let (mut writer, mut reader) = (join(&stage.servers[0]).await, join(&stage.servers[1]).await);
    let mut found = Vec::new();
    for _ in 0..edits {
        writer.edit(0, 1.min(writer.len_chars()), &stage.characters.word(1));
        assert!(writer.submit_and_wait_until_committed().await);
        let committed = Instant::now();
        while writer.has_pending() {
            writer.take_entry().await.expect("the connection holds");
        }
        reader.take_to(writer.revision()).await.expect("the connection holds");
        found.push(committed.elapsed());
    }
    found.sort_unstable();
    found
}

/// From a submission to its ack, over everybody; forgotten here.
fn take_waits(crowds: &mut [Vec<crate::support::person::Person>]) -> Vec<Duration> {
    let everybody = crowds.iter_mut().flatten();
    let mut waits: Vec<Duration> =
        everybody.flat_map(|person| std::mem::take(&mut person.waits)).collect();
    waits.sort_unstable();
    waits
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted.get(sorted.len() * percent / 100).or(sorted.last()).copied().unwrap_or_default()
}

async fn until_all_have_redis(stage: &Stage, wanted: bool) {
    for server in &stage.servers {
        until("Redis is found, or missed", async || server.has_redis().await == wanted).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_restarted_again_and_again_costs_only_time() {
    let rounds = sized(2, 50);
    let mut stage = Stage::new(seed(211), 2, 5, &[]).await;
    let mut crowds = stage.people(sized(5, 10), TEMPER).await;
    until_all_have_redis(&stage, true).await;
    for _ in 0..rounds {
        let Stage { redis, servers, characters, choices, .. } = &mut stage;
        let pause = Duration::from_millis(50 + choices.below(300) as u64);
        let striking = async {
            tokio::time::sleep(pause).await;
            redis.kill().await;
            tokio::time::sleep(pause).await;
            redis.restart().await;
        };
        tokio::join!(striking, write(&mut crowds, 10, characters));
        for server in servers {
            until("Redis is found again", async || server.has_redis().await).await;
        }
    }
    let acknowledged = stage.judge(&mut crowds).await;
    for server in &stage.servers {
        let losses = server.process.metric("concord_redis_losses_total").await;
        assert!(losses >= f64::from(rounds), "{losses} of {rounds} were noticed");
    }
    println!("{rounds} restarts of Redis: {acknowledged} acknowledged, all texts one");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_hangs_keeps_nobody_from_writing() {
    let pause = Duration::from_secs(sized(2, 30));
    let mut stage = Stage::new(seed(212), 2, 5, &[]).await;
    let mut crowds = stage.people(5, TEMPER).await;
    until_all_have_redis(&stage, true).await;
    write(&mut crowds, 20, &stage.characters).await;
    let well = take_waits(&mut crowds);

    stage.redis.pause();
    let began = Instant::now();
    // Everything is acknowledged while Redis stands still.
    while began.elapsed() < pause {
        write(&mut crowds, 20, &stage.characters).await;
    }
    let hung = take_waits(&mut crowds);
    let stale = staleness(&stage, sized(2, 20)).await;
    until_all_have_redis(&stage, false).await;
    stage.redis.resume();
    until_all_have_redis(&stage, true).await;
    let acknowledged = stage.judge(&mut crowds).await;
    println!(
        "Redis stopped for {pause:?}: {acknowledged} acknowledged; acks at the median {:.1?} before \
         and {:.1?} meanwhile: {:.2} times; 99th percentile {:.1?} and {:.1?}; seen elsewhere after \
         {:.1?} at most",
        percentile(&well, 50),
        percentile(&hung, 50),
        ratio(percentile(&hung, 50), percentile(&well, 50)),
        percentile(&well, 99),
        percentile(&hung, 99),
        percentile(&stale, 100),
    );
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_get_lost_are_made_up_for() {
    let own = seed(213);
    let mut stage = Stage::new(own, 2, 5, &[]).await;
    let address = stage.redis.address();
    let lossy = Lossy::start(address, 10, Choices::new(own)).await;
    for server in &stage.servers {
        server.to_redis.aim(Some(lossy.address()));
        server.to_redis.cut();
        let is_back = async || {
            server.process.metric("concord_redis_losses_total").await >= 1.0
                && server.has_redis().await
        };
        until("Redis is found on the other way", is_back).await;
    }
    let mut crowds = stage.people(sized(5, 20), TEMPER).await;
    write(&mut crowds, sized(30, 300), &stage.characters).await;
    let acknowledged = stage.judge(&mut crowds).await;
    let stale = staleness(&stage, sized(10, 200)).await;
    assert!(lossy.lost() > 0, "messages were lost");
    println!(
        "{} messages lost of 10 in a hundred: {acknowledged} acknowledged, all texts one; seen \
         elsewhere after {:.1?} at the median, {:.1?} at most",
        lossy.lost(),
        percentile(&stale, 50),
        percentile(&stale, 100),
    );
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_everybody_writes_and_sees_the_others_later() {
    let mut stage = Stage::new(seed(214), 2, 5, &[]).await;
    for server in &stage.servers {
        Server::cut_off(&server.to_redis);
    }
    until_all_have_redis(&stage, false).await;
    let mut crowds = stage.people(5, TEMPER).await;
    let began = Instant::now();
    let mut stale = Vec::new();
    while stale.is_empty() || began.elapsed() < Duration::from_secs(sized(0, 300)) {
        write(&mut crowds, 20, &stage.characters).await;
        stale.extend(staleness(&stage, 4).await);
    }
    stale.sort_unstable();
    let ready = crate::support::http::Request::get("/health/ready");
    let answer = ready.send(stage.servers[0].process.address()).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("redis: away"), "{answer:?}");

    stage.heal();
    until_all_have_redis(&stage, true).await;
    let acknowledged = stage.judge(&mut crowds).await;
    println!(
        "Redis absent for {:.0?}: {acknowledged} acknowledged, all texts one; seen elsewhere after \
         {:.1?} at the median, {:.1?} at most",
        began.elapsed(),
        percentile(&stale, 50),
        percentile(&stale, 100),
    );
    stage.stop().await;
}
