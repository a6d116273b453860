//! What happens in servers: joins, turns, calls to the store, and what they tell each other.

use std::sync::Arc;
use std::time::Duration;

use collab_protocol::{
    ChannelId, ClientMessage, ErrorCode, ErrorMessage, Reject, RejectCode, Role, SelectionRange,
    ServerMessage, SessionNumber, Submit,
};
use futures_util::FutureExt;
use ot_core::{ClientSeq, Limits, Ranges, Revision, Selection};

use super::rows::Written;
use super::server::{Host, Mail};
use super::violated;
use super::wire::Side;
use super::world::{Answer, Asked, What, World, note};
use crate::document::{
    Admission, Core, Ended, Held, JoinError, JoinFailure, JoinRequest, Outcome, Participant, Read,
    ReadDone, ReadFault, Since, Submission, stretch,
};
use crate::fanout::Batch;
use crate::registry::opened;
use crate::sabotage::{self, Bug};
use crate::store::StoreError;

const WALL_MS: i64 = 1_700_000_000_000;

fn down() -> StoreError {
    StoreError::unavailable("told to fail")
}

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

    /// A submission of a client that this connection's person is not.
    pub(super) fn intrude(&mut self, conn: usize, submission: Submission) {
        let Side::Open { host, session, .. } = self.conns[conn].side else { return };
        let (server, tab) = (self.conns[conn].server, self.conns[conn].tab);
        if self.has_server(conn) && self.servers[server].hosts[&host].mailbox.is_empty() {
            let client = collab_protocol::ClientId::new(1_000 + tab as u128);
            let user = self.tabs[tab].user.clone();
            self.mail(server, host, Mail::Submit { session, client, user, submission });
        }
    }

    /// Finds the document for a join, or begins to load it.
    fn open(&mut self, conn: usize) {
        let server = self.conns[conn].server;
        let document = self.tabs[self.conns[conn].tab].document;
        let here = &mut self.servers[server];
        if let Some(host) = here.slots.get(document).copied()
            && let Some(known) = here.hosts.get_mut(&host)
        {
            if known.core.is_some() {
                self.conns[conn].side = Side::Asking;
                self.mail(server, host, Mail::Join(conn));
            } else {
                known.waiting.push(conn);
                self.conns[conn].side = Side::Opening;
            }
            return;
        }
        here.last_host += 1;
        let host = here.last_host;
        let generation = here.slots.begin(document, host);
        let mut new = Host::new(document, generation);
        new.is_subscribed = !sabotage::is_planted(Bug::SubscribeAfterLoad);
        new.waiting.push(conn);
        here.hosts.insert(host, new);
        self.conns[conn].side = Side::Opening;
        note!(self, "server {server} loads {document}");
        self.call(server, host, document, Asked::Load);
    }

    fn loaded(
        &mut self,
        server: usize,
        host_id: u64,
        loaded: Result<crate::store::Loaded, StoreError>,
        at: Revision,
    ) {
        let host = self.servers[server].hosts.get_mut(&host_id).expect("it is being loaded");
        let document = host.document;
        let loaded = match loaded {
            Err(_) if sabotage::is_planted(Bug::LoadFaultIsEmpty) => {
                Ok(self.rows[&document].empty())
            }
            loaded => loaded,
        };
        let config = Arc::new(self.plan.config.clone());
        let core = opened(loaded)
            .and_then(|loaded| Core::new(loaded, config, self.plan.sharing()).map_err(Into::into));
        let waiting = std::mem::take(&mut host.waiting);
        match core {
            Ok(core) => {
                host.core = Some(Box::new(core));
                host.is_subscribed = true;
                host.since_ms = self.now;
                host.loaded_at = at;
                for conn in waiting {
                    if self.has_server(conn) {
                        self.conns[conn].side = Side::Asking;
                        self.mail(server, host_id, Mail::Join(conn));
                    }
                }
                self.turn_soon(server, host_id);
            }
            Err(error) => {
                let generation = host.generation;
                self.servers[server].hosts.remove(&host_id);
                self.servers[server].slots.retire(document, generation);
                for conn in waiting {
                    self.refuse_join(conn, &error);
                }
            }
        }
    }

    fn refuse_join(&mut self, conn: usize, error: &JoinError) {
        if !self.has_server(conn) {
            return;
        }
        self.conns[conn].side = Side::Idle;
        let document = self.tabs[self.conns[conn].tab].document;
        let (code, doc) = (error.code(), Some(document));
        let error = ErrorMessage { code, fatal: false, doc, ch: None, message: None };
        self.send_down(conn, ServerMessage::Error(error).to_json());
    }

    fn mail(&mut self, server: usize, host: u64, mail: Mail) {
        if let Some(known) = self.servers[server].hosts.get_mut(&host) {
            known.mailbox.push_back(mail);
            self.turn_soon(server, host);
        }
    }

    fn turn_soon(&mut self, server: usize, host: u64) {
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
        let (left, mail) = (std::mem::take(&mut host.left), std::mem::take(&mut host.mailbox));
        let (document, since_ms) = (host.document, host.since_ms);
        let heard = host.told.max(core.head());
        let is_late = |(deadline, revision): &(u64, Revision)| {
            self.now > (*deadline).max(since_ms + 100) && *revision > heard
        };
        if let Some((_, missed)) = host.expects.iter().find(|expected| is_late(expected)) {
            violated("who listens hears", format!("server {server} was never told of {missed}"));
        }
        host.expects.retain(|(_, revision)| *revision > heard);
        left.into_iter().for_each(|session| core.leave(session));
        for mail in mail {
            self.deliver(server, host_id, &mut core, mail);
        }
        let moment = Duration::from_millis(self.now - since_ms);
        let wall_ms = WALL_MS + self.now as i64 + self.servers[server].clock_off_ms;
        let orders = core.turn(moment, wall_ms);
        core.check_invariants();
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
                core.submit(session, client, user, submission);
            }
            Mail::Select { session, base, ranges } => core.select(session, base, ranges),
        }
    }

    fn request(&self, conn: usize) -> JoinRequest {
        let tab = &self.tabs[self.conns[conn].tab];
        let join = self.conns[conn].join.as_ref().expect("it asked");
        let since = join.since.zip(join.epoch);
        JoinRequest {
            participant: Participant { user: tab.user.clone(), name: String::new(), color: 0 },
            role: Role::Editor,
            client: tab.id,
            channel: channel(conn),
            since: since.map(|(since, epoch)| Since { revision: Revision::new(since), epoch }),
            wake: self.conns[conn].wake.clone(),
        }
    }

    fn turn_away(&mut self, conn: usize, failure: JoinFailure) {
        match failure {
            JoinFailure::Refused(error) => self.refuse_join(conn, &error),
            // As the registry does: the document is opened again.
            JoinFailure::Gone => {
                if self.has_server(conn) {
                    self.conns[conn].side = Side::Idle;
                    self.open(conn);
                }
            }
        }
    }

    pub(super) fn refuse(
        &mut self,
        server: usize,
        host: u64,
        session: SessionNumber,
        failure: JoinFailure,
    ) {
        let known = self.servers[server].hosts.get_mut(&host).expect("it has just turned");
        if let Some(conn) = known.asking.remove(&session) {
            self.turn_away(conn, failure);
        }
    }

    pub(super) fn admit(&mut self, server: usize, host_id: u64, admission: Admission) {
        let host = self.servers[server].hosts.get_mut(&host_id).expect("it has just turned");
        let session = admission.session;
        let conn = host.asking.remove(&session).expect("each session asked once");
        if !self.has_server(conn) {
            let host = self.servers[server].hosts.get_mut(&host_id).expect("still there");
            host.left.push(session);
            return self.turn_soon(server, host_id);
        }
        let frame = admission.frame().into_string();
        let reader = Box::new(admission.reader);
        self.conns[conn].side = Side::Open { host: host_id, session, reader };
        self.send_down(conn, frame);
        self.pull_soon(conn);
    }

    /// Arms the next deadline, or ends the document.
    fn after_turn(&mut self, server: usize, host_id: u64, moment: Duration) {
        let incarnation = self.servers[server].incarnation;
        let Some(host) = self.servers[server].hosts.get_mut(&host_id) else { return };
        let core = host.core.as_mut().expect("it has just turned");
        if host.works == 0 && host.mailbox.is_empty() && core.may_end(moment) {
            let (document, generation) = (host.document, host.generation);
            core.end(Ended::Shutdown);
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

    /// The writers that were woken pull.
    fn pull_woken(&mut self, server: usize, host_id: u64) {
        for conn in 0..self.conns.len() {
            let is_here = matches!(&self.conns[conn].side, Side::Open { host, .. } if *host == host_id)
                && self.conns[conn].server == server
                && self.has_server(conn);
            if is_here && self.conns[conn].wake.notified().now_or_never().is_some() {
                self.pull_soon(conn);
            }
        }
    }

    fn pull_soon(&mut self, conn: usize) {
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
                    self.send_down(conn, frame);
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

    fn end_session(&mut self, conn: usize, host: u64, session: SessionNumber, reason: Ended) {
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

    // --- the store ---

    pub(super) fn apply(&mut self, id: u64) {
        let Some(mut call) = self.calls.remove(&id) else { return };
        let is_orphan = self.servers[call.server].incarnation != call.incarnation;
        if is_orphan && self.draw.one_in(2) {
            return; // it never reached the database
        }
        let is_down = self.store_down_until > self.now;
        let fails = is_down || self.draw.permille(self.plan.read_fails);
        let append_fails = is_down || self.draw.permille(self.plan.append_fails);
        let unknown = self.draw.permille(self.plan.append_unknown);
        let rows = self.rows.get_mut(&call.document).expect("it exists");
        let page_len = self.plan.page_len;
        let fault = || ReadFault::Unavailable;
        call.answer = Some(match &call.asked {
            Asked::Load => {
                let at = rows.head();
                Answer::Loaded(if fails { Err(down()) } else { rows.load() }, at)
            }
            Asked::Append { .. } if append_fails => Answer::Failed,
            Asked::Append { .. } if unknown && self.draw.one_in(2) => Answer::Unknown,
            Asked::Append { append, .. } => match rows.write(append) {
                Written::Conflict => Answer::Conflict,
                Written::UpTo { end, losses } => Answer::Written { end, losses, is_told: !unknown },
            },
            Asked::Read(Read::Tail { after, .. }) => {
                let page = if fails { Err(fault()) } else { Ok(rows.since(*after, page_len)) };
                Answer::Read(ReadDone::Tail(page))
            }
            Asked::Read(Read::Poll { after }) => {
                let page = if fails { Err(fault()) } else { Ok(rows.since(*after, page_len)) };
                Answer::Read(ReadDone::Poll(page))
            }
            Asked::Read(Read::Progress { client }) => {
                let result = if fails { Err(fault()) } else { Ok(rows.progress(*client)) };
                Answer::Read(ReadDone::Progress { client: *client, result })
            }
            Asked::Read(Read::Submission { client, seq }) => {
                let result = if fails { Err(fault()) } else { Ok(rows.find(*client, *seq)) };
                Answer::Read(ReadDone::Submission { client: *client, seq: *seq, result })
            }
            Asked::Read(Read::Range { client, seq, after, through }) => {
                let result = if fails {
                    Err(fault())
                } else {
                    let operations = rows.operations(*after, *through);
                    let composed = ot_core::compose_all(operations).expect("a log composes");
                    Ok(composed.expect("a range is not empty"))
                };
                let (client, seq, through) = (*client, *seq, *through);
                Answer::Read(ReadDone::Range { client, seq, through, result })
            }
            Asked::Snapshot(snapshot) => {
                if !fails {
                    rows.put_snapshot(snapshot.clone());
                }
                Answer::Snapshot
            }
            Asked::CatchUp { after, .. } => {
                Answer::CaughtUp(if fails { Err(down()) } else { Ok(rows.since(*after, page_len)) })
            }
        });
        self.calls.insert(id, call);
        let delay = self.up_to(self.plan.store_ms);
        self.schedule(delay, What::Reply(id));
    }

    pub(super) fn reply(&mut self, id: u64) {
        let Some(call) = self.calls.remove(&id) else { return };
        let answer = call.answer.expect("it was applied");
        // What was written gets to the disk, whoever asked for it.
        let answer = match answer {
            Answer::Written { end, losses, is_told } => {
                let rows = self.rows.get_mut(&call.document).expect("it exists");
                let is_there = rows.sync(end, losses);
                if is_there && is_told { Ok(()) } else { Err(Answer::Unknown) }
            }
            other => Err(other),
        };
        if self.servers[call.server].incarnation != call.incarnation {
            return;
        }
        let (server, host_id) = (call.server, call.host);
        let Some(host) = self.servers[server].hosts.get_mut(&host_id) else { return };
        host.works -= 1;
        match (call.asked, answer) {
            (Asked::Append { batch, append }, answer) => {
                let outcome = match answer {
                    Ok(()) => Outcome::Done,
                    Err(Answer::Conflict) => Outcome::Conflict,
                    Err(Answer::Failed) => Outcome::Failed,
                    Err(_) => Outcome::Unknown,
                };
                let core = host.core.as_mut().expect("it appended");
                core.appended(batch, outcome);
                note!(self, "server {server}: append behind {} is {outcome:?}", append.base);
            }
            (Asked::Load, Err(Answer::Loaded(loaded, at))) => {
                return self.loaded(server, host_id, loaded, at);
            }
            (Asked::Read(_), Err(Answer::Read(done))) => {
                host.core.as_mut().expect("it asked").read(done);
            }
            (Asked::Snapshot(snapshot), _) => {
                host.core.as_mut().expect("it asked").snapshot_written(snapshot.revision);
            }
            (Asked::CatchUp { conn, after, head }, Err(Answer::CaughtUp(page))) => {
                self.caught_up(conn, after, head, page);
            }
            _ => unreachable!("each call has its kind of answer"),
        }
        self.turn_soon(server, host_id);
    }

    fn caught_up(
        &mut self,
        conn: usize,
        after: Revision,
        head: Revision,
        page: Result<crate::store::TailPage, StoreError>,
    ) {
        self.conns[conn].is_reading = false;
        if !self.has_server(conn) {
            return;
        }
        let Side::Open { host, session, reader } = &mut self.conns[conn].side else { return };
        let (host, session) = (*host, *session);
        match page {
            Ok(page) => {
                let mut operations = page.operations;
                operations.truncate(crate::revision::between(after, head));
                let stretch = stretch(operations, reader.client(), after).expect("a log composes");
                let frame = reader.caught_up(&stretch);
                self.send_down(conn, frame);
                self.pull_soon(conn);
            }
            Err(_) => self.end_session(conn, host, session, Ended::Unavailable),
        }
    }

    // --- other servers ---

    pub(super) fn publish(&mut self, from: usize, batch: Batch) {
        let head = self.rows[&batch.document].head();
        if batch.operations.iter().any(|logged| logged.revision > head) {
            violated("durable before visible", "other servers are told too early".to_owned());
        }
        for server in 0..self.servers.len() {
            let hosts = self.servers[server].hosts.iter();
            let hosts: Vec<u64> = hosts
                .filter(|(_, host)| host.document == batch.document)
                .map(|(id, _)| *id)
                .collect();
            let incarnation = self.servers[server].incarnation;
            for host in hosts {
                if server != from {
                    self.expect_to_hear(server, host, &batch);
                }
                let is_subscribed = self.servers[server].hosts[&host].is_subscribed;
                let is_lost = !is_subscribed || self.draw.permille(self.plan.fanout_drop);
                let copies = if self.draw.permille(self.plan.fanout_double) { 2 } else { 1 };
                for _ in 0..copies {
                    if is_lost || server == from && copies == 1 {
                        continue;
                    }
                    let delay = self.up_to(2 * self.plan.latency_ms);
                    let batch = batch.clone();
                    self.schedule(delay, What::Hear { server, incarnation, host, batch });
                }
            }
        }
    }

    /// Where nothing of it is lost, a fan-out brings each commit to each document that is loaded or
    /// being loaded.
    fn expect_to_hear(&mut self, server: usize, host: u64, batch: &Batch) {
        let is_sure = self.plan.fanout_drop == 0 && self.plan.server_pause == 0;
        if is_sure && !self.is_healed {
            let deadline = self.now + 2 * self.plan.latency_ms + 100;
            let host = self.servers[server].hosts.get_mut(&host).expect("just seen");
            host.expects.push((deadline, batch.head()));
        }
    }

    pub(super) fn hear(&mut self, server: usize, incarnation: u64, host_id: u64, batch: Batch) {
        if self.servers[server].incarnation != incarnation {
            return;
        }
        let Some(host) = self.servers[server].hosts.get_mut(&host_id) else { return };
        let last = batch.head();
        let Some(core) = host.core.as_mut() else {
            // It waits in the subscription until the document is loaded.
            let what = What::Hear { server, incarnation, host: host_id, batch };
            return self.schedule(20, what);
        };
        core.heard(&batch.operations, last);
        host.told = host.told.max(last);
        note!(self, "server {server} hears of {last}");
        self.turn_soon(server, host_id);
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
