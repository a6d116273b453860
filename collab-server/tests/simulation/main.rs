//! The deterministic simulation, as CI and soak run it.
//!
//! * `CONCORD_SEEDS` says how many seeds are run (20,000), `CONCORD_FIRST_SEED` where they begin (0).
//! * `CONCORD_TALKS` says how many seeds of the worlds of chats and notifications are run (2,000).
//! * `CONCORD_SEED` runs one alone and prints what happened; `CONCORD_CHOICES` the run of a list;
//!   `CONCORD_TALK_SEED` and `CONCORD_TALK_CHOICES` do so with a chat's.
//! * `CONCORD_WORLDS` bounds the small worlds that are too large to be gone through in CI.
//!
//! `docs/testing.md` says what it can see and what it cannot.

mod bytes;
mod exhaustive;
mod minimise;
mod runner;
mod sabotage;
mod seeds;
