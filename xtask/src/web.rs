//! `cargo xtask web`: the npm package and the app's static export, ready for the server.

use std::fs;

use anyhow::{Context, Result};

use crate::stamp::{Inputs, Stamp};
use crate::{csp, npm, paths, step, wasm};

/// The npm package's folder.
pub(crate) const PACKAGE: &str = "wasm-client/js";

/// The app's folder.
pub(crate) const APP: &str = "web";

/// The export: what the server serves.
pub(crate) const EXPORT: &str = "web/out";

/// Builds the engine, the package and the app where they are stale.
pub(crate) fn build() -> Result<()> {
    wasm::build()?;
    package()?;
    export()
}

/// Builds the npm package where it is stale; the engine must be there.
pub(crate) fn package() -> Result<()> {
    npm::install(PACKAGE)?;
    let stamp = package_stamp()?;
    if stamp.is_fresh() && paths::at(PACKAGE).join("dist").is_dir() {
        step::fresh("npm package");
        return Ok(());
    }
    step::run("npm package", npm::npm(PACKAGE).args(["run", "--silent", "build"]))?;
    stamp.write()
}

fn package_stamp() -> Result<Stamp> {
    Ok(Inputs::default().path(PACKAGE)?.value(wasm::stamp()?.hash()).stamp("package"))
}

/// Builds the static export where it is stale; the package must be there.
fn export() -> Result<()> {
    npm::install(APP)?;
    let gallery = std::env::var("CONCORD_GALLERY").unwrap_or_default();
    let stamp =
        Inputs::default().path(APP)?.value(package_stamp()?.hash()).value(&gallery).stamp("web");
    let output = paths::at(EXPORT);
    if stamp.is_fresh() && output.join("csp.json").is_file() {
        step::fresh("web app");
        return Ok(());
    }
    step::run("web app (static export)", npm::npm(APP).args(["run", "--silent", "build"]))?;
    let hashes = csp::collect(&output)?;
    fs::write(output.join("csp.json"), csp::to_json(&hashes)).context("cannot write csp.json")?;
    stamp.write()
}
