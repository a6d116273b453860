//! Committing: one winner, all or nothing, exactly once.

use std::sync::Arc;

use collab_protocol::DocumentId;
use collab_server::{AppendOutcome, PageLimit, StoreError};
use futures_util::future::join_all;
use ot_core::{ClientSeq, Operation, Revision};

use super::support::{
    DOCUMENT, Database, Pen, client, finds_exactly, is_conflict, is_done, text_of, user,
};

pub(crate) async fn appended_operations_are_read_back_in_order(database: &impl Database) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    let operations = vec![
        pen.write(client(1), 1, 1, "a"),
        pen.write(client(2), 7, 2, "é"),
        pen.write(client(3), 1, 1, "😀"),
    ];
    let outcome = store.append(pen.append(Revision::ZERO, operations.clone())).await;
    assert!(is_done(&outcome), "{outcome:?}");

    let page = store.since(DOCUMENT, Revision::ZERO, PageLimit::DEFAULT).await.expect("a page");
    assert_eq!(page.head, Revision::new(3));
    assert_eq!(page.operations.len(), 3);
    for (index, (logged, new)) in page.operations.iter().zip(&operations).enumerate() {
        assert_eq!(logged.revision, Revision::new(index as u64 + 1));
        assert_eq!((logged.client, logged.seq, &logged.author), (new.client, new.seq, &new.author));
        assert_eq!((&logged.operation, logged.chain), (&*new.operation, new.chain));
        assert_eq!(logged.time_ms, pen.time_ms);
    }
    assert_eq!(text_of(&store.load(DOCUMENT).await.expect("loads")), "aé😀");
}

pub(crate) async fn one_of_five_simultaneous_appends_wins(database: &impl Database) {
    let store = database.store();
    let pen = Pen::create(store, DOCUMENT).await;
    let attempts = (1..=5).map(|number| {
        let mut pen = pen.clone();
        let operation = pen.write(client(number), 1, 1, &number.to_string());
        store.append(pen.append(Revision::ZERO, vec![operation]))
    });
    let outcomes = join_all(attempts).await;
    assert_eq!(outcomes.iter().filter(|outcome| is_done(outcome)).count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| is_conflict(outcome)).count(), 4, "{outcomes:?}");

    let winner = 1 + outcomes.iter().position(is_done).expect("there is one");
    let loaded = store.load(DOCUMENT).await.expect("loads");
    assert_eq!(loaded.record.revision, Revision::new(1));
    assert_eq!(text_of(&loaded), winner.to_string());
}

pub(crate) async fn append_on_an_old_head_is_a_conflict_and_writes_nothing(
    database: &impl Database,
) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    let mut late = pen.clone();
    pen.commit(store, client(1), 1, "first").await;
    let operations = vec![late.write(client(2), 1, 1, "late"), late.write(client(3), 1, 1, "r")];
    let outcome = store.append(late.append(Revision::ZERO, operations)).await;
    assert!(is_conflict(&outcome), "{outcome:?}");
    assert_eq!(text_of(&store.load(DOCUMENT).await.expect("loads")), "first");
    assert_eq!(store.progress(DOCUMENT, client(2)).await.expect("reads"), None);
}

pub(crate) async fn append_behind_a_lost_one_is_a_conflict_though_the_log_is_as_long(
    database: &impl Database,
) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    let mut late = pen.clone();
    let _lost = late.write(client(2), 1, 1, "lost to the first");
    let second = late.write(client(3), 1, 1, "rebased over what was lost");
    pen.commit(store, client(1), 1, "first").await;
    let outcome = store.append(late.append(Revision::new(1), vec![second])).await;
    assert!(is_conflict(&outcome), "{outcome:?}");
    assert_eq!(text_of(&store.load(DOCUMENT).await.expect("loads")), "first");
    assert_eq!(store.progress(DOCUMENT, client(3)).await.expect("reads"), None);
}

pub(crate) async fn append_ahead_of_the_head_is_a_conflict(database: &impl Database) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    let _lost = pen.write(client(1), 1, 1, "never sent");
    let operation = pen.write(client(1), 2, 1, "x");
    let outcome = store.append(pen.append(Revision::new(1), vec![operation])).await;
    assert!(is_conflict(&outcome), "{outcome:?}");
    assert_eq!(text_of(&store.load(DOCUMENT).await.expect("loads")), "");
}

pub(crate) async fn append_to_a_missing_document_writes_nothing(database: &impl Database) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    pen.document = DocumentId::new(404);
    let operation = pen.write(client(1), 1, 1, "x");
    let outcome = store.append(pen.append(Revision::ZERO, vec![operation])).await;
    assert!(!is_done(&outcome), "{outcome:?}");
    assert!(matches!(store.load(pen.document).await, Err(StoreError::NotFound)));
}

