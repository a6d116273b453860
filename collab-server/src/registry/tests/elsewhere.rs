//! Who is in a document on other servers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use collab_protocol::Person;
use ot_core::{Ranges, Revision, Selection};
use tokio::time::Instant;

use super::servers::two;
use super::tab::Tab;
use super::*;
use crate::fanout::{Address, LocalFanout, News, ServerId, Subscription};

/// One server's way to the others, on which everything is lost for a time.
#[derive(Clone)]
struct Lossy {
    inner: LocalFanout,
    is_cut: Arc<AtomicBool>,
}

impl Lossy {
    fn cut(&self, is_cut: bool) {
        self.is_cut.store(is_cut, Ordering::Release);
    }
}

impl Fanout for Lossy {
    fn server(&self) -> ServerId {
        self.inner.server()
    }

    fn publish(&self, to: Address, news: Arc<News>) {
        if !self.is_cut.load(Ordering::Acquire) {
            self.inner.publish(to, news);
        }
    }

    fn subscribe(&self, to: Address) -> Subscription {
        self.inner.subscribe(to)
    }
}

/// Two servers on one database, and the way of the first one to the second.
async fn pair() -> ([Server; 2], Lossy) {
    let other = LocalFanout::default();
    let lossy = Lossy { inner: other.another(), is_cut: Arc::default() };
    let servers =
        two([Some(Arc::new(lossy.clone())), Some(Arc::new(other))], DocumentConfig::default());
    (servers.await, lossy)
}

fn lease() -> Duration {
    DocumentConfig::default().presence_lease
}

/// The sessions of a person, as a tab sees them.
fn of(tab: &Tab, user: u32) -> Vec<&Person> {
    let user = format!("g_{user}");
    tab.people.values().filter(|person| person.user.as_str() == user).collect()
}

fn select(tab: &Tab, anchor: usize, head: usize) {
    let ranges = Ranges::one(Selection { anchor, head });
    let sender = &tab.joined.as_ref().expect("joined").sender;
    sender.select(tab.client.revision(), ranges).expect("there is room");
}

fn selection(tab: &Tab, user: u32) -> Option<(u32, u32)> {
    let [person] = of(tab, user)[..] else { return None };
    person.ranges.as_ref().map(|ranges| (ranges[0].anchor, ranges[0].head))
}

#[tokio::test(start_paused = true)]
async fn who_is_on_another_server_is_seen_by_name_colour_and_selection() {
    let ([one, other], _way) = pair().await;
    let mut ada = Tab::open(&one, 1).await;
    select(&ada, 1, 4);
    let mut bob = Tab::open(&other, 2).await;
    let began = Instant::now();
    bob.pull_until(|tab| selection(tab, 1) == Some((1, 4))).await;
    ada.pull_until(|tab| of(tab, 2).len() == 1).await;
    assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());

    let (seen_ada, seen_bob) = (of(&bob, 1)[0].clone(), of(&ada, 2)[0].clone());
    assert_eq!((seen_ada.name.as_str(), seen_bob.name.as_str()), ("Guest 1", "Guest 2"));
    assert_ne!(seen_ada.color, seen_bob.color, "both like the same one");
    assert_eq!(seen_ada.color, 4, "who was there first has it");

    // Selections follow what is typed, wherever it is.
    bob.insert(0, "xx");
    bob.settle().await;
    let mut cleo = Tab::open(&other, 3).await;
    cleo.pull_until(|tab| selection(tab, 1) == Some((3, 6))).await;
    ada.pull_until(|tab| tab.client.revision() == Revision::new(2)).await;
    select(&ada, 3, 3);
    bob.pull_until(|tab| selection(tab, 1) == Some((3, 3))).await;
    ada.insert(3, "y");
    ada.settle().await;
    bob.pull_until(|tab| tab.client.revision() == Revision::new(3)).await;
    // A caret goes behind what its own person types.
    let mut dora = Tab::open(&other, 4).await;
    dora.pull_until(|tab| selection(tab, 1) == Some((4, 4))).await;

    ada.joined = None;
    bob.pull_until(|tab| of(tab, 1).is_empty()).await;
}

#[tokio::test(start_paused = true)]
async fn colours_of_two_who_come_at_once_are_told_apart_alike_on_both() {
    let ([one, other], way) = pair().await;
    way.cut(true);
    let (mut ada, mut bob) = (Tab::open(&one, 1).await, Tab::open(&other, 2).await);
    way.cut(false);
    let mut cleo = Tab::open(&one, 3).await;
    bob.pull_until(|tab| of(tab, 1).len() == 1 && of(tab, 3).len() == 1).await;
    cleo.pull_until(|tab| of(tab, 2).len() == 1).await;
    let settled = |tab: &Tab| of(tab, 2)[0].color != 4;
    ada.pull_until(|tab| !of(tab, 2).is_empty() && settled(tab)).await;
    cleo.pull_until(settled).await;
    assert_eq!(of(&bob, 1)[0].color, 4, "the lower id keeps it");
    assert_eq!(of(&ada, 2)[0].color, of(&cleo, 2)[0].color);
    assert_eq!(of(&bob, 3)[0].color, of(&ada, 3)[0].color);
}

