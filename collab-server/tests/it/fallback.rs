//! Sessions over HTTP requests: the same messages with the same guarantees as over a WebSocket.

mod ending;
mod limits;

use serde_json::{Value, json};

use crate::support::fallback::{Event, FallbackSession, Form};
use crate::support::http::Request;
use crate::support::server::TestServer;
use crate::support::socket::RawSocket;
use crate::support::until;

const FORMS: [Form; 2] = [Form::Stream, Form::Poll];

/// A figure of the server.
async fn figure(server: &TestServer, name: &str) -> f64 {
    let figures = server.ask(Request::get("/metrics")).await.text();
    let line = figures.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|number| number.parse().ok()).unwrap_or(0.0)
}

#[tokio::test]
async fn people_over_each_transport_write_one_text() {
    let server = TestServer::start().await;
    let document = server.create_with_text("").await;
    let (mut socket, _) = RawSocket::join(&server, &document, 1).await;
    let (mut stream, joined) = FallbackSession::join(&server, &document, 2, Form::Stream).await;
    assert_eq!((&joined["text"], &joined["rev"]), (&json!(""), &json!(0)));
    let (mut poll, _) = FallbackSession::join(&server, &document, 3, Form::Poll).await;
    assert_eq!(socket.submit(1, 0, r#"["a"]"#).await["ack"], 1);
    assert_eq!(stream.submit(1, 0, r#"["b"]"#).await, 1);
    assert_eq!(poll.submit(1, 0, r#"["c"]"#).await, 1);
    assert_eq!(server.head(&document).await, ("abc".to_owned(), 3));
    for transport in ["websocket", "sse", "poll"] {
        let name = format!(r#"concord_transports{{transport="{transport}"}}"#);
        assert!((figure(&server, &name).await - 1.0).abs() < 0.1, "{transport}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_message_that_is_sent_again_is_taken_once() {
    for form in FORMS {
        let server = TestServer::start().await;
        let document = server.create_with_text("").await;
        let (mut session, _) = FallbackSession::join(&server, &document, 1, form).await;
        let first = session.next;
        let pings = "{\"type\":\"ping\",\"t\":1}\n{\"type\":\"ping\",\"t\":2}";
        for _ in 0..3 {
            // As if no answer had come.
            assert_eq!(session.post(first, pings).await.status, 204);
        }
        let more = format!("{pings}\n{{\"type\":\"ping\",\"t\":3}}");
        assert_eq!(session.post(first, &more).await.status, 204);
        for t in [1.0, 2.0, 3.0] {
            assert_eq!(session.next().await, json!({"type": "pong", "t": t}), "{form:?}");
        }
        let gap = session.post(first + 4, "{\"type\":\"ping\",\"t\":5}").await;
        assert_eq!((gap.status, &*gap.code()), (400, "bad_request"));
        session.next = first + 3;
        assert_eq!(session.submit(1, 0, r#"["x"]"#).await, 1);
        assert_eq!(server.head(&document).await, ("x".to_owned(), 1));
        server.stop().await;
    }
}

#[tokio::test]
async fn messages_that_make_no_sense_are_answered_as_over_a_websocket() {
    let server = TestServer::start().await;
    let mut session = FallbackSession::connect(&server, server.cookie(), Form::Stream).await;
    assert_eq!(session.post(1, "{\n\n[]").await.status, 204);
    for fatal in [false, false, true] {
        let error = session.next().await;
        assert_eq!((&error["code"], &error["fatal"]), (&json!("bad_message"), &json!(fatal)));
    }
    assert_eq!(session.closed().await, 4400);
    server.stop().await;
}

#[tokio::test]
async fn what_a_cut_stream_had_on_its_way_comes_again() {
    let server = TestServer::start().await;
    let document = server.create_with_text("").await;
    let (mut session, _) = FallbackSession::join(&server, &document, 1, Form::Stream).await;
    let (mut other, _) = RawSocket::join(&server, &document, 2).await;
    for round in 0..10_u64 {
        let op = if round == 0 { r#"["x"]"#.to_owned() } else { format!(r#"["x",{round}]"#) };
        assert_eq!(other.submit(round + 1, round, &op).await["ack"], round + 1);
        // It may have been on its way, or written to a connection that is no more.
        session.cut();
    }
    let mut revision = 0;
    while revision < 10 {
        let ops = session.next_of("ops").await;
        assert_eq!(ops["rev"], revision);
        let entries = ops["ops"].as_array().expect("entries");
        revision += entries.iter().filter(|entry| entry.get("op").is_some()).count();
    }
    assert!((figure(&server, "concord_sockets").await - 2.0).abs() < 0.1, "one session all along");
    server.stop().await;
}

#[tokio::test]
async fn a_poll_whose_answer_was_lost_is_answered_again() {
    let server = TestServer::start().await;
    let session = FallbackSession::open(server.address(), server.cookie(), Form::Poll).await;
    let first = session.poll(0, 25_000).await.text();
    assert!(first.contains("id: 1\ndata: {\"type\":\"welcome\""), "{first}");
    assert_eq!(session.poll(0, 25_000).await.text(), first);
    let began = std::time::Instant::now();
    assert!(!session.poll(1, 50).await.text().contains("id: "), "nothing else was said");
    assert!(began.elapsed().as_secs() < 20, "it ends with its time");
    let again = session.poll(0, 50).await;
    assert_eq!((again.status, &*again.code()), (400, "bad_request"), "1 was acknowledged");
    assert_eq!(session.poll(9, 50).await.status, 400, "there is no 9");
    server.stop().await;
}

#[tokio::test]
async fn a_newer_stream_takes_the_place_of_an_older_one() {
    let server = TestServer::start().await;
    let session = FallbackSession::open(server.address(), server.cookie(), Form::Stream).await;
    let mut older = session.stream(0).await;
    assert!(matches!(older.next().await, Some(Event::Message(1, _))));
    let mut newer = session.stream(0).await;
    assert!(matches!(newer.next().await, Some(Event::Message(1, _))));
    assert_eq!(older.next().await, None);
    assert_eq!(session.post(1, "{\"type\":\"ping\",\"t\":1}").await.status, 204);
    let pong = Event::Message(2, json!({"type": "pong", "t": 1.0}));
    assert_eq!(newer.next().await, Some(pong));
    server.stop().await;
}

#[tokio::test]
async fn a_large_text_passes_in_pieces_over_each() {
    let server = TestServer::start().await;
    let text = "é\n\"漢\\🦀".repeat(60_000);
    let document = server.create_with_text(&text).await;
    for (client, form) in FORMS.into_iter().enumerate() {
        let client = u32::try_from(client).expect("small");
        let (_, joined) = FallbackSession::join(&server, &document, client, form).await;
        assert!(joined["text"] == Value::String(text.clone()), "{form:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_document_is_taken_from_a_websocket_to_a_session_and_back() {
    let server = TestServer::start().await;
    let document = server.create_with_text("").await;
    let (mut socket, joined) = RawSocket::join(&server, &document, 1).await;
    assert_eq!(socket.submit(1, 0, r#"["a"]"#).await["ack"], 1);
    // Sent, and its answer not waited for.
    let in_flight = r#"{"type":"submit","ch":1,"seq":2,"rev":1,"op":[1,"b"]}"#;
    socket.text(in_flight).await;
    let resume = json!({
        "type": "join", "doc": document, "client": crate::support::socket::client_id(1),
        "since": 1, "epoch": joined["epoch"],
    });
    let mut session = FallbackSession::connect(&server, server.cookie(), Form::Stream).await;
    session.say(resume.clone()).await;
    assert_eq!(session.next_of("joined").await["rev"], 1);
    session.text(in_flight).await;
    until("it is committed", async || server.head(&document).await.1 == 2).await;
    let answer = session.next().await;
    let is_answer = answer["ops"][0]["ack"] == 2 || answer["seq"] == 2;
    assert!(is_answer, "{answer}");
    assert_eq!(socket.closed().await, 4409);

    let mut socket = RawSocket::connect(&server, server.cookie()).await;
    socket.say(resume).await;
    assert_eq!(socket.next_of("joined").await["seq"], 2);
    assert_eq!(session.closed().await, 4409);
    assert_eq!(server.head(&document).await, ("ab".to_owned(), 2));
    server.stop().await;
}

#[tokio::test]
async fn a_foreign_page_gets_no_session_and_a_listed_one_does() {
    let server = TestServer::start_with(&["--allowed-origins", "https://app.example"]).await;
    let ask = |origin: &str| {
        Request::post("/api/session")
            .header("origin", origin)
            .json(&json!({ "subprotocol": "concord.v1" }))
            .send(server.address())
    };
    for origin in ["https://evil.example", "null", "https://app.example.evil.example"] {
        let answer = ask(origin).await;
        assert_eq!((answer.status, &*answer.code()), (403, "foreign_origin"), "{origin}");
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
    }
    let answer = ask("https://app.example").await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    assert_eq!(answer.header("vary"), Some("origin"));
    let preflight = Request::new("OPTIONS", "/api/session/messages")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "POST")
        .send(server.address())
        .await;
    assert_eq!(preflight.status, 204);
    let allowed = preflight.header("access-control-allow-headers").unwrap_or_default();
    assert!(allowed.contains("concord-session"), "{allowed}");
    let session = FallbackSession::open(server.address(), server.cookie(), Form::Poll).await;
    for origin in ["https://evil.example", "null"] {
        let events = session.about(Request::get("/api/session/events?poll_ms=10"));
        let answer = events.header("origin", origin).send(server.address()).await;
        assert_eq!(answer.status, 403, "{origin}");
    }
    let other = Request::post("/api/session").json(&json!({ "subprotocol": "chat.v9" }));
    assert_eq!(server.ask(other).await.status, 400);
    server.stop().await;
}

#[tokio::test]
async fn a_session_is_of_use_to_nobody_else() {
    let server = TestServer::start().await;
    let mut session = FallbackSession::connect(&server, server.cookie(), Form::Poll).await;
    assert_eq!(session.id.len(), 64, "{}", session.id);
    let other = FallbackSession::open(server.address(), server.cookie(), Form::Poll).await;
    assert_ne!(session.id, other.id);
    let thief = server.new_guest().await;
    let steal = |request: Request, cookie: &str| {
        request
            .header("concord-session", &session.id)
            .header("cookie", cookie)
            .send(server.address())
    };
    for cookie in [&*thief, "", "concord_guest=forged"] {
        for request in [
            Request::get("/api/session/events?poll_ms=10"),
            Request::post("/api/session/messages?n=1").body("text/plain", "{}"),
            Request::new("DELETE", "/api/session"),
        ] {
            let answer = steal(request, cookie).await;
            assert_eq!((answer.status, &*answer.code()), (404, "not_found"), "{cookie}");
        }
    }
    let unknown = Request::get("/api/session/events").header("concord-session", &"0".repeat(64));
    assert_eq!(server.ask(unknown).await.status, 404);
    assert_eq!(server.ask(Request::get("/api/session/events")).await.status, 404);
    session.say(json!({"type": "ping", "t": 1})).await;
    assert_eq!(session.next().await["type"], "pong", "its owner felt nothing");
    server.stop().await;
}

#[tokio::test]
async fn a_session_opened_without_a_cookie_makes_a_guest() {
    let server = TestServer::start().await;
    let answer = FallbackSession::ask(server.address(), "").await;
    assert_eq!(answer.status, 201);
    assert!(answer.cookie().expect("a cookie").starts_with("concord_guest="));
    server.stop().await;
}
