//! An acknowledgement leaves the server only after the disk was told to keep its bytes: shown by
//! the system calls of the running server, under `strace`.
//!
//! Killing a process proves nothing about power: what it wrote is with the system, synced or not.
//! So each operation carries a mark of its own. The audit finds the first write of the mark into
//! the write-ahead log, a sync of that file that began behind the write, and the send of the ack,
//! which must begin behind the sync's end. `strace` handles a call's end before the thread goes on,
//! so the order of its lines is the order of causes.

mod control;
mod trace;

use std::path::Path;

use futures_util::future::join_all;
use serde_json::Value;

use self::trace::{Finding, Trace};
use crate::support::process::{Process, Start, signal, sqlite_in};
use crate::support::socket::RawSocket;

/// Writers at once, each on a document of its own, so that commits are shared.
const WRITERS: u64 = 4;

/// The n-th mark of a writer is also its submission's number, unlike any other's.
fn number(writer: u64, index: u64) -> u64 {
    10_000_000 + writer * 1_000_000 + index
}

fn mark(number: u64) -> String {
    format!("m{number};")
}

/// Types `count` marks and waits for each ack.
async fn write(
    address: std::net::SocketAddr,
    cookie: &str,
    document: &str,
    writer: u64,
    count: u64,
) {
    let headers = [("sec-websocket-protocol", "concord.v1"), ("cookie", cookie)];
    let mut socket = RawSocket::open(address, &headers).await.expect("an upgrade");
    socket.enter(document, u32::try_from(writer + 1).expect("few writers")).await;
    let len = mark(number(0, 0)).len() as u64;
    for index in 0..count {
        let seq = number(writer, index);
        let op = match index {
            0 => format!(r#"["{}"]"#, mark(seq)),
            _ => format!(r#"["{}",{}]"#, mark(seq), index * len),
        };
        let answer: Value = socket.submit(seq, index, &op).await;
        assert_eq!(answer["ack"], seq, "{answer}");
    }
}

/// Lets writers work on a traced server and gives what each ack's trace shows.
async fn audit(folder: &Path, stand_in: Option<&str>, count: u64) -> Vec<Finding> {
    let database = sqlite_in(folder);
    let file = folder.join("trace");
    let flags = ["--submissions-per-s", "100000"];
    let trace = Some(file.as_path());
    let start = Start { database: &database, flags: &flags, stand_in, trace, ..Start::default() };
    let mut process = Process::start_as(start).await;
    let cookie = process.new_guest().await;
    let mut documents = Vec::new();
    for _ in 0..WRITERS {
        documents.push(process.create_document(&cookie, "").await);
    }
    let writing = documents
        .iter()
        .zip(0..)
        .map(|(document, writer)| write(process.address(), &cookie, document, writer, count));
    join_all(writing).await;
    // The tracer ends with the program that it traces.
    for traced in process.children() {
        signal(traced, "-KILL");
    }
    process.ended().await;
    let trace = Trace::read(&file);
    let numbers =
        (0..WRITERS).flat_map(|writer| (0..count).map(move |index| number(writer, index)));
    numbers.map(|number| trace.find(number, &mark(number))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_ack_on_sqlite_follows_a_sync_of_its_bytes() {
    let acks =
        std::env::var("CONCORD_AUDIT_ACKS").map_or(120, |acks| acks.parse().expect("a number"));
    let folder = tempfile::tempdir().expect("a folder");
    let findings = audit(folder.path(), None, acks / WRITERS).await;
    let wrong: Vec<&Finding> = findings.iter().filter(|found| !found.is_durable()).collect();
    assert!(wrong.is_empty(), "{} of {}: {wrong:?}", wrong.len(), findings.len());
    println!("{} acks, each behind a sync of its bytes", findings.len());
}
