//! What readers share is what each would have been given alone.

use collab_protocol::{LinkAccess, TenantId, TextHash, UserId};
use ot_core::{ClientSeq, Operation};
use proptest::prelude::*;
use tokio::sync::Notify;

use super::*;
use crate::document::Participant;
use crate::document::ring::Ring;
use crate::rights::Rights;

/// People in the room, of whom two call the document by the same number.
const PEOPLE: usize = 4;

#[derive(Clone, Debug)]
enum Step {
    /// A client commits, as one of a few people.
    Commit(usize, usize),
    Check,
    /// A reader takes what it lacks, about so many bytes.
    Pull(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..PEOPLE, 0..3_usize).prop_map(|(client, user)| Step::Commit(client, user)),
        1 => Just(Step::Check),
        6 => (0..PEOPLE, prop::sample::select(vec![1, 60, 1_000]))
            .prop_map(|(reader, budget)| Step::Pull(reader, budget)),
    ]
}

fn user(number: usize) -> UserId {
    format!("g_{number}").parse().expect("an id")
}

fn client(number: usize) -> ClientId {
    ClientId::new(number as u128 + 1)
}

/// A room whose ring holds few operations, and its readers.
fn room() -> (Room, Vec<Reader>) {
    let rights = Rights::new(TenantId::default(), user(0), LinkAccess::Edit);
    let mut room = Room::new(Ring::new(Revision::ZERO, 6, 10_000), "", &rights, 4);
    let readers = (0..PEOPLE).map(|number| {
        let session = room.next_session();
        let participant = Participant { user: user(number % 3), name: String::new(), color: 0 };
        let may = (user(number % 3).into(), Role::Editor);
        let wake = Arc::new(Notify::new());
        room.enter(session, &participant, may, client(number), Revision::ZERO, wake);
        let channel = ChannelId(1 + number as u32 % 3 / 2);
        Reader::new((session, client(number), channel), Revision::ZERO, 99, 0, Role::Editor)
    });
    let readers = readers.collect();
    (room, readers)
}

/// What the reader is given, and where it stands then.
fn given(reader: &mut Reader, room: &SharedRoom, budget_bytes: usize) -> String {
    let held = reader.step(room, budget_bytes, 0).expect("nobody is ended");
    match held {
        Held::Pulled(pulled) => {
            format!("{:?} {} {:?}", pulled.frames, pulled.more, reader.position)
        }
        Held::Behind { after, head } => {
            // Read from the log; what stood there is of no interest.
            reader.position.revision = head;
            format!("behind {after} {head}")
        }
    }
}

proptest! {
    #[test]
    fn what_several_share_is_what_each_would_be_given_alone(
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let (inner, mut readers) = room();
        let room = SharedRoom::new(inner);
        for (index, step) in steps.into_iter().enumerate() {
            match step {
                Step::Commit(from, author) => {
                    let operation = Operation::splice(index, 0, 0, "é").expect("fits");
                    let seq = ClientSeq::new(index as u64 + 1);
                    room.lock().remember(&operation, client(from), seq, &user(author + 2));
                }
                Step::Check => room.lock().set_check(TextHash::new(index as u64)),
                Step::Pull(number, budget_bytes) => {
                    let mut alone = room.lock().clone();
                    alone.twins.clear();
                    let mut reader = readers[number].clone();
                    let expected = given(&mut reader, &SharedRoom::new(alone), budget_bytes);
                    prop_assert_eq!(given(&mut readers[number], &room, budget_bytes), expected);
                }
            }
        }
    }
}

#[test]
fn who_stand_at_the_same_place_are_given_the_same_bytes() {
    let (inner, mut readers) = room();
    let room = SharedRoom::new(inner);
    let commit = |index: u64| {
        let operation = Operation::splice(0, 0, 0, "x").expect("fits");
        room.lock().remember(&operation, client(9), ClientSeq::new(index), &user(0));
    };
    let mut pull = |number: usize| match readers[number].step(&room, 1_000, 0) {
        Ok(Held::Pulled(Pulled { mut frames, .. })) => frames.pop().expect("a frame"),
        _ => panic!("nobody is ended or behind"),
    };
    commit(1);
    let first: Vec<Utf8Bytes> = (0..PEOPLE).map(&mut pull).collect();
    assert!(first[0].contains("people"), "each is told who wrote");
    commit(2);
    let second: Vec<Utf8Bytes> = (0..PEOPLE).map(&mut pull).collect();
    assert_eq!(second[0].as_ptr(), second[1].as_ptr());
    assert_ne!(second[0].as_ptr(), second[2].as_ptr(), "another number for the document");
}
