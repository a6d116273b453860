//! Who may do what: what is kept of it, and what an append has to do with it.

use collab_protocol::{DocumentId, GivenRole, LinkAccess, TenantId, UserId};
use collab_server::{
    Append, AppendOutcome, DocumentHead, ListQuery, NewDocument, Rights, RightsChange, Store,
    StoreError,
};
use futures_util::future::join_all;
use ot_core::Revision;

use super::support::{DOCUMENT, Database, Pen, client, is_conflict, is_done, new_document, user};

fn give(number: usize, role: GivenRole) -> RightsChange {
    RightsChange::Give { person: user(number), role, by: user(1) }
}

fn forget(number: usize) -> RightsChange {
    RightsChange::Forget { person: user(number) }
}

fn leave(number: usize) -> RightsChange {
    RightsChange::Leave { person: user(number) }
}

fn hand_over(from: usize, to: usize) -> RightsChange {
    RightsChange::HandOver { from: user(from), to: user(to) }
}

async fn change(store: &dyn Store, change: RightsChange) {
    store.change_rights(DOCUMENT, change, 7).await.expect("changed");
}

fn tenant(name: &str) -> TenantId {
    name.parse().expect("an id")
}

/// Creates a document of user 1 whose link gives nothing.
async fn create(store: &dyn Store) {
    let new = new_document(DOCUMENT, "Notes", "");
    let new = NewDocument { link: LinkAccess::Off, tenant: tenant("acme"), ..new };
    store.create_document(new).await.expect("created");
}

pub(crate) async fn rights_are_kept_and_each_change_is_counted(database: &impl Database) {
    let store = database.store();
    create(store).await;
    let mut expected = Rights::new(tenant("acme"), user(1), LinkAccess::Off);
    assert_eq!(store.rights(DOCUMENT).await.expect("reads"), expected);
    for next in [
        RightsChange::Link(LinkAccess::View),
        give(2, GivenRole::Editor),
        give(3, GivenRole::None),
        give(2, GivenRole::Commenter),
        give(4, GivenRole::Viewer),
        give(4, GivenRole::Viewer),
        leave(2),
        leave(4),
        leave(5),
        forget(4),
        forget(5),
        give(2, GivenRole::Editor),
        leave(2),
        RightsChange::Link(LinkAccess::View),
        hand_over(1, 2),
        hand_over(2, 3),
        RightsChange::Link(LinkAccess::Edit),
    ] {
        expected = expected.changed(&next).expect("it applies");
        change(store, next.clone()).await;
        assert_eq!(store.rights(DOCUMENT).await.expect("reads"), expected, "{next:?}");
        let loaded = store.load(DOCUMENT).await.expect("loads");
        assert_eq!(loaded.rights, expected);
        assert_eq!(loaded.record.rights_version, expected.version);
    }
    assert_eq!(expected.owner, user(3));
    let (record, given) = store.access(DOCUMENT, user(2)).await.expect("reads");
    assert_eq!(
        (record.owner, record.link, given),
        (user(3), LinkAccess::Edit, Some(GivenRole::Editor))
    );
    let (_, given) = store.access(DOCUMENT, user(9)).await.expect("reads");
    assert_eq!(given, None);
}

pub(crate) async fn change_that_does_not_apply_changes_nothing(database: &impl Database) {
    let store = database.store();
    create(store).await;
    change(store, give(2, GivenRole::Editor)).await;
    let before = store.rights(DOCUMENT).await.expect("reads");
    for next in [
        give(1, GivenRole::Viewer),
        give(2, GivenRole::Owner),
        forget(1),
        leave(1),
        hand_over(2, 3),
        hand_over(1, 1),
    ] {
        let changed = store.change_rights(DOCUMENT, next.clone(), 7).await;
        assert!(matches!(changed, Err(StoreError::Invalid { .. })), "{next:?}: {changed:?}");
    }
    assert_eq!(store.rights(DOCUMENT).await.expect("reads"), before);
    let missing = DocumentId::new(404);
    let changed = store.change_rights(missing, RightsChange::Link(LinkAccess::Off), 7).await;
    assert!(matches!(changed, Err(StoreError::NotFound)), "{changed:?}");
    assert!(matches!(store.rights(missing).await, Err(StoreError::NotFound)));
    assert!(matches!(store.access(missing, user(1)).await, Err(StoreError::NotFound)));
    assert_eq!(store.visitors(missing, 9).await.expect("reads"), [] as [UserId; 0]);
}

