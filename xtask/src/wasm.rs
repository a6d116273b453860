//! `cargo xtask wasm`: the engine for the browser, in three steps: compile, write bindings, make it small.

mod debian;
mod toolchain;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::stamp::{Inputs, Stamp};
use crate::step::{self, step};
use crate::{npm, paths};

/// What `wasm-bindgen` writes, and what the npm package imports.
pub(crate) const OUTPUT: &str = "wasm-client/js/wasm";

/// What the engine is made from, next to the compiler.
const INPUTS: [&str; 13] = [
    "Cargo.toml",
    "Cargo.lock",
    "ot-core/Cargo.toml",
    "ot-core/src",
    "collab-protocol/Cargo.toml",
    "collab-protocol/src",
    "wasm-client/Cargo.toml",
    "wasm-client/src",
    "xtask/bindgen/src",
    "xtask/bindgen/Cargo.lock",
    "xtask/npm/package-lock.json",
    "xtask/src/wasm.rs",
    "xtask/src/wasm",
];

/// Builds the engine where it is stale.
pub(crate) fn build() -> Result<()> {
    let stamp = stamp()?;
    if stamp.is_fresh() && is_published() {
        step::fresh(&format!("engine for the browser: {}", sizes()?));
        return Ok(());
    }
    check_versions()?;
    let compiled = compile()?;
    // Most changes of the lock file are another crate's: the same wasm needs no new bindings.
    let result = stamp_of_result(&compiled)?;
    if !(result.is_fresh() && is_published()) {
        let folder = write_bindings(&compiled)?;
        shrink(&folder)?;
        publish(&folder)?;
        result.write()?;
    }
    stamp.write()?;
    eprintln!("        {OUTPUT}/wasm_client_bg.wasm: {}", sizes()?);
    Ok(())
}

/// What the engine is made from now.
pub(crate) fn stamp() -> Result<Stamp> {
    let mut inputs = Inputs::default();
    for path in INPUTS {
        inputs = inputs.path(path)?;
    }
    let compiler = crate::process::answer("rustc", &["--version"]).unwrap_or_default();
    Ok(inputs.value(&compiler).stamp("engine"))
}

/// What the bindings are made from: the compiled engine and the tools that follow.
fn stamp_of_result(compiled: &Path) -> Result<Stamp> {
    let tools = [
        "xtask/bindgen/src",
        "xtask/bindgen/Cargo.lock",
        "xtask/npm/package-lock.json",
        "xtask/src/wasm.rs",
    ];
    let mut inputs = Inputs::default().path(&paths::display(compiled))?;
    for path in tools {
        inputs = inputs.path(path)?;
    }
    Ok(inputs.stamp("bindings"))
}

fn is_published() -> bool {
    paths::at(OUTPUT).join("wasm_client_bg.wasm").is_file()
}

/// The bindings are only right for the very version of `wasm-bindgen` that was compiled in.
fn check_versions() -> Result<()> {
    let linked = locked_version("Cargo.lock", "wasm-bindgen")?;
    let tool = locked_version("xtask/bindgen/Cargo.lock", "wasm-bindgen-cli-support")?;
    if linked != tool {
        bail!(
            "wasm-bindgen is {linked} in Cargo.lock and {tool} in xtask/bindgen; make them equal: write \
             `wasm-bindgen-cli-support = \"={linked}\"` in xtask/bindgen/Cargo.toml, then \
             `cargo update --manifest-path xtask/bindgen/Cargo.toml`"
        );
    }
    Ok(())
}

/// The version of a package in a lock file.
fn locked_version(lock: &str, package: &str) -> Result<String> {
    let text =
        fs::read_to_string(paths::at(lock)).with_context(|| format!("cannot read {lock}"))?;
    let name = format!("name = \"{package}\"");
    let mut lines = text.lines().skip_while(|line| *line != name);
    lines
        .nth(1)
        .and_then(|line| line.strip_prefix("version = \""))
        .and_then(|rest| rest.strip_suffix('"'))
        .map(str::to_owned)
        .with_context(|| format!("{lock} has no {package}"))
}

