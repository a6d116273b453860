//! What an actor has done beside its turns: reads, appends and snapshots.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use collab_protocol::DocumentId;
use ot_core::Revision;

use super::Actor;
use crate::document::catch_up;
use crate::document::state::{Decided, Effect, Event, Outcome, ReadFault};
use crate::revision::later;
use crate::store::{
    Append, AppendOutcome, ChainHash, ChainLink, NewOperation, PageLimit, Snapshot, StoreError,
    TailPage, TextKey,
};

/// Something under way. Dropping it harms nothing: see [`StoreFuture`](crate::StoreFuture).
pub(super) type Work = Pin<Box<dyn Future<Output = Done> + Send>>;

/// What came of it.
pub(super) enum Done {
    Event(Event),
    Snapshot { revision: Revision, result: Result<(), StoreError> },
}

/// The chain hash at the head, and at the end of each append in flight.
pub(in crate::document) struct Chain {
    document: DocumentId,
    key: TextKey,
    head: (Revision, ChainHash),
    in_flight: VecDeque<(Revision, ChainHash)>,
}

impl Chain {
    pub(in crate::document) fn new(
        document: DocumentId,
        key: TextKey,
        revision: Revision,
        hash: ChainHash,
    ) -> Self {
        Chain { document, key, head: (revision, hash), in_flight: VecDeque::new() }
    }

    /// The operations of a batch behind `base`, each with its link.
    fn extend(&mut self, base: Revision, decided: Vec<Decided>, time_ms: i64) -> Vec<NewOperation> {
        // What is behind the base went down with an append that did not go through.
        while self.in_flight.back().is_some_and(|(end, _)| *end > base) {
            self.in_flight.pop_back();
        }
        let end = self.in_flight.back().unwrap_or(&self.head);
        let (mut revision, mut hash) = *end;
        assert_eq!(revision, base, "batches follow each other");
        let operations = decided
            .into_iter()
            .map(|decided| {
                revision = later(revision, 1);
                let link = ChainLink {
                    document: self.document,
                    revision,
                    client: decided.client,
                    seq: decided.seq,
                    author: &decided.author,
                    time_ms,
                    operation: &decided.operation,
                };
                hash = link.hash(&self.key, hash);
                NewOperation {
                    client: decided.client,
                    seq: decided.seq,
                    author: decided.author,
                    operation: decided.operation,
                    submission: decided.submission,
                    chain: hash,
                }
            })
            .collect();
        self.in_flight.push_back((revision, hash));
        operations
    }

    /// The head reached `revision`.
    pub(super) fn committed(&mut self, revision: Revision) {
        while let Some(end) = self.in_flight.front().filter(|(end, _)| *end <= revision) {
            self.head = *end;
            self.in_flight.pop_front();
        }
    }

    /// Follows what was read from the log.
    fn follow(&mut self, page: &TailPage) -> Result<(), String> {
        self.in_flight.clear();
        for logged in &page.operations {
            let expected = logged.expected_chain(self.document, &self.key, self.head.1);
            if logged.chain != expected {
                return Err(format!("chain breaks at revision {}", logged.revision));
            }
            self.head = (logged.revision, logged.chain);
        }
        Ok(())
    }

    fn at_head(&self) -> ChainHash {
        self.head.1
    }
}

/// How long to wait before the log is read again.
fn backoff(attempts: u32) -> Duration {
    match attempts {
        0 => Duration::ZERO,
        attempts => Duration::from_millis(50 << attempts.min(6)),
    }
}

fn fault(error: StoreError) -> ReadFault {
    match error {
        StoreError::Corrupt { reason, .. } => ReadFault::Corrupt(reason),
        _ => ReadFault::Unavailable,
    }
}

