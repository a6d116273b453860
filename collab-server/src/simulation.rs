//! A deterministic simulation of everything that decides: clients with undo, documents, servers that
//! share a store, and the network between them, under every fault that the models know.
//!
//! The cores are the real ones: `ot_core::Client`, `document::Core` with its state, ring, room and
//! readers, the registry's slots, and the frames of the protocol as text. Sockets, timers, the
//! database and the fan-out are models. There is no task, no clock and no random number but one
//! source of choice: a seed, a fuzzer's bytes, or the enumeration of all runs of a small world.
//!
//! A run has two phases. First faults fall as the run's plan says, and nothing wrong may be seen
//! ([`Violation`] names the oracle that saw it). Then a part of the world is healed, the rest stays
//! dead for ever, and within bounded time everything that is left holds one text.
//!
//! Units: virtual time is in milliseconds since the start; lengths count scalar values.

mod bugs;
mod calls;
mod choice;
mod events;
mod exhaustive;
mod faults;
mod frames;
mod host;
mod intruders;
mod joining;
mod ledger;
mod minimise;
mod news;
mod orders;
mod outgoing;
mod people;
mod phases;
mod plan;
mod pulling;
mod rights;
mod rows;
mod schedule;
mod server;
mod standing;
mod tab;
mod talk;
mod trace;
mod verdict;
mod wire;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};

pub use bugs::{PLANTED, PLANTED_IN_TALK, Planted};
pub use choice::{Bytes, Choice, Enumeration, Listed, Recorded, Seeded};
pub use exhaustive::{Ends, Explored, LeftOut, Scope, Small, exhaust};
pub use frames::session;
pub use minimise::minimise;
pub use plan::Plan;
pub use talk::run_talk;

pub use crate::store::stored_rows;

use world::World;

/// Something wrong was seen.
#[derive(Clone, Debug)]
pub struct Violation {
    /// What saw it.
    pub oracle: &'static str,
    /// What it saw.
    pub message: String,
    /// What had happened, oldest first; empty unless asked for.
    pub trace: Vec<String>,
}

/// What a run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// A hash over everything that happened, in order.
    pub trace_hash: u64,
    /// Things that happened.
    pub events: u64,
    /// Operations in the logs.
    pub committed: u64,
    /// Faults that fell.
    pub faults: u64,
}

/// How a run is watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// Whether to keep what happened as text.
    pub trace: bool,
}

/// Raises a violation.
fn violated(oracle: &'static str, message: String) -> ! {
    panic_any(Violation { oracle, message, trace: Vec::new() })
}

/// Runs the world that `choice` makes.
///
/// # Errors
/// The [`Violation`] that ended the run.
pub fn run(choice: &mut dyn Choice, watch: Watch) -> Result<Summary, Box<Violation>> {
    let phases = |world: &mut World<'_>| {
        world.live_through_faults();
        world.heal();
    };
    observe(watch, phases, choice, Plan::draw)
}

fn observe(
    watch: Watch,
    body: impl FnOnce(&mut World<'_>),
    choice: &mut dyn Choice,
    plan: impl FnOnce(&mut choice::Draw<'_>) -> Plan,
) -> Result<Summary, Box<Violation>> {
    observed(watch, || {
        let mut draw = choice::Draw::new(choice);
        let plan = plan(&mut draw);
        let mut world = World::new(plan, draw);
        body(&mut world);
        world.summary()
    })
}

/// What a run comes to, or what was seen in it.
fn observed(watch: Watch, run: impl FnOnce() -> Summary) -> Result<Summary, Box<Violation>> {
    trace::begin(watch.trace);
    crate::sabotage::disarm();
    let outcome = catch_unwind(AssertUnwindSafe(run));
    let trace = trace::take();
    outcome.map_err(|panic| {
        let mut violation = match panic.downcast::<Violation>() {
            Ok(violation) => violation,
            Err(panic) => Box::new(Violation {
                oracle: "an assertion of the code itself",
                message: said(&*panic),
                trace: Vec::new(),
            }),
        };
        violation.trace = trace;
        violation
    })
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
