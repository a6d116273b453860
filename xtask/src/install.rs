//! Programs that are not part of the repository: found, installed on Debian as root, or named with their command.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::process::answer;
use crate::step;

/// Where a program lies, looked up in PATH and then in further folders.
pub(crate) fn find(program: &str, folders: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(folders.iter().map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// Whether this is Debian (or one of its children) with us as root, where packages can be installed without asking.
pub(crate) fn can_install() -> bool {
    is_root() && find("apt-get", &[]).is_some()
}

/// Whether we run as root.
pub(crate) fn is_root() -> bool {
    answer("id", &["-u"]).as_deref() == Some("0")
}

/// Installs Debian packages, or says how to. Removes nothing.
pub(crate) fn packages(names: &[&str]) -> Result<()> {
    let list = names.join(" ");
    if !can_install() {
        bail!(
            "missing: {list}; to install on Debian or Ubuntu: sudo apt-get install --no-install-recommends {list}"
        );
    }
    update_lists(names)?;
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command.args(["install", "--yes", "--no-remove", "--no-install-recommends"]).args(names);
    step::run(&format!("install {list}"), &mut command)
}

/// Fetches the package lists if they do not know the packages, as in a fresh container.
fn update_lists(names: &[&str]) -> Result<()> {
    let candidate = |name: &&str| {
        let policy = answer("apt-cache", &["policy", name])?;
        policy.lines().find_map(|line| line.trim().strip_prefix("Candidate: ").map(str::to_owned))
    };
    if names.iter().all(|name| candidate(name).is_some_and(|version| version != "(none)")) {
        return Ok(());
    }
    step::run("fetch Debian's package lists", Command::new("apt-get").arg("update"))
}

/// A program that must be there: found, or installed from a Debian package.
pub(crate) fn need(program: &str, folders: &[&str], package: &str) -> Result<PathBuf> {
    if let Some(file) = find(program, folders) {
        return Ok(file);
    }
    packages(&[package])?;
    match find(program, folders) {
        Some(file) => Ok(file),
        None => bail!("the package {package} is installed, but there is no program {program}"),
    }
}
