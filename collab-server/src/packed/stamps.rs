//! Who, under which number, and when: the columns beside the edits.
//!
//! A client's operations that follow each other are one turn. Its numbers are written as steps from
//! its last one, times as steps from the last operation's, and equal steps in a row are one entry.

use std::collections::HashMap;

use collab_protocol::{ClientId, UserId};
use ot_core::{ClientSeq, Revision};

use super::PageError;
use super::columns::{Column, Filled};
use super::number::{Reader, fold, unfold, write_varint};

/// A value and how often it comes in a row.
#[derive(Debug, Clone, Copy, Default)]
struct Repeat {
    value: u64,
    count: u64,
}

impl Repeat {
    /// Counts one more of `value`; what was counted before goes to `column` if it is another.
    fn push(&mut self, value: u64, column: &mut Vec<u8>) {
        if self.count > 0 && self.value != value {
            self.flush(column);
        }
        self.value = value;
        self.count += 1;
    }

    fn flush(&mut self, column: &mut Vec<u8>) {
        if self.count > 0 {
            write_varint(self.value, column);
            write_varint(self.count - 1, column);
            self.count = 0;
        }
    }
}

/// Gathers stamps.
#[derive(Debug, Default)]
pub(super) struct StampWriter {
    authors: Vec<UserId>,
    author_numbers: HashMap<UserId, usize>,
    /// A client with its author, and its last number.
    clients: Vec<(ClientId, usize, u64)>,
    client_numbers: HashMap<(ClientId, usize), usize>,
    turns: Repeat,
    seqs: Repeat,
    times: Repeat,
    last_ms: i64,
}

impl StampWriter {
    pub(super) fn push(
        &mut self,
        client: ClientId,
        author: &UserId,
        seq: ClientSeq,
        time_ms: i64,
        columns: &mut Filled,
    ) {
        let number = self.client_number(client, author);
        self.turns.push(number as u64, &mut columns[Column::Turns as usize]);
        let last = &mut self.clients[number].2;
        let step = fold(seq.get().wrapping_sub(*last).cast_signed());
        *last = seq.get();
        self.seqs.push(step, &mut columns[Column::Seqs as usize]);
        let step = fold(time_ms.wrapping_sub(self.last_ms));
        self.last_ms = time_ms;
        self.times.push(step, &mut columns[Column::Times as usize]);
    }

    fn client_number(&mut self, client: ClientId, author: &UserId) -> usize {
        let author = match self.author_numbers.get(author) {
            Some(number) => *number,
            None => {
                self.authors.push(author.clone());
                self.author_numbers.insert(author.clone(), self.authors.len() - 1);
                self.authors.len() - 1
            }
        };
        *self.client_numbers.entry((client, author)).or_insert_with(|| {
            self.clients.push((client, author, 0));
            self.clients.len() - 1
        })
    }

    pub(super) fn finish(&mut self, columns: &mut Filled) {
        self.turns.flush(&mut columns[Column::Turns as usize]);
        self.seqs.flush(&mut columns[Column::Seqs as usize]);
        self.times.flush(&mut columns[Column::Times as usize]);
        let people = &mut columns[Column::People as usize];
        write_varint(self.authors.len() as u64, people);
        for author in &self.authors {
            write_varint(author.as_str().len() as u64, people);
            people.extend_from_slice(author.as_str().as_bytes());
        }
        for (client, author, _) in &self.clients {
            people.extend_from_slice(&client.get().to_le_bytes());
            write_varint(*author as u64, people);
        }
    }
}

/// Who made an operation of a page, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp<'a> {
    /// The revision it leads to.
    pub revision: Revision,
    /// Who submitted it.
    pub client: ClientId,
    /// Under which number.
    pub seq: ClientSeq,
    /// Whose it is.
    pub author: &'a UserId,
    /// Its author's place in [`Stamps::authors`].
    pub author_index: usize,
    /// When it was committed, in milliseconds since 1970.
    pub time_ms: i64,
}

/// The stamps of a page, expanded: a few bytes for each turn and each pause, whatever the edits.
#[derive(Debug, Clone)]
pub struct Stamps {
    authors: Vec<UserId>,
    clients: Vec<(ClientId, usize)>,
    turns: Vec<u8>,
    seqs: Vec<u8>,
    times: Vec<u8>,
    first: u64,
    count: u64,
}

impl Stamps {
    pub(super) fn read(
        people: &[u8],
        [turns, seqs, times]: [Vec<u8>; 3],
        first: u64,
        count: u64,
    ) -> Result<Self, PageError> {
        let mut reader = Column::People.reader(people);
        let mut authors = Vec::new();
        for _ in 0..reader.varint()? {
            let len = usize::try_from(reader.varint()?).map_err(|_| reader.malformed())?;
            let name = std::str::from_utf8(reader.take(len)?).map_err(|_| reader.malformed())?;
            authors.push(name.parse().map_err(|_| reader.malformed())?);
        }
        let mut clients = Vec::new();
        while !reader.is_empty() {
            let id = reader.take(16)?.try_into().expect("as many bytes as were taken");
            let author = usize::try_from(reader.varint()?).unwrap_or(usize::MAX);
            if author >= authors.len() {
                return Err(reader.malformed());
            }
            clients.push((ClientId::new(u128::from_le_bytes(id)), author));
        }
        Ok(Stamps { authors, clients, turns, seqs, times, first, count })
    }

