//! The fuzz targets: a smoke run on the ordinary compiler, and long runs with coverage guidance.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{install, interrupt, paths, process, step};

/// Where the ordinary compiler's programs of the fuzz workspace go: beside the main one's, with which they share the
/// libraries of others, as long as lock files, profiles and features agree.
const TARGET_DIR: &str = "target";

/// Cargo on the fuzz workspace, with the ordinary compiler.
pub(crate) fn cargo(subcommand: &str) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(paths::root()).args([
        subcommand,
        "--manifest-path",
        "fuzz/Cargo.toml",
        "--target-dir",
        TARGET_DIR,
    ]);
    command
}

/// Every target for so many seconds, one after another; prints a table. A target that crashes stops
/// no other one.
pub(crate) fn long(seconds: u64) -> Result<()> {
    if install::find("cargo-fuzz", &[]).is_none() {
        bail!("cargo-fuzz is missing: cargo install cargo-fuzz; it needs the nightly toolchain");
    }
    let mut failed = Vec::new();
    println!("{:<16} {:>12} {:>8} {:>12}", "target", "executions", "seconds", "covered");
    for target in targets()? {
        interrupt::check()?;
        let mut command = Command::new("cargo");
        let time = format!("-max_total_time={seconds}");
        command.current_dir(paths::root()).args(["+nightly", "fuzz", "run", "--sanitizer", "none"]);
        // Our own code has no unsafe part; and C code that gcc has built makes LLVM's sanitizer see ghosts.
        command.arg(&target);
        command.args(["--", time.as_str(), "-print_final_stats=1", "-timeout=60"]);
        let finished = process::capture(&mut command, None)?;
        let output = finished.output;
        let last = output.lines().rfind(|line| line.contains(" cov: ")).unwrap_or_default();
        let covered = word_behind(last, "cov:").unwrap_or("?");
        let executions = word_behind(&output, "stat::number_of_executed_units:").unwrap_or("?");
        let took = output.lines().find_map(|line| line.split_once(" runs in "));
        let took = took.and_then(|(_, rest)| rest.split_whitespace().next()).unwrap_or("?");
        println!("{target:<16} {executions:>12} {took:>8} {covered:>12}");
        if !finished.status.success() {
            let tail: Vec<&str> = output.lines().rev().take(40).collect();
            tail.into_iter().rev().for_each(|line| eprintln!("    {line}"));
            failed.push(target);
        }
    }
    if !failed.is_empty() {
        bail!("crashed: {}; fuzz/README.md says how to see it again", failed.join(", "));
    }
    Ok(())
}

/// The targets' names.
fn targets() -> Result<Vec<String>> {
    let folder = paths::at("fuzz/fuzz_targets");
    let entries = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

fn word_behind<'t>(text: &'t str, before: &str) -> Option<&'t str> {
    text.split_once(before)?.1.split_whitespace().next()
}

/// The targets over their corpus, and over what is made from it.
pub(crate) fn smoke() -> Result<()> {
    step::run("fuzz targets over their corpus", cargo("test").arg("--lib"))
}

/// 20,000 seeds of the simulation, every planted bug, and small worlds in all orders or the first of them.
pub(crate) fn simulation() -> Result<()> {
    let mut command = cargo("test");
    // Most of its tests have one thread.
    command.args(["--test", "simulation", "--", "--nocapture", "--test-threads", "2"]);
    step::loud("simulation", &mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_in_what_the_fuzzer_says() {
        let said =
            "#8192 pulse cov: 1204 ft: 3311 corp: 9/20b\nstat::number_of_executed_units: 77\n";
        assert_eq!(word_behind(said, "cov:"), Some("1204"));
        assert_eq!(word_behind(said, "stat::number_of_executed_units:"), Some("77"));
        assert_eq!(word_behind(said, "absent:"), None);
    }

    #[test]
    fn every_target_has_a_corpus_to_begin_with() {
        let targets = targets().expect("listed");
        assert!(targets.len() >= 9);
        for target in targets {
            let corpus = paths::at(&format!("fuzz/corpus/{target}"));
            let files = std::fs::read_dir(&corpus).map_or(0, Iterator::count);
            assert!(files > 0, "{target} has none");
        }
    }
}
