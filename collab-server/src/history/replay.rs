//! Operations read in order, checked, and carried out off the async threads.
//!
//! While one page is carried out the next one is read.

use std::sync::Arc;

use collab_protocol::DocumentId;
use ot_core::Revision;

use super::HistoryError;
use crate::revision::{between, later};
use crate::store::{
    ChainHash, DocumentRecord, LoggedOperation, PageLimit, Store, StoreError, TextKey,
};

/// A place in a log: a revision and its chain hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) revision: Revision,
    pub(super) chain: ChainHash,
}

impl Place {
    /// Before the first operation.
    pub(super) const START: Place = Place { revision: Revision::ZERO, chain: ChainHash::START };
}

/// What operations are carried out on, a page at a time.
pub(super) trait Replayed: Send + 'static {
    /// Carries out operations that follow those before.
    ///
    /// # Errors
    /// When one does not fit.
    fn carry_out(&mut self, operations: Vec<LoggedOperation>) -> Result<(), String>;
}

/// One document's log.
#[derive(Clone)]
pub(super) struct Log {
    pub(super) store: Arc<dyn Store>,
    pub(super) document: DocumentId,
    key: TextKey,
}

impl Log {
    pub(super) fn new(store: &Arc<dyn Store>, record: &DocumentRecord) -> Self {
        Log { store: store.clone(), document: record.id, key: record.text_key.clone() }
    }

    pub(super) fn corrupt(&self, reason: impl ToString) -> StoreError {
        StoreError::Corrupt { document: self.document, reason: reason.to_string() }
    }

    /// The operation that led to `revision`; `None` for revision 0.
    pub(super) async fn operation(
        &self,
        revision: Revision,
    ) -> Result<Option<LoggedOperation>, StoreError> {
        let Some(before) = revision.get().checked_sub(1) else { return Ok(None) };
        let page = PageLimit { operations_max: 1, bytes_max: 1 };
        let page = self.store.since(self.document, Revision::new(before), page).await?;
        let found = page.operations.into_iter().next();
        found.map(Some).ok_or_else(|| self.corrupt(format!("log ends before {revision}")))
    }

    /// The place of a revision.
    pub(super) async fn place(&self, revision: Revision) -> Result<Place, StoreError> {
        let operation = self.operation(revision).await?;
        Ok(operation.map_or(Place::START, |logged| Place { revision, chain: logged.chain }))
    }

    /// At least one operation behind `after` and none behind `through`; nothing when it is there.
    async fn page(
        &self,
        after: Revision,
        through: Revision,
    ) -> Result<Vec<LoggedOperation>, StoreError> {
        let wanted = between(after, through);
        if wanted == 0 {
            return Ok(Vec::new());
        }
        let operations_max = wanted.min(PageLimit::DEFAULT.operations_max);
        let page = PageLimit { operations_max, ..PageLimit::DEFAULT };
        let operations = self.store.since(self.document, after, page).await?.operations;
        if operations.is_empty() {
            return Err(self.corrupt(format!("log ends at {after} before {through}")));
        }
        Ok(operations)
    }

    /// Checks the chain along operations behind `from`; gives where they end.
    fn check(&self, from: Place, operations: &[LoggedOperation]) -> Result<Place, String> {
        let mut chain = from.chain;
        for logged in operations {
            chain = logged.expected_chain(self.document, &self.key, chain);
            if chain != logged.chain {
                return Err(format!("chain breaks at revision {}", logged.revision));
            }
        }
        Ok(Place { revision: later(from.revision, operations.len()), chain })
    }

    /// Carries out everything behind `from` up to `through`. `passing` sees what was built at each
    /// multiple of `every` revisions.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the log has a gap, its chain breaks or an operation does not
    /// fit; [`StoreError::Unavailable`].
    pub(super) async fn replay<S: Replayed>(
        &self,
        from: Place,
        through: Revision,
        mut state: S,
        every: u64,
        mut passing: impl FnMut(Place, &S),
    ) -> Result<(S, Place), HistoryError> {
        let mut at = from;
        let stop = |at: Revision| through.min(next_multiple(at, every));
        let mut operations = self.page(at.revision, stop(at.revision)).await?;
        while !operations.is_empty() {
            let behind = later(at.revision, operations.len());
            let log = self.clone();
            let work = tokio::task::spawn_blocking(move || {
                let place = log.check(at, &operations)?;
                state.carry_out(operations)?;
                Ok((state, place))
            });
            let (done, next) = tokio::join!(work, self.page(behind, stop(behind)));
            let done: Result<(S, Place), String> = done.map_err(|_| HistoryError::Failed)?;
            (state, at) = done.map_err(|reason| self.corrupt(reason))?;
            if at.revision.get().is_multiple_of(every.max(1)) {
                passing(at, &state);
            }
            operations = next?;
        }
        Ok((state, at))
    }
}

/// The first multiple of `every` behind `revision`.
fn next_multiple(revision: Revision, every: u64) -> Revision {
    Revision::new((revision.get() / every.max(1) + 1).saturating_mul(every.max(1)))
}
