//! Debian's compiler for the web (`rustc-web`), unpacked below `target/`. It is never installed: its package conflicts
//! with `rustc` and `rustup`, and nothing of the machine's own may be removed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::toolchain::Toolchain;
use crate::process::answer;
use crate::step::{self, step};
use crate::{install, paths};

/// The packages whose files are unpacked, besides the versioned library that `libstd-rust-web-dev` names.
const PACKAGES: [&str; 3] = ["rustc-web", "libstd-rust-web-dev", "rust-web-src"];

/// Downloads, unpacks and checks; a second call finds everything in place.
pub(super) fn prepare() -> Result<Toolchain> {
    let home = paths::at("target/wasm-toolchain");
    let rustc = home.join("usr/bin/rustc");
    if !home.join(".complete").is_file() {
        unpack(&home)?;
    }
    let libraries = library_folder(&home)?;
    runs(&rustc, &libraries)?;
    Ok(Toolchain::Debian { linker: linker()?, rustc, libraries })
}

fn unpack(home: &Path) -> Result<()> {
    let library = dependency("libstd-rust-web-dev", "libstd-rust-web-")?;
    if let Ok(llvm) = dependency(&library, "libllvm") {
        install_llvm(&llvm)?;
    }
    let _ = fs::remove_dir_all(home);
    let downloads = home.join("packages");
    fs::create_dir_all(&downloads)
        .with_context(|| format!("cannot make {}", downloads.display()))?;
    let mut download = Command::new("apt-get");
    download.current_dir(&downloads).arg("download").args(PACKAGES).arg(&library);
    step::run("download Debian's compiler for the web (110 MB)", &mut download)?;
    step("unpack it below target/", || {
        for entry in fs::read_dir(&downloads)? {
            step::quiet(Command::new("dpkg-deb").arg("-x").arg(entry?.path()).arg(home))?;
        }
        fs::remove_dir_all(&downloads)?;
        fs::write(home.join(".complete"), "")?;
        Ok(((), String::new()))
    })
}

/// The shared library the compiler needs; an ordinary package that conflicts with nothing.
fn install_llvm(package: &str) -> Result<()> {
    let status =
        answer("dpkg-query", &["--show", "--showformat", "${Status}", package]).unwrap_or_default();
    if status.ends_with(" installed") {
        return Ok(());
    }
    install::packages(&[package])
}

/// The first dependency of a package whose name starts so; fetches the package lists if they are missing.
fn dependency(package: &str, prefix: &str) -> Result<String> {
    let list = || answer("apt-cache", &["show", "--no-all-versions", package]);
    let mut text = list();
    if text.is_none() && install::can_install() {
        step::run("fetch Debian's package lists", Command::new("apt-get").arg("update"))?;
        text = list();
    }
    let text = text.with_context(|| {
        format!("Debian's lists have no package {package}; to add the target: rustup target add wasm32-unknown-unknown")
    })?;
    let names = text.lines().find_map(|line| line.strip_prefix("Depends: ")).unwrap_or_default();
    let mut names = names.split(", ").filter_map(|name| name.split(' ').next());
    names.find(|name| name.starts_with(prefix)).map(str::to_owned).with_context(|| {
        format!("the package {package} needs no {prefix}…; Debian has changed its packages")
    })
}

/// Where the compiler's shared library lies (the folder carries the machine's name).
fn library_folder(home: &Path) -> Result<PathBuf> {
    let holds_driver = |folder: &PathBuf| {
        let is_driver = |name: &str| name.starts_with("librustc_driver-");
        folder.read_dir().is_ok_and(|list| {
            list.flatten().any(|file| is_driver(&file.file_name().to_string_lossy()))
        })
    };
    fs::read_dir(home.join("usr/lib"))?
        .flatten()
        .map(|entry| entry.path())
        .find(holds_driver)
        .context("Debian's compiler came without its library; remove target/wasm-toolchain and try again")
}

fn runs(rustc: &Path, libraries: &Path) -> Result<()> {
    let mut command = Command::new(rustc);
    step::quiet(command.arg("--version").env("LD_LIBRARY_PATH", libraries))
        .map(drop)
        .context("Debian's compiler does not run; the target can also come from: rustup target add wasm32-unknown-unknown")
}

/// A linker for wasm: the one of the default compiler, else LLVM's.
fn linker() -> Result<PathBuf> {
    if let (Some(sysroot), Some(version)) =
        (answer("rustc", &["--print", "sysroot"]), answer("rustc", &["-vV"]))
    {
        let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
        let file = Path::new(&sysroot).join("lib/rustlib").join(host).join("bin/rust-lld");
        if file.is_file() {
            return Ok(file);
        }
    }
    if install::find("wasm-ld", &[]).is_none() {
        install::packages(&["lld"])?;
    }
    match install::find("wasm-ld", &[]) {
        Some(file) => Ok(file),
        None => bail!("no linker for wasm; on Debian: apt-get install lld"),
    }
}
