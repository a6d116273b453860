//! Asks the engine what the client has asked, and compares.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use wasm_client::convert::RangeError;
use wasm_client::engine::{EditError, Engine, Taken};

use crate::difference::{Difference, Kind, same};
use crate::event::{Event, What, Why};
use crate::frame::{self, Sent};
use crate::report::Report;
use crate::stream::{Item, Stream};

/// The engine's answers, as `wasm-client/src/abi.rs` gives them.
const OK: u32 = 0;
const INSIDE_PAIR: u32 = 1;
const BAD_EDIT: u32 = 2;
const OUT_OF_STEP: u32 = 3;

/// Times of edits are told from the beginning of the recording, and may lie before it when the clock
/// was set; the engine knows no negative ones and looks at distances only.
const TIME_ORIGIN_MS: i64 = 1 << 40;

/// Where client and engine come apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Divergence {
    /// The event, counted from 1.
    pub event: usize,
    /// Its line in the file, counted from 1.
    pub line: usize,
    /// When it happened, in milliseconds since recording began.
    pub t_ms: f64,
    /// What it is.
    pub title: String,
    /// What differs.
    pub difference: Difference,
    /// The last revision that client and engine agree on.
    pub revision: u64,
}

/// What a report came to that matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Events that were played.
    pub events: usize,
    /// Claims of the client about its text that were compared.
    pub texts: u64,
    /// Submissions that were compared, resends too.
    pub submissions: u64,
    /// Checks of the server that were compared.
    pub checks: u64,
    /// Undos and redos that reached behind the report's beginning: their outcome is taken over.
    pub taken_over: u64,
    /// The last revision.
    pub revision: u64,
    /// The length of the last text, in characters.
    pub len_chars: usize,
    /// The codes of the trouble that the client has told of.
    pub troubles: Vec<String>,
}

/// What playing a report comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The engine did what the client did.
    Matches(Summary),
    /// The two differ; the first place where they do.
    Diverges(Box<Divergence>),
}

/// An event that was played, for whoever watches.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// Which event it is, counted from 1.
    pub number: usize,
    /// The event.
    pub event: &'a Event,
    engine: Option<&'a Engine>,
}

impl Step<'_> {
    /// The engine's revision after it; `None` while there is no engine.
    #[must_use]
    pub fn revision(&self) -> Option<u64> {
        self.engine.map(Engine::revision)
    }

    /// The hash of the engine's text after it, 16 hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> Option<String> {
        self.engine.map(Engine::hash_hex)
    }

    /// The text as the editor shows it after the event.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        self.engine.map(Engine::text)
    }
}

