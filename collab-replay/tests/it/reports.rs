//! Every report in `tests/reports` plays as its name says, and planted faults are found.
//!
//! A report that somebody has sent becomes a regression test by lying in that folder: until the
//! fault is mended it fails as it did for them. `CONCORD_TEST_REPORT=file` plays one that lies
//! elsewhere, under a debugger or with prints in the engine.

use std::path::PathBuf;

use collab_replay::{Divergence, Kind, Outcome, Report, Summary, replay};
use ot_core::testing::{Bug, plant};

/// The reports in which something is wrong, what it is, and at which event: see the Node tests that
/// record them (`wasm-client/js/test/report.test.ts`).
const DIVERGING: [(&str, Kind); 2] =
    [("diverged.report", Kind::ServerCheck), ("diverged-redacted.report", Kind::ServerCheck)];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reports")
}

pub(crate) fn bytes_of(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).expect("a report of that name")
}

fn read(bytes: &[u8]) -> Report {
    Report::read(bytes).expect("a report")
}

fn play(bytes: &[u8]) -> Outcome {
    replay(&read(bytes), |_| ())
}

#[track_caller]
fn matches(name: &str) -> Summary {
    match play(&bytes_of(name)) {
        Outcome::Matches(summary) => summary,
        Outcome::Diverges(divergence) => panic!("{name}: {divergence:#?}"),
    }
}

#[track_caller]
fn diverges(bytes: &[u8]) -> Divergence {
    match play(bytes) {
        Outcome::Diverges(divergence) => *divergence,
        Outcome::Matches(summary) => panic!("it matches: {summary:?}"),
    }
}

/// The report with one line changed: the first event that holds `mark`.
fn corrupted(name: &str, mark: &str, change: impl Fn(&str) -> String) -> (Vec<u8>, usize) {
    let text = String::from_utf8(bytes_of(name)).expect("UTF-8");
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let at = lines.iter().position(|line| line.contains(mark)).expect("a line with the mark");
    lines[at] = change(&lines[at]);
    (lines.concat().into_bytes(), at)
}

#[test]
fn every_report_in_the_folder_plays_as_its_name_says() {
    let mut names: Vec<String> = std::fs::read_dir(folder())
        .expect("the folder")
        .map(|file| file.expect("a file").file_name().into_string().expect("a plain name"))
        .filter(|name| name.ends_with(".report"))
        .collect();
    names.sort();
    assert!(names.len() >= 8, "{names:?}");
    for name in names {
        match DIVERGING.iter().find(|(diverging, _)| *diverging == name) {
            None => {
                matches(&name);
            }
            Some((_, kind)) => {
                assert_eq!(diverges(&bytes_of(&name)).difference.kind, *kind, "{name}");
            }
        }
    }
}

#[test]
fn a_given_report_matches() {
    let given = std::env::var_os("CONCORD_TEST_REPORT").map(PathBuf::from);
    let file = given.unwrap_or_else(|| folder().join("short.report"));
    let outcome = play(&std::fs::read(&file).expect("a file"));
    assert!(matches!(outcome, Outcome::Matches(_)), "{}: {outcome:#?}", file.display());
}

#[test]
fn a_long_session_with_undo_and_lost_connections_plays_to_its_end() {
    let summary = matches("long.report");
    assert!(summary.submissions > 100 && summary.checks > 5, "{summary:?}");
    assert!(summary.texts > 600, "{summary:?}");
    assert_eq!(summary.taken_over, 0, "it has its beginning, so every undo is played");
    let redacted = matches("long-redacted.report");
    assert_eq!(redacted, summary, "redacted it does the same in the same places");
}

#[test]
fn a_report_without_its_beginning_takes_over_what_an_undo_did() {
    let summary = matches("rolled.report");
    assert!(summary.taken_over > 0, "{summary:?}");
    assert_eq!(matches("rolled-redacted.report"), summary);
}

