//! `cargo xtask soak <name>`: long runs, for the night before a release. Each is a test of the repository with more
//! cases or bigger input than CI gives it.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{bench, fuzz, paths, step};

/// A long run by name.
struct Soak {
    name: &'static str,
    about: &'static str,
    /// Arguments of cargo.
    command: &'static [&'static str],
    /// Variables, with the values used unless they are set already.
    variables: &'static [(&'static str, &'static str)],
    /// A variable that must be set, and what it names.
    needs: Option<(&'static str, &'static str)>,
}

/// Scenarios of real processes, by the beginning of their tests' names: one after another, at full size, with figures.
macro_rules! faults {
    ($name:literal, $tests:literal, $about:literal) => {
        Soak {
            name: $name,
            about: $about,
            command: &[
                "test",
                "--release",
                "--package",
                "collab-server",
                "--test",
                "it",
                $tests,
                "--",
                "--nocapture",
                "--test-threads=1",
            ],
            variables: &[("CONCORD_FAULTS", "full")],
            needs: None,
        }
    };
}

const SOAKS: &[Soak] = &[
    Soak {
        name: "simulation",
        about: "a million seeds of the simulation (CONCORD_FIRST_SEED, CONCORD_SEEDS), small worlds in every order",
        command: &[
            "test",
            "--package",
            "collab-server",
            "--features",
            "simulation",
            "--test",
            "simulation",
            // Assertions stay on, which a release build would leave out.
            "--config",
            "profile.dev.package.collab-server.opt-level=2",
            "--config",
            "profile.dev.package.collab-protocol.opt-level=2",
            "--config",
            "profile.dev.package.ot-core.opt-level=2",
            "--",
            "--nocapture",
            "--test-threads",
            "1",
        ],
        variables: &[
            ("CONCORD_SEEDS", "1000000"),
            ("CONCORD_TALKS", "200000"),
            ("CONCORD_WORLDS", "5000000"),
        ],
        needs: None,
    },
    Soak {
        name: "laws",
        about: "the laws of the engine, a million cases each",
        command: &["test", "--release", "--package", "ot-core", "--test", "it"],
        variables: &[("PROPTEST_CASES", "1000000")],
        needs: None,
    },
    Soak {
        name: "trace",
        about: "two recorded people through the running server",
        command: &[
            "test",
            "--release",
            "--package",
            "collab-server",
            "--test",
            "it",
            "trace",
            "--",
            "--nocapture",
        ],
        variables: &[],
        needs: Some((
            "EDITING_TRACES",
            "a folder with friendsforever.json.gz of github.com/josephg/editing-traces",
        )),
    },
    Soak {
        name: "kill",
        about: "server and PostgreSQL killed 25 times each under eight writing clients",
        command: &[
            "test",
            "--package",
            "collab-server",
            "--test",
            "it",
            "kill::",
            "--",
            "--nocapture",
            "--test-threads=1",
        ],
        variables: &[("CONCORD_KILL_ROUNDS", "25")],
        needs: None,
    },
    Soak {
        name: "damage",
        about: "a thousand bits flipped in stored rows, each to be found; prints the table",
        command: &[
            "test",
            "--package",
            "collab-server",
            "--test",
            "it",
            "flipped_bits",
            "--",
            "--nocapture",
        ],
        variables: &[("CONCORD_TEST_FLIPS", "1000")],
        needs: None,
    },
    Soak {
        name: "packed",
        about: "a history through the store: packed size, and times to verify, rebuild, open",
        command: &[
            "test",
            "--release",
            "--package",
            "collab-server",
            "--test",
            "it",
            "a_long_history_is_packed_small",
            "--",
            "--nocapture",
        ],
        variables: &[],
        needs: Some((
            "EDITING_TRACES",
            "a folder with automerge-paper.json.gz of github.com/josephg/editing-traces",
        )),
    },
    Soak {
        name: "rolling",
        about: "two servers restarted in turn under 40 typing people, with the pauses they feel",
        command: &[
            "test",
            "--package",
            "collab-server",
            "--test",
            "it",
            "rolling::",
            "--",
            "--nocapture",
            "--test-threads=1",
        ],
        variables: &[("CONCORD_FAULTS", "full")],
        needs: None,
    },
    faults!("faults", "faults::", "real server, databases and networks that fail: all scenarios"),
    faults!("network", "faults::network", "eight people behind failing networks, 40 rounds"),
    faults!("slow-readers", "faults::slow", "100 connections that take nothing while 20 type"),
    faults!(
        "silent",
        "connections_that_say_nothing",
        "500 connections that send nothing or half a head"
    ),
    faults!("flood", "a_client_that_floods", "a client that floods a document where others type"),
    faults!("chat", "chat::load", "100 people in a chat, 20 messages a second, for a minute"),
    faults!("idle", "idle_connections_cost", "memory of 2,000 connections that do nothing"),
    faults!("storm", "faults::storm", "1,000 clients come back at once"),
    faults!("malformed", "faults::malformed", "10,000 malformed frames, 10,000 malformed messages"),
    faults!("storage", "faults::storage", "a locked database, a full disk"),
    faults!("ending", "faults::ending", "SIGTERM under load, 50 times"),
    faults!("postgres", "faults::postgres", "PostgreSQL stopped, paused, restarted, cut off"),
    faults!(
        "cluster-converge",
        "cluster::converge",
        "150 people on two and on three servers in five documents"
    ),
    faults!(
        "cluster-redis",
        "cluster::redis",
        "servers whose Redis is restarted 50 times, stopped for 30 s, lossy, absent for 5 min"
    ),
    faults!(
        "cluster-postgres",
        "cluster::postgres",
        "servers whose PostgreSQL is restarted 25 times, and stopped for 30 s"
    ),
    faults!(
        "cluster-partitions",
        "cluster::partitions",
        "servers cut off from Redis, PostgreSQL or both, or stopped, 100 rounds"
    ),
    faults!(
        "cluster-fair",
        "cluster::fair",
        "how two servers share one document that both write to"
    ),
    faults!("cluster-speed", "cluster::speed", "what several servers cost and bring, in figures"),
];

