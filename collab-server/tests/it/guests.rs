//! People without an account: known by their cookie, named until they choose a name.

use serde_json::json;

use crate::support::http::Request;
use crate::support::server::TestServer;
use crate::support::socket::RawSocket;

#[tokio::test]
async fn the_first_request_makes_a_guest_and_later_ones_know_them() {
    let server = TestServer::start().await;
    let first = Request::get("/api/me").send(server.address()).await;
    let cookie = first.cookie().expect("a cookie");
    let again = Request::get("/api/me").header("cookie", &cookie).send(server.address()).await;
    assert_eq!(again.json(), first.json());
    assert!(again.cookie().is_none());
    assert_eq!(first.json()["guest"], true);
    assert!(first.json()["id"].as_str().expect("an id").starts_with("g_"));
    assert_ne!(
        Request::get("/api/me").send(server.address()).await.json()["id"],
        first.json()["id"]
    );
    server.stop().await;
}

#[tokio::test]
async fn a_guest_chooses_a_name_and_a_colour_that_others_see() {
    let server = TestServer::start().await;
    let put = |body| Request::new("PUT", "/api/me").json(&body);
    let me = server.ask(put(json!({"name": " Ada  Lovelace ", "color": 7}))).await.json();
    assert_eq!((&me["name"], &me["color"]), (&json!("Ada Lovelace"), &json!(7)));
    assert_eq!(server.ask(put(json!({"color": 3}))).await.json()["name"], "Ada Lovelace");

    let document = server.create_document("x").await;
    let (mut ada, _) = RawSocket::join(&server, &document, 1).await;
    let mut other = RawSocket::connect(&server, &server.new_guest().await).await;
    let joined = other.enter(&document, 2).await;
    assert_eq!(joined["people"][0]["name"], "Ada Lovelace");
    assert_eq!(server.ask(put(json!({"name": "Countess"}))).await.status, 200);
    loop {
        let presence = other.next_of("presence").await;
        if presence["people"][0]["name"] == "Countess" {
            break;
        }
    }
    ada.say(json!({"type": "ping", "t": 1})).await;
    assert_eq!(ada.next_of("pong").await["t"], 1.0);
    server.stop().await;
}

#[tokio::test]
async fn a_guest_is_known_to_the_next_server_on_the_same_database() {
    let server = TestServer::start().await;
    let cookie = server.cookie().to_owned();
    let id = server.ask(Request::get("/api/me")).await.json()["id"].clone();
    let folder = server.stop().await;
    let server = TestServer::start_in(folder, &[]).await;
    let again = Request::get("/api/me").header("cookie", &cookie).send(server.address()).await;
    assert_eq!(again.json()["id"], id);
    server.stop().await;
}

#[tokio::test]
async fn a_page_brings_the_cookie_so_that_its_requests_are_one_guests() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["index.html", "d.html", "404.html", "app.js"] {
        std::fs::write(folder.path().join(name), name).expect("a file");
    }
    let web = folder.path().to_str().expect("UTF-8");
    let server = TestServer::start_with(&["--web-dir", web]).await;
    let ask = async |path: &str| {
        let answer = Request::get(path).send(server.address()).await;
        let is_private = answer.header("cache-control") == Some("private, no-store");
        assert_eq!(answer.cookie().is_some(), is_private, "{path}");
        answer.cookie()
    };
    for page in ["/", "/d/00ff000000004000800000000000002a", "/missing"] {
        assert!(ask(page).await.is_some(), "{page}");
    }
    assert!(ask("/app.js").await.is_none());
    assert!(server.ask(Request::get("/")).await.cookie().is_none(), "a known guest stays");
    server.stop().await;
}

#[tokio::test]
async fn without_guests_there_is_no_way_in_without_a_token() {
    let server = TestServer::start_with(&["--guests", "off"]).await;
    let answer = Request::get("/api/me").send(server.address()).await;
    assert_eq!((answer.status, answer.code().as_str()), (401, "unauthenticated"));
    assert!(answer.cookie().is_none());

    for (first, error, code) in [
        (r#"{"type":"auth","token":"made-up"}"#, "unauthenticated", 4401),
        (r#"{"type":"ping","t":1}"#, "unauthenticated", 4401),
        ("{", "bad_message", 4400),
        (
            &format!(r#"{{"type":"auth","token":"{}"}}"#, "x".repeat(9_000)),
            "message_too_large",
            1009,
        ),
        (
            &format!(r#"{{"type":"auth","token":"{}"}}"#, "x".repeat(100_000)),
            "message_too_large",
            1009,
        ),
    ] {
        let headers = [("sec-websocket-protocol", "concord.v1")];
        let mut socket = RawSocket::open(server.address(), &headers).await.expect("an upgrade");
        socket.text(first).await;
        assert_eq!(socket.next().await["code"], error);
        assert_eq!(socket.closed().await, code, "{first:.40}");
    }
    server.stop().await;
}

#[tokio::test]
async fn who_says_nothing_is_let_go() {
    let server = TestServer::start_with(&["--guests", "off", "--auth-deadline-ms", "100"]).await;
    let headers = [("sec-websocket-protocol", "concord.v1")];
    let mut socket = RawSocket::open(server.address(), &headers).await.expect("an upgrade");
    assert_eq!(socket.closed().await, 4408);
    server.stop().await;
}

#[tokio::test]
async fn an_upgrade_sets_the_cookie_of_a_new_guest() {
    let server = TestServer::start().await;
    let answer = Request::get("/api/socket")
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("sec-websocket-protocol", "chat, concord.v1");
    let address = server.address();
    let asking = tokio::spawn(answer.send(address));
    // The connection stays open as a WebSocket until the server ends it.
    let stopped = async {
        crate::support::until("the socket is open", || async {
            let figures = server.ask(Request::get("/metrics")).await.text();
            figures.contains("concord_sockets 1\n")
        })
        .await;
        server.stop().await;
    };
    stopped.await;
    let answer = asking.await.expect("an answer");
    assert_eq!(answer.status, 101);
    assert_eq!(answer.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_eq!(answer.header("sec-websocket-protocol"), Some("concord.v1"));
    assert!(answer.cookie().expect("a cookie").starts_with("concord_guest="));
}

#[tokio::test]
async fn a_page_of_another_site_gets_no_socket() {
    let server = TestServer::start().await;
    for (name, value) in
        [("origin", "http://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")]
    {
        let headers =
            [("sec-websocket-protocol", "concord.v1"), ("cookie", server.cookie()), (name, value)];
        let error = RawSocket::open(server.address(), &headers).await.err().expect("a refusal");
        assert!(error.to_string().contains("403"), "{name}: {value}: {error}");
    }
    let error = RawSocket::open(server.address(), &[]).await.err().expect("a refusal");
    assert!(error.to_string().contains("400"), "without the subprotocol: {error}");
    server.stop().await;
}
