//! Building and starting `collab-server` the way all commands do it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::process::Process;
use crate::{interrupt, paths, port, step};

/// How long the server may take until it is ready; it applies migrations first.
const READY_LIMIT: Duration = Duration::from_secs(30);

/// How often a starting server is asked.
const POLL: Duration = Duration::from_millis(50);

/// Builds the server for development; returns the program.
pub(crate) fn build() -> Result<PathBuf> {
    step::run("server", &mut build_command())?;
    Ok(program())
}

/// Builds the server for tests that start it. Built as `cargo xtask test rust` builds it, with what the workspace's tests
/// need of its libraries, so that after that suite nothing is left to do.
pub(crate) fn build_for_tests() -> Result<PathBuf> {
    let mut command = Command::new("cargo");
    command.current_dir(paths::root());
    // One small test makes cargo count what tests depend on.
    command.args(["build", "--workspace", "--bin", "collab-server", "--test", "allocations"]);
    step::run("server", &mut command)?;
    Ok(program())
}

/// The build of [`build`], for those who show it otherwise.
pub(crate) fn build_command() -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(paths::root()).args(["build", "--package", "collab-server"]);
    command
}

/// Where both builds put the program.
pub(crate) fn program() -> PathBuf {
    paths::at("target/debug/collab-server")
}

/// The address that `cargo xtask run` and `dev` serve at.
pub(crate) fn address(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// The server at an address; its defaults keep documents in `data/` and serve the export. `more` are further flags.
pub(crate) fn command(program: &Path, address: SocketAddr, more: &[String]) -> Command {
    let mut command = Command::new(program);
    command.current_dir(paths::root()).arg("--listen").arg(address.to_string()).args(more);
    command
}

/// Waits until a started server says that it is ready.
///
/// # Errors
/// When it ends first, or takes too long.
pub(crate) fn wait_until_ready(server: &mut Process, address: SocketAddr) -> Result<()> {
    let started = Instant::now();
    while !port::serves(address, "/health/ready") {
        interrupt::check()?;
        if let Some(status) = server.ended()? {
            bail!("the server ended before it was ready ({status}); what it says is above");
        }
        if started.elapsed() > READY_LIMIT {
            bail!(
                "the server is not ready after {} s: http://{address}/health/ready",
                READY_LIMIT.as_secs()
            );
        }
        thread::sleep(POLL);
    }
    Ok(())
}
