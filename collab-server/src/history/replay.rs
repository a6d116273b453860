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
    in_background,
};

/// A place in a log: a revision and, where it is at hand, its chain hash. It is looked up only
/// where rows follow; inside a page nobody asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) revision: Revision,
    pub(super) chain: Option<ChainHash>,
}

impl Place {
    /// Before the first operation.
    pub(super) const START: Place =
        Place { revision: Revision::ZERO, chain: Some(ChainHash::START) };
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

/// One operation; or one packed page, which expands to several times its size.
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

    /// When `revision` was committed; it is not 0.
    pub(super) async fn time_ms(&self, revision: Revision) -> Result<i64, StoreError> {
        let before = Revision::new(revision.get().saturating_sub(1));
        let pages = self.store.packed_pages(self.document, before, ONE_PAGE).await?;
        let Some(row) = pages.into_iter().next().filter(|row| row.first <= revision) else {
            return Ok(self.operation(revision).await?.time_ms);
        };
        let log = self.clone();
        in_background(move || {
            let time_ms = row.time_ms(log.document, revision)?;
            time_ms.ok_or_else(|| log.corrupt(format!("packed page has no {revision}")))
        })
        .await
    }

    /// The operation that led to `revision`, which is not 0.
    async fn operation(&self, revision: Revision) -> Result<LoggedOperation, StoreError> {
        let before = Revision::new(revision.get().saturating_sub(1));
        let page = self.store.since(self.document, before, ONE_PAGE).await?;
        let found = page.operations.into_iter().next();
        found.ok_or_else(|| self.corrupt(format!("log ends before {revision}")))
    }

    /// The chain hash at a place.
    async fn chain(&self, place: Place) -> Result<ChainHash, StoreError> {
        match place.chain {
            Some(chain) => Ok(chain),
            None if place.revision == Revision::ZERO => Ok(ChainHash::START),
            None => Ok(self.operation(place.revision).await?.chain),
        }
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

    /// Checks the chain along operations behind `chain`; gives where they end.
    fn check(&self, chain: ChainHash, operations: &[LoggedOperation]) -> Result<ChainHash, String> {
        let links =
            |chain, logged: &LoggedOperation| logged.check_chain(self.document, &self.key, chain);
        operations.iter().try_fold(chain, links)
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
            at = match row.last <= through {
                true => Place { revision: row.last, chain: Some(row.chain) },
                false => Place { revision: through, chain: None },
            };
            let log = self.clone();
            let work = tokio::task::spawn_blocking(move || {
                let page = row.page(log.document)?;
                state.carry_out_page(&page, after, through).map_err(|reason| {
                    log.corrupt(format!("packed page that ends at {}: {reason}", row.last))
                })?;
                Ok::<S, StoreError>(state)
            });
            state = work.await.map_err(|_| HistoryError::Failed)??;
            if at.revision < through {
                passing(at, &state);
            }
        }
        Ok((state, at))
    }

    /// Carries out everything behind `from` up to `through`. `passing` sees what was built before
    /// that, at each multiple of `every` revisions and behind each packed page.
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
        let (mut state, place) = self.replay_packed(from, through, state, &mut passing).await?;
        if place.revision >= through {
            return Ok((state, place));
        }
        let (mut at, mut chain) = (place.revision, self.chain(place).await?);
        let stop = |at: Revision| through.min(next_multiple(at, every));
        let mut operations = self.page(at, stop(at)).await?;
        while !operations.is_empty() {
            at = later(at, operations.len());
            let log = self.clone();
            let work = tokio::task::spawn_blocking(move || {
                let chain = log.check(chain, &operations)?;
                state.carry_out(operations)?;
                Ok((state, chain))
            });
            let (done, next) = tokio::join!(work, self.page(at, stop(at)));
            let done: Result<(S, ChainHash), String> = done.map_err(|_| HistoryError::Failed)?;
            (state, chain) = done.map_err(|reason| self.corrupt(reason))?;
            if at < through && at.get().is_multiple_of(every.max(1)) {
                passing(Place { revision: at, chain: Some(chain) }, &state);
            }
            operations = next?;
        }
        Ok((state, Place { revision: at, chain: Some(chain) }))
    }
}

/// The first multiple of `every` behind `revision`.
fn next_multiple(revision: Revision, every: u64) -> Revision {
    Revision::new((revision.get() / every.max(1) + 1).saturating_mul(every.max(1)))
}
