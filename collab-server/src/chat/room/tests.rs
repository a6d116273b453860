//! Order, gaps and who is told what, without a database.

use collab_protocol::{ChatMessage, LinkAccess, MessageId, TenantId};

use super::*;

fn user(name: &str) -> UserId {
    name.parse().expect("an id")
}

fn person(name: &str) -> ChatPerson {
    ChatPerson { user: user(name), name: name.to_owned(), color: 1 }
}

fn entry(number: u64, change: u64) -> ChatEntry {
    let message = ChatMessage {
        number,
        id: MessageId::new(number.into()),
        user: user("ada"),
        time_ms: 1,
        text: change.to_string(),
        mentions: Vec::new(),
        reference: None,
        edited_ms: None,
        deleted_ms: None,
    };
    ChatEntry { message, change }
}

fn recent(number: u64, change: u64) -> Recent {
    Recent { entry: Arc::new(entry(number, change)), author: person("ada") }
}

fn room() -> (Room, u64) {
    let room = Room::new(DocumentId::new(1), Sizes::default());
    let listener = room.lock().enter(user("ben").into());
    assert!(room.lock().begin(listener, 3));
    (room, listener)
}

/// The changes that are visible behind change 3.
fn visible(room: &Room) -> Vec<u64> {
    room.lock().behind(3).map(|recent| recent.entry.change).collect()
}

#[test]
fn what_arrives_ahead_waits_for_what_is_missing() {
    let (room, _) = room();
    room.committed(entry(6, 6), person("ada"));
    room.committed(entry(5, 5), person("ada"));
    assert_eq!(visible(&room), [0_u64; 0]);
    assert!(room.lock().is_behind());
    room.committed(entry(4, 4), person("ada"));
    assert_eq!(visible(&room), [4, 5, 6]);
    assert!(!room.lock().is_behind());
    room.committed(entry(4, 4), person("ada"));
    assert_eq!(visible(&room), [4, 5, 6], "each once");
}

#[test]
fn what_the_database_has_fills_a_gap_and_doubles_nothing() {
    let (room, _) = room();
    room.committed(entry(6, 6), person("ada"));
    // Message 4 was edited as change 7: its change 4 is not to be had any more.
    let head = ChatHead { number: 6, change: 7 };
    room.lock().filled(vec![recent(5, 5), recent(6, 6), recent(4, 7)], true, head);
    assert_eq!(visible(&room), [5, 6, 7]);
    room.committed(entry(4, 7), person("ada"));
    room.committed(entry(7, 8), person("ada"));
    assert_eq!(visible(&room), [5, 6, 7, 8]);
    assert!(!room.lock().is_behind());
}

#[test]
fn a_part_of_what_is_missing_leaves_the_rest_missing() {
    let (room, _) = room();
    room.heard_of(9);
    let head = ChatHead { number: 9, change: 9 };
    room.lock().filled(vec![recent(4, 4), recent(5, 5)], false, head);
    assert_eq!(visible(&room), [4, 5]);
    assert!(room.lock().is_behind());
}

#[test]
fn a_change_that_nobody_holds_is_doubted_until_the_database_was_read() {
    let (room, _) = room();
    room.doubt();
    assert!(room.lock().is_behind());
    assert_eq!(room.lock().begin_look(), Some((3, true)));
    // What was read does not answer a doubt that came up meanwhile.
    room.doubt();
    room.lock().filled(Vec::new(), true, ChatHead { number: 3, change: 3 });
    assert!(room.lock().is_behind());
    assert_eq!(room.lock().begin_look(), Some((3, true)));
    room.lock().look_failed();
    assert!(room.lock().is_behind());
    assert_eq!(room.lock().begin_look(), Some((3, true)));
    assert!(!room.lock().is_behind());
    assert_eq!(room.lock().begin_look(), Some((3, false)));
}

#[test]
fn a_read_mark_comes_to_all_devices_and_never_goes_back() {
    let (room, first) = room();
    let second = room.lock().enter(user("ben").into());
    let progress = |number| ChatProgress { number, unread: 0 };
    room.read(&user("ben"), progress(3));
    let take = |listener| room.lock().listener(listener).and_then(|l| l.progress.take());
    assert_eq!((take(first), take(second)), (Some(progress(3)), Some(progress(3))));
    room.read(&user("ben"), progress(2));
    assert_eq!((take(first), take(second)), (None, None), "it came late");
    room.lock().note_progress(&user("ben"), progress(3), Some(second));
    assert_eq!((take(first), take(second)), (None, None), "it is known");
    room.lock().note_progress(&user("ben"), progress(5), Some(second));
    assert_eq!((take(first), take(second)), (Some(progress(5)), None), "one knows it already");
    assert_eq!(room.lock().marks(), BTreeMap::from([(user("ben"), 5)]));
}

#[test]
fn who_is_behind_what_is_held_begins_anew() {
    let (room, listener) = room();
    for change in 4..4 + 2 * Sizes::default().recent_max as u64 {
        room.committed(entry(change, change), person("ada"));
    }
    let late = room.lock().enter(user("cleo").into());
    assert!(!room.lock().begin(late, 3));
    let mut state = room.lock();
    let floor = state.floor();
    assert!(state.listener(listener).and_then(|listener| listener.position) < Some(floor));
}

#[test]
fn typists_are_told_once_not_too_often_and_go_by_themselves() {
    let (room, _) = room();
    let start = Instant::now();
    assert!(room.typing(person("ada"), true, start));
    assert!(!room.typing(person("ada"), true, start), "no news");
    let names = |seen, to: &str| {
        let told = room.lock().typists(seen, &user(to));
        told.map(|(_, people)| people.into_iter().map(|person| person.name).collect::<Vec<_>>())
    };
    assert_eq!(names(0, "ben"), None, "not told yet");
    room.lock().tend_typists(start);
    assert_eq!(names(0, "ben"), Some(vec!["ada".to_owned()]));
    assert_eq!(names(0, "ada"), Some(Vec::new()), "oneself is left out");
    assert_eq!(names(1, "ben"), None);
    room.typing(person("cleo"), true, start);
    assert_eq!(room.lock().tend_typists(start), Some(start + TYPISTS_EVERY));
    assert_eq!(names(1, "ben"), None, "too soon");
    room.lock().tend_typists(start + TYPING);
    assert_eq!(names(1, "ben"), Some(Vec::new()));
}

#[test]
fn rights_count_from_the_oldest_that_anybody_came_in_under() {
    let room = Room::new(DocumentId::new(1), Sizes::default());
    let mut state = room.lock();
    let ben = state.enter(user("ben").into());
    state.note_rights_version(0);
    state.enter(user("ada").into());
    state.note_rights_version(1);
    assert_eq!(state.rights_version(), 0, "who came before is looked at anew");
    let mut rights = Rights::new(TenantId::default(), user("ada"), LinkAccess::Off);
    rights.version = 1;
    state.set_rights(&rights);
    assert_eq!(state.rights_version(), 1);
    assert_eq!(state.listener(ben).and_then(|listener| listener.ended), Some(Ended::Revoked));
}
