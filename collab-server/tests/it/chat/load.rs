//! A hundred people in one chat. The short size asserts that everything arrives in order and once;
//! the full one, by `cargo xtask soak chat`, prints how late and in how many frames.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::Mutex;

use super::{numbers_of, texts_of};
use crate::support::process::{Process, sqlite_in};
use crate::support::server::TestServer;
use crate::support::socket::{RawSocket, client_id};

/// Whether this is the full size.
fn is_full() -> bool {
    std::env::var_os("CONCORD_FAULTS").is_some_and(|size| size == "full")
}

/// When each message was sent, by its text.
type Sent = Arc<Mutex<HashMap<String, Instant>>>;

/// What one person has heard.
#[derive(Default)]
struct Heard {
    numbers: Vec<u64>,
    frames: usize,
    delays: Vec<Duration>,
}

/// One of so many people: says every so-manieth message when its time comes, and listens.
async fn take_part(
    mut socket: RawSocket,
    (index, people): (u64, u64),
    (count, every): (u64, Duration),
    (began, sent): (Instant, Sent),
) -> Heard {
    let mut heard = Heard::default();
    let mut next = index;
    while (heard.numbers.len() as u64) < count {
        let due = began + every * u32::try_from(next).expect("small");
        tokio::select! {
            () = tokio::time::sleep_until(due.into()), if next < count => {
                let text = format!("message {next}");
                sent.lock().await.insert(text.clone(), Instant::now());
                let id = client_id(1 + u32::try_from(next).expect("small"));
                let message = json!({"type": "chat_send", "ch": 1, "id": id, "text": text});
                socket.say(message).await;
                next += people;
            }
            frame = socket.next() => {
                if frame["type"] == "chat" {
                    heard.frames += 1;
                    heard.numbers.extend(numbers_of(&frame["messages"]));
                    let sent = sent.lock().await;
                    for text in texts_of(&frame["messages"]) {
                        heard.delays.push(sent[&text].elapsed());
                    }
                } else {
                    assert_eq!(frame["type"], "chat_ack", "{frame}");
                }
            }
        }
    }
    heard
}

async fn enter(socket: &mut RawSocket, document: &str) {
    socket.say(json!({"type": "chat_open", "doc": document})).await;
    socket.next_of("chat_opened").await;
}

fn report(heard: &[Heard], count: u64, took: Duration) {
    let mut delays: Vec<Duration> = heard.iter().flat_map(|heard| heard.delays.clone()).collect();
    delays.sort_unstable();
    let at = |share: f64| delays[((delays.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let frames: usize = heard.iter().map(|heard| heard.frames).sum();
    let per_s = frames as f64 / heard.len() as f64 / took.as_secs_f64();
    println!(
        "{} people, {count} messages in {:.1} s: delivered within {:.1} ms (p50), {:.1} ms (p99), \
         {:.1} ms (most); {per_s:.1} frames a second for each person",
        heard.len(),
        took.as_secs_f64(),
        at(0.5),
        at(0.99),
        at(1.0),
    );
}

async fn run(people: u64, count: u64, every: Duration, connect: impl AsyncFn() -> RawSocket) {
    let sent: Sent = Arc::default();
    let sockets = join_all((0..people).map(|_| connect())).await;
    let began = Instant::now();
    let takes_part = |(index, socket)| {
        let when = (began, Arc::clone(&sent));
        tokio::spawn(take_part(socket, (index, people), (count, every), when))
    };
    let taking_part: Vec<_> = (0..people).zip(sockets).map(takes_part).collect();
    let heard = join_all(taking_part).await;
    let heard: Vec<Heard> = heard.into_iter().map(|heard| heard.expect("no panic")).collect();
    for heard in &heard {
        assert_eq!(heard.numbers, (1..=count).collect::<Vec<_>>(), "in order, each once");
    }
    report(&heard, count, began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_people_hear_everything_in_order_and_once() {
    if is_full() {
        // The real program, on a disk.
        let folder = tempfile::tempdir().expect("a folder");
        let process = Process::start(&sqlite_in(folder.path()), &[]).await;
        let document = process.create_document(&process.new_guest().await, "ab").await;
        let address = process.address();
        run(100, 1_200, Duration::from_millis(50), async || {
            let (origin, cookie) = (format!("http://{address}"), process.new_guest().await);
            let headers = [
                ("sec-websocket-protocol", "concord.v1"),
                ("cookie", &*cookie),
                ("origin", &*origin),
            ];
            let mut socket = RawSocket::open(address, &headers).await.expect("an upgrade");
            assert_eq!(socket.next().await["type"], "welcome");
            enter(&mut socket, &document).await;
            socket
        })
        .await;
        return;
    }
    let server = TestServer::start().await;
    let document = server.create_with_text("ab").await;
    run(100, 100, Duration::from_millis(5), async || {
        let mut socket = RawSocket::connect(&server, &server.new_guest().await).await;
        enter(&mut socket, &document).await;
        socket
    })
    .await;
    server.stop().await;
}