impl Actor {
    /// Starts a read or an append.
    pub(super) fn start(&mut self, effect: Effect) {
        let shared = self.parts.shared.clone();
        let (store, document) = (shared.store.clone(), shared.document);
        let work: Work = match effect {
            Effect::Append { batch, base, operations, len_chars } => {
                let append = self.append(base, operations, len_chars);
                Box::pin(async move {
                    let outcome = outcome(document, store.append(append).await);
                    Done::Event(Event::Appended { batch, outcome })
                })
            }
            Effect::ReadTail { after, attempts } => Box::pin(async move {
                tokio::time::sleep(backoff(attempts)).await;
                let result = store.since(document, after, PageLimit::DEFAULT).await;
                Done::Event(Event::TailRead { result: result.map_err(fault) })
            }),
            Effect::ReadProgress { client } => Box::pin(async move {
                let result = store.progress(document, client).await.map_err(fault);
                Done::Event(Event::ProgressRead { client, result })
            }),
            Effect::FindSubmission { client, seq } => Box::pin(async move {
                let result = store.find_submission(document, client, seq).await.map_err(fault);
                Done::Event(Event::SubmissionFound { client, seq, result })
            }),
            Effect::ReadRange { client, seq, after, through } => Box::pin(async move {
                // In a task of its own: composing a long range takes time that is not ours.
                let read = tokio::spawn(async move {
                    catch_up::range(&shared, after, through).await.map_err(fault)
                });
                let result = read.await.unwrap_or(Err(ReadFault::Unavailable));
                Done::Event(Event::RangeRead { client, seq, through, result })
            }),
            _ => unreachable!("every other effect is carried out in the turn"),
        };
        self.works.push(work);
    }

    fn append(&mut self, base: Revision, decided: Vec<Decided>, len_chars: usize) -> Append {
        let time_ms = self.parts.clock.now_ms();
        Append {
            document: self.parts.shared.document,
            base,
            operations: self.parts.chain.extend(base, decided, time_ms),
            time_ms,
            len_chars: len_chars as u64,
        }
    }

    pub(super) fn event_done(&mut self, event: Event) {
        let event = match event {
            Event::TailRead { result: Ok(page) } => {
                let followed = self.parts.chain.follow(&page).map_err(ReadFault::Corrupt);
                Event::TailRead { result: followed.map(|()| page) }
            }
            other => other,
        };
        self.event(event);
    }

    pub(super) fn snapshot_if_due(&mut self) {
        let every = self.parts.shared.config.snapshot_every;
        if self.parts.state.head().get() >= self.parts.snapshot_at.get().saturating_add(every) {
            self.snapshot();
        }
    }

    /// Writes a snapshot of the head unless there is one or one is being written.
    pub(super) fn snapshot(&mut self) {
        let revision = self.parts.state.head();
        if self.is_snapshotting || revision <= self.parts.snapshot_at {
            return;
        }
        let snapshot = Snapshot {
            revision,
            text: self.text_at_head().text,
            chain: self.parts.chain.at_head(),
            time_ms: self.parts.clock.now_ms(),
        };
        self.is_snapshotting = true;
        let (store, document) = (self.parts.shared.store.clone(), self.parts.shared.document);
        self.works.push(Box::pin(async move {
            let result = store.write_snapshot(document, snapshot).await;
            Done::Snapshot { revision, result }
        }));
    }

    /// A snapshot only saves time: the log holds everything. The next one is due as if this one
    /// had been written.
    pub(super) fn give_snapshot_up(&mut self, revision: Revision) {
        self.parts.snapshot_at = self.parts.snapshot_at.max(revision);
    }
}

fn outcome(document: DocumentId, outcome: AppendOutcome) -> Outcome {
    match outcome {
        AppendOutcome::Done => Outcome::Done,
        AppendOutcome::Conflict => Outcome::Conflict,
        AppendOutcome::Failed(error) => {
            tracing::warn!(%document, %error, "append failed");
            Outcome::Failed
        }
        AppendOutcome::Unknown(error) => {
            tracing::warn!(%document, %error, "outcome of an append is unknown");
            Outcome::Unknown
        }
    }
}
