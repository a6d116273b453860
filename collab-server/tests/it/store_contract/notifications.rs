//! Notifications of people: numbers, changes, keys, what is read, and how many are kept.

use collab_protocol::{DocumentId, MessageId, NotificationId, Role};
use collab_server::{
    NotificationContent, NotificationEntry, NotificationExtract, NotificationHead,
    NotificationOutcome, NotificationRange, NotificationRecord, NotificationSelection, Recipient,
    Repeated, Store,
};
use futures_util::future::join_all;

use super::support::{DOCUMENT, Database, user};

fn person(number: usize) -> Recipient {
    Recipient { tenant: "acme".parse().expect("an id"), person: user(number) }
}

fn app(title: &str) -> NotificationContent {
    NotificationContent::App {
        name: "told".parse().expect("a name"),
        title: title.to_owned(),
        body: None,
        url: None,
        data: None,
    }
}

fn new(id: u128, key: &str) -> NotificationRecord {
    NotificationRecord {
        to: person(1),
        id: NotificationId::new(id),
        key: key.to_owned(),
        time_ms: 5_000,
        content: app(key),
        repeated: Repeated::Stays,
        keep_max: 100,
    }
}

fn edited(by: &[usize], edits: u64, rev: u64) -> NotificationContent {
    let by = by.iter().map(|number| user(*number)).collect();
    NotificationContent::Edited { doc: DOCUMENT, title: "Notes".to_owned(), by, edits, rev }
}

async fn notify(
    store: &dyn Store,
    new: NotificationRecord,
) -> (NotificationEntry, NotificationHead) {
    match store.notify(new).await {
        Ok(NotificationOutcome::Done(entry, head)) => (entry, head),
        other => panic!("{other:?}"),
    }
}

async fn told(store: &dyn Store, count: u128) {
    for id in 1..=count {
        notify(store, new(id, &id.to_string())).await;
    }
}

async fn read(store: &dyn Store, range: NotificationRange, limit: u32) -> NotificationExtract {
    store.notifications(person(1), range, limit).await.expect("reads")
}

async fn latest(store: &dyn Store) -> NotificationExtract {
    read(store, NotificationRange::Latest, 200).await
}

fn ids(extract: &NotificationExtract) -> Vec<u128> {
    extract.entries.iter().map(|entry| entry.id.get()).collect()
}

fn these(ids: &[u128]) -> NotificationSelection {
    NotificationSelection::These(ids.iter().map(|id| NotificationId::new(*id)).collect())
}

/// Marks what is read; which were unread before.
async fn mark(store: &dyn Store, which: NotificationSelection) -> (Vec<u128>, NotificationHead) {
    let marked = store.read_notifications(person(1), which, 9_000).await.expect("marks");
    (marked.ids.iter().map(|id| id.get()).collect(), marked.head)
}

const fn head(number: u64, change: u64, unread: u32) -> NotificationHead {
    NotificationHead { number, change, unread }
}

pub(crate) async fn notifications_are_numbered_and_come_latest_first(database: &impl Database) {
    let store = database.store();
    assert_eq!(latest(store).await, NotificationExtract::default());
    for id in 1..=3 {
        let (entry, stands) = notify(store, new(u128::from(id) + 6, &id.to_string())).await;
        assert_eq!((entry.number, entry.change, entry.read_ms), (id, id, None));
        assert_eq!(stands, head(id, id, u32::try_from(id).expect("small")));
    }
    let found = latest(store).await;
    assert_eq!((ids(&found), found.head), (vec![9, 8, 7], head(3, 3, 3)));
    assert_eq!(found.entries[0].time_ms, 5_000);
}

pub(crate) async fn notification_under_a_key_that_is_there_is_made_once(database: &impl Database) {
    let store = database.store();
    let (first, _) = notify(store, new(1, "a key 'é'")).await;
    for again in [
        new(1, "a key 'é'"),
        NotificationRecord { content: app("other"), time_ms: 6_000, ..new(2, "a key 'é'") },
    ] {
        let outcome = store.notify(again).await.expect("an outcome");
        assert_eq!(outcome, NotificationOutcome::Before(first.clone()));
    }
    assert_eq!(latest(store).await.head, head(1, 1, 1));
    mark(store, these(&[1])).await;
    let outcome = store.notify(new(3, "a key 'é'")).await.expect("an outcome");
    assert!(matches!(outcome, NotificationOutcome::Before(entry) if entry.read_ms == Some(9_000)));
}

