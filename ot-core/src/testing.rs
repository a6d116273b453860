//! What tests, fuzzers and simulations share (feature `testing`): a notation, strategies, one
//! source of choice, a naive model of the laws, and a small world of clients and a server.
//!
//! Nothing here is fast, and a violated rule is a panic.

mod choices;
mod model;
mod notation;
mod plan;
mod world;

pub use crate::sabotage::{Bug, plant};
pub use choices::Choices;
pub use model::{Gap, Gaps};
pub use notation::{ParseError, parse};
pub use plan::{ALPHABET, EditPlan, EditStep, plans, texts};
pub use world::{Report, run_schedule};
