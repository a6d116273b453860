//! What a server bears: a client that floods, and many connections that do nothing.
//!
//! Both print their figures. The short size runs with all tests and asserts no times; the full one, by
//! `cargo xtask soak flood` and `cargo xtask soak idle` on a release build and a quiet machine,
//! holds them against their targets.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_util::task::AbortOnDropHandle;

use crate::support::choices::{Characters, Choices};
use crate::support::native::NativeClient;
use crate::support::person::{Person, Temper};
use crate::support::process::{Process, sqlite_in};
use crate::support::socket::{RawSocket, client_id};
use crate::support::until;

/// Whether this is the full size.
fn is_full() -> bool {
    std::env::var_os("CONCORD_FAULTS").is_some_and(|size| size == "full")
}

/// One number for the short size, another for the full one.
fn sized<T>(short: T, full: T) -> T {
    if is_full() { full } else { short }
}

/// How much later others may be answered while somebody floods, at the median.
const FLOODED_MAX: f64 = 1.2;

/// What a connection may cost that has a document open and does nothing, in KiB.
const IDLE_KIB_MAX: f64 = 16.0;

/// Five edits a second.
const TEMPER: Temper =
    Temper { pace: Duration::from_millis(200), patience: Duration::from_secs(5), haste: 1 };

/// Where a flooding client sees the document: revision and length.
#[derive(Clone, Copy, Default)]
struct Seen {
    revision: u64,
    len: i64,
}

impl Seen {
    /// Takes a frame of operations in.
    fn take(&mut self, frame: &Value) {
        for entry in frame["ops"].as_array().into_iter().flatten() {
            if entry.get("check").is_some() {
                continue;
            }
            // Its own operations insert one character.
            let grown = entry["op"].as_array().map_or(1, |components| {
                let grows = |component: &Value| match component {
                    Value::String(text) => text.chars().count() as i64,
                    number => number.as_i64().unwrap_or(0).min(0),
                };
                components.iter().map(grows).sum()
            });
            self.len += grown;
            self.revision = entry["to"].as_u64().unwrap_or(self.revision + 1);
        }
    }
}

/// What became of a flood.
#[derive(Default)]
struct Flood {
    sent: AtomicU64,
    committed: AtomicU64,
    slowed: AtomicU64,
}

/// Sends valid edits without waiting for any answer, whatever the server asks, until it is aborted:
/// what the server does not read is waited for.
async fn flood(address: SocketAddr, cookie: String, document: String, flood: Arc<Flood>) {
    let mut request = format!("ws://{address}/api/socket").into_client_request().expect("valid");
    for (name, value) in [("cookie", &*cookie), ("sec-websocket-protocol", "concord.v1")] {
        request.headers_mut().insert(name, value.parse().expect("a header value"));
    }
    let (socket, _) = tokio_tungstenite::connect_async(request).await.expect("an upgrade");
    let (mut sink, mut stream) = socket.split();
    let client = uuid::Uuid::new_v4().simple().to_string();
    let join = json!({"type": "join", "doc": document, "client": client});
    sink.send(Message::text(join.to_string())).await.expect("sent");
    let seen = Arc::new(Mutex::new(None::<Seen>));
    let (reading, answers) = (Arc::clone(&seen), Arc::clone(&flood));
    let _reader = AbortOnDropHandle::new(tokio::spawn(async move {
        while let Some(Ok(message)) = stream.next().await {
            let Message::Text(text) = message else { continue };
            let frame: Value = serde_json::from_str(&text).expect("JSON");
            let mut seen = reading.lock().expect("unpoisoned");
            match frame["type"].as_str() {
                Some("joined") => {
                    let len = frame["text"].as_str().expect("a text").chars().count() as i64;
                    *seen = Some(Seen { revision: frame["rev"].as_u64().expect("a number"), len });
                }
                Some("ops") => {
                    let entries = frame["ops"].as_array().expect("entries");
                    let own = entries.iter().filter(|entry| entry.get("ack").is_some()).count();
                    answers.committed.fetch_add(own as u64, Ordering::Relaxed);
                    seen.as_mut().expect("joined").take(&frame);
                }
                Some("reject") if frame["code"] == "slow_down" => {
                    answers.slowed.fetch_add(1, Ordering::Relaxed);
                }
                _ => {}
            }
        }
    }));
    let mut seq = 0;
    loop {
        let Some(Seen { revision, len }) = *seen.lock().expect("unpoisoned") else {
            tokio::time::sleep(Duration::from_millis(1)).await;
            continue;
        };
        seq += 1;
        let op = if len == 0 { json!(["x"]) } else { json!([len, "x"]) };
        let submit = json!({"type": "submit", "ch": 1, "seq": seq, "rev": revision, "op": op});
        if sink.send(Message::text(submit.to_string())).await.is_err() {
            break;
        }
        flood.sent.fetch_add(1, Ordering::Relaxed);
    }
}

