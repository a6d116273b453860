//! `cargo xtask lint`: formatting, clippy with warnings denied, types and lints of the TypeScript, and tidy.

use std::process::Command;

use anyhow::Result;

use crate::{deploy, fuzz, npm, paths, step, tidy, wasm, web};

/// Workspaces beside the main one.
const OTHER_WORKSPACES: [&str; 2] = ["fuzz", "bench"];

/// Runs every check that runs no test; stops at the first that fails.
pub(crate) fn lint() -> Result<()> {
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
    step::run(
        "clippy",
        &mut cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]),
    )?;
    // What only simulations and fuzzers build.
    let mut simulation = cargo(&["clippy", "--package", "collab-server", "--all-targets"]);
    simulation.args(["--features", "simulation", "--quiet", "--", "-D", "warnings"]);
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
    )?;
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
    deploy::check()?;
    tidy::tidy()
}

fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(paths::root()).args(args);
    command
}
