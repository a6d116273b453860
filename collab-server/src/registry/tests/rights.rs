//! Rights that change under sessions: who hears what, and what becomes of what is on its way.

use std::time::Duration;

use collab_protocol::{GivenRole, LinkAccess, RejectCode};
use tokio_util::sync::CancellationToken;

use super::tab::Tab;
use super::*;
use crate::document::Ended;
use crate::rights::RightsChange;
use crate::store::faulty::{AppendFault, Stalled};

fn give(person: &str, role: GivenRole) -> RightsChange {
    let id = |name: &str| name.parse().expect("an id");
    RightsChange::Give { person: id(person), role, by: id("g_owner") }
}

async fn change(server: &Server, change: RightsChange) {
    server.registry.change_rights(DOCUMENT, change).await.expect("changed");
}

#[tokio::test(start_paused = true)]
async fn what_is_being_appended_when_the_right_goes_is_committed_or_refused_and_never_both() {
    for fault in [None, Some(AppendFault::UnknownApplied), Some(AppendFault::UnknownNotApplied)] {
        let server = Server::new(DocumentConfig::default(), "").await;
        let mut ada = Tab::open(&server, 1).await;
        server.store.hold_appends();
        server.store.fail_appends(fault);
        ada.insert(0, "a");
        // Its append is held at the database's door while the right is taken away.
        tokio::time::sleep(Duration::from_millis(10)).await;
        change(&server, give("g_1", GivenRole::Viewer)).await;
        server.store.release();
        ada.pull_until(|tab| tab.client.outstanding().is_none() || !tab.rejects.is_empty()).await;
        assert_eq!(ada.rejects, [(1, RejectCode::Forbidden)], "{fault:?}");
        assert_eq!(server.stored().await, (String::new(), 0), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_shut_out_gets_the_ack_of_what_was_committed_before_and_nothing_after() {
    let server = Server::new(DocumentConfig::default(), "").await;
    let (mut ada, mut ben) = (Tab::open(&server, 1).await, Tab::open(&server, 2).await);
    ada.insert(0, "a");
    while server.stored().await.1 == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    change(&server, give("g_1", GivenRole::None)).await;
    ben.insert(0, "b");
    ben.settle().await;
    assert_eq!(ada.end().await, Ended::Revoked);
    assert!(!ada.client.has_pending(), "she knows that it is committed");
    assert_eq!(ada.text(), "a", "and nothing of what came after");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_only_a_join_has_heard_of_holds_for_who_is_let_in() {
    let server = Server::new(DocumentConfig::default(), "").await;
    let mut ben = Tab::open(&server, 2).await;
    // Another server made the change; nobody has looked here yet.
    let link = RightsChange::Link(LinkAccess::View);
    server.store.inner.change_rights(DOCUMENT, link, 9).await.expect("changed");
    let request = JoinRequest { rights_version: 1, ..Tab::new(1).request(None) };
    let joined = server.registry.join(DOCUMENT, request).await.expect("it enters");
    assert!(joined.frame.into_string().contains(r#""role":"viewer""#));
    ben.pull_until(|tab| tab.frames.iter().any(|frame| frame.contains("access"))).await;
}

#[tokio::test(start_paused = true)]
async fn sessions_are_kept_for_the_time_of_grace_when_rights_cannot_be_read_and_then_ended() {
    let server = Server::new(DocumentConfig::default(), "").await;
    let (interval, grace) = (Duration::from_secs(2), Duration::from_secs(60));
    let stopping = CancellationToken::new();
    let watch = Watch { interval, grace };
    let watching = tokio::spawn(server.registry.clone().watch_rights(watch, stopping.clone()));
    let mut ada = Tab::open(&server, 1).await;
    tokio::time::sleep(grace).await;
    ada.pull().await.expect("while rights are read nobody is ended");

    server.store.stall([Stalled::Rights]);
    tokio::time::sleep(grace / 2).await;
    ada.pull().await.expect("a short silence ends nobody");
    assert_eq!(ada.end().await, Ended::Unavailable);
    stopping.cancel();
    watching.await.expect("it ends");
}
