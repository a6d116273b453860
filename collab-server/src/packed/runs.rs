//! Edits as runs: what a person does with one key held or one word typed is one entry.
//!
//! A run is a number of operations of one kind and size, each beginning where the one before ended.
//! Where it begins is written as the distance from where the edit before it ended. What is more
//! than one insert or delete is a run by itself, with its components spelled out; the last retain
//! is not written, since it follows from the length of the text.

mod writer;

use ot_core::Operation;

use super::PageError;
use super::columns::Column;
use super::number::Reader;

pub(super) use self::writer::RunWriter;

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Types on.
    Insert,
    /// Deletes backwards.
    Back,
    /// Deletes forwards.
    Forward,
    /// Anything else, once.
    General,
}

/// Added to a kind whose operations have not one character each.
const SIZED: u8 = 4;

const KINDS: [Kind; 4] = [Kind::Insert, Kind::Back, Kind::Forward, Kind::General];

/// A run, read.
#[derive(Debug, Clone)]
pub(super) struct Run<'a> {
    pub(super) kind: Kind,
    /// Where the first edit begins; the end of what it deletes, if that goes backwards.
    pub(super) at: usize,
    /// Characters of each operation.
    pub(super) len: usize,
    /// How many operations; at least 1.
    pub(super) count: u64,
    /// What they insert, all of it.
    pub(super) text: &'a str,
    /// Length of the text before the run.
    pub(super) base_len: usize,
    /// The components of a general one.
    parts: Option<Parts<'a>>,
}

/// Components spelled out, behind the first retain and before the last.
#[derive(Debug, Clone)]
struct Parts<'a> {
    reader: Reader<'a>,
    count: u64,
}

impl<'a> Run<'a> {
    /// The part of the run behind its first `skipped` operations; fewer than it has.
    pub(super) fn behind(&self, skipped: u64) -> Run<'a> {
        let (mut run, done) = (self.clone(), skipped as usize * self.len);
        run.count -= skipped;
        match self.kind {
            Kind::Insert => {
                (run.at, run.base_len) = (self.at + done, self.base_len + done);
                run.text = split_chars(self.text, done).1;
            }
            Kind::Back => (run.at, run.base_len) = (self.at - done, self.base_len - done),
            Kind::Forward => run.base_len = self.base_len - done,
            Kind::General => {}
        }
        run
    }

    /// Its first `count` operations; at least 1, at most what it has.
    pub(super) fn first(&self, count: u64) -> Run<'a> {
        let mut run = self.clone();
        run.count = count;
        if self.kind == Kind::Insert {
            run.text = split_chars(self.text, count as usize * self.len).0;
        }
        run
    }

    /// Its first operation.
    pub(super) fn operation(&self) -> Result<Operation, PageError> {
        let made = match self.kind {
            Kind::Insert => {
                let text = split_chars(self.text, self.len).0;
                Operation::splice(self.base_len, self.at, 0, text)
            }
            Kind::Back => Operation::splice(self.base_len, self.at - self.len, self.len, ""),
            Kind::Forward => Operation::splice(self.base_len, self.at, self.len, ""),
            Kind::General => return self.general(),
        };
        made.map_err(|_| Column::Offsets.malformed())
    }

    fn general(&self) -> Result<Operation, PageError> {
        let mut builder = Operation::builder().retain(self.at);
        let (mut base, mut rest) = (self.at, self.text);
        self.each_part(|component, len| {
            builder = match component {
                0 => std::mem::take(&mut builder).retain(len),
                1 => {
                    let (own, behind) = split_chars(rest, len);
                    rest = behind;
                    std::mem::take(&mut builder).insert(own)
                }
                _ => std::mem::take(&mut builder).delete(len),
            };
            base += if component == 1 { 0 } else { len };
        })?;
        let builder = builder.retain(self.base_len - base);
        builder.build().map_err(|_| Column::Parts.malformed())
    }

    /// The edits of a general one as splices, each in the text as the ones before left it.
    pub(super) fn splices(
        &self,
        mut splice: impl FnMut(usize, usize, &str) -> Result<(), PageError>,
    ) -> Result<(), PageError> {
        let (mut at, mut rest) = (self.at, self.text);
        let mut result = Ok(());
        self.each_part(|component, len| {
            if result.is_err() {
                return;
            }
            match component {
                0 => at += len,
                1 => {
                    let (own, behind) = split_chars(rest, len);
                    rest = behind;
                    result = splice(at, 0, own);
                    at += len;
                }
                _ => result = splice(at, len, ""),
            }
        })?;
        result
    }

    fn each_part(&self, mut part: impl FnMut(u64, usize)) -> Result<(), PageError> {
        let Some(Parts { mut reader, count }) = self.parts.clone() else { return Ok(()) };
        for _ in 0..count {
            let (kind, len) = read_part(&mut reader)?;
            part(kind, len);
        }
        Ok(())
    }
}

fn read_part(reader: &mut Reader<'_>) -> Result<(u64, usize), PageError> {
    let word = reader.varint()?;
    let (kind, len) = (word & 3, word >> 2);
    if kind == 3 || len == 0 || len > ot_core::MAX_LEN as u64 {
        return Err(reader.malformed());
    }
    Ok((kind, len as usize))
}

/// Where the `chars`th character begins; the whole text, if it has fewer.
fn split_chars(text: &str, chars: usize) -> (&str, &str) {
    // Looking at all of a long text only pays for a long way into it.
    if chars > 64 && text.is_ascii() {
        return text.split_at(chars.min(text.len()));
    }
    let at = text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at);
    text.split_at(at)
}

