//! The chain hash at the end of the log, and at the end of each append on its way.

use std::collections::VecDeque;

use collab_protocol::DocumentId;
use ot_core::Revision;

use crate::document::state::Decided;
use crate::revision::later;
use crate::store::{ChainHash, ChainLink, DocumentRecord, LoggedOperation, NewOperation, TextKey};

/// The chain hash at the head, and at the end of each append in flight.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    document: DocumentId,
    key: TextKey,
    head: (Revision, ChainHash),
    in_flight: VecDeque<(Revision, ChainHash)>,
}

impl Chain {
    /// The chain of a document that was just loaded.
    pub(super) fn new(record: &DocumentRecord) -> Self {
        Chain {
            document: record.id,
            key: record.text_key.clone(),
            head: (record.revision, record.chain),
            in_flight: VecDeque::new(),
        }
    }

    /// The chain hash at `base`, and the operations of a batch behind it, each with its link.
    pub(super) fn extend(
        &mut self,
        base: Revision,
        decided: Vec<Decided>,
        time_ms: i64,
    ) -> (ChainHash, Vec<NewOperation>) {
        // What is behind the base went down with an append that did not go through.
        while self.in_flight.back().is_some_and(|(end, _)| *end > base) {
            self.in_flight.pop_back();
        }
        let end = self.in_flight.back().unwrap_or(&self.head);
        let (mut revision, mut hash) = *end;
        assert_eq!(revision, base, "batches follow each other");
        let base_chain = hash;
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
        (base_chain, operations)
    }

    /// The head reached `revision`; the chain hash there, where it was the end of an append.
    pub(super) fn committed(&mut self, revision: Revision) {
        while let Some(end) = self.in_flight.front().filter(|(end, _)| *end <= revision) {
            self.head = *end;
            self.in_flight.pop_front();
        }
    }

    /// Follows what the log holds behind the head.
    ///
    /// # Errors
    /// When a link does not hold; the chain is unchanged then.
    pub(super) fn follow(&mut self, operations: &[LoggedOperation]) -> Result<(), String> {
        let mut head = self.head;
        for logged in operations {
            let expected = logged.expected_chain(self.document, &self.key, head.1);
            if logged.chain != expected {
                return Err(format!("chain breaks at revision {}", logged.revision));
            }
            head = (logged.revision, logged.chain);
        }
        self.in_flight.clear();
        self.head = head;
        Ok(())
    }

    pub(super) fn at_head(&self) -> ChainHash {
        self.head.1
    }
}
