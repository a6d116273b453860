//! `cargo xtask run`: builds what is stale and serves the app at one address.

use anyhow::{Context, Result, bail};

use crate::process::Process;
use crate::{interrupt, paths, port, server, web};

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
    let data = paths::at("data");
    std::fs::create_dir_all(&data).with_context(|| format!("cannot make {}", data.display()))?;
    let mut process = Process::start(&mut server::command(&program, address, &data, more))?;
    server::wait_until_ready(&mut process, address)?;
    eprintln!("\n  Concord runs at  http://localhost:{port}");
    eprintln!(
        "  Open it in two windows. Documents are kept in {}/; Ctrl-C stops.\n",
        paths::display(&data)
    );
    match process.wait(None) {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => bail!("the server ended: {status}"),
        // Stopped on purpose: it has ended in good order by now.
        Err(_) if interrupt::raised() => Ok(()),
        Err(error) => Err(error),
    }
}