/// The columns of the edits, to read runs from.
#[derive(Debug, Clone)]
pub(super) struct RunReader<'a> {
    kinds: Reader<'a>,
    counts: Reader<'a>,
    offsets: Reader<'a>,
    sizes: Reader<'a>,
    parts: Reader<'a>,
    text: &'a str,
    /// Whether every character of `text` is one byte.
    is_ascii: bool,
    cursor: usize,
    len: usize,
    operations_left: u64,
}

impl<'a> RunReader<'a> {
    /// `columns` are those up to the parts, in their order.
    pub(super) fn new(
        columns: [&'a [u8]; 5],
        text: &'a str,
        is_ascii: bool,
        base_len: usize,
        operations: u64,
    ) -> Self {
        let [kinds, counts, offsets, sizes, parts] = columns;
        RunReader {
            kinds: Column::Kinds.reader(kinds),
            counts: Column::Counts.reader(counts),
            offsets: Column::Offsets.reader(offsets),
            sizes: Column::Sizes.reader(sizes),
            parts: Column::Parts.reader(parts),
            text,
            is_ascii,
            cursor: 0,
            len: base_len,
            operations_left: operations,
        }
    }

    /// Length of the text behind what was read.
    pub(super) fn text_len(&self) -> usize {
        self.len
    }

    /// The next run, in which every offset and length fits the text; `None` behind the last.
    pub(super) fn next_run(&mut self) -> Result<Option<Run<'a>>, PageError> {
        if self.kinds.is_empty() {
            return self.end().map(|()| None);
        }
        let byte = self.kinds.byte()?;
        let kind = *KINDS.get(usize::from(byte & 3)).expect("two bits");
        let is_sized = byte & SIZED != 0;
        if byte > (SIZED | Kind::Forward as u8) {
            return Err(self.kinds.malformed());
        }
        let at = self.cursor as i64;
        let at = at.checked_add(self.offsets.signed()?).and_then(|at| usize::try_from(at).ok());
        let at = at.filter(|at| *at <= self.len).ok_or_else(|| self.offsets.malformed())?;
        if kind == Kind::General {
            return self.general(at).map(Some);
        }
        let left = self.operations_left;
        let count = self.counts.varint()?;
        let count = (count < left).then(|| count + 1).ok_or_else(|| self.counts.malformed())?;
        let len = if is_sized { self.sizes.length()? } else { 1 };
        if is_sized && len < 2 {
            return Err(self.sizes.malformed());
        }
        // Neither is above 2^30.
        let total = count * len as u64;
        let total = usize::try_from(total).map_err(|_| self.counts.malformed())?;
        let base_len = self.len;
        let mut text = "";
        let fits = match kind {
            Kind::Insert => {
                text = self.take_text(total)?;
                (self.cursor, self.len) = (at + total, base_len + total);
                self.len <= ot_core::MAX_LEN
            }
            Kind::Back => {
                (self.cursor, self.len) =
                    (at.saturating_sub(total), base_len.saturating_sub(total));
                total <= at
            }
            _ => {
                (self.cursor, self.len) = (at, base_len.saturating_sub(total));
                total <= base_len - at
            }
        };
        if !fits {
            return Err(self.counts.malformed());
        }
        self.operations_left -= count;
        Ok(Some(Run { kind, at, len, count, text, base_len, parts: None }))
    }

    fn general(&mut self, at: usize) -> Result<Run<'a>, PageError> {
        if self.operations_left == 0 {
            return Err(self.kinds.malformed());
        }
        let count = self.parts.varint()?;
        let parts = Parts { reader: self.parts.clone(), count };
        let (mut base, mut target, mut inserted) = (at, at, 0);
        let mut last = if at > 0 { 0 } else { 3 };
        for _ in 0..count {
            let (kind, len) = read_part(&mut self.parts)?;
            base += if kind == 1 { 0 } else { len };
            target += if kind == 2 { 0 } else { len };
            inserted += if kind == 1 { len } else { 0 };
            if kind == last || base > self.len || target > ot_core::MAX_LEN {
                return Err(self.parts.malformed());
            }
            last = kind;
        }
        let target_len = target + (self.len - base);
        if (count > 0 && last == 0) || target_len > ot_core::MAX_LEN {
            return Err(self.parts.malformed());
        }
        let text = self.take_text(inserted)?;
        let base_len = self.len;
        (self.cursor, self.len) = (target, target_len);
        self.operations_left -= 1;
        let at = if count == 0 { 0 } else { at };
        Ok(Run { kind: Kind::General, at, len: 0, count: 1, text, base_len, parts: Some(parts) })
    }

    fn take_text(&mut self, chars: usize) -> Result<&'a str, PageError> {
        let at = if self.is_ascii {
            (chars <= self.text.len()).then_some(chars)
        } else {
            let mut ends = self.text.char_indices().map(|(at, _)| at).chain([self.text.len()]);
            ends.nth(chars)
        };
        let (own, rest) = self.text.split_at(at.ok_or_else(|| Column::Text.malformed())?);
        self.text = rest;
        Ok(own)
    }

    /// Nothing may be left over.
    fn end(&self) -> Result<(), PageError> {
        let readers = [&self.counts, &self.offsets, &self.sizes, &self.parts];
        match readers.into_iter().find(|reader| !reader.is_empty()) {
            Some(reader) => Err(reader.malformed()),
            None if !self.text.is_empty() => Err(Column::Text.malformed()),
            None if self.operations_left > 0 => Err(self.kinds.malformed()),
            None => Ok(()),
        }
    }
}
