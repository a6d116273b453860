//! What must hold once it is quiet: nothing acknowledged is lost, nothing is doubled, and every
//! text is the one that the log rebuilds.
//!
//! It believes nobody's word: what clients sent and were told stands against what the database
//! holds. Clients type each character once (see `choices`), so that a text betrays what came twice.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use collab_protocol::{ClientId, DocumentId};
use collab_server::{
    LoggedOperation, PageLimit, PostgresConfig, PostgresStore, SqliteConfig, SqliteStore, Store,
};
use ot_core::{Component, Operation, Revision, Text};

use super::native::NativeClient;

/// What one client sent, was told, and shows.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) client: String,
    /// Each submission as it was first sent, by number.
    pub(crate) sent: BTreeMap<u64, Operation>,
    /// The revision of each acknowledged one.
    pub(crate) acked: BTreeMap<u64, u64>,
    pub(crate) text: String,
    pub(crate) revision: u64,
}

impl From<&NativeClient> for Account {
    fn from(client: &NativeClient) -> Self {
        Account {
            client: client.id().to_owned(),
            sent: client.sent().clone(),
            acked: client.acked().clone(),
            text: client.text(),
            revision: client.revision(),
        }
    }
}

/// Everything there is to judge by.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    /// The log, oldest first.
    pub(crate) log: Vec<LoggedOperation>,
    /// What the server says the text is, and at which revision.
    pub(crate) served: (String, u64),
    /// What a load of the document gives: snapshot and tail, the chain checked.
    pub(crate) loaded: String,
    pub(crate) accounts: Vec<Account>,
}

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    /// An acknowledged submission is not in the log where the ack said.
    Lost { client: String, seq: u64, revision: u64 },
    /// The log holds a submission twice.
    Doubled { client: String, seq: u64, revisions: [u64; 2] },
    /// A character that was typed once was inserted twice.
    TypedTwice { character: char, revisions: [u64; 2] },
    /// The log holds something under a client's name that it never sent, or other text.
    Altered { client: String, seq: u64, revision: u64 },
    /// A submission was sent and never answered.
    Unanswered { client: String, seq: u64 },
    /// Revisions are not 1, 2, 3…
    Gap { expected: u64, found: u64 },
    /// An operation does not fit the text before it.
    Unfit { revision: u64 },
    /// A text differs from the one that the log rebuilds.
    Diverged { whose: String, at: u64, text: String, expected: String },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// What was found in order, for the figures.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) revisions: usize,
    pub(crate) acknowledged: usize,
}

/// Everything that the text of an operation inserts, in order.
fn inserted(operation: &Operation) -> String {
    let texts = operation.components().filter_map(|component| match component {
        Component::Insert(text) => Some(text),
        _ => None,
    });
    texts.collect()
}

/// Judges. Every violation is found, not only the first.
pub(crate) fn judge(evidence: &Evidence) -> Result<Verdict, Vec<Violation>> {
    let mut found = Vec::new();
    check_log(&evidence.log, &mut found);
    evidence.accounts.iter().for_each(|account| check_account(account, &evidence.log, &mut found));
    check_texts(evidence, &mut found);
    if !found.is_empty() {
        return Err(found);
    }
    Ok(Verdict {
        revisions: evidence.log.len(),
        acknowledged: evidence.accounts.iter().map(|account| account.acked.len()).sum(),
    })
}

fn check_log(log: &[LoggedOperation], found: &mut Vec<Violation>) {
    let mut seen = HashMap::new();
    let mut typed = HashMap::new();
    for (index, logged) in log.iter().enumerate() {
        let revision = logged.revision.get();
        let expected = index as u64 + 1;
        if revision != expected {
            found.push(Violation::Gap { expected, found: revision });
        }
        if let Some(first) = seen.insert((logged.client, logged.seq), revision) {
            let (client, seq) = (logged.client.to_string(), logged.seq.get());
            found.push(Violation::Doubled { client, seq, revisions: [first, revision] });
        }
        // ASCII is what documents begin with; what clients type is beyond it.
        for character in inserted(&logged.operation).chars().filter(|typed| !typed.is_ascii()) {
            if let Some(first) = typed.insert(character, revision) {
                found.push(Violation::TypedTwice { character, revisions: [first, revision] });
            }
        }
    }
}

