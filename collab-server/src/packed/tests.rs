use collab_protocol::{ClientId, UserId};
use ot_core::testing::{EditPlan, plans, texts};
use ot_core::{ClientSeq, Operation, Revision, Text};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::store::{ChainHash, LoggedOperation};

/// What somebody does next, whatever the text is.
#[derive(Debug, Clone)]
enum Act {
    Plan(EditPlan),
    Type(usize, String),
    Back(usize, usize, usize),
    Forward(usize, usize, usize),
    Nothing,
}

fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => plans(5).prop_map(Act::Plan),
        4 => (0..50usize, texts(6)).prop_map(|(at, text)| Act::Type(at, text)),
        2 => (0..50usize, 1..3usize, 1..6usize).prop_map(|(at, len, n)| Act::Back(at, len, n)),
        2 => (0..50usize, 1..3usize, 1..6usize).prop_map(|(at, len, n)| Act::Forward(at, len, n)),
        1 => Just(Act::Nothing),
    ]
}

/// Operations that follow each other, on a text of `len` characters.
fn operations(mut len: usize, acts: &[Act]) -> Vec<Operation> {
    let mut made: Vec<Operation> = Vec::new();
    let mut push = |operation: Operation, len: &mut usize| {
        *len = operation.target_len();
        made.push(operation);
    };
    let splice = |len, at, deleted, text: &str| {
        Operation::splice(len, at, deleted, text).expect("inside the text")
    };
    for act in acts {
        match act {
            Act::Plan(plan) => push(plan.on(len), &mut len),
            Act::Nothing => push(Operation::identity(len), &mut len),
            Act::Type(at, text) => {
                let at = at % (len + 1);
                for (index, letter) in text.chars().enumerate() {
                    push(splice(len, at + index, 0, letter.encode_utf8(&mut [0; 4])), &mut len);
                }
            }
            Act::Back(at, size, count) => {
                let mut end = at % (len + 1);
                for _ in 0..*count {
                    if end >= *size {
                        end -= size;
                        push(splice(len, end, *size, ""), &mut len);
                    }
                }
            }
            Act::Forward(at, size, count) => {
                let at = at % (len + 1);
                for _ in 0..*count {
                    if at + size <= len {
                        push(splice(len, at, *size, ""), &mut len);
                    }
                }
            }
        }
    }
    made
}

/// Who makes an operation, under which number, and when, as steps and jumps.
type Turn = (u8, u64, i64);

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let seq = prop_oneof![9 => 0..3u64, 1 => any::<u64>()];
    let step = prop_oneof![9 => -5..300i64, 1 => any::<i64>()];
    vec((0..4u8, seq, step), 1..8)
}

fn logged(first: u64, operations: Vec<Operation>, turns: &[Turn]) -> Vec<LoggedOperation> {
    let (mut seqs, mut time_ms) = ([0_u64; 4], 1_700_000_000_000_i64);
    operations
        .into_iter()
        .zip(turns.iter().cycle())
        .enumerate()
        .map(|(index, (operation, (who, seq, step)))| {
            let last = &mut seqs[usize::from(*who)];
            *last = last.wrapping_add(*seq);
            time_ms = time_ms.wrapping_add(*step);
            LoggedOperation {
                revision: Revision::new(first + index as u64),
                // Two authors share a client here, which no server allows.
                client: ClientId::new(u128::from(who / 2)),
                seq: ClientSeq::new(*last),
                author: user(*who),
                time_ms,
                operation,
                chain: ChainHash::START,
            }
        })
        .collect()
}

fn user(number: u8) -> UserId {
    format!("g_{number}").parse().expect("an id")
}

/// A text, and a history on it.
fn histories() -> impl Strategy<Value = (String, Vec<LoggedOperation>)> {
    (texts(20), vec(acts(), 1..30), turns(), 1..9_000_000u64)
        .prop_map(|(text, acts, turns, first)| {
            let operations = operations(text.chars().count(), &acts);
            (text, logged(first, operations, &turns))
        })
        .prop_filter("something happened", |(_, logged)| !logged.is_empty())
}

/// Everything that can be asked of a page.
fn read_all(bytes: &[u8], max: u64) -> Result<(), PageError> {
    let page = PackedPage::open_within(bytes, max)?;
    let stamps = page.stamps()?;
    stamps.clients()?;
    let edits = page.edits()?;
    for read in edits.logged(&stamps) {
        read?.operation.check_invariants();
    }
    let mut text = Text::from("x".repeat(page.base_len().min(1 << 20)).as_str());
    page.replay(&mut text, Revision::MAX)
}