pub(crate) async fn append_to_a_deleted_document_is_a_conflict(database: &impl Database) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    store.set_deleted(DOCUMENT, Some(5)).await.expect("deleted");
    let mut later = pen.clone();
    let operation = later.write(client(1), 1, 1, "x");
    let outcome = store.append(later.append(Revision::ZERO, vec![operation])).await;
    assert!(is_conflict(&outcome), "{outcome:?}");
    let page = store.since(DOCUMENT, Revision::ZERO, PageLimit::DEFAULT).await.expect("a page");
    assert!(page.is_deleted && page.operations.is_empty());

    store.set_deleted(DOCUMENT, None).await.expect("restored");
    pen.commit(store, client(1), 1, "x").await;
}

pub(crate) async fn number_that_a_client_used_is_a_conflict(database: &impl Database) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    pen.commit(store, client(1), 5, "a").await;
    for seq in [5, 4] {
        let mut again = pen.clone();
        let base = again.head;
        // Its companion in the same append goes down with it.
        let operations =
            vec![again.write(client(2), 1, 1, "c"), again.write(client(1), seq, 1, "b")];
        let outcome = store.append(again.append(base, operations)).await;
        assert!(is_conflict(&outcome), "seq {seq}: {outcome:?}");
    }
    let loaded = store.load(DOCUMENT).await.expect("loads");
    assert_eq!((loaded.record.revision, text_of(&loaded).as_str()), (Revision::new(1), "a"));
    assert_eq!(store.progress(DOCUMENT, client(2)).await.expect("reads"), None);
    pen.commit(store, client(1), 9, "b").await;
}

pub(crate) async fn client_belongs_to_its_first_author(database: &impl Database) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    pen.commit(store, client(1), 1, "a").await;
    let base = pen.head;
    let operation = pen.write(client(1), 2, 2, "b");
    let outcome = store.append(pen.append(base, vec![operation])).await;
    assert!(is_conflict(&outcome), "{outcome:?}");
    let progress = store.progress(DOCUMENT, client(1)).await.expect("reads").expect("some");
    assert_eq!((progress.author, progress.seq), (user(1), ClientSeq::new(1)));
}

pub(crate) async fn progress_moves_with_the_append(database: &impl Database) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    let first = pen.write(client(1), 3, 1, "a");
    store.append(pen.append(Revision::ZERO, vec![first.clone()])).await;
    let progress = store.progress(DOCUMENT, client(1)).await.expect("reads").expect("some");
    assert_eq!((progress.seq, progress.revision), (first.seq, Revision::new(1)));
    assert_eq!((progress.submission, progress.author), (first.submission, user(1)));

    pen.commit(store, client(2), 1, "b").await;
    pen.commit(store, client(1), 4, "c").await;
    let progress = store.progress(DOCUMENT, client(1)).await.expect("reads").expect("some");
    assert_eq!((progress.seq, progress.revision), (ClientSeq::new(4), Revision::new(3)));
    assert_ne!(progress.submission, first.submission);
}

pub(crate) async fn progress_of_a_new_client_is_none(database: &impl Database) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    Pen::create(store, DocumentId::new(2)).await;
    pen.commit(store, client(1), 1, "a").await;
    assert_eq!(store.progress(DOCUMENT, client(2)).await.expect("reads"), None);
    let elsewhere = store.progress(DocumentId::new(2), client(1)).await.expect("reads");
    assert_eq!(elsewhere, None, "numbers are counted within a document");
}

pub(crate) async fn old_submission_is_found_by_its_number(database: &impl Database) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    for seq in [1, 2, 5] {
        pen.commit(store, client(1), seq, "x").await;
    }
    for seq in [1, 3, 6] {
        pen.commit(store, client(3), seq, "x").await;
    }
    pen.commit(store, client(1), 8, "x").await;
    finds_exactly(store, client(1), &[(1, 1), (2, 2), (5, 3), (8, 7)]).await;
    finds_exactly(store, client(2), &[]).await;
    finds_exactly(store, client(3), &[(1, 4), (3, 5), (6, 6)]).await;
}

pub(crate) async fn outcome_that_nobody_waited_for_is_found_in_the_log(database: &impl Database) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    let operation = pen.write(client(1), 1, 1, "a");
    drop(store.append(pen.append(Revision::ZERO, vec![operation])));
    // Whether it was begun or not: what comes next either follows it or wins over it.
    let page = store.since(DOCUMENT, Revision::ZERO, PageLimit::DEFAULT).await.expect("a page");
    let found = store.find_submission(DOCUMENT, client(1), ClientSeq::new(1)).await.expect("reads");
    if page.head == Revision::new(1) {
        assert_eq!(found, Some(Revision::new(1)));
    }
    let loaded = store.load(DOCUMENT).await.expect("loads");
    let expected = if loaded.record.revision == Revision::ZERO { "" } else { "a" };
    assert_eq!(text_of(&loaded), expected);
}