fn check_account(account: &Account, log: &[LoggedOperation], found: &mut Vec<Violation>) {
    let client = || account.client.clone();
    let id: ClientId = account.client.parse().expect("a client's id");
    for (&seq, &revision) in &account.acked {
        let there = usize::try_from(revision - 1).ok().and_then(|index| log.get(index));
        if there.is_none_or(|logged| logged.client != id || logged.seq.get() != seq) {
            found.push(Violation::Lost { client: client(), seq, revision });
        }
    }
    for &seq in account.sent.keys().filter(|seq| !account.acked.contains_key(seq)) {
        found.push(Violation::Unanswered { client: client(), seq });
    }
    for logged in log.iter().filter(|logged| logged.client == id) {
        let (seq, revision) = (logged.seq.get(), logged.revision.get());
        // Rebasing moves an insertion and leaves its text alone.
        let was_sent = account.sent.get(&seq).map(inserted);
        if was_sent != Some(inserted(&logged.operation)) {
            found.push(Violation::Altered { client: client(), seq, revision });
        }
    }
}

fn check_texts(evidence: &Evidence, found: &mut Vec<Violation>) {
    let mut text = Text::new();
    for logged in &evidence.log {
        if text.apply(&logged.operation).is_err() {
            found.push(Violation::Unfit { revision: logged.revision.get() });
            return;
        }
    }
    let (expected, head) = (text.to_string(), evidence.log.len() as u64);
    let mut compare = |whose: String, at: u64, text: &str| {
        if text != expected || at != head {
            let (text, expected) = (text.to_owned(), expected.clone());
            found.push(Violation::Diverged { whose, at, text, expected });
        }
    };
    compare("the server".to_owned(), evidence.served.1, &evidence.served.0);
    compare("a load".to_owned(), head, &evidence.loaded);
    for account in &evidence.accounts {
        compare(account.client.clone(), account.revision, &account.text);
    }
}

/// Fails a test with everything that was found.
#[track_caller]
pub(crate) fn assert_sound(evidence: &Evidence, seed: u64) -> Verdict {
    judge(evidence).unwrap_or_else(|violations| {
        let shown = violations.iter().take(10).map(Violation::to_string).collect::<Vec<_>>();
        panic!("seed {seed}: {} violations:\n{}", violations.len(), shown.join("\n"))
    })
}

/// Reads a document from a database that nobody writes to any more: its log and what a load gives.
pub(crate) async fn read(store: &dyn Store, document: &str) -> (Vec<LoggedOperation>, String) {
    let document: DocumentId = document.parse().expect("an id");
    let page = PageLimit { operations_max: 1_000, bytes_max: 1 << 20 };
    let mut log: Vec<LoggedOperation> = Vec::new();
    loop {
        let after = log.last().map_or(Revision::ZERO, |logged| logged.revision);
        let read = store.since(document, after, page).await.expect("the log reads");
        let is_done = read.operations.is_empty();
        log.extend(read.operations);
        if is_done {
            break;
        }
    }
    let loaded = store.load(document).await.expect("the document loads");
    let mut text = Text::from(loaded.snapshot.as_ref().map_or("", |snapshot| &snapshot.text));
    for logged in &loaded.tail {
        text.apply(&logged.operation).expect("the tail follows the snapshot");
    }
    (log, text.to_string())
}

/// Opens a database, as `--database` names it, that no server has open any more.
pub(crate) async fn open(database: &str) -> Box<dyn Store> {
    match database.strip_prefix("sqlite:") {
        Some(path) => {
            let store = SqliteStore::open(SqliteConfig::new(path), 0).await;
            Box::new(store.expect("the database opens"))
        }
        None => {
            let store = PostgresStore::open(PostgresConfig::new(database), 0).await;
            Box::new(store.expect("the database opens"))
        }
    }
}