proptest! {
    #[test]
    fn a_page_reads_back_as_written((_, logged) in histories()) {
        let bytes = PackedPage::encode(&logged).expect("packs");
        let page = PackedPage::open(&bytes).expect("opens");
        prop_assert_eq!(page.decode().expect("decodes"), logged.clone());
        prop_assert_eq!(page.first_revision(), logged[0].revision);
        prop_assert_eq!(page.last_revision(), logged[logged.len() - 1].revision);
        prop_assert_eq!(page.base_len(), logged[0].operation.base_len());
        prop_assert_eq!(page.target_len(), logged[logged.len() - 1].operation.target_len());
    }

    #[test]
    fn a_replay_gives_what_the_operations_give_at_every_revision((text, logged) in histories()) {
        let bytes = PackedPage::encode(&logged).expect("packs");
        let page = PackedPage::open(&bytes).expect("opens");
        let mut expected = Text::from(text.as_str());
        let before = Revision::new(logged[0].revision.get() - 1);
        for (at, operation) in
            [(before, None)].into_iter().chain(logged.iter().map(|one| (one.revision, Some(&one.operation))))
        {
            if let Some(operation) = operation {
                expected.apply(operation).expect("each follows the last");
            }
            let mut replayed = Text::from(text.as_str());
            page.replay(&mut replayed, at).expect("replays");
            prop_assert_eq!(replayed.contents(), expected.contents(), "at {}", at);
        }
        let mut whole = Text::from(text.as_str());
        page.replay(&mut whole, Revision::MAX).expect("replays");
        prop_assert_eq!(whole.contents(), expected.contents());
    }

    #[test]
    fn reading_from_a_revision_gives_the_rest((_, logged) in histories(), skip in 0..60usize) {
        let bytes = PackedPage::encode(&logged).expect("packs");
        let edits = PackedPage::open(&bytes).and_then(|page| page.edits()).expect("expands");
        let skip = skip.min(logged.len());
        let after = Revision::new(logged[0].revision.get() - 1 + skip as u64);
        let rest: Result<Vec<_>, _> = edits.operations(after).collect();
        let expected: Vec<_> =
            logged[skip..].iter().map(|one| (one.revision, one.operation.clone())).collect();
        prop_assert_eq!(rest, Ok(expected));
    }

    #[test]
    fn every_submission_is_found_by_its_number((_, logged) in histories()) {
        let bytes = PackedPage::encode(&logged).expect("packs");
        let stamps = PackedPage::open(&bytes).and_then(|page| page.stamps()).expect("expands");
        for one in &logged {
            // The first of that name: here, unlike in a log, a name may come twice.
            let is_it = |other: &&LoggedOperation| (other.client, other.seq) == (one.client, one.seq);
            let expected = logged.iter().find(is_it).map(|one| one.revision);
            prop_assert_eq!(stamps.find(one.client, one.seq), Ok(expected));
        }
        prop_assert_eq!(stamps.find(ClientId::new(99), ClientSeq::new(1)), Ok(None));
        for (client, first, last) in stamps.clients().expect("reads") {
            let seqs = logged.iter().filter(|one| one.client == client).map(|one| one.seq);
            prop_assert_eq!((Some(first), Some(last)), (seqs.clone().min(), seqs.max()));
        }
    }

    #[test]
    fn a_changed_byte_or_a_cut_is_refused((_, logged) in histories(), at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let mut bytes = PackedPage::encode(&logged).expect("packs");
        let at = at.index(bytes.len());
        prop_assert!(PackedPage::open(&bytes[..at]).is_err());
        bytes[at] ^= 1 << bit;
        prop_assert!(PackedPage::open(&bytes).is_err());
    }

    /// What a checksum cannot see, because it is right: the columns themselves must stand anything.
    #[test]
    fn wrong_columns_under_a_right_checksum_never_panic(
        (_, logged) in histories(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let page = PackedPage::encode(&logged).expect("packs");
        let mut body = page[1..page.len() - CHECKSUM_BYTES].to_vec();
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        let _ = read_all(&sealed_page(&body), 1 << 20);
    }

    #[test]
    fn any_bytes_under_a_right_checksum_never_panic(body in vec(any::<u8>(), 0..200)) {
        let _ = read_all(&sealed_page(&body), 1 << 20);
    }
}

fn typed(text: &str) -> Vec<LoggedOperation> {
    let operations = operations(0, &[Act::Type(0, text.to_owned())]);
    logged(1, operations, &[(0, 1, 100)])
}

#[test]
fn typing_takes_little_more_than_its_text() {
    let bytes = PackedPage::encode(&typed(&"0123456789abcdef".repeat(64))).expect("packs");
    assert!(bytes.len() < 130, "{} bytes for 1,024 keys of 16 letters", bytes.len());
}

#[test]
fn a_page_of_a_later_format_is_told_from_a_damaged_one() {
    let mut bytes = PackedPage::encode(&typed("ab")).expect("packs");
    bytes[0] = 9;
    let error = PackedPage::open(&bytes).map(|_| ());
    assert_eq!(error, Err(PageError::Version { found: 9, expected: VERSION }));
    assert!(PackedPage::open(&[]).is_err());
}

#[test]
fn a_page_that_claims_to_expand_too_far_is_refused_before_it_does() {
    let bytes = PackedPage::encode(&typed(&"x".repeat(5_000))).expect("packs");
    let refused = PackedPage::open_within(&bytes, 1_000).map(|_| ());
    assert!(matches!(refused, Err(PageError::TooLarge { max: 1_000, .. })), "{refused:?}");
}

#[test]
fn operations_that_do_not_follow_each_other_are_not_packed() {
    assert_eq!(PackedPage::encode(&[]), Err(PackError::Empty));
    let mut gap = typed("abc");
    gap.remove(1);
    assert!(matches!(PackedPage::encode(&gap), Err(PackError::OutOfOrder { .. })));
    let mut mismatch = typed("abc");
    mismatch[1].operation = Operation::identity(9);
    assert!(matches!(PackedPage::encode(&mismatch), Err(PackError::Mismatch(_))));
    let mut forbidden = typed("abc");
    forbidden[2].operation = Operation::splice(2, 2, 0, "\r").expect("fits");
    assert!(matches!(PackedPage::encode(&forbidden), Err(PackError::Text(_))));
    let mut zero = typed("a");
    zero[0].revision = Revision::ZERO;
    assert!(matches!(PackedPage::encode(&zero), Err(PackError::OutOfOrder { .. })));
}

#[test]
fn a_text_of_another_length_is_not_replayed_over() {
    let bytes = PackedPage::encode(&typed("abc")).expect("packs");
    let page = PackedPage::open(&bytes).expect("opens");
    assert!(page.replay(&mut Text::from("x"), Revision::MAX).is_err());
}
