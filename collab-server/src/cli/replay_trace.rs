//! `collab-server replay-trace`: plays a report of a browser's client against the engine, and names
//! the first event at which the two differ. Needs no database.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use collab_replay::{
    BYTES_MAX, Divergence, Header, Outcome, Report, ReportError, Step, Summary, replay,
};
use serde_json::json;

use super::import::open;
use super::report::{ReportTo, report};
use super::tool::ToolError;

/// What to play, and what to tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayTraceArguments {
    /// The report; `-` is standard input.
    pub file: PathBuf,
    /// Whether each event is told.
    pub steps: bool,
    /// The event after which the text is printed, from 1; the last that is played where it is later.
    pub text_at: Option<usize>,
}

/// Why a report cannot be played.
#[derive(Debug, thiserror::Error)]
enum ReplayTraceError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] ToolError),
    /// It is no report.
    #[error("{}: {source}", file.display())]
    Report {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        source: ReportError,
    },
}

/// Exit code when client and engine differ.
const DIFFERS: u8 = 1;

/// Exit code when the report cannot be played.
const UNPLAYED: u8 = 2;

pub(super) fn command() -> Command {
    Command::new("replay-trace")
        .about("Play a report of a browser's session, and name the first event that is wrong")
        .long_about(
            "Play a report of a browser's session (\u{201c}Copy report\u{201d} in the app) against \
             the engine itself: every edit, every frame that came in, every frame that went out. \
             At each event the text, the revision and the submission in flight are compared with \
             what the browser had, and the server's checks with the text. Names the first event at \
             which they differ, or says that everything matches. Needs no database. \
             docs/reports.md describes the file.\n\n\
             Exit code: 0 everything matches, 1 something differs, 2 the report cannot be played.",
        )
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("Report to play, compressed by gzip or not; - is standard input"),
        )
        .arg(
            Arg::new("steps")
                .long("steps")
                .action(ArgAction::SetTrue)
                .help("Tell each event, with the engine's revision and text hash after it"),
        )
        .arg(
            Arg::new("text-at")
                .long("text-at")
                .value_name("EVENT")
                .value_parser(value_parser!(usize))
                .help("Print the text after this event to standard output, and nothing else there"),
        )
}

pub(super) fn arguments(matches: &ArgMatches) -> Option<ReplayTraceArguments> {
    Some(ReplayTraceArguments {
        file: matches.get_one::<PathBuf>("file")?.clone(),
        steps: matches.get_flag("steps"),
        text_at: matches.get_one::<usize>("text-at").copied(),
    })
}

/// Plays the report, tells what came of it, and gives the exit code.
#[must_use]
pub fn replay_trace(arguments: &ReplayTraceArguments) -> ExitCode {
    match play(arguments) {
        Ok(Outcome::Matches(_)) => ExitCode::SUCCESS,
        Ok(Outcome::Diverges(_)) => ExitCode::from(DIFFERS),
        Err(error) => {
            eprintln!("collab-server replay-trace: {error:#}");
            ExitCode::from(UNPLAYED)
        }
    }
}

fn play(arguments: &ReplayTraceArguments) -> Result<Outcome, ReplayTraceError> {
    let bytes = read(&arguments.file)?;
    let told = Report::read(&bytes)
        .map_err(|source| ReplayTraceError::Report { file: arguments.file.clone(), source })?;
    // Where the text has standard output for itself, the rest goes beside it.
    let to = if arguments.text_at.is_some() { ReportTo::Error } else { ReportTo::Output };
    let mut text = None;
    let outcome = replay(&told, |step| {
        if arguments.steps {
            tell_step(to, &step);
        }
        if arguments.text_at.is_some_and(|at| step.number <= at) {
            text = step.text();
        }
    });
    if let Some(text) = text {
        // Nobody may be there to read it; then nothing is to be said.
        let _ = std::io::stdout().write_all(text.as_bytes());
    }
    match &outcome {
        Outcome::Matches(summary) => tell_match(to, &told.header, summary),
        Outcome::Diverges(divergence) => tell_difference(to, &told.header, divergence),
    }
    Ok(outcome)
}

fn read(file: &Path) -> Result<Vec<u8>, ToolError> {
    let mut bytes = Vec::new();
    // One more than a report may have, so that a longer one is told from one that ends there.
    let read = open(file)?.take(BYTES_MAX as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|source| ToolError::File { file: file.to_owned(), source })?;
    Ok(bytes)
}

fn seconds(t_ms: f64) -> String {
    format!("{:.3} s", t_ms / 1000.0)
}

fn tell_step(to: ReportTo, step: &Step<'_>) {
    let (title, t_ms) = (step.event.title(), step.event.t);
    let state = match (step.revision(), step.hash()) {
        (Some(revision), Some(hash)) => format!("revision {revision}, {hash}"),
        _ => "no engine".to_owned(),
    };
    let sentence = format!("{:>6}  {:>10}  {title}  ({state})", step.number, seconds(t_ms));
    let fields = json!({
        "event": step.number, "t_ms": t_ms, "title": title, "revision": step.revision(),
        "hash": step.hash(),
    });
    report(to, &sentence, &fields);
}

/// Whose session it was, as far as a report tells.
fn origin(header: &Header) -> String {
    let redacted = if header.redacted { ", redacted" } else { "" };
    let trouble = match header.trouble.as_str() {
        "" => String::new(),
        code => format!(", kept for {code}"),
    };
    format!("Report of document {}, from {}{redacted}{trouble}", header.doc, header.started)
}

fn tell_match(to: ReportTo, header: &Header, summary: &Summary) {
    let taken_over = match summary.taken_over {
        0 => String::new(),
        count => format!(
            "\n{count} undos or redos reached behind the beginning of the report; what they did is \
             taken from it."
        ),
    };
    let sentence = format!(
        "{}.\nEverything matches: {} events, {} texts, {} submissions, {} checks of the server. \
         It ends at revision {} with {} characters.{taken_over}",
        origin(header),
        summary.events,
        summary.texts,
        summary.submissions,
        summary.checks,
        summary.revision,
        summary.len_chars,
    );
    let fields = json!({
        "outcome": "matches", "document": header.doc, "redacted": header.redacted,
        "trouble": header.trouble, "events": summary.events, "texts": summary.texts,
        "submissions": summary.submissions, "checks": summary.checks,
        "taken_over": summary.taken_over, "revision": summary.revision,
        "len_chars": summary.len_chars, "troubles": summary.troubles,
    });
    report(to, &sentence, &fields);
}

fn tell_difference(to: ReportTo, header: &Header, divergence: &Divergence) {
    let Divergence { event, line, t_ms, title, difference, revision } = divergence;
    let sentence = format!(
        "{}.\nEvent {event} (line {line}), after {}: {}.\n  event   {title}\n  report  {}\n  \
         engine  {}\nUp to there everything matches; the engine was at revision {revision}. \
         --text-at {} prints its text.",
        origin(header),
        seconds(*t_ms),
        difference.kind,
        difference.claimed,
        difference.found,
        event - 1,
    );
    let fields = json!({
        "outcome": "differs", "document": header.doc, "redacted": header.redacted,
        "trouble": header.trouble, "event": event, "line": line, "t_ms": t_ms, "title": title,
        "kind": difference.kind.name(), "report": difference.claimed, "engine": difference.found,
        "revision": revision,
    });
    report(to, &sentence, &fields);
}
