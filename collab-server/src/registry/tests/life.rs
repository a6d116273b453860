//! Loading, unloading, snapshots, shutdown.

use std::time::Duration;

use ot_core::{ClientSeq, Operation, Revision};

use super::tab::Tab;
use super::*;
use crate::document::{Ended, SendError, Submission};
use crate::store::ListQuery;

/// Lets everything happen that is due within a second.
async fn a_second() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn unused_document_is_unloaded_with_a_snapshot() {
    let server = Server::new(DocumentConfig::default(), "").await;
    let mut ada = Tab::open(&server, 1).await;
    ada.insert(0, "text");
    ada.settle().await;
    drop(ada);
    a_second().await;
    assert_eq!(server.registry.stats(), RegistryStats { documents: 1, sessions: 0, waiting: 0 });
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(server.registry.stats().documents, 0);
    let loaded = server.store.inner.load(DOCUMENT).await.expect("loads");
    assert_eq!(loaded.snapshot.map(|snapshot| snapshot.text.to_string()).as_deref(), Some("text"));
    assert!(loaded.tail.is_empty());
    assert_eq!(Tab::open(&server, 2).await.text(), "text");
}

#[tokio::test(start_paused = true)]
async fn document_in_use_stays_loaded() {
    let server = Server::new(DocumentConfig::default(), "x").await;
    let ada = Tab::open(&server, 1).await;
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert_eq!(server.registry.stats(), RegistryStats { documents: 1, sessions: 1, waiting: 0 });
    assert_eq!(server.store.load_count(), 1);
    drop(ada);
}

