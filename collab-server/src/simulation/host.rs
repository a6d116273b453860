//! What happens in servers: what arrives, and the turns of documents.

use std::time::Duration;

use collab_protocol::{
    ChannelId, ClientMessage, ErrorCode, Reject, RejectCode, SelectionRange, ServerMessage, Submit,
};
use ot_core::{ClientSeq, Limits, Ranges, Revision, Selection};

use super::intruders::Intrusion;
use super::server::Mail;
use super::violated;
use super::wire::Side;
use super::world::{What, World, note};
use crate::document::{Core, Ended, Submission};
use crate::sabotage::{self, Bug};

const WALL_MS: i64 = 1_700_000_000_000;

impl World<'_> {
    pub(super) fn arrive_up(&mut self, conn: usize) {
        self.conns[conn].up.is_moving = false;
        let frame = self.conns[conn].up.pop();
        let has_server = self.has_server(conn);
        match frame {
            Some(frame) if has_server => self.receive(conn, &frame),
            Some(_) => {}
            None => {
                let late = self.up_to(45_000);
                return self.schedule(late, What::ServerNotices(conn));
            }
        }
        self.move_up(conn);
    }

    fn receive(&mut self, conn: usize, frame: &str) {
        match ClientMessage::decode(frame).expect("clients send messages") {
            ClientMessage::Join(join) => {
                self.conns[conn].join = Some(join);
                self.open(conn);
            }
            ClientMessage::Submit(submit) => self.take_submission(conn, submit),
            ClientMessage::Select(select) => {
                let Side::Open { host, session, .. } = self.conns[conn].side else { return };
                let (base, ranges) = (Revision::new(select.rev), checked(&select.ranges));
                let server = self.conns[conn].server;
                let mailbox = &self.servers[server].hosts[&host].mailbox;
                // One that finds the mailbox half full is dropped; no longer when all must agree.
                if self.is_healed || mailbox.len() < self.plan.config.mailbox_len.div_ceil(2) {
                    self.mail(server, host, Mail::Select { session, base, ranges });
                }
            }
            other => unreachable!("nobody says {other:?}"),
        }
    }

    fn take_submission(&mut self, conn: usize, submit: Submit) {
        let Side::Open { host, session, .. } = self.conns[conn].side else { return };
        let ch = channel(conn);
        let operation = submit.op.decode(&Limits::NONE).expect("clients send operations");
        let (seq, base) = (ClientSeq::new(submit.seq), Revision::new(submit.rev));
        let ranges = submit.ranges.as_deref().map(checked);
        let submission = Submission::new(seq, base, operation, ranges);
        let tab = &self.tabs[self.conns[conn].tab];
        let (client, user, server) = (tab.id, tab.user.clone(), self.conns[conn].server);
        if self.servers[server].hosts[&host].mailbox.len() >= self.plan.config.mailbox_len {
            let code = RejectCode::Overloaded;
            let reject = Reject { ch, seq: submit.seq, code, message: None, retry_ms: Some(200) };
            return self.send_down(conn, ServerMessage::Reject(reject).to_json());
        }
        self.mail(server, host, Mail::Submit { session, client, user, submission });
    }

    pub(super) fn mail(&mut self, server: usize, host: u64, mail: Mail) {
        if let Some(known) = self.servers[server].hosts.get_mut(&host) {
            known.mailbox.push_back(mail);
            self.turn_soon(server, host);
        }
    }

    pub(super) fn turn_soon(&mut self, server: usize, host: u64) {
        let incarnation = self.servers[server].incarnation;
        if let Some(known) = self.servers[server].hosts.get_mut(&host)
            && !std::mem::replace(&mut known.is_turning, true)
        {
            let delay = self.up_to(1);
            self.schedule(delay, What::Turn { server, incarnation, host });
        }
    }

    pub(super) fn tick(&mut self, server: usize, incarnation: u64, host: u64) {
        if self.servers[server].incarnation == incarnation
            && let Some(known) = self.servers[server].hosts.get_mut(&host)
        {
            known.tick_at = None;
            self.turn_soon(server, host);
        }
    }

    pub(super) fn turn(&mut self, server: usize, incarnation: u64, host_id: u64) {
        if self.servers[server].incarnation != incarnation {
            return;
        }
        let Some(host) = self.servers[server].hosts.get_mut(&host_id) else { return };
        host.is_turning = false;
        let Some(mut core) = host.core.take() else { return };
        let (left, mut mail) = (std::mem::take(&mut host.left), std::mem::take(&mut host.mailbox));
        let (document, since_ms) = (host.document, host.since_ms);
        let heard = host.told.max(core.head());
        let is_late = |(deadline, revision): &(u64, Revision)| {
            self.now > (*deadline).max(since_ms + 100) && *revision > heard
        };
        if let Some((_, missed)) = host.expects.iter().find(|expected| is_late(expected)) {
            violated("who listens hears", format!("server {server} was never told of {missed}"));
        }
        host.expects.retain(|(_, revision)| *revision > heard);
        let moment = Duration::from_millis(self.now - since_ms);
        let wall_ms = WALL_MS + self.now as i64 + self.servers[server].clock_off_ms;
        let mut orders = Vec::new();
        let is_same = left.is_empty();
        left.into_iter().for_each(|session| core.leave(session));
        if let [Mail::Intrude(_)] = mail.make_contiguous() {
            orders = core.turn(moment, wall_ms);
            if is_same
                && core.is_quiet()
                && let Some(Mail::Intrude(intrusion)) = mail.pop_front()
            {
                self.refuse_one(&mut core, *intrusion, (moment, wall_ms));
            }
        }
        for mail in mail {
            self.deliver(server, host_id, &mut core, mail);
        }
        orders.extend(core.turn(moment, wall_ms));
        if !self.is_seen() {
            core.check_invariants();
        }
        let head = self.rows[&document].head();
        if core.head() > head && !sabotage::is_planted(Bug::PublishBeforePersist) {
            let message = format!("a server is at {}, the log ends at {head}", core.head());
            violated("durable before visible", message);
        }
        note!(self, "server {server} turns {document}: {}, {} orders", core.head(), orders.len());
        let host = self.servers[server].hosts.get_mut(&host_id).expect("it has just turned");
        host.core = Some(core);
        for order in orders {
            self.carry_out(server, host_id, document, order);
        }
        self.after_turn(server, host_id, moment);
        self.pull_woken(server, host_id);
        self.check_woken(server, host_id);
    }

    fn deliver(&mut self, server: usize, host_id: u64, core: &mut Core, mail: Mail) {
        match mail {
            Mail::Join(conn) => {
                if !self.has_server(conn) {
                    return;
                }
                match core.ask_to_join(self.request(conn)) {
                    Ok(session) => {
                        self.conns[conn].side = Side::Asking;
                        let host = self.servers[server].hosts.get_mut(&host_id);
                        host.expect("it turns").asking.insert(session, conn);
                    }
                    Err(failure) => self.turn_away(conn, failure),
                }
            }
            Mail::Submit { session, client, user, submission } => {
                core.submit(session, client, user.into(), submission);
            }
            Mail::Select { session, base, ranges } => core.select(session, base, ranges),
            Mail::Intrude(intrusion) => {
                let Intrusion { session, client, user, submission, .. } = *intrusion;
                core.submit(session, client, user.into(), submission);
            }
        }
    }

    /// Arms the next deadline, or ends the document.
    fn after_turn(&mut self, server: usize, host_id: u64, moment: Duration) {
        let incarnation = self.servers[server].incarnation;
        let Some(host) = self.servers[server].hosts.get_mut(&host_id) else { return };
        let core = host.core.as_mut().expect("it has just turned");
        if host.works == 0 && host.mailbox.is_empty() && core.may_end(moment) {
            let (document, generation) = (host.document, host.generation);
            let last = core.end(Ended::Shutdown);
            last.into_iter().for_each(|news| self.tell(server, document, news));
            self.servers[server].hosts.remove(&host_id);
            self.servers[server].slots.retire(document, generation);
            note!(self, "server {server} unloads {document}");
            let late = self.up_to(5_000);
            let retire = What::Retire { server, incarnation, document, generation };
            return self.schedule(late, retire);
        }
        if self.plan.is_interleaved {
            return; // time stands still
        }
        let Some(deadline) = core.next_deadline(host.works > 0) else { return };
        let at = host.since_ms + deadline.as_millis() as u64 + 1;
        if host.tick_at.is_none_or(|known| at < known) {
            host.tick_at = Some(at);
            let delay = at.saturating_sub(self.now);
            self.schedule(delay, What::Tick { server, incarnation, host: host_id });
        }
    }
}

pub(super) fn channel(conn: usize) -> ChannelId {
    ChannelId(conn as u32 + 1)
}

fn checked(ranges: &[SelectionRange]) -> Ranges {
    let selections = ranges.iter().map(|r| Selection::new(r.anchor as usize, r.head as usize));
    Ranges::new(selections).expect("few")
}

/// Whether a client that could not join may try again.
pub(super) fn may_join_again(code: ErrorCode) -> bool {
    code.retryable()
}
