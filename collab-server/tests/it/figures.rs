//! Figures for a dashboard, over real sockets: who is told what, and how often.

use std::time::Instant;

use serde_json::{Value, json};

use crate::support::http::Request;
use crate::support::server::TestServer;
use crate::support::socket::RawSocket;
use crate::support::token::{SECRET_FLAGS, bearer, claims_with, token};

async fn connect(server: &TestServer, token: &str) -> RawSocket {
    let headers = [
        ("sec-websocket-protocol", "concord.v1"),
        ("authorization", &format!("Bearer {token}") as &str),
    ];
    let mut socket = RawSocket::open(server.address(), &headers).await.expect("an upgrade");
    assert_eq!(socket.next().await["type"], "welcome");
    socket
}

async fn ask(server: &TestServer, token: &str, query: &str) -> (u16, Value) {
    let request = Request::get(&format!("/api/figures{query}"));
    let answer = request.header("authorization", &bearer(token)).send(server.address()).await;
    (answer.status, answer.json())
}

/// Sums a count of the windows of these figures.
fn sum(figures: &Value, of: &str) -> u64 {
    let seconds = figures["seconds"].as_array().expect("windows");
    seconds.iter().map(|second| second[of].as_u64().expect("a count")).sum()
}

/// Asks until the figures are as they should be.
async fn until(
    server: &TestServer,
    token: &str,
    of: &str,
    is_so: impl Fn(&Value) -> bool,
) -> Value {
    let mut last = Value::Null;
    let mut asking = async || {
        let (status, figures) = ask(server, token, of).await;
        assert_eq!(status, 200, "{figures}");
        last = figures;
        is_so(&last)
    };
    crate::support::until("the figures tell it", &mut asking).await;
    last
}

#[tokio::test]
async fn owners_see_their_documents_and_operators_the_server_without_ids() {
    let server = TestServer::start_with(&SECRET_FLAGS).await;
    let of = |user: &str, more: Value| token(&claims_with(user, more));
    let ada = of("ada", json!({"tenant": "acme"}));
    let ben = of("ben", json!({"tenant": "acme"}));
    let backend = of("backend", json!({"tenant": "acme", "service": true}));
    let stranger = of("backend", json!({"tenant": "globex", "service": true}));
    let operator = of("olga", json!({"operator": true}));
    let request = Request::post("/api/documents").json(&json!({"title": "Secret"}));
    let made = request.header("authorization", &bearer(&ada)).send(server.address()).await.json();
    let document = made["id"].as_str().expect("an id").to_owned();

    let mut writer = connect(&server, &ada).await;
    writer.enter(&document, 1).await;
    // Seen once before it is written to: what came before counts for no window.
    let there = |figures: &Value| figures["documents"][0]["people"] == 1;
    until(&server, &ada, "", there).await;
    for seq in 1..=7_u64 {
        let op = if seq == 1 { r#"["x"]"#.to_owned() } else { format!(r#"[{},"x"]"#, seq - 1) };
        writer.submit(seq, seq - 1, &op).await;
    }
    for token in [&ada, &backend] {
        let figures = until(&server, token, "", |figures| sum(figures, "operations") == 7).await;
        assert_eq!((&figures["of"], &figures["first"]), (&json!("own"), &json!(true)));
        assert_eq!(figures["documents"][0]["doc"], json!(document));
        assert_eq!(figures["documents"][0]["operations_minute"], 7);
        assert!(figures["seconds"][0].get("server").is_none(), "{figures}");
    }
    for token in [&ben, &stranger] {
        let (_, figures) = ask(&server, token, "").await;
        assert_eq!((sum(&figures, "operations"), sum(&figures, "people")), (0, 0));
        assert_eq!((&figures["of"], &figures["documents"]), (&json!("own"), &json!([])));
    }
    for token in [&ada, &backend] {
        let (status, body) = ask(&server, token, "?of=server").await;
        assert_eq!((status, &body["error"]["code"]), (403, &json!("forbidden")));
    }
    assert_eq!(ask(&server, &ada, "?of=all").await.0, 400);
    let all = until(&server, &operator, "", |figures| sum(figures, "operations") >= 7).await;
    assert_eq!(all["of"], "server");
    let text = all.to_string();
    for secret in [&document as &str, "Secret", "ada", "acme"] {
        assert!(!text.contains(secret), "{secret} is told to an operator of another tenant");
    }
    let busiest = &all["documents"][0];
    assert_eq!((&busiest["operations_minute"], &busiest["people"]), (&json!(7), &json!(1)));
    let seconds = all["seconds"].as_array().expect("windows");
    let has = |name: &str| seconds.iter().any(|second| second["server"].get(name).is_some());
    for name in ["append", "answer", "memory_bytes"] {
        assert!(has(name), "{name} is nowhere in {all}");
    }
    let received = seconds.iter().filter_map(|second| second["server"]["bytes_received"].as_u64());
    assert!(received.sum::<u64>() > 0);
    server.stop().await;
}

#[tokio::test]
async fn a_socket_is_told_of_whom_it_may_see_at_most_once_a_second_while_edits_pour_in() {
    const FRAMES: u64 = 4;
    let server = TestServer::start_with(&["--submissions-per-s", "100000"]).await;
    let document = server.create_document("Load").await;
    let (mut writer, _) = RawSocket::join(&server, &document, 1).await;
    let writing = tokio::spawn(async move {
        for seq in 1.. {
            let op = if seq == 1 { r#"["x"]"#.to_owned() } else { format!(r#"[{},"x"]"#, seq - 1) };
            writer.submit(seq, seq - 1, &op).await;
        }
    });
    let mut watcher = RawSocket::connect(&server, server.cookie()).await;
    let began = Instant::now();
    watcher.say(json!({"type": "figures_open"})).await;
    let mut operations = 0;
    for frame in 0..FRAMES {
        let figures = watcher.next_of("figures").await;
        assert_eq!((&figures["of"], &figures["first"]), (&json!("server"), &json!(frame == 0)));
        operations += sum(&figures, "operations");
        // Began before the first frame left: so many frames take at least so long.
        assert!(
            began.elapsed().as_secs() >= frame,
            "frame {frame} came after {:?}",
            began.elapsed()
        );
    }
    assert!(operations > 0, "edits pour in");
    println!("{FRAMES} frames in {:?} while {operations} operations were made", began.elapsed());
    writing.abort();
    server.stop().await;
}

#[tokio::test]
async fn a_person_who_is_no_operator_is_refused_the_servers_figures_on_a_socket() {
    let server = TestServer::start_with(&["--operators", "tokens"]).await;
    let mut ada = RawSocket::connect(&server, server.cookie()).await;
    ada.say(json!({"type": "figures_open", "of": "server"})).await;
    let refused = json!({"type": "figures_refused", "code": "forbidden"});
    assert_eq!(ada.next().await, refused);
    ada.say(json!({"type": "figures_open"})).await;
    assert_eq!(ada.next().await["of"], "own");
    server.stop().await;
}
