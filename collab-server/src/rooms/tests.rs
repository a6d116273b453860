//! Rooms over two servers.

use std::time::Duration;

use super::*;
use crate::document::Frame;
use crate::fanout::LocalFanout;

pub(super) fn news(id: &str) -> EventNews {
    let to = Address::Topic(TenantId::default(), "load".parse().expect("a name"));
    super::news(&to, told(id))
}

fn told(id: &str) -> Told {
    Told {
        name: "said".parse().expect("a name"),
        data: RawJson::new(&format!("[{id:?}]")).expect("JSON"),
        id: Some(id.parse().expect("an id")),
        by: None,
        time_ms: 5,
    }
}

fn two() -> [Arc<Rooms>; 2] {
    let one = LocalFanout::default();
    let other = one.another();
    [one, other].map(|fanout| {
        let fanout: Arc<dyn Fanout> = Arc::new(fanout);
        Rooms::new(Some(fanout), Metrics::new(), &Shutdown::default())
    })
}

fn identity(user: &str, tenant: &str) -> Identity {
    let tenant = tenant.parse().expect("an id");
    Identity { tenant, ..Identity::guest(user.parse().expect("an id")) }
}

struct Guest {
    seat: Seat,
    wake: Arc<Notify>,
}

impl Guest {
    fn of(rooms: &Arc<Rooms>, user: &str, tenant: &str) -> Guest {
        let wake = Arc::new(Notify::new());
        Guest { seat: rooms.enter(&identity(user, tenant), Arc::clone(&wake), 2), wake }
    }

    fn take(&self) -> Vec<String> {
        self.seat.take(1 << 20).into_iter().map(Frame::into_string).collect()
    }

    /// The ids of the next events, once there are any.
    async fn next(&self) -> Vec<String> {
        let wait = async {
            loop {
                let taken = self.take();
                if !taken.is_empty() {
                    return taken;
                }
                self.wake.notified().await;
            }
        };
        let taken = tokio::time::timeout(Duration::from_secs(3_600), wait).await;
        let id = |frame: String| match ServerMessage::decode(&frame).expect("a message") {
            ServerMessage::Event(event) => event.id.to_string(),
            other => panic!("{other:?}"),
        };
        taken.expect("something is told").into_iter().map(id).collect()
    }
}

fn topic(name: &str) -> TopicName {
    name.parse().expect("a name")
}

#[tokio::test(start_paused = true)]
async fn what_is_told_comes_to_everybody_in_the_room_on_both_servers_and_to_nobody_else() {
    let [one, other] = two();
    let (ada, tab) = (Guest::of(&one, "ada", "acme"), Guest::of(&other, "ada", "acme"));
    let (ben, twin) = (Guest::of(&other, "ben", "acme"), Guest::of(&one, "ada", "globex"));
    let acme = || "acme".parse().expect("an id");
    one.tell(&Address::User(acme(), "ada".parse().expect("an id")), told("1"));
    other.tell(&Address::Tenant(acme()), told("2"));
    for guest in [&ada, &tab] {
        let mut heard = guest.next().await;
        while heard.len() < 2 {
            heard.extend(guest.next().await);
        }
        heard.sort();
        assert_eq!(heard, ["1", "2"]);
    }
    assert_eq!(ben.next().await, ["2"]);
    assert!(twin.take().is_empty(), "a tenant is a wall");
}

#[tokio::test(start_paused = true)]
async fn a_topic_is_heard_by_who_watches_it_while_they_do() {
    let [one, other] = two();
    let (mut ada, ben) = (Guest::of(&one, "ada", ""), Guest::of(&other, "ben", ""));
    let to = ada.seat.address(topic("a"));
    ada.seat.watch(topic("a")).expect("one may");
    ada.seat.watch(topic("a")).expect("again");
    assert_eq!((one.topic_count(), other.topic_count()), (1, 0));
    other.tell(&to, told("1"));
    one.tell(&to, told("2"));
    let mut heard = ada.next().await;
    heard.extend(ada.next().await);
    heard.sort();
    assert_eq!(heard, ["1", "2"]);
    ada.seat.watch(topic("b")).expect("two may");
    assert_eq!(ada.seat.watch(topic("c")), Err(TooMany));
    ada.seat.unwatch(topic("a"));
    ada.seat.watch(topic("c")).expect("there is room again");
    one.tell(&to, told("3"));
    drop(ada);
    assert_eq!(one.topic_count(), 0);
    assert!(ben.take().is_empty());
    drop(ben);
    assert!(one.table().rooms.is_empty() && other.table().rooms.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_id_that_comes_again_is_told_once_whichever_server_is_asked() {
    let [one, other] = two();
    let (ada, ben) = (Guest::of(&one, "ada", ""), Guest::of(&other, "ben", ""));
    let to = Address::Tenant(TenantId::default());
    assert_eq!(one.tell(&to, told("1")).as_str(), "1");
    assert_eq!((ada.next().await, ben.next().await), (vec!["1".to_owned()], vec!["1".to_owned()]));
    for rooms in [&one, &other, &other] {
        assert_eq!(rooms.tell(&to, told("1")).as_str(), "1");
    }
    one.tell(&to, told("2"));
    assert_eq!((ada.next().await, ben.next().await), (vec!["2".to_owned()], vec!["2".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn of_the_values_of_a_second_the_latest_is_told() {
    let [one, other] = two();
    let mut ada = Guest::of(&other, "ada", "");
    ada.seat.watch(topic("load")).expect("one may");
    let publish = |id: &str| one.publish(&TenantId::default(), &topic("load"), told(id));
    let began = Instant::now();
    for id in ["1", "2", "3"] {
        publish(id).expect("there is room");
    }
    assert_eq!(ada.next().await, ["1"]);
    assert_eq!(ada.next().await, ["3"]);
    assert!(began.elapsed() >= windows::WINDOW, "{:?}", began.elapsed());
}
