//! Undo by example; its laws are in `tests/it/undo.rs`.

use super::*;

/// An editor with nobody to sync with.
struct Editor {
    text: Text,
    stack: UndoStack,
    now_ms: u64,
}

impl Editor {
    fn new(text: &str) -> Editor {
        Editor { text: Text::from(text), stack: UndoStack::default(), now_ms: 0 }
    }

    fn splice(&self, at: usize, deleted: usize, text: &str) -> Operation {
        Operation::splice(self.text.len_chars(), at, deleted, text).expect("fits")
    }

    fn edit(&mut self, at: usize, deleted: usize, text: &str) {
        let edit = Invertible::from(self.splice(at, deleted, text), &self.text).expect("fits");
        self.text.apply(edit.op()).expect("fits");
        self.stack.record(&edit, ClientSeq::ZERO, self.now_ms);
        self.stack.check_invariants(self.text.len_chars());
        self.now_ms += 100;
    }

    fn remote(&mut self, at: usize, deleted: usize, text: &str) {
        let patch = self.splice(at, deleted, text);
        self.text.apply(&patch).expect("fits");
        self.stack.remote(&patch);
        self.stack.check_invariants(self.text.len_chars());
    }

    fn undo(&mut self, expected: &str) {
        let edit = self.stack.undo(&self.text, ClientSeq::ZERO);
        self.follow(edit, expected);
    }

    fn redo(&mut self, expected: &str) {
        let edit = self.stack.redo(&self.text, ClientSeq::ZERO);
        self.follow(edit, expected);
    }

    fn follow(&mut self, edit: Option<Invertible>, expected: &str) {
        self.text.apply(edit.expect("there is one").op()).expect("fits");
        self.stack.check_invariants(self.text.len_chars());
        assert_eq!(self.text, expected);
    }
}

#[test]
fn a_run_of_typing_is_one_level_and_a_pause_begins_another() {
    let mut editor = Editor::new("()");
    editor.edit(1, 0, "a");
    editor.edit(2, 0, "b");
    editor.now_ms += 2_000;
    editor.edit(3, 0, "c");
    editor.undo("(ab)");
    editor.undo("()");
    assert!(!editor.stack.can_undo());
    editor.redo("(ab)");
    editor.redo("(abc)");
    assert!(!editor.stack.can_redo());
}

#[test]
fn runs_of_deleting_keep_their_direction() {
    let mut editor = Editor::new("abcdef");
    editor.edit(4, 1, "");
    editor.edit(3, 1, "");
    editor.edit(3, 1, "");
    assert_eq!(editor.text, "abc");
    editor.undo("abcf");
    editor.undo("abcdef");
    editor.edit(1, 1, "");
    editor.edit(1, 1, "");
    editor.undo("abcdef");
}

#[test]
fn a_jump_another_kind_and_a_break_begin_new_levels() {
    let mut editor = Editor::new("");
    editor.edit(0, 0, "ab");
    editor.edit(0, 0, "c");
    editor.edit(0, 1, "");
    editor.edit(0, 0, "d");
    editor.stack.break_group();
    editor.edit(1, 0, "e");
    for expected in ["dab", "ab", "cab", "ab", ""] {
        editor.undo(expected);
    }
}

#[test]
fn typing_over_a_selection_and_going_on_is_one_level() {
    let mut editor = Editor::new("one two");
    editor.edit(0, 3, "t");
    editor.edit(1, 0, "wo");
    editor.undo("one two");
    editor.redo("two two");
}

#[test]
fn remote_text_elsewhere_leaves_a_group_open_and_inside_ends_it() {
    let mut editor = Editor::new("..");
    editor.edit(1, 0, "a");
    editor.remote(0, 0, ">>");
    editor.edit(4, 0, "b");
    editor.remote(5, 0, "<<");
    editor.edit(5, 0, "c");
    assert_eq!(editor.text, ">>.abc<<.");
    editor.undo(">>.<<.");
    editor.redo(">>.abc<<.");
    editor.edit(6, 0, "d");
    editor.edit(7, 0, "e");
    editor.remote(7, 0, "!");
    editor.edit(8, 0, "f");
    editor.undo(">>.abcd!e<<.");
    editor.undo(">>.abc!<<.");
    editor.undo(">>.!<<.");
}

#[test]
fn restored_text_comes_behind_what_others_typed_there() {
    let mut editor = Editor::new("abc");
    editor.edit(1, 1, "");
    editor.remote(1, 0, "X");
    editor.undo("aXbc");
    editor.redo("aXc");
    editor.remote(2, 0, "Y");
    editor.undo("aXYbc");
}

#[test]
fn a_level_whose_text_somebody_else_deleted_is_skipped() {
    let mut editor = Editor::new("x");
    editor.edit(0, 0, "a");
    editor.now_ms += 5_000;
    editor.edit(2, 0, "b");
    editor.remote(2, 1, "");
    assert!(editor.stack.can_undo());
    editor.undo("x");
    assert!(!editor.stack.can_undo());
}

#[test]
fn a_new_edit_forgets_what_was_undone() {
    let mut editor = Editor::new("");
    editor.edit(0, 0, "a");
    editor.undo("");
    assert!(editor.stack.can_redo());
    editor.edit(0, 0, "b");
    assert!(!editor.stack.can_redo());
    editor.undo("");
}

#[test]
fn the_oldest_levels_are_forgotten_at_the_limits() {
    let mut editor = Editor::new("");
    editor.stack = UndoStack::new(UndoLimits { levels_max: 2, ..UndoLimits::default() });
    for text in ["a", "b", "c"] {
        editor.edit(0, 0, text);
    }
    editor.undo("ba");
    editor.undo("a");
    assert!(!editor.stack.can_undo());
    let mut editor = Editor::new("");
    editor.stack = UndoStack::new(UndoLimits { bytes_max: 1, ..UndoLimits::default() });
    editor.edit(0, 0, "a");
    editor.edit(0, 0, "b");
    editor.undo("a");
    assert!(!editor.stack.can_undo(), "only the newest level stays");
}

#[test]
fn a_group_ends_at_its_largest_size() {
    let mut editor = Editor::new("");
    editor.stack = UndoStack::new(UndoLimits { group_chars_max: 2, ..UndoLimits::default() });
    for at in 0..3 {
        editor.edit(at, 0, "x");
    }
    editor.undo("xx");
    editor.undo("");
}
