//! What the guests of one address may take together, however many they say they are.

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::fallback::FallbackSession;
use crate::support::http::Request;
use crate::support::server::TestServer;
use crate::support::socket::RawSocket;
use crate::support::token::{SECRET_FLAGS, bearer, claims, token};
use crate::support::until;

const PROTOCOL: (&str, &str) = ("sec-websocket-protocol", "concord.v1");

/// A server for guests and others, whose addresses have three places for guests.
async fn three_places(more: &[&str]) -> TestServer {
    let flags = ["--guests", "on", "--guest-connections-per-address-max", "3"];
    TestServer::start_with(&[&SECRET_FLAGS[..], &flags, more].concat()).await
}

/// A socket of a guest who was never here, whom a proxy may name; `None` when it is turned away.
async fn new_guest(server: &TestServer, from: &str) -> Option<RawSocket> {
    let me = Request::get("/api/me").header("x-forwarded-for", from).send(server.address()).await;
    let cookie = me.cookie().expect("a cookie");
    let headers = [PROTOCOL, ("cookie", &*cookie), ("x-forwarded-for", from)];
    match RawSocket::open(server.address(), &headers).await {
        Ok(socket) => Some(socket),
        Err(error) => {
            assert!(error.to_string().contains("429"), "{error}");
            None
        }
    }
}

/// Holds as many guests of one address as there are places for, and finds no more of them.
async fn fill(server: &TestServer, from: &str) -> Vec<RawSocket> {
    let mut held = Vec::new();
    while let Some(mut socket) = new_guest(server, from).await {
        assert_eq!(socket.next().await["type"], "welcome");
        held.push(socket);
        assert!(held.len() <= 3, "the cookie of a guest frees nobody");
    }
    held
}

async fn assert_limit_hit(server: &TestServer, limit: &str) {
    let figures = Request::get("/metrics").send(server.address()).await.text();
    let line = format!("concord_limits_hit_total{{limit={limit:?}}} ");
    assert!(figures.contains(&line), "{limit}: {figures}");
}

#[tokio::test]
async fn an_address_has_so_many_guests_and_people_with_a_token_come_in_beside_them() {
    let server = three_places(&[]).await;
    let mut held = Vec::new();
    until("three have come in", async || {
        held.extend(fill(&server, "").await);
        held.len() == 3
    })
    .await;
    assert_limit_hit(&server, "address_guests").await;
    let ada = bearer(&token(&claims("ada")));
    let mut people = Vec::new();
    for _ in 0..5 {
        let headers = [PROTOCOL, ("authorization", &*ada)];
        let mut socket = RawSocket::open(server.address(), &headers).await.expect("an upgrade");
        assert_eq!(socket.next().await["type"], "welcome");
        people.push(socket);
    }
    held.pop();
    until("a place is free again", async || new_guest(&server, "").await.is_some()).await;
    server.stop().await;
}

#[tokio::test]
async fn a_request_of_a_guest_takes_a_place_for_as_long_as_it_lasts() {
    let server = three_places(&["--header-timeout-ms", "60000"]).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let head = format!(
            "PUT /api/me HTTP/1.1\r\nhost: x\r\ncookie: {}\r\n\
             content-type: application/json\r\ncontent-length: 100\r\n\r\n{{",
            server.new_guest().await
        );
        let mut stream = TcpStream::connect(server.address()).await.expect("a connection");
        stream.write_all(head.as_bytes()).await.expect("taken");
        held.push(stream);
    }
    until("there is no place", async || new_guest(&server, "").await.is_none()).await;
    drop(held);
    until("there is one", async || new_guest(&server, "").await.is_some()).await;
    server.stop().await;
}

#[tokio::test]
async fn sessions_over_http_count_though_no_connection_is_open() {
    let server = three_places(&[]).await;
    let ask = async || FallbackSession::ask(server.address(), &server.new_guest().await).await;
    for _ in 0..3 {
        assert_eq!(ask().await.status, 201);
    }
    let refused = ask().await;
    assert_eq!((refused.status, &*refused.code()), (429, "slow_down"));
    let ada = Request::post("/api/session")
        .header("authorization", &bearer(&token(&claims("ada"))))
        .json(&json!({ "subprotocol": "concord.v1" }));
    assert_eq!(ada.send(server.address()).await.status, 201, "a token is counted by no address");
    server.stop().await;
}

#[tokio::test]
async fn behind_a_proxy_each_address_has_its_guests() {
    let proxied = ["--trusted-proxies", "127.0.0.1", "--forwarded-header", "x-forwarded-for"];
    let server = three_places(&proxied).await;
    let mut first = fill(&server, "192.0.2.1").await;
    let second = fill(&server, "192.0.2.2").await;
    assert_eq!((first.len(), second.len()), (3, 3));
    first.pop();
    until("a place is free again", async || new_guest(&server, "192.0.2.1").await.is_some()).await;
    server.stop().await;
}

#[tokio::test]
async fn the_guests_of_an_address_create_so_much_together() {
    let flags = ["--guests", "on", "--guest-creates-per-address-per-s", "1"];
    let flags = [&SECRET_FLAGS[..], &flags, &["--guest-creates-per-address-burst", "3"]].concat();
    let server = TestServer::start_with(&flags).await;
    let create = || Request::post("/api/documents").json(&json!({"title": "x"}));
    until("they are asked to wait", async || {
        let cookie = server.new_guest().await;
        let answer = create().header("cookie", &cookie).send(server.address()).await;
        assert!([201, 429].contains(&answer.status), "{answer:?}");
        answer.status == 429
    })
    .await;
    assert_limit_hit(&server, "address_creates").await;
    let ada = create().header("authorization", &bearer(&token(&claims("ada"))));
    assert_eq!(ada.send(server.address()).await.status, 201);
    server.stop().await;
}
