//! The worked session of docs/protocol.md happens as the page says.

use serde_json::{Value, json};

use crate::support::server::TestServer;
use crate::support::socket::{RawSocket, client_id};

const PAGE: &str = include_str!("../../../docs/protocol.md");

/// The frames of the worked session, in the order of the page.
fn frames() -> Vec<Value> {
    let (_, section) = PAGE.split_once("## A session, from first to last").expect("the section");
    let (section, _) = section.split_once("\n## ").expect("a section behind it");
    let blocks = section.split("```json ").skip(1);
    let texts = blocks.flat_map(|block| {
        let (_, body) = block.split_once('\n').expect("a kind");
        body.split("```").next().unwrap_or_default().lines()
    });
    texts.map(|text| serde_json::from_str(text).expect("JSON")).collect()
}

/// Reads entries until there are so many, checks and authors' numbers left out.
async fn entries(socket: &mut RawSocket, wanted: usize) -> Vec<Value> {
    let mut found = Vec::new();
    while found.len() < wanted {
        for entry in socket.next_of("ops").await["ops"].as_array().expect("entries") {
            if entry.get("check").is_none() {
                found.push(without_author(entry));
            }
        }
    }
    found
}

fn without_author(entry: &Value) -> Value {
    let mut entry = entry.clone();
    entry.as_object_mut().expect("an entry").remove("by");
    entry
}

fn entries_of(frame: &Value) -> Vec<Value> {
    frame["ops"].as_array().expect("entries").iter().map(without_author).collect()
}

#[tokio::test]
async fn the_worked_session_happens() {
    let [ada_1, ben_1, ada_hears, ben_hears, ada_2, join, again, joined, acked, shown, checked] =
        <[Value; 11]>::try_from(frames()).expect("the frames of the section");
    let server = TestServer::start().await;
    let document = server.create_with_text("ab").await;
    let (mut ada, ada_joined) = RawSocket::join(&server, &document, 1).await;
    let mut ben = RawSocket::connect(&server, &server.new_guest().await).await;
    ben.enter(&document, 2).await;

    ada.say(ada_1).await;
    let mut heard = entries(&mut ada, 1).await;
    ben.say(ben_1).await;
    heard.extend(entries(&mut ada, 1).await);
    assert_eq!(heard, entries_of(&ada_hears));
    assert_eq!(entries(&mut ben, 2).await, entries_of(&ben_hears));

    assert_eq!(ada_2, again, "what was sent is frozen");
    ada.say(ada_2).await;
    entries(&mut ben, 1).await;
    drop(ada);

    let mut ada = RawSocket::connect(&server, server.cookie()).await;
    let epoch = &ada_joined["epoch"];
    let client = client_id(1);
    ada.say(json!({
        "type": "join", "doc": document, "client": client, "since": join["since"], "epoch": epoch,
    }))
    .await;
    ada.say(again).await;
    let found = ada.next_of("joined").await;
    for field in ["rev", "seq", "seq_rev", "role"] {
        assert_eq!(found[field], joined[field], "{field}");
    }
    assert_eq!(found["people"][0]["ranges"], joined["people"][0]["ranges"]);
    assert_eq!(entries(&mut ada, 1).await, entries_of(&acked));
    let presence = ada.next_of("presence").await;
    assert_eq!(presence["rev"], shown["rev"]);
    assert_eq!(presence["people"][0]["ranges"], shown["people"][0]["ranges"]);
    assert_eq!(server.head(&document).await, ("xzaby".to_owned(), 4));

    // Ben's text, now that it is quiet, has the hash that the page shows.
    let hash = loop {
        let ops = ben.next_of("ops").await;
        if let Some(check) =
            ops["ops"].as_array().expect("entries").last().expect("one").get("check")
        {
            break check.clone();
        }
    };
    assert_eq!(hash, checked["ops"][0]["check"]);
    server.stop().await;
}
