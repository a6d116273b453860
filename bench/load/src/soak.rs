//! Long runs with Concord alone: people who write for half an hour, and as many connections as a process may have.

pub(crate) mod connections;
pub(crate) mod people;
