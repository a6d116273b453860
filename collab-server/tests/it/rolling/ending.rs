//! The stages of an end, one at a time.

use serde_json::json;
use tokio_tungstenite::tungstenite;

use crate::support::fallback::FallbackSession;
use crate::support::http::Request;
use crate::support::native::NativeClient;
use crate::support::postgres::Schema;
use crate::support::process::Process;
use crate::support::until;

async fn readiness(server: &Process) -> u16 {
    Request::get("/health/ready").send(server.address()).await.status
}

/// The status with which a new WebSocket is refused.
async fn upgrade(server: &Process, cookie: &str, document: &str) -> u16 {
    let mut client = NativeClient::new(server.address(), cookie, document);
    match client.connect().await {
        Err(tungstenite::Error::Http(answer)) => answer.status().as_u16(),
        other => panic!("{other:?}"),
    }
}

/// A second signal ends it at once.
async fn end_at_once(mut server: Process) {
    server.signal("-TERM");
    let status = server.ended().await;
    assert!(!status.success(), "it was not done: {status}");
    server.assert_no_panic();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_about_to_end_is_not_ready_and_serves_as_before() {
    let server = Process::start("memory:", &["--drain-ms", "600000"]).await;
    let cookie = server.new_guest().await;
    let document = server.create_document(&cookie, "").await;
    let mut before = NativeClient::join(server.address(), &cookie, &document).await;
    assert_eq!(readiness(&server).await, 200);
    server.signal("-TERM");
    until("it says so", async || readiness(&server).await == 503).await;

    assert_eq!(Request::get("/health/live").send(server.address()).await.status, 200);
    let mut after = NativeClient::join(server.address(), &cookie, &document).await;
    for (client, word) in [(&mut before, "é"), (&mut after, "ü")] {
        client.edit(0, 0, word);
        assert!(client.submit_and_wait_until_committed().await);
    }
    let (text, head) = server.head(&cookie, &document).await;
    assert_eq!((text.chars().count(), head), (2, 2));
    end_at_once(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_sessions_are_moved_new_ones_are_refused_and_the_rest_is_served() {
    let schema = Schema::create().await;
    let mut server = Process::start(&schema.url(), &["--move-ms", "600000"]).await;
    let cookie = server.new_guest().await;
    let document = server.create_document(&cookie, "").await;
    let mut clients = Vec::new();
    for _ in 0..2 {
        clients.push(NativeClient::join(server.address(), &cookie, &document).await);
    }
    server.signal("-TERM");
    // The first moment is at once; the second is minutes away.
    until("one was moved", async || server.metric("concord_sockets").await == 1.0).await;
    assert_eq!(readiness(&server).await, 503);
    assert_eq!(upgrade(&server, &cookie, &document).await, 503);
    let refused = FallbackSession::ask(server.address(), &cookie).await;
    assert_eq!((refused.status, refused.code().as_str()), (503, "overloaded"));
    let made = Request::post("/api/documents").json(&json!({})).header("cookie", &cookie);
    assert_eq!(made.send(server.address()).await.status, 201);

    let mut codes = Vec::new();
    for client in &mut clients {
        client.edit(0, 0, "é");
        if client.submit().await.is_some() && client.take_entry().await.is_err() {
            codes.push(client.closed_with());
        }
    }
    assert_eq!(codes, [Some(1012)], "one was moved, the other is served");
    assert_eq!(server.head(&cookie, &document).await, ("é".to_owned(), 1));
    drop(clients);
    assert!(server.ended().await.success(), "with nobody left it ends, minutes early");
    schema.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_others_does_not_keep_people_from_its_next_start() {
    let server = Process::start("memory:", &["--move-ms", "600000"]).await;
    let cookie = server.new_guest().await;
    let document = server.create_document(&cookie, "").await;
    let mut client = NativeClient::join(server.address(), &cookie, &document).await;
    let reading = tokio::spawn(async move {
        while client.take_entry().await.is_ok() {}
        client.closed_with()
    });
    server.stop().await;
    assert_eq!(reading.await.expect("it ends"), Some(1012));
}
