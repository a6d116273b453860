//! An engine and the server: what comes in, and what is sent.

use ot_core::{
    Acknowledged, Assoc, ClientSeq, Limits, MAX_LEN, Operation, Ranges, Revision, Selection,
};

use super::{Engine, OutOfStep, Taken};
use crate::fields;

impl Engine {
    /// Takes a committed operation of somebody else that leads to revision `to`: its components as
    /// the protocol has them, apart by NUL, texts behind a quotation mark.
    ///
    /// # Errors
    /// [`OutOfStep`] when it does not fit; the replica is unchanged.
    pub fn receive(&mut self, operation: &str, to: u64) -> Result<(), OutOfStep> {
        let operation = fields::operation(operation).ok_or(OutOfStep)?;
        let patch = self.client.receive(&operation, Revision::new(to)).map_err(|_| OutOfStep)?;
        carry_people(&mut self.people, &operation);
        self.deliver(&patch, Assoc::Before);
        Ok(())
    }

    /// The outstanding submission is committed as `revision`.
    ///
    /// # Errors
    /// [`OutOfStep`] when it is not outstanding, or the revision is not the next one.
    pub fn acknowledge(&mut self, seq: u64, revision: u64) -> Result<(), OutOfStep> {
        let (seq, revision) = (ClientSeq::new(seq), Revision::new(revision));
        // Out of step is who joins anew, and is told again where everybody is.
        if let Some(outstanding) = self.client.outstanding_now() {
            carry_people(&mut self.people, outstanding);
        }
        match self.client.acknowledge(seq, revision) {
            Ok(Acknowledged::Outstanding) => {
                self.frozen_ranges.clear();
                Ok(())
            }
            Ok(Acknowledged::Earlier) | Err(_) => Err(OutOfStep),
        }
    }

    /// The server refused the outstanding submission for good. Its effect leaves the text; the
    /// text it had inserted comes back.
    ///
    /// # Errors
    /// [`OutOfStep`] when no such submission is outstanding.
    pub fn reject(&mut self, seq: u64) -> Result<String, OutOfStep> {
        let rejected = self.client.reject(ClientSeq::new(seq)).ok().flatten().ok_or(OutOfStep)?;
        self.frozen_ranges.clear();
        self.deliver(&rejected.patch, Assoc::Before);
        Ok(rejected.text)
    }

    /// Continues from the server's text at `revision`; the server has committed this client's
    /// submissions up to `last_seq`. What else was pending is kept, as a new submission. Where others
    /// are in that text is to be said again.
    ///
    /// # Errors
    /// [`OutOfStep`] when the texts are longer than an operation can span.
    pub fn reset(&mut self, text: &str, revision: u64, last_seq: u64) -> Result<(), OutOfStep> {
        let (revision, last_seq) = (Revision::new(revision), ClientSeq::new(last_seq));
        let patch = self.client.reset(text, revision, last_seq).map_err(|_| OutOfStep)?;
        self.frozen_ranges.clear();
        self.people.clear();
        self.deliver(&patch, Assoc::Before);
        Ok(())
    }

    /// Submissions are numbered above `last_seq` from now on.
    pub fn raise_seq(&mut self, last_seq: u64) {
        self.client.skip_to(ClientSeq::new(last_seq));
    }

    /// Freezes what may be sent within the limits; the current selection goes along when all
    /// pending edits do.
    pub fn take_submission(&mut self, components_max: usize, text_bytes_max: usize) -> Taken {
        if self.has_outstanding() {
            return Taken::Nothing;
        }
        let limits =
            Limits { components_max, inserted_bytes_max: text_bytes_max, len_max: MAX_LEN };
        let Some(submission) = self.client.take_submission(&limits) else {
            return Taken::Nothing;
        };
        if !submission.whole {
            return Taken::Part;
        }
        if let Some(own) = self.own {
            self.frozen_ranges = ranges_json(Some(own));
        }
        Taken::Whole
    }

    /// The number of the outstanding submission.
    #[must_use]
    pub fn outstanding_seq(&self) -> Option<u64> {
        self.client.outstanding().map(|submission| submission.seq.get())
    }

    /// The outstanding submission, its parts apart by NUL: number, revision, selections as JSON
    /// (empty when it tells none), then the components as [`receive`](Self::receive) takes them. The
    /// same text every time; empty when nothing is outstanding.
    #[must_use]
    pub fn outstanding_fields(&self) -> String {
        let mut out = String::new();
        if let Some(submission) = self.client.outstanding() {
            fields::push_number(submission.seq.get(), &mut out);
            out.push(fields::END);
            fields::push_number(submission.revision.get(), &mut out);
            out.push(fields::END);
            out.push_str(&self.frozen_ranges);
            fields::push_operation(&submission.op, &mut out);
        }
        out
    }

    /// Whether the outstanding submission tells the selection.
    #[must_use]
    pub fn outstanding_has_ranges(&self) -> bool {
        !self.frozen_ranges.is_empty()
    }

    /// This person's selection as the protocol has it, `[[3,5]]` or `[]`; valid at
    /// [`revision`](Self::revision) while nothing is pending.
    #[must_use]
    pub fn selection_json(&self) -> String {
        ranges_json(self.own)
    }
}

fn carry_people(people: &mut [(u32, Ranges)], change: &Operation) {
    for (_, ranges) in people {
        *ranges = ranges.transform(change, Assoc::Before);
    }
}

fn ranges_json(selection: Option<Selection>) -> String {
    let mut out = String::from("[");
    if let Some(Selection { anchor, head }) = selection {
        out.push('[');
        fields::push_number(anchor as u64, &mut out);
        out.push(',');
        fields::push_number(head as u64, &mut out);
        out.push(']');
    }
    out.push(']');
    out
}
