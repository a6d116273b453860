//! The form in which pending work survives a reload: fields of text, each with its length in front.
//!
//! Made for one reader, this crate of the same or a later version; `js/src/fields.ts` turns the form
//! before into this one. Whatever else is in the store (another version, a cut-off record) reads as
//! nothing, never as a wrong text.

use ot_core::{ClientSeq, Invertible, Operation, PendingWork, Revision, Submission, Text};

use crate::fields::{self, push_number};

/// First field of every saved state; a change of the form changes it, and `js/src/fields.ts` along.
const VERSION: &str = "concord-2";

/// The saved state.
pub(crate) fn write(work: &PendingWork, frozen_ranges: &str) -> String {
    let mut out = Writer::default();
    out.text(VERSION);
    out.text(&work.text);
    out.number(work.revision.get());
    out.number(work.next_seq.get());
    out.number(u64::from(work.outstanding.is_some()));
    if let Some((submission, current)) = &work.outstanding {
        out.number(submission.seq.get());
        out.number(submission.revision.get());
        out.number(u64::from(submission.whole));
        out.operation(&submission.op);
        out.text(frozen_ranges);
        out.edit(current);
    }
    out.number(u64::from(work.buffer.is_some()));
    if let Some(buffer) = &work.buffer {
        out.edit(buffer);
    }
    out.finish()
}

/// What [`write`] has written, with the frozen ranges; `None` when anything does not fit.
pub(crate) fn read(state: &str) -> Option<(PendingWork, String)> {
    let mut fields = Reader::new(state);
    if fields.text()? != VERSION {
        return None;
    }
    let text = fields.text()?.to_owned();
    let revision = Revision::new(fields.number()?);
    let next_seq = ClientSeq::new(fields.number()?);
    let mut frozen_ranges = String::new();
    let mut outstanding = None;
    if fields.number()? == 1 {
        let seq = ClientSeq::new(fields.number()?);
        let revision = Revision::new(fields.number()?);
        let whole = fields.number()? == 1;
        let op = fields.operation()?;
        frozen_ranges.push_str(fields.text()?);
        outstanding = Some((Submission { seq, revision, op, whole }, fields.edit()?));
    }
    let buffer = if fields.number()? == 1 { Some(fields.edit()?) } else { None };
    let work = PendingWork { text, revision, next_seq, outstanding, buffer };
    fields.is_at_end().then_some((work, frozen_ranges))
}

/// The same state without what is pending: the server's text at the revision.
pub(crate) fn committed_only(work: PendingWork) -> Option<PendingWork> {
    let mut text = Text::from(work.text.as_str());
    let sent = work.outstanding.map(|(_, current)| current);
    if let Some(buffer) = work.buffer {
        text.apply(&buffer.inverse()).ok()?;
    }
    if let Some(sent) = sent {
        text.apply(&sent.inverse()).ok()?;
    }
    let next_seq = ClientSeq::new(1);
    Some(PendingWork { text: text.contents(), next_seq, outstanding: None, buffer: None, ..work })
}

/// Writes fields.
#[derive(Debug, Default)]
struct Writer {
    out: String,
}

impl Writer {
    fn text(&mut self, field: &str) {
        self.number_to(field.len() as u64);
        self.out.push(':');
        self.out.push_str(field);
    }

    fn number(&mut self, number: u64) {
        self.number_to(number);
        self.out.push(';');
    }

    fn operation(&mut self, operation: &Operation) {
        let mut field = String::new();
        fields::push_operation(operation, &mut field);
        self.text(field.get(1..).unwrap_or_default());
    }

    fn edit(&mut self, edit: &Invertible) {
        self.operation(edit.op());
        self.text(edit.removed());
    }

    fn finish(self) -> String {
        self.out
    }

    fn number_to(&mut self, number: u64) {
        push_number(number, &mut self.out);
    }
}

/// Reads fields in the order they were written; `None` once anything does not fit.
#[derive(Debug)]
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn new(state: &'a str) -> Reader<'a> {
        Reader { rest: state }
    }

    fn text(&mut self) -> Option<&'a str> {
        let len = usize::try_from(self.number_until(b':')?).ok()?;
        let field = self.rest.get(..len)?;
        self.rest = self.rest.get(len..)?;
        Some(field)
    }

    fn number(&mut self) -> Option<u64> {
        self.number_until(b';')
    }

    fn operation(&mut self) -> Option<Operation> {
        fields::operation(self.text()?)
    }

    fn edit(&mut self) -> Option<Invertible> {
        let op = self.operation()?;
        Invertible::from_parts(op, self.text()?).ok()
    }

    fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    fn number_until(&mut self, mark: u8) -> Option<u64> {
        let mut number = 0;
        for (at, byte) in self.rest.bytes().enumerate() {
            if byte == mark && at > 0 {
                self.rest = &self.rest[at + 1..];
                return Some(number);
            }
            if !byte.is_ascii_digit() || at >= 16 {
                return None;
            }
            number = number * 10 + u64::from(byte - b'0');
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_back_in_order_whatever_they_contain() {
        let mut writer = Writer::default();
        writer.text("");
        writer.number(0);
        writer.text("1:2;3 😀\n");
        writer.number(9_007_199_254_740_991);
        let state = writer.finish();
        let mut reader = Reader::new(&state);
        assert_eq!(reader.text(), Some(""));
        assert_eq!(reader.number(), Some(0));
        assert_eq!(reader.text(), Some("1:2;3 😀\n"));
        assert_eq!(reader.number(), Some(9_007_199_254_740_991));
        assert!(reader.is_at_end());
        assert_eq!(reader.number(), None);
    }

    #[test]
    fn what_is_cut_or_foreign_reads_as_nothing() {
        assert_eq!(Reader::new("5:four").text(), None);
        assert_eq!(Reader::new("3:😀").text(), None);
        assert_eq!(Reader::new(":x").text(), None);
        assert_eq!(Reader::new("-1:x").text(), None);
        assert_eq!(Reader::new("99999999999999999999;").number(), None);
        assert_eq!(Reader::new("{}").number(), None);
    }
}
