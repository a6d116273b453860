//! History read from the store for one who is behind the ring, composed.
//!
//! By the history law a pending operation is rebased over a composed range exactly as over its
//! steps. A range is never composed over an entry of its own receiver.

use std::fmt;
use std::sync::Arc;

use collab_protocol::{ClientId, write_ack_entry, write_composed_entry};
use ot_core::{Component, Operation, Revision, compose_all};

use super::feed::Ended;
use super::room::Shared;
use crate::revision::{between, later};
use crate::sabotage::{self, Bug};
use crate::shown::Shown;
use crate::store::{LoggedOperation, PageLimit, StoreError};

/// What a session behind the ring needs to go on. Read beside everything else that the session
/// does: the database may take its time.
pub struct CatchUp {
    pub(super) shared: Arc<Shared>,
    pub(super) client: ClientId,
    pub(super) after: Revision,
    pub(super) head: Revision,
}

impl fmt::Debug for CatchUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CatchUp").field("after", &self.after).field("head", &self.head).finish()
    }
}

impl CatchUp {
    /// Reads a page of it. The feed that asked for it takes it.
    ///
    /// # Errors
    /// [`Ended`]: the session cannot go on.
    pub async fn read(self) -> Result<Stretch, Ended> {
        composed(&self.shared, self.client, self.after, self.head).await
    }
}

/// Encoded entries that lead a session onward.
#[derive(Debug)]
pub struct Stretch {
    pub(super) entries: Vec<String>,
    /// The revision behind them.
    pub(super) revision: Revision,
}

impl Stretch {
    pub(super) fn len_bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.len() + 1).sum()
    }
}

/// One page of history behind `after`, at most up to `head`, as entries for `client`.
async fn composed(
    shared: &Shared,
    client: ClientId,
    after: Revision,
    head: Revision,
) -> Result<Stretch, Ended> {
    let _permit = shared.catch_ups.acquire().await.map_err(|_| Ended::Shutdown)?;
    let page = shared
        .store
        .since(shared.document, after, PageLimit::CATCH_UP)
        .await
        .map_err(|error| ended_by(shared, &error))?;
    let mut operations = page.operations;
    operations.truncate(between(after, head));
    if operations.is_empty() {
        tracing::error!(document = %Shown(shared.document), %after, %head, "log ends before the head");
        return Err(Ended::Corrupt);
    }
    entries(operations, client, after).map_err(|reason| {
        tracing::error!(document = %Shown(shared.document), %after, reason, "log does not compose");
        Ended::Corrupt
    })
}

fn ended_by(shared: &Shared, error: &StoreError) -> Ended {
    tracing::warn!(document = %Shown(shared.document), %error, "catch-up failed");
    match error {
        StoreError::Corrupt { .. } => Ended::Corrupt,
        _ => Ended::Unavailable,
    }
}

/// A page of the log behind `after` as entries for `client`: its own each for itself, those of others
/// composed.
///
/// # Errors
/// When the operations do not follow each other.
pub(crate) fn entries(
    operations: Vec<LoggedOperation>,
    client: ClientId,
    after: Revision,
) -> Result<Stretch, String> {
    let mut stretch = Stretch { entries: Vec::new(), revision: after };
    let mut run: Vec<Operation> = Vec::new();
    for logged in operations {
        if logged.client == client && !sabotage::is_planted(Bug::ComposeOverOwn) {
            push_run(&mut stretch, &mut run)?;
            let mut entry = String::new();
            write_ack_entry(&mut entry, logged.seq.get());
            stretch.entries.push(entry);
            stretch.revision = later(stretch.revision, 1);
        } else {
            run.push(logged.operation);
        }
    }
    push_run(&mut stretch, &mut run)?;
    Ok(stretch)
}

fn push_run(stretch: &mut Stretch, run: &mut Vec<Operation>) -> Result<(), String> {
    let to = later(stretch.revision, run.len());
    let composed = compose_all(run.drain(..)).map_err(|error| error.to_string())?;
    if let Some(composed) = composed {
        let composed = match sabotage::is_planted(Bug::InsertBeforeDelete) {
            true => inserts_first(&composed),
            false => composed,
        };
        let mut entry = String::new();
        write_composed_entry(&mut entry, &composed.to_json(), to.get());
        stretch.entries.push(entry);
        stretch.revision = to;
    }
    Ok(())
}

/// The same effect in the normal form of other libraries, which loses gaps; to be found as a bug.
fn inserts_first(operation: &Operation) -> Operation {
    let mut builder = Operation::builder();
    let mut deleted = 0;
    for component in operation.components() {
        match component {
            Component::Delete(len) => deleted += len,
            Component::Insert(text) => builder = builder.insert(text),
            Component::Retain(len) => {
                builder = builder.delete(std::mem::take(&mut deleted)).retain(len);
            }
        }
    }
    builder.delete(deleted).build().expect("as long as the one it was made of")
}

/// All history behind `after` up to `through` as one operation, for a submission whose base is
/// older than what the document holds.
pub(super) async fn range(
    shared: &Shared,
    after: Revision,
    through: Revision,
) -> Result<Operation, StoreError> {
    let _permit = shared.catch_ups.acquire().await.map_err(StoreError::unavailable)?;
    let corrupt = |reason: String| StoreError::Corrupt { document: shared.document, reason };
    let mut at = after;
    let mut parts = Vec::new();
    while at < through {
        let page = shared.store.since(shared.document, at, PageLimit::DEFAULT).await?;
        let wanted = page.operations.into_iter().take(between(at, through));
        let operations: Vec<Operation> = wanted.map(|logged| logged.operation).collect();
        at = later(at, operations.len());
        let part = compose_all(operations).map_err(|error| corrupt(error.to_string()))?;
        parts.push(part.ok_or_else(|| corrupt(format!("log ends at {at} before {through}")))?);
    }
    let composed = compose_all(parts).map_err(|error| corrupt(error.to_string()))?;
    composed.ok_or_else(|| corrupt(format!("nothing between {after} and {through}")))
}
