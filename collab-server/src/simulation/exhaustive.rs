//! Every order of what can happen, in a world small enough.

use super::choice::Enumeration;
use super::plan::Plan;
use super::world::What;
use super::{Summary, Violation, Watch, observe};

/// What befalls two people who make two edits each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Nothing.
    Quiet,
    /// One loses the connection, at any moment, and comes back.
    Reconnect,
    /// The server dies, at any moment, and starts again.
    Crash,
}

/// Goes through all orders, at most `runs_max` of them. How many there were, and how many runs saw
/// the end.
///
/// # Errors
/// The first [`Violation`].
pub fn exhaust(scope: Scope, edits: usize, runs_max: u64) -> Result<(u64, bool), Box<Violation>> {
    let mut enumeration = Enumeration::default();
    let mut runs = 0;
    loop {
        run(scope, edits, &mut enumeration, Watch::default())?;
        runs += 1;
        if !enumeration.advance() {
            return Ok((runs, true));
        }
        if runs == runs_max {
            return Ok((runs, false));
        }
    }
}

fn run(
    scope: Scope,
    edits: usize,
    choice: &mut Enumeration,
    watch: Watch,
) -> Result<Summary, Box<Violation>> {
    observe(
        watch,
        |world| {
            world.open_all();
            match scope {
                Scope::Quiet => {}
                Scope::Reconnect => world.schedule(0, What::CutOf(0)),
                Scope::Crash => world.schedule(0, What::Crash(0)),
            }
            world.run_out();
        },
        choice,
        |_| Plan::interleaved(2, edits),
    )
}
