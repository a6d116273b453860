//! `cargo xtask test`: every test of the repository, suite after suite. A failed suite does not stop the next ones;
//! the command fails at the end and names them.

use std::process::Command;
use std::thread;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::databases::Databases;
use crate::{
    browser, fuzz, install, instructions, interrupt, nginx, npm, paths, server, step, tidy, wasm,
    web,
};

/// One kind of test, by the name that `cargo xtask test <name>` takes.
struct Suite {
    name: &'static str,
    run: fn() -> Result<()>,
}

/// All suites, the fast ones first.
const SUITES: [Suite; 12] = [
    Suite { name: "tidy", run: tidy::tidy },
    Suite { name: "rust", run: || rust(None) },
    Suite { name: "simulation", run: fuzz::simulation },
    Suite { name: "api", run: interface },
    Suite { name: "fuzz", run: fuzz::smoke },
    Suite { name: "instructions", run: || instructions::instructions(false) },
    Suite { name: "client", run: client },
    Suite { name: "sizes", run: sizes },
    Suite { name: "web", run: web_units },
    Suite { name: "browser", run: package_in_browser },
    Suite { name: "pack", run: packed_package },
    Suite { name: "e2e", run: whole_path },
];

/// Runs all suites, or the one that `wanted` names, or the Rust tests whose names contain it.
pub(crate) fn test(wanted: Option<&str>) -> Result<()> {
    match wanted {
        None => all(),
        Some(name) => match SUITES.iter().find(|suite| suite.name == name) {
            Some(suite) => (suite.run)(),
            None => rust(Some(name)),
        },
    }
}

fn all() -> Result<()> {
    let started = Instant::now();
    let mut failed = Vec::new();
    for suite in &SUITES {
        eprintln!("\n== {}", suite.name);
        let suite_started = Instant::now();
        if let Err(error) = (suite.run)() {
            interrupt::check()?;
            eprintln!("  {error:#}");
            failed.push(suite.name);
        }
        eprintln!("== {}: {:.0} s", suite.name, suite_started.elapsed().as_secs_f64());
    }
    eprintln!("\nall suites: {:.0} s", started.elapsed().as_secs_f64());
    if !failed.is_empty() {
        bail!("failed: {}; one suite alone: cargo xtask test {}", failed.join(", "), failed[0]);
    }
    Ok(())
}

/// The workspace's tests and its examples in documentation.
fn rust(filter: Option<&str>) -> Result<()> {
    let databases = Databases::start_declared()?;
    if filter.is_none_or(|filter| filter.contains("audit")) {
        // Shows that the disk is told to keep what is acknowledged.
        install::need("strace", &[], "strace")?;
    }
    if filter.is_none_or(|filter| ["rolling", "nginx"].iter().any(|name| filter.contains(name))) {
        // Stands in front of servers that are restarted.
        nginx::program()?;
    }
    let mut command = Command::new("cargo");
    command.current_dir(paths::root());
    if install::find("cargo-nextest", &[]).is_some() {
        command.args([
            "nextest",
            "run",
            "--workspace",
            "--show-progress",
            "none",
            "--status-level",
            "slow",
        ]);
        command.args(["--no-fail-fast", "--no-tests", "warn"]);
        command.args(["--test-threads", &at_once().to_string()]);
    } else {
        command.args(["test", "--workspace", "--all-targets", "--no-fail-fast"]);
    }
    databases.export(command.args(filter));
    step::loud("Rust tests", &mut command)?;
    if filter.is_none() {
        let mut examples = Command::new("cargo");
        examples.current_dir(paths::root()).args(["test", "--workspace", "--doc", "--quiet"]);
        step::run("examples in documentation", &mut examples)?;
    }
    Ok(())
}

/// How many Rust tests run at once: on few cores more than those, because what takes longest waits for clocks, databases
/// and processes.
fn at_once() -> usize {
    const MIN: usize = 4;
    thread::available_parallelism().map_or(MIN, |cores| cores.get().max(MIN))
}

/// The description of the REST interface, against the rules of OpenAPI and a running server.
fn interface() -> Result<()> {
    const FOLDER: &str = "collab-server/tests/api";
    npm::install(FOLDER)?;
    let mut command = npm::npm(FOLDER);
    command.args(["run", "--silent", "test"]).env("CONCORD_SERVER", server::build_for_tests()?);
    step::loud("description of the REST interface", &mut command)
}

/// The npm package with the real engine, in Node.
fn client() -> Result<()> {
    step::loud("npm package", &mut package_script("test")?)
}

/// `cargo xtask sizes`: what the package weighs, and whether it keeps its budget. An engine with the prebuilt standard
/// library is only told by how much it does not.
pub(crate) fn sizes() -> Result<()> {
    let mut command = package_script("size")?;
    if wasm::is_prebuilt() {
        command.args(["--", "prebuilt"]);
    }
    step::loud("sizes", &mut command)
}

/// The app's parts, without a browser.
fn web_units() -> Result<()> {
    web::build()?;
    step::loud("web app", npm::npm(web::APP).args(["run", "--silent", "test"]))
}

/// The package's drawing and input, which only a browser can show.
fn package_in_browser() -> Result<()> {
    let mut command = package_script("test:browser")?;
    step::loud("npm package in a browser", command.env(browser::VARIABLE, browser::chromium()?))
}

/// `cargo xtask bench browser`: what a key and a remote operation take in Chromium.
pub(crate) fn speed_in_browser() -> Result<()> {
    let mut command = package_script("bench:browser")?;
    step::loud(
        "npm package in a browser, timed",
        command.env(browser::VARIABLE, browser::chromium()?),
    )
}

/// The package as its users get it: packed, in an ordinary Next.js application.
fn packed_package() -> Result<()> {
    let mut command = package_script("test:pack")?;
    step::loud(
        "npm package, packed, in a Next.js application",
        command.env(browser::VARIABLE, browser::chromium()?),
    )
}

/// The whole path in Chromium, against a real server; and the main part of it over networks that let through only
/// streams of events, or not even those.
fn whole_path() -> Result<()> {
    step::loud("web app in a browser", &mut with_browser("e2e")?)?;
    for transport in ["sse", "poll"] {
        let mut command = with_browser("e2e:main")?;
        command.env("CONCORD_TRANSPORT", transport);
        step::loud(&format!("web app in a browser, over {transport}"), &mut command)?;
    }
    Ok(())
}

/// `cargo xtask screenshots`: pictures of every page and state, into `web/screenshots`.
pub(crate) fn screenshots() -> Result<()> {
    step::loud("screenshots", &mut with_browser("screenshots")?)?;
    eprintln!("  web/screenshots holds the pictures");
    Ok(())
}

/// A script of the npm package, which finds the engine and its own packages ready.
fn package_script(script: &str) -> Result<Command> {
    wasm::build()?;
    npm::install(web::PACKAGE)?;
    let mut command = npm::npm(web::PACKAGE);
    command.args(["run", "--silent", script]);
    Ok(command)
}

/// A script of the app that drives a browser. It starts servers of its own: `CONCORD_SERVER` is the program,
/// `CONCORD_WEB_DIR` the export, `CONCORD_CHROMIUM` the browser.
fn with_browser(script: &str) -> Result<Command> {
    web::build()?;
    let program = server::build_for_tests()?;
    let chromium = browser::chromium()?;
    let mut command = npm::npm(web::APP);
    command.args(["run", "--silent", script]);
    command
        .env("CONCORD_SERVER", program)
        .env("CONCORD_WEB_DIR", paths::at(web::EXPORT))
        .env(browser::VARIABLE, chromium);
    Ok(command)
}
