//! Child processes. Each runs in a process group of its own and is waited for, so that an interrupt or an error ends
//! everything it started, by its id, and nothing else.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::interrupt;

/// How often a wait looks at the child, the deadline and the interrupt flag.
const POLL: Duration = Duration::from_millis(15);

/// How long a child may take to end itself after SIGTERM before it is killed.
const GRACE: Duration = Duration::from_secs(12);

/// A child that is ended, with all it started, when this value goes.
pub(crate) struct Process {
    child: Child,
    name: String,
}

impl Process {
    /// Starts `command` in its own process group, without standard input.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start `{name}`"))?;
        Ok(Self { child, name })
    }

    /// The process id, which is also the id of its group.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended by itself, and how.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| format!("cannot wait for `{}`", self.name))
    }

    /// Waits for the end; an interrupt or the deadline ends the child first.
    ///
    /// # Errors
    /// When interrupted or too late.
    pub(crate) fn wait(&mut self, limit: Option<Duration>) -> Result<ExitStatus> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if interrupt::raised() {
                self.stop();
                bail!("interrupted");
            }
            if limit.is_some_and(|limit| started.elapsed() > limit) {
                self.stop();
                bail!("`{}` took longer than {} s", self.name, started.elapsed().as_secs());
            }
            thread::sleep(POLL);
        }
    }

    /// Asks the whole group to end, and kills it if it does not within [`GRACE`].
    pub(crate) fn stop(&mut self) {
        self.stop_with("TERM");
    }

    /// Like [`Process::stop`], beginning with another signal.
    pub(crate) fn stop_with(&mut self, signal: &str) {
        if matches!(self.child.try_wait(), Ok(None)) {
            signal_group(signal, self.id());
            let started = Instant::now();
            while matches!(self.child.try_wait(), Ok(None)) && started.elapsed() < GRACE {
                thread::sleep(POLL);
            }
        }
        if matches!(self.child.try_wait(), Ok(None)) {
            signal_group("KILL", self.id());
            let _ = self.child.wait();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Sends a signal to a process group through the shell's own `kill`, which every system has.
fn signal_group(signal: &str, id: u32) {
    let _ = Command::new("sh")
        .args(["-c", &format!("kill -{signal} -{id}")])
        .stderr(Stdio::null())
        .status();
}

/// What a finished child printed, both streams in the order they came.
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) output: String,
}

/// Runs a command to its end and keeps what it prints.
pub(crate) fn capture(command: &mut Command, limit: Option<Duration>) -> Result<Finished> {
    let (mut reader, writer) = std::io::pipe().context("cannot make a pipe")?;
    command.stdout(writer.try_clone().context("cannot share a pipe")?).stderr(writer);
    let mut process = Process::start(command)?;
    // The command holds the writing ends; without them the reader sees the end when the child does.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let collector = thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = reader.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let status = process.wait(limit)?;
    let output = collector.join().unwrap_or_default();
    Ok(Finished { status, output })
}

/// The standard output of a short command, trimmed; `None` when it fails or is missing.
pub(crate) fn answer(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn output_of_both_streams_is_kept_in_order() {
        let finished =
            capture(&mut shell("echo one; echo two >&2; echo three; exit 3"), None).unwrap();
        assert_eq!(finished.output, "one\ntwo\nthree\n");
        assert_eq!(finished.status.code(), Some(3));
    }

    #[test]
    fn a_missing_program_is_named() {
        let error =
            capture(&mut Command::new("no-such-program"), None).err().expect("it is missing");
        assert!(error.to_string().contains("`no-such-program`"), "{error}");
    }

    #[test]
    fn a_child_over_its_limit_is_ended_with_what_it_started() {
        let folder = std::env::temp_dir().join(format!("xtask-limit-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let pid_file = folder.join("pid");
        let script = format!("sleep 600 & echo $! > {}; wait", pid_file.display());
        let error =
            capture(&mut shell(&script), Some(Duration::from_millis(400))).err().expect("too late");
        assert!(error.to_string().contains("took longer"), "{error}");
        let grandchild = std::fs::read_to_string(&pid_file).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        let alive = || answer("sh", &["-c", &format!("kill -0 {}", grandchild.trim())]).is_some();
        while alive() && Instant::now() < deadline {
            thread::sleep(POLL);
        }
        assert!(!alive(), "process {} still runs", grandchild.trim());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
