//! History beside the operations.

use collab_protocol::{DocumentId, VersionId};
use collab_server::{Activity, Seen, Snapshot, Store, StoreError, VersionRecord};
use ot_core::Revision;

use super::support::{DOCUMENT, Database, Pen, client, user};

fn revision(number: u64) -> Revision {
    Revision::new(number)
}

/// One operation by `user_number`, committed at `time_ms`.
async fn write(store: &dyn Store, pen: &mut Pen, user_number: usize, seq: u64, time_ms: i64) {
    let base = pen.head;
    pen.time_ms = time_ms;
    let operation = pen.write(client(user_number as u128), seq, user_number, "x");
    store.append(pen.append(base, vec![operation])).await;
    assert_eq!(store.document(DOCUMENT).await.expect("reads").revision, pen.head);
}

pub(crate) async fn nearest_snapshot_is_not_newer_than_the_revision(database: &impl Database) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    for seq in 1..=6 {
        write(store, &mut pen, 1, seq, 1).await;
        if seq == 2 || seq == 4 {
            let text = "x".repeat(pen.len).into();
            let snapshot = Snapshot { revision: pen.head, text, chain: pen.chain, time_ms: 1 };
            store.write_snapshot(DOCUMENT, snapshot).await.expect("written");
        }
    }
    for (asked, expected) in
        [(0, None), (1, None), (2, Some(2)), (3, Some(2)), (4, Some(4)), (9, Some(4))]
    {
        let found = store.snapshot_at_or_before(DOCUMENT, revision(asked)).await.expect("reads");
        let found = found.map(|found| (found.revision.get(), found.text.len() as u64));
        assert_eq!(found, expected.map(|at| (at, at)), "at {asked}");
    }
}

pub(crate) async fn time_lies_at_the_last_revision_that_is_not_later(database: &impl Database) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    assert_eq!(store.revision_at(DOCUMENT, 99).await.expect("reads"), Revision::ZERO);
    for (seq, time_ms) in [(1, 10), (2, 20), (3, 20), (4, 50), (5, 60)] {
        write(store, &mut pen, 1, seq, time_ms).await;
    }
    for (time_ms, expected) in
        [(i64::MIN, 0), (9, 0), (10, 1), (19, 1), (20, 3), (49, 3), (50, 4), (60, 5), (i64::MAX, 5)]
    {
        let found = store.revision_at(DOCUMENT, time_ms).await.expect("reads");
        assert_eq!(found, revision(expected), "at {time_ms} ms");
    }
}

pub(crate) async fn activity_counts_each_author_in_each_stretch(database: &impl Database) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    assert_eq!(store.activity(DOCUMENT, 4).await.expect("reads"), []);
    for (seq, user_number) in [(1, 1), (2, 2), (3, 1), (4, 1), (5, 2), (6, 2)] {
        write(store, &mut pen, user_number, seq, 10 * seq.cast_signed()).await;
    }
    let entry = |number, first, last, operations| Activity {
        author: user(number),
        first: revision(first),
        last: revision(last),
        operations,
        first_ms: 10 * first.cast_signed(),
        last_ms: 10 * last.cast_signed(),
    };
    let found = store.activity(DOCUMENT, 4).await.expect("reads");
    assert_eq!(found, [entry(1, 1, 4, 3), entry(2, 2, 2, 1), entry(2, 5, 6, 2)]);
    let found = store.activity(DOCUMENT, 1_000).await.expect("reads");
    assert_eq!(found, [entry(1, 1, 4, 3), entry(2, 2, 6, 3)]);
    assert_eq!(store.activity(DOCUMENT, 1).await.expect("reads").len(), 6);
}

fn version(id: u128, at: u64, name: &str) -> VersionRecord {
    VersionRecord {
        id: VersionId::new(id),
        document: DOCUMENT,
        revision: revision(at),
        name: name.to_owned(),
        author: user(1),
        time_ms: 77,
    }
}

pub(crate) async fn version_is_named_renamed_and_forgotten(database: &impl Database) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    write(store, &mut pen, 1, 1, 1).await;
    assert_eq!(store.versions(DOCUMENT).await.expect("reads"), []);
    let (first, second) = (version(9, 0, "Empty"), version(3, 1, "Begun – ✓"));
    store.put_version(second.clone()).await.expect("named");
    store.put_version(first.clone()).await.expect("named");
    assert_eq!(store.versions(DOCUMENT).await.expect("reads"), [first.clone(), second.clone()]);

    let author = user(2);
    let renamed = VersionRecord { author, time_ms: 99, ..version(3, 0, "Started") };
    store.put_version(renamed).await.expect("renamed");
    let expected = VersionRecord { name: "Started".to_owned(), ..second };
    assert_eq!(store.versions(DOCUMENT).await.expect("reads"), [first.clone(), expected]);

    store.delete_version(DOCUMENT, VersionId::new(3)).await.expect("forgotten");
    let again = store.delete_version(DOCUMENT, VersionId::new(3)).await;
    assert!(matches!(again, Err(StoreError::NotFound)), "{again:?}");
    let elsewhere = store.delete_version(DocumentId::new(1), VersionId::new(9)).await;
    assert!(matches!(elsewhere, Err(StoreError::NotFound)), "{elsewhere:?}");
    assert_eq!(store.versions(DOCUMENT).await.expect("reads"), [first]);
}