/// The long run that is no test; its variable, with the seconds that each target gets unless it says otherwise.
const FUZZ: (&str, &str) = (
    "fuzz",
    "every fuzz target under libFuzzer (nightly, cargo-fuzz), CONCORD_FUZZ_S seconds each",
);
const FUZZ_SECONDS: u64 = 600;

/// Long runs of the load generator: its command by the name, and what it does. Arguments go to it.
const LOADS: [(&str, &str); 2] = [
    (
        "people",
        "200 people who write in 20 documents for 30 minutes: memory and files over time (--minutes, --people)",
    ),
    (
        "connections",
        "as many idle connections as the limit on files allows, and typing beside them",
    ),
];

/// Runs one, or lists all.
pub(crate) fn soak(name: Option<&str>, args: &[String]) -> Result<()> {
    let listed = || SOAKS.iter().map(|soak| (soak.name, soak.about)).chain([FUZZ]).chain(LOADS);
    let Some(name) = name else {
        listed().for_each(|(name, about)| eprintln!("  {name:<12} {about}"));
        return Ok(());
    };
    if name == FUZZ.0 {
        let seconds = std::env::var("CONCORD_FUZZ_S").ok().map(|text| text.parse()).transpose();
        return fuzz::long(
            seconds.context("CONCORD_FUZZ_S is a number of seconds")?.unwrap_or(FUZZ_SECONDS),
        );
    }
    if LOADS.iter().any(|(load, _)| *load == name) {
        return bench::servers(name, args);
    }
    if !args.is_empty() {
        bail!("the soak {name} takes no arguments");
    }
    let known = || listed().map(|(name, _)| name).collect::<Vec<_>>().join(", ");
    let soak = SOAKS
        .iter()
        .find(|soak| soak.name == name)
        .with_context(|| format!("no soak {name}; there are: {}", known()))?;
    if let Some((variable, what)) = soak.needs
        && std::env::var_os(variable).is_none()
    {
        bail!("{variable} must name {what}");
    }
    let mut command = Command::new("cargo");
    command.current_dir(paths::root()).args(soak.command);
    for (variable, value) in soak.variables {
        if std::env::var_os(variable).is_none() {
            command.env(variable, value);
        }
    }
    step::loud(soak.about, &mut command)
}
