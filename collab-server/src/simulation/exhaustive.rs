//! Every order of what can happen, in a world small enough.
//!
//! The orders are walked depth first; where there are several ways on, each goes on from a copy of
//! the world. Where a world comes to stand as one stood before, it goes on as that one did, so the
//! walk turns back; what would follow is counted and not walked again. So all orders are gone
//! through, though there are far more of them than anybody could run.

use std::collections::{HashMap, HashSet};

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
    /// Who is there: how many edits each person makes.
    pub edits: &'static [usize],
    /// The orders that are not gone through.
    pub left_out: LeftOut,
}

/// Which orders are left out, since others come to the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// None.
    #[default]
    Nothing,
    /// Those that differ in events that commute: they end alike in every field.
    Commuting,
    /// Also those that differ in when somebody who says no more hears of what is new: what is stored and
    /// where everybody is ends alike.
    Unanswered,
}

/// What was gone through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Explored {
    /// Worlds that differ.
    pub worlds: u64,
    /// How often the walk came to the end, or to a world that was known.
    pub runs: u64,
    /// The orders of events that this stands for; no more than fit.
    pub orders: u128,
    /// Whether these are all of them; else the search was told to stop.
    pub is_whole: bool,
    /// The worlds at rest, by all that may tell them apart.
    pub ends: Ends,
    /// The same by what is stored and by where everybody is alone.
    pub outcomes: Ends,
}

/// Worlds at rest that differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// How many.
    pub count: u64,
    /// A hash over them, in any order.
    pub hash: u128,
}

impl From<&HashSet<u128>> for Ends {
    fn from(ends: &HashSet<u128>) -> Ends {
        let hash = ends.iter().fold(0, |sum: u128, end| sum.wrapping_add(*end));
        Ends { count: ends.len() as u64, hash }
    }
}

/// Goes through all orders, unless there are more than `worlds_max` worlds in them.
///
/// # Errors
/// The first [`Violation`].
pub fn exhaust(small: Small, worlds_max: u64) -> Result<Explored, Box<Violation>> {
    let mut search = Search { worlds_max, ..Search::default() };
    let body = |world: &mut World<'_>| {
        world.open_all();
        world.tabs.iter_mut().zip(small.edits).for_each(|(tab, edits)| tab.actions = *edits);
        world.left_out = small.left_out;
        match small.scope {
            Scope::Quiet => {}
            Scope::Reconnect => world.schedule(0, What::CutOf(0)),
            Scope::Crash => world.schedule(0, What::Crash(0)),
        }
        search.go_on(world);
    };
    let plan = |_: &mut Draw<'_>| {
        let most = small.edits.iter().max().copied().unwrap_or_default();
        Plan::interleaved(small.edits.len(), most, small.scope == Scope::Crash)
    };
    let walked = observe(Watch::default(), body, &mut Enumeration::default(), plan);
    walked.map(|_| search.explored())
}

/// The walk.
#[derive(Default)]
struct Search {
    worlds_max: u64,
    /// The worlds that are done with, and how many orders lead on from each.
    known: HashMap<u128, u128>,
    /// Those on the way to the one that is looked at.
    way: Vec<u128>,
    /// The worlds at rest, and what has come of them.
    ends: HashSet<u128>,
    outcomes: HashSet<u128>,
    explored: Explored,
    is_stopped: bool,
}

impl Search {
    /// Goes on from a world in every way; how many orders that are.
    fn go_on(&mut self, world: &mut World<'_>) -> u128 {
        let orders = self.orders_from(world);
        self.explored.orders = orders;
        orders
    }

    fn orders_from(&mut self, world: &mut World<'_>) -> u128 {
        if world.run_on() {
            self.explored.runs += 1;
            self.ends.insert(world.standing());
            self.outcomes.insert(world.outcome());
            return 1;
        }
        let standing = world.standing();
        if let Some(orders) = self.known.get(&standing) {
            self.explored.runs += 1;
            return *orders;
        }
        if self.way.contains(&standing) {
            violated("it comes to rest", "what happens leads in a circle".to_owned());
        }
        self.way.push(standing);
        let mut orders: u128 = 0;
        let mut choice = Enumeration::default();
        let moves = world.moves();
        while !self.is_stopped {
            {
                let mut next = world.fork(Draw::new(&mut choice));
                next.make_one_of(&moves);
                orders = orders.saturating_add(self.orders_from(&mut next));
            }
            if !choice.advance() {
                break;
            }
        }
        self.way.pop();
        self.known.insert(standing, orders);
        self.is_stopped |= self.known.len() as u64 >= self.worlds_max && !self.way.is_empty();
        orders
    }

    fn explored(&self) -> Explored {
        Explored {
            worlds: self.known.len() as u64,
            is_whole: !self.is_stopped,
            ends: (&self.ends).into(),
            outcomes: (&self.outcomes).into(),
            ..self.explored
        }
    }
}
