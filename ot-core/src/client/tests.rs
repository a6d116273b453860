//! The client by example; whole schedules are in `tests/it/client.rs`.

use super::*;

fn client(text: &str) -> Client {
    Client::new(text, Revision::new(5), ClientSeq::new(1))
}

fn splice(client: &mut Client, at: usize, deleted: usize, text: &str) {
    let op = Operation::splice(client.text().len_chars(), at, deleted, text).expect("fits");
    client.edit(op, 0).expect("fits");
    client.check_invariants();
}

fn remote(len: usize, at: usize, deleted: usize, text: &str) -> Operation {
    Operation::splice(len, at, deleted, text).expect("fits")
}

fn revision(number: u64) -> Revision {
    Revision::new(number)
}

#[test]
fn what_was_sent_stays_as_it_was_sent() {
    let mut client = client("ab");
    splice(&mut client, 1, 0, "x");
    let sent = client.take_submission(&Limits::NONE).expect("typed");
    assert_eq!((sent.seq, sent.revision, sent.whole), (ClientSeq::new(1), revision(5), true));
    splice(&mut client, 2, 0, "y");
    let patch = client.receive(&remote(2, 0, 0, ">>"), revision(6)).expect("fits");
    assert_eq!(format!("{patch:?}"), r#"+">>" =4"#);
    assert_eq!(client.outstanding(), Some(&sent));
    assert_eq!(client.state(), ClientState::AwaitingWithBuffer);
    assert_eq!(client.take_submission(&Limits::NONE), None);
    let acknowledged = client.acknowledge(sent.seq, revision(7));
    assert_eq!(acknowledged, Ok(Acknowledged::Outstanding));
    let next = client.take_submission(&Limits::NONE).expect("typed");
    assert_eq!((next.seq, next.revision), (ClientSeq::new(2), revision(7)));
    assert_eq!(format!("{:?}", next.op), r#"=4 +"y" =1"#);
    assert_eq!(client.text().to_string(), ">>axyb");
}

#[test]
fn what_does_not_fit_changes_nothing() {
    let mut client = client("ab");
    splice(&mut client, 1, 0, "x");
    let sent = client.take_submission(&Limits::NONE).expect("typed");
    let before = client.export();
    assert!(client.receive(&remote(3, 0, 1, ""), revision(6)).is_err());
    assert!(client.receive(&remote(2, 0, 1, ""), revision(5)).is_err());
    assert!(client.acknowledge(sent.seq, revision(7)).is_err());
    assert_eq!(client.acknowledge(ClientSeq::new(9), revision(6)), Ok(Acknowledged::Earlier));
    assert_eq!(client.reject(ClientSeq::new(9)), Ok(None));
    assert!(client.edit(remote(9, 0, 1, ""), 0).is_err());
    assert!(client.edit(remote(3, 0, 0, "\r\n"), 0).is_err());
    assert_eq!(client.export(), before);
}

#[test]
fn a_rejected_edit_goes_and_what_was_typed_since_stays() {
    let mut client = client("abc");
    splice(&mut client, 1, 1, "XY");
    let sent = client.take_submission(&Limits::NONE).expect("typed");
    splice(&mut client, 2, 0, "-new-");
    assert_eq!(client.text().to_string(), "aX-new-Yc");
    let rejected = client.reject(sent.seq).expect("fits").expect("in flight");
    client.check_invariants();
    assert_eq!((rejected.text.as_str(), &rejected.op), ("XY", &sent.op));
    assert_eq!(client.state(), ClientState::Unsent);
    let text = client.text().to_string();
    assert!(["a-new-bc", "ab-new-c"].contains(&text.as_str()), "{text}");
    client.undo();
    client.check_invariants();
    assert_eq!(client.text().to_string(), "abc");
    assert!(!client.can_undo());
    client.redo();
    assert_eq!(client.text().to_string(), text);
    let next = client.take_submission(&Limits::NONE).expect("typed");
    assert_eq!(next.seq, ClientSeq::new(2));
}

#[test]
fn undo_below_a_rejection_still_finds_its_text() {
    let mut client = client("abc");
    splice(&mut client, 3, 0, "d");
    let first = client.take_submission(&Limits::NONE).expect("typed");
    client.acknowledge(first.seq, revision(6)).expect("next");
    splice(&mut client, 0, 4, "");
    let second = client.take_submission(&Limits::NONE).expect("typed");
    client.reject(second.seq).expect("fits").expect("in flight");
    client.check_invariants();
    assert_eq!(client.text().to_string(), "abcd");
    client.undo();
    assert_eq!(client.text().to_string(), "abc");
}

#[test]
fn a_split_paste_undoes_at_once_and_its_refused_part_alone_goes() {
    let limits = Limits { inserted_bytes_max: 4, ..Limits::NONE };
    let mut client = client("()");
    splice(&mut client, 1, 0, "123456789");
    let first = client.take_submission(&limits).expect("typed");
    assert!(!first.whole && first.op.inserted_text() == "1234");
    client.check_invariants();
    let mut other = client.clone();
    other.undo();
    assert_eq!(other.text().to_string(), "()");
    client.acknowledge(first.seq, revision(6)).expect("next");
    let second = client.take_submission(&limits).expect("typed");
    client.check_invariants();
    let rejected = client.reject(second.seq).expect("fits").expect("in flight");
    client.check_invariants();
    assert_eq!(rejected.text, "5678");
    assert_eq!(client.text().to_string(), "(12349)");
    client.undo();
    client.undo();
    client.check_invariants();
    assert_eq!(client.text().to_string(), "()");
}

#[test]
fn typing_that_travels_in_several_submissions_is_one_group() {
    let mut client = client("");
    for (at, letter) in ["a", "b", "c", "d"].into_iter().enumerate() {
        splice(&mut client, at, 0, letter);
        if let Some(sent) = client.take_submission(&Limits::NONE) {
            let to = client.revision().next().expect("small");
            if at != 1 {
                client.acknowledge(sent.seq, to).expect("next");
            }
        }
        client.check_invariants();
    }
    let sent = client.outstanding().cloned().expect("in flight");
    client.acknowledge(sent.seq, revision(7)).expect("next");
    client.check_invariants();
    client.undo();
    assert_eq!(client.text().to_string(), "");
    client.redo();
    assert_eq!(client.text().to_string(), "abcd");
}

#[test]
fn another_history_keeps_what_is_pending() {
    let mut client = client("one two");
    splice(&mut client, 7, 0, " three");
    let sent = client.take_submission(&Limits::NONE).expect("typed");
    splice(&mut client, 13, 0, "!");
    // The other history has neither.
    let mut fresh = client.clone();
    let patch = fresh.reset("ONE two", revision(1), ClientSeq::ZERO).expect("fits");
    fresh.check_invariants();
    assert_eq!(patch.base_len(), 14);
    assert_eq!(fresh.text().to_string(), "ONE two three!");
    let next = fresh.take_submission(&Limits::NONE).expect("pending");
    assert_eq!((next.seq, next.revision), (ClientSeq::new(2), revision(1)));
    assert_eq!(next.op.inserted_text(), " three!");
    // The other history has the one in flight.
    client.reset("one two three", revision(9), sent.seq).expect("fits");
    client.check_invariants();
    assert_eq!(client.text().to_string(), "one two three!");
    let next = client.take_submission(&Limits::NONE).expect("pending");
    assert_eq!((next.seq, next.op.inserted_text()), (ClientSeq::new(2), "!"));
}

#[test]
fn numbers_the_server_knows_are_not_used_again() {
    let mut client = client("ab");
    splice(&mut client, 1, 0, "x");
    client.skip_to(ClientSeq::new(6));
    client.skip_to(ClientSeq::new(2));
    let sent = client.take_submission(&Limits::NONE).expect("typed");
    assert_eq!(sent.seq, ClientSeq::new(7));
    client.reject(sent.seq).expect("fits").expect("in flight");
    client.check_invariants();
    assert!(!client.can_undo(), "undo knows the edit by its new number");
}

#[test]
fn pending_work_survives_storage_and_is_checked() {
    let mut client = client("héllo");
    splice(&mut client, 1, 2, "🦀");
    client.take_submission(&Limits::NONE).expect("typed");
    splice(&mut client, 0, 1, "");
    client.receive(&remote(5, 5, 0, "?"), revision(6)).expect("fits");
    let work = client.export();
    let mut restored = Client::restore(work.clone()).expect("sound");
    restored.check_invariants();
    assert_eq!(restored.export(), work);
    restored.undo();
    restored.undo();
    assert_eq!(restored.text().to_string(), "héllo?");
    let damaged = PendingWork { text: "🦀xlo?".to_owned(), ..work.clone() };
    assert!(Client::restore(damaged).is_err());
    let damaged = PendingWork { text: "xlo?".to_owned(), ..work.clone() };
    assert!(matches!(Client::restore(damaged), Err(RestoreError::Text)));
    let damaged = PendingWork { next_seq: ClientSeq::new(1), ..work };
    assert!(matches!(Client::restore(damaged), Err(RestoreError::Ahead { .. })));
}

#[test]
fn selections_travel_between_the_frames() {
    let mut client = client("abc");
    splice(&mut client, 1, 0, "xx");
    client.take_submission(&Limits::NONE).expect("typed");
    splice(&mut client, 3, 0, "yy");
    assert_eq!(client.text().to_string(), "axxyybc");
    let theirs = Ranges::new([crate::Selection::caret(1), crate::Selection::new(3, 2)]);
    let local = client.carry_ranges(&theirs.expect("two"));
    let found: Vec<_> = local.iter().map(|range| (range.anchor, range.head)).collect();
    assert_eq!(found, [(1, 1), (7, 6)]);
    let own = Ranges::one(crate::Selection::caret(5));
    let sent = client.ranges_behind_outstanding(&own);
    assert_eq!(sent.as_slice(), [crate::Selection::caret(3)]);
}

#[test]
fn typing_and_erasing_leaves_nothing_to_send() {
    let mut client = client("ab");
    splice(&mut client, 1, 0, "x");
    splice(&mut client, 1, 1, "");
    assert_eq!(client.state(), ClientState::Synchronized);
    assert_eq!(client.take_submission(&Limits::NONE), None);
    assert_eq!(client.server_text_hash(), Some(TextHash::of("ab")));
}
