//! What people typed and deleted, and what must have become of it.
//!
//! Every character typed is another one, so that each can be told from all others. One that an undo
//! brought back is a new insertion of the same character: so of those it is counted how often they
//! were put in and how often they were taken out.

use std::collections::{BTreeMap, BTreeSet};

use super::violated;

#[derive(Clone, Debug, Default)]
struct Letter {
    by: usize,
    deleted_by: BTreeSet<usize>,
    /// How often it was put in, by typing or by bringing it back.
    put: usize,
    /// How often it was taken out; two people who do so at once are two.
    cut: usize,
    /// Who did any of that.
    touched_by: BTreeSet<usize>,
    /// It was part of a submission that was refused, whether put in by it or taken out.
    is_refused: bool,
    /// An undo or redo moved it.
    is_travelled: bool,
    /// It was part of a refused submission, and was shown to its writer.
    is_shown: bool,
}

impl Letter {
    /// It is there no more often than it was put in, and, if all who touched it are heard and none
    /// of that was refused, no less often than what was taken out of that leaves.
    fn check_count(&self, letter: char, present: usize, is_core: impl Fn(usize) -> bool) {
        let Letter { put, cut, .. } = self;
        if present > *put {
            let message = format!("{letter:?} is there {present} times, put in {put} times");
            violated("each character once", message);
        }
        let is_heard = !self.is_refused && self.touched_by.iter().all(|tab| is_core(*tab));
        if is_heard && present + cut < *put {
            let message =
                format!("{letter:?} is there {present} times, put in {put}, taken out {cut} times");
            violated("nothing is lost", message);
        }
    }
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    letters: BTreeMap<char, Letter>,
    /// What was typed at once, in its order.
    runs: Vec<Vec<char>>,
    last: u32,
    /// Letters that each person brought in, by typing or by undoing.
    brought: BTreeMap<usize, BTreeSet<char>>,
    /// Letters that each person took out.
    taken: BTreeMap<usize, BTreeSet<char>>,
}

impl Ledger {
    /// A character that never was: of two, three or four bytes.
    pub(super) fn letter(&mut self) -> char {
        self.last += 1;
        let number = self.last;
        let code = match number % 3 {
            0 => 0x100 + number / 3,
            1 => 0x4E00 + number / 3,
            _ => 0x2_0000 + number,
        };
        char::from_u32(code).expect("a scalar value")
    }

    /// How many characters were typed.
    pub(super) fn typed(&self) -> usize {
        self.letters.len()
    }

    /// The next character of a person, whatever the others typed; of three bytes.
    pub(super) fn letter_of(&self, tab: usize) -> char {
        let typed = self.letters.values().filter(|letter| letter.by == tab).count();
        let code = 0x5000 + 0x100 * tab as u32 + typed as u32;
        char::from_u32(code).expect("a scalar value")
    }

    pub(super) fn edited(&mut self, tab: usize, inserted: &str, removed: &str) {
        for letter in inserted.chars() {
            self.letters.insert(letter, Letter { by: tab, ..Letter::default() });
            self.put(tab, letter);
            self.brought.entry(tab).or_default().insert(letter);
        }
        if inserted.chars().nth(1).is_some() {
            self.runs.push(inserted.chars().collect());
        }
        for letter in removed.chars() {
            self.letters.entry(letter).or_default().deleted_by.insert(tab);
            self.cut(tab, letter);
            self.taken.entry(tab).or_default().insert(letter);
        }
    }

    fn put(&mut self, tab: usize, letter: char) {
        let fate = self.letters.entry(letter).or_default();
        fate.put += 1;
        fate.touched_by.insert(tab);
    }

    fn cut(&mut self, tab: usize, letter: char) {
        let fate = self.letters.entry(letter).or_default();
        fate.cut += 1;
        fate.touched_by.insert(tab);
    }

    /// A person took an edit back, or did it again: only own edits may be touched.
    pub(super) fn travelled(&mut self, tab: usize, inserted: &str, removed: &str) {
        let (brought, taken) =
            (self.brought.entry(tab).or_default(), self.taken.entry(tab).or_default());
        for letter in removed.chars() {
            if !brought.contains(&letter) {
                violated("undo is one's own", format!("tab {tab} took out {letter:?} of another"));
            }
            taken.insert(letter);
        }
        for letter in inserted.chars() {
            if !taken.contains(&letter) {
                violated("undo is one's own", format!("tab {tab} brought {letter:?} from nowhere"));
            }
            brought.insert(letter);
        }
        inserted.chars().for_each(|letter| self.put(tab, letter));
        removed.chars().for_each(|letter| self.cut(tab, letter));
        for letter in inserted.chars().chain(removed.chars()) {
            self.letters.entry(letter).or_default().is_travelled = true;
        }
    }

    /// A submission was refused: what it had inserted was shown, what it had deleted is back.
    pub(super) fn refused(&mut self, tab: usize, shown: &str, restored: &str) {
        for letter in shown.chars().filter(|letter| *letter != '\n') {
            let fate = self.letters.entry(letter).or_default();
            (fate.is_shown, fate.is_refused) = (true, true);
        }
        for letter in restored.chars() {
            let fate = self.letters.entry(letter).or_default();
            fate.deleted_by.remove(&tab);
            fate.is_refused = true;
        }
    }

    /// Holds the final text against everything that was done. `is_core` says whose edits have all
    /// been heard; `is_logged` whether a letter was ever in the log.
    pub(super) fn check(
        &self,
        text: &str,
        is_core: impl Fn(usize) -> bool,
        is_logged: impl Fn(char) -> bool,
    ) {
        let mut places: BTreeMap<char, usize> = BTreeMap::new();
        let mut present: BTreeMap<char, usize> = BTreeMap::new();
        for (place, letter) in text.chars().enumerate() {
            places.insert(letter, place);
            *present.entry(letter).or_default() += 1;
            if !self.letters.contains_key(&letter) {
                violated("each character once", format!("nobody typed {letter:?}"));
            }
        }
        for (letter, fate) in &self.letters {
            let present = present.get(letter).copied().unwrap_or_default();
            fate.check_count(*letter, present, &is_core);
            if fate.is_travelled {
                continue;
            }
            let is_there = places.contains_key(letter);
            if fate.is_shown {
                if is_there {
                    violated(
                        "refused is not committed",
                        format!("{letter:?} is there all the same"),
                    );
                }
                continue;
            }
            let is_deleted = fate.deleted_by.iter().any(|tab| is_core(*tab));
            if is_deleted && is_there {
                violated("deleted stays deleted", format!("{letter:?} is there again"));
            }
            let is_heard = is_core(fate.by) || is_logged(*letter);
            if is_heard && fate.deleted_by.is_empty() && !is_there {
                violated("nothing is lost", format!("{letter:?} is gone, and nobody deleted it"));
            }
        }
        for run in &self.runs {
            let stayed = |letter: &&char| self.letters.get(letter).is_some_and(|f| !f.is_travelled);
            let stayed = run.iter().filter(stayed);
            let order: Vec<usize> =
                stayed.filter_map(|letter| places.get(letter).copied()).collect();
            if !order.is_sorted() {
                violated("order is kept", format!("{run:?} was typed in another order"));
            }
        }
    }
}
