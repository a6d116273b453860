//! What went on in each document, window by window, as far back as the figures reach.
//!
//! Of a document only changes are kept: a mark says what each window counts until the next mark.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use collab_protocol::{DocumentFigures, DocumentId, TenantId, UserId};
use ot_core::Revision;

use super::{BUSIEST, HISTORY_LEN};
use crate::registry::RoomFigures;
use crate::rights::Visitor;
use crate::shown::Shown;

/// Marks kept of all documents together, 12 bytes each. Beyond it all reach back half as far.
const MARKS_MAX: usize = if cfg!(test) { 5_000 } else { 500_000 };

/// The windows of which operations are added up to tell how busy a document is.
const MINUTE: u64 = 60;

/// Whose a document is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Holder {
    pub(crate) tenant: TenantId,
    pub(crate) owner: UserId,
}

impl Holder {
    /// Whether somebody may do everything with it: its owner, and a back end of its tenant.
    fn is(&self, visitor: &Visitor) -> bool {
        self.tenant == visitor.tenant && (visitor.is_service || self.owner == visitor.user)
    }
}

/// A loaded document at the end of a window.
#[derive(Clone, Debug)]
pub(crate) struct RoomSecond {
    pub(crate) document: DocumentId,
    pub(crate) holder: Arc<Holder>,
    pub(crate) head: Revision,
    pub(crate) people: u32,
}

impl From<&RoomFigures> for RoomSecond {
    fn from(room: &RoomFigures) -> Self {
        RoomSecond {
            document: room.document,
            holder: Arc::clone(&room.holder),
            head: room.head,
            people: u32::try_from(room.people).unwrap_or(u32::MAX),
        }
    }
}

/// What each window counts, from `window` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    window: u32,
    operations: u32,
    people: u32,
}

/// Invariant: marks are in order of their windows, neighbours differ, and there is one.
#[derive(Debug)]
struct Entry {
    holder: Arc<Holder>,
    head: Revision,
    /// The last window at whose end it was loaded.
    loaded: u64,
    marks: VecDeque<Mark>,
}

impl Entry {
    /// Notes a window; whether that took a mark.
    fn mark(&mut self, window: u64, operations: u32, people: u32) -> bool {
        let is_same = |mark: &Mark| mark.operations == operations && mark.people == people;
        if self.marks.back().is_some_and(is_same) {
            return false;
        }
        // 136 years of windows.
        let window = u32::try_from(window).unwrap_or(u32::MAX);
        self.marks.push_back(Mark { window, operations, people });
        true
    }

    /// Forgets what was before a window; how many marks that took.
    fn forget(&mut self, before: u64) -> usize {
        let len = self.marks.len();
        while self.marks.get(1).is_some_and(|next| u64::from(next.window) <= before) {
            self.marks.pop_front();
        }
        len - self.marks.len()
    }

    fn last(&self) -> Mark {
        self.marks.back().copied().unwrap_or(Mark { window: 0, operations: 0, people: 0 })
    }

    fn is_silent(&self) -> bool {
        self.marks.len() == 1 && self.last().operations == 0 && self.last().people == 0
    }

    /// Its marks from the one before `end` back to the one that holds at `first`, which is before
    /// that; each with its first window from there on and the one behind its last.
    fn stretches(&self, first: u64, end: u64) -> impl Iterator<Item = (u64, u64, Mark)> {
        let mut until = end;
        let back = self.marks.iter().rev().map(move |mark| {
            let begins = u64::from(mark.window).min(end);
            (begins.max(first), std::mem::replace(&mut until, begins), *mark)
        });
        back.take_while(move |(_, until, _)| *until > first)
    }

    fn operations_minute(&self, window: u64) -> u32 {
        let sum = self
            .stretches((window + 1).saturating_sub(MINUTE), window + 1)
            .map(|(from, until, mark)| (until - from) * u64::from(mark.operations))
            .sum::<u64>();
        u32::try_from(sum).unwrap_or(u32::MAX)
    }
}

/// A document among the busiest.
#[derive(Clone, Debug)]
struct Busy {
    document: DocumentId,
    holder: Arc<Holder>,
    people: u32,
    operations: u32,
    operations_minute: u32,
}

impl Busy {
    fn figures(&self, visitor: &Visitor) -> DocumentFigures {
        DocumentFigures {
            number: Shown(self.document).number(),
            doc: self.holder.is(visitor).then_some(self.document),
            people: self.people,
            operations: self.operations,
            operations_minute: self.operations_minute,
        }
    }
}

