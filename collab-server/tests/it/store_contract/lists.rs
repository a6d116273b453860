//! What is kept beside the texts: lists, people, settings.

use collab_protocol::DocumentId;
use collab_server::{ListQuery, NewDocument, PersonRecord, Store, StoreError};
use futures_util::future::join_all;

use super::support::{DOCUMENT, Database, Pen, client, new_document, user};

fn query(person: usize) -> ListQuery {
    ListQuery {
        person: user(person),
        tenant: collab_protocol::TenantId::default(),
        search: String::new(),
        deleted: false,
        limit: 100,
        after: None,
    }
}

async fn create(store: &dyn Store, number: u128, title: &str, owner: usize, created_ms: i64) {
    let new = new_document(DocumentId::new(number), title, "");
    let new = NewDocument { owner: user(owner), created_ms, ..new };
    store.create_document(new).await.expect("created");
}

async fn listed(store: &dyn Store, query: ListQuery) -> Vec<u128> {
    let page = store.list_documents(query).await.expect("a page");
    page.documents.iter().map(|listed| listed.record.id.get()).collect()
}

pub(crate) async fn list_has_own_and_opened_documents_latest_first(database: &impl Database) {
    let store = database.store();
    create(store, 1, "mine", 1, 100).await;
    create(store, 2, "theirs, opened", 2, 50).await;
    create(store, 3, "theirs", 2, 300).await;
    create(store, 4, "mine, edited since", 1, 10).await;
    store.mark_opened(DocumentId::new(2), user(1), 200).await.expect("noted");
    store.rename_document(DocumentId::new(4), "edited".to_owned(), 400).await.expect("renamed");
    assert_eq!(listed(store, query(1)).await, [4, 2, 1]);
    assert_eq!(listed(store, query(3)).await, [] as [u128; 0]);

    let page = store.list_documents(query(1)).await.expect("a page");
    assert_eq!(page.documents[1].opened_ms, Some(200));
    assert_eq!(page.documents[1].record.owner, user(2));
    assert!(page.next.is_none());
}

pub(crate) async fn list_pages_have_every_document_once(database: &impl Database) {
    let store = database.store();
    for number in 1..=23 {
        // Several of one time, which the id tells apart.
        create(store, number, "x", 1, i64::try_from(number / 4).expect("small")).await;
    }
    let mut found = Vec::new();
    let mut next = None;
    loop {
        let page = ListQuery { limit: 5, after: next, ..query(1) };
        let page = store.list_documents(page).await.expect("a page");
        assert!(page.documents.len() <= 5);
        found.extend(page.documents.iter().map(|listed| listed.record.id.get()));
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    let mut sorted = found.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (1..=23).collect::<Vec<u128>>());
    assert_eq!(found, listed(store, query(1)).await);
}

pub(crate) async fn search_ignores_case_in_every_script(database: &impl Database) {
    let store = database.store();
    create(store, 1, "Übung macht den Meister", 1, 1).await;
    create(store, 2, "ΑΘΗΝΑ plan", 1, 2).await;
    create(store, 3, "Other", 1, 3).await;
    let search = |text: &str| ListQuery { search: text.to_owned(), ..query(1) };
    assert_eq!(listed(store, search("übung")).await, [1]);
    assert_eq!(listed(store, search("MEISTER")).await, [1]);
    assert_eq!(listed(store, search("αθηνα PLAN")).await, [2]);
    assert_eq!(listed(store, search("nothing")).await, [] as [u128; 0]);
    store.rename_document(DocumentId::new(3), "Ärger".to_owned(), 9).await.expect("renamed");
    assert_eq!(listed(store, search("ärg")).await, [3]);
    assert_eq!(listed(store, search("other")).await, [] as [u128; 0]);
}

pub(crate) async fn search_takes_signs_of_patterns_literally(database: &impl Database) {
    let store = database.store();
    create(store, 1, "100% done_today", 1, 1).await;
    create(store, 2, "100 done today", 1, 2).await;
    for text in ["%", "_", "0% d"] {
        let search = ListQuery { search: text.to_owned(), ..query(1) };
        assert_eq!(listed(store, search).await, [1], "{text}");
    }
    let search = ListQuery { search: "' or 1=1 --".to_owned(), ..query(1) };
    assert_eq!(listed(store, search).await, [] as [u128; 0]);
}

