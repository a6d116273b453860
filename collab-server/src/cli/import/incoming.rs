//! A document that is being imported: operations go in, batches go to the store.
//!
//! While one batch is written the next one is made. What the store holds already from an earlier
//! run is passed over, after a look at whether it is the same.

use std::collections::HashMap;
use std::sync::Arc;

use collab_protocol::{ClientId, DocumentId};
use ot_core::{Revision, Text};
use tokio::task::JoinHandle;

use crate::cli::tool::ToolError;
use crate::document::Submission;
use crate::revision::later;
use crate::store::{
    ChainHash, ClientProgress, DocumentRecord, ImportBatch, ImportStep, LastSubmission,
    LoggedOperation, NewDocument, Snapshot, Store, StoreError,
};

/// Operations of one batch.
const BATCH_LEN: usize = 4_096;

/// No further operation once those of a batch insert so many bytes.
const BATCH_BYTES: usize = 4 << 20;

/// What a beginning found.
pub(super) enum Begun {
    /// The document is to be taken in, from the beginning or where an earlier run stopped.
    Open(Box<Incoming>),
    /// The document is there and whole.
    Whole(Box<DocumentRecord>),
}

/// Why an operation is not taken.
pub(super) enum Refused {
    /// It does not fit.
    Unfit(String),
    /// The store does not take it.
    Failed(ToolError),
}

impl From<ToolError> for Refused {
    fn from(error: ToolError) -> Self {
        Refused::Failed(error)
    }
}

/// See the module.
pub(super) struct Incoming {
    store: Arc<dyn Store>,
    record: DocumentRecord,
    head: Revision,
    chain: ChainHash,
    time_ms: i64,
    text: Text,
    /// The last submission of each client.
    clients: HashMap<ClientId, LastSubmission>,
    batch: Vec<LoggedOperation>,
    batch_bytes: usize,
    writing: Option<JoinHandle<Result<(), StoreError>>>,
}

impl Incoming {
    /// Makes room for a document, or finds it.
    pub(super) async fn begin(
        store: &Arc<dyn Store>,
        new: NewDocument,
        now_ms: i64,
    ) -> Result<Begun, ToolError> {
        let id = new.id;
        let begin = ImportStep::Begin { new: Box::new(new), started_ms: now_ms };
        let begun = store.import(begin).await;
        let record = match begun {
            Ok(()) => store.document(id).await.map_err(ToolError::of(id))?,
            Err(StoreError::AlreadyExists) => {
                let record = store.document(id).await.map_err(ToolError::of(id))?;
                return Ok(Begun::Whole(Box::new(record)));
            }
            Err(error) => return Err(ToolError::of(id)(error)),
        };
        Ok(Begun::Open(Box::new(Incoming {
            store: store.clone(),
            head: Revision::ZERO,
            chain: ChainHash::START,
            time_ms: record.created_ms,
            text: Text::new(),
            clients: HashMap::new(),
            batch: Vec::new(),
            batch_bytes: 0,
            writing: None,
            record,
        })))
    }

    /// The document as it was found.
    pub(super) fn record(&self) -> &DocumentRecord {
        &self.record
    }

    /// Behind the last operation.
    pub(super) fn head(&self) -> (Revision, ChainHash) {
        (self.head, self.chain)
    }

    /// Takes the next operation; its chain is made here.
    pub(super) async fn push(&mut self, mut logged: LoggedOperation) -> Result<(), Refused> {
        let expected = later(self.head, 1);
        if logged.revision != expected {
            let reason = format!("revision is {}, expected {expected}", logged.revision);
            return Err(Refused::Unfit(reason));
        }
        self.note_client(&logged).map_err(Refused::Unfit)?;
        let applied = self.text.apply(&logged.operation);
        applied.map_err(|error| Refused::Unfit(error.to_string()))?;
        logged.chain = logged.expected_chain(self.record.id, &self.record.text_key, self.chain);
        (self.head, self.chain) = (logged.revision, logged.chain);
        self.time_ms = logged.time_ms;
        if self.head <= self.record.revision {
            if self.head == self.record.revision && self.chain != self.record.chain {
                let reason = "the database holds another beginning of this document";
                return Err(Refused::Unfit(reason.to_owned()));
            }
            return Ok(());
        }
        self.batch_bytes += logged.operation.inserted_bytes();
        self.batch.push(logged);
        if self.batch.len() >= BATCH_LEN || self.batch_bytes >= BATCH_BYTES {
            self.flush(Vec::new()).await?;
        }
        Ok(())
    }