    /// Everybody who wrote here, each once.
    #[must_use]
    pub fn authors(&self) -> &[UserId] {
        &self.authors
    }

    /// The stamps in the order of their revisions.
    #[must_use]
    pub fn iter(&self) -> StampIter<'_> {
        let repeated =
            |column: Column, bytes| Repeated { reader: column.reader(bytes), value: 0, left: 0 };
        StampIter {
            stamps: self,
            turns: repeated(Column::Turns, &self.turns),
            seqs: repeated(Column::Seqs, &self.seqs),
            times: repeated(Column::Times, &self.times),
            last_seqs: vec![0; self.clients.len()],
            last_ms: 0,
            next: self.first,
            end: self.first + self.count,
        }
    }

    /// The revision that a client's submission became, if it is here.
    ///
    /// # Errors
    /// [`PageError`] when the columns contradict the page.
    pub fn find(&self, client: ClientId, seq: ClientSeq) -> Result<Option<Revision>, PageError> {
        if !self.clients.iter().any(|(known, _)| *known == client) {
            return Ok(None);
        }
        for stamp in self.iter() {
            let stamp = stamp?;
            if stamp.client == client && stamp.seq == seq {
                return Ok(Some(stamp.revision));
            }
        }
        Ok(None)
    }

    /// Each client's first and last number here, in the order in which they came.
    ///
    /// # Errors
    /// [`PageError`] when the columns contradict the page.
    pub fn clients(&self) -> Result<Vec<(ClientId, ClientSeq, ClientSeq)>, PageError> {
        let mut places: HashMap<ClientId, usize> = HashMap::new();
        let mut found: Vec<(ClientId, ClientSeq, ClientSeq)> = Vec::new();
        for stamp in self.iter() {
            let stamp = stamp?;
            let place = *places.entry(stamp.client).or_insert(found.len());
            match found.get_mut(place) {
                Some((_, first, last)) => {
                    (*first, *last) = ((*first).min(stamp.seq), (*last).max(stamp.seq));
                }
                None => found.push((stamp.client, stamp.seq, stamp.seq)),
            }
        }
        Ok(found)
    }
}

/// A column of values that repeat.
#[derive(Debug, Clone)]
struct Repeated<'a> {
    reader: Reader<'a>,
    value: u64,
    left: u64,
}

impl Repeated<'_> {
    #[inline]
    fn next(&mut self) -> Result<u64, PageError> {
        if self.left == 0 {
            self.value = self.reader.varint()?;
            let more = self.reader.varint()?;
            self.left = more.checked_add(1).ok_or_else(|| self.reader.malformed())?;
        }
        self.left -= 1;
        Ok(self.value)
    }

    /// Nothing may be left over.
    fn end(&self) -> Result<(), PageError> {
        if self.left == 0 && self.reader.is_empty() { Ok(()) } else { Err(self.reader.malformed()) }
    }
}

/// Iterator over the stamps of a page; ends behind the first error.
#[derive(Debug, Clone)]
pub struct StampIter<'a> {
    stamps: &'a Stamps,
    turns: Repeated<'a>,
    seqs: Repeated<'a>,
    times: Repeated<'a>,
    last_seqs: Vec<u64>,
    last_ms: i64,
    next: u64,
    end: u64,
}

impl<'a> StampIter<'a> {
    fn read(&mut self) -> Result<Stamp<'a>, PageError> {
        let number = usize::try_from(self.turns.next()?).unwrap_or(usize::MAX);
        let (client, author_index) =
            *self.stamps.clients.get(number).ok_or_else(|| Column::Turns.malformed())?;
        let last = &mut self.last_seqs[number];
        *last = last.wrapping_add(unfold(self.seqs.next()?).cast_unsigned());
        self.last_ms = self.last_ms.wrapping_add(unfold(self.times.next()?));
        if self.next + 1 == self.end {
            self.turns.end().and(self.seqs.end()).and(self.times.end())?;
        }
        Ok(Stamp {
            revision: Revision::new(self.next),
            client,
            seq: ClientSeq::new(*last),
            author: &self.stamps.authors[author_index],
            author_index,
            time_ms: self.last_ms,
        })
    }
}

impl<'a> Iterator for StampIter<'a> {
    type Item = Result<Stamp<'a>, PageError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.end {
            return None;
        }
        let read = self.read();
        self.next = if read.is_ok() { self.next + 1 } else { self.end };
        Some(read)
    }
}
