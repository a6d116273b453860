//! Which of a document's commits other servers are told of, and when.

use std::collections::VecDeque;

use crate::document::state::Committed;
use crate::sabotage::{self, Bug};
use crate::store::{Append, LoggedOperation};

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Publishing {
    /// Operations that this server has sent to the log, in order.
    sent: VecDeque<LoggedOperation>,
    /// Those of them that are durable.
    durable: Vec<LoggedOperation>,
}

impl Publishing {
    /// An append goes to the log. What was sent behind its base went down with another one.
    pub(super) fn sent(&mut self, append: &Append) {
        self.sent.retain(|sent| sent.revision <= append.base);
        self.sent.extend(append.logged());
    }

    /// An operation became durable, if it was one of these.
    pub(super) fn committed(&mut self, committed: &Committed) {
        while let Some(sent) = self.sent.pop_front_if(|sent| sent.revision <= committed.revision) {
            let is_this = (sent.revision, sent.client, sent.seq)
                == (committed.revision, committed.client, committed.seq);
            if is_this {
                self.durable.push(sent);
            }
        }
    }

    /// What the log was found to hold. What was sent from here and had an unknown outcome is
    /// published now; the rest did not go through. One that another server committed in its place
    /// may look like it, down to the client's number: their chains differ.
    pub(super) fn found(&mut self, found: &[LoggedOperation]) {
        for sent in self.sent.drain(..) {
            let is_alike = |found: &&LoggedOperation| found.revision == sent.revision;
            let Some(found) = found.iter().find(is_alike) else { continue };
            if found.chain == sent.chain || sabotage::is_planted(Bug::PublishesLookalike) {
                self.durable.push(sent);
            }
        }
    }

    /// Others committed in place of what was sent.
    pub(super) fn passed_over(&mut self) {
        self.sent.clear();
    }

    /// What is to be told now, if anything.
    pub(super) fn take(&mut self) -> Option<Vec<LoggedOperation>> {
        (!self.durable.is_empty()).then(|| std::mem::take(&mut self.durable))
    }
}
