//! What must be true once everything has come to rest.

use collab_protocol::{SelectionRange, UserId};
use ot_core::Revision;

use super::violated;
use super::wire::Side;
use super::world::{World, note};
use crate::document::Sharing;
use crate::presence_news::HostId;

impl World<'_> {
    pub(super) fn state(&self) -> String {
        let mut state = String::new();
        for (id, rows) in &self.rows {
            state.push_str(&format!("log {id}: {}", rows.head()));
        }
        for (number, tab) in self.tabs.iter().enumerate().filter(|(_, tab)| tab.is_alive) {
            state.push_str(&format!(
                "; tab {number}: at {}, joined {}, pending {}, sees {:?}, has {:?}",
                tab.revision(),
                tab.is_joined,
                tab.has_pending(),
                tab.people,
                tab.own,
            ));
        }
        let unanswered = self.unanswered();
        if !unanswered.is_empty() {
            state.push_str(&format!("; no answer to {unanswered:?}"));
        }
        for (number, server) in self.servers.iter().enumerate() {
            for host in server.hosts.values() {
                let head = host.core.as_ref().map(|core| core.head());
                state.push_str(&format!("; server {number}: at {head:?}, told {}", host.told));
            }
        }
        state
    }

    /// Whether everybody who is left holds what the log holds.
    pub(super) fn has_converged(&self) -> bool {
        let tabs = self.tabs.iter().filter(|tab| tab.is_alive).all(|tab| {
            let head = self.rows[&tab.document].head().get();
            tab.is_joined && tab.actions == 0 && !tab.has_pending() && tab.revision() == head
        });
        let hosts = self.servers.iter().filter(|server| server.is_alive);
        tabs && self.unanswered().is_empty()
            && hosts.flat_map(|server| server.hosts.values()).all(|host| {
                let head = host.core.as_ref().map(|core| core.head());
                // Nobody tells a server of what was said before it listened, where nothing is read
                // unasked; who is in it is told by its own stream.
                head.is_some_and(|head| head == self.rows[&host.document].head())
            })
    }

    /// Whether everybody sees everybody else's selections where they are, and nobody who is not
    /// there: on other servers too, where those tell each other.
    pub(super) fn sees_alike(&self) -> bool {
        let sessions: Vec<_> = self
            .conns
            .iter()
            .enumerate()
            .filter_map(|(number, conn)| {
                let Side::Open { host, session, .. } = &conn.side else { return None };
                let is_current = self.tabs[conn.tab].conn == Some(number);
                is_current.then_some(((conn.server, *host), *session, conn.tab))
            })
            .collect();
        let is_told = matches!(self.plan.sharing(HostId::new(0)), Sharing::Told(_));
        sessions.iter().all(|(place, session, tab)| {
            let own: Vec<SelectionRange> = self.tabs[*tab].ranges();
            let others = sessions.iter().filter(|(.., other)| other != tab);
            others.into_iter().all(|(there, _, other)| {
                let people = &self.tabs[*other].people;
                if there == place {
                    let seen = people.get(session);
                    return seen.is_some_and(|(_, seen)| World::shown(seen) == own);
                }
                let is_here = self.tabs[*other].document == self.tabs[*tab].document;
                let mut seen = people.values().filter(|(user, _)| *user == self.tabs[*tab].user);
                !(is_here && is_told) || seen.any(|(_, seen)| World::shown(seen) == own)
            })
        }) && sessions.iter().all(|(.., tab)| self.sees_no_ghost(*tab))
    }

    fn sees_no_ghost(&self, tab: usize) -> bool {
        let is_there = |user: &UserId| {
            self.tabs.iter().any(|other| {
                other.is_alive && other.document == self.tabs[tab].document && other.user == *user
            })
        };
        self.tabs[tab].people.values().all(|(user, _)| is_there(user))
    }

    /// What must be true at the end.
    pub(super) fn check_all(&mut self) {
        for (id, rows) in &self.rows {
            let text = rows.text_at(rows.head());
            for (number, server) in self.servers.iter().enumerate() {
                for host in server.hosts.values().filter(|host| host.document == *id) {
                    let core = host.core.as_ref().expect("at rest");
                    if core.text().to_string() != text {
                        violated("texts are equal", format!("server {number}: {}", core.text()));
                    }
                }
            }
            for (number, tab) in self.tabs.iter().enumerate() {
                if tab.document != *id || !tab.is_alive {
                    continue;
                }
                let own = tab.client.as_ref().expect("at rest").text().to_string();
                if own != text {
                    violated("texts are equal", format!("tab {number}: {own:?}, log: {text:?}"));
                }
            }
        }
        let mut logged = std::collections::BTreeSet::new();
        let mut all = String::new();
        for rows in self.rows.values() {
            all.push_str(&rows.text_at(rows.head()));
            let operations = rows.operations(Revision::ZERO, rows.head());
            operations.iter().for_each(|op| logged.extend(op.inserted_text().chars()));
        }
        let is_core = |tab: usize| self.tabs[tab].is_alive;
        self.ledger.check(&all, is_core, |letter| logged.contains(&letter));
        self.check_submissions();
        note!(self, "at rest");
    }

    /// Each submission of who is left has its one end: in the log, or refused.
    fn check_submissions(&self) {
        for (number, tab) in self.tabs.iter().enumerate().filter(|(_, tab)| tab.is_alive) {
            let rows = &self.rows[&tab.document];
            for seq in tab.sent.keys() {
                let is_in = rows.find(tab.id, ot_core::ClientSeq::new(*seq)).is_some();
                if is_in == tab.refused.contains(seq) {
                    let message = format!("tab {number}, {seq}: in the log {is_in}");
                    violated("each submission has one end", message);
                }
            }
        }
    }
}
