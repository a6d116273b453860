//! One document in the browser: `ot-core`'s client, and the text as the editor shows it.
//!
//! What is Operational Transformation lives in `ot-core`; here units are converted, patches are
//! queued for the editor, and everybody's selections are carried along. Offsets of the editor are
//! UTF-16 code units of the *shown* text; the *local* text is the client's. The two differ only
//! while the editor holds patches back (an input method composes): then an operation leads from
//! the shown text to the local one.
//!
//! Invariant: `shown` followed by `waiting` is the client's text.

mod people;
mod server;

use ot_core::{
    Assoc, Client, ClientSeq, ClientState, MAX_LEN, Operation, Ranges, Revision, Selection, Text,
    diff, transform,
};
use thiserror::Error;

use crate::convert::{self, CharRange, Patches, RangeError};
use crate::saved;

/// Why an edit of the editor was not taken. Nothing has happened then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EditError {
    /// It is no range of the shown text.
    #[error(transparent)]
    Range(#[from] RangeError),
    /// It inserts CR or NUL, which no document contains.
    #[error("the text contains CR or NUL")]
    ForbiddenText,
    /// The text would be longer than an operation can span.
    #[error("the text would be too long")]
    TooLong,
}

/// The server has said what does not fit this replica: it must join again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the message does not fit this replica")]
pub struct OutOfStep;

/// What [`Engine::take_submission`] has frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Nothing: no edits wait, or a submission is in flight.
    Nothing,
    /// All pending edits.
    Whole,
    /// A first part, because of the limits.
    Part,
}

/// One document as one tab edits it.
#[derive(Debug)]
pub struct Engine {
    client: Client,
    shown: Text,
    /// From the shown to the local text; `None` when patches are not held back.
    waiting: Option<Operation>,
    /// This person's selection, in the local text.
    own: Option<Selection>,
    /// Remote sessions' selections, in the text at the revision.
    people: Vec<(u32, Ranges)>,
    /// The selection that was frozen with the outstanding submission, as JSON; empty for none.
    frozen_ranges: String,
    patches: Patches,
}

impl Engine {
    /// A document at `revision`, nothing pending; submissions are numbered from `next_seq`.
    #[must_use]
    pub fn new(text: &str, revision: u64, next_seq: u64) -> Engine {
        let (revision, next_seq) = (Revision::new(revision), ClientSeq::new(next_seq));
        Engine::around(Client::new(text, revision, next_seq))
    }

    fn around(client: Client) -> Engine {
        Engine {
            shown: client.text().clone(),
            client,
            waiting: None,
            own: None,
            people: Vec::new(),
            frozen_ranges: String::new(),
            patches: Patches::default(),
        }
    }

    /// The text the editor shows.
    #[must_use]
    pub fn text(&self) -> String {
        self.shown.contents()
    }

