//! The engine in the browser: [`engine`] behind a small JavaScript surface.
//!
//! Only numbers, texts and flat arrays cross it; nothing here panics. Offsets are UTF-16 code
//! units, except those of presence, which come from the wire in Unicode scalar values. Revisions
//! and submission numbers are JavaScript numbers, at most 2^53 - 1.

pub mod convert;
pub mod engine;
mod saved;

use convert::RangeError;
use engine::{EditError, OutOfStep, Taken};
use wasm_bindgen::prelude::*;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// Done.
const OK: u32 = 0;
/// The edit begins or ends inside a surrogate pair.
const INSIDE_PAIR: u32 = 1;
/// The edit is none of the shown text, or inserts what no document contains.
const BAD_EDIT: u32 = 2;
/// The message does not fit: join again.
const OUT_OF_STEP: u32 = 3;

/// One document as one tab edits it.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Engine(engine::Engine);

/// The editor's side: methods answer 0 when done, 1 for an edit inside a surrogate pair, 2 for one
/// outside the text or with CR or NUL in it.
#[wasm_bindgen]
impl Engine {
    /// The server's text at a revision; submissions are numbered from `next_seq`.
    #[wasm_bindgen(constructor)]
    pub fn new(text: &str, revision: f64, next_seq: f64) -> Engine {
        Engine(engine::Engine::new(text, revision as u64, next_seq as u64))
    }

    /// What [`save`](Self::save) has written; without `keep_pending` only the committed text.
    pub fn restore(state: &str, keep_pending: bool) -> Option<Engine> {
        engine::Engine::restore(state, keep_pending).map(Engine)
    }

    /// Text, revision and pending work as one text.
    #[wasm_bindgen(js_name = export)]
    pub fn save(&self) -> String {
        self.0.save()
    }

    /// The text the editor shows.
    pub fn text(&self) -> String {
        self.0.text()
    }

    /// The latest revision taken in.
    pub fn revision(&self) -> f64 {
        self.0.revision() as f64
    }

    /// Hash of the text, 16 hexadecimal digits, comparable with the server's while nothing is
    /// pending.
    pub fn hash(&self) -> String {
        self.0.hash_hex()
    }

    /// What holds now, as a sum: 1 something is pending, 2 a submission is in flight, 4 edits wait
    /// for being sent, 8 there is something to undo, 16 to redo, 32 the submission in flight tells
    /// the selection.
    pub fn flags(&mut self) -> u32 {
        let engine = &mut self.0;
        let flags = [
            engine.has_pending(),
            engine.has_outstanding(),
            engine.has_buffer(),
            engine.can_undo(),
            engine.can_redo(),
            engine.outstanding_has_ranges(),
        ];
        flags.iter().rev().fold(0, |sum, flag| 2 * sum + u32::from(*flag))
    }

    /// The editor has replaced `deleted` code units at `at`. With `widen`, ends inside a character
    /// take in the whole character.
    pub fn edit(&mut self, at: u32, deleted: u32, inserted: &str, now_ms: f64, widen: bool) -> u32 {
        let edit = if widen { engine::Engine::edit_widened } else { engine::Engine::edit };
        code(edit(&mut self.0, at as usize, deleted as usize, inserted, now_ms as u64))
    }

    /// The editor shows `text` now; a negative `caret` is unknown. Whether anything has changed.
    #[wasm_bindgen(js_name = editByDiff)]
    pub fn edit_by_diff(&mut self, text: &str, caret: f64, now_ms: f64) -> bool {
        let caret = (caret >= 0.0).then_some(caret as usize);
        self.0.edit_by_diff(text, caret, now_ms as u64).unwrap_or(false)
    }

    /// Takes back the last own edits, or with `redo` the last undo; where the caret goes, -1 when
    /// there was nothing.
    pub fn travel(&mut self, redo: bool) -> f64 {
        let caret = if redo { self.0.redo() } else { self.0.undo() };
        caret.map_or(-1.0, |caret| caret as f64)
    }

    /// The next edit begins a new undo step.
    #[wasm_bindgen(js_name = breakUndoGroup)]
    pub fn break_undo_group(&mut self) {
        self.0.break_undo_group();
    }

