//! What the kernel says of a process: its memory, its time on a processor, its files.

use std::fs;

use anyhow::{Context, Result};

/// How long a tick of `/proc/<id>/stat` is on Linux, in microseconds: the kernel's interface has had 100 a second for
/// as long as it has had the file.
const TICK_US: u64 = 10_000;

/// Time on a processor since the process began, in microseconds, to the nearest 10,000.
pub(crate) fn cpu_us(id: u32) -> Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).context("the process has ended")?;
    // The name in brackets may hold anything.
    let (_, behind) = stat.rsplit_once(')').context("a name in brackets")?;
    let mut fields = behind.split_whitespace().skip(11);
    let mut ticks = || fields.next().and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    Ok((ticks() + ticks()) * TICK_US)
}

/// The same of a process and all that it started and that still run.
pub(crate) fn family_cpu_us(id: u32) -> Result<u64> {
    let mut sum = cpu_us(id)?;
    for child in children(id) {
        // It may have ended since.
        sum += family_cpu_us(child).unwrap_or(0);
    }
    Ok(sum)
}

fn children(id: u32) -> Vec<u32> {
    let listed = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    listed.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// Resident memory in bytes.
pub(crate) fn resident_bytes(id: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes * 1024)
}

/// Open files and sockets.
pub(crate) fn open_files(id: u32) -> Result<usize> {
    Ok(fs::read_dir(format!("/proc/{id}/fd"))?.count())
}
