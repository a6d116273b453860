//! Where documents stand, asked for many of them in one question.
//!
//! Every loaded document that others may commit to looks now and then. What is asked within a short
//! time goes to the database together, so that looking costs the same for one document and for
//! thousands.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use collab_protocol::DocumentId;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use crate::store::{DocumentHead, Store, StoreError};

/// How long a question waits for others to go with it.
const PATIENCE: Duration = Duration::from_millis(20);

type Answer = Result<Option<DocumentHead>, StoreError>;

type Asked = HashMap<DocumentId, Vec<oneshot::Sender<Answer>>>;

/// See the module. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heads {
    /// What is to be asked next. While it holds anything, a task waits to ask it.
    waiting: Arc<Mutex<Asked>>,
    tasks: TaskTracker,
}

impl Heads {
    /// Where a document stands, `None` when it is not there.
    pub(super) async fn ask(&self, store: &Arc<dyn Store>, document: DocumentId) -> Answer {
        let (reply, answer) = oneshot::channel();
        let is_first = {
            let mut waiting = self.waiting();
            let is_first = waiting.is_empty();
            waiting.entry(document).or_default().push(reply);
            is_first
        };
        if is_first {
            self.tasks.spawn(self.clone().answer_all(Arc::clone(store)));
        }
        answer.await.unwrap_or_else(|_| Err(StoreError::unavailable("the question was given up")))
    }

    /// Waits until every question is answered that was put.
    pub(crate) async fn end(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn answer_all(self, store: Arc<dyn Store>) {
        tokio::time::sleep(PATIENCE).await;
        let asked = std::mem::take(&mut *self.waiting());
        let found = store.heads(asked.keys().copied().collect()).await;
        let found: Result<HashMap<_, _>, _> =
            found.map(|heads| heads.into_iter().map(|head| (head.document, head)).collect());
        for (document, replies) in asked {
            for reply in replies {
                let answer = found.as_ref().map(|found| found.get(&document).cloned());
                // Who asked may have gone.
                let _ = reply.send(answer.map_err(StoreError::clone));
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Asked> {
        // Each change under the lock is one step, so a panic leaves nothing half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;
    use crate::store::{MemoryStore, StoreFuture, StoreLayer};

    /// A store that counts questions.
    #[derive(Default)]
    struct Counting(MemoryStore, AtomicUsize);

    impl StoreLayer for Counting {
        fn inner(&self) -> &dyn Store {
            &self.0
        }

        fn heads(
            &self,
            documents: Vec<DocumentId>,
        ) -> StoreFuture<'_, Result<Vec<DocumentHead>, StoreError>> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.heads(documents)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_many_documents_ask_within_a_short_time_is_one_question() {
        let counting = Arc::new(Counting::default());
        let store: Arc<dyn Store> = counting.clone();
        let heads = Heads::default();
        for round in 1..=3 {
            let ask = |number: u64| {
                let (heads, store) = (heads.clone(), store.clone());
                async move {
                    tokio::time::sleep(Duration::from_millis(number % 15)).await;
                    let document = DocumentId::new(u128::from(number % 500));
                    heads.ask(&store, document).await
                }
            };
            for answer in join_all((0..1_000).map(ask)).await {
                assert!(matches!(answer, Ok(None)), "{answer:?}");
            }
            assert_eq!(counting.1.load(Ordering::Relaxed), round);
        }
        heads.end().await;
    }
}
