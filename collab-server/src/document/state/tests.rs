//! The rules of deciding, one by one, with limits so small that every edge comes up; and, in
//! `schedules`, all of them together under random faults.

mod desk;
mod schedules;

use collab_protocol::RejectCode;
use ot_core::{ClientSeq, Ranges, Revision, Selection};

use self::desk::{CLIENT, Desk, OTHER, THIRD, operation, session, user};
use super::*;
use crate::store::{ClientProgress, TailPage};

fn rejected(seq: u64, code: RejectCode) -> (u64, Result<u64, RejectCode>) {
    (seq, Err(code))
}

fn acknowledged(seq: u64, revision: u64) -> (u64, Result<u64, RejectCode>) {
    (seq, Ok(revision))
}

#[test]
fn nothing_is_committed_before_its_append_is_done() {
    let mut desk = Desk::new("");
    desk.submit(CLIENT, 1, 0, r#"+"hi""#);
    desk.decide();
    assert_eq!((desk.appends.len(), desk.text().as_str(), desk.head()), (1, "", 0));
    assert!(desk.committed.is_empty());
    desk.finish(Outcome::Done);
    assert_eq!((desk.text().as_str(), desk.head()), ("hi", 1));
    assert_eq!(desk.committed, [(1, CLIENT, 1)]);
    assert!(desk.take_answers().is_empty(), "the ack is the place in the stream");
}

#[test]
fn resent_operation_is_acknowledged_once() {
    let mut desk = Desk::new("");
    desk.submit(CLIENT, 1, 0, r#"+"hi""#);
    desk.decide();
    // Again while it is on its way, and again when it is committed.
    desk.submit(CLIENT, 1, 0, r#"+"hi""#);
    desk.decide();
    assert_eq!(desk.appends.len(), 1);
    desk.finish(Outcome::Done);
    desk.submit(CLIENT, 1, 0, r#"+"hi""#);
    desk.decide();
    assert_eq!(desk.take_answers(), [acknowledged(1, 1), acknowledged(1, 1)]);
    assert_eq!((desk.text().as_str(), desk.appends.len()), ("hi", 0));
}

#[test]
fn number_used_for_another_edit_is_seq_reuse() {
    let mut desk = Desk::new("");
    desk.commit(CLIENT, 1, 0, r#"+"hi""#);
    desk.submit(CLIENT, 1, 0, r#"+"ho""#);
    desk.decide();
    assert_eq!(desk.take_answers(), [rejected(1, RejectCode::SeqReuse)]);
    desk.commit(CLIENT, 2, 1, r#"=2 +"!""#);
    assert_eq!(desk.text(), "hi!");
}

#[test]
fn old_number_is_looked_for_in_the_log() {
    let mut desk = Desk::new("");
    desk.commit(CLIENT, 2, 0, r#"+"a""#);
    desk.commit(CLIENT, 5, 1, r#"=1 +"b""#);
    for seq in [2, 3] {
        desk.submit(CLIENT, seq, 0, r#"+"a""#);
    }
    desk.decide();
    assert_eq!(desk.take_answers(), [acknowledged(2, 1), rejected(3, RejectCode::StaleSeq)]);
    desk.submit(CLIENT, 0, 0, r#"+"a""#);
    desk.decide();
    assert_eq!(desk.take_answers(), [rejected(0, RejectCode::StaleSeq)]);
    assert_eq!(desk.text(), "ab");
}

#[test]
fn burned_number_keeps_its_answer_and_higher_ones_go_on() {
    let mut desk = Desk::new("");
    desk.submit(CLIENT, 3, 9, r#"+"a""#);
    desk.decide();
    assert_eq!(desk.take_answers(), [rejected(3, RejectCode::FutureBase)]);
    for seq in 0..9 {
        desk.commit(OTHER, seq + 1, seq, &desk.ending("x"));
    }
    // By now its base exists. The client may have been told, so the answer stands.
    desk.submit(CLIENT, 3, 9, r#"=9 +"a""#);
    desk.submit(CLIENT, 2, 9, r#"=9 +"a""#);
    desk.decide();
    assert_eq!(
        desk.take_answers(),
        [rejected(3, RejectCode::FutureBase), rejected(2, RejectCode::StaleSeq)]
    );
    desk.commit(CLIENT, 4, 9, r#"=9 +"a""#);
    assert_eq!(desk.text(), "xxxxxxxxxa");
}

#[test]
fn each_fault_of_a_submission_has_its_code() {
    let long = format!("+{:?}", "x".repeat(17));
    for (base, operation, code) in [
        (2, r#"=3 +"x""#, RejectCode::FutureBase),
        (1, r#"=2 +"x""#, RejectCode::BadOp),
        (0, r#"=3 +"x""#, RejectCode::BadOp),
        (1, r#"=4"#, RejectCode::BadOp),
        (1, r#"=3 +"a\u{0}""#, RejectCode::BadText),
        (1, r#"=3 +"a\u{d}\n""#, RejectCode::BadText),
        (0, long.as_str(), RejectCode::TextTooLarge),
        (1, r#"+"a" =1 +"b" =1 +"c" =1 +"d""#, RejectCode::TooManyComponents),
    ] {
        let mut desk = Desk::new("");
        desk.commit(OTHER, 1, 0, r#"+"abc""#);
        desk.submit(CLIENT, 1, base, operation);
        desk.decide();
        assert_eq!(desk.take_answers(), [rejected(1, code)], "{base} {operation}");
        assert_eq!((desk.text().as_str(), desk.head()), ("abc", 1), "{operation}");
    }
}

#[test]
fn ranges_outside_the_text_or_too_many_are_refused() {
    let mut desk = Desk::new("abc");
    let carets = |offsets: &[usize]| {
        Ranges::new(offsets.iter().map(|offset| Selection::caret(*offset))).expect("few")
    };
    for (seq, ranges) in [(1, carets(&[5])), (2, carets(&[1, 2, 3]))] {
        desk.submit_with(CLIENT, seq, 0, r#"=3 +"x""#, Some(ranges));
        desk.decide();
        assert_eq!(desk.take_answers(), [rejected(seq, RejectCode::BadRanges)]);
    }
    desk.submit_with(CLIENT, 3, 0, r#"=3 +"x""#, Some(carets(&[4])));
    desk.decide();
    desk.finish(Outcome::Done);
    assert_eq!(desk.text(), "abcx");
}

#[test]
fn earlier_of_two_inserts_at_one_place_comes_first() {
    let mut desk = Desk::new("ab");
    desk.submit(CLIENT, 1, 0, r#"=1 +"1" =1"#);
    desk.submit(OTHER, 1, 0, r#"=1 +"2" =1"#);
    desk.submit(THIRD, 1, 0, r#"=1 +"3" =1"#);
    desk.decide();
    desk.finish(Outcome::Done);
    assert_eq!(desk.text(), "a123b");
}

#[test]
fn next_batch_is_decided_while_the_last_is_on_its_way() {
    let mut desk = Desk::new("");
    desk.submit(CLIENT, 1, 0, r#"+"a""#);
    desk.decide();
    desk.submit(OTHER, 1, 0, r#"+"b""#);
    desk.decide();
    desk.submit(THIRD, 1, 0, r#"+"c""#);
    desk.decide();
    let bases: Vec<u64> = desk.appends.iter().map(|append| append.base.get()).collect();
    assert_eq!(bases, [0, 1], "a third waits for its turn");
    // Their outcomes may be heard in any order; they count in the order of the log.
    desk.finish_at(1, Outcome::Done);
    assert_eq!(desk.head(), 0);
    desk.finish(Outcome::Done);
    assert_eq!((desk.text().as_str(), desk.head()), ("ab", 2));
    desk.decide();
    desk.finish(Outcome::Done);
    assert_eq!(desk.text(), "abc");
}

#[test]
fn batch_and_queue_have_limits() {
    let mut desk = Desk::new("");
    let clients: Vec<ClientId> = (10..18).map(ClientId::new).collect();
    for client in &clients {
        desk.submit(*client, 1, 0, r#"+"x""#);
    }
    assert_eq!(
        desk.take_answers(),
        [rejected(1, RejectCode::Overloaded), rejected(1, RejectCode::Overloaded)]
    );
    desk.decide();
    let sizes: Vec<usize> = desk.appends.iter().map(|append| append.operations.len()).collect();
    assert_eq!(sizes, [3, 3]);
    desk.finish(Outcome::Done);
    desk.finish(Outcome::Done);
    desk.commit(clients[7], 1, 6, r#"=6 +"x""#);
    assert_eq!(desk.text().len(), 7, "an overloaded submission may come again as it was");
}

#[test]
fn failed_append_is_answered_and_uses_no_number_up() {
    let mut desk = Desk::new("");
    desk.submit(CLIENT, 1, 0, r#"+"a""#);
    desk.decide();
    desk.submit(OTHER, 1, 0, r#"+"b""#);
    desk.decide();
    desk.finish(Outcome::Failed);
    assert_eq!(desk.take_answers(), [rejected(1, RejectCode::StorageUnavailable)]);
    // What was decided behind it was made for a log that is not there.
    desk.finish(Outcome::Conflict);
    assert!(desk.take_answers().is_empty());
    desk.read_tail(&[]);
    desk.decide();
    desk.finish(Outcome::Done);
    assert_eq!(desk.text(), "b");
    desk.commit(CLIENT, 1, 0, r#"+"a""#);
    assert_eq!(desk.text(), "ba");
}

#[test]
fn lost_race_rebases_the_originals_and_never_what_was_rebased() {
    // Rebased over "b" the original lies behind it; rebased again over "a" it could not know that
    // the place between them was its own.
    let mut desk = Desk::new("xy");
    desk.submit(CLIENT, 1, 0, r#"=1 +"1" =1"#);
    desk.submit(OTHER, 1, 0, r#"=1 +"2" =1"#);
    desk.decide();
    desk.finish(Outcome::Conflict);
    desk.read_tail(&[(THIRD, 1, r#"=1 +"0" =1"#)]);
    assert_eq!(desk.committed, [(1, THIRD, 1)]);
    desk.decide();
    assert_eq!(desk.appends[0].base, Revision::new(1));
    desk.finish(Outcome::Done);
    assert_eq!(desk.text(), "x012y");
}

#[test]
fn unknown_outcome_that_was_applied_is_not_applied_again() {
    let mut desk = Desk::new("");
    desk.submit(CLIENT, 1, 0, r#"+"a""#);
    desk.submit(OTHER, 1, 0, r#"+"b""#);
    desk.decide();
    desk.finish(Outcome::Unknown);
    desk.read_tail(&[(CLIENT, 1, r#"+"a""#), (OTHER, 1, r#"=1 +"b""#)]);
    desk.decide();
    assert!(desk.appends.is_empty());
    assert_eq!(desk.take_answers(), [acknowledged(1, 1), acknowledged(1, 2)]);
    assert_eq!((desk.text().as_str(), desk.head()), ("ab", 2));
}

#[test]
fn unknown_outcome_that_was_not_applied_is_applied_once() {
    let mut desk = Desk::new("");
    desk.submit(CLIENT, 1, 0, r#"+"a""#);
    desk.decide();
    desk.submit(OTHER, 1, 0, r#"+"b""#);
    desk.decide();
    desk.finish(Outcome::Unknown);
    assert_eq!(desk.tail_reads, 0, "the one behind it is awaited first");
    desk.finish(Outcome::Conflict);
    assert_eq!(desk.tail_reads, 1);
    desk.submit(THIRD, 1, 0, r#"+"c""#);
    desk.decide();
    assert!(desk.appends.is_empty(), "nothing is decided before the log is read");
    desk.read_tail(&[]);
    desk.decide();
    desk.finish(Outcome::Done);
    assert_eq!((desk.text().as_str(), desk.head()), ("abc", 3), "in the order they came");
    assert!(desk.take_answers().is_empty());
}

#[test]
fn log_is_read_until_it_answers_and_meanwhile_clients_are_told() {
    let mut desk = Desk::new("");
    desk.submit(CLIENT, 1, 0, r#"+"a""#);
    desk.decide();
    desk.finish(Outcome::Unknown);
    for attempts in 1..4 {
        desk.event(Event::TailRead { result: Err(ReadFault::Unavailable) });
        assert_eq!(desk.tail_reads, 1 + attempts);
    }
    desk.submit(OTHER, 1, 0, r#"+"b""#);
    assert_eq!(desk.take_answers(), [rejected(1, RejectCode::StorageUnavailable)]);
    desk.read_tail(&[(CLIENT, 1, r#"+"a""#)]);
    desk.decide();
    assert_eq!(desk.take_answers(), [acknowledged(1, 1)], "it was held, not forgotten");
    desk.commit(OTHER, 1, 0, r#"+"b""#);
    assert_eq!(desk.text(), "ab");
}

#[test]
fn what_waits_behind_an_unknown_outcome_is_handed_back_once_the_log_cannot_be_read() {
    let mut desk = Desk::new("");
    desk.submit(CLIENT, 1, 0, r#"+"a""#);
    desk.decide();
    desk.finish(Outcome::Unknown);
    desk.submit(OTHER, 1, 0, r#"+"b""#);
    desk.decide();
    assert!(desk.take_answers().is_empty(), "the log may answer at once");
    desk.event(Event::TailRead { result: Err(ReadFault::Unavailable) });
    let unavailable = rejected(1, RejectCode::StorageUnavailable);
    assert_eq!(desk.take_answers(), [unavailable], "what may be stored gets no refusal");
    desk.event(Event::TailRead { result: Err(ReadFault::Unavailable) });
    assert!(desk.take_answers().is_empty(), "each is answered once");

    // It was not applied: it goes first, and then what was handed back and sent again.
    desk.read_tail(&[]);
    desk.decide();
    desk.finish(Outcome::Done);
    desk.commit(OTHER, 1, 0, r#"+"b""#);
    assert_eq!((desk.text().as_str(), desk.head()), ("ab", 2));
}

#[test]
fn log_that_contradicts_what_was_durable_stops_the_document() {
    let damaged = |page: TailPage| {
        let mut desk = Desk::new("");
        desk.commit(CLIENT, 1, 0, r#"+"abc""#);
        desk.submit(CLIENT, 2, 1, r#"=3 +"d""#);
        desk.decide();
        desk.finish(Outcome::Unknown);
        desk.event(Event::TailRead { result: Ok(page) });
        assert_eq!(desk.damaged, 1);
        desk.decide();
        desk.submit(OTHER, 1, 0, r#"+"b""#);
        desk.decide();
        let expected = [rejected(2, RejectCode::DocCorrupt), rejected(1, RejectCode::DocCorrupt)];
        assert_eq!(desk.take_answers(), expected);
        assert!(desk.appends.is_empty());
    };
    let page =
        |head, operations| TailPage { operations, head: Revision::new(head), is_deleted: false };
    damaged(page(0, vec![]));
    damaged(page(3, vec![desk::logged(3, OTHER, 1, r#"=3 +"x""#)]));
    damaged(page(2, vec![desk::logged(2, OTHER, 1, r#"=9 +"x""#)]));
}

#[test]
fn base_older_than_what_is_at_hand_is_rebased_over_history_that_is_read() {
    let mut desk = Desk::new("");
    for seq in 0..10 {
        desk.commit(OTHER, seq + 1, seq, &desk.ending("x"));
    }
    desk.submit(CLIENT, 1, 2, r#"=1 +"A" =1"#);
    desk.decide();
    assert_eq!(desk.range_reads, [(2, 6)]);
    // While it is read others go on, and what is at hand moves.
    for seq in 10..16 {
        desk.commit(OTHER, seq + 1, seq, &desk.ending("y"));
    }
    desk.read_range();
    desk.decide();
    assert_eq!(desk.range_reads, [(6, 12)], "the rest is read too");
    desk.read_range();
    desk.decide();
    desk.finish(Outcome::Done);
    assert_eq!(desk.text(), "xAxxxxxxxxxyyyyyy");
    assert_eq!(desk.head(), 17);
}

#[test]
fn number_sent_again_while_its_history_is_read_waits_for_the_first() {
    let mut desk = Desk::new("");
    for seq in 0..10 {
        desk.commit(OTHER, seq + 1, seq, &desk.ending("x"));
    }
    for _ in 0..2 {
        desk.submit(CLIENT, 1, 2, r#"=1 +"A" =1"#);
        desk.decide();
    }
    for seq in 10..16 {
        desk.commit(OTHER, seq + 1, seq, &desk.ending("y"));
    }
    while !desk.range_reads.is_empty() {
        desk.read_range();
        desk.decide();
    }
    assert_eq!(desk.damaged, 0, "an answer to one is not taken for that to the other");
    desk.finish(Outcome::Done);
    desk.decide();
    assert_eq!(desk.text(), "xAxxxxxxxxxyyyyyy");
    assert_eq!(desk.take_answers().last(), Some(&acknowledged(1, 17)));
    assert!(desk.state.is_quiet());
}

#[test]
fn wrong_length_at_an_old_base_is_refused() {
    let mut desk = Desk::new("");
    for seq in 0..10 {
        desk.commit(OTHER, seq + 1, seq, &desk.ending("x"));
    }
    desk.submit(CLIENT, 1, 2, r#"=3 +"A""#);
    desk.decide();
    desk.read_range();
    desk.decide();
    assert_eq!(desk.take_answers(), [rejected(1, RejectCode::BadOp)]);
}

#[test]
fn history_that_cannot_be_read_is_a_retryable_answer() {
    let mut desk = Desk::new("");
    for seq in 0..10 {
        desk.commit(OTHER, seq + 1, seq, &desk.ending("x"));
    }
    desk.submit(CLIENT, 1, 2, r#"=2 +"A""#);
    desk.decide();
    desk.range_reads.clear();
    let (client, seq, through) = (CLIENT, ClientSeq::new(1), Revision::new(6));
    let result = Err(ReadFault::Unavailable);
    desk.event(Event::RangeRead { client, seq, through, result });
    assert_eq!(desk.take_answers(), [rejected(1, RejectCode::StorageUnavailable)]);
}

#[test]
fn full_document_takes_what_does_not_make_it_larger() {
    let full = "é".repeat(20);
    let mut desk = Desk::new(&full);
    for (seq, operation, code) in [
        (1, r#"=20 +"x""#, Some(RejectCode::DocumentFull)),
        (2, r#"=19 -1 +"ab""#, None),
        (3, r#"=19 +"😀" -1 =1"#, Some(RejectCode::DocumentFull)),
        (4, r#"=20 -1"#, None),
        (5, r#"=20 +"x""#, None),
    ] {
        desk.submit(CLIENT, seq, desk.head(), operation);
        desk.decide();
        match code {
            Some(code) => assert_eq!(desk.take_answers(), [rejected(seq, code)], "{operation}"),
            None => desk.finish(Outcome::Done),
        }
    }
    assert_eq!(desk.text(), format!("{}ax", "é".repeat(19)));
}

#[test]
fn document_over_its_limit_can_still_shrink() {
    let mut desk = Desk::new(&"x".repeat(60));
    desk.commit(CLIENT, 1, 0, r#"=50 -5 +"yyyyy" =5"#);
    desk.commit(CLIENT, 2, 1, r#"=50 -9 =1"#);
    assert_eq!(desk.text().len(), 51);
}

#[test]
fn room_left_is_known_only_when_nothing_is_on_its_way() {
    let mut desk = Desk::new(&"x".repeat(38));
    desk.submit(CLIENT, 1, 0, r#"-3 +"ab" =35"#);
    desk.submit(OTHER, 1, 0, r#"=38 +"cd""#);
    desk.submit(THIRD, 1, 0, r#"=38 +"ef""#);
    desk.decide();
    assert_eq!(desk.appends[0].operations.len(), 1, "the others wait to see what is left");
    desk.finish(Outcome::Done);
    desk.decide();
    desk.finish(Outcome::Done);
    desk.decide();
    assert_eq!(desk.take_answers(), [rejected(1, RejectCode::DocumentFull)]);
    assert_eq!(desk.text().len(), 39);
}

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
fn a_read_that_began_before_somebody_told_of_more_does_not_decide_on_them() {
    // Seed 7605: who came with revision 1 while the log was being read was taken for one who holds
    // what no log does.
    let mut desk = Desk::new("");
    desk.submit(OTHER, 1, 0, r#"+"y""#);
    desk.decide();
    desk.finish(Outcome::Unknown);
    desk.ask_to_join(1, CLIENT, Entry::Resuming { at: Revision::new(1) });
    desk.read_tail(&[]);
    assert_eq!(desk.tail_reads, 2);
    desk.read_tail(&[(CLIENT, 1, r#"+"x""#)]);
    let last = Some((ClientSeq::new(1), Revision::new(1)));
    assert_eq!(desk.admitted.pop(), Some((session(1), Ok((last, None)))));
}

#[test]
fn progress_beyond_the_head_has_the_log_read() {
    // Seed 1562: another server committed it, and nobody told this one. The ack stands in the
    // stream, which must get there.
    let mut desk = Desk::new("");
    desk.holds_reads = true;
    desk.ask_to_join(1, CLIENT, Entry::Resuming { at: Revision::ZERO });
    let elsewhere = Submission::new(ClientSeq::new(1), Revision::ZERO, operation("+\"x\""), None);
    let (author, seq, revision) = (user(CLIENT.get()), ClientSeq::new(1), Revision::new(1));
    let progress = ClientProgress { author, seq, revision, submission: elsewhere.hash() };
    desk.event(Event::ProgressRead { client: CLIENT, result: Ok(Some(progress)) });
    assert_eq!(desk.tail_reads, 1);
    desk.read_tail(&[(CLIENT, 1, r#"+"x""#)]);
    assert_eq!(desk.committed, [(1, CLIENT, 1)]);
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
fn commit_that_a_slow_read_missed_is_not_forgotten() {
    let mut desk = Desk::new("");
    desk.holds_reads = true;
    desk.ask_to_join(1, CLIENT, Entry::Afresh);
    // Read before the commit below, heard after it.
    desk.ingest(CLIENT, 4, r#"+"x""#);
    desk.event(Event::ProgressRead { client: CLIENT, result: Ok(None) });
    let last = Some((ClientSeq::new(4), Revision::new(1)));
    assert_eq!(desk.admitted.pop(), Some((session(1), Ok((last, None)))));
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
fn selection_goes_where_its_operation_goes() {
    let mut desk = Desk::new("ab");
    desk.commit(OTHER, 1, 0, r#"+"123" =2"#);
    let ranges = Ranges::new([Selection::new(0, 3), Selection::caret(2)]).expect("few");
    desk.submit_with(CLIENT, 1, 0, r#"=1 +"X" =1"#, Some(ranges));
    desk.decide();
    let ranges = desk.state.in_flight[0].items[0].ranges.clone().expect("it has some");
    assert_eq!(ranges.as_slice(), [Selection::new(3, 6), Selection::caret(5)]);
}

#[test]
fn selection_made_earlier_is_carried_to_the_head() {
    let mut desk = Desk::new("ab");
    desk.commit(OTHER, 1, 0, r#"+"123" =2"#);
    let caret = |offset| Ranges::one(Selection::caret(offset));
    let carry = |base, ranges| desk.state.carry_ranges(Revision::new(base), ranges);
    assert_eq!(carry(0, caret(1)), Ok(Some(caret(4))));
    assert_eq!(carry(1, caret(1)), Ok(Some(caret(1))));
    assert_eq!(carry(0, caret(3)), Ok(None), "outside the text it names");
    assert_eq!(carry(2, caret(0)), Ok(None), "a revision that is not there yet");
}
