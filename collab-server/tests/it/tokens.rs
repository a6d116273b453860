//! Tokens: who is let in by one, how, for how long, and who is not.

mod expiry;
mod hostile;
mod keys;
mod program;

use serde_json::{Value, json};

use crate::support::http::{Answer, Request};
use crate::support::server::TestServer;
use crate::support::socket::RawSocket;
use crate::support::token::{SECRET_FLAGS, bearer, claims, claims_with, token};

const PROTOCOL: (&str, &str) = ("sec-websocket-protocol", "concord.v1");

async fn me(server: &TestServer, token: &str) -> Answer {
    Request::get("/api/me").header("authorization", &bearer(token)).send(server.address()).await
}

/// Opens a socket whose first message is `auth`; what the server says to that.
async fn greeted(server: &TestServer, token: &str) -> (RawSocket, Value) {
    let mut socket = RawSocket::open(server.address(), &[PROTOCOL]).await.expect("an upgrade");
    socket.say(json!({"type": "auth", "token": token})).await;
    let greeting = socket.next().await;
    (socket, greeting)
}

#[tokio::test]
async fn a_token_is_taken_in_a_header_a_cookie_or_the_first_message() {
    let server = TestServer::start_with(&SECRET_FLAGS).await;
    let token = token(&claims_with("ada", json!({"name": "Ada Lovelace", "color": 7})));
    let expected = json!({"id": "ada", "name": "Ada Lovelace", "color": 7});

    let by_header = me(&server, &token).await;
    assert_eq!(by_header.status, 200);
    let mut person = expected.clone();
    person["guest"] = json!(false);
    assert_eq!(by_header.json(), person);
    assert!(by_header.cookie().is_none(), "no guest is made of somebody who is known");
    let cookie = format!("theme=dark; concord_token={token}");
    let by_cookie = Request::get("/api/me").header("cookie", &cookie).send(server.address()).await;
    assert_eq!(by_cookie.json(), person);

    let origin = format!("http://{}", server.address());
    for headers in [
        vec![PROTOCOL, ("authorization", &*bearer(&token))],
        vec![PROTOCOL, ("cookie", &*cookie), ("origin", &*origin)],
    ] {
        let mut socket = RawSocket::open(server.address(), &headers).await.expect("an upgrade");
        assert_eq!(socket.next().await["user"], expected);
    }
    let (_socket, greeting) = greeted(&server, &token).await;
    assert_eq!((&greeting["type"], &greeting["user"]), (&json!("welcome"), &expected));

    let in_url = format!("/api/me?access_token={token}&token={token}");
    assert_eq!(Request::get(&in_url).send(server.address()).await.status, 401, "not in a URL");
    server.stop().await;
}

#[tokio::test]
async fn a_key_turns_guests_away_unless_they_are_allowed() {
    let server = TestServer::start_with(&SECRET_FLAGS).await;
    let answer = Request::get("/api/me").send(server.address()).await;
    assert_eq!((answer.status, answer.code().as_str()), (401, "unauthenticated"));
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    assert!(answer.cookie().is_none());
    server.stop().await;

    let flags = [&SECRET_FLAGS[..], &["--guests", "on"]].concat();
    let server = TestServer::start_with(&flags).await;
    assert_eq!(server.ask(Request::get("/api/me")).await.json()["guest"], true);
    assert_eq!(me(&server, &token(&claims("ada"))).await.json()["id"], "ada");
    assert_eq!(me(&server, "made-up").await.status, 401, "who means to be known is no guest");
    // A browser has the guest's cookie all along; the client says that a token will follow.
    let headers =
        [("sec-websocket-protocol", "concord.v1, concord.auth"), ("cookie", server.cookie())];
    let mut socket = RawSocket::open(server.address(), &headers).await.expect("an upgrade");
    socket.say(json!({"type": "auth", "token": token(&claims("ada"))})).await;
    assert_eq!(socket.next().await["user"]["id"], "ada");
    server.stop().await;
}

#[tokio::test]
async fn without_a_key_a_header_for_somebody_else_changes_nothing() {
    let server = TestServer::start().await;
    let request = Request::get("/api/me").header("authorization", &bearer("a proxy's own"));
    let answer = server.ask(request).await;
    assert_eq!((answer.status, &answer.json()["guest"]), (200, &json!(true)));
    assert_eq!(greeted(&server, &token(&claims("ada"))).await.1["type"], "welcome", "as a guest");
    server.stop().await;
}

#[tokio::test]
async fn who_is_not_signed_in_is_told_where_to() {
    let sign_in = ["--sign-in-url", "https://product.example/login"];
    let flags = [&SECRET_FLAGS[..], &sign_in].concat();
    let server = TestServer::start_with(&flags).await;
    let told = json!({"error": {
        "code": "unauthenticated",
        "message": "There is no valid identity with this request.",
        "sign_in_url": "https://product.example/login",
    }});
    assert_eq!(Request::get("/api/me").send(server.address()).await.json(), told);
    assert_eq!(me(&server, "made-up").await.json(), told, "and not why");
    server.stop().await;
}

#[tokio::test]
async fn a_cookie_changes_nothing_without_the_word_of_a_page_of_ours() {
    let server = TestServer::start_with(&SECRET_FLAGS).await;
    let token = token(&claims("ada"));
    let cookie = format!("concord_token={token}");
    let own = format!("http://{}", server.address());
    let create = || Request::post("/api/documents").json(&json!({"title": "Mine"}));
    let by_cookie = || create().header("cookie", &cookie);
    for (name, request) in [
        ("no origin", by_cookie()),
        ("a foreign origin", by_cookie().header("origin", "https://evil.example")),
        ("the origin of a neighbour", by_cookie().header("origin", "http://localhost")),
        ("no origin for privacy", by_cookie().header("origin", "null")),
        ("two origins", by_cookie().header("origin", &own).header("origin", &own)),
        ("another port", by_cookie().header("origin", "http://127.0.0.1:1")),
    ] {
        let answer = request.send(server.address()).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "foreign_origin"), "{name}");
    }
    let own_page = by_cookie().header("origin", &own).send(server.address()).await;
    assert_eq!(own_page.status, 201);
    // What is read stays with the browser, and a program has no cookie of others to send.
    let read =
        Request::get("/api/documents").header("cookie", &cookie).send(server.address()).await;
    assert_eq!(read.status, 200);
    let program = create().header("authorization", &bearer(&token)).send(server.address()).await;
    assert_eq!(program.status, 201);

    let headers = [PROTOCOL, ("cookie", &*cookie)];
    let error = RawSocket::open(server.address(), &headers).await.err().expect("a refusal");
    assert!(error.to_string().contains("403"), "{error}");
    // Two of a name: one was slipped in from a neighbouring host.
    let twice = format!("{cookie}; concord_token=other");
    let answer = Request::get("/api/me").header("cookie", &twice).send(server.address()).await;
    assert_eq!(answer.status, 401);
    server.stop().await;
}
