//! Rights that come and go while people write.
//!
//! What is held against the log: nothing gets into it of somebody who may not write when it does,
//! whatever servers have heard. What is refused is shown to its writer: see the ledger.

use std::sync::Arc;

use collab_protocol::GivenRole;

use super::violated;
use super::world::{What, World, note};
use crate::rights::{Action, Rights, RightsChange, allows};
use crate::store::Append;

/// The longest that a server goes without a look at the rights.
const LOOK_MS: u64 = 5_000;

/// Whether the person may write, by what is stored.
fn may_write(rights: &Rights, user: &collab_protocol::UserId) -> bool {
    let role = rights.session_role_of(&user.clone().into());
    role.is_some_and(|role| allows(role, Action::Submit))
}

/// Holds an append that is taken against the rights that are stored.
pub(super) fn check_append(rights: &Rights, append: &Append) {
    for new in &append.operations {
        if !may_write(rights, &new.author) {
            let message = format!("{} of {} is appended", new.seq, new.author);
            violated("no right, no commit", message);
        }
    }
}

impl World<'_> {
    /// Whether a tab's person keeps the right to write and the tab goes on for ever: where last words
    /// are needed, somebody must be able to speak them in each document.
    pub(super) fn is_constant(&self, tab: usize) -> bool {
        self.plan.rights > 0 && self.plan.needs_last_words() && tab < self.plan.documents
    }

    /// The right to write is taken away from a tab's person, or given back.
    pub(super) fn turn_right(&mut self, tab: usize) {
        let may = may_write(&self.rows[&self.tabs[tab].document].rights, &self.tabs[tab].user);
        if !self.is_constant(tab) {
            self.faults += 1;
            self.set_right(tab, !may);
        }
    }

    fn set_right(&mut self, tab: usize, may: bool) {
        let (document, person) = (self.tabs[tab].document, self.tabs[tab].user.clone());
        let role = if may { GivenRole::Editor } else { GivenRole::Viewer };
        note!(self, "{person} becomes {role} of {document}");
        let by = person.clone();
        let rows = self.rows.get_mut(&document).expect("it exists");
        rows.change_rights(&RightsChange::Give { person, role, by });
        self.tell_of_rights(tab);
    }

    /// One server made the change and tells its document at once; the others look now and then.
    fn tell_of_rights(&mut self, tab: usize) {
        let document = self.tabs[tab].document;
        let first = self.draw.below(self.servers.len());
        for server in 0..self.servers.len() {
            let late = self.up_to(if server == first { 10 } else { LOOK_MS });
            let incarnation = self.servers[server].incarnation;
            self.schedule(late, What::Rights { server, incarnation, document });
        }
    }

    /// A look at the rights.
    pub(super) fn look_at_rights(
        &mut self,
        server: usize,
        incarnation: u64,
        document: collab_protocol::DocumentId,
    ) {
        let here = &mut self.servers[server];
        let Some(host) =
            here.slots.get(document).copied().filter(|_| here.incarnation == incarnation)
        else {
            return;
        };
        let Some(known) = here.hosts.get_mut(&host) else { return };
        match &mut known.core {
            Some(core) => core.set_rights(Arc::new(self.rows[&document].rights.clone())),
            // What is being loaded may have been read before the change. The next look takes its
            // time, or there would be no end of looking within one moment.
            None => {
                let late = 1 + self.up_to(LOOK_MS - 1);
                return self.schedule(late, What::Rights { server, incarnation, document });
            }
        }
        self.turn_soon(server, host);
    }

    /// Somebody can write in each document again, so that all hear of what they missed.
    pub(super) fn leave_a_writer(&mut self) {
        for number in 0..self.plan.documents {
            let alive: Vec<usize> = (0..self.tabs.len())
                .filter(|tab| self.tabs[*tab].is_alive && tab % self.plan.documents == number)
                .collect();
            let may = |tab: &&usize| {
                let tab = &self.tabs[**tab];
                may_write(&self.rows[&tab.document].rights, &tab.user)
            };
            if let (None, Some(last)) = (alive.iter().find(may), alive.last()) {
                self.set_right(*last, true);
            }
        }
    }
}
