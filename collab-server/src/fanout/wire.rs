//! The form in which news crosses between servers: a version, a kind, who says it, and what.
//!
//! Servers of different ages share one Redis while they are exchanged. A message of another version
//! or of a kind that is not known here is passed over; what it was about is found in the database,
//! a little later. So a kind's form never changes: a new form is a new kind.
//!
//! Numbers are big-endian.

use collab_protocol::{ClientId, DocumentId};
use ot_core::{ClientSeq, Limits, Operation, Revision};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Batch, News, ServerId};
use crate::store::{ChainHash, LoggedOperation};

/// The version of everything below.
const VERSION: u8 = 1;

const GAP: u8 = 0;
const BEAT: u8 = 1;
const BATCH: u8 = 2;
/// As JSON, in which fields may be added.
const PRESENCE: u8 = 3;
/// As JSON too.
const CHAT: u8 = 16;
const EVENT: u8 = 4;
const NOTIFIED: u8 = 5;
const CENSUS: u8 = 6;

/// What one message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// This.
    News(News),
    /// Something that could not be carried: who listens is to look.
    Gap,
    /// A server hears itself; the number is its own.
    Beat(u64),
}

/// A message that is not for this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    /// Of a version or a kind that this server does not know.
    #[error("it is of another version")]
    Unknown,
    /// Cut short, too long, or not what its kind says.
    #[error("it is malformed")]
    Malformed,
}

pub(super) fn gap(from: ServerId) -> Vec<u8> {
    head(GAP, from)
}

pub(super) fn beat(from: ServerId, number: u64) -> Vec<u8> {
    let mut out = head(BEAT, from);
    out.extend(number.to_be_bytes());
    out
}

pub(super) fn news(from: ServerId, news: &News) -> Vec<u8> {
    match news {
        News::Batch(batch) => {
            let mut out = head(BATCH, from);
            write_batch(batch, &mut out);
            out
        }
        News::Presence(news) => json(PRESENCE, from, news),
        News::Chat(news) => json(CHAT, from, news),
        News::Event(news) => json(EVENT, from, news),
        News::Notified(news) => json(NOTIFIED, from, news),
        News::Changed => gap(from),
        News::Census(news) => json(CENSUS, from, news),
    }
}

/// Who says what.
pub(super) fn read(bytes: &[u8]) -> Result<(ServerId, Word), Unreadable> {
    let mut reader = Reader { bytes };
    let [version, kind] = reader.array()?;
    if version != VERSION
        || !matches!(kind, GAP | BEAT | BATCH | PRESENCE | EVENT | NOTIFIED | CENSUS | CHAT)
    {
        return Err(Unreadable::Unknown);
    }
    let from = ServerId::new(u128::from_be_bytes(reader.array()?));
    let word = match kind {
        GAP => Word::Gap,
        BEAT => Word::Beat(u64::from_be_bytes(reader.array()?)),
        PRESENCE => Word::News(News::Presence(read_json(&mut reader)?)),
        CHAT => Word::News(News::Chat(read_json(&mut reader)?)),
        NOTIFIED => Word::News(News::Notified(read_json(&mut reader)?)),
        CENSUS => Word::News(News::Census(read_json(&mut reader)?)),
        EVENT => Word::News(News::Event(read_json(&mut reader)?)),
        _ => Word::News(News::Batch(read_batch(&mut reader)?)),
    };
    if reader.bytes.is_empty() { Ok((from, word)) } else { Err(Unreadable::Malformed) }
}

fn head(kind: u8, from: ServerId) -> Vec<u8> {
    let mut out = vec![VERSION, kind];
    out.extend(from.get().to_be_bytes());
    out
}

fn json(kind: u8, from: ServerId, news: &impl Serialize) -> Vec<u8> {
    let mut out = head(kind, from);
    write_bytes(&serde_json::to_vec(news).expect("news has no unencodable part"), &mut out);
    out
}

fn read_json<T: DeserializeOwned>(reader: &mut Reader<'_>) -> Result<T, Unreadable> {
    serde_json::from_slice(reader.bytes()?).map_err(|_| Unreadable::Malformed)
}

fn write_batch(batch: &Batch, out: &mut Vec<u8>) {
    out.extend(batch.document.get().to_be_bytes());
    write_len(batch.operations.len(), out);
    for logged in &batch.operations {
        out.extend(logged.revision.get().to_be_bytes());
        out.extend(logged.client.get().to_be_bytes());
        out.extend(logged.seq.get().to_be_bytes());
        out.extend(logged.time_ms.to_be_bytes());
        out.extend(logged.chain.as_bytes());
        write_bytes(logged.author.as_str().as_bytes(), out);
        write_bytes(&logged.operation.to_bytes(), out);
    }
}

fn read_batch(reader: &mut Reader<'_>) -> Result<Batch, Unreadable> {
    let document = DocumentId::new(u128::from_be_bytes(reader.array()?));
    let count = reader.len()?;
    // No room is taken on the word of the count alone.
    let mut operations = Vec::new();
    for _ in 0..count {
        operations.push(LoggedOperation {
            revision: Revision::new(u64::from_be_bytes(reader.array()?)),
            client: ClientId::new(u128::from_be_bytes(reader.array()?)),
            seq: ClientSeq::new(u64::from_be_bytes(reader.array()?)),
            time_ms: i64::from_be_bytes(reader.array()?),
            chain: ChainHash::from_bytes(reader.array()?),
            author: reader.text()?.parse().map_err(|_| Unreadable::Malformed)?,
            operation: Operation::from_bytes(reader.bytes()?, &Limits::NONE)
                .map_err(|_| Unreadable::Malformed)?,
        });
    }
    let is_dense =
        operations.windows(2).all(|pair| pair[0].revision.next() == Some(pair[1].revision));
    if operations.is_empty() || !is_dense {
        return Err(Unreadable::Malformed);
    }
    Ok(Batch { document, operations })
}

