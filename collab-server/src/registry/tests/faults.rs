//! What a failing store, a lost race and a bug do to sessions: nothing that a client does not
//! repair by itself.

use collab_protocol::RejectCode;
use ot_core::{ClientSeq, Limits, Operation, Ranges, Revision};

use super::tab::Tab;
use super::*;
use crate::document::{Ended, SendError, Submission};
use crate::store::faulty::AppendFault;
use crate::store::{ChainHash, Snapshot};

#[tokio::test(start_paused = true)]
async fn load_fault_is_an_error_and_never_an_empty_text() {
    let server = Server::new(DocumentConfig::default(), "here").await;
    server.store.fail_loads(1);
    let refused = Tab::new(1).join(&server, None).await.expect_err("it cannot be loaded");
    assert!(matches!(refused, JoinError::Unavailable(_)), "{refused}");
    assert_eq!(Tab::open(&server, 1).await.text(), "here");
}

#[tokio::test(start_paused = true)]
async fn missing_deleted_and_damaged_documents_have_their_own_answers() {
    let server = Server::new(DocumentConfig::default(), "x").await;
    let unknown = Tab::new(1).request(None);
    let missing = server.registry.join(DocumentId::new(404), unknown).await;
    assert!(matches!(missing, Err(JoinError::NotFound)), "{missing:?}");

    server.registry.delete(DOCUMENT).await.expect("deleted");
    let deleted = Tab::new(1).join(&server, None).await;
    assert!(matches!(deleted, Err(JoinError::Deleted)), "{deleted:?}");
    server.registry.restore(DOCUMENT).await.expect("restored");
    assert_eq!(Tab::open(&server, 1).await.text(), "x");
    assert_eq!(server.registry.stats().documents, 1, "nothing else is kept loaded");

    // A snapshot that the chain does not lead to.
    let other = Server::new(DocumentConfig::default(), "x").await;
    let chain = ChainHash::from_bytes([9; 32]);
    let wrong = Snapshot { revision: Revision::new(1), text: "y".into(), chain, time_ms: 1 };
    other.store.inner.write_snapshot(DOCUMENT, wrong).await.expect("written");
    let corrupt = Tab::new(1).join(&other, None).await;
    assert!(matches!(corrupt, Err(JoinError::Corrupt(_))), "{corrupt:?}");
}

#[tokio::test(start_paused = true)]
async fn hundred_joins_load_a_document_once() {
    let server = Server::new(DocumentConfig::default(), "x").await;
    let joins = (0..100).map(|number| {
        let request = Tab::new(number).request(None);
        server.registry.join(DOCUMENT, request)
    });
    let joined = futures_util::future::join_all(joins).await;
    assert!(joined.iter().all(Result::is_ok));
    assert_eq!(server.store.load_count(), 1);
    assert_eq!(server.registry.here(DOCUMENT), 100);
}

#[tokio::test(start_paused = true)]
async fn failed_append_is_told_and_the_same_submission_goes_through_later() {
    let server = Server::new(DocumentConfig::default(), "").await;
    let (mut ada, mut bob) = (Tab::open(&server, 1).await, Tab::open(&server, 2).await);
    server.store.fail_appends([AppendFault::Failed]);
    ada.insert(0, "a");
    ada.pull_until(|tab| !tab.rejects.is_empty()).await;
    assert_eq!(ada.rejects, [(1, RejectCode::StorageUnavailable)]);
    bob.pull().await.expect("lives");
    assert_eq!((bob.text().as_str(), server.stored().await.1), ("", 0), "nobody saw it");
    ada.send_outstanding();
    ada.settle().await;
    bob.pull_until(|tab| tab.text() == "a").await;
}