/// Plays a report up to its end or the first difference. `watch` sees each event that was played,
/// the differing one too.
pub fn replay(report: &Report, mut watch: impl FnMut(Step<'_>)) -> Outcome {
    let mut player = Player::default();
    for (index, event) in report.events.iter().enumerate() {
        let before = player.revision();
        let played = catch_unwind(AssertUnwindSafe(|| player.play(event)));
        let played = played.unwrap_or_else(|panic| {
            player.engine = None;
            let claimed = if event.threw { "broke off" } else { "went on" };
            let found = format!("panicked: {}", said(&*panic));
            Err(Difference::new(Kind::BrokeOff, claimed, found))
        });
        watch(Step { number: index + 1, event, engine: player.engine.as_ref() });
        if let Err(difference) = played {
            return Outcome::Diverges(Box::new(Divergence {
                event: index + 1,
                line: index + 2,
                t_ms: event.t,
                title: event.title(),
                difference,
                revision: before,
            }));
        }
        player.summary.events += 1;
    }
    Outcome::Matches(player.summary())
}

#[derive(Debug, Default)]
struct Player {
    engine: Option<Engine>,
    stream: Stream,
    held: bool,
    /// The report begins behind edits that can be undone: what an undo does, the report has to say.
    begins_late: bool,
    /// An undo was passed over, and its outcome is yet to be told.
    awaits_state: bool,
    summary: Summary,
}

impl Player {
    fn revision(&self) -> u64 {
        self.engine.as_ref().map_or(0, Engine::revision)
    }

    fn summary(mut self) -> Summary {
        self.summary.revision = self.revision();
        self.summary.len_chars = self.engine.map_or(0, |engine| engine.text().chars().count());
        self.summary.checks = self.stream.checks;
        self.summary
    }

    fn play(&mut self, event: &Event) -> Result<(), Difference> {
        self.come_to(event)?;
        if event.threw {
            return Err(Difference::new(Kind::BrokeOff, "broke off", "goes on"));
        }
        if !self.awaits_state {
            self.claims(event)?;
        }
        match &self.engine {
            Some(engine) => self.stream.check(engine),
            None => Ok(()),
        }
    }

    fn come_to(&mut self, event: &Event) -> Result<(), Difference> {
        match &event.what {
            What::State { why, state, undo, ranges } => self.state(*why, state, *undo, ranges),
            What::In { frame } => {
                self.stream.expect_end()?;
                self.stream.take(frame, self.engine.as_ref())
            }
            What::Out { frame } => self.sent(frame),
            What::Net { state, .. } => {
                if state != "open" {
                    self.stream.drop_rest();
                }
                Ok(())
            }
            What::Trouble { code, .. } => {
                self.summary.troubles.push(code.clone());
                // A check that differs ends the play; so this one did not.
                if code == "diverged" {
                    return Err(Difference::new(Kind::FalseAlarm, "differs", "no difference"));
                }
                Ok(())
            }
            What::Composition { .. } => Ok(()),
            What::Close => {
                self.engine = None;
                Ok(())
            }
            What::Undo { caret } => self.travel(*caret, Engine::undo),
            What::Redo { caret } => self.travel(*caret, Engine::redo),
            What::Edit { .. } | What::Diff { .. } | What::Freeze { .. } => {
                self.stream.expect_end()?;
                self.of_the_person(&event.what)
            }
            What::Break | What::Hold | What::Release | What::Select { .. } => {
                self.of_the_person(&event.what)
            }
            What::Receive { .. }
            | What::Ack { .. }
            | What::Reject { .. }
            | What::Reset { .. }
            | What::Raise { .. } => self.of_the_server(&event.what),
        }
    }

    fn engine(&mut self) -> Result<&mut Engine, Difference> {
        let absent = || Difference::new(Kind::NoEngine, "an engine", "none");
        self.engine.as_mut().ok_or_else(absent)
    }

    fn claims(&mut self, event: &Event) -> Result<(), Difference> {
        if let Some(rev) = event.rev {
            same(Kind::Revision, rev, self.engine()?.revision())?;
        }
        if let Some(hash) = &event.hash {
            self.summary.texts += 1;
            same(Kind::Text, hash.clone(), self.engine()?.hash_hex())?;
        }
        Ok(())
    }

    // A state in the middle of a report is a claim; only behind an undo that reached too far back,
    // and at the beginning, it is taken over.
    fn state(
        &mut self,
        why: Why,
        state: &str,
        undo: bool,
        ranges: &[[usize; 2]],
    ) -> Result<(), Difference> {
        if !self.awaits_state
            && let Some(engine) = &self.engine
        {
            let found = engine.save();
            let (claimed, found) = around_difference(state, &found);
            return same(Kind::State, claimed, found);
        }
        let broken = || Difference::new(Kind::NoEngine, shortened(state), "no state of an engine");
        let mut engine = Engine::restore(state, true).ok_or_else(broken)?;
        if let [[anchor, head], ..] = ranges {
            let text = engine.text();
            engine.set_selection(utf16_before(&text, *anchor), utf16_before(&text, *head));
        }
        if self.held {
            engine.hold();
        }
        self.engine = Some(engine);
        self.begins_late |= why != Why::Open && undo;
        self.awaits_state = false;
        Ok(())
    }

    fn travel(
        &mut self,
        caret: i64,
        travel: impl FnOnce(&mut Engine) -> Option<usize>,
    ) -> Result<(), Difference> {
        self.stream.expect_end()?;
        self.engine()?;
        if self.begins_late {
            if caret >= 0 {
                self.summary.taken_over += 1;
                self.awaits_state = true;
            }
            return Ok(());
        }
        let found = travel(self.engine()?).map_or(-1, |caret| caret as i64);
        same(Kind::Answer, caret, found)
    }

    fn of_the_person(&mut self, what: &What) -> Result<(), Difference> {
        if self.awaits_state {
            // Selections and groups of edits lie in a text that is not known yet; the state tells.
            if let What::Hold | What::Release = what {
                self.held = matches!(what, What::Hold);
            }
            return Ok(());
        }
        let engine = self.engine()?;
        match what {
            What::Edit { at, deleted, inserted, now, widen, answer } => {
                let edit = if *widen { Engine::edit_widened } else { Engine::edit };
                let found = edit(engine, *at, *deleted, inserted, time(*now));
                same(Kind::Answer, *answer, edit_answer(found))
            }
            What::Diff { at, deleted, inserted, caret, now, changed } => {
                let shown = engine.text();
                let text = spliced(&shown, *at, *deleted, inserted)
                    .ok_or_else(|| Difference::new(Kind::Answer, "a change", "outside the text"))?;
                let caret = usize::try_from(*caret).ok();
                let found = engine.edit_by_diff(&text, caret, time(*now)).unwrap_or(false);
                same(Kind::Answer, *changed, found)
            }
            What::Freeze { components, bytes, answer } => {
                let found = match engine.take_submission(*components, *bytes) {
                    Taken::Nothing => 0,
                    Taken::Whole => 1,
                    Taken::Part => 2,
                };
                same(Kind::Answer, *answer, found)
            }
            What::Select { anchor, head } => {
                match (usize::try_from(*anchor), usize::try_from(*head)) {
                    (Ok(anchor), Ok(head)) => engine.set_selection(anchor, head),
                    _ => engine.clear_selection(),
                }
                Ok(())
            }
            What::Hold => {
                engine.hold();
                self.held = true;
                Ok(())
            }
            What::Release => {
                engine.release();
                self.held = false;
                Ok(())
            }
            _ => {
                engine.break_undo_group();
                Ok(())
            }
        }
    }

    fn of_the_server(&mut self, what: &What) -> Result<(), Difference> {
        let Player { engine: Some(engine), stream, .. } = self else {
            return Err(Difference::new(Kind::NoEngine, "an engine", "none"));
        };
        match what {
            What::Receive { to, op: taken, answer } => {
                let claimed = taken.as_ref().map_or("an operation".to_owned(), ToString::to_string);
                let (op, end) = stream.next(&claimed, |item| match item {
                    Item::Op(op, end) if taken.is_none() => Some((op.clone(), *end)),
                    _ => None,
                })?;
                same(Kind::Stream, *to, end.unwrap_or(engine.revision() + 1))?;
                let found = engine.receive(&frame::fields(&op), *to);
                same(Kind::Answer, *answer, answer_of(found))
            }
            What::Ack { seq, to, answer } => {
                let claimed = format!("the acknowledgement of {seq}");
                let end = stream.next(&claimed, |item| match item {
                    Item::Ack(found, end) if found == seq => Some(*end),
                    _ => None,
                })?;
                same(Kind::Stream, *to, end.unwrap_or(engine.revision() + 1))?;
                same(Kind::Answer, *answer, answer_of(engine.acknowledge(*seq, *to)))
            }
            What::Reject { seq } => {
                let refused = |item: &Item| (*item == Item::Reject(*seq)).then_some(());
                stream.next(&format!("the refusal of {seq}"), refused)?;
                let found = engine.reject(*seq).is_ok();
                same(Kind::Answer, true, found)
            }
            What::Reset { to, last, text, answer } => {
                let found = stream.next("a text", |item| match item {
                    Item::Text(text, rev, seq) if (rev, seq) == (to, last) => Some(text.clone()),
                    _ => None,
                })?;
                if let Some(text) = text {
                    let (claimed, found) = around_difference(text, &found);
                    same(Kind::Stream, claimed, found)?;
                }
                same(Kind::Answer, *answer, answer_of(engine.reset(&found, *to, *last)))
            }
            What::Raise { seq } => {
                let last = |item: &Item| (*item == Item::LastSeq(*seq)).then_some(());
                stream.next(&format!("the last number {seq}"), last)?;
                engine.raise_seq(*seq);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn sent(&mut self, frame: &str) -> Result<(), Difference> {
        match frame::sent(frame) {
            Sent::Submit(claimed) => {
                self.summary.submissions += 1;
                let fields = self.engine()?.outstanding_fields();
                let found = match fields.is_empty() {
                    true => String::new(),
                    false => frame::submission_json(&fields),
                };
                same(Kind::Submission, claimed, found.as_str())
            }
            Sent::Select(claimed) => {
                let engine = self.engine()?;
                let found =
                    format!("\"rev\":{},\"ranges\":{}", engine.revision(), engine.selection_json());
                same(Kind::Selection, claimed, found.as_str())
            }
            Sent::Turns => {
                self.stream.drop_rest();
                Ok(())
            }
            Sent::Other => Ok(()),
        }
    }
}

fn time(now: i64) -> u64 {
    now.saturating_add(TIME_ORIGIN_MS).max(0) as u64
}

fn edit_answer(result: Result<(), EditError>) -> u32 {
    match result {
        Ok(()) => OK,
        Err(EditError::Range(RangeError::InsidePair)) => INSIDE_PAIR,
        Err(_) => BAD_EDIT,
    }
}

fn answer_of<E>(result: Result<(), E>) -> u32 {
    if result.is_ok() { OK } else { OUT_OF_STEP }
}

/// `text` with `deleted` code units at `at` replaced; `None` outside it or inside a pair.
fn spliced(text: &str, at: usize, deleted: usize, inserted: &str) -> Option<String> {
    let (start, end) = (byte_at(text, at)?, byte_at(text, at.checked_add(deleted)?)?);
    Some([&text[..start], inserted, &text[end..]].concat())
}

/// Where the code unit `offset_utf16` stands, in bytes.
fn byte_at(text: &str, offset_utf16: usize) -> Option<usize> {
    let mut left = offset_utf16;
    for (byte, character) in text.char_indices() {
        if left == 0 {
            return Some(byte);
        }
        left = left.checked_sub(character.len_utf16())?;
    }
    (left == 0).then_some(text.len())
}

/// The length of the first `chars` characters, in code units.
fn utf16_before(text: &str, chars: usize) -> usize {
    text.chars().take(chars).map(char::len_utf16).sum()
}

/// How much of a long value is shown on either side of the place that matters, in characters.
const SHOWN: usize = 60;

/// The beginning of a long value, for eyes.
fn shortened(text: &str) -> String {
    let end = text.char_indices().nth(2 * SHOWN).map_or(text.len(), |(end, _)| end);
    let more = if end < text.len() { "…" } else { "" };
    format!("{:?}{more}", &text[..end])
}

/// Two texts as far as they matter: where they begin to differ. Equal ones stay equal.
fn around_difference(left: &str, right: &str) -> (String, String) {
    let common = left.chars().zip(right.chars()).take_while(|(left, right)| left == right).count();
    let show = |text: &str| {
        let shown = text.chars().skip(common.saturating_sub(SHOWN)).take(2 * SHOWN);
        format!("at character {common}: {:?}", shown.collect::<String>())
    };
    match left == right {
        true => (String::new(), String::new()),
        // Two that differ behind what is shown would look alike.
        false => (show(left), format!("{} ({} bytes)", show(right), right.len())),
    }
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}
