//! What a world stands at, as one number: two worlds of one number go on alike.
//!
//! Everything is in it that what happens next, or the judgement at the end, may hang on. Names of
//! calls and the order in which events were scheduled are not: they part nothing but equals. What
//! was seen on the way there is not either; that was judged when it was seen.

use std::fmt::Write;

use ot_core::Client;

use super::tab::Tab;
use super::wire::{Conn, Side};
use super::world::{What, World};

impl World<'_> {
    /// The number, of 128 bits.
    pub(super) fn standing(&self) -> u128 {
        let World { now, servers, rows, ledger, .. } = self;
        let World { store_down_until, is_healed, is_in_order, is_arriving, is_stuck, .. } = self;
        let mut all = String::with_capacity(16 << 10);
        let mut write = |part: std::fmt::Arguments<'_>| {
            all.write_fmt(part).expect("a string takes it");
        };
        write(format_args!("{now} {store_down_until} {is_healed} {is_in_order}"));
        write(format_args!("{is_arriving} {is_stuck}"));
        let is_to_load = self.is_to_load();
        rows.values().for_each(|rows| write(format_args!("{}", rows.told(is_to_load))));
        write(format_args!("{servers:?}{ledger:?}"));
        for tab in &self.tabs {
            write(format_args!("\n{}{:?}", told_of(tab), tab.people));
        }
        for (number, conn) in self.conns.iter().enumerate() {
            let Conn { tab, server, incarnation, up, down, side, join, wake, .. } = conn;
            let Conn { is_pulling, is_reading, is_held, .. } = conn;
            // It says when the pull comes that is to come.
            let is_held = *is_held && *is_pulling;
            // What nobody will take is not part of it.
            if !self.is_gone(number) {
                write(format_args!("\n{tab}{server}{incarnation}{up:?}{side:?}{join:?}{wake:?}"));
                write(format_args!("{is_pulling}{is_reading}{is_held}"));
            }
            if self.tabs[*tab].conn == Some(number) && !self.tabs[*tab].is_deaf {
                write(format_args!("\n{down:?}"));
            }
        }
        // What a deaf tab does not take it may as well not have.
        let is_taken = |what: &&What| match what {
            What::Down(conn) => !self.tabs[self.conns[*conn].tab].is_deaf,
            _ => true,
        };
        let coming = self.coming().filter(is_taken);
        let mut coming: Vec<String> = coming.map(|what| self.told(what)).collect();
        coming.sort_unstable();
        coming.iter().for_each(|what| write(format_args!("\n{what}")));
        number_of(&all)
    }

    /// What has come of a world at rest, as one number: what is stored, and where each person is. Who
    /// else is there is told once in an interval, and time stands still: so that is not part of it.
    pub(super) fn outcome(&self) -> u128 {
        let stored = self.rows.values().map(|rows| rows.told(false));
        let seen = self.tabs.iter().map(told_of);
        number_of(&stored.chain(seen).collect::<Vec<_>>().join("\n"))
    }

    /// An event, with what it is about in place of a call's number.
    fn told(&self, what: &What) -> String {
        match what {
            What::Apply(call) => format!("{} {:?}", self.calls_ahead(*call), self.calls.get(call)),
            What::Reply(call) => format!("{:?}", self.calls.get(call)),
            other => format!("{other:?}"),
        }
    }

    /// Whether an event is about something that is over: whatever happens until then, nothing will
    /// come of it.
    pub(super) fn is_moot(&self, what: &What) -> bool {
        let is_over =
            |server: &usize, incarnation: &u64| self.servers[*server].incarnation != *incarnation;
        match what {
            What::Act(tab) => self.tabs[*tab].actions == 0,
            What::Up(conn) | What::ServerNotices(conn) | What::Pull(conn) => self.is_gone(*conn),
            What::Down(conn) => self.tabs[self.conns[*conn].tab].conn != Some(*conn),
            // It hears of it as well where nothing else is on its way to it.
            What::ClientNotices(conn) => {
                let Conn { tab, down, .. } = &self.conns[*conn];
                let hears = self.plan.is_interleaved && down.is_moving && down.len() == 0;
                self.tabs[*tab].conn != Some(*conn) || hears
            }
            What::Patience { tab, stamp } | What::Resend { tab, stamp } => {
                self.tabs[*tab].stamp != *stamp
            }
            What::Turn { server, incarnation, .. }
            | What::Tick { server, incarnation, .. }
            | What::Hear { server, incarnation, .. }
            | What::HearOfPeople { server, incarnation, .. }
            | What::Rights { server, incarnation, .. }
            | What::Retire { server, incarnation, .. } => is_over(server, incarnation),
            What::Apply(id) | What::Reply(id) => !self.calls.contains_key(id),
            // Whoever loses the connection tries again.
            What::Connect(tab) => self.tabs[*tab].conn.is_some(),
            What::Trouble | What::Restart(_) | What::CutOf(_) | What::Crash(_) => false,
        }
    }

    /// Whether a document is still to be read from the store.
    fn is_to_load(&self) -> bool {
        let mut hosts = self.servers.iter().flat_map(|server| server.hosts.values());
        self.servers.iter().any(|server| server.hosts.is_empty())
            || hosts.any(|host| host.core.is_none())
            || self.is_coming(|what| matches!(what, What::Crash(_)))
    }

    /// Whether the server is through with this connection.
    fn is_gone(&self, conn: usize) -> bool {
        let known = &self.conns[conn];
        matches!(known.side, Side::Gone)
            || self.servers[known.server].incarnation != known.incarnation
    }
}

fn number_of(all: &str) -> u128 {
    let hash = blake3::hash(all.as_bytes());
    u128::from_le_bytes(*hash.as_bytes().first_chunk().expect("a hash is longer"))
}

/// A tab, with all that its next steps may hang on, but for who else is there.
fn told_of(tab: &Tab) -> String {
    // Whatever waits for another stamp is moot; so the number itself says nothing.
    let Tab { id, user, document, client, conn, is_joined, is_alive, .. } = tab;
    let Tab { actions, sent, stamp: _, own, frozen, must_select, .. } = tab;
    let Tab { refused, failures, may_write, connections, is_deaf, .. } = tab;
    // Nobody undoes here, and nothing is refused for good: so what could be undone is not part of it.
    let waiting = client.as_ref().and_then(|client| client.outstanding()).map(|s| s.seq.get());
    // What was said is held against what is said again; who has the answer says nothing more.
    let said = waiting.and_then(|seq| sent.get(&seq));
    let sent = sent.keys();
    let client = client.as_ref().map(Client::export);
    format!(
        "{id}{user}{document}{client:?}{conn:?}{is_joined}{is_alive}{actions}{sent:?}{said:?}{own:?}\
         {frozen:?}{must_select}{refused:?}{failures}{may_write} {connections} {is_deaf}"
    )
}
