//! Staleness by content: an output remembers the hash of everything it was made from.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::paths;

/// Folders that hold outputs, never inputs, wherever they lie.
const OUTPUT_NAMES: [&str; 2] = ["node_modules", "target"];

/// Other outputs, relative to the root.
const OUTPUTS: [&str; 6] = [
    "data",
    "wasm-client/js/dist",
    "wasm-client/js/wasm",
    "web/next-env.d.ts",
    "web/out",
    "web/screenshots",
];

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

    /// Closes the list. `name` is that of the output; its stamp lies below `target/`.
    pub(crate) fn stamp(self, name: &str) -> Stamp {
        self.stamp_at(paths::at("target/xtask").join(format!("{name}.stamp")))
    }

    /// Closes the list for an output that carries its stamp itself.
    pub(crate) fn stamp_at(self, file: PathBuf) -> Stamp {
        Stamp { hash: format!("{:016x}", self.0.finish()), file }
    }
}

/// A hash and the file that remembers it.
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
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        fs::write(&self.file, &self.hash)
            .with_context(|| format!("cannot write {}", self.file.display()))
    }

    /// The hash itself, as an input of something made from this output.
    pub(crate) fn hash(&self) -> &str {
        &self.hash
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
        if !entry.file_type()?.is_symlink() && !is_output(&entry.path()) {
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

fn is_output(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.')
        || OUTPUT_NAMES.contains(&name.as_ref())
        || OUTPUTS.contains(&paths::display(path).as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_fresh_only_for_the_inputs_it_was_written_for() {
        let file = std::env::temp_dir().join(format!("xtask-stamp-{}", std::process::id()));
        let stamp = |version| {
            Inputs::default()
                .path("xtask/src/stamp.rs")
                .unwrap()
                .value(version)
                .stamp_at(file.clone())
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
