//! A compiler that can make wasm. The standard library is built from its sources, for size and with a panic that is one
//! instruction: messages that nobody reads, which the prebuilt one formats, add two fifths to the engine (8 KB after
//! gzip). Three ways, in order: the sources that rustup has or fetches, Debian's compiler with its sources, and, if
//! neither is to be had, the prebuilt library, which works as well and is larger.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use super::debian;
use crate::process::{self, answer};
use crate::step::step;
use crate::{install, interrupt, paths};

/// The only target the browser needs.
pub(super) const TARGET: &str = "wasm32-unknown-unknown";

/// Picks a way by name (`rustup`, `debian`, `prebuilt`) instead of trying all.
const CHOICE: &str = "CONCORD_WASM_TOOLCHAIN";

/// How long rustup may take; behind a closed network it retries for minutes.
const RUSTUP_LIMIT: Duration = Duration::from_secs(180);

/// The name of a build with the standard library as it is shipped.
pub(super) const PREBUILT: &str = "prebuilt standard library: larger than need be";

/// A way to compile for the browser.
pub(super) enum Toolchain {
    /// The default compiler, with the sources of its standard library.
    Sources,
    /// Another compiler with the sources of its standard library.
    Debian {
        /// The compiler.
        rustc: PathBuf,
        /// The folder of the compiler's own libraries.
        libraries: PathBuf,
        /// `rust-lld` or `wasm-ld`.
        linker: PathBuf,
    },
    /// The default compiler, with the standard library as it is shipped.
    Prebuilt,
}

/// Finds or makes a toolchain.
///
/// # Errors
/// When no way works; the message says what to run.
pub(super) fn choose() -> Result<Toolchain> {
    let choice = std::env::var(CHOICE).unwrap_or_default();
    let may = |way: &str| choice.is_empty() || choice == way;
    if may("rustup") && (has_sources() || rustup("component", "rust-src", has_sources)?) {
        return Ok(Toolchain::Sources);
    }
    let mut debian_failed = None;
    if may("debian") && install::find("apt-get", &[]).is_some() {
        match debian::prepare() {
            Ok(toolchain) => return Ok(toolchain),
            Err(error) => debian_failed = Some(error),
        }
        interrupt::check()?;
    }
    if may("prebuilt") && (has_target() || rustup("target", TARGET, has_target)?) {
        return Ok(Toolchain::Prebuilt);
    }
    match debian_failed {
        Some(error) => Err(error
            .context("the compiler cannot make wasm; to add that: rustup component add rust-src")),
        None => bail!("the compiler cannot make wasm; to add that: rustup component add rust-src"),
    }
}

/// Whether the default compiler has the sources of its standard library.
fn has_sources() -> bool {
    let sysroot = answer("rustc", &["--print", "sysroot"]).unwrap_or_default();
    Path::new(&sysroot).join("lib/rustlib/src/rust/library/std/Cargo.toml").is_file()
}

/// Whether the default compiler has a standard library for the target.
fn has_target() -> bool {
    let folder =
        answer("rustc", &["--print", "target-libdir", "--target", TARGET]).unwrap_or_default();
    let is_std = |name: &str| name.starts_with("libstd-") && name.ends_with(".rlib");
    let mut files = Path::new(&folder).read_dir().into_iter().flatten().flatten();
    files.any(|file| is_std(&file.file_name().to_string_lossy()))
}

/// Asks rustup for something. A rustup that cannot is no error: there are other ways.
fn rustup(kind: &str, name: &str, works: fn() -> bool) -> Result<bool> {
    if install::find("rustup", &[]).is_none() {
        return Ok(false);
    }
    step(&format!("rustup {kind} add {name}"), || {
        let mut command = Command::new("rustup");
        command.current_dir(paths::root()).args([kind, "add", name]);
        let _ = process::capture(&mut command, Some(RUSTUP_LIMIT));
        interrupt::check()?;
        let works = works();
        Ok((works, if works { String::new() } else { "not possible here".to_owned() }))
    })
}

impl Toolchain {
    /// For the line that is printed.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Toolchain::Sources => "standard library from source",
            Toolchain::Debian { .. } => "Debian's compiler, standard library from source",
            Toolchain::Prebuilt => PREBUILT,
        }
    }

    /// Adds to a `cargo build --target` what this way needs.
    pub(super) fn configure(&self, cargo: &mut Command) {
        match self {
            Toolchain::Prebuilt => return,
            Toolchain::Sources => {}
            Toolchain::Debian { rustc, libraries, linker } => {
                cargo.env("RUSTC", rustc).env("LD_LIBRARY_PATH", libraries);
                cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
            }
        }
        // Building the standard library and this kind of panic are unstable options; the sources are the compiler's own.
        cargo.env("RUSTC_BOOTSTRAP", "1");
        cargo.env("RUSTFLAGS", "-Zunstable-options -Cpanic=immediate-abort");
        cargo.args([
            "-Z",
            "build-std=std,panic_abort",
            "-Z",
            "build-std-features=optimize_for_size",
        ]);
    }
}
