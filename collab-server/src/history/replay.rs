//! Operations read in order, checked, and carried out off the async threads.
//!
//! What is packed is taken from its columns, page by page: a page's own hash vouches for it, so its
//! chain is not hashed again here (`verify` does that). Along the rows behind the pages the chain is
//! checked; while some of them are carried out the next ones are read.

use std::sync::Arc;

use collab_protocol::DocumentId;
use ot_core::Revision;

use super::HistoryError;
use crate::packed::{PackedPage, PageError};
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

    /// Carries out a page's operations behind `after` and up to `through`, in bounded portions.
    ///
    /// # Errors
    /// When the page is damaged or an operation does not fit.
    fn carry_out_page(
        &mut self,
        page: &PackedPage<'_>,
        after: Revision,
        through: Revision,
    ) -> Result<(), String> {
        let told = |error: PageError| error.to_string();
        let (edits, stamps) = (page.edits().map_err(told)?, page.stamps().map_err(told)?);
        let mut portion = Vec::new();
        for read in edits.logged(&stamps) {
            let logged = read.map_err(told)?;
            if logged.revision > through {
                break;
            }
            if logged.revision > after {
                portion.push(logged);
            }
            if portion.len() == PageLimit::DEFAULT.operations_max {
                self.carry_out(std::mem::take(&mut portion))?;
            }
        }
        if portion.is_empty() { Ok(()) } else { self.carry_out(portion) }
    }
}

/// One packed page at a time: a page expands to several times its size.
const ONE_PAGE: PageLimit = PageLimit { operations_max: 1, bytes_max: 1 };

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

    /// Carries out what is packed of everything behind `from` up to `through`; gives where that
    /// ends. `passing` sees what was built behind each page.
    async fn replay_packed<S: Replayed>(
        &self,
        from: Place,
        through: Revision,
        mut state: S,
        passing: &mut impl FnMut(Place, &S),
    ) -> Result<(S, Place), HistoryError> {
        let mut at = from;
        while at.revision < through {
            let after = at.revision;
            let pages = self.store.packed_pages(self.document, after, ONE_PAGE).await?;
            let Some(row) = pages.into_iter().next() else { break };
            if row.first > later(after, 1) {
                return Err(self
                    .corrupt(format!("log ends at {after} before {}", row.first))
                    .into());
            }
            let end = Place { revision: row.last, chain: row.chain };
            let log = self.clone();
            let work = tokio::task::spawn_blocking(move || {
                let page = row.page(log.document)?;
                state.carry_out_page(&page, after, through).map_err(|reason| {
                    log.corrupt(format!("packed page that ends at {}: {reason}", row.last))
                })?;
                Ok::<S, StoreError>(state)
            });
            state = work.await.map_err(|_| HistoryError::Failed)??;
            at = if end.revision <= through { end } else { self.place(through).await? };
            passing(at, &state);
        }
        Ok((state, at))
    }

    /// Carries out everything behind `from` up to `through`. `passing` sees what was built at each
    /// multiple of `every` revisions, and behind each packed page.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the log has a gap, its chain breaks or an operation does not
    /// fit; [`StoreError::Unavailable`].
    pub(super) async fn replay<S: Replayed>(
        &self,
        from: Place,
        through: Revision,
        state: S,
        every: u64,
        mut passing: impl FnMut(Place, &S),
    ) -> Result<(S, Place), HistoryError> {
        let (mut state, mut at) = self.replay_packed(from, through, state, &mut passing).await?;
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
