//! What happens at the clients: connections, what arrives, and what is sent.

use collab_protocol::{
    ChannelId, ClientMessage, Entry, ErrorCode, Join, Joined, Ops, RawOperation, Role, Select,
    SelectionRange, ServerMessage, Submit,
};
use ot_core::{Acknowledged, Assoc, Client, ClientSeq, Limits, Revision};

use super::host::{channel, may_join_again};
use super::rows::Rows;
use super::violated;
use super::wire::{Conn, Side};
use super::world::{What, World, note};

/// A submission unanswered for so long ends the connection.
const PATIENCE_MS: u64 = 10_000;

fn may_type(role: Role) -> bool {
    matches!(role, Role::Owner | Role::Editor)
}

impl World<'_> {
    // --- the connection ---

    pub(super) fn connect(&mut self, tab: usize) {
        if !self.tabs[tab].is_alive || self.tabs[tab].conn.is_some() {
            return;
        }
        let server = self.draw.below(self.servers.len());
        if !self.servers[server].is_alive {
            if self.plan.is_interleaved {
                return; // it connects when the server is there
            }
            return self.connect_later(tab);
        }
        // Numbered by tab: who comes first must not show in a number.
        let conn = tab + self.tabs[tab].connections * self.tabs.len();
        let incarnation = self.servers[server].incarnation;
        while self.conns.len() <= conn {
            self.conns.push(Conn { side: Side::Gone, ..Conn::new(tab, server, incarnation) });
        }
        self.conns[conn] = Conn::new(tab, server, incarnation);
        let own = &mut self.tabs[tab];
        own.connections += 1;
        own.conn = Some(conn);
        own.is_joined = false;
        own.stamp += 1;
        let stamp = own.stamp;
        let since = own.client.as_ref().map(|client| client.revision().get());
        let epoch = since.map(|_| Rows::epoch());
        let join = Join { doc: own.document, client: own.id, since, epoch };
        note!(self, "tab {tab} connects to server {server} as conn {conn}");
        self.send_up(conn, ClientMessage::Join(join).to_json());
        self.be_patient(tab, stamp);
    }

    fn be_patient(&mut self, tab: usize, stamp: u64) {
        if !self.plan.is_interleaved {
            self.schedule(PATIENCE_MS, What::Patience { tab, stamp });
        }
    }

    fn connect_later(&mut self, tab: usize) {
        let own = &mut self.tabs[tab];
        own.failures = (own.failures + 1).min(6);
        let most = 100 << own.failures;
        let delay = self.up_to(most) + u64::from(!self.plan.is_interleaved);
        self.schedule(delay, What::Connect(tab));
    }

    pub(super) fn arrive_down(&mut self, conn: usize) {
        self.conns[conn].down.is_moving = false;
        let tab = self.conns[conn].tab;
        let is_current = self.tabs[tab].conn == Some(conn);
        match self.conns[conn].down.pop() {
            Some(frame) if is_current => self.take(tab, conn, &frame),
            Some(_) => {}
            None => return self.client_loses(conn),
        }
        self.move_down(conn);
    }

    /// The client knows that this connection is over; it comes back with another one.
    pub(super) fn client_loses(&mut self, conn: usize) {
        let tab = self.conns[conn].tab;
        if self.tabs[tab].conn != Some(conn) {
            return;
        }
        note!(self, "tab {tab} loses conn {conn}");
        let own = &mut self.tabs[tab];
        own.conn = None;
        own.is_joined = false;
        own.people.clear();
        self.conns[conn].up.is_closed = true;
        self.move_up(conn);
        self.connect_later(tab);
    }

    pub(super) fn lose_patience(&mut self, tab: usize, stamp: u64) {
        let own = &self.tabs[tab];
        let waits = !own.is_joined
            || own.client.as_ref().is_some_and(|client| client.outstanding().is_some());
        if own.stamp == stamp
            && waits
            && let Some(conn) = own.conn
        {
            self.client_loses(conn);
        }
    }

    // --- what arrives ---

    fn take(&mut self, tab: usize, conn: usize, frame: &str) {
        match ServerMessage::decode(frame).expect("servers send messages") {
            ServerMessage::Joined(joined) => self.joined(tab, joined),
            ServerMessage::Ops(ops) => self.take_operations(tab, &ops),
            ServerMessage::Ack(ack) => {
                self.acknowledge(tab, ack.seq, ack.rev);
                self.pump(tab);
            }
            ServerMessage::Reject(reject) if reject.code.retryable() => {
                let own = &mut self.tabs[tab];
                own.stamp += 1;
                let stamp = own.stamp;
                let wait = u64::from(reject.retry_ms.unwrap_or(0));
                let wait = if self.plan.is_interleaved { 0 } else { wait };
                self.schedule(wait, What::Resend { tab, stamp });
            }
            ServerMessage::Reject(reject) => self.refused(tab, reject.seq),
            ServerMessage::Presence(presence) => {
                if presence.rev != self.tabs[tab].revision() {
                    let message = format!("presence at {} before its text", presence.rev);
                    violated("one stream in order", message);
                }
                let own = &mut self.tabs[tab];
                presence.people.iter().for_each(|person| own.place(person));
                for gone in presence.gone {
                    own.people.remove(&gone);
                }
            }
            ServerMessage::Access(access) => self.tabs[tab].may_write = may_type(access.role),
            ServerMessage::Error(error)
                if error.ch.is_some() && error.code == ErrorCode::SlowDown =>
            {
                self.tabs[tab].must_select = true;
                self.pump(tab);
            }
            ServerMessage::Error(error) => {
                if !may_join_again(error.code) {
                    violated("nothing is damaged", format!("a join is refused: {}", error.code));
                }
                self.client_loses(conn);
            }
            other => unreachable!("nobody says {other:?}"),
        }
        if let Some(client) = &self.tabs[tab].client
            && !self.is_seen()
        {
            client.check_invariants();
        }
    }

    fn joined(&mut self, tab: usize, joined: Joined) {
        let own = &mut self.tabs[tab];
        own.is_joined = true;
        own.may_write = may_type(joined.role);
        own.failures = 0;
        let (revision, seq) = (Revision::new(joined.rev), ClientSeq::new(joined.seq));
        match (&mut own.client, &joined.text) {
            (None, Some(text)) => {
                let next = seq.next().expect("few submissions");
                own.client = Some(Client::new(text, revision, next));
                for _ in 0..own.actions.min(1) {
                    self.schedule(0, What::Act(tab));
                }
            }
            (Some(client), Some(text)) => {
                let patch = client.reset(text, revision, seq).expect("short texts");
                own.frozen = None;
                own.carry(&patch, Assoc::Before);
            }
            (Some(client), None) => client.skip_to(seq),
            (None, None) => violated("who has nothing gets the text", "no text came".to_owned()),
        }
        let own = &mut self.tabs[tab];
        own.people.clear();
        joined.people.iter().for_each(|person| own.place(person));
        // In small worlds selections go with edits alone.
        own.must_select = own.own.is_some() && !self.plan.is_interleaved;
        self.send_outstanding(tab);
        self.pump(tab);
    }

    fn take_operations(&mut self, tab: usize, ops: &Ops) {
        let mut at = ops.rev;
        if at != self.tabs[tab].revision() {
            let message = format!("a frame begins at {at}, the client is elsewhere");
            violated("one stream in order", message);
        }
        for entry in &ops.ops {
            match entry {
                Entry::Op { op, .. } => {
                    at += 1;
                    self.take_operation(tab, op, at);
                }
                Entry::Composed { op, to } => {
                    at = *to;
                    self.take_operation(tab, op, at);
                }
                Entry::Ack { ack } => {
                    at += 1;
                    if self.acknowledge(tab, *ack, at) == Acknowledged::Earlier {
                        violated("one stream in order", format!("ack of {ack}, not in flight"));
                    }
                }
                Entry::Check { check } => {
                    let client = self.tabs[tab].client.as_ref().expect("joined");
                    let found = client.server_text_hash();
                    if found.is_some_and(|found| found.get() != check.get()) {
                        violated("texts are equal", format!("tab {tab} has another at {at}"));
                    }
                }
            }
        }
        self.pump(tab);
    }

    fn take_operation(&mut self, tab: usize, op: &RawOperation, to: u64) {
        let op = op.decode(&Limits::NONE).expect("servers send operations");
        let own = &mut self.tabs[tab];
        let client = own.client.as_mut().expect("joined");
        let before = client.text().clone();
        match client.receive(&op, Revision::new(to)) {
            Ok(patch) => {
                let mut expected = before;
                expected.apply(&patch).expect("the patch is for the local text");
                if expected != *client.text() {
                    violated("a patch tells what changed", format!("tab {tab} at {to}"));
                }
                own.carry(&patch, Assoc::Before);
                own.carry_people(&op);
            }
            Err(error) => violated("one stream in order", format!("tab {tab}: {error}")),
        }
    }

    fn acknowledge(&mut self, tab: usize, seq: u64, revision: u64) -> Acknowledged {
        let own = &mut self.tabs[tab];
        let client = own.client.as_mut().expect("joined");
        let outstanding = client.outstanding_now().cloned();
        match client.acknowledge(ClientSeq::new(seq), Revision::new(revision)) {
            Ok(acknowledged) => {
                if acknowledged == Acknowledged::Outstanding {
                    outstanding.iter().for_each(|op| own.carry_people(op));
                    own.frozen = None;
                    own.stamp += 1;
                }
                acknowledged
            }
            Err(error) => violated("one stream in order", format!("tab {tab}: {error}")),
        }
    }

    fn refused(&mut self, tab: usize, seq: u64) {
        let own = &mut self.tabs[tab];
        let client = own.client.as_mut().expect("joined");
        let before = client.text().clone();
        let Some(rejected) = client.reject(ClientSeq::new(seq)).expect("short texts") else {
            return;
        };
        if self.plan.is_interleaved {
            violated("valid edits are taken", format!("submission {seq} is refused for good"));
        }
        let removed = before.removed_by(&rejected.patch).expect("it was made on it");
        own.refused.push(seq);
        own.frozen = None;
        own.must_select = own.own.is_some();
        own.stamp += 1;
        own.carry(&rejected.patch, Assoc::Before);
        for letter in removed.chars() {
            if !rejected.text.contains(letter) {
                violated("refused text is shown", format!("{letter:?} vanished from tab {tab}"));
            }
        }
        self.ledger.refused(tab, &rejected.text, rejected.patch.inserted_text());
        self.pump(tab);
    }

    // --- what is sent ---

    /// Sends what waits, if nothing is in flight; else the selection, if it moved.
    pub(super) fn pump(&mut self, tab: usize) {
        let bytes_max = self.plan.submission_bytes_max;
        let own = &mut self.tabs[tab];
        let Some(conn) = own.conn.filter(|_| own.is_joined) else { return };
        let limits = Limits { inserted_bytes_max: bytes_max, ..Limits::NONE };
        let client = own.client.as_mut().expect("joined");
        if let Some(submission) = client.take_submission(&limits) {
            let ranges = own.ranges();
            own.frozen = (submission.whole && !ranges.is_empty()).then_some(ranges);
            if own.frozen.is_some() {
                own.must_select = false;
            }
            return self.send_outstanding(tab);
        }
        if own.must_select && !own.has_pending() {
            own.must_select = false;
            let (rev, ranges) = (own.revision(), own.ranges());
            let select = Select { ch: channel(conn), rev, ranges };
            self.send_up(conn, ClientMessage::Select(select).to_json());
        }
    }

    fn send_outstanding(&mut self, tab: usize) {
        let own = &mut self.tabs[tab];
        let Some(conn) = own.conn.filter(|_| own.is_joined) else { return };
        let client = own.client.as_ref().expect("joined");
        let Some(submission) = client.outstanding() else { return };
        let (seq, rev) = (submission.seq.get(), submission.revision.get());
        let op = RawOperation::from(&submission.op);
        let ranges = own.frozen.clone();
        // On another connection it goes over another channel; but for that it is the same frame.
        let mut submit = Submit { ch: ChannelId(0), seq, rev, op, ranges };
        let said = ClientMessage::Submit(submit.clone()).to_json();
        let first = own.sent.entry(seq).or_insert_with(|| said.clone());
        if *first != said {
            let message = format!("tab {tab} sent {first}, and now {said}");
            violated("what was sent is frozen", message);
        }
        own.stamp += 1;
        let stamp = own.stamp;
        submit.ch = channel(conn);
        self.send_up(conn, ClientMessage::Submit(submit).to_json());
        self.be_patient(tab, stamp);
    }

    pub(super) fn resend(&mut self, tab: usize, stamp: u64) {
        if self.tabs[tab].stamp == stamp {
            self.send_outstanding(tab);
        }
    }

    /// How a tab's selection is written.
    pub(super) fn shown(ranges: &ot_core::Ranges) -> Vec<SelectionRange> {
        let pairs = ranges.iter().map(|r| SelectionRange::from((r.anchor as u32, r.head as u32)));
        pairs.collect()
    }
}
