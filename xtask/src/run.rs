//! `cargo xtask run`: builds what is stale and serves the app at one address.

use anyhow::{Result, bail};

use crate::process::Process;
use crate::{interrupt, port, server, web};

/// Builds, serves, and returns when the server ends or is interrupted. `more` goes to the server.
pub(crate) fn run(port: u16, more: &[String]) -> Result<()> {
    web::build()?;
    let program = server::build()?;
    let address = server::address(port);
    if port::is_taken(address) {
        bail!(
            "something else listens on {address}; to take another port: cargo xtask run --port {}",
            port + 1
        );
    }
    let mut process = Process::start(&mut server::command(&program, address, more))?;
    server::wait_until_ready(&mut process, address)?;
    eprintln!("\n  Concord runs at  http://localhost:{port}");
    eprintln!("  Open it in two windows. Documents are kept in data/; Ctrl-C stops.\n");
    match process.wait(None) {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => bail!("the server ended: {status}"),
        // Stopped on purpose: it has ended in good order by now.
        Err(_) if interrupt::raised() => Ok(()),
        Err(error) => Err(error),
    }
}
