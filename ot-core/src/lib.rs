//! Operational Transformation for plain text with one authority that assigns revisions.
//!
//! Pure: no IO, no clock, no random numbers; the same code runs in a browser, in a server and in a
//! simulation. Lengths and offsets are Unicode scalar values everywhere. The laws, with their
//! proofs and tests, are in `docs/theory.md`.
//!
//! * [`Operation`] is one edit of a whole document; [`transform`] lets two made on one text follow
//!   each other, [`Operation::compose`] makes one of two.
//! * [`Text`] is a document to edit, [`Selection`] and [`Ranges`] follow its edits.
//! * [`Client`] is the editing side: what is in flight, what was typed since, undo and redo.
//! * [`History`] is the server's side: committed operations, and rebasing late ones in
//!   logarithmically many steps.
//!
//! Two people type into one text. The server commits first what reaches it first:
//!
//! ```
//! use ot_core::{Client, ClientSeq, History, Limits, Operation, Revision, Text};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (mut text, mut history) = (Text::from("Hello"), History::new(Revision::ZERO, 5));
//! let client = || Client::new("Hello", Revision::ZERO, ClientSeq::new(1));
//! let (mut ann, mut ben) = (client(), client());
//!
//! // Both type at once, each seeing their own edit immediately.
//! ann.edit(Operation::splice(5, 5, 0, ", world")?, 0)?;
//! ben.edit(Operation::splice(5, 0, 1, "J")?, 0)?;
//! assert_eq!(ann.text().to_string(), "Hello, world");
//! assert_eq!(ben.text().to_string(), "Jello");
//!
//! // The server takes Ann's first; Ben's, made at the same revision, follows it.
//! for client in [&mut ann, &mut ben] {
//!     let sent = client.take_submission(&Limits::NONE).expect("something was typed");
//!     let committed = history.rebase(&sent.op, sent.revision)?;
//!     text.apply(&committed)?;
//!     history.push(committed)?;
//! }
//!
//! // Each hears the other's operation and the acknowledgement of their own, in one order.
//! let [first, second] = [Revision::new(1), Revision::new(2)];
//! ann.acknowledge(ClientSeq::new(1), first)?;
//! ann.receive(&history.range(first, second)?, second)?;
//! ben.receive(&history.range(Revision::ZERO, first)?, first)?;
//! ben.acknowledge(ClientSeq::new(1), second)?;
//!
//! for replica in [&text, ann.text(), ben.text()] {
//!     assert_eq!(replica.to_string(), "Jello, world");
//! }
//!
//! // Undo takes back one's own edit only.
//! ann.undo();
//! assert_eq!(ann.text().to_string(), "Jello");
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//! * `serde`: operations, selections and numbers as JSON, in the form of [`Operation::to_json`].
//! * `testing`: strategies, a notation, a naive model and a toy world for tests and simulations.
#![forbid(unsafe_code)]

mod apply;
mod binary;
mod client;
mod compose;
mod cursor;
mod diff;
mod error;
mod gather;
mod history;
mod invert;
mod invertible;
mod operation;
mod position;
mod sabotage;
mod selection;
mod small;
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
