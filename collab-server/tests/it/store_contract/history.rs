//! Loading: the whole truth or an error.

use std::sync::Arc;

use collab_protocol::DocumentId;
use collab_server::{NewDocument, PageLimit, PersonRecord, Snapshot, Store, StoreError};
use ot_core::Revision;

use super::support::{DOCUMENT, Database, Pen, client, new_document, text_of, user};

pub(crate) async fn new_document_is_empty(database: &impl Database) {
    let store = database.store();
    let new = new_document(DOCUMENT, "Plan", "");
    store.create_document(new.clone()).await.expect("created");
    let loaded = store.load(DOCUMENT).await.expect("loads");
    assert_eq!((loaded.record.revision, text_of(&loaded).as_str()), (Revision::ZERO, ""));
    let record = store.document(DOCUMENT).await.expect("reads");
    assert_eq!(record, loaded.record);
    assert_eq!(
        (record.title.as_str(), &record.owner, record.epoch),
        ("Plan", &new.owner, new.epoch)
    );
    assert_eq!((record.text_key, record.deleted_ms), (new.text_key, None));
}

pub(crate) async fn document_begins_with_its_text_as_revision_one(database: &impl Database) {
    let store = database.store();
    store.create_document(new_document(DOCUMENT, "", "Dear 😀")).await.expect("created");
    let loaded = store.load(DOCUMENT).await.expect("loads");
    assert_eq!((loaded.record.revision, loaded.record.len_chars), (Revision::new(1), 6));
    assert_eq!(text_of(&loaded), "Dear 😀");
    assert_eq!(loaded.tail[0].author, user(1));
}

pub(crate) async fn missing_document_is_an_error_not_an_empty_text(database: &impl Database) {
    let store = database.store();
    let missing = DocumentId::new(404);
    assert!(matches!(store.load(missing).await, Err(StoreError::NotFound)));
    assert!(matches!(store.document(missing).await, Err(StoreError::NotFound)));
    let page = store.since(missing, Revision::ZERO, PageLimit::DEFAULT).await;
    assert!(matches!(page, Err(StoreError::NotFound)));
    let renamed = store.rename_document(missing, "x".to_owned(), 1).await;
    assert!(matches!(renamed, Err(StoreError::NotFound)));
    assert!(matches!(store.set_deleted(missing, Some(1)).await, Err(StoreError::NotFound)));
}

pub(crate) async fn creating_twice_is_refused_and_changes_nothing(database: &impl Database) {
    let store = database.store();
    store.create_document(new_document(DOCUMENT, "First", "one")).await.expect("created");
    let again = store.create_document(new_document(DOCUMENT, "Second", "two")).await;
    assert!(matches!(again, Err(StoreError::AlreadyExists)), "{again:?}");
    let loaded = store.load(DOCUMENT).await.expect("loads");
    assert_eq!((loaded.record.title.as_str(), text_of(&loaded).as_str()), ("First", "one"));
}

pub(crate) async fn nul_is_never_stored(database: &impl Database) {
    let store = database.store();
    let is_invalid = |result: Result<(), StoreError>| {
        assert!(matches!(result, Err(StoreError::Invalid { .. })), "{result:?}");
    };
    is_invalid(store.create_document(new_document(DOCUMENT, "a\0b", "")).await);
    is_invalid(store.create_document(new_document(DOCUMENT, "", "a\0b")).await);
    assert!(matches!(store.load(DOCUMENT).await, Err(StoreError::NotFound)));

    let pen = Pen::create(store, DOCUMENT).await;
    is_invalid(store.rename_document(DOCUMENT, "\0".to_owned(), 1).await);
    let text = "a\0".into();
    let snapshot = Snapshot { revision: Revision::ZERO, text, chain: pen.chain, time_ms: 1 };
    is_invalid(store.write_snapshot(DOCUMENT, snapshot).await);
    let name = "a\0".to_owned();
    is_invalid(store.put_person(PersonRecord { id: user(1), name, color: 0, created_ms: 1 }).await);
    assert_eq!(store.document(DOCUMENT).await.expect("reads").title, "Notes");
}

pub(crate) async fn carriage_return_is_refused_in_a_first_text(database: &impl Database) {
    let store = database.store();
    let new = NewDocument { text: "a\r\nb".to_owned(), ..new_document(DOCUMENT, "", "") };
    let refused = store.create_document(new).await;
    assert!(matches!(refused, Err(StoreError::Invalid { .. })), "{refused:?}");
}

/// Writes `count` operations of "x" and takes a snapshot at each revision of `at`.
async fn written(store: &dyn Store, count: u64, at: &[u64]) -> Pen {
    let mut pen = Pen::create(store, DOCUMENT).await;
    for seq in 1..=count {
        pen.commit(store, client(1), seq, "x").await;
        if at.contains(&seq) {
            snapshot(store, &pen).await.expect("written");
        }
    }
    pen
}

async fn snapshot(store: &dyn Store, pen: &Pen) -> Result<(), StoreError> {
    let text: Arc<str> = "x".repeat(pen.len).into();
    let snapshot = Snapshot { revision: pen.head, text, chain: pen.chain, time_ms: 3_000 };
    store.write_snapshot(pen.document, snapshot).await
}

pub(crate) async fn load_gives_the_newest_snapshot_and_the_tail_behind_it(
    database: &impl Database,
) {
    let store = database.store();
    written(store, 7, &[2, 4]).await;
    let loaded = store.load(DOCUMENT).await.expect("loads");
    let revision = loaded.snapshot.as_ref().map(|snapshot| snapshot.revision);
    assert_eq!((revision, loaded.tail.len()), (Some(Revision::new(4)), 3));
    assert_eq!(text_of(&loaded), "xxxxxxx");
}

