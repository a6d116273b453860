//! The right to write is asked when an edit is decided, and of what is in the log never.

use collab_protocol::GivenRole;

use super::desk::open_to_all;
use super::*;
use crate::rights::RightsChange;

/// Takes the right to write from a client's person, or gives it back.
fn give(desk: &mut Desk, client: ClientId, role: GivenRole) {
    let change = RightsChange::Give { person: user(client.get()), role, by: user(0) };
    let rights = desk.state.rights().changed(&change).expect("it applies");
    desk.event(Event::SetRights { rights: Arc::new(rights) });
}

#[test]
fn what_waits_is_refused_to_who_may_not_write_any_more() {
    let mut desk = Desk::new("");
    desk.submit(CLIENT, 1, 0, r#"+"a""#);
    desk.submit(OTHER, 1, 0, r#"+"b""#);
    give(&mut desk, CLIENT, GivenRole::Viewer);
    desk.decide();
    assert_eq!(desk.take_answers(), [rejected(1, RejectCode::Forbidden)]);
    desk.finish(Outcome::Done);
    assert_eq!(desk.text(), "b");
}

#[test]
fn what_was_appended_while_one_might_write_is_acknowledged_after() {
    let mut desk = Desk::new("");
    desk.submit(CLIENT, 1, 0, r#"+"a""#);
    desk.decide();
    give(&mut desk, CLIENT, GivenRole::None);
    desk.finish(Outcome::Done);
    assert_eq!(desk.text(), "a");
    desk.submit(CLIENT, 1, 0, r#"+"a""#);
    desk.submit(CLIENT, 2, 1, r#"=1 +"b""#);
    desk.decide();
    assert_eq!(desk.take_answers(), [acknowledged(1, 1), rejected(2, RejectCode::Forbidden)]);
}

#[test]
fn what_lost_its_race_is_judged_by_the_rights_of_now() {
    for outcome in [Outcome::Conflict, Outcome::Unknown] {
        let mut desk = Desk::new("");
        desk.submit(CLIENT, 1, 0, r#"+"a""#);
        desk.submit(OTHER, 1, 0, r#"+"b""#);
        desk.decide();
        desk.finish(outcome);
        desk.decide();
        give(&mut desk, CLIENT, GivenRole::Viewer);
        desk.read_tail(&[]);
        desk.decide();
        assert_eq!(desk.take_answers(), [rejected(1, RejectCode::Forbidden)], "{outcome:?}");
        desk.finish(Outcome::Done);
        assert_eq!(desk.text(), "b");
    }
}

#[test]
fn an_unknown_append_that_went_through_is_acknowledged_whatever_the_rights_are() {
    let mut desk = Desk::new("");
    desk.submit(CLIENT, 1, 0, r#"+"a""#);
    desk.decide();
    desk.finish(Outcome::Unknown);
    give(&mut desk, CLIENT, GivenRole::None);
    desk.read_tail(&[(CLIENT, 1, r#"+"a""#)]);
    desk.decide();
    assert_eq!(desk.take_answers(), [acknowledged(1, 1)]);
    assert_eq!(desk.text(), "a");
}

/// Two servers, found by seed 2032 of the simulation: the other one commits, then the right goes, and
/// this one hears of that alone.
#[test]
fn what_another_server_took_while_one_might_write_is_acknowledged_after() {
    let mut desk = Desk::new("");
    desk.submit(CLIENT, 1, 0, r#"+"a""#);
    desk.elsewhere.push((CLIENT, 1, 1));
    give(&mut desk, CLIENT, GivenRole::Viewer);
    desk.decide();
    assert_eq!(desk.take_answers(), [], "the log is read first");
    desk.read_tail(&[(CLIENT, 1, r#"+"a""#)]);
    desk.decide();
    assert_eq!(desk.take_answers(), [acknowledged(1, 1)]);
    assert_eq!(desk.text(), "a");
}

#[test]
fn who_gets_the_right_back_goes_on_under_a_higher_number() {
    let mut desk = Desk::new("");
    give(&mut desk, CLIENT, GivenRole::Commenter);
    desk.submit(CLIENT, 1, 0, r#"+"a""#);
    desk.decide();
    give(&mut desk, CLIENT, GivenRole::Editor);
    desk.submit(CLIENT, 1, 0, r#"+"a""#);
    desk.decide();
    let refused = rejected(1, RejectCode::Forbidden);
    assert_eq!(desk.take_answers(), [refused, refused], "a final answer stays");
    desk.commit(CLIENT, 2, 0, r#"+"a""#);
    assert_eq!(desk.text(), "a");
}

#[test]
fn an_edit_of_a_back_end_needs_no_name_and_its_own_tenant() {
    let mut desk = Desk::new("");
    let rights =
        Rights { version: 1, link: collab_protocol::LinkAccess::Off, ..(*open_to_all()).clone() };
    desk.event(Event::SetRights { rights: Arc::new(rights) });
    let service = Visitor { is_service: true, ..user(7).into() };
    let outside = Visitor { tenant: "acme".parse().expect("an id"), ..service.clone() };
    for (client, visitor) in [(CLIENT, outside), (OTHER, service)] {
        let submission =
            Submission::new(ClientSeq::new(1), Revision::ZERO, operation(r#"+"a""#), None);
        desk.event(Event::Submit { session: session(1), client, visitor, submission });
        desk.decide();
    }
    assert_eq!(desk.take_answers(), [rejected(1, RejectCode::Forbidden)]);
    assert_eq!(desk.appends.len(), 1);
}
