//! The rules, the page that shows them, and who gets which role.

use std::collections::BTreeSet;

use collab_protocol::{ClientMessage, GivenRole, LinkAccess, Role, TenantId, UserId};

use super::route::ROUTES;
use super::{Action, Rights, RightsChange, Visitor, allows, may_see_server, may_tell};

const PAGE: &str = include_str!("../../../docs/rights.md");

const ROLES: [Role; 4] = [Role::Owner, Role::Editor, Role::Commenter, Role::Viewer];

fn user(name: &str) -> UserId {
    name.parse().expect("an id")
}

fn visitor(name: &str) -> Visitor {
    user(name).into()
}

/// A message as clients send it, of each kind that there is.
fn message(kind: &str) -> ClientMessage {
    let (doc, client) = ("0".repeat(31) + "1", "0".repeat(31) + "2");
    let rest = format!(
        r#""token":"t","doc":"{doc}","client":"{client}","ch":1,"seq":1,"rev":0,"op":[],"ranges":[],"t":0,"id":"{client}","text":"x","number":1,"on":true,"ref":{{"rev":0,"start":0,"end":1}},"topic":"a","n":1,"data":null"#
    );
    let frame = format!(r#"{{"type":"{kind}",{rest}}}"#);
    ClientMessage::decode(&frame).unwrap_or_else(|error| panic!("{kind}: {error}"))
}

/// One line of the page's table.
fn row(what: &str, action: Action) -> String {
    let cells = ROLES.map(|role| if allows(role, action) { "yes" } else { "–" });
    format!("| {what} | {} |", cells.join(" | "))
}

#[test]
fn the_table_of_the_page_is_the_table_of_the_program() {
    let messages = ClientMessage::KINDS
        .iter()
        .map(|kind| row(&format!("message `{kind}`"), Action::from(&message(kind))));
    let calls =
        ROUTES.iter().map(|route| row(&format!("`{} {}`", route.method, route.path), route.action));
    let expected: Vec<String> = messages.chain(calls).collect();
    let (_, table) = PAGE.split_once("|---|---|---|---|---|\n").expect("a table");
    let found: Vec<&str> = table.lines().take_while(|line| line.starts_with('|')).collect();
    assert_eq!(found, expected, "docs/rights.md should have\n{}", expected.join("\n"));
}

#[test]
fn every_message_and_every_call_is_an_action_of_its_own() {
    let actions: Vec<Action> = ClientMessage::KINDS
        .iter()
        .map(|kind| Action::from(&message(kind)))
        .chain(ROUTES.iter().map(|route| route.action))
        .collect();
    let distinct: BTreeSet<Action> = actions.iter().copied().collect();
    assert_eq!(distinct.len(), actions.len(), "two share a rule by accident");
}

#[test]
fn a_higher_role_may_do_all_that_a_lower_one_may() {
    for route in ROUTES {
        let allowed = ROLES.map(|role| allows(role, route.action));
        assert!(allowed.is_sorted_by(|above, below| above >= below), "{route:?}: {allowed:?}");
    }
}

#[test]
fn a_role_comes_from_the_owner_then_from_ones_name_then_from_the_link() {
    let mut rights = Rights::new(TenantId::default(), user("owner"), LinkAccess::Off);
    assert_eq!(rights.role_of(&visitor("owner")), Some(Role::Owner));
    assert_eq!(rights.role_of(&visitor("other")), None, "no link, no role");
    for (link, role) in [(LinkAccess::View, Role::Viewer), (LinkAccess::Edit, Role::Editor)] {
        rights.link = link;
        assert_eq!(rights.role_of(&visitor("other")), Some(role));
    }
    for given in [GivenRole::Editor, GivenRole::Commenter, GivenRole::Viewer, GivenRole::None] {
        rights.members.insert(user("other"), given);
        for link in LinkAccess::ALL {
            rights.link = *link;
            assert_eq!(rights.role_of(&visitor("other")), given.role(), "the link gives no more");
        }
    }
}

#[test]
fn nobody_is_anybody_behind_another_tenants_wall() {
    let tenant: TenantId = "acme".parse().expect("an id");
    let mut rights = Rights::new(tenant.clone(), user("owner"), LinkAccess::Edit);
    rights.members.insert(user("editor"), GivenRole::Editor);
    for name in ["owner", "editor", "other"] {
        for is_service in [false, true] {
            let outside = Visitor { is_service, ..visitor(name) };
            assert_eq!(rights.role_of(&outside), None, "{name}");
            assert_eq!(rights.session_role_of(&outside), None, "{name}");
            let inside = Visitor { tenant: tenant.clone(), ..outside };
            assert!(rights.role_of(&inside).is_some(), "{name}");
        }
    }
}

#[test]
fn a_back_end_owns_everything_within_its_tenant_and_edits_what_it_opens() {
    let mut rights = Rights::new(TenantId::default(), user("owner"), LinkAccess::Off);
    rights.members.insert(user("backend"), GivenRole::None);
    let service = Visitor { is_service: true, ..visitor("backend") };
    assert_eq!(rights.role_of(&service), Some(Role::Owner));
    assert_eq!(rights.session_role_of(&service), Some(Role::Editor));
    rights.owner = user("backend");
    assert_eq!(rights.session_role_of(&service), Some(Role::Owner), "its own it owns");
}

#[test]
fn a_document_has_one_owner_whatever_is_changed() {
    let rights = Rights::new(TenantId::default(), user("ada"), LinkAccess::Off);
    let give =
        |person: &str, role| RightsChange::Give { person: user(person), role, by: user("ada") };
    for change in [
        give("ada", GivenRole::Viewer),
        give("ben", GivenRole::Owner),
        RightsChange::Forget { person: user("ada") },
        RightsChange::Leave { person: user("ada") },
        RightsChange::HandOver { from: user("ben"), to: user("cleo") },
        RightsChange::HandOver { from: user("ada"), to: user("ada") },
    ] {
        assert_eq!(rights.changed(&change), None, "{change:?}");
    }
    let given = rights.changed(&give("ben", GivenRole::None)).expect("it applies");
    let handed = RightsChange::HandOver { from: user("ada"), to: user("ben") };
    let handed = given.changed(&handed).expect("it applies");
    assert_eq!((handed.version, &handed.owner), (2, &user("ben")));
    assert_eq!(handed.members.into_iter().collect::<Vec<_>>(), [(user("ada"), GivenRole::Editor)]);
}

const GIVEN: [GivenRole; 4] =
    [GivenRole::None, GivenRole::Viewer, GivenRole::Commenter, GivenRole::Editor];

#[test]
fn nobody_gains_by_leaving_whatever_the_link_gives_then_or_later() {
    let rank = |role: Option<Role>| match role {
        None => 0,
        Some(Role::Viewer) => 1,
        Some(Role::Commenter) => 2,
        Some(Role::Editor) => 3,
        Some(Role::Owner) => 4,
    };
    let ben = visitor("ben");
    let links = LinkAccess::ALL;
    for (now, later) in links.iter().flat_map(|now| links.iter().map(move |later| (*now, *later))) {
        for given in GIVEN.map(Some).into_iter().chain([None]) {
            let mut stays = Rights::new(TenantId::default(), user("ada"), now);
            stays.members.extend(given.map(|given| (user("ben"), given)));
            let leave = RightsChange::Leave { person: user("ben") };
            let mut leaves = stays.changed(&leave).expect("it applies");
            (stays.link, leaves.link) = (later, later);
            let [before, after] = [&stays, &leaves].map(|rights| rank(rights.role_of(&ben)));
            assert!(after <= before, "{given:?}, the link gives {now:?} and then {later:?}");
        }
    }
}

#[test]
fn a_change_that_changes_nothing_is_not_counted() {
    let mut rights = Rights::new(TenantId::default(), user("ada"), LinkAccess::View);
    rights.members.insert(user("ben"), GivenRole::Viewer);
    for change in [
        RightsChange::Link(LinkAccess::View),
        RightsChange::Give { person: user("ben"), role: GivenRole::Viewer, by: user("ada") },
        RightsChange::Forget { person: user("cleo") },
        RightsChange::Leave { person: user("cleo") },
        RightsChange::Leave { person: user("ben") },
    ] {
        assert_eq!(rights.changed(&change).as_ref(), Some(&rights), "{change:?}");
    }
    let changed = rights.changed(&RightsChange::Forget { person: user("ben") });
    assert_eq!(changed.expect("it applies").version, 1);
}

#[test]
fn who_may_tell_topics_is_a_setting_and_back_ends_always_may() {
    use crate::auth::Kind::{Guest, Person, Service};
    use crate::config::TopicsTell::{All, None, People};
    for (policy, guest, person) in [(All, true, true), (People, false, true), (None, false, false)]
    {
        assert_eq!([Guest, Person].map(|who| may_tell(policy, who, false)), [guest, person]);
        assert!(may_tell(policy, Service, false));
    }
    assert!(may_tell(People, Guest, true), "where there are no others, they are the people");
    assert!(!may_tell(None, Guest, true));
}

#[test]
fn figures_of_the_server_are_for_operators_and_on_ones_own_server_for_oneself() {
    use crate::config::Operators::{All, Auto, Tokens};
    for is_private in [false, true] {
        for policy in [Auto, All, Tokens] {
            assert!(may_see_server(policy, true, is_private), "operators always do");
        }
        assert!(may_see_server(All, false, is_private));
        assert!(!may_see_server(Tokens, false, is_private));
        assert_eq!(may_see_server(Auto, false, is_private), is_private);
    }
}
