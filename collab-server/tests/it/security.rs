//! What strangers try: foreign pages, silence, forged addresses, floods of requests. Each gets a
//! typed answer or is gone, and everybody else goes on.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::http::{Answer, Request};
use crate::support::process::{Process, sqlite_in};
use crate::support::server::TestServer;
use crate::support::socket::RawSocket;
use crate::support::{DEADLINE, until};

/// The twelve ways in which a page of another site may look like one of ours, behind the name
/// `own:8080`.
const HOSTILE_ORIGINS: [&str; 12] = [
    "null",
    "http://evil.example",
    "http://own",
    "http://own:80",
    "http://own:8080.evil.example",
    "http://own:8080@evil.example",
    "http://evil.example/own:8080",
    "http://evil-own:8080",
    "http://sub.own:8080",
    "http://own:8080/",
    "http://OWN:8080",
    "ws://own:8080",
];

#[tokio::test]
async fn twelve_hostile_origins_open_no_socket_and_change_nothing() {
    let server = TestServer::start().await;
    let host = ("host", "own:8080");
    for origin in HOSTILE_ORIGINS {
        let upgrade = [
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("sec-websocket-protocol", "concord.v1"),
        ];
        let with = |request: Request, headers: &[(&str, &str)]| {
            headers.iter().fold(request, |request, (name, value)| request.header(name, value))
        };
        let asking = [host, ("origin", origin)];
        let socket = with(with(Request::get("/api/socket"), &asking), &upgrade);
        let create = with(Request::post("/api/documents"), &asking).json(&json!({"title": "x"}));
        for request in [socket, create] {
            let answer = server.ask(request).await;
            assert_eq!((answer.status, &*answer.code()), (403, "foreign_origin"), "{origin}");
        }
    }
    let own = Request::post("/api/documents").header("host", "own:8080");
    let own = own.header("origin", "http://own:8080").json(&json!({"title": "mine"}));
    assert_eq!(server.ask(own).await.status, 201);
    let listed = server.ask(Request::get("/api/documents")).await.json();
    assert_eq!(listed["documents"].as_array().map(Vec::len), Some(1), "{listed}");
    server.stop().await;
}

#[tokio::test]
async fn every_answer_tells_browsers_what_a_page_may_do() {
    let server = TestServer::start_with(&["--public-url", "https://write.example.org"]).await;
    for path in ["/", "/api/me", "/api/nothing", "/health/live", "/d/x"] {
        let answer = Request::get(path).send(server.address()).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("strict-transport-security", "max-age=31536000"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}: {name}");
        }
        let policy = answer.header("content-security-policy").expect("a policy");
        for part in ["default-src 'self'", "object-src 'none'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(answer.header("permissions-policy").expect("one").contains("camera=()"), "{path}");
    }
    let cookie = Request::get("/api/me").send(server.address()).await;
    assert!(cookie.header("set-cookie").expect("a cookie").contains("; Secure"));
    server.stop().await;
    let plain = TestServer::start().await;
    let answer = Request::get("/").send(plain.address()).await;
    assert_eq!(answer.header("strict-transport-security"), None, "without TLS it would lock out");
    plain.stop().await;
}

/// A connection from another address of this machine.
async fn connect_from(from: [u8; 4], to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::new(IpAddr::from(from), 0)).expect("an address of this machine");
    socket.connect(to).await.expect("a connection")
}

/// Whether this is the full size of `cargo xtask soak silent`.
fn is_full() -> bool {
    std::env::var_os("CONCORD_FAULTS").is_some_and(|size| size == "full")
}

/// What is sent of a request by who sends no more: nothing, half a head, a head without its body, a
/// part of the body.
fn half_requests() -> Vec<String> {
    let mut half: Vec<String> = [
        "",
        "G",
        "GET /api/socket HTTP/1.1\r\nhost: x\r\nupgrade: websoc",
        "POST /api/documents HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\nx: ",
    ]
    .map(str::to_owned)
    .into();
    for call in ["POST /api/session", "DELETE /api/session", "POST /api/documents", "PUT /api/me"] {
        for (length, body) in [("content-length: 100", "{"), ("transfer-encoding: chunked", "")] {
            half.push(format!(
                "{call} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{length}\r\n\r\n{body}"
            ));
        }
    }
    half
}

