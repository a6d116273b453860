//! `cargo xtask instructions`: how many instructions the hot paths take, against a checked-in list. Counts are the same
//! on a busy machine and on an idle one, so what makes a path slower is found by any run.
//!
//! They depend on the compiler and on the C library, so they are compared only where both are those of the list; and on
//! what the processor offers to copying and comparing bytes, so those roads are closed for the time.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::answer;
use crate::{install, paths, step};

/// The list: a line for the tools that it holds for, then one for each case, name and count with a tab between.
const LIST: &str = "bench/instructions/expected.tsv";

/// How much more than listed a case may take, of the listed count.
const TOLERANCE: f64 = 0.02;

/// The C library picks its routines by the processor; this leaves it those that all have.
const TUNABLES: &str = "glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-AVX,-ERMS,-FSRM,-SSSE3,\
                        -SSE4_1,-SSE4_2,-BMI2,-AVX_Fast_Unaligned_Load";

/// Counts every case and compares with the list; `accept` writes the list anew instead.
///
/// # Errors
/// When a case takes more than listed, or is not listed.
pub(crate) fn instructions(accept: bool) -> Result<()> {
    let valgrind = install::need("valgrind", &[], "valgrind")?;
    let target = paths::at("target/instructions");
    let mut build = Command::new("cargo");
    build.current_dir(paths::root()).args([
        "build",
        "--manifest-path",
        "bench/Cargo.toml",
        "--package",
        "concord-instructions",
        "--profile",
        "instructions",
        "--target-dir",
    ]);
    // Flags of this machine's own would make other instructions.
    build.arg(&target).env_remove("RUSTFLAGS");
    step::run("cases to count", &mut build)?;
    let program = target.join("instructions/concord-instructions");
    let names = step::quiet(&mut Command::new(&program))?;
    let found = step::step("count instructions", || {
        let count = |name: &str| Ok((name.to_owned(), count(&valgrind, &program, name)?));
        let found = names.lines().map(count).collect::<Result<Vec<_>>>()?;
        let remark = format!("{} cases", found.len());
        Ok((found, remark))
    })?;
    let tools = tools()?;
    if accept {
        std::fs::write(paths::at(LIST), list(&tools, &found)).context("cannot write the list")?;
        eprintln!("  {LIST} is written");
        return Ok(());
    }
    let listed = std::fs::read_to_string(paths::at(LIST)).with_context(|| format!("no {LIST}"))?;
    let (listed_tools, listed) = listed.split_once('\n').unwrap_or_default();
    if listed_tools != tools {
        eprintln!("  NOT COMPARED: the list holds for {listed_tools}; here is {tools}.");
        eprintln!("  To count with these from now on: cargo xtask instructions --accept");
        return Ok(());
    }
    let complaints = compare(listed, &found);
    complaints.iter().for_each(|complaint| eprintln!("  {complaint}"));
    if complaints.is_empty() {
        return Ok(());
    }
    bail!(
        "{} cases; to accept what they take now: cargo xtask instructions --accept",
        complaints.len()
    )
}

/// What counts depend on, beside our own code.
fn tools() -> Result<String> {
    let rustc = answer("rustc", &["--version"]).context("rustc says no version")?;
    let library = answer("getconf", &["GNU_LIBC_VERSION"]).unwrap_or_default();
    Ok(format!("{rustc}, {library}, {}", std::env::consts::ARCH))
}

/// Instructions of one case.
fn count(valgrind: &Path, program: &Path, name: &str) -> Result<u64> {
    let mut command = Command::new(valgrind);
    command.args([
        "--tool=callgrind",
        "--toggle-collect=concord_instructions::measured*",
        "--callgrind-out-file=/dev/null",
    ]);
    // A variable more moves the stack, and copies of other alignment take other instructions.
    command.env_clear().env("GLIBC_TUNABLES", TUNABLES).arg(program).arg(name);
    let output = step::quiet(&mut command)?;
    let counted = output.lines().find_map(|line| line.split_once("Collected :"));
    let (_, counted) = counted.with_context(|| format!("callgrind tells no count: {output}"))?;
    match counted.trim().parse() {
        Ok(count) if count > 0 => Ok(count),
        _ => bail!("callgrind has counted nothing of {name}: {output}"),
    }
}

fn list(tools: &str, found: &[(String, u64)]) -> String {
    let mut list = format!("{tools}\n");
    for (name, count) in found {
        let _ = writeln!(list, "{name}\t{count}");
    }
    list
}

/// What is wrong with the counts, one line each; what takes less than listed is told and is no complaint.
fn compare(listed: &str, found: &[(String, u64)]) -> Vec<String> {
    let expected = |name: &str| {
        let line = listed.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('\t'))?;
        line.parse::<u64>().ok()
    };
    let mut complaints = Vec::new();
    for (name, count) in found {
        let Some(expected) = expected(name) else {
            complaints.push(format!("{name} takes {count} instructions and is not listed"));
            continue;
        };
        let change = *count as f64 / expected as f64 - 1.0;
        let says =
            format!("{name}: {count} instructions, {expected} listed ({:+.1} %)", change * 100.0);
        if *count as f64 > expected as f64 * (1.0 + TOLERANCE) {
            complaints.push(says);
        } else if change < -TOLERANCE {
            eprintln!("  {says}: better; cargo xtask instructions --accept keeps it so");
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(count: u64) -> Vec<(String, u64)> {
        vec![("one".to_owned(), count)]
    }

    #[test]
    fn what_takes_more_or_is_unknown_is_told_and_what_takes_less_is_not() {
        assert_eq!(compare("one\t1000\n", &found(1_020)), Vec::<String>::new());
        assert_eq!(compare("one\t1000\n", &found(900)), Vec::<String>::new());
        assert_eq!(
            compare("one\t1000\n", &found(1_021)),
            ["one: 1021 instructions, 1000 listed (+2.1 %)"]
        );
        assert_eq!(
            compare("one_more\t1000\n", &found(5)),
            ["one takes 5 instructions and is not listed"]
        );
    }

    #[test]
    fn a_list_is_read_as_it_is_written() {
        let written = list("tools", &found(7));
        let (tools, listed) = written.split_once('\n').expect("lines");
        assert_eq!((tools, compare(listed, &found(7))), ("tools", Vec::new()));
    }
}
