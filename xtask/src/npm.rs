//! npm packages: installed from the lock file, and only where that has changed.

use std::process::Command;

use anyhow::{Result, bail};

use crate::stamp::Inputs;
use crate::{install, paths, step};

/// The oldest Node that Next.js and the tests work with.
const NODE_MAJOR_MIN: u32 = 20;

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
    let mut command = npm(folder);
    command.args(["ci", "--no-audit", "--no-fund", "--loglevel", "error"]);
    step::run(&format!("npm packages of {folder}"), &mut command)?;
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
    let Some(version) = crate::process::answer("node", &["--version"]) else {
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
