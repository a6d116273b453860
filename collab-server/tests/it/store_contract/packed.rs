//! The packed log: no answer changes, whatever is packed when.

use collab_protocol::{ClientId, DocumentId};
use collab_server::{
    LoggedOperation, Pack, PackOutcome, PackedRow, PageLimit, Snapshot, Store, StoreError,
    pack_document,
};
use ot_core::testing::EditPlan;
use ot_core::{ClientSeq, Revision, Text};

use super::support::{DOCUMENT, Database, Pen, client, is_done, text_of, user};

/// A small generator of its own, so that a case can be seen again.
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }
}

/// Three people with four clients, who write and delete all over a document.
pub(super) struct Writers {
    numbers: Numbers,
    pen: Pen,
    text: Text,
    seqs: [u64; 4],
}

impl Writers {
    async fn begin(store: &dyn Store, seed: u64) -> Self {
        Writers::begin_in(store, DOCUMENT, seed).await
    }

    pub(super) async fn begin_in(store: &dyn Store, document: DocumentId, seed: u64) -> Self {
        let pen = Pen::create(store, document).await;
        Writers { numbers: Numbers(seed), pen, text: Text::new(), seqs: [0; 4] }
    }

    pub(super) async fn write(&mut self, store: &dyn Store, count: usize) {
        for _ in 0..count {
            let bytes: Vec<u8> = (0..24).map(|_| self.numbers.below(256) as u8).collect();
            let mut choices = ot_core::testing::Choices::new(&bytes);
            let plan =
                EditPlan::draw(&mut choices, |choices| ['a', 'é', '\n', '😀'][choices.below(4)]);
            let who = self.numbers.below(4);
            self.seqs[who] += 1 + self.numbers.below(2) as u64;
            self.pen.time_ms += self.numbers.below(3) as i64 * 10;
            let base = self.pen.head;
            let operation = plan.on(self.text.len_chars());
            self.text.apply(&operation).expect("made for it");
            let (client, author) = (client(who as u128), who % 3);
            let new = self.pen.edit(client, self.seqs[who], author, operation);
            let outcome = store.append(self.pen.append(base, vec![new])).await;
            assert!(is_done(&outcome), "{outcome:?}");
        }
    }

    pub(super) async fn snapshot(&self, store: &dyn Store) {
        let snapshot = Snapshot {
            revision: self.pen.head,
            text: self.text.contents().into(),
            chain: self.pen.chain,
            time_ms: self.pen.time_ms,
        };
        store.write_snapshot(self.pen.document, snapshot).await.expect("written");
    }
}

async fn whole_log(store: &dyn Store, limit: PageLimit) -> Vec<LoggedOperation> {
    let mut log: Vec<LoggedOperation> = Vec::new();
    loop {
        let after = log.last().map_or(Revision::ZERO, |last| last.revision);
        let page = store.since(DOCUMENT, after, limit).await.expect("reads");
        if page.operations.is_empty() {
            assert_eq!(after, page.head);
            return log;
        }
        log.extend(page.operations);
    }
}

async fn packed_count(store: &dyn Store) -> u64 {
    let spans = store.packed_log(DOCUMENT).await.expect("reads");
    spans.iter().map(|span| span.operation_count()).sum()
}

/// Everything that a store answers about a history.
async fn answers(store: &dyn Store, log: &[LoggedOperation]) -> Vec<String> {
    let mut answers = Vec::new();
    let loaded = store.load(DOCUMENT).await.expect("loads");
    answers.push(text_of(&loaded));
    answers.push(format!("{:?} {:?}", loaded.record, loaded.tail));
    for one in log {
        let found = store.find_submission(DOCUMENT, one.client, one.seq).await.expect("asks");
        assert_eq!(found, Some(one.revision), "every submission is found for ever");
        let unused = ClientSeq::new(one.seq.get() + 1_000);
        let found = store.find_submission(DOCUMENT, one.client, unused).await.expect("asks");
        assert_eq!(found, None);
    }
    for who in 0..4 {
        let progress = store.progress(DOCUMENT, client(who)).await.expect("asks");
        answers.push(format!("{progress:?}"));
        // Numbers that were passed over are in no page either.
        for seq in 1..40 {
            let found = store.find_submission(DOCUMENT, client(who), ClientSeq::new(seq)).await;
            answers.push(format!("{:?}", found.expect("asks")));
        }
    }
    for time_ms in (1_900..6_000).step_by(35) {
        let found = store.revision_at(DOCUMENT, time_ms).await.expect("asks");
        answers.push(format!("{time_ms}: {found}"));
    }
    for width in [1, 7, 1_000] {
        answers.push(format!("{:?}", store.activity(DOCUMENT, width).await.expect("asks")));
    }
    for after in [0, 1, 17, 60, 99] {
        let limit = PageLimit { operations_max: 7, bytes_max: 60 };
        let page = store.since(DOCUMENT, Revision::new(after), limit).await.expect("reads");
        answers.push(format!("{:?} {}", page.operations, page.head));
    }
    answers
}

