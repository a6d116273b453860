//! Every order of what can happen, in a world small enough.
//!
//! The orders are walked depth first, each from the beginning. Where a world comes to stand as one
//! stood before, it goes on as that one did, so the walk turns back; what would follow is counted
//! and not walked again. So all orders are gone through, though there are far more of them than
//! anybody could run.

use std::collections::HashMap;

use super::choice::{Draw, Enumeration};
use super::plan::Plan;
use super::world::{What, World};
use super::{Violation, Watch, observe, violated};

/// What befalls people who make a few edits each, all at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Nothing.
    Quiet,
    /// One loses the connection, at any moment and with any part of what was on its way, and comes
    /// back.
    Reconnect,
    /// The server dies, at any moment, and starts again.
    Crash,
}

/// A small world.
#[derive(Clone, Copy, Debug)]
pub struct Small {
    /// What befalls the people.
    pub scope: Scope,
    /// How many people there are.
    pub people: usize,
    /// How many edits each of them makes.
    pub edits: usize,
}

/// What was gone through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Explored {
    /// Worlds that differ.
    pub worlds: u64,
    /// Runs from the beginning to the end, or to a world that was known.
    pub runs: u64,
    /// The orders of events that this stands for; no more than fit.
    pub orders: u128,
    /// Whether these are all of them; else the search was told to stop.
    pub is_whole: bool,
}

/// Goes through all orders, unless there are more than `worlds_max` worlds in them.
///
/// # Errors
/// The first [`Violation`].
pub fn exhaust(small: Small, worlds_max: u64) -> Result<Explored, Box<Violation>> {
    let mut search = Search::default();
    let mut enumeration = Enumeration::default();
    let mut runs = 0;
    loop {
        run(small, &mut enumeration, &mut search)?;
        runs += 1;
        let goes_on = enumeration.advance();
        search.leave(if goes_on { enumeration.len() } else { 0 });
        let worlds = search.known.len() as u64;
        if !goes_on {
            return Ok(Explored { worlds, runs, orders: search.orders, is_whole: true });
        }
        if worlds >= worlds_max {
            return Ok(Explored { worlds, runs, orders: search.orders, is_whole: false });
        }
    }
}

fn run(small: Small, choice: &mut Enumeration, search: &mut Search) -> Result<(), Box<Violation>> {
    let body = |world: &mut World<'_>| {
        world.open_all();
        match small.scope {
            Scope::Quiet => {}
            Scope::Reconnect => world.schedule(0, What::CutOf(0)),
            Scope::Crash => world.schedule(0, What::Crash(0)),
        }
        let orders = world.run_out(|world| search.visit(world));
        search.count(orders);
    };
    let is_loaded_again = small.scope == Scope::Crash;
    let plan = |_: &mut Draw<'_>| Plan::interleaved(small.people, small.edits, is_loaded_again);
    observe(Watch::default(), body, choice, plan).map(drop)
}

/// A world on the way to the one that is looked at.
struct Step {
    standing: u128,
    /// How many choices led to it.
    choices: usize,
    /// The orders that lead on from it, as far as they were gone through.
    orders: u128,
}

/// The walk.
#[derive(Default)]
struct Search {
    /// The worlds that are done with, and how many orders lead on from each.
    known: HashMap<u128, u128>,
    way: Vec<Step>,
    /// All orders of which the walk is done.
    orders: u128,
}

impl Search {
    /// Takes note of a world that the walk came to. The orders from it, if they are known.
    fn visit(&mut self, world: &World<'_>) -> Option<u128> {
        // The beginning is what the last run did too.
        let choices = world.draw.fresh_at()?;
        let standing = world.standing();
        if let Some(orders) = self.known.get(&standing) {
            return Some(*orders);
        }
        if self.way.iter().any(|step| step.standing == standing) {
            violated("it comes to rest", "what happens leads in a circle".to_owned());
        }
        self.way.push(Step { standing, choices, orders: 0 });
        None
    }

    /// So many orders lead on from where the walk is.
    fn count(&mut self, orders: u128) {
        match self.way.last_mut() {
            Some(step) => step.orders = step.orders.saturating_add(orders),
            None => self.orders = self.orders.saturating_add(orders),
        }
    }

    /// The walk turns back to the last of `choices` choices: the worlds behind it are done with.
    fn leave(&mut self, choices: usize) {
        while let Some(step) = self.way.pop_if(|step| choices == 0 || step.choices >= choices) {
            self.known.insert(step.standing, step.orders);
            self.count(step.orders);
        }
    }
}
