//! What a store tells about a document's history beside its operations, and keeps for who reads it.

use collab_protocol::{DocumentId, UserId, VersionId};
use ot_core::Revision;

use super::StoreError;

/// What one author committed in one stretch of a log.
///
/// Invariant: `first <= last`, and `operations` is from 1 to the number of revisions between them,
/// both included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// Whose it is.
    pub author: UserId,
    /// Their first revision there.
    pub first: Revision,
    /// Their last revision there.
    pub last: Revision,
    /// How many of the revisions between are theirs.
    pub operations: u64,
    /// The earliest time among them.
    pub first_ms: i64,
    /// The latest time among them.
    pub last_ms: i64,
}

impl Activity {
    /// Takes in the author's revision `revision`, which comes behind those counted so far.
    pub(super) fn count(&mut self, revision: Revision, time_ms: i64) {
        self.last = revision;
        self.operations += 1;
        self.first_ms = self.first_ms.min(time_ms);
        self.last_ms = self.last_ms.max(time_ms);
    }

    /// One revision of an author.
    pub(super) fn one(author: UserId, revision: Revision, time_ms: i64) -> Self {
        let (first, last) = (revision, revision);
        Activity { author, first, last, operations: 1, first_ms: time_ms, last_ms: time_ms }
    }
}

/// The stretch of `width` revisions that a revision belongs to, counted from 0.
pub(super) fn stretch_of(revision: Revision, width: u64) -> u64 {
    revision.get().saturating_sub(1) / width.max(1)
}

/// A revision that somebody gave a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRecord {
    /// Its id, random.
    pub id: VersionId,
    /// The document.
    pub document: DocumentId,
    /// The revision.
    pub revision: Revision,
    /// The name.
    pub name: String,
    /// Who named it.
    pub author: UserId,
    /// When it was named.
    pub time_ms: i64,
}

/// How far a person has looked at a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The revision.
    pub revision: Revision,
    /// When it was noted.
    pub time_ms: i64,
}

/// Refuses to note anything about a revision that the log has not reached.
pub(super) fn check_reached(revision: Revision, head: Revision) -> Result<(), StoreError> {
    if revision > head {
        return Err(StoreError::Invalid { reason: "the log has not reached this revision" });
    }
    Ok(())
}
