//! Who is let in, as which client, and with what.

use super::*;

#[test]
fn newer_session_replaces_the_older_whose_late_frames_are_passed_over() {
    let mut desk = Desk::new("");
    assert_eq!(desk.join(1, CLIENT, 1), Ok((None, None)));
    assert_eq!(desk.join(2, CLIENT, 1), Ok((None, Some(session(1)))));
    desk.submit_from(1, CLIENT, 1, 0, r#"+"late""#);
    desk.decide();
    assert!(desk.appends.is_empty() && desk.take_answers().is_empty());
    desk.submit_from(2, CLIENT, 1, 0, r#"+"new""#);
    desk.decide();
    desk.finish(Outcome::Done);
    assert_eq!(desk.text(), "new");
    desk.event(Event::Left { session: session(1) });
    desk.submit_from(2, CLIENT, 2, 1, r#"=3 +"er""#);
    desk.decide();
    desk.finish(Outcome::Done);
    assert_eq!(desk.text(), "newer", "the leave of the older one touches nobody else");
}

#[test]
fn text_is_given_when_nothing_of_its_client_is_on_its_way() {
    let mut desk = Desk::new("");
    desk.submit_from(1, CLIENT, 1, 0, r#"+"sent""#);
    desk.decide();
    // It lost its connection, and what it held. Were it let in now, it would say "sent" again.
    desk.ask_to_join(2, CLIENT, Entry::Afresh);
    assert!(desk.admitted.is_empty());
    desk.submit_from(1, CLIENT, 2, 0, r#"+"late""#);
    desk.finish(Outcome::Done);
    let last = Some((ClientSeq::new(1), Revision::new(1)));
    assert_eq!(desk.admitted.pop(), Some((session(2), Ok((last, None)))));
    desk.decide();
    assert_eq!((desk.text().as_str(), desk.appends.len()), ("sent", 0));

    // One that goes on from a base keeps its submission and need not wait.
    desk.submit_from(2, CLIENT, 2, 1, r#"=4 +"!""#);
    desk.decide();
    desk.ask_to_join(3, CLIENT, Entry::Resuming { at: Revision::ZERO });
    assert_eq!(desk.admitted.pop(), Some((session(3), Ok((last, Some(session(2)))))));
    desk.finish(Outcome::Done);
    assert_eq!(desk.text(), "sent!");
}

#[test]
fn client_belongs_to_whom_it_is_bound() {
    let mut desk = Desk::new("");
    assert_eq!(desk.join(1, CLIENT, 1), Ok((None, None)));
    assert_eq!(desk.join(2, CLIENT, 2), Err(Refusal::ClientTaken), "a live session's");
    desk.event(Event::Left { session: session(1) });
    assert_eq!(desk.join(3, CLIENT, 2), Ok((None, None)), "nothing was committed under it");
    desk.submit_from(3, CLIENT, 1, 0, r#"+"x""#);
    desk.decide();
    desk.finish(Outcome::Done);
    desk.event(Event::Left { session: session(3) });
    assert_eq!(desk.join(4, CLIENT, 1), Err(Refusal::ClientTaken));
    let last = Some((ClientSeq::new(1), Revision::new(1)));
    assert_eq!(desk.join(5, CLIENT, 2), Ok((last, None)));
}

#[test]
fn client_that_another_server_bound_to_somebody_else_commits_nothing_more() {
    let mut desk = Desk::new("");
    desk.join(1, CLIENT, 99).expect("enters");
    desk.submit_from(1, CLIENT, 2, 0, r#"+"y""#);
    desk.decide();
    // The store refuses: another server took an edit of that client from its person, and was first.
    desk.finish(Outcome::Conflict);
    desk.read_tail(&[(CLIENT, 1, r#"+"x""#)]);
    desk.decide();
    assert!(desk.appends.is_empty(), "it would be refused for ever");
    assert!(desk.take_answers().contains(&rejected(2, RejectCode::Forbidden)));
    assert_eq!(desk.text(), "x");
}

#[test]
fn submission_that_outlives_its_session_stands() {
    let mut desk = Desk::new("");
    desk.join(1, CLIENT, 1).expect("enters");
    desk.submit_from(1, CLIENT, 1, 0, r#"+"x""#);
    desk.event(Event::Left { session: session(1) });
    desk.decide();
    desk.finish(Outcome::Done);
    assert_eq!(desk.text(), "x");
    assert!(desk.state.clients.is_empty(), "and is no reason to remember the client");
    // A message that was on its way when its session left.
    desk.submit_from(1, CLIENT, 2, 1, r#"=1 +"y""#);
    desk.decide();
    desk.finish(Outcome::Done);
    assert_eq!(desk.text(), "xy");
    assert!(desk.state.clients.is_empty() && desk.state.clients_by_session.is_empty());
}

#[test]
fn client_whose_past_cannot_be_read_waits_outside() {
    let mut desk = Desk::new("");
    desk.holds_reads = true;
    desk.ask_to_join(1, CLIENT, Entry::Afresh);
    desk.submit_from(9, CLIENT, 1, 0, r#"+"x""#);
    desk.decide();
    assert!(desk.appends.is_empty());
    desk.event(Event::ProgressRead { client: CLIENT, result: Err(ReadFault::Unavailable) });
    assert_eq!(desk.admitted.pop(), Some((session(1), Err(Refusal::Unavailable))));
    assert_eq!(desk.take_answers(), [rejected(1, RejectCode::StorageUnavailable)]);
    assert!(desk.state.is_quiet() && desk.state.clients.is_empty());
    desk.holds_reads = false;
    desk.commit(CLIENT, 1, 0, r#"+"x""#);
    assert_eq!(desk.text(), "x");
}

#[test]
fn deleted_document_takes_no_edit_and_lets_nobody_in() {
    let mut desk = Desk::new("");
    desk.commit(CLIENT, 1, 0, r#"+"x""#);
    desk.event(Event::SetDeleted { is_deleted: true });
    desk.submit(CLIENT, 1, 0, r#"+"x""#);
    desk.submit(CLIENT, 2, 1, r#"=1 +"y""#);
    desk.decide();
    assert_eq!(desk.take_answers(), [acknowledged(1, 1), rejected(2, RejectCode::DocumentDeleted)]);
    assert_eq!(desk.join(9, OTHER, 2), Err(Refusal::Deleted));
    desk.event(Event::SetDeleted { is_deleted: false });
    desk.commit(CLIENT, 3, 1, r#"=1 +"y""#);
    assert_eq!(desk.text(), "xy");
}

#[test]
fn who_is_ahead_is_let_in_as_soon_as_what_they_heard_is_here() {
    let mut desk = Desk::new("");
    desk.state.begin_sharing();
    desk.commit(CLIENT, 1, 0, r#"+"a""#);
    desk.submit(CLIENT, 2, 1, r#"=1 +"b""#);
    desk.decide();
    desk.submit(THIRD, 1, 1, r#"=1 +"c""#);
    desk.decide();
    // Another server read both before this one heard of them, and told.
    for (number, at) in [(7, 2), (8, 3), (9, 4)] {
        let client = ClientId::new(number);
        desk.ask_to_join(number as u32, client, Entry::Resuming { at: Revision::new(at) });
    }
    let admitted = desk.admitted.len();
    desk.finish(Outcome::Done);
    assert_eq!(desk.admitted.split_off(admitted), [(session(7), Ok((None, None)))]);
    assert_eq!(desk.tail_reads, 0, "an append is on its way");
    desk.finish(Outcome::Done);
    assert_eq!(desk.admitted.split_off(admitted), [(session(8), Ok((None, None)))]);
    desk.read_tail(&[(OTHER, 1, r#"=3 +"d""#)]);
    assert_eq!(desk.admitted.split_off(admitted), [(session(9), Ok((None, None)))]);
    assert_eq!((desk.text().as_str(), desk.tail_reads), ("abcd", 1));
    assert!(desk.state.is_quiet());
}
