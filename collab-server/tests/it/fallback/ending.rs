//! How sessions over HTTP end: with the same close codes, and in time.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{FORMS, figure};
use crate::support::fallback::{FallbackSession, Form};
use crate::support::http::Request;
use crate::support::process::Process;
use crate::support::server::TestServer;
use crate::support::until;

#[tokio::test]
async fn who_leaves_is_gone_at_once() {
    let server = TestServer::start().await;
    let document = server.create_document("x").await;
    let (mut stays, _) = FallbackSession::join(&server, &document, 1, Form::Stream).await;
    let (leaves, _) = FallbackSession::join(&server, &document, 2, Form::Poll).await;
    assert_eq!(stays.next_of("presence").await["people"].as_array().map(Vec::len), Some(1));
    let end = leaves.about(Request::new("DELETE", "/api/session"));
    assert_eq!(end.send(server.address()).await.status, 204);
    assert!(stays.next_of("presence").await["gone"].is_array());
    until("it is off the list", async || leaves.poll(leaves.after, 10).await.status == 404).await;
    server.stop().await;
}

#[tokio::test]
async fn a_session_that_nobody_comes_back_to_ends() {
    let server = TestServer::start_with(&["--resume-ms", "300"]).await;
    for form in FORMS {
        let mut session = FallbackSession::connect(&server, server.cookie(), form).await;
        session.cut();
        until("it has ended", async || session.post(1, "").await.status == 404).await;
        assert_eq!(session.poll(session.after, 10).await.status, 404);
    }
    until("none is left", async || figure(&server, "concord_sockets").await < 0.5).await;
    server.stop().await;
}

#[tokio::test]
async fn a_session_that_nobody_receives_from_ends_sooner() {
    let flags = ["--auth-deadline-ms", "200", "--resume-ms", "600000"];
    let server = TestServer::start_with(&flags).await;
    let session = FallbackSession::open(server.address(), server.cookie(), Form::Poll).await;
    until("it has ended", async || session.post(1, "").await.status == 404).await;
    server.stop().await;
}

#[tokio::test]
async fn a_session_of_which_nothing_is_heard_ends() {
    let flags = ["--heartbeat-ms", "100", "--dead-after-ms", "400"];
    let server = TestServer::start_with(&flags).await;
    let mut silent = FallbackSession::connect(&server, server.cookie(), Form::Stream).await;
    let mut alive = FallbackSession::connect(&server, server.cookie(), Form::Stream).await;
    // More often than the deadline asks, and less often than the limit of messages allows.
    let mut pause = tokio::time::interval(Duration::from_millis(50));
    for _ in 0..20 {
        pause.tick().await;
        alive.say(json!({"type": "ping", "t": 1})).await;
        assert_eq!(alive.next().await["type"], "pong");
    }
    assert_eq!(silent.closed().await, 1006);
    server.stop().await;
}

#[tokio::test]
async fn who_does_not_say_who_they_are_is_let_go() {
    let server = TestServer::start_with(&["--guests", "off", "--auth-deadline-ms", "500"]).await;
    for form in FORMS {
        let mut session = FallbackSession::open(server.address(), "", form).await;
        assert_eq!(session.closed().await, 4408, "{form:?}");
        let mut session = FallbackSession::open(server.address(), "", form).await;
        let auth = json!({"type": "auth", "token": "none"}).to_string();
        assert_eq!(session.post(1, &auth).await.status, 204);
        assert_eq!(session.next().await["code"], "unauthenticated");
        assert_eq!(session.closed().await, 4401, "{form:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn everybody_is_told_to_come_back_when_the_server_stops() {
    let server = TestServer::start().await;
    let document = server.create_document("x").await;
    let mut sessions = Vec::new();
    for (client, form) in FORMS.into_iter().enumerate() {
        let client = u32::try_from(client).expect("small");
        let (mut session, _) = FallbackSession::join(&server, &document, client, form).await;
        sessions.push(tokio::spawn(async move { session.closed().await }));
    }
    until("the poll is open", async || figure(&server, "concord_connections").await >= 2.0).await;
    let began = Instant::now();
    server.stop().await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    for session in sessions {
        assert_eq!(session.await.expect("the session ends"), 1012);
    }
}

#[tokio::test]
async fn a_session_that_takes_nothing_does_not_hold_up_the_end() {
    let server = TestServer::start_with(&["--shutdown-ms", "300"]).await;
    let document = server.create_with_text(&"x".repeat(3_000_000)).await;
    let mut session = FallbackSession::connect(&server, server.cookie(), Form::Stream).await;
    let client = crate::support::socket::client_id(1);
    session.say(json!({"type": "join", "doc": document, "client": client})).await;
    let began = Instant::now();
    server.stop().await;
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}

#[tokio::test]
async fn the_id_of_a_session_stays_out_of_the_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = crate::support::process::sqlite_in(folder.path());
    let process = Process::start(&database, &["--log", "trace"]).await;
    let cookie = process.new_guest().await;
    let session = FallbackSession::open(process.address(), &cookie, Form::Poll).await;
    assert!(session.poll(0, 1_000).await.text().contains("welcome"));
    assert_eq!(session.post(1, "{\"type\":\"ping\",\"t\":1}").await.status, 204);
    until("it is logged", async || process.log().concat().contains("/api/session/events")).await;
    for line in process.log() {
        assert!(!line.contains(&session.id), "{line}");
    }
    process.stop().await;
}
