//! What people do.

use ot_core::{Assoc, Client, Operation, Selection, Text};

use super::violated;
use super::world::{What, World, note};

/// Undo or redo.
type Travel = fn(&mut Client) -> Option<Operation>;

/// While nobody else does anything, a redo takes an undo back, and an undo a redo.
fn check_way_back(client: &Client, back: Travel, before: &Text) {
    let mut other = client.clone();
    let is_done = back(&mut other).is_some();
    if !is_done || other.text() != before {
        let message = format!("{before} became {}, and that {}", client.text(), other.text());
        violated("undo and redo take each other back", message);
    }
}

impl World<'_> {
    pub(super) fn act(&mut self, tab: usize) {
        if !self.tabs[tab].is_alive || self.tabs[tab].actions == 0 {
            return;
        }
        self.tabs[tab].actions -= 1;
        if self.tabs[tab].actions > 0 {
            let pause = self.up_to(self.plan.think_ms);
            self.schedule(pause, What::Act(tab));
        }
        if self.plan.is_interleaved {
            return self.type_one(tab);
        }
        if self.draw.permille(self.plan.hostile) {
            self.misbehave(tab);
        }
        if !self.tabs[tab].may_write {
            self.select(tab);
            return self.pump(tab);
        }
        match self.draw.below(12) {
            0..=6 => self.edit(tab),
            7 | 8 => self.travel(tab, Client::undo, Client::redo),
            9 => self.travel(tab, Client::redo, Client::undo),
            10 => self.select(tab),
            _ => self.tabs[tab].client.as_mut().expect("it acts").break_group(),
        }
        self.tabs[tab].client.as_ref().expect("it acts").check_invariants();
        self.pump(tab);
    }

    /// One letter, always at the same place.
    fn type_one(&mut self, tab: usize) {
        let len = self.tabs[tab].client.as_ref().expect("it acts").text().len_chars();
        let letter = self.ledger.letter_of(tab).to_string();
        let delete = len.min(1);
        self.make(tab, Operation::splice(len, 0, delete, &letter).expect("fits"));
        self.pump(tab);
    }

    fn edit(&mut self, tab: usize) {
        let len = self.tabs[tab].client.as_ref().expect("it acts").text().len_chars();
        let at = if self.plan.is_one_place { len.min(1) } else { self.draw.below(len + 1) };
        let (deleted, inserted) = match self.draw.below(6) {
            0 | 1 => (0, 1),
            2 => (0, 1 + self.draw.below(4)),
            3 => (self.draw.below((len - at).min(4) + 1), 0),
            4 => (self.draw.below((len - at).min(3) + 1), 1 + self.draw.below(3)),
            _ => ((len - at).min(30), 0),
        };
        let text: String = (0..inserted).map(|_| self.ledger.letter()).collect();
        let op = Operation::splice(len, at, deleted, &text).expect("fits");
        self.make(tab, op);
    }

    /// A person makes an edit.
    pub(super) fn make(&mut self, tab: usize, op: Operation) {
        let own = &mut self.tabs[tab];
        let client = own.client.as_mut().expect("it acts");
        let removed = client.text().removed_by(&op).expect("it was made on it");
        client.edit(op.clone(), self.now).expect("it was made on this text");
        own.carry(&op, Assoc::After);
        if let Some(caret) = op.caret_after() {
            own.own = Some(Selection::caret(caret));
        }
        self.ledger.edited(tab, op.inserted_text(), &removed);
        note!(self, "tab {tab} types {op:?}");
    }

    fn travel(&mut self, tab: usize, how: Travel, back: Travel) {
        let own = &mut self.tabs[tab];
        let client = own.client.as_mut().expect("it acts");
        let before = client.text().clone();
        let Some(patch) = how(client) else { return };
        if patch.is_identity() {
            violated("undo is one's own", "an undo did nothing and said otherwise".to_owned());
        }
        check_way_back(client, back, &before);
        let removed = before.removed_by(&patch).expect("it was made on it");
        own.carry(&patch, Assoc::After);
        if let Some(caret) = patch.caret_after() {
            own.own = Some(Selection::caret(caret));
        }
        self.ledger.travelled(tab, patch.inserted_text(), &removed);
        note!(self, "tab {tab} takes back or redoes {patch:?}");
    }

    pub(super) fn select(&mut self, tab: usize) {
        let len = self.tabs[tab].client.as_ref().expect("it acts").text().len_chars();
        let (anchor, head) = (self.draw.below(len + 1), self.draw.below(len + 1));
        let own = &mut self.tabs[tab];
        own.own = Some(Selection::new(anchor, head));
        own.must_select = true;
        note!(self, "tab {tab} selects {anchor} to {head}");
    }
}
