//! The honest person of a session by bytes: the real client, which types, takes what comes, and ends
//! with the log's text.

use collab_protocol::{ClientMessage, Entry, ServerMessage, Submit};
use ot_core::{ClientSeq, Limits, Operation, Revision};

use super::{Answers, Desk, FRAMES_MAX, LIMITS};

impl Desk<'_> {
    /// The honest person types, or sends again what got no final answer.
    pub(super) fn type_something(&mut self) {
        let len = self.honest.text().len_chars();
        let at = self.choices.below(len + 1);
        let delete = self.choices.below(3).min(len - at);
        let text: String = (0..self.choices.below(3)).map(|_| self.letter()).collect();
        let op = Operation::splice(len, at, delete, &text).expect("fits");
        self.honest.edit(op, 0).expect("it was made on this text");
        self.pump();
    }

    fn pump(&mut self) {
        let submission = match self.honest.outstanding() {
            Some(submission) => submission.clone(),
            None => match self.honest.take_submission(&LIMITS) {
                Some(submission) => submission,
                None => return,
            },
        };
        let (seq, rev) = (submission.seq.get(), submission.revision.get());
        let op = (&submission.op).into();
        let submit = Submit { ch: self.people[0].channel, seq, rev, op, ranges: None };
        self.receive(0, &ClientMessage::Submit(submit).to_json());
    }

    fn letter(&mut self) -> char {
        ['a', 'b', '\n', 'é', '中', '😀'][self.choices.below(6)]
    }

    /// The honest client takes what came for it.
    pub(super) fn hear(&mut self, answers: &Answers) {
        for frame in &answers.frames {
            match frame {
                ServerMessage::Ops(ops) => self.hear_operations(ops),
                ServerMessage::Ack(ack) => {
                    let (seq, rev) = (ClientSeq::new(ack.seq), Revision::new(ack.rev));
                    self.honest.acknowledge(seq, rev).expect("it fits");
                }
                ServerMessage::Reject(reject) if !reject.code.retryable() => {
                    self.honest.reject(ClientSeq::new(reject.seq)).expect("short texts");
                }
                _ => {}
            }
        }
        self.honest.check_invariants();
    }

    fn hear_operations(&mut self, ops: &collab_protocol::Ops) {
        let mut at = ops.rev;
        for entry in &ops.ops {
            let (op, to) = match entry {
                Entry::Op { op, .. } => (op, at + 1),
                Entry::Composed { op, to } => (op, *to),
                Entry::Ack { ack } => {
                    at += 1;
                    let acked = self.honest.acknowledge(ClientSeq::new(*ack), Revision::new(at));
                    acked.expect("it fits");
                    continue;
                }
                Entry::Check { .. } => continue,
            };
            let op = op.decode(&Limits::NONE).expect("servers send operations");
            self.honest.receive(&op, Revision::new(to)).expect("it follows");
            at = to;
        }
    }

    /// The honest person's edits all get in or are refused for good; then there is one text.
    pub(super) fn finish(&mut self) {
        for _ in 0..20 * FRAMES_MAX {
            if !self.honest.has_pending() {
                let text = self.rows.text_at(self.rows.head());
                assert_eq!(self.honest.text().to_string(), text, "there is one text");
                return;
            }
            self.pump();
        }
        panic!("an edit gets in or is refused");
    }
}
