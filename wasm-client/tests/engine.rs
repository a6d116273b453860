//! The engine against a model of an editor that counts UTF-16, and engines among themselves.

use ot_core::{Component, Operation, Text, transform_pending};
use proptest::prelude::*;
use wasm_client::convert::RangeError;
use wasm_client::engine::{EditError, Engine, OutOfStep, Taken};

const NO_LIMIT: usize = usize::MAX;

/// An editor as a browser has it: code units, and patches applied as they come.
struct Editor {
    units: Vec<u16>,
}

impl Editor {
    fn showing(engine: &Engine) -> Editor {
        Editor { units: engine.text().encode_utf16().collect() }
    }

    fn text(&self) -> String {
        String::from_utf16(&self.units).expect("the editor holds whole characters")
    }

    fn take_patches(&mut self, engine: &mut Engine) {
        let numbers = engine.take_patch_numbers();
        let text: Vec<u16> = engine.take_patch_text().encode_utf16().collect();
        let mut rest = text.as_slice();
        for change in numbers.chunks(3) {
            let [at, deleted, inserted] = [0, 1, 2].map(|index| change[index] as usize);
            let (new, later) = rest.split_at(inserted);
            self.units.splice(at..at + deleted, new.iter().copied());
            rest = later;
        }
        assert!(rest.is_empty(), "every inserted text belongs to a patch");
    }

    /// A place between characters, chosen by a fraction of the length.
    fn boundary(&self, choice: u16) -> usize {
        let at = usize::from(choice) * self.units.len() / usize::from(u16::MAX);
        let low = self.units.get(at).is_some_and(|unit| (0xdc00..0xe000).contains(unit));
        if low { at - 1 } else { at }
    }
}

/// One tab: engine and editor, and what the server has told it so far.
struct Replica {
    engine: Engine,
    editor: Editor,
    client: usize,
}

impl Replica {
    fn new(client: usize, text: &str) -> Replica {
        let engine = Engine::new(text, 0, 1);
        Replica { editor: Editor::showing(&engine), engine, client }
    }

    fn edit(&mut self, from: u16, to: u16, text: &str) {
        let (from, to) = (self.editor.boundary(from), self.editor.boundary(to));
        let (at, end) = (from.min(to), from.max(to).min(from.min(to) + 6));
        let end = if self.editor.units.get(end).is_some_and(|unit| (0xdc00..0xe000).contains(unit))
        {
            end + 1
        } else {
            end
        };
        self.editor.units.splice(at..end, text.encode_utf16());
        self.engine.edit(at, end - at, text, 0).expect("whole characters of the text");
        self.check();
    }

    fn check(&mut self) {
        self.editor.take_patches(&mut self.engine);
        assert_eq!(self.editor.text(), self.engine.text());
        self.engine.check_invariants();
    }
}

/// The server: commits in order, rebases what comes late, knows what it has.
struct Server {
    log: Vec<(Operation, usize, u64)>,
    text: Text,
}

impl Server {
    fn new(text: &str) -> Server {
        Server { log: Vec::new(), text: Text::from(text) }
    }

    fn submit(&mut self, replica: &mut Replica, components_max: usize, bytes_max: usize) {
        if replica.engine.take_submission(components_max, bytes_max) == Taken::Nothing
            && !replica.engine.has_outstanding()
        {
            return;
        }
        let (seq, revision, mut op) = parse(&replica.engine.outstanding_fields());
        assert!(op.component_count() <= components_max && op.inserted_bytes() <= bytes_max.max(4));
        if self.log.iter().any(|(_, client, known)| (*client, *known) == (replica.client, seq)) {
            return; // a resend
        }
        for (committed, ..) in &self.log[revision as usize..] {
            op = transform_pending(&op, committed).expect("the base is the revision it names");
        }
        self.text.apply(&op).expect("rebased to the head");
        self.log.push((op, replica.client, seq));
    }

