//! A public history of two people writing together, with a second of latency between them, driven
//! through two native clients and the running server.
//!
//! Runs when `EDITING_TRACES` names a folder that holds `friendsforever.json.gz` (josephg/editing-traces,
//! CC BY 4.0). Positions in the trace are Unicode scalar values, as ours are.
//!
//! A transaction of the trace names its parents: what its author had seen. So each agent's edits are
//! cut where the other's parents point, every piece is one submission, and pieces are committed in an
//! order in which no acknowledgement has to bring an author something too early. A driver without
//! such a plan gets stuck: an edit made while another waits for its ack goes into the buffer, and a
//! boundary that the other side needs is gone.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use serde::Deserialize;

use crate::support::native::NativeClient;
use crate::support::server::TestServer;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Trace {
    end_content: String,
    txns: Vec<Transaction>,
}

#[derive(Deserialize)]
struct Transaction {
    parents: Vec<usize>,
    agent: usize,
    patches: Vec<(usize, usize, String)>,
}

/// One submission: a run of one agent's transactions, all made before anything else is committed.
struct Piece {
    agent: usize,
    /// Each transaction with how many pieces of the other agent its author had seen.
    edits: Vec<(usize, Vec<(usize, usize, String)>)>,
}

impl Piece {
    fn seen_first(&self) -> usize {
        self.edits.first().map_or(0, |edit| edit.0)
    }

    fn seen_last(&self) -> usize {
        self.edits.last().map_or(0, |edit| edit.0)
    }
}

fn read_trace(path: &Path) -> Trace {
    let file = std::fs::File::open(path).expect("the trace is readable");
    let reader = std::io::BufReader::new(flate2::read::GzDecoder::new(file));
    serde_json::from_reader(reader).expect("the trace is JSON of the documented shape")
}

/// How many transactions of either agent lie before each transaction, itself included.
fn ancestors(transactions: &[Transaction]) -> Vec<[usize; 2]> {
    let mut seen: Vec<[usize; 2]> = Vec::with_capacity(transactions.len());
    for transaction in transactions {
        let mut own = [0, 0];
        for &parent in &transaction.parents {
            own = [own[0].max(seen[parent][0]), own[1].max(seen[parent][1])];
        }
        own[transaction.agent] += 1;
        seen.push(own);
    }
    seen
}

/// The pieces of both agents, each agent's in order.
fn pieces(transactions: Vec<Transaction>) -> [Vec<Piece>; 2] {
    let seen = ancestors(&transactions);
    let mut cuts = [BTreeSet::new(), BTreeSet::new()];
    for (transaction, own) in transactions.iter().zip(&seen) {
        let other = 1 - transaction.agent;
        cuts[other].insert(own[other]);
    }
    // A cut at n stands behind the n-th transaction; pieces seen = cuts at or before, beyond 0.
    let pieces_within = |agent: usize, count: usize| cuts[agent].range(1..=count).count();
    let mut out = [Vec::new(), Vec::new()];
    let mut made = [0, 0];
    let mut open: [Option<Piece>; 2] = [None, None];
    for (transaction, own) in transactions.into_iter().zip(&seen) {
        let agent = transaction.agent;
        let piece = open[agent].get_or_insert_with(|| Piece { agent, edits: Vec::new() });
        piece.edits.push((pieces_within(1 - agent, own[1 - agent]), transaction.patches));
        made[agent] += 1;
        if cuts[agent].contains(&made[agent]) {
            out[agent].extend(open[agent].take());
        }
    }
    for agent in [0, 1] {
        out[agent].extend(open[agent].take());
    }
    out
}

/// An order of commits in which each author can wait for the ack of one piece before it submits the
/// next, and never has to read more of the other's than the trace says: always the piece next whose
/// room for waiting is smallest.
fn commit_order(pieces: &[Vec<Piece>; 2]) -> Vec<usize> {
    let mut done = [0, 0];
    let mut order = Vec::new();
    while done != [pieces[0].len(), pieces[1].len()] {
        let room = |agent: usize| {
            let next = pieces[agent].get(done[agent])?;
            if next.seen_last() > done[1 - agent] {
                return None;
            }
            // The ack of this piece must be read before the piece after the next is begun.
            let deadline = pieces[agent].get(done[agent] + 2).map_or(usize::MAX, Piece::seen_first);
            let room = deadline.checked_sub(done[1 - agent]);
            Some(room.expect("the trace has an order without early reads"))
        };
        let agent = match (room(0), room(1)) {
            (Some(first), Some(second)) => usize::from(second < first),
            (Some(_), None) => 0,
            (None, Some(_)) => 1,
            (None, None) => panic!("the trace's parents form a cycle"),
        };
        done[agent] += 1;
        order.push(agent);
    }
    order
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_friends_end_with_the_recorded_text() {
    let Some(folder) = std::env::var_os("EDITING_TRACES") else {
        println!("EDITING_TRACES is not set: the public trace is not replayed");
        return;
    };
    let trace = read_trace(&Path::new(&folder).join("friendsforever.json.gz"));
    let (end_content, edits) = (trace.end_content, trace.txns.len());
    let pieces = pieces(trace.txns);
    let order = commit_order(&pieces);
    let submissions = order.len();

    let server = TestServer::start_with(&["--submissions-per-s", "100000"]).await;
    let document = server.create_document("friends").await;
    let mut clients = [
        NativeClient::join(&server, &document).await,
        NativeClient::join(&server, &document).await,
    ];
    let started = Instant::now();
    let [first, second] = pieces;
    let mut queues = [first.into_iter(), second.into_iter()];
    let mut read_pieces = [0, 0];
    for agent in order {
        let piece = queues[agent].next().expect("the order names each piece once");
        debug_assert_eq!(piece.agent, agent);
        let client = &mut clients[agent];
        for (seen, patches) in piece.edits {
            while read_pieces[agent] < seen {
                read_pieces[agent] += usize::from(client.read_entry().await.is_remote());
            }
            for (offset, deleted, inserted) in patches {
                client.edit(offset, deleted, &inserted);
            }
        }
        while client.awaits_ack() {
            read_pieces[agent] += usize::from(client.read_entry().await.is_remote());
        }
        client.submit_and_wait_until_committed().await;
    }
    for client in &mut clients {
        client.read_to_head(submissions as u64).await;
    }
    let elapsed = started.elapsed();

    for client in &clients {
        assert_eq!(client.text(), end_content, "each client ends with the recorded text");
    }
    assert_eq!(server.text(&document).await, end_content, "the server serves the recorded text");
    let rebuilt = server.stop_and_replay(&document).await;
    assert_eq!(rebuilt, end_content, "the stored log rebuilds the recorded text");
    println!("{edits} edits in {submissions} submissions: {elapsed:.2?}");
}
