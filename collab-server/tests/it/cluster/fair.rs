//! Two servers whose people write to one document at the same time: none of them starves. What each
//! gets in and how long its people wait is printed; `cargo xtask soak cluster-fair` prints figures
//! worth reading.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::speed::{HASTY, median, until_has_redis};
use super::{Server, Stage};
use crate::faults::{seed, sized};
use crate::support::native::NativeClient;
use crate::support::person::Person;

/// What the people of one server came to.
struct Share {
    acknowledged: usize,
    typical: Duration,
    longest: Duration,
}

/// So many people on each server write as fast as answers come, until so much is acknowledged.
async fn hammer(stage: &mut Stage, people: [usize; 2], until: usize) -> [Share; 2] {
    let mut crowds: Vec<Vec<Person>> = Vec::new();
    for (server, count) in stage.servers.iter().zip(people) {
        let address = server.process.address();
        let new = || NativeClient::new(address, &stage.cookie, &stage.documents[0]);
        crowds.push((0..count).map(|_| Person::new(new(), stage.choices.fork(), HASTY)).collect());
        for person in crowds.last_mut().into_iter().flatten() {
            person.client.connect().await.expect("the server takes connections");
        }
    }
    let (done, characters) = (AtomicUsize::new(0), &stage.characters);
    // Who has not begun does not starve: all are there before anything counts.
    join_all(crowds.iter_mut().flatten().map(|person| person.write(1, characters))).await;
    join_all(crowds.iter_mut().flatten().map(async |person| {
        while done.load(Ordering::Relaxed) < until {
            person.write(1, characters).await;
            done.fetch_add(1, Ordering::Relaxed);
        }
    }))
    .await;
    stage.judge(&mut crowds).await;
    let shares = crowds.iter().map(|people| {
        let waits = || people.iter().flat_map(|person| person.waits.iter().skip(1).copied());
        Share {
            acknowledged: people.iter().map(|person| person.client.acked().len() - 1).sum(),
            typical: median(waits().collect()),
            longest: waits().max().unwrap_or_default(),
        }
    });
    let shares: Vec<Share> = shares.collect();
    shares.try_into().unwrap_or_else(|_| panic!("two servers"))
}

async fn check(own: u64, with_redis: bool) {
    let mut stage = Stage::new(seed(own), 2, 1, &[]).await;
    for server in &stage.servers {
        if !with_redis {
            Server::cut_off(&server.to_redis);
        }
        until_has_redis(server, with_redis).await;
    }
    for people in [[16, 16], [24, 1]] {
        let began = Instant::now();
        let [one, other] = hammer(&mut stage, people, sized(400, 6_000)).await;
        let total = one.acknowledged + other.acknowledged;
        let percent = |share: &Share| 100 * share.acknowledged / total;
        println!(
            "Redis {with_redis}, {people:?} people on two servers, one document: {total} acknowledged \
             in {:.1?}, {} and {} %; acks at the median {:.1?} and {:.1?}, at most {:.1?} and {:.1?}",
            began.elapsed(),
            percent(&one),
            percent(&other),
            one.typical,
            other.typical,
            one.longest,
            other.longest,
        );
        // Half of what falls to its people is no starving; less has to be told from chance in a second.
        let part = sized(8, 2);
        let all = people[0] + people[1];
        for (share, people) in [(&one, people[0]), (&other, people[1])] {
            assert!(share.acknowledged * all * part >= total * people, "a server starves");
        }
    }
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_servers_that_write_to_one_document_none_starves() {
    check(254, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_servers_without_redis_that_write_to_one_document_none_starves() {
    check(255, false).await;
}
