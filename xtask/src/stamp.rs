//! Staleness by content: an output remembers the hash of everything it was made from.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::paths;

/// Folders that hold outputs, never inputs.
const OUTPUTS: [&str; 7] =
    ["node_modules", "target", "dist", "wasm", ".next", "out", "screenshots"];

/// The hash of files, folders (all files below, without outputs) and values that something is made from.
#[derive(Default)]
pub(crate) struct Inputs(DefaultHasher);

impl Inputs {
    /// Adds a file or a folder, given relative to the root. What does not exist counts as empty.
    pub(crate) fn path(mut self, relative: &str) -> Result<Self> {
        for file in files(&paths::at(relative))? {
            paths::display(&file).hash(&mut self.0);
            fs::read(&file)
                .with_context(|| format!("cannot read {}", file.display()))?
                .hash(&mut self.0);
        }
        Ok(self)
    }

    /// Adds a value, such as a version.
    pub(crate) fn value(mut self, value: &str) -> Self {
        value.hash(&mut self.0);
        self
    }

    /// Closes the list.
    pub(crate) fn stamp(self, file: PathBuf) -> Stamp {
        Stamp { hash: format!("{:016x}", self.0.finish()), file }
    }
}

/// A hash and the file beside the output that remembers it.
pub(crate) struct Stamp {
    hash: String,
    file: PathBuf,
}

impl Stamp {
    /// Whether the output was made from these very inputs.
    pub(crate) fn is_fresh(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|stored| stored == self.hash)
    }

    /// Remembers that the output is now made from these inputs.
    pub(crate) fn write(&self) -> Result<()> {
        fs::write(&self.file, &self.hash)
            .with_context(|| format!("cannot write {}", self.file.display()))
    }
}

/// All files of a folder in a fixed order, without outputs and hidden ones; a file is a list of itself.
pub(crate) fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_path_buf()]);
    }
    if !path.is_dir() {
        return Ok(Vec::new());
    }
    let mut children = Vec::new();
    for entry in fs::read_dir(path).with_context(|| format!("cannot list {}", path.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with('.')
            && !OUTPUTS.contains(&name.as_ref())
            && !entry.file_type()?.is_symlink()
        {
            children.push(entry.path());
        }
    }
    children.sort();
    let mut found = Vec::new();
    for child in children {
        found.extend(files(&child)?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_fresh_only_for_the_inputs_it_was_written_for() {
        let file = std::env::temp_dir().join(format!("xtask-stamp-{}", std::process::id()));
        let stamp = |version| {
            Inputs::default().path("xtask/src/stamp.rs").unwrap().value(version).stamp(file.clone())
        };
        assert!(!stamp("1").is_fresh());
        stamp("1").write().unwrap();
        assert!(stamp("1").is_fresh());
        assert!(!stamp("2").is_fresh());
        fs::remove_file(&file).unwrap();
    }

    #[test]
    fn outputs_and_hidden_files_are_no_inputs() {
        let found = files(&paths::at("xtask")).unwrap();
        assert!(found.contains(&paths::at("xtask/src/main.rs")));
        assert!(found.iter().all(|file| !file.to_string_lossy().contains("node_modules")));
    }
}
