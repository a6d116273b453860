//! `cargo xtask tidy`: rules about the repository itself, as a list of complaints that is empty when all is well.

mod layers;
mod links;
mod logs;
mod map;
mod migrations;
mod promises;
mod words;

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::paths;
use crate::step::{self, step};

/// Checks everything; prints each complaint on a line of its own.
pub(crate) fn tidy() -> Result<()> {
    step("tidy", || {
        let complaints = complaints()?;
        if complaints.is_empty() {
            return Ok(((), String::new()));
        }
        complaints.iter().for_each(|complaint| eprintln!("\n  {complaint}"));
        bail!("{} complaints about the repository", complaints.len());
    })
}

/// Checks everything after the map has been completed from the modules themselves.
pub(crate) fn fix() -> Result<()> {
    map::fix(&Files::tracked()?)?;
    tidy()
}

fn complaints() -> Result<Vec<String>> {
    let files = Files::tracked()?;
    let mut complaints = map::check(&files);
    complaints.extend(layers::check(&files));
    complaints.extend(links::check(&files));
    complaints.extend(logs::check(&files));
    complaints.extend(words::check(&files));
    complaints.extend(promises::check(&files));
    complaints.extend(migrations::check(&files));
    Ok(complaints)
}

/// The files of the repository: tracked by git, or new and not ignored.
struct Files(Vec<String>);

impl Files {
    fn tracked() -> Result<Self> {
        let mut command = Command::new("git");
        command.current_dir(paths::root()).args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
        ]);
        let list = step::quiet(&mut command).context("tidy needs git and a clone")?;
        let mut files: Vec<String> =
            list.lines().map(str::to_owned).filter(|file| paths::at(file).is_file()).collect();
        files.sort();
        files.dedup();
        Ok(Self(files))
    }

    /// All paths, relative to the root.
    fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The names directly below a folder (`""` is the root): files, and folders with a slash at the end.
    fn children(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = self
            .paths()
            .filter_map(|path| path.strip_prefix(folder))
            .map(|rest| {
                rest.split_once('/').map_or(rest.to_owned(), |(name, _)| format!("{name}/"))
            })
            .collect();
        names.dedup();
        names
    }

    fn has(&self, path: &str) -> bool {
        self.paths().any(|file| file == path || (path.ends_with('/') && file.starts_with(path)))
    }
}

/// The text of a file, unless it is no text.
fn read(path: &str) -> Option<String> {
    fs::read(paths::at(path)).ok().and_then(|bytes| String::from_utf8(bytes).ok())
}

#[cfg(test)]
impl Files {
    fn of(paths: &[&str]) -> Self {
        let mut files: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        files.sort();
        Self(files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        assert_eq!(complaints().unwrap(), Vec::<String>::new());
    }

    #[test]
    fn children_are_named_once_and_folders_end_with_a_slash() {
        let files = Files::of(&["a/b.rs", "a/c/d.rs", "a/c/e.rs", "f"]);
        assert_eq!(files.children(""), ["a/", "f"]);
        assert_eq!(files.children("a/"), ["b.rs", "c/"]);
        assert!(files.has("a/c/") && files.has("f") && !files.has("a"));
    }
}
