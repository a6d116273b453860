//! What looking back has found and may be asked for again: the log never changes, so a text once
//! built stays right. Bounded; all of it can be built anew.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use collab_protocol::{DocumentId, Epoch, UserId};
use ot_core::Revision;

use super::replay::Place;
use super::spans::Spans;
use crate::store::LoggedOperation;

/// Something built for a few revisions of one document.
#[derive(Debug)]
pub(super) struct Kept<T> {
    by_revision: BTreeMap<Revision, (Place, T, usize)>,
    bytes: usize,
    bytes_max: usize,
}

impl<T: Clone> Kept<T> {
    fn new(bytes_max: usize) -> Self {
        Kept { by_revision: BTreeMap::new(), bytes: 0, bytes_max }
    }

    /// The one for the latest revision that is not later than `revision`.
    pub(super) fn nearest(&self, revision: Revision) -> Option<(Place, T)> {
        let (_, (place, value, _)) = self.by_revision.range(..=revision).next_back()?;
        Some((*place, value.clone()))
    }

    /// Keeps one. Where that makes too much, every second one goes, so that what is left lies all
    /// over the history.
    pub(super) fn keep(&mut self, place: Place, value: T, bytes: usize) {
        if self.by_revision.contains_key(&place.revision) || bytes > self.bytes_max {
            return;
        }
        self.by_revision.insert(place.revision, (place, value, bytes));
        self.bytes += bytes;
        while self.bytes > self.bytes_max {
            // Such that the last one stays.
            let mut goes = self.by_revision.len().is_multiple_of(2);
            self.by_revision.retain(|_, _| {
                goes = !goes;
                goes
            });
            self.bytes = self.by_revision.values().map(|(_, _, bytes)| bytes).sum();
        }
    }
}

/// Who committed each revision, and when.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    users: Vec<UserId>,
    numbers: HashMap<UserId, u32>,
    by_revision: Vec<(u32, i64)>,
}

impl Marks {
    /// Takes in operations, as far as they are new.
    pub(super) fn learn(&mut self, operations: &[LoggedOperation]) {
        for logged in operations {
            if logged.revision.get() == self.len() + 1 {
                let number = self.number(&logged.author);
                self.by_revision.push((number, logged.time_ms));
            }
        }
    }

    fn number(&mut self, user: &UserId) -> u32 {
        if let Some(number) = self.numbers.get(user) {
            return *number;
        }
        let number = u32::try_from(self.users.len()).expect("fewer people than 2^32");
        self.users.push(user.clone());
        self.numbers.insert(user.clone(), number);
        number
    }

    /// How many revisions were learnt.
    pub(super) fn len(&self) -> u64 {
        self.by_revision.len() as u64
    }

    /// The author's number and the time of a revision that was learnt.
    pub(super) fn of(&self, revision: u64) -> Option<(u32, i64)> {
        let index = usize::try_from(revision.checked_sub(1)?).ok()?;
        self.by_revision.get(index).copied()
    }

    /// The author with a number.
    pub(super) fn user(&self, number: u32) -> &UserId {
        &self.users[number as usize]
    }

    fn memory_bytes(&self) -> usize {
        self.by_revision.capacity() * size_of::<(u32, i64)>()
    }
}

/// All that is kept of one document.
#[derive(Debug)]
pub(super) struct Past {
    pub(super) texts: Kept<Arc<str>>,
    pub(super) spans: Kept<Arc<Spans>>,
    /// Reach at least to the latest revision in `spans`.
    pub(super) marks: Arc<Marks>,
}

impl Past {
    fn memory_bytes(&self) -> usize {
        self.texts.bytes + self.spans.bytes + self.marks.memory_bytes()
    }
}

/// A document's past, for one who looks at a time: who comes second finds what the first has built.
pub(super) type SharedPast = Arc<tokio::sync::Mutex<Past>>;

/// A document's past among those of others.
#[derive(Debug)]
struct Entry {
    key: (DocumentId, Epoch),
    past: SharedPast,
    /// Its size when it was last weighed.
    bytes: usize,
}

/// The documents that are looked at.
#[derive(Debug)]
pub(super) struct KeptPasts {
    /// The latest used last.
    pasts: Mutex<Vec<Entry>>,
    bytes_max: usize,
    document_bytes_max: usize,
}

impl KeptPasts {
    pub(super) fn new(bytes_max: usize, document_bytes_max: usize) -> Self {
        KeptPasts { pasts: Mutex::default(), bytes_max, document_bytes_max }
    }

    /// A document's past. The epoch names the line of history that it is of.
    pub(super) fn of(&self, document: DocumentId, epoch: Epoch) -> SharedPast {
        let mut pasts = self.pasts.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (document, epoch);
        let found = pasts.iter().position(|entry| entry.key == key);
        let entry = match found {
            Some(index) => pasts.remove(index),
            None => {
                let past = Past {
                    texts: Kept::new(self.document_bytes_max),
                    spans: Kept::new(self.document_bytes_max),
                    marks: Arc::default(),
                };
                let past = Arc::new(tokio::sync::Mutex::new(past));
                Entry { key, past, bytes: size_of::<Past>() }
            }
        };
        let past = entry.past.clone();
        pasts.push(entry);
        past
    }

    /// Notes how large a past has become, and lets go of those not used for longest.
    pub(super) fn weigh(&self, document: DocumentId, epoch: Epoch, past: &Past) {
        let mut pasts = self.pasts.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (document, epoch);
        if let Some(entry) = pasts.iter_mut().find(|entry| entry.key == key) {
            entry.bytes = size_of::<Past>() + past.memory_bytes();
        }
        let mut sum: usize = pasts.iter().map(|entry| entry.bytes).sum();
        while sum > self.bytes_max && !pasts.is_empty() {
            sum -= pasts.remove(0).bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ChainHash;

    fn place(revision: u64) -> Place {
        Place { revision: Revision::new(revision), chain: Some(ChainHash::START) }
    }

    #[test]
    fn what_is_kept_stays_bounded_and_spread_over_the_history() {
        let mut kept = Kept::new(100);
        for revision in 1..=1_000 {
            kept.keep(place(revision), revision, 10);
            assert!(kept.bytes <= 100);
        }
        let nearest = |at| kept.nearest(Revision::new(at)).map(|(place, _)| place.revision.get());
        assert_eq!(nearest(1_000), Some(1_000));
        assert!(nearest(900).is_some_and(|found| found <= 900), "{:?}", nearest(900));
        assert_eq!(nearest(0), None);
        kept.keep(place(2_000), 0, 101);
        assert_eq!(kept.nearest(Revision::new(2_000)).map(|(_, value)| value), Some(1_000));
    }

    #[tokio::test]
    async fn the_past_not_used_for_longest_goes_first() {
        let pasts = KeptPasts::new(4_000, 1_000);
        let epoch = Epoch::new(1);
        let fill = async |number: u128| {
            let document = DocumentId::new(number);
            let past = pasts.of(document, epoch);
            let mut past = past.lock().await;
            past.texts.keep(place(1), "x".into(), 1_000);
            pasts.weigh(document, epoch, &past);
        };
        let has = async |number: u128| {
            let past = pasts.of(DocumentId::new(number), epoch);
            past.lock().await.texts.nearest(Revision::new(1)).is_some()
        };
        for number in 1..=3 {
            fill(number).await;
        }
        assert!(has(1).await);
        fill(4).await;
        assert!(has(1).await && has(4).await);
        assert!(!has(2).await);
    }
}
