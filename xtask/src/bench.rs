//! `cargo xtask bench`: speed. The engine beside its peers (`bench/engine`), the servers by the load generator (`bench/load`).

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::process::answer;
use crate::step::step;
use crate::{databases, npm, paths, step};

/// The folder of the peers' servers.
const PEERS: &str = "bench/peers";

/// Soft limit of open files, which the load raises to the hard one for itself and the servers it starts.
const RAISE_FILES: &str = "ulimit -n $(ulimit -Hn); exec \"$@\"";

/// Where the engine's tables are kept as CSV.
const RESULTS: &str = "bench/results";

/// The engine beside its peers; `section` is one of the program's, or `engine` for all. `args` go to it.
pub(crate) fn engine(section: &str, args: &[String]) -> Result<()> {
    let target = target_dir();
    let build = ["build", "--release", "--manifest-path", "bench/Cargo.toml"];
    let package = ["--package", "concord-bench-engine", "--features", "peers"];
    step::run(
        "benchmark of the engine, with its peers",
        cargo(&build).args(package).env("CARGO_TARGET_DIR", &target),
    )?;
    let mut run = Command::new(target.join("release/concord-bench-engine"));
    run.args(args).current_dir(paths::root()).env("CONCORD_BENCH_CSV", paths::at(RESULTS));
    if section != "engine" {
        run.arg(section);
    }
    step::loud("engine beside its peers", &mut run)
}

/// The servers, by the load generator's command (`run`, `idle`, `people`); `args` go to it.
pub(crate) fn servers(command: &str, args: &[String]) -> Result<()> {
    let only = args.iter().position(|arg| arg == "--only").and_then(|at| args.get(at + 1));
    let is_wanted = |name: &str| only.is_none_or(|only| only.contains(name));
    let is_run = command == "run";
    let target = target_dir();
    step::run(
        "server, for release",
        cargo(&["build", "--release", "--package", "collab-server"])
            .env("CARGO_TARGET_DIR", paths::at("target")),
    )?;
    let load =
        ["build", "--release", "--manifest-path", "bench/Cargo.toml", "--package", "concord-load"];
    step::run("load generator", cargo(&load).env("CARGO_TARGET_DIR", &target))?;
    if is_run {
        npm::install(PEERS)?;
    }
    let database = if is_run && is_wanted("postgres") {
        Some(step("start a private PostgreSQL", || {
            let server = databases::postgres()?;
            // On the servers' processor, with all that it starts from now on.
            let id = server.process_id().to_string();
            answer("taskset", &["-a", "-p", "-c", "0", &id]);
            Ok((server, String::new()))
        })?)
    } else {
        None
    };
    let mut run = Command::new("taskset");
    run.current_dir(paths::root()).args(["-c", "1", "sh", "-c", RAISE_FILES, "sh"]);
    run.arg(target.join("release/concord-load")).arg(command).args(args);
    run.arg("--concord").arg(paths::at("target/release/collab-server"));
    if is_run {
        run.arg("--relay").arg(target.join("release/relay"));
        run.arg("--peers").arg(paths::at(PEERS));
    }
    if let Some(server) = &database {
        run.args(["--postgres", server.url()]);
        run.args(["--postgres-process", &server.process_id().to_string()]);
    }
    step::loud("load", &mut run)
}

/// Where the bench workspace is built: beside it, unless a folder is named.
fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| paths::at("bench/target"), PathBuf::from)
}

fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(paths::root()).args(args);
    command
}
