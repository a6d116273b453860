//! Edits as runs: what a person does with one key held or one word typed is one entry.
//!
//! A run is a number of operations of one kind and size, each beginning where the one before ended.
//! Where it begins is written as the distance from where the edit before it ended. What is more
//! than one insert or delete is a run by itself, with its components spelled out; the last retain
//! is not written, since it follows from the length of the text.

use ot_core::{Component, Operation};

use super::PageError;
use super::columns::{Column, Filled};
use super::number::{Reader, fold, write_varint};

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

/// A run as it is being gathered: `from` is where its first edit begins, `len` its size.
#[derive(Debug, Clone, Copy)]
struct Open {
    kind: Kind,
    from: usize,
    len: usize,
    count: u64,
    /// Where the edit before the run ended.
    before: usize,
}

/// Gathers operations into runs.
#[derive(Debug, Default)]
pub(super) struct RunWriter {
    open: Option<Open>,
    /// Where the last edit ended.
    cursor: usize,
}

impl RunWriter {
    pub(super) fn push(&mut self, operation: &Operation, columns: &mut Filled) {
        match single(operation) {
            Some((from, Component::Insert(text))) => {
                columns[Column::Text as usize].extend_from_slice(text.as_bytes());
                let len = text.chars().count();
                if !self.continues(Kind::Insert, from, len) {
                    self.begin(Kind::Insert, from, len, columns);
                }
                self.cursor = from + len;
            }
            Some((from, Component::Delete(len))) => {
                if !self.continues(Kind::Back, from, len)
                    && !self.continues(Kind::Forward, from, len)
                {
                    let kind = if self.cursor == from { Kind::Forward } else { Kind::Back };
                    self.begin(kind, from, len, columns);
                }
                self.cursor = from;
            }
            _ => self.general(operation, columns),
        }
    }

    /// Whether one more edit belongs to the open run; then it is counted.
    fn continues(&mut self, kind: Kind, from: usize, len: usize) -> bool {
        let Some(open) = self.open.as_mut().filter(|open| open.len == len) else { return false };
        let fits = match kind {
            Kind::Insert => open.kind == kind && from == self.cursor,
            // One deletion by itself can begin a run in either direction.
            Kind::Back => (open.kind == kind || is_one_deletion(open)) && from + len == self.cursor,
            Kind::Forward => (open.kind == kind || is_one_deletion(open)) && from == self.cursor,
            Kind::General => false,
        };
        if fits {
            open.kind = kind;
            open.count += 1;
        }
        fits
    }

    fn begin(&mut self, kind: Kind, from: usize, len: usize, columns: &mut Filled) {
        self.close(columns);
        self.open = Some(Open { kind, from, len, count: 1, before: self.cursor });
    }

    fn general(&mut self, operation: &Operation, columns: &mut Filled) {
        self.close(columns);
        let mut components: Vec<Component<'_>> = operation.components().collect();
        components.pop_if(|last| matches!(last, Component::Retain(_)));
        let (lead, components) = match components.split_first() {
            Some((Component::Retain(len), rest)) => (*len, rest),
            Some(_) => (0, &components[..]),
            // Changes nothing, wherever it is.
            None => (self.cursor, &[][..]),
        };
        columns[Column::Kinds as usize].push(Kind::General as u8);
        write_offset(lead, self.cursor, columns);
        let parts = &mut columns[Column::Parts as usize];
        write_varint(components.len() as u64, parts);
        let mut at = lead;
        for component in components {
            let (kind, len) = match *component {
                Component::Retain(len) => (0, len),
                Component::Insert(text) => (1, text.chars().count()),
                Component::Delete(len) => (2, len),
            };
            write_varint((len as u64) << 2 | kind, parts);
            at += if kind == 2 { 0 } else { len };
        }
        columns[Column::Text as usize].extend_from_slice(operation.inserted_text().as_bytes());
        self.cursor = at;
    }

    /// Writes the open run, if there is one.
    pub(super) fn close(&mut self, columns: &mut Filled) {
        let Some(open) = self.open.take() else { return };
        let size_flag = if open.len == 1 { 0 } else { SIZED };
        columns[Column::Kinds as usize].push(open.kind as u8 | size_flag);
        write_varint(open.count - 1, &mut columns[Column::Counts as usize]);
        let at = if open.kind == Kind::Back { open.from + open.len } else { open.from };
        write_offset(at, open.before, columns);
        if open.len != 1 {
            write_varint(open.len as u64, &mut columns[Column::Sizes as usize]);
        }
    }
}

fn is_one_deletion(open: &Open) -> bool {
    open.count == 1 && open.kind != Kind::Insert
}

fn write_offset(at: usize, cursor: usize, columns: &mut Filled) {
    write_varint(fold(at as i64 - cursor as i64), &mut columns[Column::Offsets as usize]);
}

/// An operation that is one insert or one delete, with where it begins.
fn single(operation: &Operation) -> Option<(usize, Component<'_>)> {
    let mut components = operation.components();
    let (from, change) = match components.next()? {
        Component::Retain(len) => (len, components.next()?),
        change => (0, change),
    };
    match (components.next(), components.next()) {
        (None | Some(Component::Retain(_)), None) => Some((from, change)),
        _ => None,
    }
}

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