pub(crate) async fn the_same_notification_told_many_times_at_once_is_there_once(
    database: &impl Database,
) {
    let store = database.store();
    for round in 1..=5_u32 {
        let key = round.to_string();
        let told = join_all((0..6).map(|id| store.notify(new(id, &key)))).await;
        let mut done = 0;
        for outcome in &told {
            match outcome.as_ref().expect("an outcome") {
                NotificationOutcome::Done(..) => done += 1,
                NotificationOutcome::Before(entry) => assert_eq!(entry.number, u64::from(round)),
            }
        }
        assert_eq!(done, 1, "{told:?}");
    }
    assert_eq!(latest(store).await.head, head(5, 5, 5));
}

pub(crate) async fn simultaneous_notifications_leave_no_gap(database: &impl Database) {
    let store = database.store();
    let told = (1..=20).map(|id| async move { store.notify(new(id, &id.to_string())).await });
    let read = (1..=20).map(|id| async move { mark(store, these(&[id])).await });
    let (told, _) = tokio::join!(join_all(told), join_all(read));
    let mut numbers: Vec<u64> = told
        .into_iter()
        .map(|outcome| match outcome.expect("an outcome") {
            NotificationOutcome::Done(entry, _) => entry.number,
            other @ NotificationOutcome::Before(_) => panic!("{other:?}"),
        })
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
    let found = latest(store).await;
    let mut changes: Vec<u64> = found.entries.iter().map(|entry| entry.change).collect();
    changes.sort_unstable();
    changes.dedup();
    assert_eq!(changes.len(), 20, "each has a change of its own");
    let read = found.entries.iter().filter(|entry| entry.read_ms.is_some()).count();
    assert_eq!(found.head.change, 20 + u64::try_from(read).expect("small"));
}

pub(crate) async fn edits_told_anew_add_up_until_they_are_read(database: &impl Database) {
    let store = database.store();
    let digest = |id, content, time_ms| NotificationRecord {
        content,
        time_ms,
        repeated: Repeated::ToldAnew,
        ..new(id, "edited")
    };
    notify(store, digest(1, edited(&[2], 3, 10), 5_000)).await;
    notify(store, new(2, "another")).await;
    let (entry, stands) = notify(store, digest(3, edited(&[3, 2], 4, 17), 6_000)).await;
    assert_eq!((entry.id.get(), entry.number, entry.time_ms), (1, 3, 6_000));
    assert_eq!((entry.content, stands), (edited(&[2, 3], 7, 17), head(3, 3, 2)));
    assert_eq!(ids(&latest(store).await), [1, 2], "it is the latest, and there once");
    mark(store, these(&[1])).await;
    let (entry, stands) = notify(store, digest(4, edited(&[4], 1, 18), 7_000)).await;
    assert_eq!((entry.content, entry.read_ms), (edited(&[4], 1, 18), None));
    assert_eq!((ids(&latest(store).await), stands.unread), (vec![1, 2], 2));
}

pub(crate) async fn what_is_read_is_one_change_and_read_once(database: &impl Database) {
    let store = database.store();
    assert_eq!(mark(store, NotificationSelection::UpTo(9)).await, (vec![], head(0, 0, 0)));
    told(store, 5).await;
    assert_eq!(mark(store, these(&[2, 4, 77])).await, (vec![2, 4], head(5, 6, 3)));
    assert_eq!(mark(store, these(&[2, 4, 77])).await, (vec![], head(5, 6, 3)));
    assert_eq!(mark(store, NotificationSelection::UpTo(3)).await, (vec![1, 3], head(5, 7, 1)));
    assert_eq!(mark(store, NotificationSelection::UpTo(3)).await, (vec![], head(5, 7, 1)));
    let all = NotificationSelection::UpTo(u64::MAX);
    assert_eq!(mark(store, all).await, (vec![5], head(5, 8, 0)));
    let found = latest(store).await;
    let stamps: Vec<_> = found.entries.iter().map(|entry| (entry.change, entry.read_ms)).collect();
    let at = |change| (change, Some(9_000));
    assert_eq!(stamps, [at(8), at(6), at(7), at(6), at(7)]);
}