    /// A client belongs to one author, and its numbers ascend: a server would have refused all else.
    fn note_client(&mut self, logged: &LoggedOperation) -> Result<(), String> {
        let (client, seq) = (logged.client, logged.seq);
        if let Some(last) = self.clients.get(&client) {
            if last.author != logged.author {
                return Err(format!("client {client} is the one of {}", last.author));
            }
            if last.seq >= seq {
                return Err(format!("seq is {seq}, client {client} has come to {}", last.seq));
            }
        }
        self.clients.insert(client, logged.into());
        Ok(())
    }

    /// Whether this is the last submission of a client, once all operations were taken.
    pub(super) fn is_last(&self, client: ClientId, progress: &ClientProgress) -> bool {
        self.clients.get(&client).is_some_and(|last| last.is_noted_in(progress))
    }

    /// Hands what was taken to the store, once that has written what it got before.
    async fn flush(&mut self, more: Vec<(ClientId, ClientProgress)>) -> Result<(), ToolError> {
        self.written().await?;
        let operations = std::mem::take(&mut self.batch);
        self.batch_bytes = 0;
        let step = ImportStep::Operations(ImportBatch {
            document: self.record.id,
            base: Revision::new(self.head.get() - operations.len() as u64),
            progress: if more.is_empty() { progress(&operations) } else { more },
            len_chars: self.text.len_chars() as u64,
            operations,
        });
        let store = self.store.clone();
        self.writing = Some(tokio::spawn(async move { store.import(step).await }));
        Ok(())
    }

    async fn written(&mut self) -> Result<(), ToolError> {
        let Some(writing) = self.writing.take() else { return Ok(()) };
        let written = writing.await.map_err(|_| ToolError::CutOff)?;
        written.map_err(ToolError::of(self.record.id))
    }

    /// Notes how far clients have come.
    pub(super) async fn progress(
        &mut self,
        known: Vec<(ClientId, ClientProgress)>,
    ) -> Result<(), ToolError> {
        if !self.batch.is_empty() {
            self.flush(Vec::new()).await?;
        }
        for known in known.chunks(BATCH_LEN) {
            self.flush(known.to_vec()).await?;
        }
        Ok(())
    }

    /// Waits until everything that was taken is written.
    pub(super) async fn settle(&mut self) -> Result<(), ToolError> {
        if !self.batch.is_empty() {
            self.flush(Vec::new()).await?;
        }
        self.written().await
    }

    /// The document is whole: shows it, with a snapshot so that nobody waits for its history.
    pub(super) async fn finish(mut self, deleted_ms: Option<i64>) -> Result<DocumentId, ToolError> {
        let id = self.record.id;
        self.settle().await?;
        if self.head > Revision::ZERO {
            let snapshot = Snapshot {
                revision: self.head,
                text: self.text.to_string().into(),
                chain: self.chain,
                time_ms: self.time_ms,
            };
            self.store.write_snapshot(id, snapshot).await.map_err(ToolError::of(id))?;
        }
        let finish = ImportStep::Finish { document: id, deleted_ms };
        self.store.import(finish).await.map_err(ToolError::of(id))?;
        Ok(id)
    }
}

/// The last submission of each client, as if it had been made on the revision before.
fn progress(operations: &[LoggedOperation]) -> Vec<(ClientId, ClientProgress)> {
    let last: HashMap<ClientId, &LoggedOperation> =
        operations.iter().map(|logged| (logged.client, logged)).collect();
    let progress = |(client, logged): (ClientId, &LoggedOperation)| {
        let base = Revision::new(logged.revision.get() - 1);
        let submission = Submission::new(logged.seq, base, logged.operation.clone(), None).hash();
        let (author, seq, revision) = (logged.author.clone(), logged.seq, logged.revision);
        (client, ClientProgress { author, seq, revision, submission })
    };
    last.into_iter().map(progress).collect()
}
