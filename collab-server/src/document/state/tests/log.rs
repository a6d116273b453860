//! Appends that do not go through, and the log read after them.

use super::*;

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
    let page = |head, operations| TailPage {
        operations,
        head: Revision::new(head),
        is_deleted: false,
        rights_version: 0,
    };
    damaged(page(0, vec![]));
    damaged(page(3, vec![desk::logged(3, OTHER, 1, r#"=3 +"x""#)]));
    damaged(page(2, vec![desk::logged(2, OTHER, 1, r#"=9 +"x""#)]));
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
fn who_has_lost_twice_goes_ahead_and_whoever_wins_begins_anew() {
    let mut desk = Desk::new("");
    let lose = |desk: &mut Desk, seq| {
        desk.finish(Outcome::Conflict);
        desk.read_tail(&[(OTHER, seq, &desk.ending("b"))]);
        desk.decide();
        desk.went_ahead
    };
    desk.submit(CLIENT, 1, 0, r#"+"a""#);
    desk.decide();
    assert_eq!([lose(&mut desk, 1), lose(&mut desk, 2), lose(&mut desk, 3)], [0, 1, 2]);
    desk.finish(Outcome::Done);
    desk.submit(CLIENT, 2, 4, &desk.ending("c"));
    desk.decide();
    assert_eq!([lose(&mut desk, 4), lose(&mut desk, 5)], [2, 3]);
    // What is not known is no race that was lost.
    desk.finish(Outcome::Done);
    desk.submit(CLIENT, 3, 7, &desk.ending("d"));
    desk.decide();
    for _ in 0..3 {
        desk.finish(Outcome::Unknown);
        desk.read_tail(&[]);
        desk.decide();
    }
    assert_eq!(desk.went_ahead, 3);
}