/// The answers' times while `count` people type: half are below the first, 95 % below the second.
async fn typed(process: &Process, count: usize, edits: usize, is_flooded: bool) -> [Duration; 2] {
    let address = process.address();
    let owner = process.new_guest().await;
    let document = process.create_document(&owner, "").await;
    let characters = Characters::default();
    let mut choices = Choices::new(7);
    let mut people = Vec::new();
    for _ in 0..count {
        let client = NativeClient::join(address, &process.new_guest().await, &document).await;
        people.push(Person::new(client, choices.fork(), TEMPER));
    }
    let outcome = Arc::new(Flood::default());
    let cookie = process.new_guest().await;
    let flooding = is_flooded
        .then(|| flood(address, cookie, document.clone(), Arc::clone(&outcome)))
        .map(|flood| AbortOnDropHandle::new(tokio::spawn(flood)));
    if is_flooded {
        until("the flood is met", async || outcome.slowed.load(Ordering::Relaxed) > 0).await;
    }
    let began = Instant::now();
    join_all(people.iter_mut().map(|person| person.write(edits, &characters))).await;
    let took = began.elapsed();
    if let Some(flooding) = flooding {
        assert!(!flooding.is_finished(), "the flood went on");
        drop(flooding);
        let [sent, committed, slowed] =
            [&outcome.sent, &outcome.committed, &outcome.slowed].map(|n| n.load(Ordering::Relaxed));
        println!(
            "  flood: {sent} submissions sent in {took:.1?}, {committed} committed, {slowed} told to \
             slow down"
        );
        assert!(slowed > 0, "the flood was not slowed");
        // The burst, and what the rate gives for the time and a little more.
        let most = 200.0 + 100.0 * (took.as_secs_f64() + 5.0);
        assert!((committed as f64) < most, "{committed} committed, {most} are allowed");
    }
    let mut waits: Vec<Duration> = people.iter().flat_map(|person| person.waits.clone()).collect();
    waits.sort_unstable();
    [waits[waits.len() / 2], waits[waits.len() * 95 / 100]]
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_floods_is_slowed_and_others_are_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let process = Process::start(&sqlite_in(folder.path()), &[]).await;
    let (rounds, people, edits) = sized((1, 4, 10), (3, 12, 75));
    let mut times = [[vec![], vec![]], [vec![], vec![]]];
    for _ in 0..rounds {
        for is_flooded in [false, true] {
            let found = typed(&process, people, edits, is_flooded).await;
            for (all, one) in times[usize::from(is_flooded)].iter_mut().zip(found) {
                all.push(one.as_secs_f64() * 1e3);
            }
        }
    }
    let [[alone_50, alone_95], [flooded_50, flooded_95]] = times.map(|both| both.map(median));
    println!(
        "{people} people at 5 edits a second, median of {rounds} runs each: answered within \
         {alone_50:.2} ms (95 %: {alone_95:.2} ms); beside a flood {flooded_50:.2} ms (95 %: \
         {flooded_95:.2} ms): {:.2} times (95 %: {:.2} times)",
        flooded_50 / alone_50,
        flooded_95 / alone_95
    );
    let times = flooded_50 / alone_50;
    assert!(!is_full() || times <= FLOODED_MAX, "{times:.2} times, at most {FLOODED_MAX}");
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_cost_little_memory() {
    let (count, documents) = sized((100, 10), (2_000, 100));
    let folder = tempfile::tempdir().expect("a folder");
    let flags = ["--connections-per-user-max", "10000", "--heartbeat-ms", "300000"];
    let more = ["--dead-after-ms", "600000", "--guest-connections-per-address-max", "10000"];
    let flags = [&flags[..], &more].concat();
    let process = Process::start(&sqlite_in(folder.path()), &flags).await;
    let address = process.address();
    let cookie = process.new_guest().await;
    let headers = [("sec-websocket-protocol", "concord.v1"), ("cookie", &*cookie)];
    let open = async || {
        let mut socket = RawSocket::open(address, &headers).await.expect("an upgrade");
        assert_eq!(socket.next().await["type"], "welcome");
        socket
    };
    // What the documents cost, and what the process takes once, is not theirs.
    let mut ids = Vec::new();
    let mut hosts = Vec::new();
    for number in 0..documents {
        ids.push(process.create_document(&cookie, "A short text.").await);
        let mut host = open().await;
        host.enter(&ids[number], 1).await;
        hosts.push(host);
    }
    let empty = process.memory_bytes();
    let mut sockets = Vec::new();
    for _ in 0..count {
        sockets.push(open().await);
    }
    let connected = process.memory_bytes();
    for (number, socket) in sockets.iter_mut().enumerate() {
        let client = u32::try_from(number + 2).expect("small");
        let join = json!({
            "type": "join",
            "doc": ids[number % documents],
            "client": client_id(client),
        });
        socket.say(join).await;
        socket.next_of("joined").await;
    }
    let joined = process.memory_bytes();
    let each = |bytes: u64| bytes.saturating_sub(empty) as f64 / 1_024.0 / count as f64;
    println!(
        "{count} idle connections to {documents} documents: {:.1} KiB resident each when connected, \
         {:.1} KiB when joined (the process itself: {} MiB)",
        each(connected),
        each(joined),
        empty >> 20
    );
    let joined = each(joined);
    assert!(!is_full() || joined <= IDLE_KIB_MAX, "{joined:.1} KiB, at most {IDLE_KIB_MAX}");
    drop((sockets, hosts));
    process.stop().await;
}