/// What the documents of somebody count in a window, together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) people: u32,
    pub(super) documents: u32,
    pub(super) operations: u32,
}

/// See the module.
///
/// Invariant: `marks` is how many there are; `by_holder` has each document under its holder.
#[derive(Debug, Default)]
pub(super) struct Documents {
    entries: HashMap<DocumentId, Entry>,
    by_holder: HashMap<Arc<Holder>, BTreeSet<DocumentId>>,
    marks: usize,
    /// The busiest of all at the last window, once somebody has asked.
    busiest: Option<Vec<Busy>>,
}

impl Documents {
    /// Notes what each loaded document was at the end of a window. Windows come in order.
    pub(super) fn add(&mut self, window: u64, rooms: &[RoomSecond]) {
        self.busiest = None;
        rooms.iter().for_each(|room| self.note(window, room));
        let horizon = window.saturating_sub(HISTORY_LEN as u64);
        self.sweep(window, horizon);
        let mut reach = HISTORY_LEN as u64;
        while self.marks > MARKS_MAX && reach > 0 {
            reach /= 2;
            self.sweep(window, window - reach);
        }
    }

    fn note(&mut self, window: u64, room: &RoomSecond) {
        let entry = self.entries.entry(room.document).or_insert_with(|| {
            self.by_holder.entry(Arc::clone(&room.holder)).or_default().insert(room.document);
            // What was committed before it was seen belongs to no window.
            let (holder, head) = (Arc::clone(&room.holder), room.head);
            Entry { holder, head, loaded: window, marks: VecDeque::new() }
        });
        if entry.holder != room.holder {
            let before = std::mem::replace(&mut entry.holder, Arc::clone(&room.holder));
            remove(&mut self.by_holder, &before, room.document);
            self.by_holder.entry(Arc::clone(&room.holder)).or_default().insert(room.document);
        }
        let grown = room.head.get().saturating_sub(entry.head.get());
        (entry.head, entry.loaded) = (room.head, window);
        let grown = u32::try_from(grown).unwrap_or(u32::MAX);
        self.marks += usize::from(entry.mark(window, grown, room.people));
    }

    /// Notes that what is not loaded is silent, and forgets what is before `horizon`.
    fn sweep(&mut self, window: u64, horizon: u64) {
        let Documents { entries, by_holder, marks, .. } = self;
        entries.retain(|document, entry| {
            if entry.loaded < window {
                *marks += usize::from(entry.mark(window, 0, 0));
            }
            *marks -= entry.forget(horizon);
            let stays = entry.loaded == window
                || !entry.is_silent()
                || u64::from(entry.last().window) > horizon;
            if !stays {
                *marks -= entry.marks.len();
                remove(by_holder, &entry.holder, *document);
            }
            stays
        });
    }

    /// The busiest documents of all.
    pub(super) fn busiest(&mut self, window: u64, visitor: &Visitor) -> Vec<DocumentFigures> {
        let entries = &self.entries;
        let busiest = self.busiest.get_or_insert_with(|| {
            rank(entries.iter().map(|(document, entry)| busy(*document, entry, window)))
        });
        busiest.iter().map(|busy| busy.figures(visitor)).collect()
    }

    /// The busiest of those that somebody may do everything with.
    pub(super) fn own_busiest(&self, window: u64, visitor: &Visitor) -> Vec<DocumentFigures> {
        let ranked = rank(self.own(visitor).map(|(id, entry)| busy(id, entry, window)));
        ranked.iter().map(|busy| busy.figures(visitor)).collect()
    }

    /// What those count in each window from `first` on, before `end`.
    pub(super) fn own_sums(&self, first: u64, end: u64, visitor: &Visitor) -> Vec<Sum> {
        let len = usize::try_from(end.saturating_sub(first)).unwrap_or(0).min(HISTORY_LEN);
        if len == 0 {
            return Vec::new();
        }
        // By how much each window differs from the one before it.
        let mut steps = vec![[0_i64; 3]; len + 1];
        for (_, entry) in self.own(visitor) {
            for (from, until, mark) in entry.stretches(first, end) {
                let documents = i64::from(mark.people > 0);
                let adds = [mark.people.into(), documents, mark.operations.into()];
                for (index, add) in adds.into_iter().enumerate() {
                    steps[(from - first) as usize][index] += add;
                    steps[(until - first) as usize][index] -= add;
                }
            }
        }
        let narrow = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
        let mut now = [0; 3];
        let sums = steps.iter().take(len).map(|step| {
            (0..3).for_each(|index| now[index] += step[index]);
            let [people, documents, operations] = now.map(narrow);
            Sum { people, documents, operations }
        });
        sums.collect()
    }

