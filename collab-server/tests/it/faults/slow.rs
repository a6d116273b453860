//! Connections that take nothing while others type: they cost the server a bounded amount of
//! memory and the others nothing, and in the end they are closed.
//!
//! A server that encoded a text as a whole for everyone it is sent to grew by 625 MiB here; what such
//! a one costs at least is held against the bound.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::SinkExt;
use futures_util::future::join_all;
use serde_json::json;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use uuid::Uuid;

use super::{Stage, is_full, seed, sized};
use crate::support::native::NativeClient;
use crate::support::oracle::Verdict;
use crate::support::person::{Person, Temper};
use crate::support::proxy::{Flow, Network, Proxy};
use crate::support::until;

const TEMPER: Temper =
    Temper { pace: Duration::from_millis(100), patience: Duration::from_secs(5), haste: 1 };

/// What one connection that takes nothing may cost, in bytes: its buffers and one small frame.
const COST_MAX: u64 = 64 * 1_024;

/// What everything else may add meanwhile, in MiB: the ring, which fills in the full size, and the
/// allocator's slack. What the slow ones lack then is four times as much.
const SLACK_MIB: [u64; 2] = [32, 96];

/// Text that fills an operation, so that what the slow ones lack is more than they may cost.
const FILLER: usize = 2_000;

/// Text of the document that a slow connection asks for, in bytes.
const LARGE: usize = 4_000_000;

/// What it is made of: as JSON it takes twice as much. So a connection that takes nothing is sent more
/// than the system buffers for it, which may be the whole text, and is found to be slow.
const LETTER: &str = "\"";

/// Joins that were answered.
const JOINS: &str = "concord_join_seconds_count";

/// A connection that has joined two documents and never reads again.
async fn non_reader(address: SocketAddr, cookie: &str, documents: [&str; 2]) -> Silent {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a small buffer");
    let stream = socket.connect(address).await.expect("a connection");
    let mut request = format!("ws://{address}/api/socket").into_client_request().expect("valid");
    for (name, value) in [("cookie", cookie), ("sec-websocket-protocol", "concord.v1")] {
        request.headers_mut().insert(name, value.parse().expect("a header value"));
    }
    let (mut socket, _) =
        tokio_tungstenite::client_async(request, stream).await.expect("an upgrade");
    for document in documents {
        let client = Uuid::new_v4().simple().to_string();
        let join = json!({ "type": "join", "doc": document, "client": client });
        socket.send(Message::text(join.to_string())).await.expect("a join is sent");
    }
    socket
}

type Silent = WebSocketStream<TcpStream>;

/// Everybody types; each operation is long, and the text stays within bounds.
async fn type_along(people: &mut [Person], edits: usize, stage: &Stage) {
    let count = people.len();
    let typing = people.iter_mut().enumerate().map(async |(index, person)| {
        for _ in 0..edits {
            // Each has a part of the text to take from: who deletes the same deletes nothing.
            let part = person.client.len_chars() / count;
            let deleted = if part > 2 * FILLER { 2 * FILLER } else { 0 };
            person.client.edit(index * part, deleted, &"x".repeat(FILLER));
            person.write(1, &stage.characters).await;
            person.rest(TEMPER.pace).await;
        }
    });
    join_all(typing).await;
}

/// The waits of all since the last call: half are below the first figure, 95 % below the second.
fn take_waits(people: &mut [Person]) -> [Duration; 2] {
    let mut waits: Vec<Duration> =
        people.iter_mut().flat_map(|person| std::mem::take(&mut person.waits)).collect();
    waits.sort_unstable();
    [waits[waits.len() / 2], waits[waits.len() * 95 / 100]]
}

/// What the server may grow by under so many connections that take nothing, in bytes.
fn growth_max(silent: usize) -> u64 {
    silent as u64 * COST_MAX + (sized(SLACK_MIB[0], SLACK_MIB[1]) << 20)
}

/// How much longer half of the answers may take beside those who take nothing.
const RATIO_MAX: f64 = 1.2;

fn median(mut ratios: Vec<f64>) -> f64 {
    ratios.sort_unstable_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}

#[test]
fn a_text_for_each_of_them_or_all_that_they_lack_is_more_than_they_may_cost() {
    let silent = sized(40, 100);
    assert!((silent * LARGE) as u64 > growth_max(silent));
    // In the full size each lacks 2,000 operations and more.
    assert!(100 * 2_000 * FILLER as u64 > 100 * COST_MAX + (SLACK_MIB[1] << 20));
    assert!(silent as u64 * 8 * 1_024 < growth_max(silent), "buffers and a small frame are not");
    assert!(median(vec![3.0, 1.1, 1.0]) <= RATIO_MAX && median(vec![1.0, 1.3, 1.4]) > RATIO_MAX);
}

