//! What a document orders, where the state alone does not show it.

use collab_protocol::{ChannelId, DocumentId, Role};
use ot_core::{ClientSeq, Operation};
use tokio::sync::Notify;

use super::*;
use crate::store::{ChainHash, ChainLink, DocumentRecord, TailPage, TextKey};

const DOCUMENT: DocumentId = DocumentId::new(0xd0c);
const CLIENT: ClientId = ClientId::new(1);

fn user() -> UserId {
    "g_1".parse().expect("an id")
}

fn key() -> TextKey {
    TextKey::from_bytes([3; 32])
}

/// An empty document that other servers may write to.
fn shared() -> Core {
    let record = DocumentRecord {
        id: DOCUMENT,
        title: String::new(),
        owner: user(),
        epoch: Epoch::new(7),
        text_key: key(),
        revision: Revision::ZERO,
        chain: ChainHash::START,
        len_chars: 0,
        created_ms: 0,
        updated_ms: 0,
        deleted_ms: None,
    };
    let loaded = Loaded { record, snapshot: None, tail: Vec::new(), authors: Vec::new() };
    Core::new(loaded, Arc::new(DocumentConfig::default()), true).expect("it fits")
}

fn turn(core: &mut Core) -> Vec<Order> {
    core.turn(Duration::ZERO, 1_000)
}

/// The first submission of `CLIENT`, as it is appended.
fn append(core: &mut Core) -> Append {
    let request = JoinRequest {
        participant: Participant { user: user(), name: String::new(), color: 0 },
        role: Role::Editor,
        client: CLIENT,
        channel: ChannelId(1),
        since: None,
        wake: Arc::new(Notify::new()),
    };
    let session = core.ask_to_join(request).expect("there is room");
    turn(core);
    core.read(ReadDone::Progress { client: CLIENT, result: Ok(None) });
    turn(core);
    let operation = Operation::splice(0, 0, 0, "x").expect("fits");
    let submission = Submission::new(ClientSeq::new(1), Revision::ZERO, operation, None);
    core.submit(session, CLIENT, user(), submission);
    let append = turn(core).into_iter().find_map(|order| match order {
        Order::Append { append, .. } => Some(append),
        _ => None,
    });
    append.expect("it is appended")
}

/// The append as the log holds it, committed at `time_ms`.
fn logged(append: &Append, time_ms: i64) -> LoggedOperation {
    let new = &append.operations[0];
    let (revision, operation) = (Revision::new(1), Operation::clone(&new.operation));
    let chain = ChainLink {
        document: DOCUMENT,
        revision,
        client: new.client,
        seq: new.seq,
        author: &new.author,
        time_ms,
        operation: &operation,
    }
    .hash(&key(), ChainHash::START);
    let (client, seq, author) = (new.client, new.seq, new.author.clone());
    LoggedOperation { revision, client, seq, author, time_ms, operation, chain }
}

/// What is published after an append whose outcome is `outcome` and a look at the log, which holds
/// it as committed at `time_ms`.
fn published(outcome: Outcome, time_ms: i64) -> Vec<LoggedOperation> {
    let mut core = shared();
    let append = append(&mut core);
    core.appended(1, outcome);
    turn(&mut core);
    let operations = vec![logged(&append, time_ms)];
    let page = TailPage { operations, head: Revision::new(1), is_deleted: false };
    core.read(ReadDone::Tail(Ok(page)));
    let orders = turn(&mut core).into_iter();
    let told = orders.filter_map(|order| match order {
        Order::Publish(operations) => Some(operations),
        _ => None,
    });
    told.flatten().collect()
}

#[test]
fn what_another_server_committed_in_its_place_is_not_told_as_ones_own() {
    // Seed 4882: a client had sent the same submission to two servers. The slower one told the
    // others of it with the chain of its own append, and they took the log for damaged.
    assert_eq!(published(Outcome::Conflict, 999), []);
}

#[test]
fn an_append_of_unknown_outcome_is_told_once_it_is_found() {
    let found = published(Outcome::Unknown, 1_000);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].revision, Revision::new(1));
}
