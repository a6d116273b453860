//! One line per step: what is done, and how long it took. Long output is shown only when a step fails.

use std::io::IsTerminal;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::{interrupt, paths, process};

/// Does something under a title; prints the title, then the time it took or that it failed.
///
/// `work` returns a remark for the line's end (may be empty) beside its result.
pub(crate) fn step<T>(title: &str, work: impl FnOnce() -> Result<(T, String)>) -> Result<T> {
    interrupt::check()?;
    say(None, |titles| titles.push(title.to_owned()));
    let started = Instant::now();
    let result = work();
    let seconds = started.elapsed().as_secs_f64();
    let (line, result) = match result {
        Ok((value, remark)) => {
            let remark = if remark.is_empty() { remark } else { format!(" ({remark})") };
            (format!("  ok    {title}{remark}  {seconds:.1} s"), Ok(value))
        }
        Err(error) => (format!("  FAIL  {title}  {seconds:.1} s"), Err(error)),
    };
    say(Some(&line), |titles| {
        if let Some(at) = titles.iter().position(|one| one == title) {
            titles.remove(at);
        }
    });
    result
}

/// A line of its own.
pub(crate) fn remark(line: &str) {
    say(Some(line), |_| ());
}

/// Prints a line, and below it on a terminal what is under way then, in one go: steps may run beside each other.
fn say(line: Option<&str>, change: impl FnOnce(&mut Vec<String>)) {
    static UNDER_WAY: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let mut titles = UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner);
    change(&mut titles);
    let mut text = line.map(|line| format!("{line}\n")).unwrap_or_default();
    if std::io::stderr().is_terminal() {
        text.insert_str(0, "\r\u{1b}[K");
        if !titles.is_empty() {
            text.push_str("  ....  ");
            text.push_str(&titles.join(", "));
        }
    }
    eprint!("{text}");
}

/// A step that nothing had to be done for.
pub(crate) fn fresh(title: &str) {
    remark(&format!("  ok    {title} (up to date)"));
}

/// Runs one command as a step; its output is shown only if it fails.
pub(crate) fn run(title: &str, command: &mut Command) -> Result<()> {
    run_for_output(title, command).map(drop)
}

/// Like [`run`], and returns what the command printed.
pub(crate) fn run_for_output(title: &str, command: &mut Command) -> Result<String> {
    step(title, || quiet(command).map(|output| (output, String::new())))
}

/// Runs a command; on failure its output is printed and the error carries the line to run it again.
pub(crate) fn quiet(command: &mut Command) -> Result<String> {
    let line = describe(command);
    let finished =
        process::capture(command, None).with_context(|| format!("`{line}` did not run"))?;
    if !finished.status.success() {
        eprintln!("\n{}", finished.output.trim_end());
        bail!("failed ({}); to run it again: {line}", finished.status);
    }
    Ok(finished.output)
}

/// Runs a command that speaks for itself: its output goes straight to the terminal.
pub(crate) fn loud(title: &str, command: &mut Command) -> Result<()> {
    interrupt::check()?;
    let line = describe(command);
    eprintln!("  ....  {title}: {line}");
    let started = Instant::now();
    let status = process::Process::start(command)?.wait(None)?;
    let seconds = started.elapsed().as_secs_f64();
    if !status.success() {
        eprintln!("  FAIL  {title}  {seconds:.1} s");
        bail!("{title} failed ({status}); to run it again: {line}");
    }
    eprintln!("  ok    {title}  {seconds:.1} s");
    Ok(())
}

/// A command as one would type it at the root, with its folder and the variables it was given.
fn describe(command: &Command) -> String {
    let mut words = Vec::new();
    if let Some(folder) = command.get_current_dir().filter(|folder| **folder != paths::root()) {
        words.push(format!("cd {} &&", paths::display(folder)));
    }
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            words.push(format!("{}={}", name.to_string_lossy(), quote(&value.to_string_lossy())));
        }
    }
    words.push(quote(&command.get_program().to_string_lossy()));
    words.extend(command.get_args().map(|arg| quote(&arg.to_string_lossy())));
    words.join(" ")
}

fn quote(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=@,+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_command_can_be_copied_from_the_message() {
        let mut command = Command::new("npm");
        command.args(["run", "it's here"]).current_dir(paths::at("web")).env("CI", "true");
        assert_eq!(describe(&command), r"cd web && CI=true npm run 'it'\''s here'");
    }
}
