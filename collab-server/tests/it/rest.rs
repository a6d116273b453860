//! The REST interface keeps its contract.

use serde_json::json;

use crate::support::http::Request;
use crate::support::server::TestServer;

fn document(id: &str) -> String {
    format!("/api/documents/{id}")
}

#[tokio::test]
async fn a_document_is_created_found_renamed_deleted_and_restored() {
    let server = TestServer::start().await;
    let body = json!({"title": "  Minutes \n of\tMay ", "text": "a\r\nb\rc"});
    let created = server.ask(Request::post("/api/documents").json(&body)).await;
    assert_eq!(created.status, 201, "{created:?}");
    let doc = created.json();
    let id = doc["id"].as_str().expect("an id").to_owned();
    assert_eq!(created.header("location"), Some(document(&id).as_str()));
    assert_eq!((&doc["title"], &doc["role"]), (&json!("Minutes of May"), &json!("owner")));
    assert_eq!(
        (&doc["revision"], &doc["len_chars"], &doc["here"]),
        (&json!(1), &json!(5), &json!(0))
    );
    assert_eq!(server.text(&id).await, "a\nb\nc");

    let listed = server.ask(Request::get("/api/documents?q=minutes")).await.json();
    assert_eq!(listed["documents"][0]["id"], id.as_str());
    let none = server.ask(Request::get("/api/documents?q=nothing-like-it")).await.json();
    assert_eq!(none["documents"], json!([]));

    let rename = Request::new("PATCH", &document(&id)).json(&json!({"title": "June"}));
    assert_eq!(server.ask(rename).await.json()["title"], "June");

    let delete = || Request::new("DELETE", &document(&id));
    assert_eq!(server.ask(delete()).await.status, 204);
    assert_eq!(server.ask(delete()).await.status, 204, "deleting twice is deleting");
    assert!(server.ask(Request::get(&document(&id))).await.json()["deleted_ms"].is_i64());
    let live = server.ask(Request::get("/api/documents")).await.json();
    assert_eq!(live["documents"], json!([]));
    let deleted = server.ask(Request::get("/api/documents?deleted=true")).await.json();
    assert_eq!(deleted["documents"][0]["id"], id.as_str());

    let restored = server.ask(Request::post(&format!("{}/restore", document(&id)))).await;
    assert_eq!(restored.status, 200);
    assert!(restored.json().get("deleted_ms").is_none());
    assert_eq!(server.text(&id).await, "a\nb\nc");
    server.stop().await;
}

