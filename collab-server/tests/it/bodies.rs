//! Requests whose bodies do not come, or are larger than they may be.

use std::net::SocketAddr;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::http::{Answer, Request};
use crate::support::server::TestServer;
use crate::support::{DEADLINE, until};

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
    let server = TestServer::start_with(&[
        "--trusted-proxies",
        "127.0.0.1",
        "--forwarded-header",
        "x-forwarded-for",
        "--anonymous-connections-per-address-max",
        "2",
    ])
    .await;
    let begin = async |from: &str| {
        let from = format!("x-forwarded-for: {from}\r\n");
        begin(server.address(), "POST /api/session", &from, 100, b"{").await
    };
    let mut held = Vec::new();
    let mut turned_away = None;
    until("one is turned away", async || {
        let stream = begin("192.0.2.1").await;
        // Nothing comes over the others before their time is over.
        let is_answered = tokio::time::timeout(DEADLINE / 600, stream.readable()).await.is_ok();
        match is_answered {
            true => turned_away = Some(stream),
            false => held.push(stream),
        }
        is_answered
    })
    .await;
    let answer = answered(turned_away.expect("one was")).await;
    assert_eq!((answer.status, &*answer.code()), (429, "slow_down"));
    let body = json!({ "subprotocol": "concord.v1" });
    let other = Request::post("/api/session").header("x-forwarded-for", "192.0.2.2").json(&body);
    assert_eq!(other.send(server.address()).await.status, 201);
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
