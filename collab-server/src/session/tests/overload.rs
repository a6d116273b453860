//! Who sends too much is asked to rest, and what a server cannot serve it sends away for later.

use super::*;

#[tokio::test(start_paused = true)]
async fn who_nears_the_limit_is_asked_to_rest_before_anything_is_refused() {
    let server = Server::start(&["--submissions-per-s", "1", "--submissions-burst", "8"]).await;
    server.create(1, "").await;
    let mut ada = server.connect(1).await;
    ada.join(1, 1, None).await;
    let mut heard = Vec::new();
    for seq in 1..=9 {
        let op = if seq == 1 { json!(["x"]) } else { json!([seq - 1, "x"]) };
        ada.say(json!({"type": "submit", "ch": 1, "seq": seq, "rev": seq - 1, "op": op})).await;
        loop {
            let message = ada.next().await;
            if message["type"] != "slow_down" {
                heard.push(message);
                break;
            }
            heard.push(message);
        }
    }
    let pauses: Vec<usize> =
        (0..heard.len()).filter(|index| heard[*index]["type"] == "slow_down").collect();
    assert_eq!(pauses, [5], "once, with the sixth submission: {heard:?}");
    let ms = heard[5]["ms"].as_u64().expect("a pause");
    assert!((1_500..=2_000).contains(&ms), "{ms}");
    let last = heard.last().expect("an answer");
    assert_eq!((&last["type"], &last["code"]), (&json!("reject"), &json!("slow_down")));
}

#[tokio::test(start_paused = true)]
async fn one_socket_too_many_is_sent_away_for_later() {
    let flags = ["--connections-max", "20", "--connections-per-user-max", "20"];
    let server = Server::start(&flags).await;
    let mut inside = Vec::new();
    for person in 1..=19 {
        inside.push(server.connect(person).await);
    }
    assert_eq!(server.dial(20).any().await, Err(1013));
    drop(inside.pop());
    tokio::time::sleep(Duration::from_secs(1)).await;
    server.connect(20).await.is_served().await;
}

#[tokio::test(start_paused = true)]
async fn an_overload_that_lasts_sends_its_connection_away_for_later() {
    let server = Server::start(&["--pending-max", "1"]).await;
    server.create(1, "").await;
    let (mut ada, mut bob) = (server.connect(1).await, server.connect(2).await);
    ada.join(1, 1, None).await;
    bob.join(1, 2, None).await;
    server.store.hold_appends();
    let submit = json!({"type": "submit", "ch": 1, "seq": 1, "rev": 0, "op": ["x"]});
    ada.say(submit.clone()).await;
    let began = tokio::time::Instant::now();
    let closed = loop {
        bob.say(submit.clone()).await;
        let answer = loop {
            match bob.any().await {
                Ok(message) if message["type"] == "presence" => {}
                answer => break answer,
            }
        };
        match answer {
            Ok(reject) => assert_eq!(reject["code"], "overloaded", "{reject}"),
            Err(code) => break code,
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    assert_eq!((closed, began.elapsed().as_secs()), (1013, 10));
    // Who is only waiting for an answer stays.
    server.store.release();
    assert_eq!(ada.next().await["ops"][0]["ack"], 1);
}

/// Says this ten times; some of it is answered `slow_down`, with this beside.
async fn is_slowed(peer: &mut Peer, message: Value, place: Value) {
    for _ in 0..10 {
        peer.say(message.clone()).await;
    }
    let mut error = json!({"type": "error", "code": "slow_down", "fatal": false});
    error.as_object_mut().expect("one").extend(place.as_object().expect("one").clone());
    while peer.next().await != error {}
}

#[tokio::test(start_paused = true)]
async fn messages_in_excess_are_answered_slow_down_and_edits_pass_them() {
    let flags = ["--messages-per-s", "1", "--messages-burst", "3", "--joins-per-s", "1"];
    let server = Server::start(&[&flags[..], &["--joins-burst", "3"]].concat()).await;
    server.create(1, "ab").await;
    let mut ada = server.connect(1).await;
    ada.join(1, 1, None).await;
    is_slowed(&mut ada, json!({"type": "ping", "t": 7}), json!({})).await;
    let select = json!({"type": "select", "ch": 1, "rev": 1, "ranges": [[0, 0]]});
    is_slowed(&mut ada, select, json!({"ch": 1})).await;
    is_slowed(&mut ada, json!({"type": "leave", "ch": 99}), json!({"ch": 99})).await;
    let (doc, client) = (DocumentId::new(404), ClientId::new(1));
    let join = json!({"type": "join", "doc": doc, "client": client});
    is_slowed(&mut ada, join, json!({"doc": doc})).await;

    ada.say(json!({"type": "submit", "ch": 1, "seq": 1, "rev": 1, "op": ["x", 2]})).await;
    while ada.next().await["ops"][0]["ack"] != 1 {}
    ada.say(json!({"type": "leave", "ch": 1})).await;
    while ada.next().await != json!({"type": "left", "ch": 1}) {}
}
