//! Connections: two pipes each, in order, with all that may befall them.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::Notify;

use collab_protocol::SessionNumber;

use crate::document::Reader;

/// Frames on their way in one direction.
#[derive(Clone, Debug, Default)]
pub(super) struct Pipe {
    frames: VecDeque<String>,
    /// Whether the arrival of the first of them is an event already.
    pub(super) is_moving: bool,
    /// What goes in never comes out, and nobody notices.
    pub(super) is_dead: bool,
    /// No more goes in; the other end hears of it behind the last frame.
    pub(super) is_closed: bool,
}

impl Pipe {
    pub(super) fn push(&mut self, frame: String) {
        if !self.is_dead && !self.is_closed {
            self.frames.push_back(frame);
        }
    }

    pub(super) fn pop(&mut self) -> Option<String> {
        self.frames.pop_front()
    }

    pub(super) fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether the arrival of its first frame, or of its end, is to be an event now.
    pub(super) fn sets_off(&mut self) -> bool {
        let is_due = !self.is_moving && (self.len() > 0 || self.is_closed);
        self.is_moving |= is_due;
        is_due
    }

    /// The connection is lost: the first `kept` frames arrive, and then nothing.
    pub(super) fn cut(&mut self, kept: usize) {
        self.frames.truncate(kept);
        self.is_closed = true;
    }
}

/// What a connection is to its server.
#[derive(Clone, Debug)]
pub(super) enum Side {
    /// Connected; nothing was asked yet.
    Idle,
    /// The document is being loaded for it.
    Opening,
    /// Its join waits in the document.
    Asking,
    /// It is a session there.
    Open { host: u64, session: SessionNumber, reader: Box<Reader> },
    /// It is over for the server.
    Gone,
}

/// One connection.
#[derive(Clone, Debug)]
pub(super) struct Conn {
    pub(super) tab: usize,
    pub(super) server: usize,
    /// Of the server, so that a crash ends it.
    pub(super) incarnation: u64,
    pub(super) up: Pipe,
    pub(super) down: Pipe,
    pub(super) side: Side,
    /// What its client said when it joined.
    pub(super) join: Option<collab_protocol::Join>,
    pub(super) wake: Arc<Notify>,
    pub(super) is_pulling: bool,
    pub(super) is_reading: bool,
    /// Whether its writer does not pull before the next turn: see [`super::orders`].
    pub(super) is_held: bool,
}

impl Conn {
    pub(super) fn new(tab: usize, server: usize, incarnation: u64) -> Conn {
        Conn {
            tab,
            server,
            incarnation,
            up: Pipe::default(),
            down: Pipe::default(),
            side: Side::Idle,
            join: None,
            wake: Arc::new(Notify::new()),
            is_pulling: false,
            is_reading: false,
            is_held: false,
        }
    }
}