    /// Patches wait from now on, or are handed over.
    pub fn hold(&mut self, wait: bool) {
        if wait { self.0.hold() } else { self.0.release() }
    }

    /// This person's selection; none when `anchor` is negative.
    #[wasm_bindgen(js_name = setSelection)]
    pub fn set_selection(&mut self, anchor: f64, head: f64) {
        if anchor < 0.0 {
            self.0.clear_selection();
        } else {
            self.0.set_selection(anchor as usize, head as usize);
        }
    }

    /// This person's selection as JSON of the protocol.
    pub fn selection(&self) -> String {
        self.0.selection_json()
    }

    /// Changes for the editor: `at`, `deleted`, length of the inserted text, over and over. Their
    /// texts are what [`take_patch_text`](Self::take_patch_text) gives next.
    #[wasm_bindgen(js_name = takePatches)]
    pub fn take_patches(&mut self) -> Vec<u32> {
        self.0.take_patch_numbers()
    }

    /// The inserted texts of the patches taken last, end to end.
    #[wasm_bindgen(js_name = takePatchText)]
    pub fn take_patch_text(&mut self) -> String {
        self.0.take_patch_text()
    }
}

/// The server's side: methods answer 0 when done, 3 when the message does not fit.
#[wasm_bindgen]
impl Engine {
    /// A committed operation of somebody else, as JSON, that leads to a revision.
    pub fn receive(&mut self, operation: &str, revision: f64) -> u32 {
        fits(self.0.receive(operation, revision as u64))
    }

    /// The outstanding submission is committed.
    pub fn acknowledge(&mut self, seq: f64, revision: f64) -> u32 {
        fits(self.0.acknowledge(seq as u64, revision as u64))
    }

    /// The outstanding submission is refused for good; its text, or nothing when there is none.
    pub fn reject(&mut self, seq: f64) -> String {
        self.0.reject(seq as u64).unwrap_or_default()
    }

    /// Continues from the server's text; what was pending becomes a new submission.
    pub fn reset(&mut self, text: &str, revision: f64, last_seq: f64) -> u32 {
        fits(self.0.reset(text, revision as u64, last_seq as u64))
    }

    /// Submissions are numbered above this from now on.
    #[wasm_bindgen(js_name = raiseSeq)]
    pub fn raise_seq(&mut self, last_seq: f64) {
        self.0.raise_seq(last_seq as u64);
    }

    /// Freezes what may be sent: 0 nothing, 1 all pending edits, 2 a part of them.
    #[wasm_bindgen(js_name = takeSubmission)]
    pub fn take_submission(&mut self, components_max: u32, text_bytes_max: u32) -> u32 {
        match self.0.take_submission(components_max as usize, text_bytes_max as usize) {
            Taken::Nothing => 0,
            Taken::Whole => 1,
            Taken::Part => 2,
        }
    }

    /// The outstanding submission's number, 0 when there is none.
    #[wasm_bindgen(js_name = outstandingSeq)]
    pub fn outstanding_seq(&self) -> f64 {
        self.0.outstanding_seq().unwrap_or(0) as f64
    }

    /// The outstanding submission's fields as JSON without the braces, the same every time.
    pub fn outstanding(&self) -> String {
        self.0.outstanding_json()
    }

    /// A remote session's selections, anchor and head in turn, in characters at the revision; none
    /// when it has gone.
    #[wasm_bindgen(js_name = setPresence)]
    pub fn set_presence(&mut self, session: u32, ranges: &[u32]) {
        self.0.set_presence(session, ranges);
    }

    /// Remote selections: session, count, then anchor and head of each, in code units.
    pub fn presence(&self) -> Vec<u32> {
        self.0.presence()
    }
}

fn code(result: Result<(), EditError>) -> u32 {
    match result {
        Ok(()) => OK,
        Err(EditError::Range(RangeError::InsidePair)) => INSIDE_PAIR,
        Err(_) => BAD_EDIT,
    }
}

fn fits(result: Result<(), OutOfStep>) -> u32 {
    if result.is_ok() { OK } else { OUT_OF_STEP }
}
