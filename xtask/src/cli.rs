//! The list of commands, as `cargo xtask --help` prints it.

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{interrupt, wasm};

/// Builds, runs and checks Concord.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the engine for the browser into wasm-client/js/wasm
    Wasm,
}

/// Reads the command line and runs one command.
pub(crate) fn run() -> Result<()> {
    let arguments = Arguments::parse();
    interrupt::listen()?;
    match arguments.command {
        Command::Wasm => wasm::build().map(drop),
    }
}