pub(crate) async fn append_under_older_rights_is_a_conflict_and_writes_nothing(
    database: &impl Database,
) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    pen.commit(store, client(1), 1, "a").await;
    let before = store.load(DOCUMENT).await.expect("loads");
    change(store, give(2, GivenRole::Viewer)).await;
    let operation = pen.clone().write(client(2), 1, 2, "b");
    let late = pen.append(pen.head, vec![operation]);
    let outcome = store.append(late.clone()).await;
    assert!(matches!(outcome, AppendOutcome::Conflict), "{outcome:?}");
    let after = store.load(DOCUMENT).await.expect("loads");
    assert_eq!((after.tail, after.record.chain), (before.tail, before.record.chain));
    assert_eq!(store.progress(DOCUMENT, client(2)).await.expect("reads"), None);

    let page = store.since(DOCUMENT, pen.head, collab_server::PageLimit::DEFAULT).await;
    let version = page.expect("reads").rights_version;
    assert_eq!(version, 1, "who lost is told of the change where they look at the log");
    let again = collab_server::Append { rights_version: version, ..late };
    assert!(matches!(store.append(again).await, AppendOutcome::Done));
}

pub(crate) async fn of_an_append_and_a_change_at_once_the_append_is_first_or_nothing(
    database: &impl Database,
) {
    let store = database.store();
    for number in 1..=20_u128 {
        let document = DocumentId::new(number);
        let pen = Pen::create(store, document).await;
        let append = pen.append(pen.head, vec![pen.clone().write(client(1), 1, 1, "a")]);
        let changing = store.change_rights(document, give(2, GivenRole::None), 7);
        let (outcome, changed) = tokio::join!(store.append(append), changing);
        changed.expect("changed");
        let head = store.document(document).await.expect("reads").revision.get();
        match outcome {
            AppendOutcome::Done => assert_eq!(head, 1),
            AppendOutcome::Conflict => assert_eq!(head, 0),
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) async fn simultaneous_changes_are_all_counted(database: &impl Database) {
    let store = database.store();
    create(store).await;
    let changes = (2..12).map(|number| give(number, GivenRole::Editor));
    let changes = changes.chain([RightsChange::Link(LinkAccess::View)]);
    let made = join_all(changes.map(|change| store.change_rights(DOCUMENT, change, 7))).await;
    assert!(made.iter().all(Result::is_ok), "{made:?}");
    let rights = store.rights(DOCUMENT).await.expect("reads");
    assert_eq!((rights.version, rights.members.len()), (11, 10));

    // Of several who hand it over at once, the one who owns it does.
    let made = join_all((2..12).map(|to| store.change_rights(DOCUMENT, hand_over(1, to), 7))).await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1, "{made:?}");
    assert_eq!(store.rights(DOCUMENT).await.expect("reads").version, 12);
}

pub(crate) async fn a_client_that_begins_anew_is_named_and_what_was_in_flight_loses(
    database: &impl Database,
) {
    let store = database.store();
    let mut pen = Pen::create(store, DOCUMENT).await;
    let fence = |number, known| RightsChange::Fence { client: client(number), known };
    for (number, known, version) in [(1, 0, 1), (2, 0, 2), (1, 1, 3)] {
        let at = store.change_rights(DOCUMENT, fence(number, known), 7).await.expect("fenced");
        let rights = store.rights(DOCUMENT).await.expect("reads");
        assert_eq!(
            (at, rights.version, rights.fences[&client(number)]),
            (version, version, version)
        );
    }
    for known in [0, 2] {
        let behind = store.change_rights(DOCUMENT, fence(1, known), 7).await;
        assert!(matches!(behind, Err(StoreError::Invalid { .. })), "{behind:?}");
    }
    let rights = store.load(DOCUMENT).await.expect("loads").rights;
    assert_eq!(rights.fences.into_iter().collect::<Vec<_>>(), [(client(1), 3), (client(2), 2)]);
    let operation = pen.write(client(3), 1, 1, "x");
    let old = Append { rights_version: 2, ..pen.append(Revision::ZERO, vec![operation]) };
    let new = Append { rights_version: 3, ..old.clone() };
    assert!(is_conflict(&store.append(old).await));
    assert!(is_done(&store.append(new).await));
    let missing = store.change_rights(DocumentId::new(404), fence(1, 0), 7).await;
    assert!(matches!(missing, Err(StoreError::NotFound)), "{missing:?}");
}

pub(crate) async fn of_two_servers_one_lets_a_client_begin_anew(database: &impl Database) {
    let (here, there) = (database.store(), database.store());
    here.create_document(new_document(DOCUMENT, "x", "")).await.expect("created");
    for known in 0..20 {
        let change = RightsChange::Fence { client: client(1), known };
        let made = tokio::join!(
            here.change_rights(DOCUMENT, change.clone(), 7),
            there.change_rights(DOCUMENT, change, 7),
        );
        match made {
            (Ok(at), Err(StoreError::Invalid { .. }))
            | (Err(StoreError::Invalid { .. }), Ok(at)) => {
                assert_eq!(at, known + 1);
            }
            made => panic!("{made:?}"),
        }
    }
}

pub(crate) async fn where_many_documents_stand_comes_in_one_answer(database: &impl Database) {
    let store = database.store();
    for number in 1..=3 {
        let new = new_document(DocumentId::new(number), "x", "");
        store.create_document(new).await.expect("created");
    }
    let two = DocumentId::new(2);
    for link in [LinkAccess::Off, LinkAccess::Edit] {
        store.change_rights(two, RightsChange::Link(link), 7).await.expect("changed");
    }
    let ids = [1, 2, 3, 404].map(DocumentId::new);
    store.rename_document(ids[0], "Ünder".to_owned(), 8).await.expect("renamed");
    store.set_deleted(ids[2], Some(9)).await.expect("deleted");
    let mut found = store.heads(ids.to_vec()).await.expect("reads");
    found.sort_unstable();
    let head = |id, title: &str, rights_version, is_deleted| {
        let (revision, title) = (Revision::ZERO, title.to_owned());
        DocumentHead { document: id, revision, rights_version, is_deleted, title }
    };
    let expected =
        [head(ids[0], "Ünder", 0, false), head(ids[1], "x", 2, false), head(ids[2], "x", 0, true)];
    assert_eq!(found, expected);
    assert_eq!(store.heads(Vec::new()).await.expect("reads"), []);
    let many = (0..9_000).map(DocumentId::new).collect();
    assert_eq!(store.heads(many).await.expect("reads").len(), 4 - 1);
}

async fn listed(store: &dyn Store, person: usize, tenant: &TenantId, deleted: bool) -> usize {
    let (person, tenant) = (user(person), tenant.clone());
    let query =
        ListQuery { person, tenant, search: String::new(), deleted, limit: 10, after: None };
    store.list_documents(query).await.expect("a page").documents.len()
}

pub(crate) async fn list_has_what_the_person_may_open_within_the_tenant(database: &impl Database) {
    let store = database.store();
    create(store).await;
    let (acme, other) = (tenant("acme"), tenant("other"));
    assert_eq!(listed(store, 1, &acme, false).await, 1);
    assert_eq!(listed(store, 1, &other, false).await, 0, "tenants are walls");
    assert_eq!(listed(store, 1, &TenantId::default(), false).await, 0);

    change(store, give(2, GivenRole::Viewer)).await;
    assert_eq!(listed(store, 2, &acme, false).await, 1, "given, though never opened");
    assert_eq!(listed(store, 2, &other, false).await, 0);
    change(store, give(2, GivenRole::None)).await;
    assert_eq!(listed(store, 2, &acme, false).await, 0, "kept out");

    store.mark_opened(DOCUMENT, user(3), 9).await.expect("noted");
    assert_eq!(listed(store, 3, &acme, false).await, 0, "the link gives nothing");
    change(store, RightsChange::Link(LinkAccess::View)).await;
    assert_eq!(listed(store, 3, &acme, false).await, 1, "opened by link");
    assert_eq!(store.visitors(DOCUMENT, 9).await.expect("reads"), [user(1), user(3)]);
    change(store, forget(3)).await;
    assert_eq!(listed(store, 3, &acme, false).await, 0, "left");

    change(store, give(2, GivenRole::Viewer)).await;
    store.mark_opened(DOCUMENT, user(2), 9).await.expect("noted");
    change(store, leave(2)).await;
    assert_eq!(listed(store, 2, &acme, false).await, 0, "left, though the role stays");
    let members = store.rights(DOCUMENT).await.expect("reads").members;
    assert_eq!(members.get(&user(2)), Some(&GivenRole::Viewer));
    store.mark_opened(DOCUMENT, user(2), 9).await.expect("noted");
    assert_eq!(listed(store, 2, &acme, false).await, 1, "opened again");
    change(store, leave(2)).await;
    change(store, give(2, GivenRole::Viewer)).await;
    assert_eq!(listed(store, 2, &acme, false).await, 1, "given again");

    store.set_deleted(DOCUMENT, Some(9)).await.expect("deleted");
    change(store, hand_over(1, 4)).await;
    assert_eq!(listed(store, 1, &acme, true).await, 0, "not one's own any more");
    assert_eq!(listed(store, 4, &acme, true).await, 1, "one's own, though never opened");
}