fn write_len(len: usize, out: &mut Vec<u8>) {
    let len = u32::try_from(len).expect("a batch is far smaller");
    out.extend(len.to_be_bytes());
}

fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    write_len(bytes.len(), out);
    out.extend(bytes);
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Unreadable> {
        let (taken, rest) = self.bytes.split_at_checked(len).ok_or(Unreadable::Malformed)?;
        self.bytes = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        self.take(N)?.try_into().map_err(|_| Unreadable::Malformed)
    }

    fn len(&mut self) -> Result<usize, Unreadable> {
        self.array().map(|bytes| u32::from_be_bytes(bytes) as usize)
    }

    fn bytes(&mut self) -> Result<&'a [u8], Unreadable> {
        let len = self.len()?;
        self.take(len)
    }

    fn text(&mut self) -> Result<&'a str, Unreadable> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Unreadable::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presence_news::{HostId, PersonThere, PresenceNews, Telling};
    use crate::rooms::EventNews;
    use collab_protocol::{SelectionRange, SessionNumber};
    use proptest::prelude::*;

    const HERE: ServerId = ServerId::new(7);

    fn logged(revision: u64, text: &str) -> LoggedOperation {
        LoggedOperation {
            revision: Revision::new(revision),
            client: ClientId::new(0xc1),
            seq: ClientSeq::new(revision + 40),
            author: "g_ada".parse().expect("an id"),
            time_ms: -5,
            operation: Operation::splice(3, 1, 1, text).expect("within the text"),
            chain: ChainHash::from_bytes([9; 32]),
        }
    }

    fn batch() -> News {
        let operations = vec![logged(11, "漢🦀"), logged(12, "e\u{301}")];
        News::Batch(Batch { document: DocumentId::new(0xd0c), operations })
    }

    fn presence() -> News {
        let person = PersonThere {
            change: 3,
            session: SessionNumber(3),
            client: ClientId::new(0xc1),
            user: "g_ada".parse().expect("an id"),
            name: "Ada \"漢\"".to_owned(),
            color: 4,
            ranges: vec![SelectionRange { anchor: 1, head: 4 }],
        };
        News::Presence(PresenceNews {
            host: HostId::new(u64::MAX),
            number: 9,
            telling: Telling::Whole,
            asks: true,
            revision: 11,
            people: vec![person],
            gone: vec![SessionNumber(2)],
        })
    }

    fn typing() -> News {
        let user = "g_ada".parse().expect("an id");
        let person = collab_protocol::ChatPerson { user, name: "Ada \"漢\"".to_owned(), color: 3 };
        News::Chat(crate::chat::ChatNews::Typing { person, on: true })
    }

    fn event() -> News {
        let event = r#"{"room":"topic","topic":"a","name":"b","data":[1.50],"id":"7","time_ms":5}"#;
        let event = serde_json::from_str(event).expect("an event");
        News::Event(EventNews { event, is_given: true })
    }

    fn notified() -> News {
        let about = r#"{"kind":"app","name":"a","title":"é","data":{"n":[1.5,null]}}"#;
        let told =
            r#"{"id":"000000000000000000000000000000ff","number":3,"time_ms":5,"read":false"#;
        let news = format!(
            r#"{{"change":7,"unread":1,"notifications":[{told},"about":{about}}}],"read_to":2}}"#
        );
        News::Notified(serde_json::from_str(&news).expect("news"))
    }

    #[test]
    fn every_word_reads_back_as_written_and_never_when_it_is_cut_short() {
        let words = [
            (gap(HERE), Word::Gap),
            (beat(HERE, 5), Word::Beat(5)),
            (news(HERE, &batch()), Word::News(batch())),
            (news(HERE, &presence()), Word::News(presence())),
            (news(HERE, &typing()), Word::News(typing())),
            (news(HERE, &event()), Word::News(event())),
            (news(HERE, &notified()), Word::News(notified())),
        ];
        for (bytes, word) in words {
            assert_eq!(read(&bytes), Ok((HERE, word)));
            for len in 0..bytes.len() {
                assert!(read(&bytes[..len]).is_err(), "{len} of {} bytes", bytes.len());
            }
            assert_eq!(read(&[&bytes[..], &[0]].concat()), Err(Unreadable::Malformed));
        }
    }

    #[test]
    fn another_version_and_an_unknown_kind_are_passed_over() {
        let mut bytes = news(HERE, &batch());
        bytes[0] = VERSION + 1;
        assert_eq!(read(&bytes), Err(Unreadable::Unknown));
        bytes[..2].copy_from_slice(&[VERSION, 200]);
        assert_eq!(read(&bytes), Err(Unreadable::Unknown));
    }

    #[test]
    fn a_batch_with_a_hole_is_none() {
        let operations = vec![logged(11, "a"), logged(13, "b")];
        let holed = News::Batch(Batch { document: DocumentId::new(1), operations });
        assert_eq!(read(&news(HERE, &holed)), Err(Unreadable::Malformed));
        let empty = News::Batch(Batch { document: DocumentId::new(1), operations: Vec::new() });
        assert_eq!(read(&news(HERE, &empty)), Err(Unreadable::Malformed));
    }

    proptest! {
        #[test]
        fn no_bytes_are_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 0u8..20) {
            let _ = read(&bytes);
            let _ = read(&[&[VERSION, kind], &bytes[..]].concat());
        }

        #[test]
        fn a_changed_byte_is_no_panic(index in 0usize..300, value: u8) {
            let mut bytes = news(HERE, &batch());
            let len = bytes.len();
            bytes[index % len] = value;
            let _ = read(&bytes);
        }
    }
}
