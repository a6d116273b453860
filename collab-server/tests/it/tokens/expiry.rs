//! A token ends, and with it what it opened; a fresh one goes on where it stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use collab_server::Clock;
use serde_json::json;

use super::{greeted, me};
use crate::support::fallback::{FallbackSession, Form};
use crate::support::http::Request;
use crate::support::native::NativeClient;
use crate::support::process::{Process, sqlite_in};
use crate::support::proxy::Proxy;
use crate::support::server::TestServer;
use crate::support::token::{SECRET_FLAGS, bearer, claims_with, now_s, token};

/// A clock that a test sets.
struct SetClock(AtomicI64);

impl SetClock {
    fn now() -> Arc<Self> {
        Arc::new(SetClock(AtomicI64::new(now_s() * 1_000)))
    }

    fn advance(&self, by: Duration) {
        let ms = i64::try_from(by.as_millis()).expect("a short time");
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for SetClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A token of this person that holds so long from the real now.
fn lasting(user: &str, seconds: i64) -> String {
    token(&claims_with(user, json!({"exp": now_s() + seconds})))
}

#[tokio::test]
async fn a_session_ends_with_its_token_though_nothing_is_sent() {
    let clock = SetClock::now();
    let server = TestServer::start_at(clock.clone(), &SECRET_FLAGS).await;
    let token = lasting("ada", 60);
    let (mut idle, greeting) = greeted(&server, &token).await;
    assert_eq!(greeting["type"], "welcome");
    let (mut busy, _) = greeted(&server, &token).await;
    clock.advance(Duration::from_secs(55));
    busy.say(json!({"type": "ping", "t": 1})).await;
    assert_eq!(busy.next().await["type"], "pong", "not before its time");
    assert_eq!(me(&server, &token).await.status, 200);

    clock.advance(Duration::from_secs(10));
    busy.say(json!({"type": "ping", "t": 2})).await;
    let told = json!({"type": "error", "code": "unauthenticated", "fatal": true});
    for socket in [&mut busy, &mut idle] {
        assert_eq!(socket.next().await, told);
        assert_eq!(socket.closed().await, 4401);
    }
    assert_eq!(me(&server, &token).await.status, 401);
    assert_eq!(greeted(&server, &token).await.1, told, "nor does it come in again");
    server.stop().await;
}

#[tokio::test]
async fn a_session_ends_with_its_token_by_the_system_s_clock_too() {
    let server = TestServer::start_with(&SECRET_FLAGS).await;
    let (mut socket, greeting) = greeted(&server, &lasting("ada", 1)).await;
    assert_eq!(greeting["type"], "welcome");
    assert_eq!(socket.closed().await, 4401);
    server.stop().await;
}

#[tokio::test]
async fn a_session_over_requests_lasts_as_long_as_its_token_too() {
    let clock = SetClock::now();
    let server = TestServer::start_at(clock.clone(), &SECRET_FLAGS).await;
    let mut sessions = Vec::new();
    for form in [Form::Stream, Form::Poll] {
        let mut session = FallbackSession::open(server.address(), "", form).await;
        session.say(json!({"type": "auth", "token": lasting("ada", 60)})).await;
        assert_eq!(session.next().await["type"], "welcome");
        session.say(json!({"type": "auth", "token": lasting("ada", 300)})).await;
        sessions.push(session);
    }
    clock.advance(Duration::from_secs(100));
    for session in &mut sessions {
        session.say(json!({"type": "ping", "t": 1})).await;
        assert_eq!(session.next().await["type"], "pong", "the fresh token counts");
    }
    clock.advance(Duration::from_secs(203));
    for session in &mut sessions {
        let told = json!({"type": "error", "code": "unauthenticated", "fatal": true});
        assert_eq!(session.next().await, told);
        assert_eq!(session.closed().await, 4401);
    }
    server.stop().await;
}

#[tokio::test]
async fn an_expired_cookie_finds_no_session_and_opens_none() {
    let clock = SetClock::now();
    let server = TestServer::start_at(clock.clone(), &SECRET_FLAGS).await;
    let old = in_cookie(&lasting("ada", 60));
    let mut session = FallbackSession::connect(&server, &old, Form::Poll).await;
    clock.advance(Duration::from_secs(63));
    assert_eq!(session.closed().await, 1006, "a poll of nobody's");
    assert_eq!(FallbackSession::ask(server.address(), &old).await.status, 401);
    let fresh = in_cookie(&lasting("ada", 600));
    FallbackSession::connect(&server, &fresh, Form::Poll).await;
    server.stop().await;
}

#[tokio::test]
async fn a_fresh_token_of_the_same_person_lets_a_session_last() {
    let clock = SetClock::now();
    let server = TestServer::start_at(clock.clone(), &SECRET_FLAGS).await;
    let in_tenant = |user: &str, tenant: &str, seconds: i64| {
        token(&claims_with(user, json!({"tenant": tenant, "exp": now_s() + seconds})))
    };
    let (mut socket, _) = greeted(&server, &in_tenant("ada", "acme", 60)).await;
    let service = claims_with("ada", json!({"tenant": "acme", "service": true}));
    for (name, refused) in [
        ("another person", in_tenant("bob", "acme", 600)),
        ("another tenant", in_tenant("ada", "other", 600)),
        ("no tenant", lasting("ada", 600)),
        ("a back end", token(&service)),
        ("one that has ended", in_tenant("ada", "acme", -60)),
        ("a word", "made-up".to_owned()),
    ] {
        socket.say(json!({"type": "auth", "token": refused})).await;
        let told = json!({"type": "error", "code": "unauthenticated", "fatal": false});
        assert_eq!(socket.next().await, told, "{name}");
    }
    socket.say(json!({"type": "auth", "token": in_tenant("ada", "acme", 600)})).await;
    for _ in 0..2 {
        socket.say(json!({"type": "ping", "t": 1})).await;
        assert_eq!(socket.next().await["type"], "pong", "nothing is said, and it counts");
        clock.advance(Duration::from_secs(150));
    }
    socket.say(json!({"type": "ping", "t": 1})).await;
    assert_eq!(socket.next().await["type"], "pong");
    clock.advance(Duration::from_secs(303));
    assert_eq!(socket.next().await["code"], "unauthenticated");
    assert_eq!(socket.closed().await, 4401);
    server.stop().await;
}

/// The cookie in which the product leaves a token.
fn in_cookie(token: &str) -> String {
    format!("concord_token={token}")
}

#[tokio::test]
async fn a_fresh_token_resumes_and_what_was_typed_meanwhile_arrives() {
    let clock = SetClock::now();
    let server = TestServer::start_at(clock.clone(), &SECRET_FLAGS).await;
    let (old, fresh) = (lasting("ada", 60), lasting("ada", 600));
    let create = Request::post("/api/documents").header("authorization", &bearer(&fresh));
    let created = create.json(&json!({"text": "ab"})).send(server.address()).await;
    let document = created.json()["id"].as_str().expect("an id").to_owned();
    let mut tab = NativeClient::join(server.address(), &in_cookie(&old), &document).await;
    tab.edit(2, 0, "c");
    tab.submit().await;
    tab.take_to(2).await.expect("acknowledged");

    clock.advance(Duration::from_secs(63));
    tab.edit(3, 0, "d");
    tab.submit().await;
    tab.edit(0, 0, "_");
    while tab.take_entry().await.is_ok() {}
    assert_eq!(tab.closed_with(), Some(4401));
    assert!(tab.has_pending());
    assert!(tab.connect().await.is_err(), "the old token opens nothing");
    assert!(tab.has_pending());

    tab.sign_in(&in_cookie(&fresh));
    tab.connect().await.expect("the fresh token resumes");
    while tab.has_pending() {
        if !tab.awaits_ack() {
            tab.submit().await;
        }
        tab.take_entry().await.expect("goes on");
    }
    let text = Request::get(&format!("/api/documents/{document}/text"));
    let text = text.header("authorization", &bearer(&fresh)).send(server.address()).await.text();
    assert_eq!((text.as_str(), tab.text().as_str()), ("_abcd", "_abcd"));
    server.stop().await;
}

#[tokio::test]
async fn a_token_outlives_the_server_and_what_was_not_acknowledged_arrives_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = sqlite_in(folder.path());
    let mut process = Process::start(&database, &SECRET_FLAGS).await;
    let proxy = Proxy::start(process.address()).await;
    let token = lasting("ada", 3_600);
    let create = Request::post("/api/documents").header("authorization", &bearer(&token));
    let created = create.json(&json!({"text": "ab"})).send(process.address()).await;
    let document = created.json()["id"].as_str().expect("an id").to_owned();
    // The proxy is another host to the page, so the token goes into the header.
    let mut tab = NativeClient::new(proxy.address(), "", &document);
    tab.bring(&token);
    tab.connect().await.expect("a connection");
    tab.edit(2, 0, "c");
    tab.submit().await;
    process.kill().await;
    while tab.take_entry().await.is_ok() {}
    tab.edit(0, 0, "_");
    let process = Process::start(&database, &SECRET_FLAGS).await;
    proxy.aim(Some(process.address()));
    tab.connect().await.expect("the token still counts");
    while tab.has_pending() {
        if !tab.awaits_ack() {
            tab.submit().await;
        }
        tab.take_entry().await.expect("goes on");
    }
    let text = Request::get(&format!("/api/documents/{document}/text"));
    let text = text.header("authorization", &bearer(&token)).send(process.address()).await.text();
    assert_eq!((text.as_str(), tab.text().as_str()), ("_abc", "_abc"));
    process.stop().await;
}