pub(crate) async fn snapshot_ahead_of_the_log_is_refused(database: &impl Database) {
    let store = database.store();
    let mut pen = written(store, 2, &[]).await;
    let _not_sent = pen.write(client(1), 3, 1, "x");
    let refused = snapshot(store, &pen).await;
    assert!(matches!(refused, Err(StoreError::Corrupt { .. })), "{refused:?}");
    let loaded = store.load(DOCUMENT).await.expect("loads");
    assert!(loaded.snapshot.is_none());
    assert_eq!(text_of(&loaded), "xx");
}

pub(crate) async fn snapshot_of_a_revision_is_kept_as_it_is(database: &impl Database) {
    let store = database.store();
    let pen = written(store, 2, &[2]).await;
    let other = Snapshot { revision: pen.head, text: "yy".into(), chain: pen.chain, time_ms: 9 };
    store.write_snapshot(DOCUMENT, other).await.expect("passed over");
    let loaded = store.load(DOCUMENT).await.expect("loads");
    assert_eq!(text_of(&loaded), "xx");
}

pub(crate) async fn only_the_newest_two_snapshots_stay(database: &impl Database) {
    let store = database.store();
    let pen = written(store, 5, &[1, 2, 3, 4]).await;
    // An old one, written late, does not push a newer one out.
    let late =
        Snapshot { revision: Revision::new(1), text: "x".into(), chain: pen.chain, time_ms: 9 };
    store.write_snapshot(DOCUMENT, late).await.expect("written or passed over");
    let loaded = store.load(DOCUMENT).await.expect("loads");
    let revision = loaded.snapshot.as_ref().map(|snapshot| snapshot.revision);
    assert_eq!((revision, loaded.tail.len()), (Some(Revision::new(4)), 1));
}

pub(crate) async fn history_stays_whole_behind_snapshots(database: &impl Database) {
    let store = database.store();
    written(store, 9, &[3, 6, 9]).await;
    let page = store.since(DOCUMENT, Revision::ZERO, PageLimit::DEFAULT).await.expect("a page");
    assert_eq!(page.operations.len(), 9);
    let loaded = store.load(DOCUMENT).await.expect("loads");
    assert!(loaded.tail.is_empty());
    assert_eq!(text_of(&loaded), "xxxxxxxxx");
}

pub(crate) async fn page_is_bounded_by_operations_and_by_bytes(database: &impl Database) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    for seq in 1..=20 {
        pen.commit(store, client(1), seq, &"y".repeat(100)).await;
    }
    let page = |operations_max, bytes_max, after| {
        let limit = PageLimit { operations_max, bytes_max };
        store.since(DOCUMENT, Revision::new(after), limit)
    };
    let few = page(3, usize::MAX, 5).await.expect("a page");
    let revisions: Vec<u64> = few.operations.iter().map(|logged| logged.revision.get()).collect();
    assert_eq!(revisions, [6, 7, 8]);
    assert_eq!(few.head, Revision::new(20));
    let small = page(20, 250, 0).await.expect("a page").operations.len();
    assert!((2..=3).contains(&small), "{small} operations of 100 bytes and more in 250");
    assert_eq!(page(20, 0, 0).await.expect("a page").operations.len(), 1, "one at least");
    assert_eq!(page(0, 0, 0).await.expect("a page").operations.len(), 1, "one at least");
}

pub(crate) async fn page_behind_the_head_is_empty(database: &impl Database) {
    let store = database.store();
    written(store, 2, &[]).await;
    for after in [2, 3, 99] {
        let page = store.since(DOCUMENT, Revision::new(after), PageLimit::DEFAULT).await;
        let page = page.expect("a page");
        assert!(page.operations.is_empty());
        assert_eq!(page.head, Revision::new(2));
    }
}

pub(crate) async fn authors_of_the_tail_come_with_the_load(database: &impl Database) {
    let store = database.store();
    let person = |number, name: &str| PersonRecord {
        id: user(number),
        name: name.to_owned(),
        color: 3,
        created_ms: 1,
    };
    store.put_person(person(1, "Ada")).await.expect("put");
    store.put_person(person(2, "Grace")).await.expect("put");
    store.put_person(person(3, "Elsewhere")).await.expect("put");
    let mut pen = Pen::create(store, DOCUMENT).await;
    let operations = vec![
        pen.write(client(1), 1, 1, "a"),
        pen.write(client(2), 1, 2, "b"),
        pen.write(client(4), 1, 4, "c"),
    ];
    store.append(pen.append(Revision::ZERO, operations)).await;
    let mut authors = store.load(DOCUMENT).await.expect("loads").authors;
    authors.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(authors, [person(1, "Ada"), person(2, "Grace")]);
}

pub(crate) async fn loads_while_appends_run_are_each_of_one_moment(database: &impl Database) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    let writing = async {
        for seq in 1..=60 {
            pen.commit(store, client(1), seq, "x").await;
        }
    };
    let loading = async {
        let mut last = 0;
        while last < 60 {
            let loaded = store.load(DOCUMENT).await.expect("loads at any moment");
            let len = text_of(&loaded).len();
            assert_eq!(len as u64, loaded.record.revision.get());
            assert_eq!(len as u64, loaded.record.len_chars);
            assert!(len >= last, "time does not run backwards");
            last = len;
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(writing, loading);
}

pub(crate) async fn snapshots_while_appends_run_fit_the_log(database: &impl Database) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    for seq in 1..=30 {
        pen.commit(store, client(1), seq, "x").await;
        let behind = pen.clone();
        let (_, loaded) = tokio::join!(snapshot(store, &behind), store.load(DOCUMENT));
        assert_eq!(text_of(&loaded.expect("loads")), "x".repeat(pen.len));
    }
}
