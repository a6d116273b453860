//! Frames that no client of ours would send, made of bytes.

use collab_protocol::{ClientMessage, SelectionRange, Submit};
use ot_core::Revision;
use ot_core::testing::{Choices, EditPlan};

use super::Desk;

impl Desk<'_> {
    /// A frame of one of the others.
    pub(super) fn any_frame(&mut self, person: usize) -> String {
        match self.choices.below(5) {
            0 => self.own_making(person),
            1 => {
                let frame = self.own_making(person);
                self.changed(frame)
            }
            2 if !self.heard.is_empty() => {
                let frame = self.heard[self.choices.below(self.heard.len())].clone();
                if self.choices.one_in(2) { self.changed(frame) } else { frame }
            }
            3 => {
                let ranges: Vec<(usize, usize)> = (0..self.choices.below(5))
                    .map(|_| (self.choices.below(12), self.choices.below(12)))
                    .collect();
                let (ch, rev) = (self.people[person].channel.0, self.revision());
                format!(r#"{{"type":"select","ch":{ch},"rev":{rev},"ranges":{:?}}}"#, ranges)
                    .replace('(', "[")
                    .replace(')', "]")
            }
            _ => {
                let len = self.choices.below(40);
                let bytes: Vec<u8> = (0..len).map(|_| self.choices.below(256) as u8).collect();
                String::from_utf8_lossy(&bytes).into_owned()
            }
        }
    }

    /// A revision that there is, mostly.
    fn revision(&mut self) -> u64 {
        let head = self.rows.head().get();
        match self.choices.below(8) {
            7 => head + 1 + self.choices.below(300) as u64,
            back => head.saturating_sub(back as u64),
        }
    }

    /// A submission whose parts may fit together or not.
    fn own_making(&mut self, person: usize) -> String {
        let ch = self.people[person].channel;
        let seq = self.choices.below(9) as u64;
        let rev = self.revision();
        let known = Revision::new(rev.min(self.rows.head().get()));
        let len = self.rows.text_at(known).chars().count();
        let len = if self.choices.one_in(6) { self.choices.below(20) } else { len };
        let letter =
            |choices: &mut Choices<'_>| ['a', '\n', 'é', '中', '😀', '\r'][choices.below(6)];
        let op = EditPlan::draw(&mut self.choices, letter).on(len);
        let range = SelectionRange::from((self.choices.below(9) as u32, 0));
        let ranges = self.choices.one_in(4).then(|| vec![range; self.choices.below(5)]);
        let submit = Submit { ch, seq, rev, op: (&op).into(), ranges };
        ClientMessage::Submit(submit).to_json()
    }

    fn changed(&mut self, frame: String) -> String {
        let mut bytes = frame.into_bytes();
        for _ in 0..=self.choices.below(2) {
            let at = self.choices.below(bytes.len().max(1));
            let byte = self.choices.below(256) as u8;
            match self.choices.below(3) {
                0 if at < bytes.len() => bytes[at] = byte,
                1 if at < bytes.len() => drop(bytes.remove(at)),
                _ => bytes.insert(at.min(bytes.len()), byte),
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