#[tokio::test]
async fn connections_that_say_nothing_or_half_are_gone_and_others_come_in_meanwhile() {
    let folder = tempfile::tempdir().expect("a folder");
    // The full size keeps to the defaults. In the short one a request may take for ever, so that
    // nothing but the deadline of heads and bodies ends them.
    let short = ["--header-timeout-ms", "500", "--request-timeout-ms", "600000"];
    let (count, flags) = if is_full() { (500, &[][..]) } else { (60, &short[..]) };
    let process = Process::start(&sqlite_in(folder.path()), flags).await;
    let address = process.address();
    let cookie = process.new_guest().await;
    let document = process.create_document(&cookie, "here").await;
    let began = Instant::now();
    let half = half_requests();
    let mut silent = Vec::new();
    for index in 0..count {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(half[index % half.len()].as_bytes()).await.expect("taken");
        silent.push(tokio::spawn(async move {
            let mut rest = Vec::new();
            let _ended_or_reset = stream.read_to_end(&mut rest).await;
            began.elapsed()
        }));
    }
    let headers = [("sec-websocket-protocol", "concord.v1"), ("cookie", &*cookie)];
    let mut entered = Vec::new();
    let mut client = 0;
    while silent.iter().any(|silent| !silent.is_finished()) && began.elapsed() < DEADLINE {
        let asked = Instant::now();
        client += 1;
        let mut socket = RawSocket::open(address, &headers).await.expect("an upgrade");
        assert_eq!(socket.enter(&document, client).await["text"], "here");
        entered.push(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut longest = Duration::ZERO;
    for silent in silent {
        let gone = tokio::time::timeout(DEADLINE, silent).await.expect("gone in time");
        longest = longest.max(gone.expect("read to its end"));
    }
    entered.sort_unstable();
    println!(
        "{count} silent connections: the last was gone after {longest:.1?}; meanwhile {} opened a \
         document, half of them within {:.1?}, all within {:.1?}",
        entered.len(),
        entered[entered.len() / 2],
        entered[entered.len() - 1],
    );
    if is_full() {
        assert!(longest < Duration::from_secs(10), "{longest:?}");
    } else {
        // Nothing is cut before its time; that it is cut at all only the deadline does here.
        assert!(longest >= Duration::from_millis(500), "{longest:?}");
    }
    process.stop().await;
}

#[tokio::test]
async fn who_asks_for_much_and_takes_none_of_it_is_cut() {
    let server = TestServer::start_with(&["--slow-after-ms", "300"]).await;
    let document = server.create_with_text(&"x".repeat(4_000_000)).await;
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a small buffer");
    let mut stream = socket.connect(server.address()).await.expect("a connection");
    let request = format!(
        "GET /api/documents/{document}/text HTTP/1.1\r\nhost: x\r\ncookie: {}\r\n\r\n",
        server.cookie()
    );
    // More than the system's buffers hold.
    for _ in 0..4 {
        stream.write_all(request.as_bytes()).await.expect("taken");
    }
    until("the connection is gone", || async {
        let figures = server.ask(Request::get("/metrics")).await.text();
        figures.lines().any(|line| line == "concord_connections 1")
    })
    .await;
    drop(stream);
    server.stop().await;
}

#[tokio::test]
async fn an_address_has_so_many_unknown_connections_and_another_is_not_bound() {
    let server = TestServer::start_with(&["--anonymous-connections-per-address-max", "3"]).await;
    let address = server.address();
    let asking = |stream| Request::get("/health/live").send_over(address, stream);
    // Known people are not counted by their address, however many they are.
    let mut known = Vec::new();
    for _ in 0..8 {
        known.push(RawSocket::connect(&server, server.cookie()).await);
    }
    // The helper's own connection may be on its way out still, so this may take a few tries.
    let mut held = Vec::new();
    until("three are held", async || {
        if held.len() < 3 {
            let mut stream = connect_from([127, 0, 0, 7], address).await;
            stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n").await.expect("taken");
            held.push(stream);
        }
        held.len() == 3
    })
    .await;
    let mut refused = None;
    until("a fourth is turned away", async || {
        let answer = asking(connect_from([127, 0, 0, 7], address).await).await;
        let is_refused = answer.status == 429;
        refused = Some(answer);
        is_refused
    })
    .await;
    let refused = refused.expect("asked");
    assert_eq!((&*refused.code(), refused.header("retry-after")), ("slow_down", Some("5")));
    assert_eq!(asking(connect_from([127, 0, 0, 8], address).await).await.status, 200);
    assert_limit_hit(&server, "address_connections").await;
    drop(held);
    until("a place is free again", async || {
        asking(connect_from([127, 0, 0, 7], address).await).await.status == 200
    })
    .await;
    drop(known);
    server.stop().await;
}

#[tokio::test]
async fn a_public_site_by_the_preset_tells_its_limits_and_keeps_them() {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../.env.sample");
    let sample = std::fs::read_to_string(sample).expect(".env.sample");
    let (_, preset) = sample.split_once("## Preset: a public site").expect("a preset");
    let lines = preset.lines().filter_map(|line| line.strip_prefix("#CONCORD_")?.split_once('='));
    let flags: Vec<String> = lines
        .flat_map(|(name, value)| {
            [format!("--{}", name.to_ascii_lowercase().replace('_', "-")), value.to_owned()]
        })
        .collect();
    assert!(flags.len() > 10, "{flags:?}");
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let server = TestServer::start_with(&flags).await;
    let headers = [("sec-websocket-protocol", "concord.v1"), ("cookie", server.cookie())];
    let mut sockets = Vec::new();
    for _ in 0..5 {
        let mut socket = RawSocket::open(server.address(), &headers).await.expect("an upgrade");
        let welcome = socket.next().await;
        let limits = &welcome["limits"];
        assert_eq!(limits["text_bytes_max"], 10_000, "{welcome}");
        assert_eq!(limits["submissions_per_s"], 100);
        assert_eq!(limits["documents_max"], 16);
        assert_eq!(limits["document_bytes_max"], 1 << 20);
        sockets.push(socket);
    }
    let mut sixth = RawSocket::open(server.address(), &headers).await.expect("an upgrade");
    assert_eq!(sixth.closed().await, 4429);
    let document = server.create_with_text("").await;
    let mut socket = sockets.pop().expect("a socket");
    socket.enter(&document, 1).await;
    let large = socket.submit(1, 0, &format!("[{:?}]", "x".repeat(10_001))).await;
    assert_eq!(large["code"], "text_too_large");
    assert_eq!(socket.submit(2, 0, &format!("[{:?}]", "x".repeat(10_000))).await["ack"], 2);
    server.stop().await;
}

async fn assert_limit_hit(server: &TestServer, limit: &str) {
    let figures = server.ask(Request::get("/metrics")).await.text();
    let line = format!("concord_limits_hit_total{{limit={limit:?}}} ");
    assert!(figures.contains(&line), "{limit}: {figures}");
}

/// An answer that asks to come back later.
#[track_caller]
fn assert_slowed(answer: &Answer) {
    assert_eq!((answer.status, &*answer.code()), (429, "slow_down"), "{answer:?}");
    let wait = answer.header("retry-after").expect("how long to wait");
    assert!((1..=60).contains(&wait.parse::<u32>().expect("seconds")), "{wait}");
}

#[tokio::test]
async fn only_a_trusted_proxy_says_who_asks() {
    let limits = ["--anonymous-per-s", "1", "--anonymous-burst", "4"];
    let proxied =
        [&limits[..], &["--trusted-proxies", "127.0.0.1", "--forwarded-header", "x-forwarded-for"]]
            .concat();
    let ask = async |server: &TestServer, from: [u8; 4], named: &str| {
        let request = Request::get("/api/me").header("x-forwarded-for", named);
        request.send_over(server.address(), connect_from(from, server.address()).await).await
    };
    let flood = async |server: &TestServer, from: [u8; 4], named: fn(u32) -> String| {
        let mut refused = 0;
        for number in 0..10 {
            let answer = ask(server, from, &named(number)).await;
            refused += u32::from(answer.status == 429);
        }
        refused
    };
    let many: fn(u32) -> String = |number| format!("192.0.2.{number}");
    let one: fn(u32) -> String = |number| format!("192.0.2.{number}, 198.51.100.1");
    // Nobody is trusted: what they write changes nothing.
    let server = TestServer::start_with(&limits).await;
    assert!(flood(&server, [127, 0, 0, 5], many).await >= 4);
    assert_slowed(&ask(&server, [127, 0, 0, 5], "192.0.2.77").await);
    server.stop().await;
    let server = TestServer::start_with(&proxied).await;
    assert!(flood(&server, [127, 0, 0, 5], many).await >= 4, "not the proxy");
    assert_eq!(flood(&server, [127, 0, 0, 1], many).await, 0, "ten people behind the proxy");
    assert!(flood(&server, [127, 0, 0, 1], one).await >= 4, "one who claims to be ten");
    // Who is known is never bound by an address.
    for _ in 0..10 {
        let known = Request::get("/api/me").header("x-forwarded-for", "198.51.100.1");
        assert_eq!(server.ask(known).await.status, 200);
    }
    assert_limit_hit(&server, "address_requests").await;
    server.stop().await;
}

#[tokio::test]
async fn a_person_creates_and_changes_so_much_and_is_then_asked_to_wait() {
    let server = TestServer::start_with(&[
        "--creates-per-s",
        "1",
        "--creates-burst",
        "3",
        "--writes-per-s",
        "1",
        "--writes-burst",
        "3",
        "--history-per-s",
        "1",
        "--history-burst",
        "3",
    ])
    .await;
    let document = server.create_with_text("a").await;
    let text = format!("/api/documents/{document}/text");
    for (limit, request) in [
        ("creates", Request::post("/api/documents").json(&json!({"title": "x"}))),
        ("writes", Request::new("PUT", "/api/me").json(&json!({"color": 3}))),
        ("past", Request::get(&text)),
    ] {
        let mut slowed = None;
        for _ in 0..8 {
            let answer = server.ask(request.clone()).await;
            if answer.status == 429 {
                slowed = Some(answer);
                break;
            }
        }
        assert_slowed(&slowed.unwrap_or_else(|| panic!("{limit} are not bound")));
        assert_limit_hit(&server, limit).await;
        let other = server.new_guest().await;
        let others = request.header("cookie", &other).send(server.address()).await;
        assert_ne!(others.status, 429, "{limit}: another person is not bound");
    }
    // Looking things up is free.
    for _ in 0..20 {
        assert_eq!(server.ask(Request::get("/api/documents")).await.status, 200);
    }
    server.stop().await;
}
