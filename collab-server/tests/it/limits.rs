//! Connections that would cost too much are ended, and the others do not feel them.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::http::Request;
use crate::support::server::TestServer;
use crate::support::socket::{RawSocket, client_id};
use crate::support::{DEADLINE, until};

#[tokio::test]
async fn a_connection_that_sends_half_a_head_or_nothing_is_ended() {
    let server = TestServer::start_with(&["--header-timeout-ms", "200"]).await;
    for sent in [&b""[..], b"GET / HTTP/1.1\r\nhost: x\r\n", b"G"] {
        let mut stream = TcpStream::connect(server.address()).await.expect("a connection");
        stream.write_all(sent).await.expect("the bytes are taken");
        let mut rest = Vec::new();
        let read = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut rest)).await;
        let _ended_or_reset = read.expect("ended in time");
    }
    assert_eq!(server.ask(Request::get("/health/live")).await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let server = TestServer::start().await;
    let answer = Request::get("/").header("x", &"y".repeat(100_000)).send(server.address()).await;
    assert_eq!(answer.status, 431);
    server.stop().await;
}

#[tokio::test]
async fn over_the_cap_a_connection_is_turned_away_at_once() {
    let server = TestServer::start_with(&[
        "--connections-max",
        "2",
        "--connections-per-user-max",
        "2",
        "--header-timeout-ms",
        "60000",
    ])
    .await;
    // The helper's own connection may be on its way out still, so this may take a few tries.
    let mut held = Vec::new();
    while held.len() < 2 {
        let mut stream = TcpStream::connect(server.address()).await.expect("a connection");
        let request = b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n";
        stream.write_all(request).await.expect("the bytes are taken");
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.expect("an answer");
        if &start == b"HTTP/1.1 200" {
            held.push(stream);
        }
    }
    let third = Request::get("/health/live").send(server.address()).await;
    assert_eq!((third.status, third.header("retry-after")), (503, Some("5")));
    drop(held);
    until("a place is free again", || async {
        Request::get("/health/live").send(server.address()).await.status == 200
    })
    .await;
    server.stop().await;
}

#[tokio::test]
async fn a_person_has_so_many_sockets_and_not_one_more() {
    let server = TestServer::start_with(&["--connections-per-user-max", "2"]).await;
    let first = RawSocket::connect(&server, server.cookie()).await;
    let _second = RawSocket::connect(&server, server.cookie()).await;
    let headers = [("sec-websocket-protocol", "concord.v1"), ("cookie", server.cookie())];
    let mut third = RawSocket::open(server.address(), &headers).await.expect("an upgrade");
    assert_eq!(third.closed().await, 4429);
    let _other = RawSocket::connect(&server, &server.new_guest().await).await;
    drop(first);
    until("a place is free again", || async {
        let mut socket = RawSocket::open(server.address(), &headers).await.expect("an upgrade");
        socket.any().await.is_ok()
    })
    .await;
    server.stop().await;
}

#[tokio::test]
async fn a_silent_connection_is_given_up() {
    let server = TestServer::start_with(&["--heartbeat-ms", "100", "--dead-after-ms", "300"]).await;
    let mut stream = TcpStream::connect(server.address()).await.expect("a connection");
    let upgrade = "GET /api/socket HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\n\
        upgrade: websocket\r\nsec-websocket-version: 13\r\n\
        sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: concord.v1\r\n\r\n";
    stream.write_all(upgrade.as_bytes()).await.expect("the bytes are taken");
    // It answers no ping.
    let mut received = Vec::new();
    let read = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut received)).await;
    let _ended_or_reset = read.expect("ended in time");
    let pings = received.windows(2).filter(|two| *two == [0x89, 8]).count();
    assert!(pings >= 1, "it was asked for a sign of life");
    server.stop().await;
}

#[tokio::test]
async fn a_live_connection_is_kept_and_its_round_trip_measured() {
    let server = TestServer::start_with(&["--heartbeat-ms", "100", "--dead-after-ms", "400"]).await;
    let document = server.create_document("x").await;
    let (mut socket, _) = RawSocket::join(&server, &document, 1).await;
    // Reading answers the pings.
    let reading = tokio::spawn(async move { socket.closed().await });
    until("heartbeats are measured", || async {
        let figures = server.ask(Request::get("/metrics")).await.text();
        let count =
            figures.lines().find_map(|line| line.strip_prefix("concord_heartbeat_seconds_count "));
        count.is_some_and(|count| count.parse::<u32>().expect("a number") >= 6)
    })
    .await;
    assert!(!reading.is_finished(), "the connection lives on");
    server.stop().await;
    assert_eq!(reading.await.expect("the reader ends"), 1012);
}

#[tokio::test]
async fn who_takes_nothing_is_too_slow_and_the_others_go_on() {
    let server = TestServer::start_with(&[
        "--slow-after-ms",
        "300",
        "--submissions-per-s",
        "100000",
        "--submissions-burst",
        "100000",
        "--document-bytes-max",
        "100000000",
    ])
    .await;
    let document = server.create_with_text("").await;
    let (slow, _) = RawSocket::join(&server, &document, 1).await;
    let (mut writer, _) = RawSocket::join(&server, &document, 2).await;
    let chunk = "x".repeat(30_000);
    let mut len = 0;
    let mut rev = 0;
    let mut closed = false;
    // More than the system's buffers hold; the slow one reads none of it.
    while !closed {
        let op = if len == 0 { format!("[{chunk:?}]") } else { format!("[{chunk:?},{len}]") };
        assert_eq!(writer.submit(rev + 1, rev, &op).await["ack"], rev + 1);
        rev += 1;
        len += chunk.len();
        let figures = server.ask(Request::get("/metrics")).await.text();
        closed = figures.contains(r#"concord_closes_total{code="too slow"} 1"#);
        assert!(len < 90_000_000, "the slow connection was not cut");
    }
    drop(slow);
    server.stop().await;
}

#[tokio::test]
async fn who_opens_much_and_takes_nothing_is_not_given_all_of_it() {
    let server = TestServer::start_with(&["--slow-after-ms", "60000"]).await;
    let document = server.create_with_text(&"x".repeat(3 << 20)).await;
    let mut socket = RawSocket::connect(&server, server.cookie()).await;
    for client in 1..=60 {
        socket.say(json!({"type": "join", "doc": document, "client": client_id(client)})).await;
    }
    let figure = async |name: &str| {
        let figures = server.ask(Request::get("/metrics")).await.text();
        let line = figures.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|number| number.parse::<f64>().ok()).expect("a figure")
    };
    until("all was read", async || figure("concord_frames_received_total").await >= 60.0).await;
    // Others come and go meanwhile; one that takes nothing is given what the buffers hold.
    for client in 61..=70 {
        RawSocket::join(&server, &document, client).await;
    }
    let joined = figure("concord_join_seconds_count").await;
    assert!(joined < 40.0, "{joined} texts were made");
    drop(socket);
    server.stop().await;
}
