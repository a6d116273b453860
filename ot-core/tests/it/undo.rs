//! Undo takes back exactly what is mine, under everybody's later edits.

use std::collections::HashSet;

use ot_core::testing::{Choices, EditPlan};
use ot_core::{Client, ClientSeq, ClientState, Limits, Operation, Revision, Text, compose_all};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::config;

/// One editing client, and a server that also commits what others wrote. Every inserted character
/// is one of a kind, so characters are identities.
struct Desk {
    client: Client,
    server: Text,
    /// Committed by others and not yet received, each spanning what the one before left.
    on_the_way: Vec<Operation>,
    next_char: u32,
    mine: HashSet<char>,
    /// Deleted by others at least once.
    gone: HashSet<char>,
    /// Deleted by me at least once.
    touched: HashSet<char>,
    seen: HashSet<char>,
    now_ms: u64,
}

impl Desk {
    fn new(text: &str) -> Desk {
        Desk {
            client: Client::new(text, Revision::ZERO, ClientSeq::new(1)),
            server: Text::from(text),
            on_the_way: Vec::new(),
            next_char: 0x4E00,
            mine: HashSet::new(),
            gone: HashSet::new(),
            touched: HashSet::new(),
            seen: text.chars().collect(),
            now_ms: 0,
        }
    }

    fn plan(&mut self, choices: &mut Choices<'_>) -> EditPlan {
        let next_char = &mut self.next_char;
        EditPlan::draw(choices, |_| {
            *next_char += 1;
            char::from_u32(*next_char).expect("a character")
        })
    }

    fn edit(&mut self, choices: &mut Choices<'_>) {
        self.now_ms += [1, 2_000][choices.below(2)];
        let plan = self.plan(choices);
        let op = plan.on(self.client.text().len_chars());
        self.mine.extend(op.inserted_text().chars());
        self.touched.extend(self.client.text().removed_by(&op).expect("fits").chars());
        self.client.edit(op, self.now_ms).expect("made here");
    }

    fn others(&mut self, choices: &mut Choices<'_>) {
        let op = self.plan(choices).on(self.server.len_chars());
        self.seen.extend(op.inserted_text().chars());
        self.gone.extend(self.server.removed_by(&op).expect("fits").chars());
        self.server.apply(&op).expect("fits");
        self.on_the_way.push(op);
    }

    /// Everything on the way arrives, one by one or composed.
    fn receive(&mut self, composed: bool) {
        let mut arriving = std::mem::take(&mut self.on_the_way);
        if composed {
            arriving = compose_all(arriving).expect("they meet").into_iter().collect();
        }
        for op in arriving {
            let to = self.client.revision().next().expect("small");
            self.client.receive(&op, to).expect("in order");
        }
    }

    /// My next submission is committed.
    fn commit(&mut self) {
        self.receive(true);
        self.client.take_submission(&Limits::NONE);
        if let Some((submission, current)) = self.client.export().outstanding {
            self.server.apply(current.op()).expect("rebased");
            let to = self.client.revision().next().expect("small");
            self.client.acknowledge(submission.seq, to).expect("next");
        }
    }

    fn step(&mut self, choices: &mut Choices<'_>) {
        match choices.below(10) {
            0..=3 => self.edit(choices),
            4 | 5 => self.others(choices),
            6 => {
                let composed = choices.one_in(2);
                self.receive(composed);
            }
            7 => self.commit(),
            8 if choices.one_in(2) => drop(self.client.redo()),
            8 => {
                self.client.take_submission(&Limits::NONE);
            }
            _ => drop(self.client.undo()),
        }
        self.client.check_invariants();
    }

    fn settle(&mut self) {
        while self.client.state() != ClientState::Synchronized || !self.on_the_way.is_empty() {
            self.commit();
        }
        assert_eq!(self.client.text(), &self.server);
    }
}

fn kept(text: &str, keep: impl Fn(char) -> bool) -> String {
    text.chars().filter(|c| keep(*c)).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn undoing_all_of_mine_leaves_none_of_mine_and_all_of_theirs(bytes in vec(any::<u8>(), 0..200)) {
        let mut desk = Desk::new("0123456789");
        let mut choices = Choices::new(&bytes);
        while !choices.is_empty() {
            desk.step(&mut choices);
        }
        desk.receive(false);
        while desk.client.can_undo() {
            // A joined group may have lost its object; then undo says so and is done with it.
            if desk.client.undo().is_none() {
                break;
            }
            desk.client.check_invariants();
        }
        prop_assert_eq!(desk.client.undo(), None);
        let text = desk.client.text().to_string();
        prop_assert_eq!(kept(&text, |c| desk.mine.contains(&c)), "", "none of mine");
        for theirs in desk.seen.difference(&desk.gone) {
            let found = text.chars().filter(|c| c == theirs).count();
            prop_assert_eq!(found, 1, "{:?} of theirs is there once in {:?}", theirs, &text);
        }
        for c in text.chars() {
            prop_assert_eq!(text.chars().filter(|other| *other == c).count(), 1, "{:?} once", c);
        }
        // Those that I never deleted stand in the server's order.
        let steady = |c: char| !desk.gone.contains(&c) && !desk.touched.contains(&c) && !desk.mine.contains(&c);
        prop_assert_eq!(kept(&text, steady), kept(&desk.server.to_string(), steady));
        desk.settle();
    }

    #[test]
    fn redo_restores_exactly_what_undo_took_back(bytes in vec(any::<u8>(), 0..200)) {
        let mut desk = Desk::new("0123456789");
        let mut choices = Choices::new(&bytes);
        while !choices.is_empty() {
            desk.step(&mut choices);
        }
        let mut texts = vec![desk.client.text().to_string()];
        while desk.client.undo().is_some() {
            texts.push(desk.client.text().to_string());
        }
        for expected in texts.iter().rev().skip(1) {
            prop_assert!(desk.client.can_redo());
            prop_assert!(desk.client.redo().is_some());
            prop_assert_eq!(&desk.client.text().to_string(), expected);
        }
        for expected in texts.iter().skip(1) {
            prop_assert!(desk.client.undo().is_some());
            prop_assert_eq!(&desk.client.text().to_string(), expected);
        }
        desk.settle();
    }

    #[test]
    fn a_character_i_deleted_comes_back_once_for_each_undo(bytes in vec(any::<u8>(), 0..120)) {
        let mut desk = Desk::new("0123456789");
        let mut choices = Choices::new(&bytes);
        let target = '5';
        while !choices.is_empty() {
            desk.step(&mut choices);
        }
        desk.receive(true);
        let index = desk.client.text().to_string().chars().position(|c| c == target);
        if let Some(index) = index {
            let len = desk.client.text().len_chars();
            let op = Operation::splice(len, index, 1, "").expect("fits");
            desk.client.break_group();
            desk.client.edit(op, desk.now_ms + 9_999).expect("fits");
            desk.others(&mut Choices::new(&bytes));
            desk.receive(false);
            let count = |client: &Client| client.text().to_string().chars().filter(|c| *c == target).count();
            prop_assert_eq!(count(&desk.client), 0);
            desk.client.undo();
            prop_assert_eq!(count(&desk.client), 1);
            desk.client.redo();
            prop_assert_eq!(count(&desk.client), 0);
            desk.client.undo();
            prop_assert_eq!(count(&desk.client), 1);
        }
        desk.settle();
    }
}
