//! Operational Transformation for plain text with one authority that assigns revisions.
//!
//! Pure: no IO, no clock, no random numbers. Lengths and offsets are Unicode scalar values
//! everywhere. Start at [`Operation`] and [`transform`].
#![forbid(unsafe_code)]

mod apply;
mod binary;
mod client;
mod compose;
mod cursor;
mod diff;
mod error;
mod history;
mod invert;
mod invertible;
mod operation;
mod position;
mod selection;
mod split;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
mod transform;
mod undo;
mod wire;

pub use client::{
    Acknowledged, Client, ClientState, EditError, PendingWork, ReceiveError, Rejected,
    RestoreError, Submission,
};
pub use compose::compose_all;
pub use diff::diff;
pub use error::{DecodeError, LengthMismatch, LengthOverflow, SpliceError, TransformError};
pub use history::{History, OutOfHistory, RebaseError};
pub use invertible::{Invertible, RemovedMismatch};
pub use operation::{Component, Components, MAX_LEN, Operation, OperationBuilder};
pub use position::{CharOffset, ClientSeq, InsideSurrogatePair, Revision, Utf16Offset};
pub use selection::{Assoc, Ranges, Selection, TooManyRanges};
pub use text::{Text, TextHash};
pub use transform::{transform, transform_committed, transform_pending};
pub use undo::{UndoLimits, UndoStack};
pub use wire::Limits;
