//! A compiler that can make wasm: the installed target, else rustup's, else Debian's with the standard library built
//! from source. No prebuilt standard library exists on every machine, so each way is tried in this order.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use super::debian;
use crate::process::{self, answer};
use crate::step::step;
use crate::{install, paths};

/// The only target the browser needs.
pub(super) const TARGET: &str = "wasm32-unknown-unknown";

/// How long rustup may take; behind a closed network it retries for minutes.
const RUSTUP_LIMIT: Duration = Duration::from_secs(180);

/// A way to compile for the browser.
pub(super) enum Toolchain {
    /// The default compiler has the target.
    Installed,
    /// Another compiler, with the sources of its standard library.
    Debian {
        /// The compiler.
        rustc: PathBuf,
        /// The folder of the compiler's own libraries.
        libraries: PathBuf,
        /// `rust-lld` or `wasm-ld`.
        linker: PathBuf,
    },
}

/// Finds or makes a toolchain. `CONCORD_WASM_TOOLCHAIN=debian` skips to the last way.
///
/// # Errors
/// When no way works; the message says what to run.
pub(super) fn choose() -> Result<Toolchain> {
    let forced = std::env::var("CONCORD_WASM_TOOLCHAIN").unwrap_or_default();
    if forced != "debian" && (target_is_installed() || add_with_rustup()?) {
        return Ok(Toolchain::Installed);
    }
    if install::find("apt-get", &[]).is_none() {
        bail!("the compiler lacks {TARGET}; to add it: rustup target add {TARGET}");
    }
    debian::prepare()
}

/// Whether the default compiler has a standard library for the target.
fn target_is_installed() -> bool {
    let libraries = answer("rustc", &["--print", "target-libdir", "--target", TARGET]);
    libraries.is_some_and(|folder| has_std(Path::new(&folder)))
}

fn has_std(folder: &Path) -> bool {
    let is_std = |name: &str| name.starts_with("libstd-") && name.ends_with(".rlib");
    folder
        .read_dir()
        .is_ok_and(|list| list.flatten().any(|entry| is_std(&entry.file_name().to_string_lossy())))
}

/// Asks rustup for the target. A rustup that cannot is no error: there is another way.
fn add_with_rustup() -> Result<bool> {
    if install::find("rustup", &[]).is_none() {
        return Ok(false);
    }
    step(&format!("rustup target add {TARGET}"), || {
        let mut command = Command::new("rustup");
        command.current_dir(paths::root()).args(["target", "add", TARGET]);
        let worked = process::capture(&mut command, Some(RUSTUP_LIMIT))
            .is_ok_and(|done| done.status.success());
        crate::interrupt::check()?;
        let works = worked && target_is_installed();
        Ok((works, if works { String::new() } else { "not possible here".to_owned() }))
    })
}

impl Toolchain {
    /// For the line that is printed.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Toolchain::Installed => "installed target",
            Toolchain::Debian { .. } => "Debian's compiler, standard library from source",
        }
    }

    /// Adds to a `cargo build --target` what this way needs.
    pub(super) fn configure(&self, cargo: &mut Command) {
        if let Toolchain::Debian { rustc, libraries, linker } = self {
            // The sources of the standard library are those of this compiler, and building it is an unstable option.
            cargo.env("RUSTC", rustc).env("RUSTC_BOOTSTRAP", "1").env("LD_LIBRARY_PATH", libraries);
            cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
            cargo.args(["-Z", "build-std=std,panic_abort"]);
        }
    }
}