pub(crate) async fn packing_changes_no_answer(database: &impl Database) {
    let store = database.store();
    let mut writers = Writers::begin(store, 11).await;
    let few = PageLimit { operations_max: 9, bytes_max: 4_000 };
    for (round, count) in [40, 3, 25, 1, 50].into_iter().enumerate() {
        writers.write(store, count).await;
        writers.snapshot(store).await;
        writers.write(store, round * 3).await;
        let log = whole_log(store, PageLimit::DEFAULT).await;
        let before = answers(store, &log).await;
        let report = pack_document(store, DOCUMENT, 1).await.expect("packs");
        assert!(report.pages > 0 && packed_count(store).await >= count as u64);
        assert_eq!(answers(store, &log).await, before, "round {round}");
        assert_eq!(whole_log(store, PageLimit::DEFAULT).await, log);
        assert_eq!(whole_log(store, few).await, log, "in small steps");
    }
    assert_eq!(pack_document(store, DOCUMENT, 1).await.expect("packs").pages, 0, "all is packed");
}

pub(crate) async fn pages_are_read_one_by_one_and_make_the_text(database: &impl Database) {
    let store = database.store();
    let mut writers = Writers::begin(store, 12).await;
    for _ in 0..6 {
        writers.write(store, 20).await;
        writers.snapshot(store).await;
        pack_document(store, DOCUMENT, 1).await.expect("packs");
    }
    let spans = store.packed_log(DOCUMENT).await.expect("reads");
    assert!((2..=3).contains(&spans.len()), "small neighbours are merged: {spans:?}");
    let (mut text, mut at) = (Text::new(), Revision::ZERO);
    for span in &spans {
        let one = PageLimit { operations_max: 1, bytes_max: 1 };
        let pages = store.packed_pages(DOCUMENT, at, one).await.expect("reads");
        let [page] = &pages[..] else { panic!("one page at a time") };
        assert_eq!((page.first.get(), page.last), (at.get() + 1, span.last));
        assert_eq!((page.chain, page.body.len() as u64), (span.chain, span.bytes));
        page.page(DOCUMENT).expect("opens").replay(&mut text, Revision::MAX).expect("replays");
        at = page.last;
    }
    assert_eq!((at, text.contents()), (writers.pen.head, writers.text.contents()));
    let within = store.packed_pages(DOCUMENT, Revision::new(1), PageLimit::DEFAULT).await;
    assert_eq!(within.expect("reads").len(), spans.len(), "a page that is begun is given whole");
    let behind = store.packed_pages(DOCUMENT, at, PageLimit::DEFAULT).await.expect("reads");
    assert_eq!(behind, []);
}

pub(crate) async fn only_what_a_snapshot_covers_is_packed(database: &impl Database) {
    let store = database.store();
    let mut writers = Writers::begin(store, 13).await;
    writers.write(store, 10).await;
    assert_eq!(pack_document(store, DOCUMENT, 1).await.expect("asks").pages, 0, "no snapshot");
    writers.snapshot(store).await;
    assert_eq!(pack_document(store, DOCUMENT, 11).await.expect("asks").pages, 0, "too few");
    writers.write(store, 10).await;
    pack_document(store, DOCUMENT, 10).await.expect("packs");
    assert_eq!(packed_count(store).await, 10);
    let missing = pack_document(store, DocumentId::new(404), 1).await;
    assert!(matches!(missing, Err(StoreError::NotFound)));
}

/// The page of the first `count` operations of a log.
fn page_of(log: &[LoggedOperation], count: usize) -> PackedRow {
    let last = &log[count - 1];
    PackedRow {
        first: log[0].revision,
        last: last.revision,
        chain: last.chain,
        last_ms: last.time_ms,
        body: collab_server::PackedPage::encode(&log[..count]).expect("packs").into(),
    }
}

pub(crate) async fn page_that_is_not_what_the_log_holds_is_refused(database: &impl Database) {
    let store = database.store();
    let mut writers = Writers::begin(store, 14).await;
    writers.write(store, 12).await;
    let log = whole_log(store, PageLimit::DEFAULT).await;
    let start = collab_server::ChainHash::START;
    let pack = |row: PackedRow| Pack { row, previous: start, merged: vec![], clients: vec![] };
    let outcome = |pack: Pack| async { store.pack(DOCUMENT, pack).await.expect("answers") };
    assert_eq!(outcome(pack(page_of(&log, 8))).await, PackOutcome::Conflict, "no snapshot");
    writers.snapshot(store).await;

    let right = page_of(&log, 8);
    let other_chain = PackedRow { chain: log[3].chain, ..right.clone() };
    assert_eq!(outcome(pack(other_chain)).await, PackOutcome::Conflict, "another chain");
    let gap = PackedRow { first: Revision::new(2), ..right.clone() };
    assert_eq!(outcome(pack(gap)).await, PackOutcome::Conflict, "does not begin at 1");
    let beyond = PackedRow { last: Revision::new(13), ..right.clone() };
    assert_eq!(outcome(pack(beyond)).await, PackOutcome::Conflict, "ends behind the log");
    let merges = Pack { merged: vec![Revision::new(4)], ..pack(right.clone()) };
    assert_eq!(outcome(merges).await, PackOutcome::Conflict, "takes in a page that is not there");
    assert_eq!(packed_count(store).await, 0);
    assert_eq!(whole_log(store, PageLimit::DEFAULT).await, log, "nothing was written");

    assert_eq!(outcome(pack(right.clone())).await, PackOutcome::Done);
    assert_eq!(outcome(pack(right)).await, PackOutcome::Conflict, "it is there already");
    assert_eq!(whole_log(store, PageLimit::DEFAULT).await, log);
    let missing = store.pack(DocumentId::new(404), pack(page_of(&log, 8))).await;
    assert!(!matches!(missing, Ok(PackOutcome::Done)), "{missing:?}");
}

