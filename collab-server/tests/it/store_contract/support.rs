//! Fresh databases, and the few things that cases are made of.

use std::sync::Arc;

use collab_protocol::{ClientId, DocumentId, Epoch, UserId};
use collab_server::{
    Append, AppendOutcome, ChainHash, ChainLink, Loaded, MemoryStore, NewDocument, NewOperation,
    PostgresConfig, PostgresStore, SqliteConfig, SqliteStore, Store, Submission, TextKey,
};
use ot_core::{ClientSeq, Operation, Revision};

use crate::support::postgres::Schema;

/// A database made for one case.
pub(crate) trait Database: Send + Sync {
    /// The store on it.
    fn store(&self) -> &dyn Store;
    /// Closes and removes it.
    async fn remove(self);
}

pub(crate) struct Memory(MemoryStore);

impl Memory {
    pub(crate) async fn create() -> Self {
        Memory(MemoryStore::new())
    }
}

impl Database for Memory {
    fn store(&self) -> &dyn Store {
        &self.0
    }

    async fn remove(self) {
        self.0.close().await;
    }
}

pub(crate) struct Sqlite {
    pub(crate) store: SqliteStore,
    pub(crate) folder: tempfile::TempDir,
}

impl Sqlite {
    pub(crate) async fn create() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = SqliteConfig::new(folder.path().join("test.db"));
        let store = SqliteStore::open(config, 0).await.expect("a database");
        Sqlite { store, folder }
    }
}

impl Database for Sqlite {
    fn store(&self) -> &dyn Store {
        &self.store
    }

    async fn remove(self) {
        self.store.close().await;
    }
}

pub(crate) struct Postgres {
    pub(crate) store: PostgresStore,
    pub(crate) schema: Schema,
}

impl Postgres {
    pub(crate) async fn create() -> Self {
        let schema = Schema::create().await;
        let config = PostgresConfig::new(schema.url());
        let store = PostgresStore::open(config, 0).await.expect("a database");
        Postgres { store, schema }
    }
}

impl Database for Postgres {
    fn store(&self) -> &dyn Store {
        &self.store
    }

    async fn remove(self) {
        self.schema.assert_nothing_left_open().await;
        self.store.close().await;
        self.schema.remove().await;
    }
}

pub(crate) const DOCUMENT: DocumentId = DocumentId::new(0xd0c);

pub(crate) fn user(number: usize) -> UserId {
    format!("g_{number}").parse().expect("an id")
}

pub(crate) fn client(number: u128) -> ClientId {
    ClientId::new(number)
}

pub(crate) fn key() -> TextKey {
    TextKey::from_bytes([7; 32])
}

pub(crate) fn new_document(id: DocumentId, title: &str, text: &str) -> NewDocument {
    NewDocument {
        id,
        title: title.to_owned(),
        owner: user(1),
        tenant: collab_protocol::TenantId::default(),
        link: collab_protocol::LinkAccess::Edit,
        epoch: Epoch::new(9),
        text_key: key(),
        created_ms: 1_000,
        text: text.to_owned(),
        client: client(0xf1),
    }
}

/// An author's pen: makes operations that extend a document's log, with their chain.
#[derive(Clone, Debug)]
pub(crate) struct Pen {
    pub(crate) document: DocumentId,
    pub(crate) head: Revision,
    pub(crate) chain: ChainHash,
    /// The chain hash of each revision.
    pub(crate) chains: Vec<ChainHash>,
    pub(crate) len: usize,
    pub(crate) time_ms: i64,
}

impl Pen {
    /// At the beginning of an empty document, which is created.
    pub(crate) async fn create(store: &dyn Store, document: DocumentId) -> Pen {
        let new = new_document(document, "Notes", "");
        store.create_document(new).await.expect("created");
        let (chain, chains) = (ChainHash::START, vec![ChainHash::START]);
        Pen { document, head: Revision::ZERO, chain, chains, len: 0, time_ms: 2_000 }
    }

    /// The next operation: `text` at the end, by `user_number` as its client's `seq`.
    pub(crate) fn write(
        &mut self,
        client: ClientId,
        seq: u64,
        user_number: usize,
        text: &str,
    ) -> NewOperation {
        let operation = Operation::splice(self.len, self.len, 0, text).expect("fits");
        self.edit(client, seq, user_number, operation)
    }

    /// The next operation: any that fits the text.
    pub(crate) fn edit(
        &mut self,
        client: ClientId,
        seq: u64,
        user_number: usize,
        operation: Operation,
    ) -> NewOperation {
        let (base, seq, author) = (self.head, ClientSeq::new(seq), user(user_number));
        self.head = self.head.next().expect("small");
        self.len = operation.target_len();
        self.chain = ChainLink {
            document: self.document,
            revision: self.head,
            client,
            seq,
            author: &author,
            time_ms: self.time_ms,
            operation: &operation,
        }
        .hash(&key(), self.chain);
        self.chains.push(self.chain);
        let submission = Submission::new(seq, base, operation.clone(), None).hash();
        let operation = Arc::new(operation);
        NewOperation { client, seq, author, operation, submission, chain: self.chain }
    }

    /// What appends `operations`, made by this pen since `base`.
    pub(crate) fn append(&self, base: Revision, operations: Vec<NewOperation>) -> Append {
        Append {
            document: self.document,
            base,
            base_chain: self.chains[usize::try_from(base.get()).expect("small")],
            rights_version: 0,
            operations,
            time_ms: self.time_ms,
            len_chars: self.len as u64,
        }
    }

    /// Appends one operation, which must be done.
    pub(crate) async fn commit(
        &mut self,
        store: &dyn Store,
        client: ClientId,
        seq: u64,
        text: &str,
    ) {
        let base = self.head;
        let operation = self.write(client, seq, 1, text);
        let outcome = store.append(self.append(base, vec![operation])).await;
        assert!(is_done(&outcome), "{outcome:?}");
    }
}

pub(crate) fn is_done(outcome: &AppendOutcome) -> bool {
    matches!(outcome, AppendOutcome::Done)
}

pub(crate) fn is_conflict(outcome: &AppendOutcome) -> bool {
    matches!(outcome, AppendOutcome::Conflict)
}

/// The text that a load stands for.
pub(crate) fn text_of(loaded: &Loaded) -> String {
    let start =
        loaded.snapshot.as_ref().map_or_else(String::new, |snapshot| snapshot.text.to_string());
    loaded
        .tail
        .iter()
        .fold(start, |text, logged| logged.operation.apply(&text).expect("each follows the last"))
}

/// Asks for each of a client's first numbers: those given were committed, as these revisions, and no others.
pub(crate) async fn finds_exactly(store: &dyn Store, client: ClientId, given: &[(u64, u64)]) {
    for seq in 1..10 {
        let found = store.find_submission(DOCUMENT, client, ClientSeq::new(seq)).await;
        let expected = given.iter().find(|(known, _)| *known == seq);
        let expected = expected.map(|(_, revision)| Revision::new(*revision));
        assert_eq!(found.expect("reads"), expected, "number {seq}");
    }
}
