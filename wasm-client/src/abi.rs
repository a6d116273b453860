//! What JavaScript calls. `js/src/engine.ts` is the only caller and mirrors this file.
//!
//! Only numbers cross. An engine is named by the number that [`new`] or [`restore`]
//! gave; numbers are never used again, so an old one meets no other document. Texts (UTF-8) and
//! lists (32-bit numbers, low byte first) go through one buffer on this side: before a call the
//! caller fills it at [`scratch`]; functions that answer a text or a list leave it there and return
//! its length in bytes. An engine that does not exist ends the call with a trap, an exception in
//! JavaScript; nothing else here panics.
//!
//! Offsets are UTF-16 code units, except those of presence, which come from the wire in Unicode
//! scalar values. Revisions and submission numbers are JavaScript numbers, at most 2^53 - 1.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::convert::RangeError;
use crate::engine::{EditError, Engine, OutOfStep, Taken};

/// Done.
const OK: u32 = 0;
/// The edit begins or ends inside a surrogate pair.
const INSIDE_PAIR: u32 = 1;
/// The edit is none of the shown text, or inserts what no document contains.
const BAD_EDIT: u32 = 2;
/// The message does not fit: join again.
const OUT_OF_STEP: u32 = 3;

struct State {
    /// The engine named n lies at n - 1; a freed one leaves a gap.
    engines: Vec<Option<Box<Engine>>>,
    scratch: Vec<u8>,
}

/// A browser's thread has it for itself; the lock is there to say so without `unsafe`.
static STATE: Mutex<State> = Mutex::new(State { engines: Vec::new(), scratch: Vec::new() });

#[inline(never)]
fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes the buffer `len` bytes long, keeping what it holds; where it lies, until the next call.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn scratch(len: usize) -> usize {
    let scratch = &mut state().scratch;
    scratch.resize(len, 0);
    scratch.as_ptr().addr()
}

#[inline(never)]
fn taken_text() -> String {
    decoded(std::mem::take(&mut state().scratch))
}

/// The text of UTF-8, which is all that the caller's encoder writes; anything else is no text.
fn decoded(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_default()
}

#[inline(never)]
fn give_text(text: String) -> usize {
    let len = text.len();
    state().scratch = text.into_bytes();
    len
}

#[inline(never)]
fn give_numbers(numbers: &[u32]) -> usize {
    let scratch = &mut state().scratch;
    scratch.clear();
    for number in numbers {
        scratch.extend_from_slice(&number.to_le_bytes());
    }
    scratch.len()
}

#[inline(never)]
fn add(engine: Engine) -> usize {
    let engines = &mut state().engines;
    engines.push(Some(Box::new(engine)));
    engines.len()
}

#[inline(never)]
fn take(id: usize) -> Option<Box<Engine>> {
    state().engines.get_mut(id.wrapping_sub(1))?.take()
}

#[inline(never)]
fn must_take(id: usize) -> Box<Engine> {
    take(id).expect("no such engine")
}

#[inline(never)]
fn put(id: usize, engine: Box<Engine>) {
    state().engines[id - 1] = Some(engine);
}

/// Calls with the engine out of its place: a trap inside costs this engine and no other.
#[inline(always)]
fn with<T>(id: usize, call: impl FnOnce(&mut Engine) -> T) -> T {
    let mut engine = must_take(id);
    let result = call(&mut engine);
    put(id, engine);
    result
}

/// The server's text (in the buffer) at a revision; submissions are numbered from `next_seq`. The
/// engine's number.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn new(revision: f64, next_seq: f64) -> usize {
    add(Engine::new(&taken_text(), revision as u64, next_seq as u64))
}

/// From what [`save`] has written (in the buffer); without `keep_pending` only the committed
/// text. The engine's number, 0 when the state is damaged or of another version.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn restore(keep_pending: bool) -> usize {
    Engine::restore(&taken_text(), keep_pending).map_or(0, add)
}

/// Frees an engine. One that does not exist is no error.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn free(id: usize) {
    drop(take(id));
}

/// Text, revision and pending work as one text.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn save(id: usize) -> usize {
    give_text(with(id, |engine| engine.save()))
}

/// The text the editor shows.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn text(id: usize) -> usize {
    give_text(with(id, |engine| engine.text()))
}

/// The latest revision taken in.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn revision(id: usize) -> f64 {
    with(id, |engine| engine.revision()) as f64
}

/// Hash of the text, 16 hexadecimal digits, comparable with the server's while nothing is pending.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn hash(id: usize) -> usize {
    give_text(with(id, |engine| engine.hash_hex()))
}

/// What holds now, as a sum: 1 something is pending, 2 a submission is in flight, 4 edits wait for
/// being sent, 8 there is something to undo, 16 to redo, 32 the submission in flight tells the
/// selection.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn flags(id: usize) -> u32 {
    with(id, |engine| {
        u32::from(engine.has_pending())
            | u32::from(engine.has_outstanding()) << 1
            | u32::from(engine.has_buffer()) << 2
            | u32::from(engine.can_undo()) << 3
            | u32::from(engine.can_redo()) << 4
            | u32::from(engine.outstanding_has_ranges()) << 5
    })
}

// --- the editor's side: edits answer 0 when done, 1 for one inside a surrogate pair, 2 for one
// outside the text or with CR or NUL in it ---

