//! Who is in a document, and what is told in topics, over real servers.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Server, Stage};
use crate::faults::seed;
use crate::support::http::Request;
use crate::support::socket::{RawSocket, client_id};
use crate::support::until;

/// Somebody in a document, and whom they see there: session and person.
struct Watcher {
    socket: RawSocket,
    people: BTreeMap<u64, String>,
}

impl Watcher {
    async fn enter(server: &Server, cookie: &str, document: &str, client: u32) -> Watcher {
        let headers = [("sec-websocket-protocol", "concord.v1"), ("cookie", cookie)];
        let address = server.process.address();
        let mut socket = RawSocket::open(address, &headers).await.expect("an upgrade");
        socket.say(json!({"type": "join", "doc": document, "client": client_id(client)})).await;
        let mut watcher = Watcher { socket, people: BTreeMap::new() };
        while watcher.next().await["type"] != "joined" {}
        watcher
    }

    async fn next(&mut self) -> Value {
        let message = self.socket.any().await.expect("the connection holds");
        for person in message["people"].as_array().into_iter().flatten() {
            let user = person["user"].as_str().expect("a person").to_owned();
            person["session"].as_u64().map(|session| self.people.insert(session, user));
        }
        for gone in message["gone"].as_array().into_iter().flatten() {
            self.people.remove(&gone.as_u64().expect("a number"));
        }
        message
    }

    async fn sees(&mut self, sessions: usize) {
        while self.people.len() != sessions {
            self.next().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_seen_and_told_on_both_servers_and_gone_within_the_lease_of_a_killed_one() {
    let lease = Duration::from_secs(3);
    let mut stage = Stage::new(seed(311), 2, 1, &["--presence-lease-ms", "3000"]).await;
    for server in &stage.servers {
        until("Redis is found", async || server.has_redis().await).await;
    }
    let ben = stage.servers[1].process.new_guest().await;
    let [one, other] = &stage.servers[..] else { unreachable!("there are two") };
    let document = &stage.documents[0];
    let mut ada = Watcher::enter(one, &stage.cookie, document, 1).await;
    let mut tab = Watcher::enter(other, &stage.cookie, document, 2).await;
    let mut ben = Watcher::enter(other, &ben, document, 3).await;
    ben.sees(2).await;
    let people: Vec<&String> = ben.people.values().collect();
    assert_eq!(people[0], people[1], "two tabs on two servers are one person");
    ada.sees(2).await;
    tab.sees(2).await;

    // A document that is open on the other server alone is listed with who is there.
    let alone = one.process.create_document(&stage.cookie, "").await;
    let _there = Watcher::enter(other, &stage.cookie, &alone, 4).await;
    until("the list of one server counts who is on the other", async || {
        let list = Request::get("/api/documents").header("cookie", &stage.cookie);
        let list = list.send(one.process.address()).await.json();
        let listed = list["documents"].as_array().expect("a list").iter();
        let listed = listed.clone().find(|listed| listed["id"] == alone.as_str());
        listed.is_some_and(|listed| listed["here"] == 1)
    })
    .await;

    for watcher in [&mut ada, &mut ben] {
        watcher.socket.say(json!({"type": "watch", "topic": "board"})).await;
        while watcher.next().await["type"] != "watching" {}
    }
    // Until Redis has the subscriptions, what is told reaches who is on the same server alone.
    let mut n = 0;
    let heard = loop {
        n += 1;
        ada.socket.say(json!({"type": "tell", "topic": "board", "n": n, "data": n})).await;
        let pause = Duration::from_millis(100);
        let waiting = async { while ben.next().await["type"] != "event" {} };
        if tokio::time::timeout(pause, waiting).await.is_ok() {
            break n;
        }
        assert!(n < 100, "nothing that is told on one server reaches the other");
    };

    stage.servers[0].process.kill().await;
    let began = Instant::now();
    ben.sees(1).await;
    let took = began.elapsed();
    println!("gone after {} ms of {lease:?}; heard telling {heard}", took.as_millis());
    assert_eq!(ben.people.len(), 1, "the tab on the living server stays");
    drop(ada);
    stage.servers.remove(0);
    stage.stop().await;
}