pub(crate) async fn who_was_away_is_given_what_changed_since(database: &impl Database) {
    let store = database.store();
    told(store, 4).await;
    mark(store, these(&[2, 3])).await;
    for (since, expected) in
        [(0, vec![4, 3, 2, 1]), (3, vec![4, 3, 2]), (4, vec![3, 2]), (5, vec![]), (99, vec![])]
    {
        let found = read(store, NotificationRange::Since(since), 50).await;
        assert_eq!((ids(&found), found.head), (expected, head(4, 5, 2)), "since {since}");
    }
    assert_eq!(ids(&read(store, NotificationRange::Since(u64::MAX), 50).await), [0; 0]);
    assert_eq!(read(store, NotificationRange::Since(0), 3).await.entries.len(), 3);
}

pub(crate) async fn pages_of_notifications_lead_back_to_the_first(database: &impl Database) {
    let store = database.store();
    told(store, 7).await;
    let mut before = u64::MAX;
    let mut pages = Vec::new();
    loop {
        let page = read(store, NotificationRange::Before(before), 3).await;
        let Some(last) = page.entries.last() else { break };
        before = last.number;
        pages.push(ids(&page));
    }
    assert_eq!(pages, [vec![7, 6, 5], vec![4, 3, 2], vec![1]]);
}

pub(crate) async fn of_too_many_the_oldest_read_ones_go_first(database: &impl Database) {
    let store = database.store();
    let few = |id: u128| NotificationRecord { keep_max: 3, ..new(id, &id.to_string()) };
    for id in 1..=3 {
        notify(store, few(id)).await;
    }
    mark(store, these(&[2, 3])).await;
    notify(store, few(4)).await;
    assert_eq!(ids(&latest(store).await), [4, 3, 1]);
    notify(store, few(5)).await;
    assert_eq!(ids(&latest(store).await), [5, 4, 1]);
    let (_, stands) = notify(store, few(6)).await;
    assert_eq!((ids(&latest(store).await), stands.unread), (vec![6, 5, 4], 3));
    // What has gone may come again.
    assert!(matches!(store.notify(few(1)).await, Ok(NotificationOutcome::Done(..))));
}

pub(crate) async fn each_person_of_each_tenant_has_their_own(database: &impl Database) {
    let store = database.store();
    let twin = Recipient { tenant: "globex".parse().expect("an id"), person: user(1) };
    for to in [person(1), person(2), twin.clone()] {
        let (entry, _) = notify(store, NotificationRecord { to, ..new(7, "same") }).await;
        assert_eq!((entry.number, entry.change), (1, 1));
    }
    mark(store, NotificationSelection::UpTo(u64::MAX)).await;
    for (to, unread) in [(person(1), 0), (person(2), 1), (twin, 1)] {
        let found = store.notifications(to, NotificationRange::Latest, 50).await.expect("reads");
        assert_eq!((found.entries.len(), found.head.unread), (1, unread));
    }
}

pub(crate) async fn every_kind_of_notification_is_kept_as_it_was(database: &impl Database) {
    let store = database.store();
    let (title, doc) = ("é😀\u{301}\n\"'\0".to_owned(), DocumentId::new(u128::MAX));
    let contents = [
        NotificationContent::Mentioned {
            doc,
            title: title.clone(),
            by: user(2),
            message: MessageId::new(7),
        },
        NotificationContent::Shared { doc, title: title.clone(), by: None, role: Role::Viewer },
        NotificationContent::Shared {
            doc,
            title: String::new(),
            by: Some(user(3)),
            role: Role::Owner,
        },
        edited(&[2, 3], u64::MAX >> 12, 9),
        NotificationContent::App {
            name: "export.ready".parse().expect("a name"),
            title: title.clone(),
            body: Some(title),
            url: Some("/exports/81".to_owned()),
            data: Some(serde_json::json!({"n": [1, 2.5, null], "é": "\u{0}"})),
        },
    ];
    for (id, content) in (1..).zip(contents.clone()) {
        notify(store, NotificationRecord { content, ..new(id, &id.to_string()) }).await;
    }
    let mut found = latest(store).await.entries;
    found.reverse();
    let kept: Vec<NotificationContent> = found.into_iter().map(|entry| entry.content).collect();
    assert_eq!(kept, contents);
}