pub(crate) async fn deleted_documents_are_listed_apart_and_come_back(database: &impl Database) {
    let store = database.store();
    create(store, 1, "mine", 1, 1).await;
    create(store, 2, "theirs", 2, 2).await;
    for number in [1, 2] {
        store.mark_opened(DocumentId::new(number), user(1), 5).await.expect("noted");
        store.set_deleted(DocumentId::new(number), Some(9)).await.expect("deleted");
    }
    let deleted = || ListQuery { deleted: true, ..query(1) };
    assert_eq!(listed(store, query(1)).await, [] as [u128; 0]);
    assert_eq!(listed(store, deleted()).await, [1], "only one's own");
    store.set_deleted(DocumentId::new(1), None).await.expect("restored");
    assert_eq!(listed(store, query(1)).await, [1]);
    assert_eq!(listed(store, deleted()).await, [] as [u128; 0]);
    let record = store.document(DocumentId::new(1)).await.expect("reads");
    assert_eq!(record.deleted_ms, None);
}

pub(crate) async fn deleting_twice_keeps_the_first_time(database: &impl Database) {
    let store = database.store();
    create(store, 1, "x", 1, 1).await;
    for now_ms in [5, 9] {
        store.set_deleted(DocumentId::new(1), Some(now_ms)).await.expect("deleted");
    }
    let record = store.document(DocumentId::new(1)).await.expect("reads");
    assert_eq!(record.deleted_ms, Some(5));
}

pub(crate) async fn rename_is_seen_and_dated(database: &impl Database) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    store.rename_document(DOCUMENT, "Neu".to_owned(), 5_000).await.expect("renamed");
    let record = store.document(DOCUMENT).await.expect("reads");
    assert_eq!((record.title.as_str(), record.updated_ms), ("Neu", 5_000));
    pen.commit(store, client(1), 1, "a").await;
    assert_eq!(store.document(DOCUMENT).await.expect("reads").title, "Neu");
}

pub(crate) async fn opening_a_missing_document_is_refused(database: &impl Database) {
    let store = database.store();
    let opened = store.mark_opened(DocumentId::new(404), user(1), 1).await;
    assert!(matches!(opened, Err(StoreError::NotFound)), "{opened:?}");
}

pub(crate) async fn person_is_created_and_changed(database: &impl Database) {
    let store = database.store();
    let person = |name: &str, color, created_ms| {
        let name = name.to_owned();
        PersonRecord { id: user(1), name, color, created_ms }
    };
    store.put_person(person("Quiet Otter", 4, 100)).await.expect("put");
    store.put_person(person("Ada 🐙", 11, 900)).await.expect("put");
    let people = store.people(vec![user(1), user(2)]).await.expect("reads");
    assert_eq!(people, [person("Ada 🐙", 11, 100)], "the unknown are left out");
}

pub(crate) async fn first_value_of_a_setting_stays(database: &impl Database) {
    let store = database.store();
    let calls = (0..8_u8).map(|value| store.setting_or_insert("cookie_key", vec![value; 64]));
    let values: Vec<Vec<u8>> =
        join_all(calls).await.into_iter().map(|value| value.expect("a value")).collect();
    assert!(values.iter().all(|value| value == &values[0]), "all get the one that won");
    let again = store.setting_or_insert("cookie_key", vec![99]).await.expect("a value");
    assert_eq!(again, values[0]);
    assert_eq!(store.setting_or_insert("other", vec![1]).await.expect("a value"), [1]);
}

pub(crate) async fn closed_store_fails_and_does_not_hang(database: &impl Database) {
    let store = database.store();
    store.check().await.expect("answers");
    let mut pen = Pen::create(store, DOCUMENT).await;
    store.close().await;
    store.close().await;
    assert!(matches!(store.load(DOCUMENT).await, Err(StoreError::Unavailable { .. })));
    assert!(matches!(store.check().await, Err(StoreError::Unavailable { .. })));
    let base = pen.head;
    let operation = pen.write(client(1), 1, 1, "x");
    let outcome = store.append(pen.append(base, vec![operation])).await;
    assert!(matches!(outcome, collab_server::AppendOutcome::Failed(_)), "{outcome:?}");
}
