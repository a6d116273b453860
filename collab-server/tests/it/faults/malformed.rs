//! Ten thousand frames and ten thousand messages that nobody should send: each is answered as the
//! documents say, and those who write meanwhile notice nothing.

mod frames;
mod messages;

use std::time::Duration;

use futures_util::future::join_all;

use super::Stage;
use crate::support::choices::Choices;
use crate::support::oracle::Verdict;
use crate::support::person::Temper;
use crate::support::socket::{RawSocket, client_id};

const TEMPER: Temper =
    Temper { pace: Duration::from_millis(40), patience: Duration::from_secs(5), haste: 1 };

/// Where nonsense is sent to.
struct Target<'a> {
    stage: &'a Stage,
    choices: Choices,
}

impl Target<'_> {
    /// Connects as somebody who may write, and takes the welcome.
    async fn connect(&self) -> RawSocket {
        let headers = [("sec-websocket-protocol", "concord.v1"), ("cookie", &*self.stage.cookie)];
        let address = self.stage.process.address();
        let mut socket = RawSocket::open(address, &headers).await.expect("an upgrade");
        assert_eq!(socket.next().await["type"], "welcome");
        socket
    }

    /// Connects, and opens the document.
    async fn join(&self, client: u32) -> RawSocket {
        let mut socket = self.connect().await;
        socket.enter(&self.stage.document, client).await;
        socket
    }
}

/// Sends nonsense while two people write. Whatever it was, they keep their connections, and their
/// operations are all there is. What the attack counted, and what was found in the end.
async fn besiege<T>(seed: u64, attack: impl AsyncFnOnce(Target<'_>) -> T) -> (T, Verdict) {
    let mut stage = Stage::new(seed, &[]).await;
    let address = stage.process.address();
    let mut people = stage.people(address, 2, TEMPER).await;
    let target = Target { choices: stage.choices.fork(), stage: &stage };
    let is_over = tokio::sync::watch::channel(false).0;
    let writing = people.iter_mut().map(async |person| {
        while !*is_over.borrow() {
            person.write(1, &stage.characters).await;
            person.rest(TEMPER.pace).await;
        }
    });
    let attack = async {
        let counted = attack(target).await;
        is_over.send_replace(true);
        counted
    };
    let (counted, _) = tokio::join!(attack, join_all(writing));
    assert!(people.iter().all(|person| person.losses == 0), "writers keep their connections");
    println!("server at {} MiB", stage.process.memory_peak_bytes() >> 20);
    (counted, stage.finish(&mut people).await)
}

#[tokio::test]
async fn one_operation_of_somebody_else_is_seen() {
    let ((), verdict) = besiege(84, async |target| {
        let mut socket = target.connect().await;
        let joined = socket.enter(&target.stage.document, 1).await;
        let len = joined["text"].as_str().expect("a text").chars().count();
        let op = if len == 0 { r#"["é"]"#.to_owned() } else { format!(r#"["é",{len}]"#) };
        let rev = joined["rev"].as_u64().expect("a revision");
        assert_eq!(socket.submit(1, rev, &op).await["ack"], 1);
    })
    .await;
    assert_eq!(verdict.revisions, verdict.acknowledged + 1);
}

fn joining(document: &str, client: u32) -> String {
    let id = client_id(client);
    format!(r#"{{"type":"join","doc":"{document}","client":"{id}"}}"#)
}
