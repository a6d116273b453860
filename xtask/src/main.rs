//! The commands of this repository: `cargo xtask <command>`.
//!
//! Each command does its own set-up from a fresh clone, says each step with its time, and ends with the exact command
//! to run where it cannot go on. Nothing here is part of the product.

mod cli;
mod install;
mod interrupt;
mod npm;
mod paths;
mod process;
mod stamp;
mod step;
mod wasm;

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
