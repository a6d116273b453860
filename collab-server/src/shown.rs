//! Documents as the log names them.
//!
//! Whoever has the id of a document that is shared by link may open it, so no id goes into the log.
//! What goes there tells the lines of one document from those of others, within one process, and
//! leads nobody to it: a hash under a key that is drawn at the start and kept nowhere.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use collab_protocol::DocumentId;

static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// A document in a line of the log: eight digits.
pub(crate) struct Shown(pub(crate) DocumentId);

impl Shown {
    /// The same as a number of 32 bits.
    pub(crate) fn number(&self) -> u64 {
        KEY.hash_one(self.0) >> 32
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_shown_alike_each_time_and_not_by_its_id() {
        let shown = |number| Shown(DocumentId::new(number)).to_string();
        assert_eq!(shown(7), shown(7));
        assert_eq!(shown(7).len(), 8);
        let others: std::collections::HashSet<String> = (0..100).map(shown).collect();
        assert!(others.len() > 90, "{others:?}");
        let id = DocumentId::new(0x1234_5678_9abc_def0_1234_5678_9abc_def0);
        assert!(!id.to_string().contains(&Shown(id).to_string()));
    }
}
