//! Rooms of applications, over real sockets.

use serde_json::{Value, json};

use crate::support::http::{Answer, Request};
use crate::support::server::TestServer;
use crate::support::socket::RawSocket;
use crate::support::token::{SECRET_FLAGS, bearer, claims_with, token};

const PAGE: &str = include_str!("../../../docs/events.md");

fn token_of(user: &str, tenant: &str, is_service: bool) -> String {
    token(&claims_with(user, json!({"tenant": tenant, "service": is_service})))
}

async fn connect(server: &TestServer, token: &str) -> RawSocket {
    let headers = [
        ("sec-websocket-protocol", "concord.v1"),
        ("authorization", &format!("Bearer {token}") as &str),
    ];
    let mut socket = RawSocket::open(server.address(), &headers).await.expect("an upgrade");
    assert_eq!(socket.next().await["type"], "welcome");
    socket
}

async fn watch(socket: &mut RawSocket, topic: &str) {
    socket.say(json!({"type": "watch", "topic": topic})).await;
    assert_eq!(socket.next().await, json!({"type": "watching", "topic": topic}));
}

/// Nothing else was said before the answer to this.
async fn nothing_more(socket: &mut RawSocket) {
    socket.say(json!({"type": "ping", "t": 7})).await;
    assert_eq!(socket.next().await["type"], "pong");
}

async fn post(server: &TestServer, path: &str, token: &str, body: &Value) -> Answer {
    let request = Request::post(path).json(body).header("authorization", &bearer(token));
    request.send(server.address()).await
}

