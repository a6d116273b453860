//! A frame of operations, walked through once without being parsed: how many revisions it brings, by how much the text
//! grows, and which own submissions it acknowledges.
//!
//! What is in flight inserts, and deletes one character at most, so that nothing but that one's place has to be carried
//! along to know what becomes of it.
//!
//! Relies on the frames being compact JSON in the order of fields that the server writes; an unknown entry is an error,
//! never skipped.

use anyhow::{Context, Result, bail};

/// What a frame of operations brings.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Entries {
    /// The revision behind the last entry.
    pub(super) revision: u64,
    /// Characters that the text grows by.
    pub(super) growth: i64,
    /// The last own submission that is acknowledged.
    pub(super) acked: Option<u64>,
    /// Acknowledgements.
    pub(super) acks: u32,
}

/// A submission in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct InFlight {
    /// Characters that it inserts.
    pub(super) inserted: i64,
    /// Where the character is that it deletes, unless somebody else has.
    pub(super) deletes: Option<u64>,
}

/// The beginning that a frame of operations has, whatever its channel.
const HEAD: &str = r#"{"type":"ops","ch":"#;

/// Whether a message is one.
pub(super) fn is_frame(text: &str) -> bool {
    text.starts_with(HEAD)
}

/// Walks through a frame, and carries what is in flight over what comes before its acknowledgement.
pub(super) fn read(text: &str, in_flight: &mut InFlight) -> Result<Entries> {
    let (_, rest) = text.split_once(r#""rev":"#).context("a revision")?;
    let (revision, rest) = digits(rest.as_bytes())?;
    let mut rest = rest.strip_prefix(br#","ops":["#).context("entries")?;
    let mut entries = Entries { revision, ..Entries::default() };
    loop {
        rest = if let Some(op) = rest.strip_prefix(br#"{"op":["#) {
            let (growth, rest) = operation(op, &mut in_flight.deletes)?;
            entries.growth += growth;
            if let Some(rest) = rest.strip_prefix(br#","to":"#) {
                let (to, rest) = digits(rest)?;
                entries.revision = to;
                rest
            } else {
                entries.revision += 1;
                digits(rest.strip_prefix(br#","by":"#).context("an author")?)?.1
            }
        } else if let Some(ack) = rest.strip_prefix(br#"{"ack":"#) {
            let (seq, rest) = digits(ack)?;
            entries.revision += 1;
            entries.growth += in_flight.inserted - i64::from(in_flight.deletes.is_some());
            *in_flight = InFlight::default();
            entries.acks += 1;
            entries.acked = Some(seq);
            rest
        } else if let Some(check) = rest.strip_prefix(br#"{"check":""#) {
            let end = check.iter().position(|byte| *byte == b'"').context("a hash")?;
            &check[end + 1..]
        } else {
            bail!("an unknown entry: {}", String::from_utf8_lossy(rest));
        };
        match rest {
            [b'}', b',', behind @ ..] => rest = behind,
            [b'}', b']', ..] => return Ok(entries),
            _ => bail!("an entry goes on: {}", String::from_utf8_lossy(rest)),
        }
    }
}

fn digits(bytes: &[u8]) -> Result<(u64, &[u8])> {
    let mut value = 0_u64;
    let mut at = 0;
    while let Some(byte) = bytes.get(at).filter(|byte| byte.is_ascii_digit()) {
        value = value.saturating_mul(10).saturating_add(u64::from(byte - b'0'));
        at += 1;
    }
    if at == 0 {
        bail!("a number is missing: {}", String::from_utf8_lossy(bytes));
    }
    Ok((value, &bytes[at..]))
}

/// The components behind `[`: by how much they let the text grow, and what follows `]`. `place` is a character's, and
/// becomes where that is then, if it is anywhere.
fn operation<'a>(mut rest: &'a [u8], place: &mut Option<u64>) -> Result<(i64, &'a [u8])> {
    let (mut growth, mut at) = (0, 0);
    let mut moved = place.map(i64::try_from).transpose()?;
    loop {
        rest = match rest {
            [b']', behind @ ..] => {
                *place = moved.map(u64::try_from).transpose()?;
                return Ok((growth, behind));
            }
            [b',', behind @ ..] => behind,
            [b'-', deleted @ ..] => {
                let (len, behind) = digits(deleted)?;
                let end = at + len;
                match *place {
                    Some(place) if (at..end).contains(&place) => moved = None,
                    Some(place) if place >= end => moved = moved.map(|to| to - len as i64),
                    _ => {}
                }
                at = end;
                growth -= i64::try_from(len)?;
                behind
            }
            [b'"', inserted @ ..] => {
                let (len, behind) = string(inserted)?;
                if place.is_some_and(|place| place >= at) {
                    moved = moved.map(|to| to + len);
                }
                growth += len;
                behind
            }
            _ => {
                let (len, behind) = digits(rest)?;
                at += len;
                behind
            }
        };
    }
}

/// The characters of a string behind its first quote, and what follows the last.
fn string(bytes: &[u8]) -> Result<(i64, &[u8])> {
    let (mut at, mut len) = (0, 0);
    loop {
        match bytes.get(at).context("a string ends")? {
            b'"' => return Ok((len, &bytes[at + 1..])),
            // The server escapes what it must and writes all else as it is: one character each.
            b'\\' if bytes.get(at + 1) == Some(&b'u') => (at, len) = (at + 6, len + 1),
            b'\\' => (at, len) = (at + 2, len + 1),
            byte => (at, len) = (at + 1, len + i64::from(byte & 0xC0 != 0x80)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(inserted: i64, deletes: Option<u64>) -> InFlight {
        InFlight { inserted, deletes }
    }

    #[test]
    fn a_frame_tells_its_revision_its_growth_and_its_acks() {
        let frame = r#"{"type":"ops","ch":3,"rev":41,"ops":[{"op":[11,"é\n\"\u0001日",-2],"by":1},{"ack":7},{"check":"0a"},{"op":["ab",-5,4],"to":60}],"people":[{"by":1,"user":"g","name":"A","color":7}]}"#;
        let expected = Entries { revision: 60, growth: 5 - 2 + 1 + 2 - 5, acked: Some(7), acks: 1 };
        assert_eq!(read(frame, &mut sent(1, None)).expect("a frame"), expected);
    }

    #[test]
    fn a_character_in_flight_that_somebody_else_deleted_is_deleted_once() {
        let frame = |op: &str| {
            format!(r#"{{"type":"ops","ch":3,"rev":1,"ops":[{{"op":[{op}],"by":1}},{{"ack":1}}]}}"#)
        };
        // It stands at 5; before it, on it and behind it something happens.
        for (op, growth) in [("2,-3,9", -3), ("2,-4,8", -3), ("6,-2,9", -2), ("5,\"ab\",9", 2)] {
            let entries = read(&frame(op), &mut sent(1, Some(5))).expect("a frame");
            assert_eq!(entries.growth, growth, "{op}");
        }
        let twice = r#"{"type":"ops","ch":3,"rev":1,"ops":[{"op":["ab",9],"by":1},{"op":[7,-1,3],"by":1},{"ack":1}]}"#;
        assert_eq!(read(twice, &mut sent(1, Some(5))).expect("a frame").growth, 2 - 1 + 1);
    }

    #[test]
    fn what_is_no_entry_is_an_error() {
        let nothing = &mut InFlight::default();
        assert!(read(r#"{"type":"ops","ch":3,"rev":41,"ops":[{"new":1}]}"#, nothing).is_err());
        assert!(read(r#"{"type":"ops","ch":3,"rev":41,"ops":[{"ack":1}"#, nothing).is_err());
    }
}
