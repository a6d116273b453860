//! npm packages: installed from the lock file, and only where that has changed.

use std::process::Command;

use anyhow::{Result, bail};

use crate::stamp::Inputs;
use crate::step::{self, step};
use crate::{install, paths, process};

/// The oldest Node that Next.js and the tests work with.
const NODE_MAJOR_MIN: u32 = 20;

/// Keeps npm to what was asked.
const SILENT: [&str; 4] = ["--no-audit", "--no-fund", "--loglevel", "error"];

/// `npm ci` in a folder, given relative to the root, where its lock file has changed since the last one.
pub(crate) fn install(folder: &str) -> Result<()> {
    check_node()?;
    let stamp = Inputs::default()
        .path(&format!("{folder}/package.json"))?
        .path(&format!("{folder}/package-lock.json"))?
        .stamp_at(paths::at(folder).join("node_modules/.xtask-stamp"));
    if stamp.is_fresh() {
        return Ok(());
    }
    step(&format!("npm packages of {folder}"), || {
        let clean = process::capture(npm(folder).arg("ci").args(SILENT), None)?;
        if clean.status.success() {
            return Ok(((), String::new()));
        }
        // What the lock file has stays as locked; what it lacks, xtask/npm/complete-lock.mjs can add.
        step::quiet(npm(folder).args(["install", "--no-save"]).args(SILENT))?;
        Ok(((), "the lock file is incomplete".to_owned()))
    })?;
    stamp.write()
}

/// `npm` in a folder, given relative to the root.
pub(crate) fn npm(folder: &str) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(paths::at(folder)).env("NEXT_TELEMETRY_DISABLED", "1");
    command
}

fn check_node() -> Result<()> {
    let help =
        format!("Concord needs Node {NODE_MAJOR_MIN} or later: https://nodejs.org/en/download");
    let Some(version) = process::answer("node", &["--version"]) else {
        bail!("there is no Node; {help}");
    };
    let major =
        version.trim_start_matches('v').split('.').next().and_then(|part| part.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE_MAJOR_MIN) {
        bail!("Node is {version}; {help}");
    }
    if install::find("npm", &[]).is_none() {
        bail!("there is no npm; {help}");
    }
    Ok(())
}
