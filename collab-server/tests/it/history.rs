//! A document's past over REST: what was, who wrote it, and how it comes back.

use serde_json::{Value, json};

use crate::support::http::{Answer, Request};
use crate::support::server::TestServer;
use crate::support::socket::RawSocket;

fn path(id: &str, rest: &str) -> String {
    format!("/api/documents/{id}{rest}")
}

async fn get(server: &TestServer, id: &str, rest: &str) -> Answer {
    server.ask(Request::get(&path(id, rest))).await
}

async fn json_of(server: &TestServer, id: &str, rest: &str) -> Value {
    let answer = get(server, id, rest).await;
    assert_eq!(answer.status, 200, "{rest}: {answer:?}");
    answer.json()
}

/// Texts by revision of what [`written`] writes.
const TEXTS: [&str; 5] = ["", "one", "one two", "one 2", "«one» 2"];

/// A document that two people wrote: the first the revisions 1, 2 and 4, the second the third. The
/// second person's cookie comes with it.
async fn written(server: &TestServer) -> (String, String) {
    let id = server.create_with_text("one").await;
    let (mut ada, _) = RawSocket::join(server, &id, 1).await;
    assert_eq!(ada.submit(1, 1, r#"[3," two"]"#).await["ack"], 1);
    let cookie = server.new_guest().await;
    let mut ben = RawSocket::connect(server, &cookie).await;
    ben.enter(&id, 2).await;
    assert_eq!(ben.submit(1, 2, r#"[4,"2",-3]"#).await["ack"], 1);
    assert_eq!(ada.submit(2, 3, r#"["«",3,"»",2]"#).await["ack"], 2);
    (id, cookie)
}

#[tokio::test]
async fn the_text_at_each_revision_and_time_is_what_it_was() {
    let server = TestServer::start().await;
    let (id, _) = written(&server).await;
    let page = json_of(&server, &id, "/history").await;
    for (revision, text) in TEXTS.iter().enumerate() {
        let answer = get(&server, &id, &format!("/text?revision={revision}")).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, *text));
        assert_eq!(answer.header("concord-revision"), Some(revision.to_string().as_str()));
        if revision > 0 {
            let time = page["entries"][revision - 1]["time_ms"].to_string();
            assert_eq!(answer.header("concord-time-ms"), Some(time.as_str()));
        }
    }
    let last = page["entries"][3]["time_ms"].as_i64().expect("a time");
    let late = get(&server, &id, &format!("/text?time_ms={}", last + 1_000_000)).await;
    assert_eq!((late.text().as_str(), late.header("concord-revision")), (TEXTS[4], Some("4")));
    let early = get(&server, &id, "/text?time_ms=-1").await;
    assert_eq!((early.text().as_str(), early.header("concord-revision")), ("", Some("0")));
    server.stop().await;
}

#[tokio::test]
async fn a_text_of_the_past_is_kept_by_who_asked_and_by_nobody_else() {
    let server = TestServer::start().await;
    let (id, _) = written(&server).await;
    let first = get(&server, &id, "/text?revision=2").await;
    let tag = first.header("etag").expect("a tag").to_owned();
    assert_eq!(first.header("cache-control"), Some("private, max-age=3600, immutable"));
    assert_eq!(first.header("vary"), Some("cookie, authorization"));
    let again = Request::get(&path(&id, "/text?revision=2")).header("if-none-match", &tag);
    let again = server.ask(again).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    let other = Request::get(&path(&id, "/text?revision=3")).header("if-none-match", &tag);
    assert_eq!(server.ask(other).await.text(), TEXTS[3]);
    for rest in ["/text", "/text?time_ms=1", "/history", "/text?revision=99"] {
        let answer = get(&server, &id, rest).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{rest}");
    }
    // Whoever may not see the document any more is not told that it is as they remember.
    let delete = server.ask(Request::new("DELETE", &path(&id, ""))).await;
    assert_eq!(delete.status, 204);
    let stranger = Request::get(&path(&id, "/text?revision=2")).header("if-none-match", &tag);
    assert_eq!(stranger.send(server.address()).await.code(), "document_deleted");
    server.stop().await;
}

#[tokio::test]
async fn the_history_is_read_in_pages_with_its_authors() {
    let server = TestServer::start().await;
    let (id, _) = written(&server).await;
    let first = json_of(&server, &id, "/history?limit=3").await;
    assert_eq!((&first["revision"], &first["next"]), (&json!(4), &json!(3)));
    let entries = first["entries"].as_array().expect("entries");
    let ops: Vec<&Value> = entries.iter().map(|entry| &entry["op"]).collect();
    assert_eq!(ops, [&json!(["one"]), &json!([3, " two"]), &json!([4, "2", -3])]);
    assert_eq!(entries[0]["author"], entries[1]["author"]);
    assert_ne!(entries[1]["author"], entries[2]["author"]);
    assert_eq!(first["authors"].as_array().expect("authors").len(), 2);
    let last = json_of(&server, &id, "/history?after=3&limit=3").await;
    assert_eq!(last["entries"][0]["revision"], 4);
    assert!(last.get("next").is_none());
    assert_eq!(json_of(&server, &id, "/history?after=4").await["entries"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn the_summary_has_the_history_in_as_many_stretches_as_asked() {
    let server = TestServer::start().await;
    let (id, _) = written(&server).await;
    let summary = json_of(&server, &id, "/history/summary?buckets=2").await;
    let page = json_of(&server, &id, "/history").await;
    let [ada, ben] = [0, 2].map(|index| &page["entries"][index]["author"]);
    let buckets = summary["buckets"].as_array().expect("buckets");
    let shape = |bucket: &Value| json!([bucket["from"], bucket["to"], bucket["operations"]]);
    assert_eq!(buckets.iter().map(shape).collect::<Vec<_>>(), [json!([1, 2, 2]), json!([3, 4, 2])]);
    assert_eq!(buckets[0]["authors"], json!([ada]));
    let second = buckets[1]["authors"].as_array().expect("authors");
    assert!(second.len() == 2 && second.contains(ada) && second.contains(ben));
    assert_eq!(summary["first_ms"], page["entries"][0]["time_ms"]);
    assert_eq!(summary["last_ms"], page["entries"][3]["time_ms"]);
    assert_eq!(json_of(&server, &id, "/history/summary").await["buckets"][3]["to"], 4);

    let empty = server.create_document("nothing yet").await;
    let summary = json_of(&server, &empty, "/history/summary").await;
    assert_eq!((&summary["revision"], &summary["buckets"]), (&json!(0), &json!([])));
    server.stop().await;
}

#[tokio::test]
async fn the_difference_of_two_revisions_leads_from_one_text_to_the_other() {
    let server = TestServer::start().await;
    let (id, _) = written(&server).await;
    for (from, old) in TEXTS.iter().enumerate() {
        for (to, new) in TEXTS.iter().enumerate().skip(from) {
            let diff = json_of(&server, &id, &format!("/diff?from={from}&to={to}")).await;
            assert_eq!((&diff["from"], &diff["to"]), (&json!(from), &json!(to)));
            let op = diff["op"].to_string();
            let op = ot_core::Operation::from_json(&op, &ot_core::Limits::NONE).expect("an op");
            assert_eq!(op.apply(old).expect("it fits"), *new, "{from} to {to}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn attribution_says_who_wrote_each_character() {
    let server = TestServer::start().await;
    let (id, _) = written(&server).await;
    let page = json_of(&server, &id, "/history").await;
    let by = |revision: usize, len: u64| {
        let entry = &page["entries"][revision - 1];
        let (author, time_ms) = (&entry["author"], &entry["time_ms"]);
        json!({"len": len, "author": author, "revision": revision, "time_ms": time_ms})
    };
    // «one» 2: the marks by revision 4, "one" by 1, the space by 2, the digit by 3.
    let exact = json_of(&server, &id, "/attribution?gap_ms=0").await;
    assert_eq!(exact["runs"], json!([by(4, 1), by(1, 3), by(4, 1), by(2, 1), by(3, 1)]));
    assert_eq!((&exact["revision"], &exact["len_chars"]), (&json!(4), &json!(7)));
    assert!(exact.get("next").is_none());
    let merged = json_of(&server, &id, "/attribution").await;
    assert_eq!(merged["runs"], json!([by(4, 6), by(3, 1)]), "written in one go");
    let part = json_of(&server, &id, "/attribution?gap_ms=0&from=2&len=3").await;
    assert_eq!(part["runs"], json!([by(1, 2), by(4, 1)]));
    let old = json_of(&server, &id, "/attribution?gap_ms=0&revision=2").await;
    assert_eq!(old["runs"], json!([by(1, 3), by(2, 4)]));
    assert_eq!(json_of(&server, &id, "/attribution?revision=0").await["runs"], json!([]));
    assert_eq!(json_of(&server, &id, "/attribution?from=99").await["runs"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn versions_are_named_by_who_edits_and_changed_by_who_named_them() {
    let server = TestServer::start().await;
    let (id, ben) = written(&server).await;
    let versions = path(&id, "/versions");
    let create = |body: Value| Request::post(&versions).json(&body);
    let named = server.ask(create(json!({"name": " First \n draft ", "revision": 2}))).await;
    assert_eq!(named.status, 201, "{named:?}");
    let named = named.json();
    assert_eq!((&named["name"], &named["revision"]), (&json!("First draft"), &json!(2)));
    let head = create(json!({"name": "Ben's"})).header("cookie", &ben);
    let head = head.send(server.address()).await.json();
    assert_eq!(head["revision"], 4);

    let listed = json_of(&server, &id, "/versions").await;
    assert_eq!(listed["versions"], json!([named, head]));
    assert_eq!(listed["authors"].as_array().expect("authors").len(), 2);

    let one = |version: &Value| format!("{versions}/{}", version["id"].as_str().expect("an id"));
    let rename = |version: &Value| Request::new("PATCH", &one(version)).json(&json!({"name": "X"}));
    let by_ben = rename(&named).header("cookie", &ben).send(server.address()).await;
    assert_eq!((by_ben.status, by_ben.code().as_str()), (403, "forbidden"));
    assert_eq!(server.ask(rename(&named)).await.json()["name"], "X");
    let gone = server.ask(Request::new("DELETE", &one(&head))).await;
    assert_eq!(gone.status, 204, "the document's owner may");
    assert_eq!(server.ask(rename(&head)).await.code(), "not_found");
    let left = json_of(&server, &id, "/versions").await;
    assert_eq!(left["versions"].as_array().map(Vec::len), Some(1));
    server.stop().await;
}

/// The text of a session that has read on from its join to a revision.
async fn follow(socket: &mut RawSocket, joined: &Value, revision: u64) -> String {
    let mut text = joined["text"].as_str().expect("a text").to_owned();
    let mut at = joined["rev"].as_u64().expect("a revision");
    while at < revision {
        for entry in socket.next_of("ops").await["ops"].as_array().expect("entries") {
            let Some(op) = entry.get("op") else { continue };
            let op = ot_core::Operation::from_json(&op.to_string(), &ot_core::Limits::NONE);
            text = op.expect("an operation").apply(&text).expect("it fits");
            at = entry["to"].as_u64().unwrap_or(at + 1);
        }
    }
    text
}

#[tokio::test]
async fn restoring_a_revision_is_one_new_operation_that_everybody_sees() {
    let server = TestServer::start().await;
    let (id, ben) = written(&server).await;
    let mut watching = RawSocket::connect(&server, &ben).await;
    let joined = watching.enter(&id, 3).await;
    let restore = |revision: u64| {
        Request::post(&path(&id, "/restore-revision")).json(&json!({"revision": revision}))
    };
    let restored = server.ask(restore(2)).await;
    assert_eq!(restored.json(), json!({"revision": 5}));
    assert_eq!(server.head(&id).await, (TEXTS[2].to_owned(), 5));
    assert_eq!(follow(&mut watching, &joined, 5).await, TEXTS[2]);
    let page = json_of(&server, &id, "/history").await;
    assert_eq!(page["entries"][4]["author"], page["entries"][0]["author"], "who restored wrote it");
    assert_eq!(page["entries"].as_array().map(Vec::len), Some(5), "nothing is rewritten");

    let again = server.ask(restore(2)).await;
    assert_eq!(again.json(), json!({"revision": 5}), "there was nothing to change");
    assert_eq!(server.ask(restore(0)).await.json(), json!({"revision": 6}));
    assert_eq!(server.head(&id).await, (String::new(), 6));
    server.stop().await;
}

#[tokio::test]
async fn restoring_is_bound_by_the_documents_limits_alone() {
    let limits = ["--document-bytes-max", "100", "--text-bytes-max", "10"];
    let server = TestServer::start_with(&limits).await;
    let id = server.create_with_text(&"a".repeat(60)).await;
    let (mut ada, _) = RawSocket::join(&server, &id, 1).await;
    assert_eq!(ada.submit(1, 1, "[-60]").await["ack"], 1);
    let restore = |revision: u64| {
        Request::post(&path(&id, "/restore-revision")).json(&json!({"revision": revision}))
    };
    let restored = server.ask(restore(1)).await;
    assert_eq!(restored.json(), json!({"revision": 3}), "more than one operation may insert");
    assert_eq!(server.ask(restore(0)).await.json(), json!({"revision": 4}));
    let folder = server.stop().await;

    let limits = ["--document-bytes-max", "50", "--text-bytes-max", "10"];
    let server = TestServer::start_in(folder, &limits).await;
    let refused = restore(1).header("cookie", &server.new_guest().await);
    let refused = refused.send(server.address()).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "document_full"));
    assert_eq!(server.head(&id).await, (String::new(), 4));
    server.stop().await;
}

#[tokio::test]
async fn what_one_has_seen_is_known_on_every_device_and_to_nobody_else() {
    let server = TestServer::start().await;
    let (id, ben) = written(&server).await;
    assert_eq!(json_of(&server, &id, "/seen").await, json!({"revision": 0, "head": 4}));
    let mark = |revision: u64| {
        Request::new("PUT", &path(&id, "/seen")).json(&json!({"revision": revision}))
    };
    let marked = server.ask(mark(3)).await.json();
    assert_eq!((&marked["revision"], &marked["head"]), (&json!(3), &json!(4)));
    assert!(marked["time_ms"].is_i64());
    assert_eq!(server.ask(mark(1)).await.json(), marked, "it never goes back");
    assert_eq!(json_of(&server, &id, "/seen").await, marked);
    let other = Request::get(&path(&id, "/seen")).header("cookie", &ben);
    assert_eq!(other.send(server.address()).await.json()["revision"], 0);
    server.stop().await;
}

#[tokio::test]
async fn every_wrong_question_about_the_past_has_its_answer() {
    let server = TestServer::start().await;
    let (id, _) = written(&server).await;
    let cases = [
        ("/text?revision=5", 404, "revision_ahead"),
        ("/text?revision=-1", 400, "bad_request"),
        ("/text?revision=9007199254740992", 400, "bad_request"),
        ("/text?revision=1&time_ms=1", 400, "bad_request"),
        ("/text?time_ms=x", 400, "bad_request"),
        ("/history?limit=0", 400, "bad_request"),
        ("/history?limit=1001", 400, "bad_request"),
        ("/history?after=5", 404, "revision_ahead"),
        ("/history/summary?buckets=0", 400, "bad_request"),
        ("/history/summary?buckets=1001", 400, "bad_request"),
        ("/diff", 400, "bad_request"),
        ("/diff?from=2&to=1", 400, "bad_request"),
        ("/diff?from=1&to=5", 404, "revision_ahead"),
        ("/attribution?revision=5", 404, "revision_ahead"),
        ("/attribution?from=-1", 400, "bad_request"),
        ("/attribution?gap_ms=x", 400, "bad_request"),
    ];
    for (rest, status, code) in cases {
        let answer = get(&server, &id, rest).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{rest}");
    }
    let missing = "0".repeat(32);
    for rest in ["/text?revision=0", "/history", "/diff?from=0&to=0", "/versions", "/seen"] {
        assert_eq!(get(&server, &missing, rest).await.code(), "not_found", "{rest}");
    }
    let post = |rest: &str, body: Value| Request::post(&path(&id, rest)).json(&body);
    let cases = [
        (post("/versions", json!({"name": " "})), 400, "bad_request"),
        (post("/versions", json!({"name": "x".repeat(121)})), 400, "bad_request"),
        (post("/versions", json!({"name": "x", "revision": 5})), 404, "revision_ahead"),
        (post("/restore-revision", json!({"revision": 5})), 404, "revision_ahead"),
        (post("/restore-revision", json!({})), 400, "bad_request"),
        (
            Request::new("PUT", &path(&id, "/seen")).json(&json!({"revision": 5})),
            404,
            "revision_ahead",
        ),
        (Request::new("DELETE", &path(&id, "/versions/x")), 404, "not_found"),
    ];
    for (request, status, code) in cases {
        let what = format!("{request:.200?}");
        let answer = server.ask(request).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{what}");
    }
    let foreign = post("/restore-revision", json!({"revision": 1}));
    let foreign = server.ask(foreign.header("origin", "http://evil.example")).await;
    assert_eq!(foreign.code(), "foreign_origin");
    assert_eq!(server.ask(Request::new("DELETE", &path(&id, ""))).await.status, 204);
    let deleted = server.ask(post("/restore-revision", json!({"revision": 1}))).await;
    assert_eq!((deleted.status, deleted.code().as_str()), (410, "document_deleted"));
    let stranger = Request::get(&path(&id, "/history")).send(server.address()).await;
    assert_eq!(stranger.code(), "document_deleted");
    server.stop().await;
}