pub(crate) async fn chained_appends_sent_at_once_commit_in_order(database: &impl Database) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    let mut appends = Vec::new();
    for number in 1..=10_u128 {
        let base = pen.head;
        let operation = pen.write(client(number), 1, 1, "x");
        appends.push(store.append(pen.append(base, vec![operation])));
    }
    let outcomes = join_all(appends).await;
    assert!(outcomes.iter().all(is_done), "{outcomes:?}");
    assert_eq!(text_of(&store.load(DOCUMENT).await.expect("loads")), "xxxxxxxxxx");
}

/// Appends of many documents that are written in one transaction: one of them loses, by the head,
/// by a client's number, and by a row that is there already.
pub(crate) async fn losing_append_leaves_others_of_its_moment_alone(database: &impl Database) {
    let store = database.store();
    let documents: Vec<DocumentId> = (1..=9).map(DocumentId::new).collect();
    let mut appends = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let mut pen = Pen::create(store, *document).await;
        let mut late = pen.clone();
        pen.commit(store, client(1), 1, "a").await;
        let append = match index % 3 {
            0 => {
                let operation = late.write(client(2), 1, 1, "late");
                late.append(Revision::ZERO, vec![operation])
            }
            1 => {
                let operations =
                    vec![pen.write(client(2), 1, 1, "b"), pen.write(client(1), 1, 1, "again")];
                pen.append(Revision::new(1), operations)
            }
            _ => {
                let operation = pen.write(client(2), 1, 1, "b");
                pen.append(Revision::new(1), vec![operation])
            }
        };
        appends.push(append);
    }
    let outcomes = join_all(appends.into_iter().map(|append| store.append(append))).await;
    for (index, (document, outcome)) in documents.iter().zip(&outcomes).enumerate() {
        let wins = index % 3 == 2;
        assert_eq!((is_done(outcome), is_conflict(outcome)), (wins, !wins), "{index}: {outcome:?}");
        let loaded = store.load(*document).await.expect("loads");
        assert_eq!(text_of(&loaded), if wins { "ab" } else { "a" }, "{index}");
    }
}

pub(crate) async fn appends_to_many_documents_at_once_all_commit(database: &impl Database) {
    let store = database.store();
    let mut pens = Vec::new();
    for number in 1..=64 {
        pens.push(Pen::create(store, DocumentId::new(number)).await);
    }
    let written = join_all(pens.iter_mut().map(|pen| async {
        for seq in 1..=5 {
            pen.commit(store, client(1), seq, "ok ").await;
        }
    }));
    written.await;
    for pen in &pens {
        let loaded = store.load(pen.document).await.expect("loads");
        assert_eq!(text_of(&loaded), "ok ok ok ok ok ");
    }
}

pub(crate) async fn huge_text_survives(database: &impl Database) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    let text = "0123456789abcdé😀".repeat(300_000);
    pen.commit(store, client(1), 1, &text).await;
    let page = store.since(DOCUMENT, Revision::ZERO, PageLimit::DEFAULT).await.expect("a page");
    assert_eq!(page.operations.len(), 1, "one operation comes, however large");
    assert_eq!(page.operations[0].operation.inserted_text(), text);
}

pub(crate) async fn every_kind_of_character_survives(database: &impl Database) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    let text = "\u{1}\t\n\"'%_\\;--é\u{301}\u{202e}אب한字\u{fffd}\u{10ffff}👩‍👩‍👧\u{7f}\u{feff}";
    pen.commit(store, client(1), 1, text).await;
    assert_eq!(text_of(&store.load(DOCUMENT).await.expect("loads")), text);
}

pub(crate) async fn head_time_and_length_move_with_the_append(database: &impl Database) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    pen.time_ms = 77_000;
    pen.commit(store, client(1), 1, "héllo").await;
    let record = store.document(DOCUMENT).await.expect("reads");
    assert_eq!((record.revision, record.len_chars), (Revision::new(1), 5));
    assert_eq!((record.created_ms, record.updated_ms), (1_000, 77_000));
    assert_eq!(record.chain, pen.chain);

    let base = pen.head;
    let mut deletion = pen.write(client(1), 2, 1, "");
    deletion.operation = Arc::new(Operation::splice(5, 0, 5, "").expect("fits"));
    let outcome: AppendOutcome = store.append(pen.append(base, vec![deletion])).await;
    assert!(is_done(&outcome), "{outcome:?}");
}
