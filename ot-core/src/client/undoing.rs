//! What undo must know about submissions: which levels go when one is refused, and where a split
//! edit is parted.

use super::{Client, apply_to};
use crate::diff::diff;
use crate::invertible::Invertible;
use crate::operation::Operation;
use crate::position::ClientSeq;
use crate::text::Text;

impl Client {
    /// Takes the undo levels of submission `seq` and later off; the text without them.
    pub(super) fn text_without(&mut self, seq: ClientSeq) -> Option<String> {
        let taken = self.undo.take_since(seq);
        self.undo.break_group();
        self.undo.forget_redo();
        match taken {
            Some(taken) => apply_to(&self.text, &taken.inverse).ok(),
            None => Some(self.text.contents()),
        }
    }

    /// After a rejection: earlier levels follow to the server's text, where they apply now, and
    /// the rebased buffer becomes one level above them.
    pub(super) fn rebuild_undo(&mut self, undone: Option<String>) {
        let inverse = self.buffer.as_ref().map(Invertible::inverse);
        if self.undo.depth() > 0 {
            let server_text = match &inverse {
                Some(inverse) => apply_to(&self.text, inverse).ok(),
                None => Some(self.text.contents()),
            };
            match (undone, server_text) {
                (Some(undone), Some(server)) => self.undo.shift(&diff(&undone, &server, None)),
                _ => self.undo.clear(),
            }
        }
        if let Some(inverse) = inverse {
            self.undo.push(inverse, self.next_seq, false);
        }
    }

    /// A buffer was split: its undo levels become one for each part, so that the rejection of a
    /// part takes just that part's level. They undo together.
    pub(super) fn split_undo(&mut self, prefix: &Invertible, rest: &Invertible, seq: ClientSeq) {
        let before = self.undo.clone();
        let taken = self.undo.take_since(seq);
        let whole = prefix.compose(rest).map(|whole| whole.inverse());
        match (taken, whole) {
            (Some(taken), Ok(whole)) if same_effect(&self.text, &taken.inverse, &whole) => {
                self.undo.push(prefix.inverse(), seq, taken.joined);
                self.undo.push(rest.inverse(), self.next_seq, true);
            }
            _ => {
                // Others deleted some of it too, or it contains an undo: the levels say more than
                // the parts do. They stay whole and go with the last part.
                self.undo = before;
                self.undo.relabel(seq, self.next_seq);
            }
        }
    }
}

fn same_effect(text: &Text, one: &Operation, other: &Operation) -> bool {
    if one == other {
        return true;
    }
    match (apply_to(text, one), apply_to(text, other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
