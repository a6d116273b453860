//! Packed pages, from hostile bytes and from histories.

use collab_protocol::{ClientId, UserId};
use collab_server::{ChainHash, LoggedOperation, PackedPage, PageError, sealed_page};
use ot_core::testing::{Choices, EditPlan};
use ot_core::{ClientSeq, Operation, Revision, Text};

/// How far a page may expand here; far less than memory has.
const EXPANDED_BYTES_MAX: u64 = 1 << 20;

/// The longest text that a page is replayed on.
const TEXT_LEN_MAX: usize = 1 << 16;

/// A page: hostile bytes are an error and nothing worse, a history reads back as it was packed, and
/// a page of which a byte was changed is refused.
pub fn packed_page(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    match first % 4 {
        // As it is: mostly no page.
        0 => drop(read_all(rest)),
        // Behind a right checksum: the columns must stand anything.
        1 => drop(read_all(&sealed_page(rest))),
        2 => round_trip(&mut Choices::new(rest)),
        _ => changed(&mut Choices::new(rest)),
    }
}

/// Everything that can be asked of a page.
fn read_all(bytes: &[u8]) -> Result<(), PageError> {
    let page = PackedPage::open_within(bytes, EXPANDED_BYTES_MAX)?;
    assert!(page.operation_count() > 0);
    let expanded: u64 = page.column_sizes().map(|(_, _, expanded)| expanded).sum();
    assert!(expanded <= EXPANDED_BYTES_MAX, "limits are kept before anything is expanded");
    let stamps = page.stamps()?;
    stamps.clients()?;
    let edits = page.edits()?;
    // A run of a few bytes may stand for many operations; a reader takes them one by one.
    for read in edits.logged(&stamps).take(1_000) {
        read?.operation.check_invariants();
    }
    if page.base_len() <= TEXT_LEN_MAX && page.operation_count() <= 10_000 {
        let mut text = Text::from("x".repeat(page.base_len()).as_str());
        edits.replay(&mut text, Revision::MAX)?;
    }
    Ok(())
}

fn round_trip(choices: &mut Choices<'_>) {
    let (text, logged) = history(choices);
    let bytes = PackedPage::encode(&logged).expect("a history packs");
    let page = PackedPage::open(&bytes).expect("opens");
    assert_eq!(page.decode().as_ref(), Ok(&logged), "it reads back as it was packed");
    let mut expected = text.clone();
    let until = logged[choices.below(logged.len())].revision;
    for one in logged.iter().filter(|one| one.revision <= until) {
        expected.apply(&one.operation).expect("each follows the last");
    }
    let mut replayed = text;
    page.replay(&mut replayed, until).expect("replays");
    assert_eq!(replayed.to_string(), expected.to_string(), "at {until}");
    let stamps = page.stamps().expect("expands");
    for one in &logged {
        let first = logged.iter().find(|other| (other.client, other.seq) == (one.client, one.seq));
        let found = stamps.find(one.client, one.seq);
        assert_eq!(found, Ok(first.map(|first| first.revision)), "a submission is found");
    }
}

/// A changed byte: refused as it is; behind a right checksum it is read, and nothing worse.
fn changed(choices: &mut Choices<'_>) {
    let (_, logged) = history(choices);
    let mut bytes = PackedPage::encode(&logged).expect("a history packs");
    for _ in 0..=choices.below(3) {
        let at = choices.below(bytes.len());
        bytes[at] ^= 1 + choices.below(255) as u8;
    }
    let refused = PackedPage::open(&bytes);
    let is_as_written = PackedPage::encode(&logged).is_ok_and(|written| written == bytes);
    assert!(refused.is_err() || is_as_written, "a changed page is refused");
    let body = bytes[1..bytes.len() - 8].to_vec();
    let _ = read_all(&sealed_page(&body));
}

/// A text and what befell it.
fn history(choices: &mut Choices<'_>) -> (Text, Vec<LoggedOperation>) {
    let letter = |choices: &mut Choices<'_>| ['a', 'b', '\n', 'é', '中', '😀'][choices.below(6)];
    let start: String = (0..choices.below(10)).map(|_| letter(choices)).collect();
    let first = 1 + choices.below(400) as u64;
    let (mut len, mut caret, mut time_ms) = (start.chars().count(), 0, choices.below(9_000) as i64);
    let mut logged = Vec::new();
    for count in 0..=choices.below(40) as u64 {
        let operation = match choices.below(6) {
            0 => EditPlan::draw(choices, letter).on(len),
            1 => Operation::identity(len),
            2 => splice(len, caret, 1, ""),
            3 => splice(len, caret.saturating_sub(1), 1, ""),
            _ => splice(len, caret, 0, &letter(choices).to_string()),
        };
        caret = operation.caret_after().unwrap_or(0).min(operation.target_len());
        len = operation.target_len();
        time_ms += choices.below(300) as i64 - 20;
        let who = choices.below(3);
        logged.push(LoggedOperation {
            revision: Revision::new(first + count),
            client: ClientId::new(who as u128 + 1),
            seq: ClientSeq::new(count + choices.below(4) as u64),
            author: author(who),
            time_ms,
            operation,
            // A page does not keep it.
            chain: ChainHash::START,
        });
    }
    (Text::from(start.as_str()), logged)
}

fn splice(len: usize, at: usize, delete: usize, text: &str) -> Operation {
    let at = at.min(len);
    Operation::splice(len, at, delete.min(len - at), text).expect("fits")
}

fn author(who: usize) -> UserId {
    format!("g_{}", who / 2).parse().expect("an id")
}