/// What one round without them and with them came to.
struct Figures {
    alone: [Duration; 2],
    together: [Duration; 2],
    /// Memory that the server took more while nobody was silent, in bytes.
    grown_alone: u64,
    /// Memory that it took more beside them.
    grown: u64,
    operations: u64,
}

/// Everybody types alone, then beside connections that take nothing, until those are closed.
async fn round(
    stage: &Stage,
    large: &str,
    people: &mut [Person],
    slow: &mut [Person],
    (silent, edits): (usize, usize),
) -> Figures {
    let address = stage.process.address();
    let before = stage.process.forget_memory_peak();
    type_along(people, edits, stage).await;
    let grown_alone = stage.process.memory_peak_bytes().saturating_sub(before);
    let alone = take_waits(people);
    let closed = async || stage.process.metric(r#"concord_closes_total{code="too slow"}"#).await;
    let (closed_before, joined_before) = (closed().await, stage.process.metric(JOINS).await);
    let before = stage.process.forget_memory_peak();
    let mut sockets = Vec::new();
    for _ in 0..silent {
        sockets.push(non_reader(address, &stage.cookie, [&stage.document, large]).await);
    }
    let joined = joined_before + (2 * silent) as f64;
    until("all have joined", async || stage.process.metric(JOINS).await >= joined).await;
    for person in slow.iter_mut() {
        person.client.connect().await.expect("a connection");
    }
    let lacked_from = people[0].client.revision();
    let slow_ones = join_all(slow.iter_mut().map(|person| person.write(5, &stage.characters)));
    tokio::join!(type_along(people, edits, stage), slow_ones);
    let together = take_waits(people);
    let grown = stage.process.memory_peak_bytes().saturating_sub(before);
    let operations = people[0].client.revision() - lacked_from;
    until("all that take nothing are closed", async || {
        closed().await - closed_before >= silent as f64
    })
    .await;
    Figures { alone, together, grown_alone, grown, operations }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_take_nothing_cost_little_and_are_closed() {
    let (silent, typists) = (sized(40, 100), sized(8, 20));
    let edits = sized(10, 100);
    let mut stage = Stage::new(
        seed(71),
        &[
            "--slow-after-ms",
            "3000",
            "--join-deadline-ms",
            "60000",
            // Loading the large document anew is nobody's cost either.
            "--unload-after-ms",
            "3600000",
        ],
    )
    .await;
    let address = stage.process.address();
    let large = stage.process.create_document(&stage.cookie, &LETTER.repeat(LARGE)).await;
    let proxy = Proxy::start(address).await;
    proxy.set(Network { up: Flow::Pass, down: Flow::Throttle(100_000) });
    let mut people = stage.people(address, typists, TEMPER).await;
    // Slow, but taking what comes.
    let mut slow: Vec<Person> = (0..3).map(|_| stage.person(proxy.address(), TEMPER)).collect();
    // What one reader of the large document costs is not theirs.
    stage.process.head(&stage.cookie, &large).await;
    NativeClient::join(address, &stage.cookie, &large).await;
    let mut ratios = Vec::new();
    for _ in 0..sized(1, 3) {
        let size = (silent, edits);
        let figures = round(&stage, &large, &mut people, &mut slow, size).await;
        slow.iter_mut().for_each(|person| person.client.cut());
        let Figures { alone, together, grown_alone, grown, operations } = figures;
        ratios.push(together[0].as_secs_f64() / alone[0].as_secs_f64());
        println!(
            "{silent} connections that took nothing while {typists} typed {operations} operations: \
             server grew by {} MiB, without them by {} (what they lacked: {} MiB), all closed with \
             4430; answers for the others: 50 % in {:.1?}, 95 % in {:.1?}, without them {:.1?}, \
             {:.1?}",
            grown >> 20,
            grown_alone >> 20,
            (operations * FILLER as u64 * silent as u64) >> 20,
            together[0],
            together[1],
            alone[0],
            alone[1],
        );
        let bound = growth_max(silent);
        assert!(grown <= bound, "grown by {grown} bytes, {bound} are allowed");
    }
    people.append(&mut slow);
    let verdict: Verdict = stage.finish(&mut people).await;
    println!("{} acknowledged, 0 lost, 0 doubled", verdict.acknowledged);
    let ratio = median(ratios);
    println!("half of the answers beside them in {ratio:.2} of the time without them (median)");
    // Times are held against a bound where the machine is this run's alone.
    assert!(!is_full() || ratio <= RATIO_MAX, "{ratio:.2} times as long beside them");
}
