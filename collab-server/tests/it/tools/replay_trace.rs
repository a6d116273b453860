//! `replay-trace`, as whoever has been sent a report runs it.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

fn report(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../collab-replay/tests/reports").join(name)
}

/// Runs it in a folder that is none, without any setting: it needs no database.
fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_collab-server"));
    command.env_clear().arg("replay-trace").args(arguments);
    command.output().expect("the program runs")
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn path(name: &str) -> String {
    report(name).to_str().expect("UTF-8").to_owned()
}

#[test]
fn a_sound_report_matches_and_says_how_much_was_compared() {
    let output = run(&[&path("long.report")]);
    assert_eq!(output.status.code(), Some(0));
    let told = lines(&output);
    assert_eq!((told.len(), &told[0]["outcome"]), (1, &Value::from("matches")));
    assert!(told[0]["submissions"].as_u64() > Some(100), "{told:?}");
    assert!(output.stderr.is_empty());
}

#[test]
fn the_first_event_that_is_wrong_is_named() {
    let output = run(&[&path("diverged.report")]);
    assert_eq!(output.status.code(), Some(1));
    let told = lines(&output).remove(0);
    assert_eq!((&told["outcome"], &told["kind"]), (&"differs".into(), &"server_check".into()));
    assert_eq!(told["report"], "badc0ffee0ddf00d");
    let file = std::fs::read_to_string(report("diverged.report")).expect("the report");
    let line = told["line"].as_u64().expect("a line") as usize;
    assert!(file.lines().nth(line - 1).expect("the line").contains("badc0ffee0ddf00d"));

    // The text right before it, with nothing else on standard output.
    let before = (told["event"].as_u64().expect("an event") - 1).to_string();
    let output = run(&[&path("diverged.report"), "--text-at", &before]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "SecAbc 12ret: 😀 Ünïcode?");
}

#[test]
fn each_step_can_be_told() {
    let told = lines(&run(&[&path("short.report"), "--steps"]));
    let events = std::fs::read_to_string(report("short.report")).expect("it").lines().count() - 1;
    assert_eq!(told.len(), events + 1, "and what came of it");
    assert_eq!((&told[0]["event"], &told[0]["revision"]), (&1.into(), &Value::Null));
    assert_eq!(told[events - 1]["hash"], "59d35e6c894934a8");
}

#[test]
fn what_cannot_be_played_is_an_error_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let cut = folder.path().join("cut.report");
    let whole = std::fs::read(report("short.report")).expect("the report");
    std::fs::write(&cut, &whole[..whole.len() - 5]).expect("written");
    for (file, reason) in [
        (cut.to_str().expect("UTF-8").to_owned(), "the report was cut off"),
        ("/nowhere/x".to_owned(), "/nowhere/x"),
        (path("../it/main.rs"), "no header of a report"),
    ] {
        let output = run(&[&file]);
        assert_eq!(output.status.code(), Some(2), "{file}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(reason) && said.lines().count() == 1, "{said}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn the_help_says_what_it_does_and_what_the_exit_code_means() {
    let help = String::from_utf8(run(&["--help"]).stdout).expect("UTF-8");
    for part in ["--steps", "--text-at", "Exit code: 0 everything matches", "docs/reports.md"] {
        assert!(help.contains(part), "{part}\n{help}");
    }
}
