//! Checks everything that is stored of a document against everything else.
//!
//! The log is replayed from the first revision, packed pages and rows alike, and along the way the
//! chain, the lengths, the snapshots, each client's progress and the clients of each page must be
//! what the log says. It reads in pieces, so memory is bounded by one page, one text and the
//! clients of one document, and works beside servers that write: what is committed after it began
//! is left to the next run.

mod log;

use collab_protocol::DocumentId;
use ot_core::Revision;

use crate::store::{Store, StoreError};

use self::log::LogWalk;

/// Ids and clients asked for at once.
const LIST_MAX: u32 = 500;

/// Damage told of one document. What follows the first is mostly its consequence.
const TOLD_MAX: usize = 20;

/// Something stored that contradicts something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The first revision that it touches, where it can be said.
    pub revision: Option<Revision>,
    /// What does not fit.
    pub reason: String,
}

/// What was checked of a document, and what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DocumentReport {
    /// Revisions replayed.
    pub revisions: u64,
    /// Packed pages opened.
    pub pages: u64,
    /// Snapshots compared with the replay.
    pub snapshots: u64,
    /// Clients whose progress was compared with the log.
    pub clients: u64,
    /// What does not fit, in the order in which it was found; empty when all is well.
    pub damage: Vec<Damage>,
}

impl DocumentReport {
    fn found(&mut self, revision: Option<Revision>, reason: String) {
        if self.damage.len() < TOLD_MAX {
            self.damage.push(Damage { revision, reason });
        }
    }

    /// Takes note of damage; any other failure goes on to who asked.
    fn note(&mut self, revision: Option<Revision>, error: StoreError) -> Result<(), StoreError> {
        match error {
            StoreError::Corrupt { reason, .. } => {
                self.found(revision, reason);
                Ok(())
            }
            other => Err(other),
        }
    }
}

/// Checks one document. `replayed` hears how many more revisions were replayed.
///
/// # Errors
/// [`StoreError::NotFound`], and [`StoreError::Unavailable`] when the store cannot be read. Damage
/// is no error: it is in the report.
pub async fn verify_document(
    store: &dyn Store,
    document: DocumentId,
    replayed: impl FnMut(u64),
) -> Result<DocumentReport, StoreError> {
    let mut report = DocumentReport::default();
    let record = match store.document(document).await {
        Ok(record) => record,
        Err(error) => {
            report.note(None, error)?;
            return Ok(report);
        }
    };
    let mut walk = LogWalk::new(store, &record, replayed);
    let is_whole = walk.run(&mut report).await?;
    if is_whole {
        walk.check_end(&mut report).await?;
        walk.check_clients(&mut report).await?;
    }
    // What a server would do when somebody opens the document.
    if let Err(error) = store.load(document).await {
        report.note(None, error)?;
    }
    Ok(report)
}

/// The ids of all documents, page by page.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub async fn all_documents(store: &dyn Store) -> Result<Vec<DocumentId>, StoreError> {
    let mut all: Vec<DocumentId> = Vec::new();
    loop {
        let page = store.document_ids(all.last().copied(), LIST_MAX).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}