#[tokio::test(start_paused = true)]
async fn append_of_unknown_outcome_is_committed_exactly_once() {
    for fault in [AppendFault::UnknownApplied, AppendFault::UnknownNotApplied] {
        let server = Server::new(DocumentConfig::default(), "").await;
        let (mut ada, mut bob) = (Tab::open(&server, 1).await, Tab::open(&server, 2).await);
        server.store.fail_appends([fault]);
        server.store.fail_pages(2);
        ada.insert(0, "a");
        bob.insert(0, "b");
        ada.settle().await;
        bob.settle().await;
        let (text, revision) = server.stored().await;
        assert_eq!(revision, 2, "{fault:?}");
        ada.pull_until(|tab| tab.text() == text).await;
        bob.pull_until(|tab| tab.text() == text).await;
        assert!(ada.rejects.is_empty() && bob.rejects.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn two_servers_on_one_database_never_fork() {
    let store = FaultyStore::new();
    create(&store, DOCUMENT, "").await;
    let east = Server::on(store.clone(), DocumentConfig::default());
    let west = Server::on(store.clone(), DocumentConfig::default());
    let (mut ada, mut bob) = (Tab::open(&east, 1).await, Tab::open(&west, 2).await);
    for _ in 0..10 {
        ada.insert(0, "a");
        bob.insert(0, "b");
        ada.settle().await;
        bob.settle().await;
    }
    // Each learns of the other's by its next append.
    for _ in 0..2 {
        ada.insert(0, "!");
        ada.settle().await;
        assert_eq!((ada.text(), ada.client.revision().get()), east.stored().await);
        bob.insert(0, "?");
        bob.settle().await;
        assert_eq!((bob.text(), bob.client.revision().get()), west.stored().await);
    }
    assert_eq!(east.stored().await.1, 24);
}

#[tokio::test(start_paused = true)]
async fn full_mailbox_refuses_and_forgets_nothing_it_took() {
    let config = DocumentConfig { mailbox_len: 3, ..DocumentConfig::default() };
    let server = Server::new(config, "").await;
    let mut tabs = Vec::new();
    for number in 1..=6 {
        tabs.push(Tab::open(&server, number).await);
    }
    let mut overloaded = 0;
    for tab in &mut tabs {
        tab.client.edit(Operation::splice(0, 0, 0, "x").expect("fits"), 0).expect("fits");
        tab.client.take_submission(&Limits::NONE).expect("typed");
        match tab.try_send_outstanding(None) {
            Ok(()) => {}
            Err(SendError::Overloaded) => overloaded += 1,
            Err(SendError::Closed) => panic!("it is open"),
        }
    }
    assert_eq!(overloaded, 3);
    for tab in &mut tabs[..3] {
        tab.settle().await;
    }
    for tab in &mut tabs[3..] {
        tab.send_outstanding();
        tab.settle().await;
    }
    assert_eq!(server.text().await, "xxxxxx");
}

#[tokio::test(start_paused = true)]
async fn flood_of_selections_leaves_room_for_edits() {
    let server = Server::new(DocumentConfig::default(), "").await;
    let (mut ada, bob) = (Tab::open(&server, 1).await, Tab::open(&server, 2).await);
    let sender = &bob.joined.as_ref().expect("joined").sender;
    let taken = (0..10_000).filter(|_| sender.select(Revision::ZERO, Ranges::none()).is_ok());
    assert!(taken.count() > 100, "a burst is no flood");
    ada.insert(0, "x");
    ada.settle().await;
    assert_eq!(server.text().await, "x");
}

#[tokio::test(start_paused = true)]
async fn bug_in_one_document_ends_its_sessions_and_nothing_else() {
    let server = Server::new(DocumentConfig::default(), "").await;
    let mut ada = Tab::open(&server, 1).await;
    ada.insert(0, "kept");
    ada.settle().await;
    create(&server.store, DocumentId::new(2), "other").await;
    let other = server.registry.text(DocumentId::new(2)).await.expect("loads");

    server.clock.break_once();
    ada.insert(4, " and resent");
    assert_eq!(ada.end().await, Ended::Failed);
    ada.resume(&server).await;
    ada.settle().await;
    assert_eq!(server.stored().await, ("kept and resent".to_owned(), 2));
    let again = server.registry.text(DocumentId::new(2)).await.expect("lives");
    assert_eq!(again.text, other.text);
}

#[tokio::test(start_paused = true)]
async fn damaged_document_lets_nobody_in_while_it_ends() {
    let config = DocumentConfig { ring_len: 2, ..DocumentConfig::default() };
    let server = Server::new(config, "").await;
    let (mut ada, mut bob) = (Tab::open(&server, 1).await, Tab::open(&server, 2).await);
    for _ in 0..9 {
        ada.insert(0, "a");
        ada.settle().await;
    }
    // An append is under way when the damage is found.
    server.store.hold_appends();
    ada.insert(0, "b");
    server.store.damage_pages(1);
    bob.insert(0, "old base");
    assert_eq!(ada.end().await, Ended::Corrupt);
    let refused = Tab::new(3).join(&server, None).await;
    assert!(matches!(refused, Err(JoinError::Corrupt(_))), "{refused:?}");

    // Once it has ended, it is read anew, and what was stored is there.
    server.store.release();
    let mut back = Tab::new(4);
    while back.join(&server, None).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    back.pull_until(|tab| tab.text() == "baaaaaaaaa").await;
}

#[tokio::test(start_paused = true)]
async fn session_that_never_reads_its_answers_is_ended() {
    let config = DocumentConfig { answers_max: 5, ..DocumentConfig::default() };
    let server = Server::new(config, "").await;
    let mut ada = Tab::open(&server, 1).await;
    for seq in 1..=9 {
        let operation = Operation::splice(7, 0, 0, "x").expect("fits");
        let submission = Submission::new(ClientSeq::new(seq), Revision::ZERO, operation, None);
        ada.joined.as_ref().expect("joined").sender.submit(submission).expect("sent");
    }
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(ada.end().await, Ended::TooSlow);
    assert_eq!(ada.rejects.len(), 5);
    let mut bob = Tab::open(&server, 2).await;
    bob.insert(0, "b");
    bob.settle().await;
}

#[tokio::test(start_paused = true)]
async fn unreadable_progress_lets_nobody_in_and_is_asked_again() {
    let server = Server::new(DocumentConfig::default(), "x").await;
    server.store.fail_progresses(1);
    let refused = Tab::new(1).join(&server, None).await;
    assert!(matches!(refused, Err(JoinError::Unavailable(_))), "{refused:?}");
    assert_eq!(Tab::open(&server, 1).await.text(), "x");
}

#[tokio::test(start_paused = true)]
async fn deletion_reaches_who_has_it_open() {
    let server = Server::new(DocumentConfig::default(), "x").await;
    let mut ada = Tab::open(&server, 1).await;
    server.registry.delete(DOCUMENT).await.expect("deleted");
    ada.pull_until(|tab| tab.is_deleted).await;
    ada.insert(1, "y");
    ada.pull_until(|tab| !tab.rejects.is_empty()).await;
    assert_eq!(ada.rejects, [(1, RejectCode::DocumentDeleted)]);
    assert_eq!(ada.text(), "xy", "what was typed is not lost");
    assert_eq!(server.stored().await.0, "x");
    server.registry.restore(DOCUMENT).await.expect("restored");
    ada.pull_until(|tab| !tab.is_deleted).await;
}
