//! Several servers on one database.

use ot_core::Revision;

use super::tab::Tab;
use super::*;
use crate::document::Since;
use crate::fanout::{Batch, LocalFanout, Subscription};

/// A fan-out that carries nothing.
struct Deaf;

impl Fanout for Deaf {
    fn publish(&self, _: Arc<Batch>) {}

    fn subscribe(&self, _: DocumentId) -> Subscription {
        Subscription::new().1
    }
}

/// Two servers on one database.
async fn two(fanout: Option<Arc<dyn Fanout>>, config: DocumentConfig) -> [Server; 2] {
    let store = FaultyStore::new();
    create(&store, DOCUMENT, "Hello").await;
    let server = |store: FaultyStore| {
        let clock = Arc::new(FragileClock::default());
        let shared = Arc::new(store.clone());
        let registry = Registry::shared(shared, config.clone(), clock.clone(), fanout.clone());
        Server { registry, store, clock }
    };
    [server(store.clone()), server(store)]
}

async fn check(fanout: Option<Arc<dyn Fanout>>, config: DocumentConfig) {
    let [one, other] = two(fanout, config).await;
    let (mut ada, mut bob) = (Tab::open(&one, 1).await, Tab::open(&other, 2).await);
    for round in 1..=5 {
        ada.insert(0, "a");
        ada.settle().await;
        bob.pull_until(|tab| tab.client.revision() == Revision::new(2 * round)).await;
        bob.insert(0, "b");
        bob.settle().await;
        ada.pull_until(|tab| tab.client.revision() == Revision::new(2 * round + 1)).await;
    }
    assert_eq!((ada.text(), bob.text()), (one.stored().await.0, one.stored().await.0));
}

#[tokio::test(start_paused = true)]
async fn what_one_server_commits_the_other_hears() {
    // No look at the log comes within the test's patience.
    let poll_interval = std::time::Duration::from_secs(1_000_000);
    let config = DocumentConfig { poll_interval, ..DocumentConfig::default() };
    check(Some(Arc::new(LocalFanout::default())), config).await;
}

#[tokio::test(start_paused = true)]
async fn a_dead_fanout_costs_time_and_nothing_else() {
    check(Some(Arc::new(Deaf)), DocumentConfig::default()).await;
}

#[tokio::test(start_paused = true)]
async fn without_a_fanout_what_others_commit_is_found_in_the_log() {
    check(None, DocumentConfig::default()).await;
}

#[tokio::test(start_paused = true)]
async fn who_writes_on_another_server_is_introduced_by_name() {
    let local: Arc<dyn Fanout> = Arc::new(LocalFanout::default());
    for fanout in [None, Some(local)] {
        let [one, other] = two(fanout, DocumentConfig::default()).await;
        let id = "g_1".parse().expect("an id");
        let person = PersonRecord { id, name: "Stored 1".to_owned(), color: 9, created_ms: 1 };
        one.registry.put_person(person).await.expect("put");
        let (mut ada, mut bob) = (Tab::open(&one, 1).await, Tab::open(&other, 2).await);
        ada.insert(0, "a");
        ada.settle().await;
        bob.pull_until(|tab| tab.client.revision() == Revision::new(2)).await;
        assert!(bob.frames.iter().any(|frame| frame.contains("Stored 1")), "{:#?}", bob.frames);
    }
}

#[tokio::test(start_paused = true)]
async fn both_may_commit_at_the_same_time() {
    let [one, other] = two(Some(Arc::new(Deaf)), DocumentConfig::default()).await;
    let (mut ada, mut bob) = (Tab::open(&one, 1).await, Tab::open(&other, 2).await);
    for _ in 0..20 {
        ada.insert(0, "a");
        bob.insert(0, "b");
        ada.settle().await;
        bob.settle().await;
    }
    let (text, revision) = one.stored().await;
    for tab in [&mut ada, &mut bob] {
        tab.pull_until(|tab| tab.client.revision().get() == revision).await;
        assert_eq!(tab.text(), text);
    }
    assert_eq!(text.matches('a').count(), 20);
    assert_eq!(text.matches('b').count(), 20);
}

#[tokio::test(start_paused = true)]
async fn who_heard_more_elsewhere_goes_on_where_they_are() {
    let poll_interval = std::time::Duration::from_secs(1_000_000);
    let config = DocumentConfig { poll_interval, ..DocumentConfig::default() };
    let [one, other] = two(Some(Arc::new(Deaf)), config).await;
    let (mut ada, _bob) = (Tab::open(&one, 1).await, Tab::open(&other, 2).await);
    ada.insert(0, "a");
    ada.settle().await;
    ada.insert(0, "b");
    let revision = ada.client.revision();

    // The other server has not heard of it when Ada comes there, with an edit under way.
    ada.joined = None;
    let since = Since { revision, epoch: ada.epoch };
    ada.join(&other, Some(since)).await.expect("enters");
    assert!(!ada.frames.last().expect("joined").contains(r#""text":"#), "operations, never text");
    ada.send_outstanding();
    ada.settle().await;
    assert_eq!(ada.text(), "baHello");
    assert_eq!(one.stored().await.0, "baHello");
}
