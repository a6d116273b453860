//! Sessions' writers: what they pull, and how a session ends.

use collab_protocol::SessionNumber;
use futures_util::FutureExt;

use super::violated;
use super::wire::Side;
use super::world::{Asked, What, World, note};
use crate::document::{Ended, Held};

impl World<'_> {
    /// The writers that were woken pull.
    pub(super) fn pull_woken(&mut self, server: usize, host_id: u64) {
        for conn in 0..self.conns.len() {
            let is_here = matches!(&self.conns[conn].side, Side::Open { host, .. } if *host == host_id)
                && self.conns[conn].server == server
                && self.has_server(conn);
            if is_here && self.conns[conn].wake.notified().now_or_never().is_some() {
                self.pull_soon(conn);
            }
        }
    }

    /// Whoever is woken pulls: between two events nobody is woken still.
    pub(super) fn check_asleep(&self) {
        for (number, conn) in self.conns.iter().enumerate() {
            let is_woken = conn.wake.notified().now_or_never().is_some();
            if is_woken && self.has_server(number) {
                violated("who is woken pulls", format!("conn {number} does not"));
            }
        }
    }

    /// Whoever has not pulled all that a document holds pulls, reads the log, or is woken later.
    pub(super) fn check_woken(&self, server: usize, host_id: u64) {
        let Some(host) = self.servers[server].hosts.get(&host_id) else { return };
        let core = host.core.as_ref().expect("it has just turned");
        for (number, conn) in self.conns.iter().enumerate() {
            let Side::Open { host, reader, .. } = &conn.side else { continue };
            let is_here = *host == host_id && conn.server == server && self.has_server(number);
            let is_asleep = !conn.is_pulling && !conn.is_reading && !core.wakes_later();
            if is_here && is_asleep && reader.revision() < core.head() {
                let (at, head) = (reader.revision(), core.head());
                let message = format!("conn {number} has pulled {at} of {head}, and sleeps");
                violated("who is behind is woken", message);
            }
        }
    }

    pub(super) fn pull_soon(&mut self, conn: usize) {
        if !std::mem::replace(&mut self.conns[conn].is_pulling, true) {
            let delay = self.up_to(1);
            self.schedule(delay, What::Pull(conn));
        }
    }

    pub(super) fn pull(&mut self, conn: usize) {
        self.conns[conn].is_pulling = false;
        if !self.has_server(conn) || self.conns[conn].is_reading {
            return;
        }
        if self.conns[conn].down.len() >= 4 && !self.plan.is_interleaved {
            // The socket is full: later.
            self.conns[conn].is_pulling = true;
            let delay = self.up_to(50) + 1;
            return self.schedule(delay, What::Pull(conn));
        }
        let budget = if self.plan.is_interleaved { 4_096 } else { self.draw.pick(&[1, 4_096]) };
        let server = self.conns[conn].server;
        let Side::Open { host, session, reader } = &mut self.conns[conn].side else { return };
        let (host_id, session) = (*host, *session);
        let Some(host) = self.servers[server].hosts.get(&host_id) else { return };
        let document = host.document;
        let room = host.core.as_ref().expect("it is open").room().clone();
        match reader.step(&room, budget, 200) {
            Ok(Held::Pulled(pulled)) => {
                for frame in pulled.frames {
                    self.send_down(conn, frame.to_string());
                }
                if pulled.more {
                    self.pull_soon(conn);
                }
            }
            Ok(Held::Behind { after, head }) => {
                self.conns[conn].is_reading = true;
                self.call(server, host_id, document, Asked::CatchUp { conn, after, head });
            }
            Err(reason) => self.end_session(conn, host_id, session, reason),
        }
    }

    pub(super) fn end_session(
        &mut self,
        conn: usize,
        host: u64,
        session: SessionNumber,
        reason: Ended,
    ) {
        note!(self, "conn {conn} is ended: {reason:?}");
        if matches!(reason, Ended::Corrupt | Ended::Failed) {
            violated("nothing is damaged", format!("a session is ended: {reason:?}"));
        }
        let server = self.conns[conn].server;
        self.conns[conn].side = Side::Gone;
        self.conns[conn].down.is_closed = true;
        self.move_down(conn);
        if let Some(host) = self.servers[server].hosts.get_mut(&host) {
            host.left.push(session);
        }
        self.turn_soon(server, host);
    }

    pub(super) fn server_loses(&mut self, conn: usize) {
        if !self.has_server(conn) {
            return;
        }
        let side = std::mem::replace(&mut self.conns[conn].side, Side::Gone);
        if let Side::Open { host, session, .. } = side {
            let server = self.conns[conn].server;
            if let Some(host) = self.servers[server].hosts.get_mut(&host) {
                host.left.push(session);
            }
            self.turn_soon(server, host);
        }
    }
}
