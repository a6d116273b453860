//! What leaves a server, held against the log.

use collab_protocol::{Entry, Joined, Ops, RawOperation, Reject, RejectCode, ServerMessage};
use ot_core::{Revision, TextHash};

use super::intruders::BAD_SEQ;
use super::rows::Rows;
use super::violated;
use super::wire::Side;
use super::world::World;

/// The log that frames to one client are held against.
struct Against<'w> {
    rows: &'w Rows,
    client: collab_protocol::ClientId,
}

impl World<'_> {
    /// Holds a frame against the log before it leaves.
    pub(super) fn check_outgoing(&mut self, conn: usize, frame: &str) {
        let tab = &self.tabs[self.conns[conn].tab];
        let against = Against { rows: &self.rows[&tab.document], client: tab.id };
        match ServerMessage::decode(frame).expect("servers send messages") {
            ServerMessage::Joined(joined) => {
                against.is_durable(joined.rev, "a text");
                if joined.seq > 0 {
                    against.is_acked(joined.seq, joined.seq_rev);
                }
                self.check_joined(conn, &joined);
            }
            ServerMessage::Ops(ops) => against.operations(&ops),
            ServerMessage::Ack(ack) => against.is_acked(ack.seq, ack.rev),
            ServerMessage::Reject(reject) if reject.seq >= BAD_SEQ => {
                self.answer_leaves(reject.seq);
            }
            ServerMessage::Reject(reject) => {
                let was_denied = self.rows[&tab.document].denied.contains(&tab.user);
                check_reject(&reject, was_denied);
            }
            ServerMessage::Presence(presence) => against.is_durable(presence.rev, "presence"),
            _ => {}
        }
    }

    fn check_joined(&self, conn: usize, joined: &Joined) {
        let tab = &self.tabs[self.conns[conn].tab];
        let Some(text) = &joined.text else { return };
        let asked = self.conns[conn].join.as_ref().expect("it asked");
        if asked.since.is_some() {
            violated("operations, never text", format!("conn {conn} has a base and is sent text"));
        }
        if *text != self.rows[&tab.document].text_at(Revision::new(joined.rev)) {
            violated("texts are equal", format!("conn {conn} is given another at {}", joined.rev));
        }
        let Side::Open { host, .. } = &self.conns[conn].side else { return };
        let host = &self.servers[self.conns[conn].server].hosts[host];
        if joined.rev < host.loaded_at.get() {
            let message = format!("{} is given, {} was stored", joined.rev, host.loaded_at);
            violated("a load is whole", message);
        }
    }
}

/// Refusals that clients of ours get.
fn check_reject(reject: &Reject, was_denied: bool) {
    let code = reject.code;
    let may = code.retryable()
        || matches!(code, RejectCode::DocumentFull | RejectCode::StaleSeq)
        || code == RejectCode::Forbidden && was_denied;
    if !may {
        violated("valid edits are taken", format!("submission {} is refused: {code}", reject.seq));
    }
}

impl Against<'_> {
    fn is_durable(&self, revision: u64, what: &str) {
        let head = self.rows.head().get();
        if revision > head {
            let message = format!("{what} of {revision} is sent, the log ends at {head}");
            violated("durable before visible", message);
        }
    }

    fn is_own(&self, revision: u64) -> bool {
        self.rows.durable()[revision as usize - 1].client == self.client
    }

    fn is_acked(&self, seq: u64, revision: u64) {
        self.is_durable(revision, "an ack");
        let logged = &self.rows.durable()[revision as usize - 1];
        if (logged.client, logged.seq.get()) != (self.client, seq) {
            let message = format!("{seq} is acknowledged as {revision}, which is another's");
            violated("an ack is true", message);
        }
    }

    fn operations(&self, ops: &Ops) {
        let mut at = ops.rev;
        for entry in &ops.ops {
            match entry {
                Entry::Op { op, .. } => {
                    at += 1;
                    self.is_durable(at, "an operation");
                    let logged = &self.rows.durable()[at as usize - 1];
                    if self.is_own(at) || op.as_str() != logged.operation.to_json() {
                        violated(
                            "the stream is the log",
                            format!("{at} is sent as {}", op.as_str()),
                        );
                    }
                }
                Entry::Composed { op, to } => {
                    self.composed(op, at, *to);
                    at = *to;
                }
                Entry::Ack { ack } => {
                    at += 1;
                    self.is_acked(*ack, at);
                }
                Entry::Check { check } => {
                    self.is_durable(at, "a check");
                    let text = self.rows.text_at(Revision::new(at));
                    if TextHash::of(&text).get() != check.get() {
                        violated("texts are equal", format!("a server's, at {at}"));
                    }
                }
            }
        }
    }

    fn composed(&self, op: &RawOperation, at: u64, to: u64) {
        self.is_durable(to, "an operation");
        if (at + 1..=to).any(|revision| self.is_own(revision)) {
            let message = format!("{at} to {to} has the receiver's own in it");
            violated("own entries stand alone", message);
        }
        let composed = self.rows.composed(Revision::new(at), Revision::new(to));
        if op.as_str() != composed.to_json() {
            violated("the stream is the log", format!("{at} to {to} is sent as {}", op.as_str()));
        }
    }
}