fn compile() -> Result<PathBuf> {
    let toolchain = toolchain::choose()?;
    let target = paths::at("target/engine");
    let mut command = Command::new("cargo");
    command.current_dir(paths::root()).args([
        "build",
        "--locked",
        "--package",
        "wasm-client",
        "--lib",
    ]);
    command.args(["--profile", "wasm", "--target", toolchain::TARGET, "--target-dir"]).arg(&target);
    toolchain.configure(&mut command);
    step::run(&format!("compile the engine ({})", toolchain.name()), &mut command)?;
    Ok(target.join(toolchain::TARGET).join("wasm/wasm_client.wasm"))
}

/// Writes the bindings into a folder below `target/`, so that the package never sees half of them.
fn write_bindings(compiled: &Path) -> Result<PathBuf> {
    let mut build = Command::new("cargo");
    build.current_dir(paths::root()).args([
        "build",
        "--locked",
        "--manifest-path",
        "xtask/bindgen/Cargo.toml",
    ]);
    build.args(["--target-dir", "target/tools"]);
    step::run("build the bindings writer (its own small workspace)", &mut build)?;
    let folder = paths::at("target/engine/bindings");
    let _ = fs::remove_dir_all(&folder);
    let mut write = Command::new(paths::at("target/tools/debug/xtask-bindgen"));
    step::run("write the bindings", write.arg(compiled).arg(&folder))?;
    Ok(folder)
}

fn shrink(folder: &Path) -> Result<()> {
    npm::install("xtask/npm")?;
    let wasm = folder.join("wasm_client_bg.wasm");
    let before = fs::metadata(&wasm)?.len();
    let mut command = Command::new("node");
    command.arg(paths::at("xtask/npm/node_modules/binaryen/bin/wasm-opt"));
    command.args([
        "-Oz",
        "--converge",
        // Copies of inlined functions are smaller than calls, but not after gzip.
        "-aimfs",
        "0",
        "-fimfs",
        "0",
        "-ocimfs",
        "0",
        "--strip-debug",
        "--strip-producers",
        "--strip-target-features",
    ]);
    // What every browser of the last years has and rustc emits by default.
    for feature in [
        "bulk-memory",
        "bulk-memory-opt",
        "sign-ext",
        "nontrapping-float-to-int",
        "mutable-globals",
        "multivalue",
        "reference-types",
    ] {
        command.arg(format!("--enable-{feature}"));
    }
    command.arg(&wasm).arg("-o").arg(&wasm);
    step("make it small (wasm-opt)", || {
        step::quiet(&mut command)?;
        Ok(((), format!("{} -> {} bytes", before, fs::metadata(&wasm)?.len())))
    })
}

/// Puts the finished files where the package imports them.
fn publish(folder: &Path) -> Result<()> {
    let output = paths::at(OUTPUT);
    let _ = fs::remove_dir_all(&output);
    fs::create_dir_all(&output).with_context(|| format!("cannot make {}", output.display()))?;
    for entry in fs::read_dir(folder)? {
        let file = entry?.path();
        if file.is_file() {
            fs::copy(
                &file,
                output.join(file.file_name().expect("a file of a listing has a name")),
            )?;
        }
    }
    Ok(())
}

/// The engine's size, as stored and as gzip sends it, in bytes.
fn sizes() -> Result<String> {
    let file = paths::at(OUTPUT).join("wasm_client_bg.wasm");
    let raw = fs::metadata(&file).with_context(|| format!("{} is missing", file.display()))?.len();
    let zipped = Command::new("gzip").args(["-9", "-c"]).arg(&file).output();
    match zipped {
        Ok(output) if output.status.success() => {
            Ok(format!("{raw} bytes, {} gzip", output.stdout.len()))
        }
        _ => Ok(format!("{raw} bytes")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bindings_writer_has_the_version_that_the_engine_links() {
        check_versions().unwrap();
    }
}
