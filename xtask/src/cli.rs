//! The list of commands, as `cargo xtask --help` prints it.

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{
    bench, cluster, dev, dist, instructions, interrupt, lint, run, soak, test, tidy, wasm, web,
};

/// What `cargo xtask bench` measures.
const BENCHES: [&str; 9] = [
    "engine",
    "engine-apply",
    "engine-transform",
    "engine-merge",
    "engine-storage",
    "engine-growth",
    "engine-client",
    "browser",
    "servers",
];

/// Builds, runs and checks Concord. Every command does its own set-up.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build what is stale and serve the app at one address
    Run {
        /// The port of the address
        #[arg(long, default_value_t = 8080)]
        port: u16,
        /// Further flags of collab-server, after --
        #[arg(last = true)]
        server: Vec<String>,
    },
    /// Serve the app with hot reload of web, engine and server
    Dev {
        /// The port of the app; the server takes the one after it
        #[arg(long, default_value_t = 3000)]
        port: u16,
        /// Further flags of collab-server, after --
        #[arg(last = true)]
        server: Vec<String>,
    },
    /// Serve the app by several servers: PostgreSQL, Redis, servers and nginx, at one address
    Cluster {
        /// The port of the address
        #[arg(long, default_value_t = 8080)]
        port: u16,
        /// How many servers
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=32))]
        servers: u16,
        /// Further flags of collab-server, after --
        #[arg(last = true)]
        server: Vec<String>,
    },
    /// Run every test, one suite (tidy, rust, simulation, api, fuzz, instructions, client, sizes, web, browser, pack, e2e), or Rust tests by name
    Test {
        /// A suite, or a part of the names of Rust tests
        wanted: Option<String>,
    },
    /// Check formatting, clippy, TypeScript types and lints, and tidy
    Lint,
    /// Check the repository itself: map, layers, links, migrations
    Tidy {
        /// Complete the map of ARCHITECTURE.md from the modules' own first sentences
        #[arg(long)]
        fix: bool,
    },
    /// Build the engine for the browser into wasm-client/js/wasm
    Wasm,
    /// Build engine, npm package and web app into web/out
    Web,
    /// Build one release program with everything inside
    Dist,
    /// Print what the npm package weighs and check its budget
    Sizes,
    /// Take pictures of the app into web/screenshots
    Screenshots,
    /// Measure the engine (all of it, or one section) or servers under load, beside their peers; or the browser
    Bench {
        /// What is measured
        #[arg(default_value = "engine", value_parser = BENCHES)]
        what: String,
        /// For servers, scenarios and flags: s1 s3a --quick --only concord,relay. For the engine, --criterion has
        /// criterion measure
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Count the instructions of the hot paths and compare with the checked-in list
    Instructions {
        /// Write the list anew from what is counted
        #[arg(long)]
        accept: bool,
    },
    /// Run long tests by name; without a name, list them
    Soak {
        /// Which one
        name: Option<String>,
        /// Arguments of the load generator's runs
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

/// Reads the command line and runs one command.
pub(crate) fn run() -> Result<()> {
    let arguments = Arguments::parse();
    interrupt::listen()?;
    match arguments.command {
        Command::Run { port, server } => run::run(port, &server),
        Command::Dev { port, server } => dev::dev(port, &server),
        Command::Cluster { port, servers, server } => cluster::cluster(port, servers, &server),
        Command::Test { wanted } => test::test(wanted.as_deref()),
        Command::Lint => lint::lint(),
        Command::Tidy { fix: true } => tidy::fix(),
        Command::Tidy { fix: false } => tidy::tidy(),
        Command::Wasm => wasm::build(),
        Command::Web => web::build(),
        Command::Dist => dist::dist(),
        Command::Sizes => test::sizes(),
        Command::Screenshots => test::screenshots(),
        Command::Bench { what, arguments } if what == "servers" => {
            bench::servers("run", &arguments)
        }
        Command::Bench { what, .. } if what == "browser" => test::speed_in_browser(),
        Command::Bench { what, arguments } => bench::engine(&what, &arguments),
        Command::Instructions { accept } => instructions::instructions(accept),
        Command::Soak { name, arguments } => soak::soak(name.as_deref(), &arguments),
    }
}
