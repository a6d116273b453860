//! What happens to people's documents while they are away, told seldom: one notification for each
//! document, which tells of more edits until it is read.
//!
//! Edits are counted in memory as they become durable, beside the store, and looked at now and
//! then. What was edited while its owner had it open is nothing to tell; the rest is told once it
//! has waited for `digest_interval_ms`, so a document is written about no more often than that.
//!
//! # Limitations
//! Counts are soft state: what a server has counted is lost with it if it dies. Servers without a
//! way to each other do not know who is at another one; there only what the owner has noted to have
//! seen keeps them from being told of it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use collab_protocol::{DocumentId, UserId};
use ot_core::Revision;
use tokio::time::Instant;

use super::{Telling, tell};
use crate::app::App;
use crate::shown::Shown;
use crate::store::{
    Append, AppendOutcome, NotificationContent, Recipient, Repeated, Store, StoreError,
    StoreFuture, StoreLayer,
};

/// Documents whose edits are counted at a time. Beyond them nothing is counted until some were
/// looked at.
const DOCUMENTS_MAX: usize = 10_000;

/// How often counts are looked at while one waits to be told.
const LOOKS: u32 = 10;

/// What telling the rest may take when the server stops.
const FINISH: Duration = Duration::from_millis(500);

/// Edits of one document since it was last told of.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Edits {
    since: Instant,
    /// Who made how many, in the order in which they began.
    by: Vec<(UserId, u64)>,
    last: Revision,
}

impl Edits {
    fn add(&mut self, author: &UserId, last: Revision) {
        self.last = self.last.max(last);
        if let Some((_, count)) = self.by.iter_mut().find(|(person, _)| person == author) {
            *count += 1;
        } else if self.by.len() < NotificationContent::EDITORS_MAX {
            self.by.push((author.clone(), 1));
        }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Digests {
    documents: Mutex<HashMap<DocumentId, Edits>>,
}

impl Digests {
    fn documents(&self) -> std::sync::MutexGuard<'_, HashMap<DocumentId, Edits>> {
        // Each change under the lock is one step, so a panic leaves nothing half done.
        self.documents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, document: DocumentId, authors: &[UserId], last: Revision, now: Instant) {
        let mut documents = self.documents();
        let has_room = documents.len() < DOCUMENTS_MAX;
        let edits = match documents.entry(document) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) if has_room => {
                new.insert(Edits { since: now, by: Vec::new(), last })
            }
            Entry::Vacant(_) => return,
        };
        for author in authors {
            edits.add(author, last);
        }
    }

    fn all(&self) -> Vec<DocumentId> {
        self.documents().keys().copied().collect()
    }

    fn forget(&self, document: DocumentId) {
        self.documents().remove(&document);
    }

    /// Takes a document's edits out, if they have waited for so long.
    fn take(&self, document: DocumentId, waited: Duration) -> Option<Edits> {
        let mut documents = self.documents();
        let is_due = documents.get(&document)?.since.elapsed() >= waited;
        if is_due { documents.remove(&document) } else { None }
    }

    /// Puts edits back that could not be told, ahead of those made since.
    fn put_back(&self, document: DocumentId, mut edits: Edits) {
        let mut documents = self.documents();
        if let Some(later) = documents.remove(&document) {
            for (person, count) in later.by {
                match edits.by.iter_mut().find(|(known, _)| *known == person) {
                    Some((_, before)) => *before += count,
                    None => edits.by.push((person, count)),
                }
            }
            edits.last = edits.last.max(later.last);
        }
        documents.insert(document, edits);
    }
}

/// A store that counts what becomes durable.
pub(crate) struct DigestingStore {
    inner: Arc<dyn Store>,
    digests: Arc<Digests>,
}

impl DigestingStore {
    pub(crate) fn new(inner: Arc<dyn Store>, digests: Arc<Digests>) -> Self {
        DigestingStore { inner, digests }
    }
}

impl StoreLayer for DigestingStore {
    fn inner(&self) -> &dyn Store {
        &*self.inner
    }

    fn append(&self, append: Append) -> StoreFuture<'_, AppendOutcome> {
        let document = append.document;
        let authors: Vec<UserId> =
            append.operations.iter().map(|operation| operation.author.clone()).collect();
        let last = Revision::new(append.base.get() + authors.len() as u64);
        Box::pin(async move {
            let outcome = self.inner.append(append).await;
            if matches!(outcome, AppendOutcome::Done) {
                self.digests.note(document, &authors, last, Instant::now());
            }
            outcome
        })
    }
}

