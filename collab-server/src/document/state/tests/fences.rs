//! Refusals and texts that no other server undoes: what it holds of a client cannot be committed any
//! more.

use super::*;

/// A document that other servers may commit to; two characters of OTHER's are in it.
fn shared() -> Desk {
    let mut desk = Desk::new("");
    desk.state.begin_sharing();
    desk.commit(OTHER, 1, 0, r#"+"ab""#);
    desk
}

/// A text that does not fit into the document.
fn too_much(desk: &mut Desk) -> String {
    for seq in 2..=4 {
        let head = desk.head();
        desk.commit(OTHER, seq, head, &desk.ending("0123456789"));
    }
    desk.ending("0123456789")
}

#[test]
fn what_may_be_elsewhere_is_refused_once_nobody_can_commit_it() {
    let mut desk = shared();
    let operation = too_much(&mut desk);
    desk.submit(CLIENT, 1, 4, &operation);
    desk.decide();
    assert_eq!((desk.take_answers(), desk.fences.len()), (vec![], 1));
    desk.fence(None);
    desk.decide();
    assert_eq!(desk.take_answers(), [rejected(1, RejectCode::DocumentFull)]);
    // What the session sends from now on, it sends to nobody else.
    desk.submit(CLIENT, 2, 4, &operation);
    desk.decide();
    assert_eq!(desk.take_answers(), [rejected(2, RejectCode::DocumentFull)]);
    assert_eq!(desk.fences, []);
}

#[test]
fn what_another_server_may_have_refused_is_not_kept_by_a_fence_here() {
    // Seed 74324: both servers let the client begin anew to refuse the same edit. The first told it so;
    // the second, which had the older session, found it good by then, and committed it.
    let mut desk = shared();
    let operation = too_much(&mut desk);
    desk.submit(CLIENT, 1, 4, &operation);
    desk.decide();
    assert_eq!(desk.fences.len(), 1);
    desk.commit(OTHER, 5, 4, "-32");
    desk.fenced_elsewhere(CLIENT);
    desk.fence(None);
    desk.decide();
    assert_eq!((desk.take_answers(), desk.dismissed.as_slice()), (vec![], [session(1)].as_slice()));
    assert_eq!(desk.text(), "");
}

#[test]
fn what_another_server_may_have_refused_right_after_the_fence_here_is_not_committed() {
    let mut desk = shared();
    let operation = too_much(&mut desk);
    desk.submit(CLIENT, 1, 4, &operation);
    desk.decide();
    desk.commit(OTHER, 5, 4, "-32");
    let (client, seq, known) = desk.fences.remove(0);
    for _ in ["ours", "theirs"] {
        desk.fenced_elsewhere(CLIENT);
    }
    let fence = Some(Fence { known, at: 1 });
    desk.event(Event::Fenced { client, seq, result: Ok(Begun { progress: None, fence }) });
    desk.decide();
    assert_eq!((desk.take_answers(), desk.dismissed.as_slice()), (vec![], [session(1)].as_slice()));
}

#[test]
fn who_enters_afresh_does_not_revive_what_was_given_up_before() {
    let mut desk = shared();
    desk.submit(OTHER, 2, 1, &desk.ending("c"));
    desk.decide();
    desk.fenced_elsewhere(OTHER);
    desk.ask_to_join(7, OTHER, Entry::Afresh);
    desk.fence(None);
    desk.finish(Outcome::Conflict);
    desk.read_tail(&[]);
    desk.decide();
    assert_eq!((desk.appends.len(), desk.text().as_str()), (0, "ab"));
    assert_eq!(desk.admitted.len(), 1, "{:?}", desk.admitted);
}

#[test]
fn a_refusal_that_nobody_was_told_does_not_bind() {
    // Seed 218070: the older session's copy was refused, which ended before; another server committed
    // the edit then, and the newer session was told the old refusal.
    let mut desk = shared();
    let operation = too_much(&mut desk);
    desk.submit(CLIENT, 1, 4, &operation);
    desk.ask_to_join(7, CLIENT, Entry::Resuming { at: Revision::new(4) });
    desk.decide();
    assert_eq!(desk.take_answers(), [rejected(1, RejectCode::DocumentFull)], "to nobody");
    desk.commit(OTHER, 5, 4, "-32");
    desk.submit_from(7, CLIENT, 1, 4, &operation);
    desk.decide();
    desk.finish(Outcome::Done);
    assert_eq!(desk.text(), "0123456789");
}

#[test]
fn who_enters_afresh_waits_for_a_fence_of_this_server() {
    let mut desk = shared();
    desk.ask_to_join(7, OTHER, Entry::Afresh);
    desk.fenced_elsewhere(OTHER);
    desk.fence(None);
    assert_eq!((desk.admitted.len(), desk.fences.len()), (0, 1), "that was for another session");
    desk.fence(None);
    assert_eq!((desk.admitted.len(), desk.fences.len()), (1, 0));
}

#[test]
fn what_another_server_committed_before_the_fence_is_acknowledged() {
    let mut desk = shared();
    let operation = too_much(&mut desk);
    desk.submit(CLIENT, 1, 4, &operation);
    desk.decide();
    let submission =
        Submission::new(ClientSeq::new(1), Revision::new(4), super::operation(&operation), None);
    desk.fence(Some(ClientProgress {
        author: user(CLIENT.get()),
        seq: ClientSeq::new(1),
        revision: Revision::new(5),
        submission: submission.hash(),
    }));
    assert_eq!(desk.tail_reads, 1, "its ack stands in the stream behind what is here");
    desk.read_tail(&[(CLIENT, 1, &operation)]);
    desk.decide();
    assert_eq!(desk.take_answers(), [acknowledged(1, 5)]);
}

#[test]
fn what_was_received_before_a_fence_elsewhere_is_not_committed() {
    let mut desk = shared();
    desk.submit(CLIENT, 1, 1, &desk.ending("c"));
    desk.fenced_elsewhere(CLIENT);
    desk.decide();
    assert_eq!((desk.appends.len(), desk.take_answers()), (0, vec![]));
    assert_eq!(desk.dismissed, [session(1)]);
    // Also what lay in a mailbox meanwhile. Who comes anew is heard.
    desk.submit_from(1, CLIENT, 1, 1, &desk.ending("c"));
    desk.decide();
    assert_eq!((desk.appends.len(), desk.dismissed.len()), (0, 2));
    desk.ask_to_join(7, CLIENT, Entry::Resuming { at: Revision::new(1) });
    desk.submit_from(7, CLIENT, 1, 1, &desk.ending("c"));
    desk.decide();
    desk.finish(Outcome::Done);
    assert_eq!(desk.text(), "abc");
}

#[test]
fn an_append_that_lost_against_a_fence_is_given_up() {
    let mut desk = shared();
    desk.submit(CLIENT, 1, 1, &desk.ending("c"));
    desk.submit(OTHER, 2, 1, &desk.ending("d"));
    desk.decide();
    desk.fenced_elsewhere(CLIENT);
    desk.finish(Outcome::Conflict);
    desk.read_tail(&[]);
    desk.decide();
    desk.finish(Outcome::Done);
    assert_eq!((desk.text().as_str(), desk.dismissed.len()), ("abd", 1));
}

#[test]
fn who_enters_afresh_gets_a_text_with_all_that_is_committed_of_them() {
    let mut desk = shared();
    desk.ask_to_join(7, OTHER, Entry::Afresh);
    assert_eq!((desk.admitted.len(), desk.fences.len()), (0, 1), "{:?}", desk.admitted);
    let submission = Submission::new(ClientSeq::new(2), Revision::new(1), operation("=2"), None);
    desk.fence(Some(ClientProgress {
        author: user(OTHER.get()),
        seq: ClientSeq::new(2),
        revision: Revision::new(2),
        submission: submission.hash(),
    }));
    assert_eq!(desk.admitted, [], "the text lacks what another server committed");
    desk.read_tail(&[(OTHER, 2, &desk.ending("c"))]);
    let last = Some((ClientSeq::new(2), Revision::new(2)));
    assert_eq!(desk.admitted, [(session(7), Ok((last, Some(session(2)))))]);
    assert_eq!(desk.text(), "abc");
    // Who never committed anything, or goes on from what they hold, waits for nothing.
    desk.admitted.clear();
    desk.ask_to_join(8, CLIENT, Entry::Afresh);
    desk.ask_to_join(9, OTHER, Entry::Resuming { at: Revision::new(1) });
    assert_eq!((desk.admitted.len(), desk.fences.len()), (2, 0));
}
