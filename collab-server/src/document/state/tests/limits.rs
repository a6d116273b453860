//! Limits of batches, queues, documents; and bases older than what is at hand.

use super::*;

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
fn edits_behind_an_append_of_several_go_together_once_it_is_done() {
    let mut desk = Desk::new("");
    let write = |desk: &mut Desk, client: u128, seq| {
        let (head, operation) = (desk.head(), desk.ending("x"));
        desk.submit(ClientId::new(client), seq, head, &operation);
        desk.decide();
        desk.appends.iter().map(|append| append.operations.len()).collect::<Vec<_>>()
    };
    let finish = |desk: &mut Desk| {
        desk.finish(Outcome::Done);
        desk.decide();
    };
    assert_eq!(write(&mut desk, 1, 1), [1]);
    assert_eq!(write(&mut desk, 2, 1), [1, 1], "nobody waits behind one edit");
    assert_eq!(write(&mut desk, 3, 1), [1, 1]);
    assert_eq!(write(&mut desk, 4, 1), [1, 1]);
    finish(&mut desk);
    assert_eq!(write(&mut desk, 1, 2), [1, 2]);
    finish(&mut desk);
    assert_eq!(write(&mut desk, 2, 2), [2], "it waits behind several");
    finish(&mut desk);
    assert_eq!(write(&mut desk, 3, 2), [2], "as this one does behind those that waited");
    finish(&mut desk);
    finish(&mut desk);
    assert_eq!((desk.text().as_str(), desk.head()), ("xxxxxxx", 7));
    assert!(desk.state.is_quiet());
}
