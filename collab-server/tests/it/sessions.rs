//! What a session can rely on: one answer to each submission, resume without text, one session per
//! replica, several documents on one connection.

use serde_json::{Value, json};

use crate::support::server::TestServer;
use crate::support::socket::{RawSocket, client_id};
use crate::support::until;

fn resume(document: &str, client: u32, joined: &Value, since: u64) -> Value {
    json!({
        "type": "join",
        "doc": document,
        "client": client_id(client),
        "since": since,
        "epoch": joined["epoch"],
    })
}

#[tokio::test]
async fn a_resent_submission_is_committed_once_and_answered_each_time() {
    let server = TestServer::start().await;
    let document = server.create_with_text("ab").await;
    let (mut socket, joined) = RawSocket::join(&server, &document, 1).await;
    assert_eq!(socket.submit(1, 1, r#"[1,"x",1]"#).await["ack"], 1);
    drop(socket);

    // The answer was lost: the client comes back with what it had, and sends the same again.
    let mut socket = RawSocket::connect(&server, server.cookie()).await;
    socket.say(resume(&document, 1, &joined, 1)).await;
    let again = socket.next_of("joined").await;
    assert!(again.get("text").is_none(), "who has a base gets no text: {again}");
    assert_eq!((again["rev"].as_u64(), again["seq"].as_u64()), (Some(1), Some(1)));
    assert_eq!(again["seq_rev"], 2);
    assert_eq!(socket.submit(1, 1, r#"[1,"x",1]"#).await["ack"], 1);
    assert_eq!(server.head(&document).await, ("axb".to_owned(), 2));

    // Past that revision, the answer is an `ack` of its own.
    let late = {
        let mut socket = RawSocket::connect(&server, server.cookie()).await;
        socket.say(resume(&document, 1, &joined, 2)).await;
        socket.next_of("joined").await;
        socket.submit(1, 1, r#"[1,"x",1]"#).await
    };
    assert_eq!(late, json!({"type": "ack", "ch": 1, "seq": 1, "rev": 2}));
    assert_eq!(server.head(&document).await, ("axb".to_owned(), 2));
    server.stop().await;
}

#[tokio::test]
async fn a_number_used_for_another_operation_is_refused() {
    let server = TestServer::start().await;
    let document = server.create_with_text("ab").await;
    let (mut socket, _) = RawSocket::join(&server, &document, 1).await;
    assert_eq!(socket.submit(5, 1, r#"[1,"x",1]"#).await["ack"], 5);
    assert_eq!(socket.submit(5, 1, r#"[1,"y",1]"#).await["code"], "seq_reuse");
    assert_eq!(socket.submit(4, 2, r#"[1,"y",2]"#).await["code"], "stale_seq");
    assert_eq!(socket.submit(6, 2, r#"[1,"y",2]"#).await["ack"], 6);
    assert_eq!(server.text(&document).await, "ayxb");
    server.stop().await;
}

#[tokio::test]
async fn a_newer_session_of_a_replica_takes_the_older_ones_place() {
    let server = TestServer::start().await;
    let document = server.create_with_text("ab").await;
    let (mut old, _) = RawSocket::join(&server, &document, 1).await;
    let (mut new, _) = RawSocket::join(&server, &document, 1).await;
    assert_eq!(old.closed().await, 4409);
    assert_eq!(new.submit(1, 1, r#"[2,"!"]"#).await["ack"], 1);
    server.stop().await;
}

#[tokio::test]
async fn joining_again_on_one_connection_replaces_the_channel_alone() {
    let server = TestServer::start().await;
    let document = server.create_with_text("ab").await;
    let (mut socket, first) = RawSocket::join(&server, &document, 1).await;
    assert_eq!(first["ch"], 1);
    socket.say(json!({"type": "join", "doc": document, "client": client_id(1)})).await;
    // In either order: the old channel is left, the new one is open.
    let mut heard = [socket.next().await, socket.next().await];
    heard.sort_by_key(|message| message["type"].to_string());
    let [joined, left] = heard;
    assert_eq!((&joined["type"], &joined["ch"]), (&json!("joined"), &json!(2)));
    assert_eq!(left, json!({"type": "left", "ch": 1}));
    assert_eq!(socket.submit(1, 1, "[2]").await["code"], "not_joined");
    socket.text(r#"{"type":"submit","ch":2,"seq":1,"rev":1,"op":["x",2]}"#).await;
    assert_eq!(socket.answer().await["ack"], 1);
    server.stop().await;
}

#[tokio::test]
async fn a_replica_belongs_to_the_person_who_first_wrote_with_it() {
    let server = TestServer::start().await;
    let document = server.create_with_text("ab").await;
    let (mut socket, _) = RawSocket::join(&server, &document, 1).await;
    assert_eq!(socket.submit(1, 1, "[\"x\",2]").await["ack"], 1);
    let mut other = RawSocket::connect(&server, &server.new_guest().await).await;
    other.say(json!({"type": "join", "doc": document, "client": client_id(1)})).await;
    let error = other.next().await;
    assert_eq!((&error["code"], &error["doc"]), (&json!("client_taken"), &json!(document)));
    server.stop().await;
}

#[tokio::test]
async fn others_get_an_edit_with_its_author_and_the_author_gets_an_ack() {
    let server = TestServer::start().await;
    let document = server.create_with_text("ab").await;
    let (mut first, _) = RawSocket::join(&server, &document, 1).await;
    let mut second = RawSocket::connect(&server, &server.new_guest().await).await;
    let joined = second.enter(&document, 2).await;
    assert_eq!(joined["people"].as_array().expect("people").len(), 1);
    assert_eq!(joined["role"], "editor");

    first
        .text(r#"{"type":"submit","ch":1,"seq":1,"rev":1,"op":[1,"😀",1],"ranges":[[2,2]]}"#)
        .await;
    assert_eq!(first.answer().await["ack"], 1);
    let ops = second.next_of("ops").await;
    assert_eq!(ops["rev"], 1);
    assert_eq!(ops["ops"][0]["op"], json!([1, "😀", 1]));
    assert!(ops["ops"][0]["by"].is_u64());
    let presence = second.next_of("presence").await;
    assert_eq!(presence["people"][0]["ranges"], json!([[2, 2]]));
    assert_eq!(presence["rev"], 2);
    server.stop().await;
}

#[tokio::test]
async fn one_connection_serves_several_documents() {
    let server = TestServer::start_with(&["--documents-per-connection-max", "2"]).await;
    let (one, two) = (server.create_with_text("one").await, server.create_with_text("two").await);
    let (mut socket, _) = RawSocket::join(&server, &one, 1).await;
    assert_eq!(socket.enter(&two, 1).await["text"], "two");
    socket.text(r#"{"type":"submit","ch":2,"seq":1,"rev":1,"op":[3,"!"]}"#).await;
    assert_eq!(socket.answer().await["ack"], 1);
    assert_eq!(server.text(&two).await, "two!");
    assert_eq!(server.text(&one).await, "one");

    let three = server.create_with_text("three").await;
    socket.say(json!({"type": "join", "doc": three, "client": client_id(1)})).await;
    assert_eq!(socket.next_of("error").await["code"], "too_many_documents");
    socket.text(r#"{"type":"leave","ch":1}"#).await;
    assert_eq!(socket.next_of("left").await["ch"], 1);
    assert_eq!(socket.enter(&three, 1).await["ch"], 3);
    socket.text(r#"{"type":"leave","ch":1}"#).await;
    assert_eq!(socket.next_of("error").await["code"], "not_joined");
    server.stop().await;
}

#[tokio::test]
async fn who_is_too_fast_is_slowed_down_and_loses_nothing() {
    let server =
        TestServer::start_with(&["--submissions-per-s", "20", "--submissions-burst", "2"]).await;
    let document = server.create_document("fast").await;
    let (mut socket, _) = RawSocket::join(&server, &document, 1).await;
    let mut slowed = 0;
    for seq in 1..=6 {
        let (rev, len) = (seq - 1, seq - 1);
        let op = if len == 0 { r#"["x"]"#.to_owned() } else { format!(r#"[{len},"x"]"#) };
        loop {
            let answer = socket.submit(seq, rev, &op).await;
            if answer["ack"] == seq {
                break;
            }
            assert_eq!(answer["code"], "slow_down", "{answer}");
            let retry_ms = answer["retry_ms"].as_u64().expect("a pause");
            assert!((1..=1_000).contains(&retry_ms), "{retry_ms}");
            slowed += 1;
            tokio::time::sleep(std::time::Duration::from_millis(retry_ms)).await;
        }
    }
    assert!(slowed > 0);
    assert_eq!(server.head(&document).await, ("xxxxxx".to_owned(), 6));
    server.stop().await;
}

#[tokio::test]
async fn a_new_title_reaches_those_who_write() {
    let server = TestServer::start().await;
    let document = server.create_document("before").await;
    let (mut socket, joined) = RawSocket::join(&server, &document, 1).await;
    assert_eq!(joined["title"], "before");
    let path = format!("/api/documents/{document}");
    let rename =
        crate::support::http::Request::new("PATCH", &path).json(&json!({"title": "after"}));
    assert_eq!(server.ask(rename).await.status, 200);
    assert_eq!(
        socket.next_of("renamed").await,
        json!({"type": "renamed", "ch": 1, "title": "after"})
    );
    server.stop().await;
}

#[tokio::test]
async fn a_deleted_document_takes_no_edit_until_it_is_restored() {
    let server = TestServer::start().await;
    let document = server.create_with_text("ab").await;
    let (mut socket, _) = RawSocket::join(&server, &document, 1).await;
    let path = format!("/api/documents/{document}");
    let delete = crate::support::http::Request::new("DELETE", &path);
    assert_eq!(server.ask(delete).await.status, 204);
    assert_eq!(socket.next().await, json!({"type": "deleted", "ch": 1}));
    assert_eq!(socket.submit(1, 1, r#"["x",2]"#).await["code"], "document_deleted");
    let restore = crate::support::http::Request::post(&format!("{path}/restore"));
    assert_eq!(server.ask(restore).await.status, 200);
    assert_eq!(socket.next().await, json!({"type": "restored", "ch": 1}));
    assert_eq!(socket.submit(2, 1, r#"["x",2]"#).await["ack"], 2);
    server.stop().await;
}

#[tokio::test]
async fn a_long_text_arrives_whole() {
    let server = TestServer::start_with(&["--document-bytes-max", "2000000"]).await;
    let text = "zwölf Boxkämpfer 😀\n".repeat(30_000);
    let document = server.create_with_text(&text).await;
    let (_socket, joined) = RawSocket::join(&server, &document, 1).await;
    assert!(joined["text"] == text);
    server.stop().await;
}

#[tokio::test]
async fn the_figures_show_what_happened() {
    let server = TestServer::start().await;
    let document = server.create_with_text("ab").await;
    let (mut socket, _) = RawSocket::join(&server, &document, 1).await;
    assert_eq!(socket.submit(1, 1, r#"["x",2]"#).await["ack"], 1);
    assert_eq!(socket.submit(2, 2, "[9]").await["code"], "bad_op");
    let figures = server.ask(crate::support::http::Request::get("/metrics")).await.text();
    for line in [
        "concord_sockets 1",
        "concord_sessions 1",
        "concord_documents_loaded 1",
        "concord_submissions_total 2",
        r#"concord_rejects_total{code="bad_op"} 1"#,
        r#"concord_appends_total{code="done"} 1"#,
        "concord_operations_total 1",
        "concord_append_seconds_count 1",
        "concord_submission_answer_seconds_count 2",
        "concord_mailbox_depth 0",
    ] {
        assert!(figures.lines().any(|found| found == line), "{line} is not in\n{figures}");
    }
    assert!(!figures.contains(&document), "no figure names a document");
    drop(socket);
    until("the socket is gone from the figures", || async {
        let figures = server.ask(crate::support::http::Request::get("/metrics")).await.text();
        figures.contains("concord_sockets 0\n") && figures.contains("concord_sessions 0\n")
    })
    .await;
    server.stop().await;
}
