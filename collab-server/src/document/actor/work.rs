//! What an actor has done beside its turns: reads, appends and snapshots.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use collab_protocol::{ClientId, DocumentId};
use ot_core::Revision;

use super::Actor;
use crate::document::catch_up;
use crate::document::core::{Look, Read, ReadDone};
use crate::document::room::Shared;
use crate::document::state::{Begun, Fence, Outcome, ReadFault};
use crate::rights::{Rights, RightsChange};
use crate::shown::Shown;
use crate::store::{
    Append, AppendOutcome, DocumentHead, PageLimit, Snapshot, StoreError, TailPage,
};

/// Something under way. Dropping it harms nothing: see [`StoreFuture`](crate::StoreFuture).
pub(super) type Work = Pin<Box<dyn Future<Output = Done> + Send>>;

/// What came of it.
pub(super) enum Done {
    Appended { batch: u64, outcome: Outcome },
    Read(ReadDone),
    Snapshot { revision: Revision, result: Result<(), StoreError> },
}

/// How long to wait before the log is read again.
fn backoff(attempts: u32) -> Duration {
    match attempts {
        0 => Duration::ZERO,
        attempts => Duration::from_millis(50 << attempts.min(6)),
    }
}

impl Actor {
    pub(super) fn append(&mut self, batch: u64, append: Append) {
        let store = self.parts.shared.store.clone();
        let document = self.parts.shared.document;
        self.works.push(Box::pin(async move {
            let outcome = outcome(document, store.append(append).await);
            Done::Appended { batch, outcome }
        }));
    }

    pub(super) fn read(&mut self, read: Read) {
        let shared = self.parts.shared.clone();
        let (store, document) = (shared.store.clone(), shared.document);
        let now_ms = self.parts.clock.now_ms();
        self.works.push(Box::pin(async move {
            Done::Read(match read {
                Read::Tail { after, attempts, goes_ahead } => {
                    tokio::time::sleep(backoff(attempts)).await;
                    if goes_ahead {
                        store.go_ahead(document).await;
                    }
                    ReadDone::Tail(look(&shared, after).await.map_err(ReadFault::from))
                }
                Read::Poll { after } => {
                    ReadDone::Poll(poll(&shared, after).await.map_err(ReadFault::from))
                }
                Read::Progress { client } => {
                    let result = store.progress(document, client).await.map_err(ReadFault::from);
                    ReadDone::Progress { client, result }
                }
                Read::Fence { client, seq, known } => {
                    let fenced = fence(&shared, client, known, now_ms).await;
                    ReadDone::Fenced { client, seq, result: fenced.map_err(ReadFault::from) }
                }
                Read::Submission { client, seq } => {
                    let result = store.find_submission(document, client, seq).await;
                    ReadDone::Submission { client, seq, result: result.map_err(ReadFault::from) }
                }
                Read::Range { client, seq, after, through } => {
                    // In a task of its own: composing a long range takes time that is not ours.
                    let read = tokio::spawn(async move {
                        catch_up::range(&shared, after, through).await.map_err(ReadFault::from)
                    });
                    let result = read.await.unwrap_or(Err(ReadFault::Unavailable));
                    ReadDone::Range { client, seq, through, result }
                }
            })
        }));
    }

    pub(super) fn write_snapshot(&mut self, snapshot: Snapshot) {
        let (store, document) = (self.parts.shared.store.clone(), self.parts.shared.document);
        self.works.push(Box::pin(async move {
            let revision = snapshot.revision;
            let result = store.write_snapshot(document, snapshot).await;
            Done::Snapshot { revision, result }
        }));
    }
}

/// Lets a client begin anew, if no other server did so meanwhile, and reads what was committed of it
/// before.
async fn fence(
    shared: &Shared,
    client: ClientId,
    known: u64,
    now_ms: i64,
) -> Result<(Arc<Rights>, Begun), StoreError> {
    let (store, document) = (&shared.store, shared.document);
    let change = RightsChange::Fence { client, known };
    let fence = match store.change_rights(document, change, now_ms).await {
        Ok(at) => Some(Fence { known, at }),
        Err(StoreError::Invalid { .. }) => None,
        Err(error) => return Err(error),
    };
    let rights = store.rights(document).await?;
    let progress = store.progress(document, client).await?;
    Ok((Arc::new(rights), Begun { progress, fence }))
}

/// What has become of a document that stood at `after`. The log is read only where something has.
async fn poll(shared: &Shared, after: Revision) -> Result<Look, StoreError> {
    let title_version = shared.room().title_version;
    let head = shared.heads.ask(&shared.store, shared.document).await?;
    let head = head.ok_or(StoreError::NotFound)?;
    shared.room().retitle(&head.title, title_version);
    if head.revision > after || head.rights_version > shared.room().rights_version() {
        return look(shared, after).await;
    }
    let DocumentHead { revision, rights_version, is_deleted, .. } = head;
    let page = TailPage { operations: Vec::new(), head: revision, is_deleted, rights_version };
    Ok(Look { page, rights: None })
}

/// A page of the log behind `after`, and the rights if they have changed.
async fn look(shared: &Shared, after: Revision) -> Result<Look, StoreError> {
    let page = page(shared, after).await?;
    let is_changed = page.rights_version > shared.room().rights_version();
    let rights = match is_changed {
        true => Some(Arc::new(shared.store.rights(shared.document).await?)),
        false => None,
    };
    Ok(Look { page, rights })
}

/// A page of the log behind `after`. Its authors are known by name then: who writes on another
/// server need never have been here.
async fn page(shared: &Shared, after: Revision) -> Result<TailPage, StoreError> {
    let page = shared.store.since(shared.document, after, PageLimit::DEFAULT).await?;
    let authors = page.operations.iter().map(|logged| &logged.author);
    let strangers = shared.room().authors.strangers(authors);
    if strangers.is_empty() {
        return Ok(page);
    }
    match shared.store.people(strangers).await {
        Ok(people) => {
            let mut room = shared.room();
            people.into_iter().for_each(|person| room.authors.meet(&person.into()));
        }
        Err(error) => {
            tracing::warn!(document = %Shown(shared.document), %error, "authors' names were not read");
        }
    }
    Ok(page)
}

fn outcome(document: DocumentId, outcome: AppendOutcome) -> Outcome {
    match outcome {
        AppendOutcome::Done => Outcome::Done,
        AppendOutcome::Conflict => Outcome::Conflict,
        AppendOutcome::Failed(error) => {
            tracing::warn!(document = %Shown(document), %error, "append failed");
            Outcome::Failed
        }
        AppendOutcome::Unknown(error) => {
            tracing::warn!(document = %Shown(document), %error, "outcome of an append is unknown");
            Outcome::Unknown
        }
    }
}