    /// Tells a replica up to `count` revisions more.
    fn tell(&self, replica: &mut Replica, count: usize) {
        for _ in 0..count {
            let revision = replica.engine.revision();
            let Some((op, client, seq)) = self.log.get(revision as usize) else { return };
            if *client == replica.client {
                replica.engine.acknowledge(*seq, revision + 1).expect("its own submission");
            } else {
                replica.engine.receive(&fields(op), revision + 1).expect("the next operation");
            }
            replica.check();
        }
    }
}

/// An operation as JavaScript gives it.
fn fields(op: &Operation) -> String {
    let fields: Vec<String> = op
        .components()
        .map(|component| match component {
            Component::Retain(len) => len.to_string(),
            Component::Delete(len) => format!("-{len}"),
            Component::Insert(text) => format!("\"{text}"),
        })
        .collect();
    fields.join("\0")
}

/// Reads number, revision and operation of a submission.
fn parse(submission: &str) -> (u64, u64, Operation) {
    let mut fields = submission.split('\0');
    let mut number = || fields.next().and_then(|digits| digits.parse().ok()).expect("a number");
    let (seq, revision) = (number(), number());
    let mut op = Operation::builder();
    for field in fields.skip(1) {
        op = match (field.strip_prefix('"'), field.strip_prefix('-')) {
            (Some(text), _) => op.insert(text),
            (_, Some(len)) => op.delete(len.parse().expect("a length")),
            _ => op.retain(field.parse().expect("a length")),
        };
    }
    (seq, revision, op.build().expect("short"))
}

