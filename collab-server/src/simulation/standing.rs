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
        let World { store_down_until, is_healed, is_in_order, .. } = self;
        let mut all = String::with_capacity(16 << 10);
        let mut write = |part: std::fmt::Arguments<'_>| {
            all.write_fmt(part).expect("a string takes it");
        };
        write(format_args!("{now} {store_down_until} {is_healed} {is_in_order}"));
        write(format_args!("{servers:?}{rows:?}{ledger:?}"));
        for tab in &self.tabs {
            // Whatever waits for another stamp is moot; so the number itself says nothing.
            let Tab { id, user, document, client, conn, is_joined, is_alive, .. } = tab;
            let Tab { actions, sent, stamp: _, own, frozen, must_select, people, .. } = tab;
            let Tab { refused, failures, may_write, connections, .. } = tab;
            // Nobody undoes here, and nothing is refused for good: so what could be undone is not
            // part of it.
            let client = client.as_ref().map(Client::export);
            write(format_args!("\n{id}{user}{document}{client:?}{conn:?}{is_joined}{is_alive}"));
            write(format_args!("{actions}{sent:?}{own:?}{frozen:?}{must_select}{people:?}"));
            write(format_args!("{refused:?}{failures}{may_write} {connections}"));
        }
        for (number, conn) in self.conns.iter().enumerate() {
            let Conn { tab, server, incarnation, up, down, side, join, wake, .. } = conn;
            let Conn { is_pulling, is_reading, .. } = conn;
            // What nobody will take is not part of it.
            if !self.is_gone(number) {
                write(format_args!("\n{tab}{server}{incarnation}{up:?}{side:?}{join:?}{wake:?}"));
                write(format_args!("{is_pulling}{is_reading}"));
            }
            if self.tabs[*tab].conn == Some(number) {
                write(format_args!("\n{down:?}"));
            }
        }
        let mut coming: Vec<String> = self.coming().map(|what| self.told(what)).collect();
        coming.sort_unstable();
        coming.iter().for_each(|what| write(format_args!("\n{what}")));
        let hash = blake3::hash(all.as_bytes());
        u128::from_le_bytes(*hash.as_bytes().first_chunk().expect("a hash is longer"))
    }

    /// An event, with what it is about in place of a call's number.
    fn told(&self, what: &What) -> String {
        match what {
            What::Apply(call) | What::Reply(call) => format!("{:?}", self.calls.get(call)),
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
            What::Down(conn) | What::ClientNotices(conn) => {
                self.tabs[self.conns[*conn].tab].conn != Some(*conn)
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
            What::Apply(call) | What::Reply(call) => !self.calls.contains_key(call),
            // Whoever loses the connection tries again.
            What::Connect(tab) => self.tabs[*tab].conn.is_some(),
            What::Trouble | What::Restart(_) | What::CutOf(_) | What::Crash(_) => false,
        }
    }

    /// Whether an event and all that can come before it leave the same behind in either order: then
    /// it may as well come first, and no other order needs to be looked at.
    ///
    /// A frame that arrives at a person who is done typing touches that person alone, and the far
    /// ends of two pipes; so does one who connects, or who sees that a dead server is gone. Only
    /// what breaks a pipe comes between. A server that starts touches nobody.
    pub(super) fn is_alone(&self, what: &What) -> bool {
        if self.is_coming(|what| matches!(what, What::Crash(_))) {
            return false;
        }
        let is_cut =
            |tab: usize| self.is_coming(|what| matches!(what, What::CutOf(cut) if *cut == tab));
        match what {
            What::Down(conn) => {
                let tab = self.conns[*conn].tab;
                self.tabs[tab].actions == 0 && !is_cut(tab)
            }
            What::ClientNotices(conn) => {
                let tab = self.conns[*conn].tab;
                self.tabs[tab].actions == 0 && !is_cut(tab) && self.is_gone(*conn)
            }
            What::Restart(_) => true,
            // Before its server starts nobody connects to it.
            What::Connect(tab) => {
                !is_cut(*tab) && !self.is_coming(|what| matches!(what, What::Restart(_)))
            }
            // What the store does is seen by the store alone, until it answers. It does it in the
            // order in which it was asked, unless the server that asked is no more.
            What::Apply(_) => !self.is_coming(|what| match what {
                What::Apply(call) | What::Reply(call) => self
                    .calls
                    .get(call)
                    .is_some_and(|call| self.servers[call.server].incarnation != call.incarnation),
                _ => false,
            }),
            _ => false,
        }
    }

    /// Whether the server is through with this connection.
    fn is_gone(&self, conn: usize) -> bool {
        let known = &self.conns[conn];
        matches!(known.side, Side::Gone)
            || self.servers[known.server].incarnation != known.incarnation
    }
}
