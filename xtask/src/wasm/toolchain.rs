//! A compiler that can make wasm. Best is to build the standard library from source with panics that abort at once:
//! without the machinery that words a panic the engine is a quarter smaller. Sources come with the toolchain or by
//! rustup; else the installed target or rustup's is used as it is; else Debian's compiler with its sources.

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
    /// The default compiler, with the sources of its standard library.
    Sources,
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
    if forced != "debian" {
        if has_sources() || add_with_rustup("component", "rust-src", has_sources)? {
            return Ok(Toolchain::Sources);
        }
        if target_is_installed() || add_with_rustup("target", TARGET, target_is_installed)? {
            return Ok(Toolchain::Installed);
        }
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

/// Whether the default compiler's standard library is there as source.
fn has_sources() -> bool {
    answer("rustc", &["--print", "sysroot"])
        .is_some_and(|root| Path::new(&root).join("lib/rustlib/src/rust/library/std").is_dir())
}

/// Asks rustup for something. A rustup that cannot is no error: there is another way.
fn add_with_rustup(what: &str, name: &str, is_there: fn() -> bool) -> Result<bool> {
    if install::find("rustup", &[]).is_none() {
        return Ok(false);
    }
    step(&format!("rustup {what} add {name}"), || {
        let mut command = Command::new("rustup");
        command.current_dir(paths::root()).args([what, "add", name]);
        let worked = process::capture(&mut command, Some(RUSTUP_LIMIT))
            .is_ok_and(|done| done.status.success());
        crate::interrupt::check()?;
        let works = worked && is_there();
        Ok((works, if works { String::new() } else { "not possible here".to_owned() }))
    })
}

impl Toolchain {
    /// For the line that is printed.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Toolchain::Sources => "standard library from source",
            Toolchain::Installed => "installed target",
            Toolchain::Debian { .. } => "Debian's compiler, standard library from source",
        }
    }

    /// Adds to a `cargo build --target` what this way needs.
    pub(super) fn configure(&self, cargo: &mut Command) {
        if let Toolchain::Debian { rustc, libraries, linker } = self {
            cargo.env("RUSTC", rustc).env("LD_LIBRARY_PATH", libraries);
            cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
        if !matches!(self, Toolchain::Installed) {
            // The sources are those of this very compiler; building them is an unstable option of a stable one.
            cargo.env("RUSTC_BOOTSTRAP", "1");
            cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", ABORT_AT_ONCE);
            cargo.args(["-Z", "build-std=std", "-Z", "build-std-features=optimize_for_size"]);
        }
    }
}

/// A panic is a trap, without a message that nobody could read.
const ABORT_AT_ONCE: &str = "-Zunstable-options -Cpanic=immediate-abort";