#[tokio::test(start_paused = true)]
async fn people_of_a_server_that_falls_silent_are_gone_within_the_lease() {
    let ([one, other], way) = pair().await;
    let (_ada, mut bob) = (Tab::open(&one, 1).await, Tab::open(&other, 2).await);
    bob.pull_until(|tab| of(tab, 1).len() == 1).await;
    way.cut(true);
    let began = Instant::now();
    bob.pull_until(|tab| of(tab, 1).is_empty()).await;
    let took = began.elapsed();
    assert!(took <= lease() + Duration::from_millis(200), "{took:?}");
    assert!(took >= lease() * 2 / 3 - Duration::from_millis(200), "{took:?}");
    assert_eq!(other.registry.here(DOCUMENT), 1);

    // Heard of again, they are there again.
    way.cut(false);
    bob.pull_until(|tab| of(tab, 1).len() == 1).await;
    assert!(began.elapsed() - took <= lease() / 3 + Duration::from_secs(1));
    assert_eq!(other.registry.here(DOCUMENT), 2);
}

#[tokio::test(start_paused = true)]
async fn who_comes_in_sees_everybody_at_once() {
    let ([one, other], _way) = pair().await;
    let mut there = Vec::new();
    for number in 1..=40 {
        there.push(Tab::open(&one, number).await);
        select(&there[number as usize - 1], 0, 1);
    }
    // A server on which nobody is hears nothing unasked for long.
    tokio::time::sleep(lease() * 3).await;
    let began = Instant::now();
    let mut bob = Tab::open(&other, 100).await;
    bob.pull_until(|tab| (1..=40).all(|user| selection(tab, user) == Some((0, 1)))).await;
    assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
    assert_eq!((bob.people.len(), other.registry.here(DOCUMENT)), (40, 41));
}

#[tokio::test(start_paused = true)]
async fn what_was_lost_on_the_way_is_asked_for() {
    let ([one, other], way) = pair().await;
    let (ada, mut bob) = (Tab::open(&one, 1).await, Tab::open(&other, 2).await);
    let cleo = Tab::open(&one, 3).await;
    bob.pull_until(|tab| of(tab, 1).len() == 1 && of(tab, 3).len() == 1).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    way.cut(true);
    select(&ada, 2, 3);
    drop(cleo);
    tokio::time::sleep(Duration::from_secs(1)).await;
    way.cut(false);
    let began = Instant::now();
    bob.pull_until(|tab| selection(tab, 1) == Some((2, 3)) && of(tab, 3).is_empty()).await;
    assert!(began.elapsed() <= lease() / 3 + Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_moves_to_another_server_is_there_once() {
    let ([one, other], _way) = pair().await;
    let (mut ada, mut bob) = (Tab::open(&one, 1).await, Tab::open(&other, 2).await);
    let mut cleo = Tab::open(&one, 3).await;
    bob.pull_until(|tab| of(tab, 1).len() == 1).await;
    // The first server has not noticed yet that she is gone.
    let lingering = ada.joined.take();
    ada.join(&other, None).await.expect("enters");
    bob.pull_until(|tab| of(tab, 1).len() == 1).await;
    select(&ada, 0, 5);
    bob.pull_until(|tab| selection(tab, 1) == Some((0, 5))).await;
    tokio::time::sleep(lease() * 2).await;
    bob.pull().await.expect("lives");
    assert_eq!((of(&bob, 1).len(), bob.people.len()), (1, 2));
    // A second tab of hers is another session of the same person.
    let mut second = Tab::new(1);
    second.id = ClientId::new(77);
    second.join(&one, None).await.expect("enters");
    bob.pull_until(|tab| of(tab, 1).len() == 2).await;
    let people = of(&bob, 1);
    assert_eq!((people[0].by, people[0].color), (people[1].by, people[1].color));
    drop(lingering);
    cleo.pull_until(|tab| tab.people.len() >= 3).await;
}

#[tokio::test(start_paused = true)]
async fn another_name_shows_on_every_server() {
    let ([one, other], _way) = pair().await;
    let (_ada, mut bob) = (Tab::open(&one, 1).await, Tab::open(&other, 2).await);
    bob.pull_until(|tab| of(tab, 1).len() == 1).await;
    let id = "g_1".parse().expect("an id");
    let person = PersonRecord { id, name: "Countess".to_owned(), color: 4, created_ms: 1 };
    one.registry.put_person(person).await.expect("put");
    bob.pull_until(|tab| of(tab, 1)[0].name == "Countess").await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_says_so() {
    let ([one, other], _way) = pair().await;
    let (ada, mut bob) = (Tab::open(&one, 1).await, Tab::open(&other, 2).await);
    bob.pull_until(|tab| of(tab, 1).len() == 1).await;
    let began = Instant::now();
    one.registry.shutdown().await;
    bob.pull_until(|tab| of(tab, 1).is_empty()).await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    drop(ada);
}

#[tokio::test(start_paused = true)]
async fn a_document_that_is_open_elsewhere_alone_is_listed_with_who_is_there() {
    let ([one, other], way) = pair().await;
    let stopping = tokio_util::sync::CancellationToken::new();
    for server in [&one, &other] {
        tokio::spawn(Arc::clone(&server.registry).take_census(stopping.clone()));
    }
    let comes_to = async |count: usize| {
        let began = Instant::now();
        while other.registry.here(DOCUMENT) != count {
            assert!(began.elapsed() < Duration::from_secs(60), "{}", other.registry.here(DOCUMENT));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        began.elapsed()
    };
    let mut tabs = vec![Tab::open(&one, 1).await, Tab::open(&one, 2).await];
    assert!(comes_to(2).await <= Duration::from_secs(2));
    tabs.pop();
    assert!(comes_to(1).await <= Duration::from_secs(2));
    // What is lost is told again; who says nothing any more is gone.
    way.cut(true);
    assert!(comes_to(0).await > Duration::from_secs(5));
    way.cut(false);
    comes_to(1).await;
    assert_eq!(other.registry.stats().documents, 0, "it is not loaded there");
    stopping.cancel();
}
