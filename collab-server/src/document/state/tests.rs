//! The rules of deciding, one by one, with limits so small that every edge comes up; and, in
//! `schedules`, all of them together under random faults.

mod desk;
mod entry;
mod fences;
mod limits;
mod log;
mod rights;
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
