//! Who hears a chat: over servers that share a database, and only those who may.

use serde_json::json;

use super::{Talker, numbers_of};
use crate::support::http::Request;
use crate::support::postgres::Schema;
use crate::support::redis::Redis;
use crate::support::server::TestServer;
use crate::support::socket::client_id;

async fn share(server: &TestServer, document: &str, what: &str, body: serde_json::Value) {
    let path = format!("/api/documents/{document}/{what}");
    let answer = server.ask(Request::new("PUT", &path).json(&body)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

async fn id_of(server: &TestServer, cookie: &str) -> String {
    let me = Request::get("/api/me").header("cookie", cookie).send(server.address()).await;
    me.json()["id"].as_str().expect("an id").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_on_two_servers_hear_the_same_in_the_same_order() {
    hear_the_same(&["--poll-interval-ms", "100"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_have_redis_need_not_look() {
    let redis = Redis::start(&[]).await;
    let url = Redis::url_by(redis.address());
    // Looking alone would take longer than a test waits.
    hear_the_same(&["--poll-interval-ms", "600000", "--redis-url", &url]).await;
}

async fn hear_the_same(flags: &[&str]) {
    let schema = Schema::create().await;
    let start = async || {
        let folder = tempfile::tempdir().expect("a folder");
        let flags = [&["--chat-messages-burst", "1000"], flags].concat();
        TestServer::start_on(&schema.url(), folder, &flags).await
    };
    let (one, two) = (start().await, start().await);
    let document = one.create_with_text("ab").await;
    let mut ada = Talker::open(&one, one.cookie(), &document).await;
    let mut ben = Talker::open(&two, two.cookie(), &document).await;
    for number in 1..=20 {
        ada.send(number, &format!("a{number}")).await;
        ben.send(100 + number, &format!("b{number}")).await;
    }
    let (by_ada, by_ben) = (ada.hear(40).await, ben.hear(40).await);
    assert_eq!(by_ada, by_ben);
    let mut late = Talker::open(&two, one.cookie(), &document).await;
    assert_eq!(numbers_of(&late.opened["messages"]), (1..=40).collect::<Vec<_>>());
    late.send(999, "by the same person, elsewhere").await;
    assert_eq!(ada.hear(1).await, ben.hear(1).await);
    ada.say("chat_delete", json!({"id": client_id(1)})).await;
    assert_eq!(ben.hear(1).await, [""]);
    one.stop().await;
    two.stop().await;
    schema.remove().await;
}

#[tokio::test]
async fn who_comes_after_a_change_of_rights_does_not_hide_it_from_those_before() {
    // Nobody looks at the rights while this runs.
    let server = TestServer::start_with(&["--rights-interval-ms", "5000"]).await;
    let document = server.create_with_text("ab").await;
    let cookie = server.new_guest().await;
    let ben_id = id_of(&server, &cookie).await;
    let mut ben = Talker::open(&server, &cookie, &document).await;
    share(&server, &document, &format!("people/{ben_id}"), json!({"role": "none"})).await;
    let mut ada = Talker::open(&server, server.cookie(), &document).await;
    ben.send(1, "still").await;
    // Refused, or the chat was closed before: whichever comes first, it is never stored.
    loop {
        let said = ben.socket.next().await;
        match said["type"].as_str() {
            Some("chat_reject") => assert_eq!(said["code"], "not_found"),
            Some("error") => break assert_eq!(said["code"], "access_revoked"),
            _ => panic!("{said}"),
        }
    }
    ada.send(2, "alone").await;
    assert_eq!(ada.answer().await["number"], 1);
    server.stop().await;
}

#[tokio::test]
async fn who_is_shut_out_hears_and_says_nothing_more() {
    let server = TestServer::start_with(&["--rights-interval-ms", "100"]).await;
    let document = server.create_with_text("ab").await;
    let cookie = server.new_guest().await;
    let ben_id = id_of(&server, &cookie).await;
    let mut ada = Talker::open(&server, server.cookie(), &document).await;
    let mut ben = Talker::open(&server, &cookie, &document).await;
    ben.send(1, "here").await;
    assert_eq!(ben.answer().await["number"], 1);
    assert_eq!(ada.hear(1).await, ["here"]);

    share(&server, &document, &format!("people/{ben_id}"), json!({"role": "viewer"})).await;
    // Refused at once, by the database, though his session has not heard of it yet.
    ben.send(2, "still").await;
    assert_eq!(ben.answer().await["code"], "forbidden");
    ben.send(1, "here").await;
    let known = ben.answer().await;
    assert_eq!((&known["type"], &known["number"]), (&json!("chat_ack"), &json!(1)));
    assert_eq!(ben.socket.next_of("access").await["role"], "viewer");
    ada.send(3, "to a reader").await;
    assert_eq!(ben.hear(1).await, ["here"].map(|_| "to a reader"));

    share(&server, &document, &format!("people/{ben_id}"), json!({"role": "none"})).await;
    assert_eq!(ben.socket.next_of("error").await["code"], "access_revoked");
    assert_eq!(ben.socket.next_of("left").await["ch"], 1);
    ben.socket.say(json!({"type": "chat_open", "doc": document})).await;
    assert_eq!(ben.socket.next_of("chat_reject").await["code"], "not_found");
    server.stop().await;
}
