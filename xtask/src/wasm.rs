//! `cargo xtask wasm`: the engine for the browser, in two steps: compile, make it small.

mod debian;
mod toolchain;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::stamp::{Inputs, Stamp};
use crate::step::{self, step};
use crate::{npm, paths};

/// The folder of the engine inside the npm package.
pub(crate) const OUTPUT: &str = "wasm-client/js/wasm";

/// The engine's file, there and below `target/`.
const FILE: &str = "wasm_client_bg.wasm";

/// Says which standard library the compiled engine has.
const LIBRARY: &str = "target/engine/standard-library";

/// What the engine is made from, next to the compiler.
const INPUTS: [&str; 11] = [
    "Cargo.toml",
    "Cargo.lock",
    "ot-core/Cargo.toml",
    "ot-core/src",
    "collab-protocol/Cargo.toml",
    "collab-protocol/src",
    "wasm-client/Cargo.toml",
    "wasm-client/src",
    "xtask/npm/package-lock.json",
    "xtask/src/wasm.rs",
    "xtask/src/wasm",
];

/// Half of the usual stack: every address of a constant is a byte shorter. The engine does not recurse with its input.
const STACK: &str = "-Clink-arg=-zstack-size=524288";

/// The compiler's own measure for what is worth a copy makes larger copies than gzip takes back.
const INLINING: &str = "-Cllvm-args=-inline-threshold=10";

/// Builds the engine where it is stale.
pub(crate) fn build() -> Result<()> {
    let stamp = stamp()?;
    if stamp.is_fresh() && is_published() {
        step::fresh(&format!("engine for the browser: {}", sizes()?));
        return Ok(());
    }
    let compiled = compile()?;
    // Most changes of the lock file are another crate's: the same wasm need not be made small again.
    let result = stamp_of_result(&compiled)?;
    if !(result.is_fresh() && is_published()) {
        publish(&shrink(&compiled)?)?;
        result.write()?;
    }
    stamp.write()?;
    step::remark(&format!("        {OUTPUT}/{FILE}: {}", sizes()?));
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

/// What the published file is made from: the compiled engine and what makes it small.
fn stamp_of_result(compiled: &Path) -> Result<Stamp> {
    let mut inputs = Inputs::default().path(&paths::display(compiled))?;
    for path in ["xtask/npm/package-lock.json", "xtask/src/wasm.rs"] {
        inputs = inputs.path(path)?;
    }
    Ok(inputs.stamp("engine-published"))
}

/// Whether the engine was built with the standard library as it is shipped, and so is larger than it is elsewhere.
pub(crate) fn is_prebuilt() -> bool {
    fs::read_to_string(paths::at(LIBRARY)).is_ok_and(|name| name == toolchain::PREBUILT)
}

fn is_published() -> bool {
    paths::at(OUTPUT).join(FILE).is_file()
}

fn compile() -> Result<PathBuf> {
    let toolchain = toolchain::choose()?;
    let target = paths::at("target/engine");
    let mut command = Command::new("cargo");
    // As the one library it is here: made together with the Rust one that the tests use, it keeps an eighth more code.
    command.current_dir(paths::root()).args([
        "rustc",
        "--locked",
        "--package",
        "wasm-client",
        "--lib",
        "--crate-type",
        "cdylib",
    ]);
    command.args(["--profile", "wasm", "--target", toolchain::TARGET, "--target-dir"]).arg(&target);
    toolchain.configure(&mut command);
    command.args(["--", STACK, INLINING]);
    step::run(&format!("compile the engine ({})", toolchain.name()), &mut command)?;
    fs::write(paths::at(LIBRARY), toolchain.name())?;
    Ok(target.join(toolchain::TARGET).join("wasm/wasm_client.wasm"))
}

/// Writes the small file below `target/`, so that the package never sees half of it.
fn shrink(compiled: &Path) -> Result<PathBuf> {
    npm::install("xtask/npm")?;
    let small = paths::at("target/engine").join(FILE);
    let before = fs::metadata(compiled)?.len();
    let mut command = Command::new("node");
    command.arg(paths::at("xtask/npm/node_modules/binaryen/bin/wasm-opt"));
    command.args([
        // Loops are found anew from plain jumps.
        "--flatten",
        "--rereloop",
        "-Oz",
        "--converge",
        // The lowest kilobyte is the far end of the stack.
        "--low-memory-unused",
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
    command.arg(compiled).arg("-o").arg(&small);
    step("make it small (wasm-opt)", || {
        step::quiet(&mut command)?;
        Ok(((), format!("{} -> {} bytes", before, fs::metadata(&small)?.len())))
    })?;
    Ok(small)
}

/// Puts the finished file where the package expects it.
fn publish(small: &Path) -> Result<()> {
    let output = paths::at(OUTPUT);
    let _ = fs::remove_dir_all(&output);
    fs::create_dir_all(&output).with_context(|| format!("cannot make {}", output.display()))?;
    fs::copy(small, output.join(FILE))?;
    Ok(())
}

/// The engine's size, as stored and as gzip sends it, in bytes.
fn sizes() -> Result<String> {
    let file = paths::at(OUTPUT).join(FILE);
    let raw = fs::metadata(&file).with_context(|| format!("{} is missing", file.display()))?.len();
    let zipped = Command::new("gzip").args(["-9", "-c"]).arg(&file).output();
    match zipped {
        Ok(output) if output.status.success() => {
            Ok(format!("{raw} bytes, {} gzip", output.stdout.len()))
        }
        _ => Ok(format!("{raw} bytes")),
    }
}