#[tokio::test(start_paused = true)]
async fn coming_and_going_at_the_moment_of_unloading_never_meets_an_empty_text() {
    let config = DocumentConfig { idle_timeout: Duration::from_millis(2), ..Default::default() };
    let server = Arc::new(Server::new(config, "never empty").await);
    let mut people = JoinSet::new();
    for number in 0..20_u32 {
        let server = server.clone();
        people.spawn(async move {
            for round in 0..30_u64 {
                let tab = Tab::open(&server, number).await;
                assert_eq!(tab.text(), "never empty");
                drop(tab);
                let pause = (u64::from(number) * 7 + round * 3) % 9;
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
        });
    }
    while let Some(ended) = people.join_next().await {
        ended.expect("no one fails");
    }
    for round in 0..20 {
        tokio::time::sleep(Duration::from_millis(round % 5)).await;
        assert_eq!(Tab::open(&server, 1).await.text(), "never empty");
    }
    a_second().await;
    assert_eq!(server.registry.stats(), RegistryStats::default());
    assert!(server.store.load_count() > 1, "it was unloaded in between");
}

#[tokio::test(start_paused = true)]
async fn edits_at_the_moment_of_unloading_are_all_kept() {
    let config = DocumentConfig {
        idle_timeout: Duration::from_millis(1),
        snapshot_every: 3,
        ring_len: 4,
        ..Default::default()
    };
    let server = Arc::new(Server::new(config, "").await);
    let mut people = JoinSet::new();
    for number in 1..=8_u32 {
        let server = server.clone();
        people.spawn(async move {
            let mut tab = Tab::open(&server, number).await;
            for round in 0..20_u64 {
                tab.insert(0, "x");
                if round % 2 == 0 {
                    tab.settle().await;
                }
                tab.joined = None;
                tokio::time::sleep(Duration::from_millis((u64::from(number) + round) % 4)).await;
                tab.resume(&server).await;
            }
            tab.settle().await;
        });
    }
    while let Some(ended) = people.join_next().await {
        ended.expect("no one fails");
    }
    assert_eq!(server.text().await, "x".repeat(160));
    assert_eq!(server.stored().await.0, "x".repeat(160));
}

#[tokio::test(start_paused = true)]
async fn snapshots_come_every_so_many_revisions() {
    let config = DocumentConfig { snapshot_every: 10, ..Default::default() };
    let server = Server::new(config, "").await;
    let mut ada = Tab::open(&server, 1).await;
    for _ in 0..35 {
        ada.insert(0, "a");
        ada.settle().await;
    }
    a_second().await;
    let loaded = server.store.inner.load(DOCUMENT).await.expect("loads");
    assert_eq!(loaded.snapshot.map(|snapshot| snapshot.revision.get()), Some(30));
    assert_eq!(loaded.tail.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn newer_session_of_a_client_ends_the_older() {
    let server = Server::new(DocumentConfig::default(), "").await;
    let mut old = Tab::open(&server, 1).await;
    let mut new = Tab::new(1);
    new.join(&server, None).await.expect("enters");
    assert_eq!(old.end().await, Ended::Replaced);
    old.insert(0, "late");
    drop(old);
    new.insert(0, "new");
    new.settle().await;
    a_second().await;
    assert_eq!(server.registry.here(DOCUMENT), 1, "its leaving does not take the newer one out");
    assert_eq!(server.text().await, "new");

    let mut thief = Tab::new(1);
    thief.user = 9;
    let refused = thief.join(&server, None).await;
    assert!(matches!(refused, Err(JoinError::ClientTaken)), "{refused:?}");
    new.insert(3, "!");
    new.settle().await;
}

#[tokio::test(start_paused = true)]
async fn sessions_of_a_document_have_a_limit() {
    let config = DocumentConfig { sessions_max: 2, ..Default::default() };
    let server = Server::new(config, "").await;
    let (ada, _bob) = (Tab::open(&server, 1).await, Tab::open(&server, 2).await);
    let refused = Tab::new(3).join(&server, None).await;
    assert!(matches!(refused, Err(JoinError::Overloaded)), "{refused:?}");
    drop(ada);
    a_second().await;
    Tab::open(&server, 3).await;
}

#[tokio::test(start_paused = true)]
async fn text_made_for_an_earlier_join_serves_a_later_one_without_a_gap() {
    let server = Server::new(DocumentConfig::default(), "x").await;
    let mut ada = Tab::open(&server, 1).await;
    for number in 2..=40 {
        ada.insert(0, "a");
        ada.settle().await;
        let mut tab = Tab::open(&server, number).await;
        let text = ada.text();
        tab.pull_until(|tab| tab.text() == text).await;
        tab.insert(0, "b");
        tab.settle().await;
        // Who has written something gets a text that holds it.
        let mut again = Tab::new(number);
        again.join(&server, None).await.expect("enters");
        assert_eq!(again.text(), tab.text());
        let text = tab.text();
        ada.pull_until(|ada| ada.text() == text).await;
    }
}

#[tokio::test(start_paused = true)]
async fn shutdown_finishes_what_was_begun_and_tells_everybody() {
    let server = Server::new(DocumentConfig::default(), "").await;
    let (mut ada, mut bob) = (Tab::open(&server, 1).await, Tab::open(&server, 2).await);
    server.store.hold_appends();
    ada.insert(0, "a");
    bob.insert(0, "b");
    a_second().await;
    let registry = server.registry.clone();
    let stopping = tokio::spawn(async move { registry.shutdown().await });
    a_second().await;
    assert!(!stopping.is_finished(), "an append is under way");
    server.store.release();
    stopping.await.expect("it ends");
    assert_eq!((ada.end().await, bob.end().await), (Ended::Shutdown, Ended::Shutdown));
    assert!(!ada.client.has_pending() && !bob.client.has_pending(), "both heard their acks");

    let operation = Operation::default();
    let late = Submission::new(ClientSeq::new(9), Revision::ZERO, operation, None);
    let sender = &ada.joined.as_ref().expect("joined").sender;
    assert_eq!(sender.submit(late), Err(SendError::Closed));
    let refused = Tab::new(3).join(&server, None).await;
    assert!(matches!(refused, Err(JoinError::Overloaded)), "{refused:?}");
    let loaded = server.store.inner.load(DOCUMENT).await.expect("loads");
    assert!(loaded.tail.is_empty(), "a last snapshot was taken");
    assert_eq!(server.registry.stats(), RegistryStats::default());
}

#[tokio::test(start_paused = true)]
async fn document_that_is_being_loaded_does_not_hold_a_shutdown_up() {
    let server = Server::new(DocumentConfig::default(), "x").await;
    server.store.slow_loads(1_000);
    let mut tab = Tab::new(1);
    let (joined, ()) = tokio::join!(tab.join(&server, None), async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let stopping = tokio::time::timeout(Duration::from_secs(60), server.registry.shutdown());
        stopping.await.expect("it ends");
    });
    assert!(matches!(joined, Err(JoinError::Overloaded)), "{joined:?}");
    assert_eq!(server.registry.stats(), RegistryStats::default());
}

#[tokio::test(start_paused = true)]
async fn first_visits_are_noted_for_the_list() {
    let server = Server::new(DocumentConfig::default(), "").await;
    let _ada = Tab::open(&server, 1).await;
    a_second().await;
    let query = ListQuery {
        person: "g_1".parse().expect("an id"),
        tenant: collab_protocol::TenantId::default(),
        search: String::new(),
        deleted: false,
        limit: 10,
        after: None,
    };
    let page = server.store.list_documents(query).await.expect("a page");
    assert_eq!(page.documents.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn change_made_while_a_document_is_being_loaded_is_not_missed() {
    let server = Server::new(DocumentConfig::default(), "x").await;
    server.store.slow_loads(1_000);
    let mut tab = Tab::new(1);
    let (joined, renamed) = tokio::join!(tab.join(&server, None), async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        server.registry.rename(DOCUMENT, "Plan".to_owned()).await
    });
    joined.expect("enters");
    renamed.expect("renamed");
    tab.pull_until(|tab| tab.title == "Plan").await;

    let server = Server::new(DocumentConfig::default(), "x").await;
    server.store.slow_loads(1_000);
    let (joined, deleted) = tokio::join!(tab.join(&server, None), async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        server.registry.delete(DOCUMENT).await
    });
    deleted.expect("deleted");
    // In before the word came or not: from then on nobody enters.
    drop(joined);
    let refused = Tab::new(2).join(&server, None).await;
    assert!(matches!(refused, Err(JoinError::Deleted)), "{refused:?}");
}
