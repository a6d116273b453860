//! Requests whose bodies do not come, or are larger than they may be.

use std::net::SocketAddr;

use futures_util::future::select_all;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::http::{Answer, Request};
use crate::support::server::TestServer;
use crate::support::{DEADLINE, until};

/// Nothing ends what is begun here but the test.
const PATIENT: [&str; 4] = ["--header-timeout-ms", "60000", "--request-timeout-ms", "600000"];

/// A connection on which a request was begun: its head, and `begun` of a body of `length` bytes.
async fn begin(
    address: SocketAddr,
    call: &str,
    headers: &str,
    length: usize,
    begun: &[u8],
) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head = format!(
        "{call} HTTP/1.1\r\nhost: x\r\n{headers}content-type: application/json\r\n\
         content-length: {length}\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), begun].concat()).await.expect("taken");
    stream
}

/// What comes over a connection until it ends.
async fn answered(mut stream: TcpStream) -> Answer {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut answer)).await;
    let _ended_or_reset = read.expect("ended in time");
    Answer::parse(&answer)
}

/// Of these connections the others, and the answer over the first that has one.
async fn first_answered(mut streams: Vec<TcpStream>) -> (Vec<TcpStream>, Answer) {
    let answers = select_all(streams.iter().map(|stream| Box::pin(stream.readable())));
    let first = tokio::time::timeout(DEADLINE, answers).await.expect("an answer in time").1;
    let first = streams.swap_remove(first);
    (streams, answered(first).await)
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    for timeout in ["--request-timeout-ms", "--header-timeout-ms"] {
        let server = TestServer::start_with(&[timeout, "300"]).await;
        let cookie = format!("cookie: {}\r\n", server.cookie());
        for call in ["POST /api/documents", "PUT /api/me"] {
            let stream = begin(server.address(), call, &cookie, 100, b"{").await;
            assert_eq!(answered(stream).await.status, 408, "{call}");
        }
        server.stop().await;
    }
}

#[tokio::test]
async fn who_opens_a_session_has_a_place_before_it_is_waited_for() {
    let proxied = ["--trusted-proxies", "127.0.0.1", "--forwarded-header", "x-forwarded-for"];
    let limit = ["--anonymous-connections-per-address-max", "2"];
    let server = TestServer::start_with(&[&PATIENT[..], &proxied, &limit].concat()).await;
    let begin = async |from: &str| {
        let from = format!("x-forwarded-for: {from}\r\n");
        begin(server.address(), "POST /api/session", &from, 100, b"{").await
    };
    let mut begun = Vec::new();
    for _ in 0..3 {
        begun.push(begin("192.0.2.1").await);
    }
    let (waiting, answer) = first_answered(begun).await;
    assert_eq!((answer.status, &*answer.code()), (429, "slow_down"));
    let body = json!({ "subprotocol": "concord.v1" });
    let other = Request::post("/api/session").header("x-forwarded-for", "192.0.2.2").json(&body);
    assert_eq!(other.send(server.address()).await.status, 201);
    drop(waiting);
    server.stop().await;
}

#[tokio::test]
async fn what_opens_a_session_is_small() {
    let server = TestServer::start().await;
    let body = json!({ "subprotocol": "concord.v1", "auth": false, "more": "x".repeat(9_000) });
    let answer = Request::post("/api/session").json(&body).send(server.address()).await;
    assert_eq!((answer.status, &*answer.code()), (413, "message_too_large"));
    server.stop().await;
}

#[tokio::test]
async fn large_bodies_take_so_much_room_and_then_are_asked_to_come_again() {
    let limits = ["--uploads-bytes-max", "300000", "--document-bytes-max", "100000"];
    let server = TestServer::start_with(&[&PATIENT[..], &limits].concat()).await;
    let begun = format!("{{\"text\":\"{}", "x".repeat(90_000));
    let begin = async |cookie: &str| {
        let cookie = format!("cookie: {cookie}\r\n");
        begin(server.address(), "POST /api/documents", &cookie, 100_000, begun.as_bytes()).await
    };
    let mut own = Vec::new();
    for _ in 0..3 {
        own.push(begin(server.cookie()).await);
    }
    let (own, answer) = first_answered(own).await;
    assert_eq!((answer.status, &*answer.code()), (429, "slow_down"), "two of one person");
    drop(own);
    let mut all = Vec::new();
    for _ in 0..4 {
        all.push(begin(&server.new_guest().await).await);
    }
    let (all, answer) = first_answered(all).await;
    assert_eq!((answer.status, &*answer.code()), (503, "overloaded"), "three of all");
    assert!(answer.header("retry-after").is_some());
    let small = Request::post("/api/documents").json(&json!({"text": "x".repeat(16_000)}));
    assert_eq!(server.ask(small).await.status, 201, "a small one needs no room");
    drop(all);
    let large = Request::post("/api/documents").json(&json!({"text": "x".repeat(100_000)}));
    until("there is room again", async || server.ask(large.clone()).await.status == 201).await;
    let figures = server.ask(Request::get("/metrics")).await.text();
    assert!(figures.contains("concord_limits_hit_total{limit=\"uploads\"}"), "{figures}");
    server.stop().await;
}

#[tokio::test]
async fn only_a_new_document_comes_in_a_large_body() {
    let server = TestServer::start().await;
    let document = server.create_with_text(&"x".repeat(100_000)).await;
    let path = format!("/api/documents/{document}");
    let large = json!({"title": "x".repeat(17_000), "name": "x".repeat(17_000)});
    for request in [
        Request::new("PATCH", &path),
        Request::new("PUT", "/api/me"),
        Request::post(&format!("{path}/versions")),
        Request::post(&format!("{path}/restore-revision")),
        Request::new("PUT", &format!("{path}/seen")),
    ] {
        let answer = server.ask(request.json(&large)).await;
        assert_eq!((answer.status, &*answer.code()), (413, "message_too_large"), "{answer:?}");
    }
    server.stop().await;
}
