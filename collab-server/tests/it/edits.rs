//! A text that is changed over REST, beside people who type.

use serde_json::{Value, json};

use crate::support::http::{Answer, Request};
use crate::support::server::TestServer;
use crate::support::socket::RawSocket;

fn set(id: &str, body: &Value) -> Request {
    Request::new("PUT", &format!("/api/documents/{id}/text")).json(body)
}

fn edit(id: &str, body: &Value) -> Request {
    Request::post(&format!("/api/documents/{id}/edits")).json(body)
}

fn revision(answer: &Answer) -> u64 {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["revision"].as_u64().expect("a revision")
}

#[tokio::test]
async fn a_text_set_over_rest_comes_to_who_is_there_and_keeps_what_they_type() {
    let server = TestServer::start().await;
    let id = server.create_with_text("one two").await;
    let (mut ada, _) = RawSocket::join(&server, &id, 1).await;
    assert_eq!(ada.submit(1, 1, r#"["zero ",7]"#).await["ack"], 1);

    // Made from revision 1, before Ada typed.
    let body = json!({"text": "one three", "revision": 1});
    assert_eq!(revision(&server.ask(set(&id, &body)).await), 3);
    assert_eq!(server.head(&id).await, ("zero one three".to_owned(), 3));
    let ops = ada.next_of("ops").await;
    let op =
        ot_core::Operation::from_json(&ops["ops"][0]["op"].to_string(), &ot_core::Limits::NONE);
    assert_eq!(op.expect("an operation").apply("zero one two").expect("fits"), "zero one three");

    // Of the latest text, as it is.
    assert_eq!(revision(&server.ask(set(&id, &json!({"text": "a\r\nb"}))).await), 4);
    assert_eq!(server.head(&id).await, ("a\nb".to_owned(), 4));
    assert_eq!(revision(&server.ask(set(&id, &json!({"text": "a\nb"}))).await), 4, "as it was");
    assert_eq!(server.stop_and_replay(&id).await, "a\nb");
}

#[tokio::test]
async fn edits_of_a_revision_are_one_edit_that_is_rebased() {
    let server = TestServer::start().await;
    let id = server.create_with_text("héllo wörld").await;
    let (mut ada, _) = RawSocket::join(&server, &id, 1).await;
    assert_eq!(ada.submit(1, 1, r#"[11,"!"]"#).await["ack"], 1);
    let edits = json!([{"at": 0, "delete": 1, "insert": "H"}, {"at": 6, "insert": "😀 "}]);
    let body = json!({"revision": 1, "edits": edits});
    assert_eq!(revision(&server.ask(edit(&id, &body)).await), 3);
    assert_eq!(server.head(&id).await, ("Héllo 😀 wörld!".to_owned(), 3));
    for (body, status, code) in [
        (json!({"revision": 4, "edits": [{"at": 0}]}), 404, "revision_ahead"),
        (json!({"revision": 1, "edits": [{"at": 11, "delete": 1}]}), 400, "bad_request"),
        (json!({"revision": 1, "edits": []}), 400, "bad_request"),
        (json!({"revision": 1, "edits": [{"at": 0, "insert": "\0"}]}), 400, "bad_request"),
        (json!({"edits": [{"at": 0}]}), 400, "bad_request"),
    ] {
        let refused = server.ask(edit(&id, &body)).await;
        assert_eq!((refused.status, &*refused.code()), (status, code), "{body}");
    }
    assert_eq!(server.head(&id).await.1, 3, "what is refused changes nothing");
    server.stop().await;
}

#[tokio::test]
async fn what_is_asked_again_under_its_key_is_done_once() {
    let server = TestServer::start().await;
    let id = server.create_with_text("one").await;
    let append = json!({"revision": 1, "edits": [{"at": 3, "insert": " two"}], "id": "k1"});
    let (first, second) =
        tokio::join!(server.ask(edit(&id, &append)), server.ask(edit(&id, &append)));
    assert_eq!((revision(&first), revision(&second)), (2, 2));
    let (mut ada, _) = RawSocket::join(&server, &id, 1).await;
    assert_eq!(ada.submit(1, 2, r#"[7,"."]"#).await["ack"], 1);
    let body = json!({"text": "another", "id": "k2"});
    let (first, second) = tokio::join!(server.ask(set(&id, &body)), server.ask(set(&id, &body)));
    assert_eq!((revision(&first), revision(&second)), (4, 4));
    assert_eq!(ada.submit(2, 4, r#"[7,"!"]"#).await["ack"], 2);

    // After a restart too, and though the text has gone on.
    let folder = server.stop().await;
    let server = TestServer::start_in(folder, &[]).await;
    let ask = |request: Request| request.send(server.address());
    let ben = server.new_guest().await;
    assert_eq!(server.head(&id).await, ("another!".to_owned(), 5));
    let theirs = ask(set(&id, &body).header("cookie", &ben)).await;
    assert_eq!(revision(&theirs), 6, "a key is its person's own");
    assert_eq!(server.head(&id).await, ("another".to_owned(), 6));
    let again = ask(set(&id, &body).header("cookie", &ben)).await;
    assert_eq!(revision(&again), 6);
    server.stop().await;
}

#[tokio::test]
async fn who_may_not_write_is_refused_and_so_is_what_does_not_fit() {
    let server =
        TestServer::start_with(&["--document-bytes-max", "100", "--text-bytes-max", "10"]).await;
    let id = server.create_with_text(&"a".repeat(60)).await;
    let large = server.ask(set(&id, &json!({"text": "b".repeat(101)}))).await;
    assert_eq!((large.status, &*large.code()), (413, "message_too_large"));
    let more = json!({"revision": 1, "edits": [{"at": 0, "insert": "b".repeat(60)}]});
    let full = server.ask(edit(&id, &more)).await;
    assert_eq!((full.status, &*full.code()), (409, "document_full"));

    let sharing = Request::new("PUT", &format!("/api/documents/{id}/sharing"));
    assert_eq!(server.ask(sharing.json(&json!({"link": "view"}))).await.status, 200);
    let ben = server.new_guest().await;
    for request in [
        set(&id, &json!({"text": "mine"})),
        edit(&id, &json!({"revision": 1, "edits": [{"at": 0, "insert": "x"}]})),
    ] {
        let refused = request.header("cookie", &ben).send(server.address()).await;
        assert_eq!((refused.status, &*refused.code()), (403, "forbidden"));
    }
    assert_eq!(server.head(&id).await.1, 1);
    server.stop().await;
}
