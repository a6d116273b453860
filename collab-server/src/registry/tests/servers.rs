//! Several servers on one database.

use ot_core::Revision;

use super::tab::Tab;
use super::*;
use crate::document::Since;
use crate::fanout::{Address, Batch, LocalFanout, News, ServerId, Subscription};

/// A fan-out that carries nothing.
struct Deaf;

impl Fanout for Deaf {
    fn server(&self) -> ServerId {
        ServerId::new(1)
    }

    fn publish(&self, _: Address, _: Arc<News>) {}

    fn subscribe(&self, to: Address) -> Subscription {
        LocalFanout::default().subscribe(to)
    }
}

/// What two servers hear each other by.
pub(super) type Ways = [Option<Arc<dyn Fanout>>; 2];

fn nothing() -> Ways {
    [None, None]
}

fn deaf() -> Ways {
    [Some(Arc::new(Deaf)), Some(Arc::new(Deaf))]
}

fn local() -> Ways {
    let one = LocalFanout::default();
    let other = one.another();
    [Some(Arc::new(one)), Some(Arc::new(other))]
}

/// Two servers on one database.
pub(super) async fn two(ways: Ways, config: DocumentConfig) -> [Server; 2] {
    let store = FaultyStore::new();
    create(&store, DOCUMENT, "Hello").await;
    let server = |store: FaultyStore, fanout| {
        let clock = Arc::new(FragileClock::default());
        let shared = Arc::new(store.clone());
        let registry = Registry::shared(shared, config.clone(), clock.clone(), fanout);
        Server { registry, store, clock }
    };
    let [one, other] = ways;
    [server(store.clone(), one), server(store, other)]
}

async fn check(ways: Ways, config: DocumentConfig) {
    let [one, other] = two(ways, config).await;
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
    let config = DocumentConfig {
        poll_interval,
        poll_interval_alone: poll_interval,
        ..DocumentConfig::default()
    };
    check(local(), config).await;
}

#[tokio::test(start_paused = true)]
async fn a_dead_fanout_costs_time_and_nothing_else() {
    check(deaf(), DocumentConfig::default()).await;
}

#[tokio::test(start_paused = true)]
async fn without_a_fanout_what_others_commit_is_found_in_the_log() {
    check(nothing(), DocumentConfig::default()).await;
}

#[tokio::test(start_paused = true)]
async fn who_writes_on_another_server_is_introduced_by_name() {
    for ways in [nothing(), local()] {
        let [one, other] = two(ways, DocumentConfig::default()).await;
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
    let [one, other] = two(deaf(), DocumentConfig::default()).await;
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
    let config = DocumentConfig {
        poll_interval,
        poll_interval_alone: poll_interval,
        ..DocumentConfig::default()
    };
    let [one, other] = two(deaf(), config).await;
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

#[tokio::test(start_paused = true)]
async fn who_cannot_hear_everything_looks_at_the_log_at_once() {
    let poll_interval = std::time::Duration::from_secs(1_000_000);
    let config = DocumentConfig {
        poll_interval,
        poll_interval_alone: poll_interval,
        ..DocumentConfig::default()
    };
    let loud = LocalFanout::default();
    let [one, other] = two([None, Some(Arc::new(loud.another()))], config).await;
    let (mut ada, mut bob) = (Tab::open(&one, 1).await, Tab::open(&other, 2).await);
    ada.insert(0, "a");
    ada.settle().await;

    let batch = Batch { document: DOCUMENT, operations: Vec::new() };
    let said = Arc::new(News::Batch(batch));
    for _ in 0..=Subscription::WAITING_MAX {
        loud.publish(Address::Document(DOCUMENT), said.clone());
    }
    bob.pull_until(|tab| tab.client.revision() == Revision::new(2)).await;
    assert_eq!(bob.text(), one.stored().await.0);
}

#[tokio::test(start_paused = true)]
async fn a_title_given_on_one_server_is_shown_on_the_other() {
    // At once where they hear each other, and at the next look where they do not.
    let never = std::time::Duration::from_secs(1_000_000);
    let unasked = DocumentConfig {
        poll_interval: never,
        poll_interval_alone: never,
        ..DocumentConfig::default()
    };
    for (ways, config) in [(local(), unasked), (nothing(), DocumentConfig::default())] {
        let [one, other] = two(ways, config).await;
        let (mut ada, mut bob) = (Tab::open(&one, 1).await, Tab::open(&other, 2).await);
        for title in ["Ünder way", "Done"] {
            one.registry.rename(DOCUMENT, title.to_owned()).await.expect("renamed");
            ada.pull_until(|tab| tab.title == title).await;
            bob.pull_until(|tab| tab.title == title).await;
        }
    }
}
