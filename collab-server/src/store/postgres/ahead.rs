//! Going ahead of other servers that append to the same document.
//!
//! Whoever has just committed knows the new head at once; who lost has to read it first, and loses
//! again to the next append of the first. So who has lost more than once may lock the document's
//! row, then read the log, and append in the transaction that holds the lock. Nothing is decided by
//! the lock: the append is the same statement, with the same compare-and-set, and who holds no lock
//! appends as ever, only a little later.
//!
//! A lock is held for [`HOLD_MAX`] at most; where a server stands still meanwhile, the database ends
//! its session after [`IDLE_MAX`]. At most [`HELD_MAX`] are held by one server at a time, so that
//! calls that wait for a second connection always find one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use collab_protocol::DocumentId;
use sqlx::{Connection, PgConnection};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use super::append::append;
use super::appender::Fault;
use super::pool::Pool;
use super::uuid;
use crate::store::StoreError;
use crate::store::record::{Append, AppendOutcome};

/// How long a lock waits for the append that it was taken for.
const HOLD_MAX: Duration = Duration::from_millis(100);

/// How long the database lets a silent session keep it.
const IDLE_MAX: &str = "200ms";

/// Locks held at a time.
const HELD_MAX: usize = 2;

/// An append, with the way to answer it.
type Coming = (Append, oneshot::Sender<AppendOutcome>);

/// See the module. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Ahead {
    places: Arc<Semaphore>,
    held: Arc<Mutex<HashMap<DocumentId, oneshot::Sender<Coming>>>>,
}

impl Ahead {
    /// For a store with so many connections.
    pub(super) fn new(connections: u32) -> Self {
        // One stays free for the reads that the appends wait for.
        let places = HELD_MAX.min(connections.saturating_sub(1) as usize);
        Ahead { places: Arc::new(Semaphore::new(places)), held: Arc::default() }
    }

    /// Locks a document for the next append to it, where there is a place. Returns once it is
    /// locked, or is not going to be.
    pub(super) async fn lock(&self, pool: &Arc<Pool>, document: DocumentId) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return };
        if self.held().contains_key(&document) {
            return;
        }
        let (this, pool) = (self.clone(), Arc::clone(pool));
        let (locked, is_locked) = oneshot::channel();
        tokio::spawn(async move {
            let held = this.held.clone();
            let called = pool
                .call(move |connection| Box::pin(this.hold(connection, document, locked)))
                .await;
            if let Err(error) = called {
                tracing::debug!(%error, "a document was not locked");
            }
            held.lock().unwrap_or_else(PoisonError::into_inner).remove(&document);
            drop(place);
        });
        // It fails where the lock was not had, which is as well.
        let _ = is_locked.await;
    }

    /// Hands an append to who holds its document, or gives it back where nobody does.
    pub(super) fn take(&self, coming: Coming) -> Option<Coming> {
        if coming.0.operations.is_empty() {
            return Some(coming);
        }
        let holder = self.held().remove(&coming.0.document);
        match holder {
            Some(holder) => holder.send(coming).err(),
            None => Some(coming),
        }
    }

    async fn hold(
        self,
        connection: &mut PgConnection,
        document: DocumentId,
        locked: oneshot::Sender<()>,
    ) -> Result<(), StoreError> {
        let mut transaction = connection.begin_with("begin isolation level read committed").await?;
        sqlx::query(
            "select set_config('idle_in_transaction_session_timeout', $2, true)
             from document where document_id = $1 for no key update",
        )
        .bind(uuid(document.get()))
        .bind(IDLE_MAX)
        .fetch_optional(&mut *transaction)
        .await?;
        let (holder, coming) = oneshot::channel();
        self.held().insert(document, holder);
        if locked.send(()).is_err() {
            return Ok(transaction.rollback().await?);
        }
        let Ok(Ok((coming, reply))) = timeout(HOLD_MAX, coming).await else {
            return Ok(transaction.rollback().await?);
        };
        let outcome = match append(&mut transaction, std::iter::once(&coming)).await {
            Ok(moved) if moved.contains(&document) => match transaction.commit().await {
                Ok(()) => AppendOutcome::Done,
                Err(error) => AppendOutcome::Unknown(error.into()),
            },
            Ok(_) => match transaction.rollback().await {
                Ok(()) => AppendOutcome::Conflict,
                Err(error) => AppendOutcome::Failed(error.into()),
            },
            Err(error) => Fault::of(error).outcome(),
        };
        // Who asked may have gone; then nobody is to be told.
        let _ = reply.send(outcome);
        Ok(())
    }

    fn held(&self) -> MutexGuard<'_, HashMap<DocumentId, oneshot::Sender<Coming>>> {
        // Each change under the lock is one step, so a panic leaves nothing half done.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
