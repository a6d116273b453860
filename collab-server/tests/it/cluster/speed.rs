//! What several servers cost and bring: how much later others see an edit on another server, what
//! Redis costs who writes, and how much two servers commit against one. The short form only shows
//! that all of it ends with one text; `cargo xtask soak cluster-speed` prints figures worth reading.

mod scaling;
mod throughput;

use std::time::{Duration, Instant};

use throughput::{Load, Spread, throughput};

use super::{Server, Stage};
use crate::faults::{seed, sized};
use crate::support::native::{NativeClient, Taken};
use crate::support::person::{Person, Temper};
use crate::support::until;

/// Who types as fast as answers come.
pub(super) const HASTY: Temper =
    Temper { pace: Duration::ZERO, patience: Duration::from_secs(10), haste: 20 };

pub(super) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// How much slower, as a factor.
pub(super) fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

pub(super) async fn until_has_redis(server: &Server, wanted: bool) {
    until("Redis is found, or missed", async || server.has_redis().await == wanted).await;
}

/// From a submission to the moment at which a reader has it and at which the writer has the answer,
/// at the median.
async fn one_edit_at_a_time(stage: &Stage, there: &Server, edits: usize) -> [Duration; 2] {
    let join = async |server: &Server| {
        NativeClient::join(server.process.address(), &stage.cookie, &stage.documents[0]).await
    };
    let (mut writer, mut reader) = (join(&stage.servers[0]).await, join(there).await);
    // Who joins may be given an earlier text, and what follows it.
    let (_, head) = stage.servers[0].process.head(&stage.cookie, &stage.documents[0]).await;
    for client in [&mut writer, &mut reader] {
        client.take_to(head).await.expect("the connection holds");
    }
    let (mut seen, mut answered) = (Vec::new(), Vec::new());
    for _ in 0..edits {
        writer.edit(0, 1.min(writer.len_chars()), &stage.characters.word(1));
        let began = Instant::now();
        writer.submit().await.expect("there is something to send");
        let writing = async {
            while writer.has_pending() {
                let taken = writer.take_entry().await.expect("the connection holds");
                assert_ne!(taken, Taken::Remote, "nobody else writes");
            }
            began.elapsed()
        };
        let reading = async {
            while reader.take_entry().await.expect("the connection holds") != Taken::Remote {}
            began.elapsed()
        };
        let (wrote, read) = tokio::join!(writing, reading);
        answered.push(wrote);
        seen.push(read);
    }
    [median(seen), median(answered)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_see_an_edit_on_another_server_and_nobody_waits_for_redis() {
    let stage = Stage::new(seed(251), 2, 1, &[]).await;
    let [here, there] = &stage.servers[..] else { panic!("two servers") };
    for server in [here, there] {
        until_has_redis(server, true).await;
    }
    let edits = sized(20, 1_000);
    let [near, with_redis] = one_edit_at_a_time(&stage, here, edits).await;
    let [far, _] = one_edit_at_a_time(&stage, there, edits).await;
    println!(
        "seen on the same server after {near:.2?}, on another one after {far:.2?}: {:.2} times",
        ratio(far, near)
    );
    for server in [here, there] {
        Server::cut_off(&server.to_redis);
        until_has_redis(server, false).await;
    }
    let [_, without_redis] = one_edit_at_a_time(&stage, here, edits).await;
    println!(
        "acknowledged after {with_redis:.2?} with Redis, {without_redis:.2?} without: {:.2} times",
        ratio(without_redis, with_redis)
    );
    let told = stage.servers[0].process.metric("concord_redis_published_total").await;
    assert!(told >= edits as f64, "{told} messages for {edits} edits");
    stage.stop().await;
}

async fn compare(documents: usize, people: usize, spreads: &[Spread], own: u64) {
    let mut stage = Stage::new(seed(own), 2, documents, &[]).await;
    for server in &stage.servers {
        until_has_redis(server, true).await;
    }
    let one = throughput(&mut stage, Load { people, servers: 1, spread: Spread::People }).await;
    println!("{documents} documents, {people} people, one server: {one}");
    for spread in spreads {
        let two = throughput(&mut stage, Load { people, servers: 2, spread: *spread }).await;
        println!(
            "two that share {spread:?}: {two}; {:.2} times one server's, {:.2} times for a second of \
             their time",
            two.operations_per_s / one.operations_per_s,
            two.operations_per_server_s() / one.operations_per_server_s(),
        );
    }
    let mut nobody: Vec<Vec<Person>> = Vec::new();
    stage.judge(&mut nobody).await;
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_share_one_hot_document() {
    compare(1, 64, &[Spread::People], 252).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_share_many_documents() {
    compare(64, 128, &[Spread::People, Spread::Documents], 253).await;
}