pub(crate) async fn version_that_was_deleted_is_not_renamed_back(database: &impl Database) {
    let store = database.store();
    Pen::create(store, DOCUMENT).await;
    let (named, other) = (version(3, 0, "Begun"), version(4, 0, "Other"));
    store.put_version(named.clone()).await.expect("named");
    store.put_version(other.clone()).await.expect("named");
    let rename = |document, name: &str| store.rename_version(document, named.id, name.to_owned());
    rename(DOCUMENT, "Started").await.expect("renamed");
    let started = VersionRecord { name: "Started".to_owned(), ..named.clone() };
    assert_eq!(store.versions(DOCUMENT).await.expect("reads"), [started, other.clone()]);
    let nul = rename(DOCUMENT, "a\0b").await;
    assert!(matches!(nul, Err(StoreError::Invalid { .. })), "{nul:?}");
    let elsewhere = rename(DocumentId::new(1), "Elsewhere").await;
    assert!(matches!(elsewhere, Err(StoreError::NotFound)), "{elsewhere:?}");

    store.delete_version(DOCUMENT, named.id).await.expect("forgotten");
    let late = rename(DOCUMENT, "Back again").await;
    assert!(matches!(late, Err(StoreError::NotFound)), "{late:?}");
    assert_eq!(store.versions(DOCUMENT).await.expect("reads"), [other]);
}

pub(crate) async fn nothing_is_noted_about_a_revision_ahead_of_the_log(database: &impl Database) {
    let store = database.store();
    Pen::create(store, DOCUMENT).await;
    let named = store.put_version(version(1, 1, "Later")).await;
    assert!(matches!(named, Err(StoreError::Invalid { .. })), "{named:?}");
    let nul = store.put_version(version(1, 0, "a\0b")).await;
    assert!(matches!(nul, Err(StoreError::Invalid { .. })), "{nul:?}");
    let seen = store.mark_seen(DOCUMENT, user(1), Seen { revision: revision(1), time_ms: 1 }).await;
    assert!(matches!(seen, Err(StoreError::Invalid { .. })), "{seen:?}");
    assert_eq!(store.versions(DOCUMENT).await.expect("reads"), []);
    assert_eq!(store.seen(DOCUMENT, user(1)).await.expect("reads"), None);
}

pub(crate) async fn seen_mark_never_goes_back(database: &impl Database) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    for seq in 1..=3 {
        write(store, &mut pen, 1, seq, 1).await;
    }
    let at = |number, time_ms| Seen { revision: revision(number), time_ms };
    for (marked, expected) in
        [(at(2, 5), at(2, 5)), (at(1, 6), at(2, 5)), (at(2, 7), at(2, 7)), (at(3, 8), at(3, 8))]
    {
        store.mark_seen(DOCUMENT, user(1), marked).await.expect("noted");
        assert_eq!(store.seen(DOCUMENT, user(1)).await.expect("reads"), Some(expected));
    }
    assert_eq!(store.seen(DOCUMENT, user(2)).await.expect("reads"), None);
}

pub(crate) async fn missing_document_has_no_past(database: &impl Database) {
    let store = database.store();
    let snapshot = store.snapshot_at_or_before(DOCUMENT, revision(1)).await;
    assert!(matches!(snapshot, Err(StoreError::NotFound)), "{snapshot:?}");
    let at = store.revision_at(DOCUMENT, 1).await;
    assert!(matches!(at, Err(StoreError::NotFound)), "{at:?}");
    let activity = store.activity(DOCUMENT, 1).await;
    assert!(matches!(activity, Err(StoreError::NotFound)), "{activity:?}");
    let version = store.put_version(version(1, 0, "Nowhere")).await;
    assert!(matches!(version, Err(StoreError::NotFound)), "{version:?}");
    let seen = store.mark_seen(DOCUMENT, user(1), Seen { revision: revision(0), time_ms: 1 }).await;
    assert!(matches!(seen, Err(StoreError::NotFound)), "{seen:?}");
    assert_eq!(store.seen(DOCUMENT, user(1)).await.expect("reads"), None);
}