#[tokio::test]
async fn a_back_end_tells_a_person_a_tenant_and_a_topic() {
    let server = TestServer::start_with(&SECRET_FLAGS).await;
    let service = token_of("backend", "acme", true);
    let mut ada = connect(&server, &token_of("ada", "acme", false)).await;
    let mut tab = connect(&server, &token_of("ada", "acme", false)).await;
    let mut ben = connect(&server, &token_of("ben", "acme", false)).await;
    let mut twin = connect(&server, &token_of("ada", "globex", false)).await;
    watch(&mut ben, "board:7").await;
    watch(&mut twin, "board:7").await;

    let told =
        json!({"to": {"user": "ada"}, "name": "export.ready", "data": {"n": 1}, "id": "e-1"});
    for _ in 0..2 {
        let answer = post(&server, "/api/events", &service, &told).await;
        assert_eq!((answer.status, answer.json()), (202, json!({"id": "e-1"})));
    }
    for socket in [&mut ada, &mut tab] {
        let event = socket.next().await;
        assert_eq!((&event["type"], &event["room"]), (&json!("event"), &json!("user")));
        assert_eq!((&event["name"], &event["data"]), (&json!("export.ready"), &json!({"n": 1})));
        assert_eq!((&event["id"], event.get("by")), (&json!("e-1"), None));
        nothing_more(socket).await;
    }
    let all = json!({"to": {"tenant": true}, "name": "maintenance", "data": null});
    assert_eq!(post(&server, "/api/events", &service, &all).await.status, 202);
    for socket in [&mut ada, &mut tab, &mut ben] {
        assert_eq!(socket.next().await["room"], "tenant");
    }
    let some = json!({"to": {"topic": "board:7"}, "name": "moved", "data": "x"});
    assert_eq!(post(&server, "/api/events", &service, &some).await.status, 202);
    let event = ben.next().await;
    assert_eq!((&event["room"], &event["topic"]), (&json!("topic"), &json!("board:7")));
    for socket in [&mut ada, &mut ben, &mut twin] {
        nothing_more(socket).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn who_watches_hears_what_others_and_they_themselves_tell() {
    let server = TestServer::start().await;
    let mut ada = RawSocket::connect(&server, server.cookie()).await;
    let mut ben = RawSocket::connect(&server, &server.new_guest().await).await;
    watch(&mut ada, "board").await;
    watch(&mut ben, "board").await;
    ada.text(r#"{"type":"tell","topic":"board","n":9,"data":{"a" : 1.50}}"#).await;
    assert_eq!(ada.next().await, json!({"type": "told", "topic": "board", "n": 9}));
    let event = ada.next_of("event").await;
    assert_eq!((&event["name"], &event["data"]), (&json!("message"), &json!({"a": 1.5})));
    assert!(event["by"].as_str().is_some_and(|by| by.starts_with("g_")), "{event}");
    assert_eq!(ben.next().await, event);
    ada.say(json!({"type": "tell", "topic": "board", "n": 10, "name": "b", "data": 1})).await;
    assert_eq!(ben.next().await["name"], "b");
    ben.say(json!({"type": "unwatch", "topic": "board"})).await;
    nothing_more(&mut ben).await;
    ada.say(json!({"type": "tell", "topic": "board", "n": 11, "data": 1})).await;
    assert_eq!(ada.next_of("told").await["n"], 10);
    assert_eq!(ada.next_of("told").await["n"], 11);
    nothing_more(&mut ben).await;
    server.stop().await;
}

#[tokio::test]
async fn each_limit_and_each_right_has_its_answer() {
    let limits = ["--topics-per-connection-max", "2", "--event-bytes-max", "16"];
    let rates = ["--tells-per-s", "1", "--tells-burst", "2", "--guests", "on"];
    let server = TestServer::start_with(&[&SECRET_FLAGS[..], &limits, &rates].concat()).await;
    let mut ada = connect(&server, &token_of("ada", "acme", false)).await;
    watch(&mut ada, "a").await;
    watch(&mut ada, "b").await;
    watch(&mut ada, "a").await;
    let error = |code: &str, rest: Value| {
        let mut error = json!({"type": "error", "code": code, "fatal": false});
        error.as_object_mut().expect("an object").extend(rest.as_object().expect("one").clone());
        error
    };
    ada.say(json!({"type": "watch", "topic": "c"})).await;
    assert_eq!(ada.next().await, error("too_many_topics", json!({"topic": "c"})));
    let tell = |n: u32, data: Value| json!({"type": "tell", "topic": "c", "n": n, "data": data});
    ada.say(tell(1, json!("0123456789abcdef"))).await;
    assert_eq!(ada.next().await, error("event_too_large", json!({"topic": "c", "n": 1})));
    for n in 2..4 {
        ada.say(tell(n, json!(1))).await;
        assert_eq!(ada.next().await["type"], "told");
    }
    ada.say(tell(4, json!(1))).await;
    assert_eq!(ada.next().await, error("slow_down", json!({"topic": "c", "n": 4})));
    let mut guest = RawSocket::connect(&server, &server.new_guest().await).await;
    watch(&mut guest, "c").await;
    guest.say(tell(1, json!(1))).await;
    assert_eq!(guest.next().await, error("forbidden", json!({"topic": "c", "n": 1})));

    let (service, person) = (token_of("backend", "acme", true), token_of("ada", "acme", false));
    let event = |to: Value, data: Value| json!({"to": to, "name": "n", "data": data});
    for (path, token, body, expected) in [
        ("/api/events", &person, event(json!({"tenant": true}), json!(1)), (403, "forbidden")),
        ("/api/topics/c", &person, json!({"data": 1}), (403, "forbidden")),
        ("/api/events", &service, event(json!({"tenant": false}), json!(1)), (400, "bad_request")),
        ("/api/events", &service, event(json!({}), json!(1)), (400, "bad_request")),
        ("/api/events", &service, json!({"to": {"user": "x"}, "name": "n"}), (400, "bad_request")),
        ("/api/topics/a%20b", &service, json!({"data": 1}), (400, "bad_request")),
        (
            "/api/events",
            &service,
            event(json!({"tenant": true}), json!("0123456789abcdef")),
            (413, "event_too_large"),
        ),
    ] {
        let answer = post(&server, path, token, &body).await;
        assert_eq!((answer.status, answer.code().as_str()), expected, "{path} {body}");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_requests_of_the_page_are_taken() {
    let server = TestServer::start_with(&SECRET_FLAGS).await;
    let service = token_of("backend", "", true);
    let mut ada = connect(&server, &token_of("ada", "", false)).await;
    watch(&mut ada, "load").await;
    let commands: Vec<&str> = PAGE.split("curl \"$CONCORD").skip(1).collect();
    assert_eq!(commands.len(), 2);
    for command in commands {
        let (path, rest) = command.split_once('"').expect("an address");
        let body = rest.split('\'').nth(3).expect("a body behind the header");
        let body: Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(post(&server, path, &service, &body).await.status, 202, "{path}");
        let event = ada.next().await;
        assert_eq!((&event["name"], &event["data"]), (&body["name"], &body["data"]));
    }
    server.stop().await;
}
