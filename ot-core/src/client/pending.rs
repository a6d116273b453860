//! Pending work as storage keeps it over a reload, and back, with everything checked.

use thiserror::Error;

use super::{Client, Outstanding, Submission};
use crate::error::LengthMismatch;
use crate::invertible::Invertible;
use crate::operation::Operation;
use crate::position::{ClientSeq, Revision};
use crate::text::Text;
use crate::undo::UndoStack;

/// All that a client needs to go on after a reload. Own edits made before are not undoable then,
/// but for the pending ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingWork {
    /// The local text.
    pub text: String,
    /// The revision up to which the server had been heard.
    pub revision: Revision,
    /// The number the next submission gets.
    pub next_seq: ClientSeq,
    /// The submission in flight as it was sent, and the same edit made to follow what was received
    /// since.
    pub outstanding: Option<(Submission, Invertible)>,
    /// What was typed since.
    pub buffer: Option<Invertible>,
}

/// Why stored pending work cannot be gone on with. Its text should still be shown to its writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RestoreError {
    /// The parts do not lead to the text.
    #[error(transparent)]
    Length(#[from] LengthMismatch),
    /// A part inserts other text than stands in its place.
    #[error("stored edits do not match the stored text")]
    Text,
    /// The submission in flight has a number that is not used up yet, or a later revision.
    #[error("stored submission {seq} is ahead of the stored state")]
    Ahead {
        /// Its number.
        seq: ClientSeq,
    },
}

impl Client {
    /// Everything that must survive a reload.
    #[must_use]
    pub fn export(&self) -> PendingWork {
        PendingWork {
            text: self.text.contents(),
            revision: self.revision,
            next_seq: self.next_seq,
            outstanding: self
                .outstanding
                .as_ref()
                .map(|sent| (sent.submission.clone(), sent.current.clone())),
            buffer: self.buffer.clone(),
        }
    }

    /// Goes on from what [`export`](Self::export) gave. Pending edits can be undone again.
    ///
    /// # Errors
    /// [`RestoreError`] when the parts do not fit together.
    pub fn restore(work: PendingWork) -> Result<Client, RestoreError> {
        let mut client = Client::new(&work.text, work.revision, work.next_seq);
        let mut below = client.text.clone();
        let typed_since = match &work.buffer {
            Some(buffer) => Some(take_back(&mut below, buffer)?),
            None => None,
        };
        let mut undo = UndoStack::default();
        if let Some((submission, current)) = work.outstanding {
            if submission.seq >= work.next_seq || submission.revision > work.revision {
                return Err(RestoreError::Ahead { seq: submission.seq });
            }
            push_level(&mut undo, take_back(&mut below, &current)?, submission.seq);
            client.outstanding = Some(Outstanding { submission, current });
        }
        client.buffer = work.buffer.filter(|buffer| !buffer.is_identity());
        if let Some(inverse) = typed_since {
            push_level(&mut undo, inverse, work.next_seq);
        }
        client.undo = undo;
        Ok(client)
    }
}

fn push_level(undo: &mut UndoStack, inverse: Operation, seq: ClientSeq) {
    if !inverse.is_identity() {
        undo.push(inverse, seq, false);
    }
}

/// Takes an edit back from `text`, making sure that it stands there.
fn take_back(text: &mut Text, edit: &Invertible) -> Result<Operation, RestoreError> {
    let inverse = edit.inverse();
    if text.removed_by(&inverse)? != edit.op().inserted_text() {
        return Err(RestoreError::Text);
    }
    text.apply(&inverse)?;
    Ok(inverse)
}
