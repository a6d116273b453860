//! Chats and notifications in worlds of their own: devices that say, change, read and are told
//! things, over connections that get lost, at servers that die, beside a store that fails.
//!
//! What the servers do is the program's own code: `chat::room` and its feeds, how a chat is opened,
//! what becomes of what is said, when the database is looked at, and what is told to whom. Those of
//! it that wait for the store are futures, which the world polls by hand and whose calls it answers
//! when it likes, or not at all. Modelled are the devices (after `wasm-client/js/src/chat` and
//! `notifications`), connections, REST requests, the rooms of people, and the way between servers:
//! it breaks, loses what was said meanwhile, and says so when it is there again.
//!
//! Nothing here draws from what the worlds of documents draw from: their seeds stay what they are.

mod desk;
mod device;
mod journal;
mod plan;
mod rest;
mod serving;
mod store;
mod world;

use super::choice::{Choice, Draw};
use super::{Summary, Violation, Watch, observed};

use self::plan::Plan;
use self::world::World;

/// Runs the world of a chat that `choice` makes.
///
/// # Errors
/// The [`Violation`] that ended the run.
pub fn run_talk(choice: &mut dyn Choice, watch: Watch) -> Result<Summary, Box<Violation>> {
    observed(watch, || {
        let mut draw = Draw::new(choice);
        let plan = Plan::draw(&mut draw);
        let mut world = World::new(plan, draw);
        world.live_through_faults();
        world.heal();
        world.summary()
    })
}
