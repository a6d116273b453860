//! `cargo xtask dev`: the app with hot reload. `next dev` shows changes of the app by itself; this watches the rest:
//! the engine and the package are built again, the server is built and restarted. Files are looked at twice a second,
//! which needs no library and works on every file system.

use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Result, bail};

use crate::process::Process;
use crate::{interrupt, npm, paths, port, server, stamp, wasm, web};

/// How often the files are looked at.
const POLL: Duration = Duration::from_millis(500);

/// What the server is made from.
const SERVER_INPUTS: [&str; 5] =
    ["Cargo.toml", "ot-core", "collab-protocol", "collab-server", "migrations"];

/// What the engine and the package are made from.
const CLIENT_INPUTS: [&str; 4] =
    ["ot-core/src", "collab-protocol/src", "wasm-client/src", web::PACKAGE];

/// Files, and their newest change when they were last looked at.
struct Watch {
    paths: &'static [&'static str],
    seen: Option<(usize, SystemTime)>,
}

impl Watch {
    fn new(paths: &'static [&'static str]) -> Result<Self> {
        let mut watch = Self { paths, seen: None };
        watch.changed()?;
        Ok(watch)
    }

    /// Whether a file has come, gone or changed since the last call.
    fn changed(&mut self) -> Result<bool> {
        let mut files: Vec<PathBuf> = Vec::new();
        for path in self.paths {
            files.extend(stamp::files(&paths::at(path))?);
        }
        let times =
            files.iter().filter_map(|file| file.metadata().and_then(|data| data.modified()).ok());
        let now = times.max().map(|newest| (files.len(), newest));
        let changed = now != self.seen;
        self.seen = now;
        Ok(changed)
    }
}

/// Serves until interrupted: the app at `port`, the server at the port after it.
pub(crate) fn dev(port: u16, more: &[String]) -> Result<()> {
    wasm::build()?;
    web::package()?;
    npm::install(web::APP)?;
    let program = server::build()?;
    let (app, api) = (server::address(port), server::address(port + 1));
    if let Some(taken) = [app, api].into_iter().find(|address| port::is_taken(*address)) {
        bail!(
            "something else listens on {taken}; to take other ports: cargo xtask dev --port {}",
            port + 10
        );
    }
    let (mut server_files, mut client_files) =
        (Watch::new(&SERVER_INPUTS)?, Watch::new(&CLIENT_INPUTS)?);

    // The browser talks to `next dev`; the server must know that address as its own.
    let mut flags = vec!["--public-url".to_owned(), format!("http://localhost:{port}")];
    flags.extend_from_slice(more);
    let start = || Process::start(&mut server::command(&program, api, &flags));
    let mut server = start()?;
    server::wait_until_ready(&mut server, api)?;
    let mut next = Process::start(&mut next_dev(port, &format!("http://{api}")))?;
    eprintln!(
        "\n  Concord, with hot reload, at  http://localhost:{port}  (server at {api}); Ctrl-C stops.\n"
    );
    while !interrupt::raised() {
        if let Some(status) = next.ended()? {
            bail!("next dev ended: {status}");
        }
        if client_files.changed()? {
            told(wasm::build().and_then(|()| web::package()));
            // Building writes into a folder that is no input, but a lock file may have moved.
            client_files.changed()?;
        }
        if server_files.changed()? && told(server::build()).is_some() {
            server.stop();
            server = start()?;
            told(server::wait_until_ready(&mut server, api));
        }
        thread::sleep(POLL);
    }
    Ok(())
}

/// A failed build is told, and waits for the next change.
fn told<T>(result: Result<T>) -> Option<T> {
    result.inspect_err(|error| eprintln!("  ....  {error:#}; waiting for the next change")).ok()
}

/// `next dev` without npm between it and the signals.
fn next_dev(port: u16, server_url: &str) -> Command {
    let mut command = Command::new("node");
    command.current_dir(paths::at(web::APP)).args([
        "node_modules/next/dist/bin/next",
        "dev",
        "--port",
        &port.to_string(),
    ]);
    command.env("NEXT_TELEMETRY_DISABLED", "1").env("CONCORD_SERVER_URL", server_url);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_reports_a_change_once() {
        let mut watch = Watch::new(&["xtask/src/dev.rs"]).unwrap();
        assert!(!watch.changed().unwrap());
        watch.paths = &["xtask/src/dev.rs", "xtask/Cargo.toml"];
        assert!(watch.changed().unwrap());
        assert!(!watch.changed().unwrap());
    }

    #[test]
    fn every_watched_path_exists() {
        for path in ["ot-core", "collab-protocol", "collab-server", "wasm-client/src", web::PACKAGE]
        {
            assert!(paths::at(path).exists(), "{path}");
        }
    }
}
