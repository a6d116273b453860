//! Chats beside documents: numbers, changes, resends, and how far each person has read.

use collab_protocol::{ChatMention, ChatReference, DocumentId, GivenRole, MessageId};
use collab_server::{
    ChatBecomes, ChatChange, ChatEntry, ChatExtract, ChatHead, ChatOutcome, ChatProgress,
    ChatRange, NewChatMessage, RightsChange, Store, StoreError,
};
use futures_util::future::join_all;

use super::support::{DOCUMENT, Database, new_document, user};

async fn create(store: &dyn Store, document: DocumentId) {
    store.create_document(new_document(document, "Notes", "")).await.expect("created");
}

fn message(id: u128, author: usize, text: &str) -> NewChatMessage {
    NewChatMessage {
        document: DOCUMENT,
        id: MessageId::new(id),
        author: user(author),
        rights_version: 0,
        time_ms: 5_000,
        text: text.to_owned(),
        mentions: Vec::new(),
        reference: None,
    }
}

#[track_caller]
fn done(outcome: Result<ChatOutcome, StoreError>) -> ChatEntry {
    match outcome {
        Ok(ChatOutcome::Done(entry)) => entry,
        other => panic!("{other:?}"),
    }
}

async fn send(store: &dyn Store, id: u128, author: usize, text: &str) -> ChatEntry {
    done(store.send_chat(message(id, author, text)).await)
}

fn change(id: u128, author: Option<usize>, becomes: ChatBecomes) -> ChatChange {
    ChatChange {
        document: DOCUMENT,
        id: MessageId::new(id),
        author: author.map(user),
        rights_version: 0,
        time_ms: 6_000,
        becomes,
    }
}

fn edit(id: u128, author: usize, text: &str) -> ChatChange {
    let becomes = ChatBecomes::Edited { text: text.to_owned(), mentions: Vec::new() };
    change(id, Some(author), becomes)
}

fn delete(id: u128, author: Option<usize>) -> ChatChange {
    change(id, author, ChatBecomes::Deleted)
}

async fn read(store: &dyn Store, range: ChatRange, limit: u32) -> ChatExtract {
    store.chat(DOCUMENT, range, limit).await.expect("reads")
}

fn texts(extract: &ChatExtract) -> Vec<&str> {
    extract.entries.iter().map(|entry| entry.message.text.as_str()).collect()
}

pub(crate) async fn messages_are_numbered_in_the_order_they_were_taken(database: &impl Database) {
    let store = database.store();
    create(store, DOCUMENT).await;
    assert_eq!(read(store, ChatRange::Latest, 50).await, ChatExtract::default());
    for (id, text) in [(7, "Hello"), (3, "é😀\u{301}\n\"'"), (9, "third")] {
        send(store, id, 1, text).await;
    }
    let found = read(store, ChatRange::Latest, 50).await;
    assert_eq!(texts(&found), ["Hello", "é😀\u{301}\n\"'", "third"]);
    let numbers: Vec<(u64, u64)> =
        found.entries.iter().map(|entry| (entry.message.number, entry.change)).collect();
    assert_eq!(numbers, [(1, 1), (2, 2), (3, 3)]);
    assert_eq!(found.head, ChatHead { number: 3, change: 3 });
    let first = &found.entries[0].message;
    assert_eq!((first.id, first.time_ms), (MessageId::new(7), 5_000));
    assert_eq!((first.edited_ms, first.deleted_ms), (None, None));
    let other = DocumentId::new(0xbad);
    create(store, other).await;
    let heads = store.chat_heads(vec![DOCUMENT, other, DocumentId::new(404)]).await;
    assert_eq!(heads.expect("reads"), [(DOCUMENT, found.head)], "chats are apart");
}

pub(crate) async fn message_sent_again_is_there_once(database: &impl Database) {
    let store = database.store();
    create(store, DOCUMENT).await;
    let first = send(store, 1, 1, "once").await;
    send(store, 2, 1, "then").await;
    for later in [5_000, 9_000] {
        let again = NewChatMessage { time_ms: later, ..message(1, 1, "once") };
        let outcome = store.send_chat(again).await.expect("an outcome");
        assert_eq!(outcome, ChatOutcome::Before(first.clone()));
    }
    // Whatever has become of it since, and whatever its author may do by now.
    done(store.change_chat(edit(1, 1, "otherwise")).await);
    let again = NewChatMessage { rights_version: 99, ..message(1, 1, "once") };
    let outcome = store.send_chat(again).await.expect("an outcome");
    assert!(matches!(outcome, ChatOutcome::Before(entry) if entry.message.number == 1));
    done(store.change_chat(delete(1, Some(1))).await);
    let outcome = store.send_chat(message(1, 1, "once")).await.expect("an outcome");
    assert!(matches!(outcome, ChatOutcome::Before(entry) if entry.message.text.is_empty()));
    assert_eq!(texts(&read(store, ChatRange::Latest, 50).await), ["", "then"]);
}

