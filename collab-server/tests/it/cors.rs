//! What pages of other origins may do over HTTP: those that are listed everything but with cookies,
//! the others nothing.

use serde_json::json;

use crate::support::http::{Answer, Request};
use crate::support::server::TestServer;
use crate::support::token::{SECRET_FLAGS, bearer, claims, token};

const LISTED: &str = "https://app.example";

/// Calls of each part of the API.
fn calls() -> Vec<Request> {
    vec![
        Request::get("/api/me"),
        Request::get("/api/documents"),
        Request::new("PUT", "/api/me").json(&json!({"color": 3})),
        Request::post("/api/documents").json(&json!({"text": "a"})),
        Request::get("/api/documents/0"),
        Request::get("/api/nothing"),
        Request::get("/api/openapi.json"),
        Request::post("/api/session").json(&json!({"subprotocol": "concord.v1"})),
    ]
}

fn allowed(answer: &Answer) -> Option<&str> {
    assert_eq!(answer.header("access-control-allow-credentials"), None, "never with cookies");
    answer.header("access-control-allow-origin")
}

#[tokio::test]
async fn a_listed_page_uses_everything_with_a_token_and_others_read_nothing() {
    let flags = [&SECRET_FLAGS[..], &["--allowed-origins", LISTED]].concat();
    let server = TestServer::start_with(&flags).await;
    let ada = bearer(&token(&claims("ada")));
    for call in calls() {
        let from = |origin: &str| call.clone().header("origin", origin);
        let with_token = from(LISTED).header("authorization", &ada).send(server.address()).await;
        assert_eq!(allowed(&with_token), Some(LISTED), "{call:?}");
        assert!([200, 201, 404].contains(&with_token.status), "{with_token:?}");
        let exposed = with_token.header("access-control-expose-headers").unwrap_or_default();
        assert!(exposed.contains("concord-revision"), "{exposed}");
        let without = from(LISTED).send(server.address()).await;
        assert_eq!(allowed(&without), Some(LISTED), "a page is told what is wrong: {call:?}");
        for origin in ["https://evil.example", "null", "https://app.example.evil.example"] {
            let with_token = from(origin).header("authorization", &ada);
            assert_eq!(allowed(&with_token.send(server.address()).await), None, "{call:?}");
        }
        let own = call.clone().header("authorization", &ada).send(server.address()).await;
        assert_eq!(allowed(&own), None, "{call:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_a_browser_asks_ahead_is_answered_for_listed_pages_alone() {
    let flags = [&SECRET_FLAGS[..], &["--allowed-origins", LISTED]].concat();
    let server = TestServer::start_with(&flags).await;
    for path in ["/api/me", "/api/documents/0/sharing", "/api/session", "/api/session/messages"] {
        let ask = async |origin| {
            let ahead = Request::new("OPTIONS", path).header("origin", origin);
            let ahead = ahead.header("access-control-request-method", "PATCH");
            ahead.send(server.address()).await
        };
        let answer = ask(LISTED).await;
        assert_eq!((answer.status, allowed(&answer)), (204, Some(LISTED)), "{path}");
        let methods = answer.header("access-control-allow-methods").unwrap_or_default();
        assert!(methods.contains("PATCH") && methods.contains("PUT"), "{methods}");
        let headers = answer.header("access-control-allow-headers").unwrap_or_default();
        assert!(headers.contains("authorization"), "{headers}");
        let answer = ask("https://evil.example").await;
        assert_eq!((answer.status, allowed(&answer)), (403, None), "{path}");
    }
    let health = Request::get("/health/live").header("origin", LISTED).send(server.address()).await;
    assert_eq!(allowed(&health), None, "outside the API nothing is shared");
    server.stop().await;
}

#[tokio::test]
async fn a_guest_of_a_listed_page_has_a_session_without_a_cookie() {
    let server = TestServer::start_with(&["--allowed-origins", LISTED]).await;
    let from = |request: Request| request.header("origin", LISTED);
    let open = Request::post("/api/session").json(&json!({"subprotocol": "concord.v1"}));
    let opened = from(open).send(server.address()).await;
    assert_eq!((opened.status, allowed(&opened)), (201, Some(LISTED)));
    let id = opened.json()["session"].as_str().expect("an id").to_owned();
    let about = |request: Request| from(request).header("concord-session", &id);
    let ping =
        Request::post("/api/session/messages?n=1").body("text/plain", r#"{"type":"ping","t":1}"#);
    assert_eq!(about(ping).send(server.address()).await.status, 204);
    let mut said = String::new();
    for after in 0..2 {
        let path = format!("/api/session/events?after={after}&poll_ms=25000");
        let events = about(Request::get(&path)).send(server.address()).await;
        assert_eq!(events.status, 200);
        said += &events.text();
    }
    assert!(said.contains("welcome") && said.contains("pong"), "{said}");
    let guess = Request::get("/api/session/events").header("concord-session", &"0".repeat(64));
    assert_eq!(from(guess).send(server.address()).await.status, 404);
    server.stop().await;
}