#[derive(Debug, Clone)]
enum Step {
    Edit { who: usize, from: u16, to: u16, text: String },
    Diff { who: usize, from: u16, to: u16, text: String },
    Undo { who: usize },
    Redo { who: usize },
    Hold { who: usize },
    Release { who: usize },
    Select { who: usize, at: u16 },
    Submit { who: usize },
    Tell { who: usize, count: usize },
    Reload { who: usize },
    Reject { who: usize },
    Rejoin { who: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let text = prop_oneof![
        3 => "[a-cé😀\n]{1,3}",
        1 => "[xyz🚀]{20,30}",
        2 => Just(String::new()),
    ];
    let who = 0..3usize;
    let step = prop_oneof![
        8 => (who.clone(), any::<u16>(), any::<u16>(), text.clone())
            .prop_map(|(who, from, to, text)| Step::Edit { who, from, to, text }),
        2 => (who.clone(), any::<u16>(), any::<u16>(), text)
            .prop_map(|(who, from, to, text)| Step::Diff { who, from, to, text }),
        2 => who.clone().prop_map(|who| Step::Undo { who }),
        1 => who.clone().prop_map(|who| Step::Redo { who }),
        1 => who.clone().prop_map(|who| Step::Hold { who }),
        1 => who.clone().prop_map(|who| Step::Release { who }),
        2 => (who.clone(), any::<u16>()).prop_map(|(who, at)| Step::Select { who, at }),
        6 => who.clone().prop_map(|who| Step::Submit { who }),
        6 => (who.clone(), 1..4usize).prop_map(|(who, count)| Step::Tell { who, count }),
        1 => who.clone().prop_map(|who| Step::Reload { who }),
        1 => who.clone().prop_map(|who| Step::Reject { who }),
        1 => who.prop_map(|who| Step::Rejoin { who }),
    ];
    prop::collection::vec(step, 1..60)
}

fn take(step: Step, replicas: &mut [Replica], server: &mut Server) {
    match step {
        Step::Edit { who, from, to, text } => replicas[who].edit(from, to, &text),
        Step::Diff { who, from, to, text } => {
            let replica = &mut replicas[who];
            let (from, to) = (replica.editor.boundary(from), replica.editor.boundary(to));
            replica.editor.units.splice(from.min(to)..from.max(to), text.encode_utf16());
            let caret = from.min(to) + text.encode_utf16().count();
            let shown = replica.editor.text();
            replica.engine.edit_by_diff(&shown, Some(caret), 0).expect("plain text");
            replica.check();
        }
        Step::Undo { who } => travel(&mut replicas[who], Engine::undo),
        Step::Redo { who } => travel(&mut replicas[who], Engine::redo),
        Step::Hold { who } => replicas[who].engine.hold(),
        Step::Release { who } => {
            replicas[who].engine.release();
            replicas[who].check();
        }
        Step::Select { who, at } => {
            let at = replicas[who].editor.boundary(at);
            replicas[who].engine.set_selection(at, 0);
            let session = replicas[who].client as u32;
            let [next, after] = [(who + 1) % 3, (who + 2) % 3];
            replicas[next].engine.set_presence(session, &[at as u32, 0, 1, u32::MAX]);
            replicas[after].engine.set_presence(session, &[]);
        }
        Step::Submit { who } => server.submit(&mut replicas[who], 8, 24),
        Step::Tell { who, count } => server.tell(&mut replicas[who], count),
        Step::Reload { who } => {
            let state = replicas[who].engine.save();
            let outstanding = replicas[who].engine.outstanding_fields();
            let local = {
                replicas[who].engine.release();
                replicas[who].engine.text()
            };
            replicas[who].engine = Engine::restore(&state, true).expect("its own state");
            assert_eq!(replicas[who].engine.text(), local);
            assert_eq!(
                replicas[who].engine.outstanding_fields(),
                outstanding,
                "frozen over a reload"
            );
            assert_eq!(replicas[who].engine.save(), state);
            replicas[who].editor = Editor::showing(&replicas[who].engine);
        }
        Step::Reject { who } => reject(&mut replicas[who], server),
        Step::Rejoin { who } => {
            let client = replicas[who].client;
            let last = server.log.iter().rev().find(|(_, by, _)| *by == client);
            let last_seq = last.map_or(0, |(.., seq)| *seq);
            let (text, head) = (server.text.to_string(), server.log.len() as u64);
            replicas[who].engine.reset(&text, head, last_seq).expect("short texts");
            replicas[who].check();
        }
    }
}

fn travel(replica: &mut Replica, step: fn(&mut Engine) -> Option<usize>) {
    let caret = step(&mut replica.engine);
    replica.check();
    if let Some(caret) = caret {
        assert!(caret <= replica.editor.units.len());
        let low = replica.editor.units.get(caret);
        assert!(low.is_none_or(|unit| !(0xdc00..0xe000).contains(unit)), "a caret inside a pair");
    }
}

/// A final reject of what the server has not seen.
fn reject(replica: &mut Replica, server: &Server) {
    let Some(seq) = replica.engine.outstanding_seq() else { return };
    if server.log.iter().any(|(_, client, known)| (*client, *known) == (replica.client, seq)) {
        return;
    }
    replica.engine.reject(seq).expect("it is outstanding");
    replica.check();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn replicas_and_server_end_with_one_text(start in "[ab😀\n]{0,12}", steps in steps()) {
        let mut server = Server::new(&start);
        let mut replicas = [0, 1, 2].map(|client| Replica::new(client, &start));
        for step in steps {
            take(step, &mut replicas, &mut server);
        }
        for _ in 0..200 {
            if replicas.iter().all(|replica| {
                !replica.engine.has_pending() && replica.engine.revision() == server.log.len() as u64
            }) {
                break;
            }
            for replica in &mut replicas {
                server.submit(replica, 8, 24);
                server.tell(replica, NO_LIMIT);
            }
        }
        for replica in &mut replicas {
            replica.engine.release();
            replica.check();
            prop_assert_eq!(replica.engine.text(), server.text.to_string());
            prop_assert_eq!(replica.engine.hash_hex(), server.text.hash().to_hex());
        }
    }

    #[test]
    fn any_state_text_is_read_or_refused(state in "([0-9]{0,3}[:;][a-z😀\\x00\",-]{0,9}){0,12}") {
        let _ = Engine::restore(&state, true);
    }

    #[test]
    fn a_damaged_state_is_refused_or_sound(at in any::<prop::sample::Index>(), digit in 0..10u8) {
        let mut engine = Engine::new("one 😀 text", 7, 3);
        engine.edit(0, 3, "two", 0).expect("in the text");
        engine.take_submission(NO_LIMIT, NO_LIMIT);
        engine.edit(4, 2, "smile", 0).expect("in the text");
        let mut state: Vec<u8> = engine.save().into_bytes();
        let at = at.index(state.len());
        state[at] = b'0' + digit;
        if let Ok(state) = String::from_utf8(state)
            && let Some(engine) = Engine::restore(&state, true)
        {
            engine.check_invariants();
        }
    }
}

#[test]
fn an_edit_inside_a_pair_is_refused_or_widened() {
    let mut engine = Engine::new("a😀b", 0, 1);
    let inside = Err(EditError::Range(RangeError::InsidePair));
    assert_eq!(engine.edit(2, 1, "", 0), inside);
    assert_eq!(engine.edit(0, 2, "x", 0), inside);
    assert_eq!(engine.text(), "a😀b");
    assert!(!engine.has_pending());
    engine.edit_widened(2, 1, "", 0).expect("in the text");
    assert_eq!(engine.text(), "ab");
}

#[test]
fn what_no_document_contains_is_refused() {
    let mut engine = Engine::new("ab", 0, 1);
    assert_eq!(engine.edit(1, 0, "\r\n", 0), Err(EditError::ForbiddenText));
    assert_eq!(engine.edit(1, 0, "\0", 0), Err(EditError::ForbiddenText));
    assert_eq!(engine.edit_by_diff("a\rb", None, 0), Err(EditError::ForbiddenText));
    assert_eq!(engine.edit(3, 0, "x", 0), Err(EditError::Range(RangeError::Outside)));
    assert!(!engine.has_pending());
}

#[test]
fn what_does_not_fit_changes_nothing() {
    let mut engine = Engine::new("ab", 4, 1);
    for operation in ["", "3", "2\0\"\r", "2\0\"\0", "null", "2.5", "-1", "[2]"] {
        assert_eq!(engine.receive(operation, 5), Err(OutOfStep), "{operation}");
    }
    assert_eq!(engine.receive("2\0\"c", 4), Err(OutOfStep), "the same revision again");
    assert_eq!(engine.acknowledge(1, 5), Err(OutOfStep));
    assert_eq!(engine.reject(1), Err(OutOfStep));
    assert_eq!((engine.text().as_str(), engine.revision()), ("ab", 4));
}

#[test]
fn a_diff_lands_where_the_caret_says() {
    for caret in 1..=4 {
        let mut engine = Engine::new("aaa", 0, 1);
        assert_eq!(engine.edit_by_diff("aaaa", Some(caret), 0), Ok(true));
        engine.take_submission(NO_LIMIT, NO_LIMIT);
        let (.., op) = parse(&engine.outstanding_fields());
        let expected = Operation::splice(3, caret - 1, 0, "a").expect("fits");
        assert_eq!(op, expected, "caret at {caret}");
    }
    let mut engine = Engine::new("aaa", 0, 1);
    assert_eq!(engine.edit_by_diff("aaa", Some(1), 0), Ok(false));
}

#[test]
fn held_patches_wait_and_own_text_goes_on() {
    let mut engine = Engine::new("ab", 0, 1);
    let mut editor = Editor::showing(&engine);
    engine.hold();
    engine.receive("\"remote \x002", 1).expect("fits");
    engine.edit(1, 0, "に", 0).expect("shown text");
    editor.units.splice(1..1, "に".encode_utf16());
    editor.take_patches(&mut engine);
    assert_eq!((editor.text().as_str(), engine.text().as_str()), ("aにb", "aにb"));
    engine.set_selection(2, 2);
    assert_eq!(engine.selection_json(), "[[9,9]]", "in the text the server will have");
    engine.take_submission(NO_LIMIT, NO_LIMIT);
    assert_eq!(engine.outstanding_fields().replace('\0', "|"), "1|1|[[9,9]]|8|\"に|1");
    engine.release();
    editor.take_patches(&mut engine);
    assert_eq!(editor.text(), "remote aにb");
}

#[test]
fn presence_is_carried_over_pending_and_shown_text() {
    let mut engine = Engine::new("a😀b", 0, 1);
    engine.edit(0, 0, "😀", 0).expect("in the text");
    engine.set_presence(7, &[1, 2]);
    assert_eq!(engine.presence(), [7, 1, 3, 5]);
    engine.hold();
    engine.receive("\"xyz\x003", 1).expect("fits");
    assert_eq!(engine.presence(), [7, 1, 3, 5], "where the editor shows it");
    engine.release();
    assert_eq!(engine.presence(), [7, 1, 6, 8]);
    engine.set_presence(7, &[99, 99]);
    assert_eq!(engine.presence(), [7, 1, 9, 9], "an end behind the text is its end");
    engine.set_presence(7, &[]);
    assert!(engine.presence().is_empty());
}

#[test]
fn presence_is_where_the_server_has_it_whatever_was_pending_here() {
    let mut engine = Engine::new("x", 0, 1);
    engine.set_presence(7, &[1, 1]);
    engine.edit(0, 0, "a", 0).expect("in the text");
    engine.take_submission(100, 100);
    engine.edit(1, 0, "b", 0).expect("in the text");
    assert_eq!(engine.presence(), [7, 1, 3, 3], "abx|");
    // Somebody takes the character away behind which the caret stood. In the server's text nothing is
    // left then, and what was typed here comes in behind the caret.
    engine.receive("-1", 1).expect("fits");
    assert_eq!(engine.presence(), [7, 1, 0, 0], "|ab");
    engine.acknowledge(1, 2).expect("it was outstanding");
    assert_eq!(engine.presence(), [7, 1, 0, 0]);
    engine.take_submission(100, 100);
    engine.acknowledge(2, 3).expect("it was outstanding");
    assert_eq!(engine.presence(), [7, 1, 0, 0]);
}

#[test]
fn a_state_can_be_read_without_its_pending_work() {
    let mut engine = Engine::new("common 😀", 3, 1);
    engine.edit(0, 6, "mine", 0).expect("in the text");
    engine.take_submission(NO_LIMIT, NO_LIMIT);
    engine.edit(0, 0, "all ", 0).expect("in the text");
    let state = engine.save();
    let other = Engine::restore(&state, false).expect("its own state");
    assert_eq!((other.text().as_str(), other.revision()), ("common 😀", 3));
    assert!(!other.has_pending());
    assert!(Engine::restore("", true).is_none());
    assert!(Engine::restore(&state[..state.len() - 1], true).is_none());
    assert!(Engine::restore(&state.replace("concord-2", "concord-1"), true).is_none());
}

#[test]
fn a_long_text_is_typed_at_and_deleted_as_a_whole() {
    let mut engine = Engine::new(&"a".repeat(300), 0, 1);
    engine.edit(300, 0, "b", 0).expect("behind the last character");
    engine.edit(0, 301, "", 1).expect("all of it");
    assert_eq!(engine.text(), "");
    engine.edit_by_diff("c", None, 2).expect("a short text");
    assert_eq!(engine.text(), "c");
    engine.check_invariants();
}

#[test]
fn a_split_submission_does_not_tell_a_selection_that_is_not_yet_true() {
    let mut engine = Engine::new("", 0, 1);
    engine.edit(0, 0, "0123456789", 0).expect("in the text");
    engine.set_selection(10, 10);
    assert_eq!(engine.take_submission(8, 4), Taken::Part);
    assert_eq!(engine.outstanding_fields().replace('\0', "|"), "1|0||\"0123");
    assert_eq!(engine.take_submission(8, 4), Taken::Nothing, "one in flight");
    engine.acknowledge(1, 1).expect("outstanding");
    assert_eq!(engine.take_submission(8, 400), Taken::Whole);
    assert_eq!(engine.outstanding_fields().replace('\0', "|"), "2|1|[[10,10]]|4|\"456789");
}
