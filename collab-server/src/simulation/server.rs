//! A server's process: its documents, and what they have under way.

use std::collections::{BTreeMap, VecDeque};

use collab_protocol::{ClientId, DocumentId, SessionNumber, UserId};
use ot_core::{Ranges, Revision};

use super::intruders::Intrusion;
use crate::document::{Core, Submission};
use crate::registry::Slots;

/// What waits in a document's mailbox.
#[derive(Clone, Debug)]
pub(super) enum Mail {
    Join(usize),
    Submit {
        session: SessionNumber,
        client: ClientId,
        user: UserId,
        submission: Submission,
    },
    Select {
        session: SessionNumber,
        base: Revision,
        ranges: Ranges,
    },
    /// What is to be refused.
    Intrude(Box<Intrusion>),
}

/// A document in a server.
#[derive(Clone, Debug)]
pub(super) struct Host {
    pub(super) document: DocumentId,
    pub(super) generation: u64,
    /// Until it is loaded: the connections that wait.
    pub(super) waiting: Vec<usize>,
    pub(super) core: Option<Box<Core>>,
    pub(super) mailbox: VecDeque<Mail>,
    pub(super) left: Vec<SessionNumber>,
    /// When it was loaded.
    pub(super) since_ms: u64,
    /// Appends and reads under way.
    pub(super) works: usize,
    pub(super) is_turning: bool,
    pub(super) tick_at: Option<u64>,
    /// Who asked to be let in, by the number that they got.
    pub(super) asking: BTreeMap<SessionNumber, usize>,
    /// Whether it hears what other servers say.
    pub(super) is_subscribed: bool,
    /// What it was told last by others: it must get there.
    pub(super) told: Revision,
    /// What others told it, and until when it must have heard.
    pub(super) expects: Vec<(u64, Revision)>,
    /// Where the log ended when it was loaded.
    pub(super) loaded_at: Revision,
}

impl Host {
    pub(super) fn new(document: DocumentId, generation: u64) -> Host {
        Host {
            document,
            generation,
            waiting: Vec::new(),
            core: None,
            mailbox: VecDeque::new(),
            left: Vec::new(),
            since_ms: 0,
            works: 0,
            is_turning: false,
            tick_at: None,
            asking: BTreeMap::new(),
            is_subscribed: false,
            told: Revision::ZERO,
            expects: Vec::new(),
            loaded_at: Revision::ZERO,
        }
    }
}

/// One server.
#[derive(Clone, Debug)]
pub(super) struct Server {
    /// Counts its lives.
    pub(super) incarnation: u64,
    pub(super) is_alive: bool,
    /// It stands still until then.
    pub(super) paused_until: u64,
    /// How far its wall clock is off.
    pub(super) clock_off_ms: i64,
    pub(super) slots: Slots<u64>,
    pub(super) hosts: BTreeMap<u64, Host>,
    pub(super) last_host: u64,
}

impl Server {
    pub(super) fn new() -> Server {
        Server {
            incarnation: 1,
            is_alive: true,
            paused_until: 0,
            clock_off_ms: 0,
            slots: Slots::default(),
            hosts: BTreeMap::new(),
            last_host: 0,
        }
    }

    /// All that is in memory is gone.
    pub(super) fn die(&mut self) {
        self.is_alive = false;
        self.incarnation += 1;
        self.slots = Slots::default();
        self.hosts.clear();
    }
}
