//! What is replayed: recorded histories where a folder of them is given, else typing made up by a seed.

use std::path::Path;

use ot_core::Operation;

use crate::patches::{Patches, recorded, typing};

/// The seed of made-up typing.
const SEED: u64 = 7;

/// Edits of a made-up history, as many as the longest recorded one has.
const EDITS: usize = 260_000;

/// One edit: what is deleted behind an offset, and the text that comes there. In characters.
#[derive(Debug, Clone)]
pub(crate) struct Edit {
    pub(crate) at: usize,
    pub(crate) deleted: usize,
    pub(crate) inserted: String,
}

/// A history of one document.
#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(crate) name: String,
    pub(crate) start: String,
    pub(crate) edits: Vec<Edit>,
    pub(crate) end: String,
}

/// Those that are replayed one after another: the recorded ones of the folder, or a made-up one.
pub(crate) fn histories(folder: Option<&Path>) -> Vec<History> {
    let Some(folder) = folder else {
        return vec![made_up("made-up typing", String::new(), SEED, EDITS)];
    };
    let read = |name: &&str| {
        let (patches, end) = recorded(folder, name);
        history(name, patches, Some(end))
    };
    let present = |name: &&&str| folder.join(format!("{name}.json.gz")).is_file();
    ["automerge-paper", "sveltecomponent", "rustcode", "seph-blog1"]
        .iter()
        .filter(present)
        .map(read)
        .collect()
}

/// `count` edits to `start`, made up.
pub(crate) fn made_up(name: &str, start: String, seed: u64, count: usize) -> History {
    history(name, typing(start, seed, count), None)
}

/// A text of `len` characters, in lines of words.
pub(crate) fn text_of(len: usize) -> String {
    "Many people write one text, each of them in lines of words.\n"
        .chars()
        .cycle()
        .take(len)
        .collect()
}

fn history(name: &str, patches: Patches, end: Option<String>) -> History {
    let edits: Vec<Edit> = patches
        .edits
        .into_iter()
        .map(|(_, (at, deleted, inserted))| Edit { at, deleted, inserted })
        .collect();
    let replayed = replay(&patches.start, &edits);
    if let Some(end) = &end {
        assert_eq!(&replayed, end, "{name} ends with the text that is recorded with it");
    }
    History { name: name.to_owned(), start: patches.start, edits, end: replayed }
}

/// The text after all edits, by a rope that is none of the engines' own code under test.
fn replay(start: &str, edits: &[Edit]) -> String {
    let mut rope = jumprope::JumpRope::from(start);
    for edit in edits {
        rope.remove(edit.at..edit.at + edit.deleted);
        rope.insert(edit.at, &edit.inserted);
    }
    rope.to_string()
}

impl History {
    /// Each edit as an operation on what the ones before it leave.
    pub(crate) fn operations(&self) -> Vec<Operation> {
        let mut len = self.start.chars().count();
        let operation = |edit: &Edit| {
            let made = Operation::splice(len, edit.at, edit.deleted, &edit.inserted);
            let made = made.expect("an edit lies in its text");
            len = made.target_len();
            made
        };
        self.edits.iter().map(operation).collect()
    }
}