pub(crate) async fn the_same_message_sent_many_times_at_once_is_there_once(
    database: &impl Database,
) {
    let store = database.store();
    create(store, DOCUMENT).await;
    for id in 1..=5 {
        let sent = join_all((0..6).map(|_| store.send_chat(message(id, 1, "once")))).await;
        let is_done = |sent: &&Result<ChatOutcome, _>| matches!(sent, Ok(ChatOutcome::Done(_)));
        assert_eq!(sent.iter().filter(is_done).count(), 1, "{sent:?}");
        let is_known = |sent: &Result<ChatOutcome, _>| {
            matches!(sent, Ok(ChatOutcome::Done(entry) | ChatOutcome::Before(entry))
                if u128::from(entry.message.number) == id)
        };
        assert!(sent.iter().all(is_known), "{sent:?}");
    }
    assert_eq!(read(store, ChatRange::Latest, 50).await.head, ChatHead { number: 5, change: 5 });
}

pub(crate) async fn another_message_under_the_same_id_is_refused(database: &impl Database) {
    let store = database.store();
    create(store, DOCUMENT).await;
    send(store, 1, 1, "mine").await;
    let about = Some(ChatReference { rev: 0, start: 0, end: 1 });
    for other in [
        message(1, 1, "other"),
        message(1, 2, "mine"),
        NewChatMessage { reference: about, ..message(1, 1, "mine") },
    ] {
        let outcome = store.send_chat(other).await.expect("an outcome");
        assert_eq!(outcome, ChatOutcome::IdReuse);
    }
    done(store.change_chat(delete(1, Some(1))).await);
    let outcome = store.send_chat(message(1, 2, "mine")).await.expect("an outcome");
    assert_eq!(outcome, ChatOutcome::IdReuse, "of a deleted one the author still counts");
    assert_eq!(read(store, ChatRange::Latest, 50).await.head.number, 1);
}

