//! `cargo xtask dist`: one program with the web app and the migrations inside.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{paths, step, web};

/// Where the finished program goes.
const OUTPUT: &str = "target/dist/collab-server";

/// Builds the release program and says how to run it.
pub(crate) fn dist() -> Result<()> {
    web::build()?;
    let mut build = Command::new("cargo");
    build.current_dir(paths::root()).args([
        "build",
        "--locked",
        "--release",
        "--package",
        "collab-server",
    ]);
    // Names of functions stay for backtraces; the tables for debuggers are three quarters of the file.
    build.env("CARGO_PROFILE_RELEASE_STRIP", "debuginfo");
    step::run("server for release, web app embedded", build.args(["--features", "embed-web"]))?;
    let output = paths::at(OUTPUT);
    fs::create_dir_all(output.parent().expect("the output lies in a folder"))?;
    fs::copy(paths::at("target/release/collab-server"), &output)
        .context("cannot copy the server")?;
    let size = fs::metadata(&output)?.len();
    eprintln!("\n  {OUTPUT}: {:.1} MB, needs nothing beside it", size as f64 / 1e6);
    eprintln!("  To run it: {OUTPUT}        (all settings: {OUTPUT} --help)\n");
    Ok(())
}
