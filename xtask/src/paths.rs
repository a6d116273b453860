//! Where things are in the repository. All paths are absolute.

use std::path::{Path, PathBuf};

/// The repository's root: the folder above this crate.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies one level below the root")
        .to_path_buf()
}

/// A path given relative to the root.
pub(crate) fn at(relative: &str) -> PathBuf {
    root().join(relative)
}

/// A path as a person writes it: relative to the root where it lies below it.
pub(crate) fn display(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}