pub(crate) async fn appends_and_two_packers_at_once_lose_nothing(database: &impl Database) {
    let store = database.store();
    let mut writers = Writers::begin(store, 15).await;
    writers.write(store, 60).await;
    writers.snapshot(store).await;
    let packing = || async {
        for _ in 0..10 {
            pack_document(store, DOCUMENT, 1).await.expect("packs, or lets the other");
            tokio::task::yield_now().await;
        }
    };
    let writing = async {
        for _ in 0..10 {
            writers.write(store, 4).await;
            writers.snapshot(store).await;
        }
    };
    let reading = async {
        for _ in 0..20 {
            let log = whole_log(store, PageLimit { operations_max: 30, bytes_max: 9_000 }).await;
            assert!(
                log.len() >= 60 && log.iter().zip(1..).all(|(one, at)| one.revision.get() == at)
            );
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(packing(), packing(), writing, reading);
    pack_document(store, DOCUMENT, 1).await.expect("packs");
    assert_eq!(packed_count(store).await, 100);
    let loaded = store.load(DOCUMENT).await.expect("loads");
    assert_eq!(text_of(&loaded), writers.text.contents());
}

pub(crate) async fn old_snapshots_stay_while_the_packed_log_outweighs_them(
    database: &impl Database,
) {
    let store = database.store();
    let mut writers = Writers::begin(store, 16).await;
    for _ in 0..8 {
        writers.write(store, 40).await;
        writers.snapshot(store).await;
        pack_document(store, DOCUMENT, 1).await.expect("packs");
        let revisions = store.snapshot_revisions(DOCUMENT).await.expect("reads");
        let mut bytes = Vec::new();
        for at in &revisions {
            let found = store.snapshot_at_or_before(DOCUMENT, *at).await.expect("reads");
            bytes.push(found.expect("there").text.len() as u64);
        }
        let old: u64 = bytes[..bytes.len().saturating_sub(2)].iter().sum();
        let spans = store.packed_log(DOCUMENT).await.expect("reads");
        assert!(old <= spans.iter().map(|span| span.bytes).sum(), "{revisions:?} {bytes:?}");
        assert_eq!(revisions.last(), Some(&writers.pen.head));
    }
    assert!(store.snapshot_revisions(DOCUMENT).await.expect("reads").len() > 2, "some stay");
}

pub(crate) async fn everything_there_is_can_be_listed(database: &impl Database) {
    let store = database.store();
    for id in [5, 3, 4] {
        Pen::create(store, DocumentId::new(id)).await;
    }
    store.set_deleted(DocumentId::new(4), Some(1)).await.expect("deleted");
    let ids = |after: Option<u128>, limit| async move {
        let found = store.document_ids(after.map(DocumentId::new), limit).await.expect("reads");
        found.into_iter().map(DocumentId::get).collect::<Vec<_>>()
    };
    assert_eq!(ids(None, 9).await, [3, 4, 5]);
    assert_eq!(ids(Some(3), 1).await, [4]);
    assert_eq!(ids(Some(5), 9).await, []);

    let mut writers = Writers::begin(store, 17).await;
    writers.write(store, 30).await;
    writers.snapshot(store).await;
    let clients = store.clients(DOCUMENT, None, 99).await.expect("reads");
    assert_eq!(clients.len(), 4);
    for (id, progress) in &clients {
        let known = store.progress(DOCUMENT, *id).await.expect("reads");
        assert_eq!(known.as_ref(), Some(progress));
        assert_eq!(progress.author, user(id.get() as usize % 3));
    }
    let rest = store.clients(DOCUMENT, Some(clients[0].0), 2).await.expect("reads");
    assert_eq!(rest, clients[1..3]);

    pack_document(store, DOCUMENT, 1).await.expect("packs");
    let spans = store.packed_log(DOCUMENT).await.expect("reads");
    let in_pages = store.packed_clients(DOCUMENT, spans[0].last).await.expect("reads");
    let ids: Vec<ClientId> = in_pages.iter().map(|known| known.client).collect();
    assert_eq!(ids, clients.iter().map(|(id, _)| *id).collect::<Vec<_>>());
    assert!(store.orphans(9).await.expect("reads").is_empty());
}
