//! Connections, and what arrives over them at a device.

use std::sync::Arc;

use collab_protocol::{ChatCode, MessageId, RoomKind, ServerMessage};
use tokio::sync::Notify;

use super::{Conn, DOCUMENT, PATIENCE_MS, What, World};
use crate::simulation::wire::Pipe;

impl World<'_> {
    pub(super) fn connect(&mut self, device: usize) {
        if self.devices[device].conn.is_some() {
            return;
        }
        let server = self.draw.below(self.servers.len());
        if !self.servers[server].is_alive {
            return self.connect_later(device);
        }
        let incarnation = self.servers[server].incarnation;
        self.conns.push(Conn {
            device,
            server,
            incarnation,
            up: Pipe::default(),
            down: Pipe::default(),
            is_here: false,
            is_gone: false,
            feed: None,
            waiting: Default::default(),
            is_running: [false; 2],
            wake: Arc::new(Notify::new()),
            is_pulling: false,
        });
        let conn = self.conns.len() - 1;
        self.devices[device].conn = Some(conn);
        self.note(format_args!("device {device} connects to server {server} as conn {conn}"));
        let open = self.devices[device].open(DOCUMENT);
        self.say(device, Some(open));
    }

    pub(super) fn connect_later(&mut self, device: usize) {
        let own = &mut self.devices[device];
        own.failures = (own.failures + 1).min(6);
        let most = 100 << own.failures;
        let delay = 1 + self.up_to(most);
        self.schedule(delay, What::Connect(device));
    }

    pub(super) fn open_again(&mut self, device: usize, stamp: u64) {
        let own = &self.devices[device];
        if own.stamp == stamp && own.channel.is_none() {
            let open = own.open(DOCUMENT);
            self.say(device, Some(open));
        }
    }

    /// Whether the connection's server still is the process that it was made with, and knows it.
    pub(in crate::simulation::talk) fn has_server(&self, conn: usize) -> bool {
        let own = &self.conns[conn];
        self.is_same(own.server, own.incarnation) && !own.is_gone
    }

    pub(super) fn send_up(&mut self, conn: usize, frame: String) {
        self.note(format_args!("conn {conn} ↑ {frame}"));
        self.conns[conn].up.push(frame);
        self.move_up(conn);
    }

    pub(in crate::simulation::talk) fn move_up(&mut self, conn: usize) {
        if self.conns[conn].up.sets_off() {
            let delay = self.up_to(self.plan.latency_ms);
            self.schedule(delay, What::Up(conn));
        }
    }

    pub(in crate::simulation::talk) fn send_down(&mut self, conn: usize, frame: String) {
        self.journal.check_frame(&ServerMessage::decode(&frame).expect("servers send messages"));
        self.note(format_args!("conn {conn} ↓ {frame}"));
        self.conns[conn].down.push(frame);
        self.move_down(conn);
    }

    pub(super) fn move_down(&mut self, conn: usize) {
        if self.conns[conn].down.sets_off() {
            let delay = self.up_to(self.plan.latency_ms);
            self.schedule(delay, What::Down(conn));
        }
    }

    pub(in crate::simulation::talk) fn server_loses(&mut self, conn: usize) {
        let own = &mut self.conns[conn];
        if std::mem::replace(&mut own.is_gone, true) {
            return;
        }
        own.waiting = Default::default();
        own.feed = None;
        own.down.is_closed = true;
        self.move_down(conn);
    }

    pub(super) fn device_loses(&mut self, conn: usize) {
        let device = self.conns[conn].device;
        if self.devices[device].conn != Some(conn) {
            return;
        }
        self.conns[conn].up.is_closed = true;
        self.move_up(conn);
        self.note(format_args!("device {device} loses conn {conn}"));
        self.devices[device].closed();
        self.connect_later(device);
    }

    pub(super) fn lose_patience(&mut self, device: usize, stamp: u64) {
        let own = &self.devices[device];
        let waits = own.channel.is_none() || own.in_flight.is_some();
        if own.stamp == stamp
            && waits
            && let Some(conn) = own.conn
        {
            self.device_loses(conn);
        }
    }

    pub(super) fn arrive_down(&mut self, conn: usize) {
        self.conns[conn].down.is_moving = false;
        let device = self.conns[conn].device;
        let is_current = self.devices[device].conn == Some(conn);
        match self.conns[conn].down.pop() {
            Some(frame) if is_current => {
                self.take(device, ServerMessage::decode(&frame).expect("servers send messages"));
            }
            Some(_) => {}
            None => return self.device_loses(conn),
        }
        self.move_down(conn);
    }

    pub(super) fn take(&mut self, device: usize, message: ServerMessage) {
        let own = &mut self.devices[device];
        match message {
            ServerMessage::ChatOpened(opened) => {
                own.stamp += 1;
                let said = own.opened(opened);
                self.check_held(device);
                self.say(device, said);
                self.sync(device);
                self.tell_what_is_read(device);
                self.pump(device);
            }
            ServerMessage::Chat(news) => {
                own.news(news.messages, news.change);
                self.check_held(device);
            }
            ServerMessage::ChatAck(ack) => {
                own.settle(ack.id);
                self.pump(device);
            }
            ServerMessage::ChatReject(reject) => self.refused(device, reject.id, reject.code),
            ServerMessage::ChatRead(seen) => own.heard_read(seen.number),
            ServerMessage::Error(_) => {
                (own.channel, own.in_flight) = (None, None);
                own.stamp += 1;
                let stamp = own.stamp;
                self.schedule(300, What::Open { device, stamp });
                self.schedule(PATIENCE_MS, What::Patience { device, stamp });
            }
            ServerMessage::Notified(news) if own.hear(news.clone()) => self.sync(device),
            ServerMessage::Missed(missed) if missed.room == RoomKind::User => self.sync(device),
            _ => {}
        }
    }

    pub(super) fn refused(&mut self, device: usize, id: Option<MessageId>, code: ChatCode) {
        let own = &mut self.devices[device];
        match id {
            None if own.channel.is_none() => {
                own.stamp += 1;
                let stamp = own.stamp;
                self.schedule(300, What::Open { device, stamp });
                self.schedule(PATIENCE_MS, What::Patience { device, stamp });
            }
            // Of a channel that is closed.
            Some(_) if own.channel.is_none() => {}
            Some(id) if !code.retryable() => {
                own.settle(id);
                self.pump(device);
            }
            // A read mark, or something to be said: again.
            None => self.schedule(300, What::Again(device)),
            Some(id) => {
                if own.outbox.iter().any(|wish| Some(wish.number) == own.in_flight && wish.id == id)
                {
                    (own.in_flight, own.stamp) = (None, own.stamp + 1);
                }
                self.schedule(300, What::Again(device));
            }
        }
    }

    pub(super) fn check_held(&self, device: usize) {
        let own = &self.devices[device];
        self.journal.check_held(device, own.first, &own.held, own.change.expect("it is open"));
    }
}