#[tokio::test]
async fn a_list_comes_in_pages_that_miss_and_repeat_nothing() {
    let server = TestServer::start().await;
    let mut expected = Vec::new();
    for number in 0..7 {
        expected.push(server.create_document(&format!("number {number}")).await);
    }
    let mut found = Vec::new();
    let mut path = "/api/documents?limit=3".to_owned();
    loop {
        let page = server.ask(Request::get(&path)).await.json();
        let documents = page["documents"].as_array().expect("documents").clone();
        assert!(documents.len() <= 3);
        found.extend(documents.iter().map(|doc| doc["id"].as_str().expect("an id").to_owned()));
        match page["cursor"].as_str() {
            Some(cursor) => path = format!("/api/documents?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    server.stop().await;
}

#[tokio::test]
async fn who_knows_the_id_may_edit_and_only_the_owner_deletes() {
    let server = TestServer::start().await;
    let id = server.create_with_text("shared").await;
    let other = server.new_guest().await;
    let ask =
        async |request: Request| request.header("cookie", &other).send(server.address()).await;
    assert_eq!(ask(Request::get(&document(&id))).await.json()["role"], "editor");
    assert_eq!(ask(Request::get("/api/documents")).await.json()["documents"], json!([]));
    assert_eq!(ask(Request::get(&format!("{}/text", document(&id)))).await.text(), "shared");
    assert_eq!(ask(Request::new("DELETE", &document(&id))).await.code(), "forbidden");
    let restore = Request::post(&format!("{}/restore", document(&id)));
    assert_eq!(ask(restore).await.code(), "forbidden");

    assert_eq!(server.ask(Request::new("DELETE", &document(&id))).await.status, 204);
    let gone = ask(Request::get(&document(&id))).await;
    assert_eq!((gone.status, gone.code().as_str()), (410, "document_deleted"));
    let rename = Request::new("PATCH", &document(&id)).json(&json!({"title": "x"}));
    assert_eq!(ask(rename).await.code(), "document_deleted");
    server.stop().await;
}

#[tokio::test]
async fn each_bad_request_has_its_status_and_code() {
    let server = TestServer::start_with(&["--document-bytes-max", "40000"]).await;
    let id = server.create_document("one").await;
    let missing = document(&"0".repeat(32));
    let create = || Request::post("/api/documents");
    let cases = [
        (Request::get(&missing), 404, "not_found"),
        (Request::get(&format!("{missing}/text")), 404, "not_found"),
        (Request::new("DELETE", &missing), 404, "not_found"),
        (Request::get("/api/documents/..%2f..%2fetc"), 404, "not_found"),
        (Request::get("/api/documents/%00"), 404, "not_found"),
        (
            Request::get(&document(&id.to_uppercase().replace(char::is_numeric, "A"))),
            404,
            "not_found",
        ),
        (Request::get("/api/nothing"), 404, "not_found"),
        (Request::new("PUT", "/api/documents"), 405, "bad_request"),
        (create().body("application/json", "{"), 400, "bad_request"),
        (create().body("application/json", r#"{"title":5}"#), 400, "bad_request"),
        (create().body("application/json", r#"{"title":"\ud83d"}"#), 400, "bad_request"),
        (create().body("text/plain", "{}"), 400, "bad_request"),
        (create().body("application/x-www-form-urlencoded", "title=x"), 400, "bad_request"),
        (create().json(&json!({"title": "x".repeat(201)})), 400, "bad_request"),
        (create().json(&json!({"text": "a\0"})), 400, "bad_request"),
        (create().json(&json!({"text": "x".repeat(40_001)})), 413, "message_too_large"),
        (create().json(&json!({"text": "x".repeat(400_000)})), 413, "message_too_large"),
        (Request::new("PATCH", &document(&id)), 400, "bad_request"),
        (Request::new("PATCH", &document(&id)).json(&json!({})), 400, "bad_request"),
        (Request::get("/api/documents?limit=0"), 400, "bad_request"),
        (Request::get("/api/documents?limit=201"), 400, "bad_request"),
        (Request::get("/api/documents?limit=x"), 400, "bad_request"),
        (Request::get("/api/documents?cursor=x"), 400, "bad_request"),
        (Request::get("/api/documents?q=%00"), 400, "bad_request"),
        (Request::new("PUT", "/api/me").json(&json!({"color": 12})), 400, "bad_request"),
        (Request::new("PUT", "/api/me").json(&json!({"name": "  "})), 400, "bad_request"),
        (Request::get("/api/socket"), 400, "bad_request"),
    ];
    for (request, status, code) in cases {
        let what = format!("{request:.200?}");
        let answer = server.ask(request).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{what}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    let server = TestServer::start().await;
    let id = server.create_with_text("mine").await;
    let own = format!("http://{}", server.address());
    for origin in
        ["http://evil.example", "null", "http://127.0.0.1", &format!("{own}.evil.example")]
    {
        for request in [
            Request::post("/api/documents").json(&json!({})),
            Request::new("PATCH", &document(&id)).json(&json!({"title": "x"})),
            Request::new("DELETE", &document(&id)),
            Request::post(&format!("{}/restore", document(&id))),
            Request::new("PUT", "/api/me").json(&json!({"name": "x"})),
        ] {
            let answer = server.ask(request.header("origin", origin)).await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (403, "foreign_origin"),
                "{origin}"
            );
        }
    }
    let rename = Request::new("PATCH", &document(&id)).json(&json!({"title": "x"}));
    assert_eq!(server.ask(rename.header("origin", &own)).await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn answers_carry_the_headers_that_keep_pages_safe() {
    let server = TestServer::start().await;
    for path in ["/", "/api/me", "/health/live", "/nothing"] {
        let answer = server.ask(Request::get(path)).await;
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.contains("script-src 'self' 'wasm-unsafe-eval'"), "{path}: {policy}");
        assert!(!policy.contains("script-src 'self' 'unsafe-inline'"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
        assert_eq!(answer.header("x-request-id").map(str::len), Some(16), "{path}");
    }
    assert_eq!(server.ask(Request::get("/api/me")).await.header("cache-control"), Some("no-store"));
    server.stop().await;
}

#[tokio::test]
async fn operators_are_told_how_the_server_is() {
    let server = TestServer::start().await;
    assert_eq!(server.ask(Request::get("/health/live")).await.status, 200);
    assert_eq!(server.ask(Request::get("/health/ready")).await.status, 200);
    let figures = server.ask(Request::get("/metrics")).await;
    assert!(
        figures.header("content-type").expect("a type").starts_with("application/openmetrics-text")
    );
    assert!(figures.text().ends_with("# EOF\n"));
    assert!(
        figures
            .text()
            .contains(r#"concord_http_responses_total{route="/health/ready",status="200"} 1"#)
    );
    server.stop().await;

    let silent = TestServer::start_with(&["--metrics", "off"]).await;
    assert_eq!(silent.ask(Request::get("/metrics")).await.status, 404);
    silent.stop().await;
}

#[tokio::test]
async fn the_web_app_is_served_from_its_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("index.html"), "home").expect("a file");
    std::fs::write(folder.path().join("d.html"), "document").expect("a file");
    std::fs::write(folder.path().join("csp.json"), r#"{"script_hashes":["sha256-abc="]}"#)
        .expect("a file");
    let server =
        TestServer::start_with(&["--web-dir", folder.path().to_str().expect("UTF-8")]).await;
    let page = server.ask(Request::get("/d/00ff000000004000800000000000002a?x=1")).await;
    assert_eq!((page.status, page.text().as_str()), (200, "document"));
    assert!(page.header("content-security-policy").expect("a policy").contains("'sha256-abc='"));
    assert_eq!(server.ask(Request::new("POST", "/")).await.status, 405);
    let head = server.ask(Request::new("HEAD", "/")).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    server.stop().await;
}
