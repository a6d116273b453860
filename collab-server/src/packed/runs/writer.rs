//! Operations become runs.

use ot_core::{Component, Operation};

use super::{Kind, SIZED};
use crate::packed::columns::{Column, Filled};
use crate::packed::number::{fold, write_varint};

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
pub(in crate::packed) struct RunWriter {
    open: Option<Open>,
    /// Where the last edit ended.
    cursor: usize,
}

impl RunWriter {
    pub(in crate::packed) fn push(&mut self, operation: &Operation, columns: &mut Filled) {
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
    pub(in crate::packed) fn close(&mut self, columns: &mut Filled) {
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
