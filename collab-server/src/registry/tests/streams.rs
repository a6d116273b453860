//! What a session is sent: order, acks, people, catch-up.

use collab_protocol::{Entry, ServerMessage};
use ot_core::{Limits, Operation, Ranges, Revision, Selection};

use super::tab::Tab;
use super::*;
use crate::document::{Ended, Since, Submission};

/// The entries of all `ops` frames, as one list, without the checks.
fn entries(tab: &Tab) -> Vec<Entry> {
    let messages = tab.frames.iter().map(|frame| ServerMessage::decode(frame).expect("a message"));
    messages
        .flat_map(|message| match message {
            ServerMessage::Ops(ops) => ops.ops,
            _ => Vec::new(),
        })
        .filter(|entry| !matches!(entry, Entry::Check { .. }))
        .collect()
}

fn is_ops(frame: &str) -> bool {
    frame.starts_with(r#"{"type":"ops""#)
}

fn caret(offset: usize) -> Ranges {
    Ranges::one(Selection::caret(offset))
}

/// Where the caret of the only other one is shown.
fn shown_caret(tab: &Tab) -> Option<u32> {
    let ranges = tab.people.values().next()?.ranges.clone()?;
    ranges.first().map(|range| range.head)
}

/// Where the caret of the one with this name is shown.
fn caret_of(tab: &Tab, name: &str) -> Option<u32> {
    let person = tab.people.values().find(|person| person.name == name)?;
    person.ranges.as_ref().map(|ranges| ranges[0].head)
}

#[tokio::test(start_paused = true)]
async fn two_tabs_converge() {
    let server = Server::new(DocumentConfig::default(), "Hello").await;
    let (mut ada, mut bob) = (Tab::open(&server, 1).await, Tab::open(&server, 2).await);
    for round in 0..50 {
        ada.insert(0, "a");
        bob.insert(bob.client.text().len_chars(), "😀");
        if round % 3 == 0 {
            ada.pull().await.expect("lives");
        }
        if round % 7 == 0 {
            bob.settle().await;
        }
    }
    ada.settle().await;
    bob.settle().await;
    let (text, revision) = server.stored().await;
    for tab in [&mut ada, &mut bob] {
        tab.pull_until(|tab| tab.client.revision().get() == revision).await;
    }
    assert_eq!((ada.text(), bob.text()), (text.clone(), text.clone()));
    assert_eq!(text, format!("{}Hello{}", "a".repeat(50), "😀".repeat(50)));
}

#[tokio::test(start_paused = true)]
async fn own_operation_is_an_ack_in_its_place_and_others_come_with_their_author() {
    let server = Server::new(DocumentConfig::default(), "").await;
    let (mut ada, mut bob) = (Tab::open(&server, 1).await, Tab::open(&server, 2).await);
    ada.insert(0, "a");
    ada.settle().await;
    bob.pull_until(|tab| tab.client.revision().get() == 1).await;
    bob.insert(1, "b");
    bob.settle().await;
    ada.pull_until(|tab| tab.client.revision().get() == 2).await;

    let found = entries(&ada);
    assert!(matches!(found[0], Entry::Ack { ack: 1 }), "{found:?}");
    assert!(matches!(&found[1], Entry::Op { op, .. } if op.as_str() == r#"[1,"b"]"#), "{found:?}");
    let introduced =
        ada.frames.iter().filter(|frame| is_ops(frame) && frame.contains(r#""name":"Guest 2""#));
    assert_eq!(introduced.count(), 1, "the frame that first names an author introduces them");

    bob.insert(2, "c");
    bob.settle().await;
    ada.frames.clear();
    ada.pull_until(|tab| tab.client.revision().get() == 3).await;
    let ops = ada.frames.iter().find(|frame| is_ops(frame)).expect("one");
    assert!(!ops.contains("Guest"), "and no later one");
}

#[tokio::test(start_paused = true)]
async fn absent_author_is_introduced_too() {
    let server = Server::new(DocumentConfig::default(), "").await;
    let person = PersonRecord {
        id: "g_1".parse().expect("an id"),
        name: "Stored 1".to_owned(),
        color: 9,
        created_ms: 1,
    };
    server.registry.put_person(person).await.expect("put");
    let mut ada = Tab::open(&server, 1).await;
    ada.insert(0, "gone soon");
    ada.settle().await;
    drop(ada);
    // Loaded anew by another server, which never saw her.
    let other = Server::on(server.store.clone(), DocumentConfig::default());
    let mut bob = Tab::new(2);
    bob.epoch = Epoch::new(7);
    bob.resume(&other).await;
    bob.pull_until(|tab| tab.client.revision().get() == 1).await;
    assert!(bob.frames.iter().any(|frame| frame.contains("Stored 1")), "{:#?}", bob.frames);
    assert_eq!(bob.text(), "gone soon");
}

#[tokio::test(start_paused = true)]
async fn client_with_a_base_gets_operations_and_no_text() {
    let server = Server::new(DocumentConfig::default(), "x").await;
    let (mut ada, mut bob) = (Tab::open(&server, 1).await, Tab::open(&server, 2).await);
    bob.joined = None;
    ada.insert(1, "y");
    ada.settle().await;
    bob.insert(0, "offline ");
    bob.frames.clear();
    bob.resume(&server).await;
    bob.settle().await;
    assert!(!bob.frames[0].contains(r#""text""#), "{}", bob.frames[0]);
    assert_eq!((bob.text().as_str(), server.text().await.as_str()), ("offline xy", "offline xy"));
}

#[tokio::test(start_paused = true)]
async fn base_of_another_epoch_or_ahead_of_the_log_gets_the_text() {
    let server = Server::new(DocumentConfig::default(), "x").await;
    for (revision, epoch) in [(1, 8), (99, 7)] {
        let mut tab = Tab::new(1);
        let since = Since { revision: Revision::new(revision), epoch: Epoch::new(epoch) };
        tab.join(&server, Some(since)).await.expect("enters");
        assert_eq!((tab.text().as_str(), tab.client.revision().get()), ("x", 1));
    }
}

#[tokio::test(start_paused = true)]
async fn reader_behind_the_ring_gets_history_composed_around_its_own() {
    let config = DocumentConfig { ring_len: 4, ..DocumentConfig::default() };
    let server = Server::new(config, "").await;
    let (mut ada, mut bob) = (Tab::open(&server, 1).await, Tab::open(&server, 2).await);
    // Bob reads nothing; his own edit lies in the middle of forty of hers.
    for round in 0..40 {
        ada.insert(0, "a");
        ada.settle().await;
        if round == 20 {
            bob.insert(0, "B");
            ada.pull_until(|tab| tab.text().contains('B')).await;
        }
    }
    bob.insert(1, "!");
    bob.frames.clear();
    bob.settle().await;
    let found = entries(&bob);
    assert!(matches!(found[0], Entry::Composed { to: 21, .. }), "{found:?}");
    assert!(matches!(found[1], Entry::Ack { ack: 1 }), "{found:?}");
    assert!(found.len() < 10, "{} entries", found.len());
    ada.pull_until(|tab| tab.text().contains('!')).await;
    assert_eq!((bob.text(), server.text().await), (ada.text(), ada.text()));
}

#[tokio::test(start_paused = true)]
async fn week_offline_with_edits_is_merged() {
    let config = DocumentConfig { ring_len: 4, snapshot_every: 5, ..DocumentConfig::default() };
    let server = Server::new(config, "0123456789").await;
    let (mut ada, mut bob) = (Tab::open(&server, 1).await, Tab::open(&server, 2).await);
    bob.insert(5, "[sent]");
    bob.joined = None;
    for round in 0..30 {
        ada.insert(round % 7, "a");
        ada.settle().await;
    }
    bob.insert(3, "(typed offline)");
    bob.resume(&server).await;
    bob.settle().await;
    let text = server.text().await;
    ada.pull_until(|tab| tab.text() == text).await;
    assert_eq!(bob.text(), text);
    assert_eq!(text.matches("sent").count(), 1, "{text}");
    assert_eq!(text.chars().filter(|letter| *letter == 'a').count(), 30, "{text}");
}

#[tokio::test(start_paused = true)]
async fn catch_up_that_cannot_be_read_ends_the_session_so_that_it_comes_back() {
    let config = DocumentConfig { ring_len: 2, ..DocumentConfig::default() };
    let server = Server::new(config, "").await;
    let (mut ada, mut bob) = (Tab::open(&server, 1).await, Tab::open(&server, 2).await);
    for _ in 0..9 {
        ada.insert(0, "a");
        ada.settle().await;
    }
    server.store.fail_pages(1);
    assert_eq!(bob.end().await, Ended::Unavailable);
    bob.resume(&server).await;
    bob.pull_until(|tab| tab.text() == "aaaaaaaaa").await;
}

#[tokio::test(start_paused = true)]
async fn late_resend_is_acknowledged_apart_and_an_early_one_in_the_stream() {
    let server = Server::new(DocumentConfig::default(), "").await;
    let mut ada = Tab::open(&server, 1).await;
    ada.insert(0, "a");
    let sent = ada.client.clone();
    ada.settle().await;
    let frozen = sent.outstanding().expect("in flight");
    let again = || Submission::new(frozen.seq, frozen.revision, frozen.op.clone(), None);
    // A new session that begins behind it hears of it apart.
    ada.joined = None;
    ada.join(&server, None).await.expect("enters");
    ada.joined.as_ref().expect("joined").sender.submit(again()).expect("sent");
    ada.pull_until(|tab| !tab.acks.is_empty()).await;
    assert_eq!(ada.acks, [(1, 1)]);

    // One that begins before it hears of it in its place.
    let mut back = Tab::new(1);
    (back.client, back.epoch) = (sent.clone(), ada.epoch);
    back.resume(&server).await;
    back.settle().await;
    assert!(back.acks.is_empty());
    assert_eq!((back.text().as_str(), server.stored().await.1), ("a", 1));
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_to_a_document_just_loaded_has_their_text_checked() {
    let server = Server::new(DocumentConfig::default(), "abc").await;
    let mut ada = Tab::open(&server, 1).await;
    ada.joined = None;
    let restarted = Server::on(server.store.clone(), DocumentConfig::default());
    ada.resume(&restarted).await;
    ada.pull_until(|tab| tab.checks == [1]).await;
}

#[tokio::test(start_paused = true)]
async fn text_is_checked_when_it_is_quiet_and_once_a_second_while_it_is_not() {
    let server = Server::new(DocumentConfig::default(), "").await;
    let (mut ada, mut bob) = (Tab::open(&server, 1).await, Tab::open(&server, 2).await);
    for _ in 0..40 {
        ada.insert(0, "a");
        ada.settle().await;
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        bob.pull().await.expect("lives");
    }
    let while_busy = bob.checks.len();
    assert!((3..=5).contains(&while_busy), "{while_busy} checks in four seconds");
    bob.pull_until(|tab| tab.checks.last() == Some(&40)).await;
    let frames = bob.frames.len();
    tokio::time::sleep(std::time::Duration::from_secs(20)).await;
    bob.pull().await.expect("lives");
    assert_eq!(bob.frames.len(), frames, "a document at rest says nothing");
}

#[tokio::test(start_paused = true)]
async fn people_are_seen_to_come_move_and_go() {
    let server = Server::new(DocumentConfig::default(), "abc").await;
    let mut ada = Tab::open(&server, 1).await;
    let mut bob = Tab::open(&server, 2).await;
    assert_eq!(bob.people.len(), 1, "who is there is told at the join");
    ada.pull_until(|tab| tab.people.len() == 1).await;
    let other = |tab: &Tab| tab.people.values().next().cloned().expect("somebody");
    assert_eq!((other(&ada).name.as_str(), other(&ada).ranges), ("Guest 2", None));
    assert_ne!(other(&ada).color, other(&bob).color, "each has a colour");

    let sender = bob.joined.as_ref().expect("joined").sender.clone();
    sender.select(Revision::new(1), caret(3)).expect("sent");
    ada.pull_until(|tab| shown_caret(tab) == Some(3)).await;

    // His caret goes along with her typing, and with his own.
    ada.insert(0, "12");
    ada.settle().await;
    bob.pull_until(|tab| tab.text() == "12abc").await;
    bob.insert(5, "!");
    bob.settle().await;
    let mut eve = Tab::open(&server, 3).await;
    eve.pull_until(|tab| caret_of(tab, "Guest 2") == Some(6)).await;

    drop((bob, sender));
    ada.pull_until(|tab| tab.people.values().all(|person| person.name == "Guest 3")).await;
    eve.pull_until(|tab| tab.people.len() == 1).await;
    ada.pull_until(|tab| tab.people.len() == 1).await;
}

#[tokio::test(start_paused = true)]
async fn selections_told_at_a_join_are_in_the_text_it_begins_with() {
    let server = Server::new(DocumentConfig::default(), "abc").await;
    let (mut ada, mut bob) = (Tab::open(&server, 1).await, Tab::open(&server, 2).await);
    let mut back = Tab::open(&server, 3).await;
    back.joined = None;
    bob.insert(0, "12345");
    bob.settle().await;
    let sender = bob.joined.as_ref().expect("joined").sender.clone();
    sender.select(Revision::new(2), caret(8)).expect("sent");
    ada.pull_until(|tab| shown_caret(tab) == Some(8)).await;

    // One comes back with the text before, one gets a text that was made before; neither has eight
    // characters yet.
    back.resume(&server).await;
    let mut eve = Tab::open(&server, 4).await;
    for tab in [&mut back, &mut eve] {
        assert_eq!((tab.client.revision().get(), tab.text().as_str()), (1, "abc"));
        assert!(tab.people.values().all(|person| person.ranges.is_none()), "{:?}", tab.people);
        assert!(tab.people.len() >= 2, "and yet they are told who is there");
        tab.pull_until(|tab| caret_of(tab, "Guest 2") == Some(8)).await;
        assert_eq!(tab.text(), "12345abc");
    }
    // One that begins at the head is told at once.
    let mut late = Tab::new(5);
    late.client = ada.client.clone();
    late.epoch = ada.epoch;
    late.resume(&server).await;
    assert_eq!(caret_of(&late, "Guest 2"), Some(8));
}

#[tokio::test(start_paused = true)]
async fn slow_reader_gets_the_latest_presence_only() {
    let server = Server::new(DocumentConfig::default(), &"x".repeat(200)).await;
    let (mut ada, bob) = (Tab::open(&server, 1).await, Tab::open(&server, 2).await);
    for offset in 0..100 {
        let sender = &bob.joined.as_ref().expect("joined").sender;
        sender.select(Revision::new(1), caret(offset)).expect("sent");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    ada.frames.clear();
    ada.pull_until(|tab| shown_caret(tab) == Some(99)).await;
    assert!(ada.frames.len() <= 2, "{:#?}", ada.frames);
}

#[tokio::test(start_paused = true)]
async fn selection_that_rides_with_an_edit_is_shown_where_the_edit_came_to_lie() {
    let server = Server::new(DocumentConfig::default(), "ab").await;
    let (mut ada, mut bob) = (Tab::open(&server, 1).await, Tab::open(&server, 2).await);
    ada.insert(0, "123");
    ada.settle().await;
    // Bob has not heard of it.
    bob.client.edit(Operation::splice(2, 1, 0, "X").expect("fits"), 0).expect("fits");
    bob.client.take_submission(&Limits::NONE).expect("typed");
    bob.try_send_outstanding(Some(caret(2))).expect("sent");
    ada.pull_until(|tab| tab.text() == "123aXb" && shown_caret(tab) == Some(5)).await;
    bob.settle().await;
}

#[tokio::test(start_paused = true)]
async fn new_title_and_new_name_are_seen_at_once() {
    let server = Server::new(DocumentConfig::default(), "").await;
    let (mut ada, bob) = (Tab::open(&server, 1).await, Tab::open(&server, 2).await);
    assert_eq!(ada.title, "Notes");
    server.registry.rename(DOCUMENT, "Plan".to_owned()).await.expect("renamed");
    ada.pull_until(|tab| tab.title == "Plan").await;
    let id = "g_2".parse().expect("an id");
    let person = PersonRecord { id, name: "Robert".to_owned(), color: 11, created_ms: 1 };
    server.registry.put_person(person).await.expect("put");
    ada.pull_until(|tab| {
        tab.people.values().any(|person| person.name == "Robert" && person.color == 11)
    })
    .await;
    assert_eq!(Tab::open(&server, 3).await.title, "Plan");
    drop(bob);
}

#[tokio::test(start_paused = true)]
async fn selection_outside_the_text_is_answered_and_not_shown() {
    let server = Server::new(DocumentConfig::default(), "ab").await;
    let (mut ada, mut bob) = (Tab::open(&server, 1).await, Tab::open(&server, 2).await);
    let sender = bob.joined.as_ref().expect("joined").sender.clone();
    sender.select(Revision::new(1), caret(3)).expect("sent");
    bob.pull_until(|tab| tab.frames.iter().any(|frame| frame.contains("bad_ranges"))).await;
    ada.pull().await.expect("lives");
    assert!(ada.people.values().all(|person| person.ranges.is_none()));
}
