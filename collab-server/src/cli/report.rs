//! What a command tells: a bar on a terminal while it works, and one line when it is done, for a
//! person on a terminal and as JSON elsewhere.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

/// A bar on the terminal's standard error; nothing where that is no terminal.
pub(super) fn bar(total: Option<u64>, what: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match total {
        Some(total) => (
            ProgressBar::new(total),
            "{msg} {wide_bar} {human_pos} of {human_len}, {per_sec}, {eta} left",
        ),
        None => (ProgressBar::new_spinner(), "{spinner} {msg} {human_pos}, {per_sec}"),
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar.set_message(what.to_owned());
    bar
}

/// Where the last line goes: what a command is asked for has standard output for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReportTo {
    Output,
    Error,
}

/// Says what was done.
pub(super) fn report(to: ReportTo, sentence: &str, fields: &Value) {
    let line = |is_terminal: bool| match is_terminal {
        true => sentence.to_owned(),
        false => fields.to_string(),
    };
    // Nobody may be there to read it; then nothing is to be said.
    let _ = match to {
        ReportTo::Output => {
            let out = std::io::stdout();
            writeln!(&out, "{}", line(out.is_terminal()))
        }
        ReportTo::Error => {
            let out = std::io::stderr();
            writeln!(&out, "{}", line(out.is_terminal()))
        }
    };
}
