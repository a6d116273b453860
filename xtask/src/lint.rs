//! `cargo xtask lint`: formatting, clippy with warnings denied, types and lints of the TypeScript, and tidy.

use std::panic;
use std::process::Command;
use std::thread;

use anyhow::Result;

use crate::{deploy, fuzz, npm, paths, step, tidy, wasm, web};

/// Workspaces beside the main one.
const OTHER_WORKSPACES: [&str; 2] = ["fuzz", "bench"];

/// Runs every check that runs no test. Those of Rust stop at the first that fails, and so do those of TypeScript, which
/// go on beside them: clippy begins on all cores and ends on one.
pub(crate) fn lint() -> Result<()> {
    formats()?;
    let (rust, scripts) = thread::scope(|scope| {
        let scripts = scope.spawn(scripts);
        (clippy(), scripts.join().unwrap_or_else(|panicked| panic::resume_unwind(panicked)))
    });
    rust.and(scripts)?;
    deploy::check()?;
    tidy::tidy()
}

fn formats() -> Result<()> {
    step::run("rustfmt", cargo(&["fmt", "--all", "--check"]).current_dir(paths::root()))?;
    for workspace in OTHER_WORKSPACES {
        let manifest = format!("{workspace}/Cargo.toml");
        if paths::at(&manifest).is_file() {
            step::run(
                &format!("rustfmt of {workspace}"),
                &mut cargo(&["fmt", "--all", "--check", "--manifest-path", &manifest]),
            )?;
        }
    }
    Ok(())
}

fn clippy() -> Result<()> {
    step::run(
        "clippy",
        &mut cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]),
    )?;
    // What only simulations and fuzzers build.
    let mut simulation =
        cargo(&["clippy", "--workspace", "--features", "collab-server/simulation"]);
    simulation.args(["--test", "simulation", "--quiet", "--", "-D", "warnings"]);
    step::run("clippy of the simulation", &mut simulation)?;
    let mut targets = fuzz::cargo("clippy");
    targets.args(["--all-targets", "--quiet", "--", "-D", "warnings"]);
    step::run("clippy of the fuzz targets", &mut targets)?;
    // Without the engine's peers, which take minutes to build; other dependencies are the server's, built once.
    step::run(
        "clippy of the benchmarks",
        &mut cargo(&[
            "clippy",
            "--manifest-path",
            "bench/Cargo.toml",
            "--target-dir",
            "target",
            "--package",
            "concord-load",
            "--package",
            "concord-bench-engine",
            "--package",
            "concord-instructions",
            "--all-targets",
            "--quiet",
            "--",
            "-D",
            "warnings",
        ]),
    )
}

/// Types and lints of the TypeScript, and what they need: the engine for its size in the package, and the package.
fn scripts() -> Result<()> {
    wasm::build()?;
    web::package()?;
    npm::install(web::APP)?;
    for (title, folder, script) in [
        ("types of the npm package", web::PACKAGE, "check"),
        ("eslint of the npm package", web::PACKAGE, "lint"),
        ("types of the web app", web::APP, "typecheck"),
        ("eslint of the web app", web::APP, "lint"),
    ] {
        step::run(title, npm::npm(folder).args(["run", "--silent", script]))?;
    }
    Ok(())
}

fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(paths::root()).args(args);
    command
}