    /// The latest revision taken in.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.client.revision().get()
    }

    /// Hash of the local text, comparable with the server's while nothing is pending.
    #[must_use]
    pub fn hash_hex(&self) -> String {
        self.client.text().hash().to_hex()
    }

    /// Whether an edit waits for the server or for being sent.
    #[must_use]
    pub fn has_pending(&self) -> bool {
        self.client.has_pending()
    }

    /// Whether a submission is in flight.
    #[must_use]
    pub fn has_outstanding(&self) -> bool {
        self.client.outstanding().is_some()
    }

    /// Whether there are edits that no submission holds yet.
    #[must_use]
    pub fn has_buffer(&self) -> bool {
        matches!(self.client.state(), ClientState::Unsent | ClientState::AwaitingWithBuffer)
    }

    // --- the editor ---

    /// The editor has replaced `deleted` code units at `at` by `inserted`, at `now_ms`.
    ///
    /// # Errors
    /// [`EditError`]; with [`RangeError::InsidePair`] see [`edit_widened`](Self::edit_widened).
    pub fn edit(
        &mut self,
        at: usize,
        deleted: usize,
        inserted: &str,
        now_ms: u64,
    ) -> Result<(), EditError> {
        let range = convert::char_range(&self.shown, at, deleted)?;
        self.edit_chars(range, inserted, now_ms)
    }

    /// As [`edit`](Self::edit), with ends inside a character moved so that it is replaced whole.
    /// The editor must then be brought in line with [`text`](Self::text).
    ///
    /// # Errors
    /// [`EditError`].
    pub fn edit_widened(
        &mut self,
        at: usize,
        deleted: usize,
        inserted: &str,
        now_ms: u64,
    ) -> Result<(), EditError> {
        let range = convert::char_range_widened(&self.shown, at, deleted)?;
        self.edit_chars(range, inserted, now_ms)
    }

    fn edit_chars(
        &mut self,
        range: CharRange,
        inserted: &str,
        now_ms: u64,
    ) -> Result<(), EditError> {
        let len = self.shown.len_chars();
        let edit = Operation::splice(len, range.offset, range.len, inserted);
        self.edit_shown(&edit.map_err(|_| EditError::TooLong)?, now_ms)
    }

    /// The editor shows `text` now; `caret` (code units of `text`) tells which of equal places was
    /// meant. Answers whether anything has changed.
    ///
    /// # Errors
    /// [`EditError::ForbiddenText`] or [`EditError::TooLong`].
    pub fn edit_by_diff(
        &mut self,
        text: &str,
        caret: Option<usize>,
        now_ms: u64,
    ) -> Result<bool, EditError> {
        if text.len() > MAX_LEN || self.shown.len_bytes() > MAX_LEN {
            return Err(EditError::TooLong);
        }
        let caret = caret.map(|caret| convert::chars_before(text, caret));
        let edit = diff(&self.shown.contents(), text, caret);
        self.edit_shown(&edit, now_ms)?;
        Ok(!edit.is_identity())
    }

    fn edit_shown(&mut self, edit: &Operation, now_ms: u64) -> Result<(), EditError> {
        edit.check_text().map_err(|_| EditError::ForbiddenText)?;
        if edit.is_identity() {
            return Ok(());
        }
        let local = match &self.waiting {
            None => edit.clone(),
            Some(waiting) => {
                let (local, still_waiting) =
                    transform(edit, waiting).map_err(|_| EditError::TooLong)?;
                self.waiting = Some(still_waiting);
                local
            }
        };
        self.client.edit(local.clone(), now_ms).map_err(|_| EditError::TooLong)?;
        self.shown.apply(edit).map_err(|_| EditError::TooLong)?;
        self.carry(&local, Assoc::After);
        Ok(())
    }

    /// Takes back this person's last edits; the caret's place in the shown text, if anything was
    /// undone.
    pub fn undo(&mut self) -> Option<usize> {
        let patch = self.client.undo()?;
        Some(self.travel(&patch))
    }

    /// Takes back the last undo; as [`undo`](Self::undo).
    pub fn redo(&mut self) -> Option<usize> {
        let patch = self.client.redo()?;
        Some(self.travel(&patch))
    }

    // A person who undoes wants to see it, so what waited comes along; later patches wait again.
    fn travel(&mut self, patch: &Operation) -> usize {
        let held = self.waiting.is_some();
        self.release();
        self.deliver(patch, Assoc::After);
        if held {
            self.hold();
        }
        convert::to_utf16(&self.shown, patch.caret_after().unwrap_or(0))
    }

    /// Whether there is something to undo.
    pub fn can_undo(&mut self) -> bool {
        self.client.can_undo()
    }

    /// Whether there is something to redo.
    pub fn can_redo(&mut self) -> bool {
        self.client.can_redo()
    }

    /// The next edit begins a new undo step.
    pub fn break_undo_group(&mut self) {
        self.client.break_group();
    }

    /// From now on patches wait: an input method composes and must not be disturbed.
    pub fn hold(&mut self) {
        if self.waiting.is_none() {
            self.waiting = Some(Operation::identity(self.shown.len_chars()));
        }
    }

    /// Hands over what has waited.
    pub fn release(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            self.show(&waiting);
        }
    }

    /// This person's selection, in the shown text.
    pub fn set_selection(&mut self, anchor: usize, head: usize) {
        let selection = convert::selection_to_chars(&self.shown, anchor, head);
        self.own = Some(match &self.waiting {
            None => selection,
            Some(waiting) => selection.transform(waiting, Assoc::Before),
        });
    }

    /// The editor has lost the focus.
    pub fn clear_selection(&mut self) {
        self.own = None;
    }

    /// The changes that the editor has not seen yet: three numbers each, see [`Patches`].
    pub fn take_patch_numbers(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.patches.numbers)
    }

    /// The texts that belong to them.
    pub fn take_patch_text(&mut self) -> String {
        std::mem::take(&mut self.patches.text)
    }

    // --- storage ---

    /// Text, revision and pending work, for [`restore`](Self::restore).
    #[must_use]
    pub fn save(&self) -> String {
        saved::write(&self.client.export(), &self.frozen_ranges)
    }

    /// Goes on from what [`save`](Self::save) gave; without `keep_pending` from its committed text
    /// alone, as another client. `None` when the state is damaged or of another version.
    #[must_use]
    pub fn restore(state: &str, keep_pending: bool) -> Option<Engine> {
        let (mut work, frozen_ranges) = saved::read(state)?;
        if !keep_pending {
            work = saved::committed_only(work)?;
        }
        let mut engine = Engine::around(Client::restore(work).ok()?);
        if engine.has_outstanding() {
            engine.frozen_ranges = frozen_ranges;
        }
        Some(engine)
    }

    // --- inside ---

    /// A change of the local text that the editor has not made itself.
    fn deliver(&mut self, patch: &Operation, own_side: Assoc) {
        self.carry(patch, own_side);
        let composed = self.waiting.as_ref().and_then(|waiting| waiting.compose(patch).ok());
        if composed.is_some() {
            self.waiting = composed;
        } else {
            self.show(patch);
        }
    }

    fn show(&mut self, patch: &Operation) {
        if patch.is_identity() {
            return;
        }
        self.patches.push(&self.shown, patch);
        let applied = self.shown.apply(patch);
        debug_assert!(applied.is_ok(), "the shown text followed by what waits is the local text");
    }

    fn carry(&mut self, change: &Operation, own_side: Assoc) {
        self.own = self.own.map(|selection| selection.transform(change, own_side));
    }

    /// Checks what the type promises; for tests.
    pub fn check_invariants(&self) {
        let mut text = self.shown.clone();
        if let Some(waiting) = &self.waiting {
            text.apply(waiting).expect("what waits fits the shown text");
        }
        assert_eq!(text.to_string(), self.client.text().to_string());
        let len = self.client.text().len_chars();
        assert!(self.own.is_none_or(|selection| selection.end() <= len));
    }
}
