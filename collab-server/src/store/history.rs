//! What a store tells about a document's history beside its operations, and keeps for who reads it.

use std::collections::BTreeMap;

use collab_protocol::{DocumentId, UserId, VersionId};
use ot_core::Revision;

use super::StoreError;
use super::packed::{PackedRow, Walk, in_background};

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

/// What is gathered of everybody's activity, from packed pages and from rows.
#[derive(Debug)]
pub(super) struct Activities {
    width: u64,
    found: BTreeMap<(u64, UserId), Activity>,
}

impl Activities {
    /// In stretches of `width` revisions.
    pub(super) fn new(width: u64) -> Self {
        Activities { width, found: BTreeMap::new() }
    }

    /// Takes in a packed page, behind what was taken in so far. Off the async threads: a page takes
    /// milliseconds of a processor, and a history may have any number of them.
    pub(super) async fn with_page(
        mut self,
        document: DocumentId,
        page: PackedRow,
    ) -> Result<Self, StoreError> {
        in_background(move || {
            page.walk_stamps(document, |stamp| {
                self.add(Activity::one(stamp.author.clone(), stamp.revision, stamp.time_ms));
                Walk::On
            })?;
            Ok(self)
        })
        .await
    }

    /// Takes in what lies behind the packed pages.
    pub(super) fn add_rows(&mut self, activities: Vec<Activity>) {
        activities.into_iter().for_each(|activity| self.add(activity));
    }

    fn add(&mut self, new: Activity) {
        let key = (stretch_of(new.first, self.width), new.author.clone());
        self.found
            .entry(key)
            .and_modify(|known| {
                known.last = new.last;
                known.operations += new.operations;
                known.first_ms = known.first_ms.min(new.first_ms);
                known.last_ms = known.last_ms.max(new.last_ms);
            })
            .or_insert(new);
    }

    /// By stretch and then by author.
    pub(super) fn finish(self) -> Vec<Activity> {
        self.found.into_values().collect()
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