pub(crate) async fn simultaneous_messages_leave_no_gap(database: &impl Database) {
    let store = database.store();
    create(store, DOCUMENT).await;
    let sent = join_all((1..=40).map(|id| store.send_chat(message(id, 1, "x")))).await;
    let mut numbers: Vec<u64> = sent.into_iter().map(|sent| done(sent).message.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
    let found = read(store, ChatRange::Since(0), 100).await;
    let changes: Vec<u64> = found.entries.iter().map(|entry| entry.change).collect();
    assert_eq!(changes, numbers);
}

fn shut_out(person: usize) -> RightsChange {
    RightsChange::Give { person: user(person), role: GivenRole::None, by: user(1) }
}

pub(crate) async fn message_under_older_rights_is_refused(database: &impl Database) {
    let store = database.store();
    create(store, DOCUMENT).await;
    send(store, 1, 2, "before").await;
    store.change_rights(DOCUMENT, shut_out(2), 7).await.expect("changed");
    for outcome in [
        store.send_chat(message(2, 2, "after")).await,
        store.change_chat(edit(1, 2, "after")).await,
        store.change_chat(delete(1, Some(2))).await,
    ] {
        assert_eq!(outcome.expect("an outcome"), ChatOutcome::OtherRights);
    }
    let found = read(store, ChatRange::Latest, 50).await;
    assert_eq!((texts(&found), found.head.change), (vec!["before"], 1));
    done(store.send_chat(NewChatMessage { rights_version: 1, ..message(2, 1, "now") }).await);
}

pub(crate) async fn of_a_message_and_a_change_of_rights_at_once_the_message_is_first_or_nothing(
    database: &impl Database,
) {
    let store = database.store();
    for number in 1..=20_u128 {
        let document = DocumentId::new(number);
        create(store, document).await;
        let new = NewChatMessage { document, ..message(number, 2, "x") };
        let changing = store.change_rights(document, shut_out(2), 7);
        let (outcome, changed) = tokio::join!(store.send_chat(new), changing);
        changed.expect("changed");
        let heads = store.chat_heads(vec![document]).await.expect("reads");
        let is_there = heads.iter().any(|(_, head)| head.number == 1);
        match outcome.expect("an outcome") {
            ChatOutcome::Done(_) => assert!(is_there),
            ChatOutcome::OtherRights => assert!(!is_there),
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) async fn edited_and_deleted_messages_keep_their_place(database: &impl Database) {
    let store = database.store();
    create(store, DOCUMENT).await;
    for id in 1..=3 {
        send(store, id, 1, "first").await;
    }
    let edited = done(store.change_chat(edit(1, 1, "second")).await);
    assert_eq!((edited.message.number, edited.change), (1, 4));
    assert_eq!(edited.message.edited_ms, Some(6_000));
    let again = store.change_chat(edit(1, 1, "second")).await.expect("an outcome");
    assert_eq!(again, ChatOutcome::Before(edited), "said twice, done once");
    let deleted = done(store.change_chat(delete(2, Some(1))).await);
    assert_eq!((deleted.message.number, deleted.change), (2, 5));
    let again = store.change_chat(delete(2, Some(1))).await.expect("an outcome");
    assert_eq!(again, ChatOutcome::Before(deleted));
    let outcome = store.change_chat(edit(2, 1, "back")).await.expect("an outcome");
    assert_eq!(outcome, ChatOutcome::MessageDeleted);
    let outcome = store.change_chat(edit(9, 1, "none")).await.expect("an outcome");
    assert_eq!(outcome, ChatOutcome::NoMessage);

    let found = read(store, ChatRange::Latest, 50).await;
    assert_eq!(texts(&found), ["second", "", "first"]);
    assert_eq!(found.entries[1].message.deleted_ms, Some(6_000));
    assert_eq!(found.head, ChatHead { number: 3, change: 5 });
    assert_eq!(send(store, 4, 1, "fourth").await.message.number, 4);
}

pub(crate) async fn only_its_author_changes_a_message(database: &impl Database) {
    let store = database.store();
    create(store, DOCUMENT).await;
    send(store, 1, 1, "mine").await;
    for change in [edit(1, 2, "theirs"), delete(1, Some(2))] {
        let outcome = store.change_chat(change).await.expect("an outcome");
        assert_eq!(outcome, ChatOutcome::NotYours);
    }
    assert_eq!(texts(&read(store, ChatRange::Latest, 50).await), ["mine"]);
    done(store.change_chat(delete(1, None)).await);
}

pub(crate) async fn who_was_away_is_given_what_has_changed(database: &impl Database) {
    let store = database.store();
    create(store, DOCUMENT).await;
    for id in 1..=5 {
        send(store, id, 1, "x").await;
    }
    done(store.change_chat(edit(2, 1, "a")).await);
    done(store.change_chat(edit(2, 1, "b")).await);
    done(store.change_chat(delete(4, Some(1))).await);
    let found = read(store, ChatRange::Since(5), 50).await;
    let changed: Vec<(u64, u64)> =
        found.entries.iter().map(|entry| (entry.change, entry.message.number)).collect();
    assert_eq!(changed, [(7, 2), (8, 4)], "each message once, as it is now");
    assert_eq!(found.head, ChatHead { number: 5, change: 8 });
    let found = read(store, ChatRange::Since(4), 2).await;
    assert_eq!(found.entries.iter().map(|entry| entry.change).collect::<Vec<_>>(), [5, 7]);
    assert_eq!(read(store, ChatRange::Since(8), 50).await.entries, []);
}

pub(crate) async fn pages_lead_backwards_to_the_first_message(database: &impl Database) {
    let store = database.store();
    create(store, DOCUMENT).await;
    for id in 1..=7 {
        send(store, id, 1, &id.to_string()).await;
    }
    let mut before = u64::MAX;
    let mut pages = Vec::new();
    loop {
        let range = if before == u64::MAX { ChatRange::Latest } else { ChatRange::Before(before) };
        let page = read(store, range, 3).await;
        let Some(first) = page.entries.first() else { break };
        before = first.message.number;
        pages.push(texts(&page).join(" "));
    }
    assert_eq!(pages, ["5 6 7", "2 3 4", "1"]);
    assert_eq!(texts(&read(store, ChatRange::Before(u64::MAX >> 11), 1).await), ["7"]);
}

pub(crate) async fn what_is_read_is_kept_per_person_and_never_goes_back(database: &impl Database) {
    let store = database.store();
    create(store, DOCUMENT).await;
    let mark = |person, number| store.mark_chat_read(DOCUMENT, user(person), number);
    assert_eq!(mark(1, 3).await.expect("noted"), ChatProgress::default(), "nothing to read");
    for id in 1..=4 {
        send(store, id, 9, "x").await;
    }
    let progress = |number, unread| ChatProgress { number, unread };
    assert_eq!(mark(1, 2).await.expect("noted"), progress(2, 2));
    assert_eq!(mark(1, 1).await.expect("noted"), progress(2, 2));
    assert_eq!(mark(2, u64::MAX).await.expect("noted"), progress(4, 0), "not ahead of the chat");
    assert_eq!(store.chat_progress(DOCUMENT, user(1)).await.expect("reads"), progress(2, 2));
    assert_eq!(store.chat_progress(DOCUMENT, user(3)).await.expect("reads"), progress(0, 4));
    let marks = store.chat_marks(DOCUMENT, vec![user(1), user(3), user(2)]).await;
    let mut marks = marks.expect("reads");
    marks.sort();
    assert_eq!(marks, [(user(1), 2), (user(2), 4)], "of those who have read something");
    assert_eq!(store.chat_marks(DOCUMENT, Vec::new()).await.expect("reads"), []);
    let missing = store.mark_chat_read(DocumentId::new(404), user(1), 1).await;
    assert_eq!(missing.expect("nothing to note"), ChatProgress::default());
}

pub(crate) async fn unread_is_what_others_have_said_behind_it(database: &impl Database) {
    let store = database.store();
    create(store, DOCUMENT).await;
    for (id, author) in [(1, 1), (2, 2), (3, 2), (4, 1), (5, 2)] {
        send(store, id, author, "x").await;
    }
    done(store.change_chat(delete(3, Some(2))).await);
    let unread = |person| async move {
        store.chat_progress(DOCUMENT, user(person)).await.expect("reads").unread
    };
    assert_eq!([unread(1).await, unread(2).await, unread(3).await], [2, 2, 4]);
    store.mark_chat_read(DOCUMENT, user(1), 4).await.expect("noted");
    assert_eq!(unread(1).await, 1);
}

pub(crate) async fn deleted_or_missing_document_takes_no_message(database: &impl Database) {
    let store = database.store();
    let missing = store.send_chat(message(1, 1, "x")).await;
    assert!(matches!(missing, Err(StoreError::NotFound)), "{missing:?}");
    let missing = store.change_chat(edit(1, 1, "x")).await;
    assert!(matches!(missing, Err(StoreError::NotFound)), "{missing:?}");
    create(store, DOCUMENT).await;
    send(store, 1, 1, "there").await;
    store.set_deleted(DOCUMENT, Some(9)).await.expect("deleted");
    let outcome = store.send_chat(message(2, 1, "x")).await.expect("an outcome");
    assert_eq!(outcome, ChatOutcome::DocumentDeleted);
    let outcome = store.change_chat(delete(1, Some(1))).await.expect("an outcome");
    assert_eq!(outcome, ChatOutcome::DocumentDeleted);
    store.set_deleted(DOCUMENT, None).await.expect("restored");
    assert_eq!(texts(&read(store, ChatRange::Latest, 50).await), ["there"], "it came back with it");
    let nul = store.send_chat(message(3, 1, "a\0b")).await;
    assert!(matches!(nul, Err(StoreError::Invalid { .. })), "{nul:?}");
}

pub(crate) async fn what_a_message_is_about_and_whom_it_names_is_kept(database: &impl Database) {
    let store = database.store();
    create(store, DOCUMENT).await;
    let mentions = vec![ChatMention { start: 0, end: 4, user: user(2) }];
    let reference = Some(ChatReference { rev: 12, start: 3, end: 4_000_000_000 });
    let new =
        NewChatMessage { mentions: mentions.clone(), reference, ..message(1, 1, "@Ben look") };
    done(store.send_chat(new.clone()).await);
    let found = read(store, ChatRange::Latest, 50).await.entries.remove(0).message;
    assert_eq!((found.mentions, found.reference), (mentions.clone(), reference));
    let again = store.send_chat(new).await.expect("an outcome");
    assert!(matches!(again, ChatOutcome::Before(_)), "{again:?}");
    let edited = done(store.change_chat(edit(1, 1, "look")).await).message;
    assert_eq!((edited.mentions, edited.reference), (Vec::new(), reference));
    let deleted = done(store.change_chat(delete(1, Some(1))).await).message;
    assert_eq!((deleted.reference, deleted.edited_ms), (None, None));
}
