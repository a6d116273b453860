//! What sessions over HTTP may cost: as much as a WebSocket, and no more.

use serde_json::json;

use super::{FORMS, figure};
use crate::support::fallback::{FallbackSession, Form};
use crate::support::server::TestServer;
use crate::support::socket::RawSocket;
use crate::support::until;

#[tokio::test]
async fn a_person_has_so_many_connections_of_all_kinds_together() {
    let server = TestServer::start_with(&["--connections-per-user-max", "2"]).await;
    let first = RawSocket::connect(&server, server.cookie()).await;
    let _second = FallbackSession::connect(&server, server.cookie(), Form::Stream).await;
    for form in FORMS {
        let mut third = FallbackSession::open(server.address(), server.cookie(), form).await;
        assert_eq!(third.closed().await, 4429, "{form:?}");
    }
    let _other = FallbackSession::connect(&server, &server.new_guest().await, Form::Poll).await;
    drop(first);
    until("a place is free again", async || {
        let mut session =
            FallbackSession::open(server.address(), server.cookie(), Form::Poll).await;
        session.any().await.is_ok()
    })
    .await;
    server.stop().await;
}

#[tokio::test]
async fn a_message_that_is_too_large_is_answered_and_closes_the_session() {
    let server = TestServer::start().await;
    for size in [262_145, 1_000_000] {
        let mut session = FallbackSession::connect(&server, server.cookie(), Form::Stream).await;
        let answer = session.post(1, &"x".repeat(size)).await;
        assert_eq!((answer.status, &*answer.code()), (413, "message_too_large"));
        assert_eq!(session.next().await["code"], "message_too_large");
        assert_eq!(session.closed().await, 1009);
    }
    server.stop().await;
}

#[tokio::test]
async fn before_it_is_known_who_speaks_little_is_listened_to() {
    let server = TestServer::start_with(&["--guests", "off"]).await;
    let mut session = FallbackSession::open(server.address(), "", Form::Poll).await;
    let flood = json!({"type": "auth", "token": "x".repeat(100_000)}).to_string();
    let answer = session.post(1, &flood).await;
    assert!([204, 413].contains(&answer.status), "{answer:?}");
    assert_eq!(session.next().await["code"], "message_too_large");
    assert_eq!(session.closed().await, 1009);
    server.stop().await;
}

#[tokio::test]
async fn sessions_that_nobody_receives_from_are_few() {
    let server = TestServer::start_with(&["--connections-per-user-max", "9000"]).await;
    let mut opened = 0;
    let refused = loop {
        let answer = FallbackSession::ask(server.address(), server.cookie()).await;
        if answer.status != 201 {
            break answer;
        }
        opened += 1;
        assert!(opened < 5_000, "they have no end");
    };
    assert_eq!((refused.status, &*refused.code()), (503, "overloaded"));
    server.stop().await;
}

/// Lets somebody write operations of 30,000 characters until `enough`; how many.
async fn flood(
    server: &TestServer,
    document: &str,
    mut enough: impl AsyncFnMut(u64) -> bool,
) -> u64 {
    let (mut writer, _) = RawSocket::join(server, document, 99).await;
    let chunk = "x".repeat(30_000);
    let mut rev = 0;
    while !enough(rev).await {
        let op = match rev {
            0 => format!("[{chunk:?}]"),
            _ => format!("[{chunk:?},{}]", rev * 30_000),
        };
        assert_eq!(writer.submit(rev + 1, rev, &op).await["ack"], rev + 1);
        rev += 1;
    }
    rev
}

#[tokio::test]
async fn who_acknowledges_nothing_is_too_slow_and_the_others_go_on() {
    for form in FORMS {
        let flags = ["--slow-after-ms", "300", "--document-bytes-max", "100000000"];
        let server = TestServer::start_with(&flags).await;
        let document = server.create_with_text("").await;
        let (slow, _) = FallbackSession::join(&server, &document, 1, form).await;
        // It receives, or its stream does, and never says so.
        let _stream = match form {
            Form::Stream => Some(slow.stream(slow.after).await),
            Form::Poll => None,
        };
        flood(&server, &document, async |_| {
            figure(&server, r#"concord_closes_total{code="too slow"}"#).await >= 1.0
        })
        .await;
        server.stop().await;
    }
}

#[tokio::test]
async fn who_was_far_behind_is_given_composed_history() {
    for form in FORMS {
        let server = TestServer::start_with(&["--ring-len", "4"]).await;
        let document = server.create_with_text("").await;
        let (mut behind, _) = FallbackSession::join(&server, &document, 1, form).await;
        let head = flood(&server, &document, async |rev| rev == 40).await;
        let (mut revision, mut is_composed) = (0, false);
        while revision < head {
            let ops = behind.next_of("ops").await;
            assert_eq!(ops["rev"], revision);
            for entry in ops["ops"].as_array().expect("entries") {
                is_composed |= entry.get("to").is_some();
                let next = if entry.get("op").is_some() { revision + 1 } else { revision };
                revision = entry["to"].as_u64().unwrap_or(next);
            }
            // What was received is acknowledged; a poll does so by itself.
            assert_eq!(behind.post(behind.next, "").await.status, 204);
        }
        assert!(is_composed, "{form:?}");
        server.stop().await;
    }
}
