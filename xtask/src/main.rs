//! The commands of this repository: `cargo xtask <command>`.
//!
//! Each command does its own set-up from a fresh clone, says each step with its time, and ends with the exact command
//! to run where it cannot go on. Nothing here is part of the product.

mod bench;
mod browser;
mod cli;
mod cluster;
mod csp;
mod databases;
mod deploy;
mod dev;
mod dist;
mod fuzz;
mod install;
mod instructions;
mod interrupt;
mod lint;
mod nginx;
mod npm;
mod paths;
mod port;
mod process;
mod run;
mod server;
mod soak;
mod stamp;
mod step;
mod test;
mod tidy;
mod wasm;
mod web;

use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
