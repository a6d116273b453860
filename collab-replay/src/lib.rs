//! Plays a report of the browser's client against the engine itself, event by event.
//!
//! A report is what `@concord/client/report` has recorded: what a person did, what went over the
//! socket, what the client asked of its engine and what it was answered. [`replay()`] asks the same
//! of the engine that browsers run, compiled for this machine, and stops where the two differ.
//!
//! Pure: no IO, no clock, no random numbers. Offsets count UTF-16 code units, as in the report,
//! unless a name says characters; times are milliseconds.
#![forbid(unsafe_code)]

mod difference;
mod event;
mod frame;
mod player;
mod report;
mod stream;

pub use difference::{Difference, Kind};
pub use event::{Event, Why};
pub use player::{Divergence, Outcome, Step, Summary, replay};
pub use report::{BYTES_MAX, EVENTS_MAX, Header, Report, ReportError, VERSION};