    fn own(&self, visitor: &Visitor) -> impl Iterator<Item = (DocumentId, &Entry)> {
        let holder = Holder { tenant: visitor.tenant.clone(), owner: visitor.user.clone() };
        let person = self.by_holder.get(&holder).into_iter().filter(|_| !visitor.is_service);
        let tenant =
            self.by_holder.iter().filter(|(holder, _)| visitor.is_service && holder.is(visitor));
        let documents = person.chain(tenant.map(|(_, documents)| documents)).flatten();
        documents.filter_map(|document| Some((*document, self.entries.get(document)?)))
    }
}

fn remove(
    by_holder: &mut HashMap<Arc<Holder>, BTreeSet<DocumentId>>,
    holder: &Arc<Holder>,
    document: DocumentId,
) {
    let Some(documents) = by_holder.get_mut(holder) else { return };
    documents.remove(&document);
    if documents.is_empty() {
        by_holder.remove(holder);
    }
}

fn busy(document: DocumentId, entry: &Entry, window: u64) -> Busy {
    let Mark { operations, people, .. } = entry.last();
    let operations_minute = entry.operations_minute(window);
    Busy { document, holder: Arc::clone(&entry.holder), people, operations, operations_minute }
}

/// The busiest, busiest first: by what was done in a minute, then by who is there.
fn rank(all: impl Iterator<Item = Busy>) -> Vec<Busy> {
    let mut busy: Vec<Busy> =
        all.filter(|busy| busy.operations_minute > 0 || busy.people > 0).collect();
    let key = |busy: &Busy| {
        let rank = (busy.operations_minute, busy.people);
        (std::cmp::Reverse(rank), busy.document)
    };
    if busy.len() > BUSIEST {
        busy.select_nth_unstable_by_key(BUSIEST, key);
        busy.truncate(BUSIEST);
    }
    busy.sort_unstable_by_key(key);
    busy
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(owner: &str) -> Arc<Holder> {
        let owner = owner.parse().expect("an id");
        Arc::new(Holder { tenant: TenantId::default(), owner })
    }

    fn room(document: u128, owner: &str, head: u64, people: u32) -> RoomSecond {
        let (document, head) = (DocumentId::new(document), Revision::new(head));
        RoomSecond { document, holder: holder(owner), head, people }
    }

    fn visitor(user: &str) -> Visitor {
        user.parse::<collab_protocol::UserId>().expect("an id").into()
    }

    fn service() -> Visitor {
        Visitor { is_service: true, ..visitor("backend") }
    }

    fn sums(documents: &Documents, first: u64, end: u64, user: &str) -> Vec<(u32, u32, u32)> {
        let sums = documents.own_sums(first, end, &visitor(user)).into_iter();
        sums.map(|sum| (sum.people, sum.documents, sum.operations)).collect()
    }

    #[test]
    fn windows_are_summed_over_ones_own_documents_alone() {
        let mut documents = Documents::default();
        documents.add(1, &[room(1, "ada", 10, 1), room(2, "ada", 0, 2), room(3, "ben", 5, 1)]);
        documents.add(2, &[room(1, "ada", 14, 1), room(2, "ada", 1, 2), room(3, "ben", 9, 1)]);
        documents.add(3, &[room(1, "ada", 18, 1), room(3, "ben", 9, 1)]);
        documents.add(4, &[room(1, "ada", 18, 0), room(3, "ben", 9, 1)]);
        let expected = [(3, 2, 0), (3, 2, 5), (1, 1, 4), (0, 0, 0)];
        assert_eq!(sums(&documents, 1, 5, "ada"), expected);
        assert_eq!(sums(&documents, 3, 5, "ada"), expected[2..]);
        assert_eq!(sums(&documents, 5, 5, "ada"), []);
        assert_eq!(sums(&documents, 2, 4, "ben"), [(1, 1, 4), (1, 1, 0)]);
        assert_eq!(sums(&documents, 2, 3, "cleo"), [(0, 0, 0)]);
        let all = documents.own_sums(2, 3, &service());
        assert_eq!(all, [Sum { people: 4, documents: 3, operations: 9 }]);
        let stranger = Visitor { tenant: "acme".parse().expect("an id"), ..service() };
        assert_eq!(documents.own_sums(2, 3, &stranger), [Sum::default()]);
    }

    #[test]
    fn what_was_unloaded_is_remembered_for_fifteen_minutes_and_then_not_at_all() {
        let mut documents = Documents::default();
        documents.add(1, &[room(1, "ada", 0, 1)]);
        documents.add(2, &[room(1, "ada", 7, 1)]);
        documents.add(3, &[]);
        // Committed while it was not here: of no window, but of the one in which it comes back.
        documents.add(4, &[room(1, "ada", 9, 1)]);
        assert_eq!(sums(&documents, 2, 5, "ada"), [(1, 1, 7), (0, 0, 0), (1, 1, 2)]);
        let end = 5 + HISTORY_LEN as u64;
        (5..end).for_each(|window| documents.add(window, &[]));
        assert_eq!(documents.entries.len(), 1, "its last window is 15 minutes old");
        documents.add(end, &[]);
        assert!(documents.entries.is_empty() && documents.by_holder.is_empty());
        assert_eq!(documents.marks, 0);
    }

    #[test]
    fn who_hands_a_document_over_hears_no_more_of_it() {
        let mut documents = Documents::default();
        documents.add(1, &[room(1, "ada", 0, 1)]);
        documents.add(2, &[room(1, "ben", 1, 1)]);
        assert_eq!(sums(&documents, 1, 3, "ada"), [(0, 0, 0); 2]);
        assert_eq!(sums(&documents, 2, 3, "ben"), [(1, 1, 1)]);
        assert_eq!(documents.by_holder.len(), 1);
    }

    #[test]
    fn the_busiest_come_first_bounded_and_named_to_who_may_know() {
        let mut documents = Documents::default();
        let rooms = |head: u64| -> Vec<RoomSecond> {
            let owner = |number| if number % 2 == 0 { "ada" } else { "ben" };
            (1..=50).map(|number| room(number, owner(number), head * number as u64, 1)).collect()
        };
        documents.add(1, &rooms(0));
        documents.add(2, &rooms(1));
        documents.add(3, &[rooms(1), vec![room(99, "ada", 0, 0)]].concat());
        let busiest = documents.busiest(3, &visitor("ada"));
        let minutes: Vec<u32> = busiest.iter().map(|busy| busy.operations_minute).collect();
        assert_eq!(minutes, (31..=50).rev().collect::<Vec<u32>>());
        assert!(busiest.iter().all(|busy| busy.operations == 0));
        for busy in &busiest {
            let own = busy.operations_minute % 2 == 0;
            let id = DocumentId::new(busy.operations_minute.into());
            assert_eq!(busy.doc, own.then_some(id));
        }
        let own = documents.own_busiest(3, &visitor("ada"));
        assert_eq!(own.len(), BUSIEST);
        assert!(own.iter().all(|busy| busy.doc.is_some() && busy.operations_minute % 2 == 0));
        // A minute later nothing was done lately; people are there still.
        (4..=62).for_each(|window| documents.add(window, &rooms(1)));
        assert!(documents.busiest(62, &visitor("ada")).iter().all(|b| b.operations_minute == 0));
    }

    #[test]
    fn marks_are_kept_for_changes_only_and_bounded() {
        let mut documents = Documents::default();
        for window in 1..=1_000 {
            documents.add(window, &[room(1, "ada", window * 3, 2)]);
        }
        assert!(documents.marks <= 2, "always the same: {}", documents.marks);
        let many = |window: u64| -> Vec<RoomSecond> {
            (0..20).map(|number| room(number, "ada", 1 << 20, (window % 2) as u32)).collect()
        };
        (1_001..1_400).for_each(|window| documents.add(window, &many(window)));
        assert!(documents.marks <= MARKS_MAX);
        assert_eq!(
            documents.marks,
            documents.entries.values().map(|e| e.marks.len()).sum::<usize>()
        );
        assert_eq!(sums(&documents, 1_390, 1_392, "ada"), [(0, 0, 0), (20, 20, 0)]);
    }
}