/// The editor has replaced `deleted` code units at `at` by the text in the buffer. With `widen`,
/// ends inside a character take in the whole character.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn edit(id: usize, at: usize, deleted: usize, now_ms: f64, widen: bool) -> u32 {
    let edit = if widen { Engine::edit_widened } else { Engine::edit };
    let inserted = taken_text();
    match with(id, |engine| edit(engine, at, deleted, &inserted, now_ms as u64)) {
        Ok(()) => OK,
        Err(EditError::Range(RangeError::InsidePair)) => INSIDE_PAIR,
        Err(_) => BAD_EDIT,
    }
}

/// The editor shows the text in the buffer now; a negative `caret` is unknown. Whether anything has
/// changed.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn edit_by_diff(id: usize, caret: f64, now_ms: f64) -> bool {
    let caret = (caret >= 0.0).then_some(caret as usize);
    let text = taken_text();
    with(id, |engine| engine.edit_by_diff(&text, caret, now_ms as u64)).unwrap_or(false)
}

/// Takes back the last own edits, or with `redo` the last undo; where the caret goes, -1 when there
/// was nothing.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn travel(id: usize, redo: bool) -> f64 {
    let caret = with(id, |engine| if redo { engine.redo() } else { engine.undo() });
    caret.map_or(-1.0, |caret| caret as f64)
}

/// The next edit begins a new undo step.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn break_undo_group(id: usize) {
    with(id, |engine| engine.break_undo_group());
}

/// Patches wait from now on, or are handed over.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn hold(id: usize, wait: bool) {
    with(id, |engine| if wait { engine.hold() } else { engine.release() });
}

/// This person's selection; none when `anchor` is negative.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn set_selection(id: usize, anchor: f64, head: f64) {
    with(id, |engine| {
        if anchor < 0.0 {
            engine.clear_selection();
        } else {
            engine.set_selection(anchor as usize, head as usize);
        }
    });
}

/// This person's selection as JSON of the protocol.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn selection(id: usize) -> usize {
    give_text(with(id, |engine| engine.selection_json()))
}

/// Changes for the editor: `at`, `deleted`, length of the inserted text, over and over. Their texts
/// are what [`take_patch_text`] gives next.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn take_patches(id: usize) -> usize {
    give_numbers(&with(id, |engine| engine.take_patch_numbers()))
}

/// The inserted texts of the patches taken last, end to end.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn take_patch_text(id: usize) -> usize {
    give_text(with(id, |engine| engine.take_patch_text()))
}

// --- the server's side: messages answer 0 when done, 3 when they do not fit ---

/// A committed operation of somebody else (in the buffer; `fields.rs` says how) that leads to a
/// revision.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn receive(id: usize, revision: f64) -> u32 {
    let operation = taken_text();
    fits(with(id, |engine| engine.receive(&operation, revision as u64)))
}

/// The outstanding submission is committed.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn acknowledge(id: usize, seq: f64, revision: f64) -> u32 {
    fits(with(id, |engine| engine.acknowledge(seq as u64, revision as u64)))
}

/// The outstanding submission is refused for good; its text, or nothing when there is none.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn reject(id: usize, seq: f64) -> usize {
    give_text(with(id, |engine| engine.reject(seq as u64)).unwrap_or_default())
}

/// Continues from the server's text (in the buffer); what was pending becomes a new submission.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn reset(id: usize, revision: f64, last_seq: f64) -> u32 {
    let text = taken_text();
    fits(with(id, |engine| engine.reset(&text, revision as u64, last_seq as u64)))
}

/// Submissions are numbered above this from now on.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn raise_seq(id: usize, last_seq: f64) {
    with(id, |engine| engine.raise_seq(last_seq as u64));
}

/// Freezes what may be sent: 0 nothing, 1 all pending edits, 2 a part of them.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn take_submission(id: usize, components_max: usize, text_bytes_max: usize) -> u32 {
    match with(id, |engine| engine.take_submission(components_max, text_bytes_max)) {
        Taken::Nothing => 0,
        Taken::Whole => 1,
        Taken::Part => 2,
    }
}

/// The outstanding submission's number, 0 when there is none.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn outstanding_seq(id: usize) -> f64 {
    with(id, |engine| engine.outstanding_seq()).unwrap_or(0) as f64
}

/// The outstanding submission, see [`Engine::outstanding_fields`]; the same text every time.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn outstanding(id: usize) -> usize {
    give_text(with(id, |engine| engine.outstanding_fields()))
}

/// A remote session's selections (in the buffer), anchor and head in turn, in characters at the
/// revision; none when it has gone.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn set_presence(id: usize, session: u32) {
    let mut ranges = Vec::new();
    for number in state().scratch.chunks_exact(4) {
        ranges.push(u32::from_le_bytes([number[0], number[1], number[2], number[3]]));
    }
    with(id, |engine| engine.set_presence(session, &ranges));
}

/// Remote selections: session, count, then anchor and head of each, in code units.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn presence(id: usize) -> usize {
    give_numbers(&with(id, |engine| engine.presence()))
}

fn fits(result: Result<(), OutOfStep>) -> u32 {
    if result.is_ok() { OK } else { OUT_OF_STEP }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::decoded;

    #[test]
    fn every_character_is_decoded() {
        let all: String = ('\0'..=char::MAX).collect();
        assert!(decoded(all.clone().into_bytes()) == all);
    }

    proptest! {
        #[test]
        fn what_is_no_text_becomes_one(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            decoded(bytes);
        }
    }
}