#[test]
fn a_check_that_fails_is_named_with_both_hashes() {
    let divergence = diverges(&bytes_of("diverged.report"));
    assert_eq!(divergence.difference.kind, Kind::ServerCheck);
    assert_eq!(divergence.difference.claimed, "badc0ffee0ddf00d");
    let text = String::from_utf8(bytes_of("diverged.report")).expect("UTF-8");
    let line = text.lines().nth(divergence.line - 1).expect("the line");
    assert!(line.contains("badc0ffee0ddf00d"), "{line}");
    let redacted = diverges(&bytes_of("diverged-redacted.report"));
    assert_eq!((redacted.event, redacted.revision), (divergence.event, divergence.revision));
}

/// An operation of somebody else that begins with an insert.
const INSERTS: &str = "{\"op\":[\"";

#[test]
fn a_frame_that_was_changed_on_the_way_is_named() {
    // An operation that inserts something else: the text differs at its event.
    let (bytes, _) =
        corrupted("long.report", INSERTS, |line| line.replacen(INSERTS, "{\"op\":[\"?", 1));
    let divergence = diverges(&bytes);
    assert_eq!(divergence.difference.kind, Kind::Text, "{divergence:?}");
    assert!(divergence.title.starts_with("receive"), "{divergence:?}");
    // A sent submission with another number.
    let (bytes, at) = corrupted("long.report", "\\\"seq\\\":9,", |line| {
        line.replace("\\\"seq\\\":9,", "\\\"seq\\\":8,")
    });
    let divergence = diverges(&bytes);
    assert_eq!((divergence.difference.kind, divergence.event), (Kind::Submission, at));
    // A check.
    let (bytes, at) =
        corrupted("short.report", "\"check\"", |line| line.replace("check\":\"", "check\":\"0"));
    let divergence = diverges(&bytes);
    assert_eq!((divergence.difference.kind, divergence.event), (Kind::ServerCheck, at));
}

#[test]
fn what_a_client_passes_over_or_takes_from_nowhere_is_named() {
    // The event of taking an operation in is gone: the client went on without it.
    let (bytes, at) = corrupted("long.report", "\"e\":\"receive\"", |_| String::new());
    let divergence = diverges(&bytes);
    assert_eq!(divergence.difference.kind, Kind::PassedOver, "{divergence:?}");
    assert!(divergence.event >= at, "{divergence:?}");
    // The frame is gone: the client took in what no frame holds.
    let (bytes, at) = corrupted("long.report", "\"type\":\"ops\"", |_| String::new());
    let divergence = diverges(&bytes);
    assert_eq!(
        (divergence.difference.kind, divergence.event),
        (Kind::Stream, at),
        "{divergence:?}"
    );
}

#[test]
fn every_planted_bug_of_the_engine_shows_in_a_report_of_a_sound_one() {
    let bugs = [
        Bug::ComposeIntoInFlight,
        Bug::ResendRebased,
        Bug::TiesByArrival,
        Bug::ForgetBufferOnReject,
        Bug::StaleUndo,
    ];
    for bug in bugs {
        plant(Some(bug));
        let outcome = play(&bytes_of("long.report"));
        plant(None);
        assert!(matches!(outcome, Outcome::Diverges(_)), "{bug:?} does not show");
    }
}

#[test]
fn the_page_shows_a_report_that_plays() {
    let page = include_str!("../../../docs/reports.md");
    let (_, example) = page.split_once("```json report\n").expect("the example");
    let (example, _) = example.split_once("```").expect("its end");
    assert_eq!(example.as_bytes(), bytes_of("short.report"));
    let summary = matches("short.report");
    assert_eq!((summary.submissions, summary.checks, summary.len_chars), (1, 1, 3));
    for kind in [
        Kind::Text,
        Kind::Revision,
        Kind::Answer,
        Kind::Submission,
        Kind::Selection,
        Kind::State,
        Kind::ServerCheck,
        Kind::Stream,
        Kind::PassedOver,
        Kind::FalseAlarm,
        Kind::BrokeOff,
        Kind::NoEngine,
    ] {
        assert!(page.contains(&format!("`{}`", kind.name())), "{kind:?} is explained");
    }
}
