//! Many people on several servers in the same documents.

use std::time::{Duration, Instant};

use super::{Stage, TEMPER, write};
use crate::faults::{seed, sized};
use crate::support::native::NativeClient;
use crate::support::until;

/// No look at the heads comes within a test's patience: what is seen was heard.
const NO_POLLS: [&str; 2] = ["--poll-interval-ms", "600000"];

async fn check(servers: usize, own: u64) {
    let mut stage = Stage::new(seed(own), servers, 5, &[]).await;
    let mut crowds = stage.people(sized(50, 50 * 3) / servers, TEMPER).await;
    let began = Instant::now();
    write(&mut crowds, sized(8, 200), &stage.characters).await;
    let took = began.elapsed();
    let acknowledged = stage.judge(&mut crowds).await;
    let mut conflicts = 0.0;
    for server in &stage.servers {
        conflicts += server.process.metric(r#"concord_appends_total{code="conflict"}"#).await;
    }
    let people: usize = crowds.iter().map(Vec::len).sum();
    println!(
        "{servers} servers, {people} clients, 5 documents: {acknowledged} operations acknowledged \
         in {took:.1?}, {conflicts} appends lost their race; 0 lost, 0 doubled, all texts one"
    );
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_people_on_two_servers_end_with_one_text_in_each_of_five_documents() {
    check(2, 201).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_people_on_three_servers_end_with_one_text_in_each_of_five_documents() {
    check(3, 202).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_on_one_server_is_heard_on_the_other_through_redis() {
    let stage = Stage::new(203, 2, 1, &NO_POLLS).await;
    let [here, there] = &stage.servers[..] else { panic!("two servers") };
    until("both have found Redis", async || here.has_redis().await && there.has_redis().await)
        .await;
    let join = async |server: &super::Server| {
        NativeClient::join(server.process.address(), &stage.cookie, &stage.documents[0]).await
    };
    let (mut writer, mut reader) = (join(here).await, join(there).await);
    for round in 1..=20 {
        writer.edit(0, 0, "é");
        assert!(writer.submit_and_wait_until_committed().await);
        writer.take_to(round).await.expect("the connection holds");
        let heard = tokio::time::timeout(Duration::from_secs(60), reader.take_to(round)).await;
        heard.expect("heard in time").expect("the connection holds");
    }
    assert_eq!(reader.text(), "é".repeat(20));
    assert!(there.process.metric("concord_redis_received_total").await >= 20.0);
    stage.stop().await;
}
