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

use crate::support::native::{NativeClient, Taken};
use crate::support::server::TestServer;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Trace {
    end_content: String,
    txns: Vec<Transaction>,
}

/// Offset, characters deleted there, text inserted there.
type Patch = (usize, usize, String);

#[derive(Deserialize)]
struct Transaction {
    parents: Vec<usize>,
    agent: usize,
    patches: Vec<Patch>,
}

/// One submission: a run of one agent's transactions, all made before anything else is committed.
struct Piece {
    agent: usize,
    /// Each transaction with how many pieces of the other agent its author had seen.
    edits: Vec<(usize, Vec<Patch>)>,
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
    cuts[TIE.0].insert(TIE.1);
    let cuts = cuts.map(|set| set.into_iter().filter(|&cut| cut > 0).collect::<Vec<_>>());
    // A cut at n stands behind the n-th transaction.
    let pieces_within = |agent: usize, count| cuts[agent].partition_point(|&cut| cut <= count);
    let mut out = [Vec::new(), Vec::new()];
    let mut made = [0, 0];
    let mut open: [Option<Piece>; 2] = [None, None];
    for (transaction, own) in transactions.into_iter().zip(&seen) {
        let agent = transaction.agent;
        let piece = open[agent].get_or_insert_with(|| Piece { agent, edits: Vec::new() });
        piece.edits.push((pieces_within(1 - agent, own[1 - agent]), transaction.patches));
        made[agent] += 1;
        if cuts[agent].binary_search(&made[agent]).is_ok() {
            out[agent].extend(open[agent].take());
        }
    }
    for agent in [0, 1] {
        out[agent].extend(open[agent].take());
    }
    out
}

/// The one place where both insert at one gap: the first agent behind a word whose full stop it has
/// deleted, the second behind that full stop. The recording has the first agent's text in front, so
/// its piece is cut behind its first 10,404 transactions, before it reads the other's: among ties,
/// what is committed first comes first.
const TIE: (usize, usize) = (0, 10_404);

/// An order of commits in which each author can wait for the ack of one piece before it submits the
/// next, and never has to read more of the other's than the trace says: the first agent's piece, but
/// for one of the second whose ack could come too late otherwise.
fn commit_order(pieces: &[Vec<Piece>; 2]) -> Vec<usize> {
    let mut done = [0, 0];
    let mut order = Vec::new();
    while done != [pieces[0].len(), pieces[1].len()] {
        let candidate = |agent: usize| {
            let next = pieces[agent].get(done[agent])?;
            if next.seen_last() > done[1 - agent] {
                return None;
            }
            // The ack of this piece must be read before the piece after the next is begun.
            let deadline = pieces[agent].get(done[agent] + 2).map_or(usize::MAX, Piece::seen_first);
            let room = deadline.checked_sub(done[1 - agent]);
            let room = room.expect("the trace has an order without early reads");
            Some((room > 0, agent))
        };
        let next = candidate(0).into_iter().chain(candidate(1)).min();
        let (_, agent) = next.expect("the trace's parents form no cycle");
        done[agent] += 1;
        order.push(agent);
    }
    order
}

/// Compares long texts and shows the place where they part.
fn assert_same(found: &str, expected: &str, whose: &str) {
    let common = found.chars().zip(expected.chars()).take_while(|(a, b)| a == b).count();
    let there = |text: &str| text.chars().skip(common.saturating_sub(20)).take(60).collect();
    let (found_there, expected_there): (String, String) = (there(found), there(expected));
    assert!(
        found == expected,
        "{whose} ends with another text, from character {common} on: found {found_there:?}, \
         expected {expected_there:?}"
    );
}

/// Both agents at their clients, and how far each has read.
struct Friends {
    clients: [NativeClient; 2],
    /// How many of the other's submissions each agent has read.
    read: [usize; 2],
    /// How many submissions the first so many pieces of each agent became: a piece whose edits
    /// cancel each other is none.
    submitted: [Vec<usize>; 2],
}

impl Friends {
    /// Makes one piece's edits, each on what its author had seen, and has them committed.
    async fn make(&mut self, piece: Piece) {
        let agent = piece.agent;
        for (seen, patches) in piece.edits {
            let wanted = self.submitted[1 - agent][seen];
            while self.read[agent] < wanted {
                self.take_entry(agent).await;
            }
            assert_eq!(self.read[agent], wanted, "nothing is read before its time");
            for (offset, deleted, inserted) in patches {
                self.clients[agent].edit(offset, deleted, &inserted);
            }
        }
        while self.clients[agent].awaits_ack() {
            self.take_entry(agent).await;
        }
        let submitted = self.clients[agent].submit_and_wait_until_committed().await;
        let before = self.submitted[agent].last().copied().unwrap_or_default();
        self.submitted[agent].push(before + usize::from(submitted));
    }

    async fn take_entry(&mut self, agent: usize) {
        let taken = self.clients[agent].take_entry().await.expect("the connection holds");
        self.read[agent] += usize::from(taken == Taken::Remote);
    }

    /// All submissions of both.
    fn total(&self) -> usize {
        self.submitted.iter().filter_map(|counts| counts.last()).sum()
    }
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

    let server = TestServer::start_with(&["--submissions-per-s", "100000"]).await;
    let document = server.create_document("friends").await;
    let join = || NativeClient::join(server.address(), server.cookie(), &document);
    let clients = [join().await, join().await];
    let mut friends = Friends { clients, read: [0, 0], submitted: [vec![0], vec![0]] };
    let started = Instant::now();
    let mut queues = pieces.map(Vec::into_iter);
    for agent in order {
        friends.make(queues[agent].next().expect("the order names each piece once")).await;
    }
    let total = friends.total();
    for client in &mut friends.clients {
        client.take_to(total as u64).await.expect("the connection holds");
    }
    let elapsed = started.elapsed();

    for client in &friends.clients {
        assert_same(&client.text(), &end_content, "a client");
    }
    assert_same(&server.text(&document).await, &end_content, "the server");
    let rebuilt = server.stop_and_replay(&document).await;
    assert_same(&rebuilt, &end_content, "the stored log");
    println!("{edits} edits in {total} submissions, each on disk before its ack: {elapsed:.2?}");
}