/// Looks at what was counted and tells owners of it, until the server stops.
pub(crate) async fn run(app: Arc<App>) {
    let interval = Duration::from_millis(app.config.digest_interval_ms.into());
    let pause = (interval / LOOKS).max(Duration::from_millis(10));
    loop {
        tokio::select! {
            () = tokio::time::sleep(pause) => tell_waited(&app, interval).await,
            () = app.shutdown.stopping.cancelled() => return,
        }
    }
}

/// Tells what is left, so that a restart loses nothing; while sessions are still there, since who is
/// there is not told.
pub(crate) async fn finish(app: &App) {
    if tokio::time::timeout(FINISH, tell_waited(app, Duration::ZERO)).await.is_err() {
        tracing::warn!("edits were not told of in time");
    }
}

async fn tell_waited(app: &App, waited: Duration) {
    for document in app.digests.all() {
        if let Err(error) = look(app, document, waited).await {
            tracing::warn!(document = %Shown(document), %error, "edits were not told of");
        }
    }
}

async fn look(app: &App, document: DocumentId, waited: Duration) -> Result<(), StoreError> {
    let record = match app.store.document(document).await {
        Ok(record) if record.deleted_ms.is_none() => record,
        Ok(_) | Err(StoreError::NotFound) => {
            app.digests.forget(document);
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let owner = record.owner.clone();
    if app.registry.is_here(document, &owner) {
        app.digests.forget(document);
        return Ok(());
    }
    let Some(edits) = app.digests.take(document, waited) else { return Ok(()) };
    let told = async {
        let seen = app.store.seen(document, owner.clone()).await?;
        let others: Vec<_> = edits.by.iter().filter(|(person, _)| *person != owner).collect();
        if others.is_empty() || seen.is_some_and(|seen| seen.revision >= edits.last) {
            return Ok(());
        }
        let content = NotificationContent::Edited {
            doc: document,
            title: record.title,
            by: others.iter().map(|(person, _)| person.clone()).collect(),
            edits: others.iter().map(|(_, count)| count).sum(),
            rev: edits.last.get(),
        };
        let to = Recipient { tenant: record.tenant, person: owner.clone() };
        let key = format!("edited {document}");
        tell(app, Telling { to, key, content, repeated: Repeated::ToldAnew }).await
    };
    let outcome = told.await;
    if outcome.is_err() {
        app.digests.put_back(document, edits);
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: DocumentId = DocumentId::new(7);

    fn user(number: usize) -> UserId {
        format!("u{number}").parse().expect("an id")
    }

    fn note(digests: &Digests, authors: &[usize], last: u64) {
        let authors: Vec<UserId> = authors.iter().map(|number| user(*number)).collect();
        digests.note(DOCUMENT, &authors, Revision::new(last), Instant::now());
    }

    #[tokio::test(start_paused = true)]
    async fn edits_are_counted_by_person_and_taken_once_they_have_waited() {
        let digests = Digests::default();
        let waited = Duration::from_secs(5);
        note(&digests, &[1, 2, 1], 3);
        tokio::time::advance(Duration::from_secs(4)).await;
        note(&digests, &[3], 4);
        assert_eq!(digests.take(DOCUMENT, waited), None);
        tokio::time::advance(Duration::from_secs(1)).await;
        let taken = digests.take(DOCUMENT, waited).expect("it has waited");
        assert_eq!(taken.by, [(user(1), 2), (user(2), 1), (user(3), 1)]);
        assert_eq!(taken.last, Revision::new(4));
        assert_eq!(digests.take(DOCUMENT, Duration::ZERO), None);
        note(&digests, &[2, 4], 6);
        digests.put_back(DOCUMENT, taken);
        let again = digests.take(DOCUMENT, waited).expect("it has waited already");
        assert_eq!(again.by, [(user(1), 2), (user(2), 2), (user(3), 1), (user(4), 1)]);
        assert_eq!(again.last, Revision::new(6));
    }

    #[tokio::test(start_paused = true)]
    async fn people_and_documents_are_bounded() {
        let digests = Digests::default();
        let many: Vec<usize> = (0..80).collect();
        note(&digests, &many, 80);
        let taken = digests.take(DOCUMENT, Duration::ZERO).expect("they are there");
        assert_eq!(taken.by.len(), NotificationContent::EDITORS_MAX);
        for number in 0..DOCUMENTS_MAX as u128 + 5 {
            digests.note(DocumentId::new(number), &[user(1)], Revision::new(1), Instant::now());
        }
        assert_eq!(digests.all().len(), DOCUMENTS_MAX);
    }
}
