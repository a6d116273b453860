//! Documents that come in with their whole history, a batch at a time.
//!
//! A document that is being imported is marked as deleted and as being imported: nobody is served
//! a part of it, no list shows it and nobody can restore it. Where an import stopped is where its
//! log ends, so going on needs nothing else. Finishing takes both marks off in one transaction.

use collab_protocol::{ClientId, DocumentId};
use ot_core::Revision;

use super::record::{ClientProgress, LoggedOperation, NewDocument};

/// A step of an import; each is done whole or not at all.
#[derive(Clone, Debug)]
pub enum ImportStep {
    /// Makes room for a document, without operations: its text must be empty. One that is being
    /// imported already stays as it is; any other with this id is
    /// [`AlreadyExists`](super::StoreError::AlreadyExists).
    Begin {
        /// The document.
        new: Box<NewDocument>,
        /// When.
        started_ms: i64,
    },
    /// Appends to the log of a document that is being imported.
    Operations(ImportBatch),
    /// The document is whole: from now on it is a document like any other, owned by who is named as
    /// its owner. [`NotFound`](super::StoreError::NotFound) when it is not being imported.
    Finish {
        /// The document.
        document: DocumentId,
        /// When it was deleted, if it came as a deleted one.
        deleted_ms: Option<i64>,
    },
}

/// Operations with all that was noted when they were committed.
#[derive(Clone, Debug)]
pub struct ImportBatch {
    /// The document.
    pub document: DocumentId,
    /// The revision behind which they go; anything else than the log's end writes nothing and is
    /// [`Invalid`](super::StoreError::Invalid).
    pub base: Revision,
    /// The operations, in order and without a gap, with their chain.
    pub operations: Vec<LoggedOperation>,
    /// How far clients have come, each named once. What is stored of a later number stays.
    pub progress: Vec<(ClientId, ClientProgress)>,
    /// Length of the text behind the last of them, in scalar values.
    pub len_chars: u64,
}

/// Why a batch is not taken.
pub(super) const NOT_AT_END: super::StoreError =
    super::StoreError::Invalid { reason: "the log of the import does not end there" };

/// Why a document is not begun.
pub(super) const HAS_TEXT: super::StoreError =
    super::StoreError::Invalid { reason: "an imported document begins empty" };
