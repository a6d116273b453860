//! What servers ask of the store, and what they get.

use ot_core::Revision;

use super::rows::Written;
use super::wire::Side;
use super::world::{Answer, Asked, What, World, note};
use crate::document::{Ended, Outcome, Read, stretch};
use crate::store::{StoreError, TailPage};

fn down() -> StoreError {
    StoreError::unavailable("told to fail")
}

impl World<'_> {
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
        call.answer = Some(match &call.asked {
            Asked::Load => {
                let at = rows.head();
                Answer::Loaded(Box::new(if fails { Err(down()) } else { rows.load() }), at)
            }
            Asked::Append { .. } if append_fails => Answer::Appended(Outcome::Failed),
            Asked::Append { .. } if unknown && self.draw.one_in(2) => {
                Answer::Appended(Outcome::Unknown)
            }
            Asked::Append { append, .. } => match rows.write(append) {
                Written::Conflict => Answer::Appended(Outcome::Conflict),
                Written::UpTo { end, losses } => Answer::Written { end, losses, is_told: !unknown },
            },
            Asked::Read(Read::Fence { client, seq, known }) => {
                Answer::Read(rows.fence(*client, *seq, *known, fails))
            }
            Asked::Read(read) => Answer::Read(rows.read(read, page_len, fails)),
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
        let has_lost = matches!(call.answer, Some(Answer::Appended(Outcome::Conflict)));
        self.calls.insert(id, call);
        let delay = self.up_to(self.plan.store_ms);
        // What it lost to may not be on disk yet, so that nothing is found there and it is tried
        // again. That takes time, or what it lost to would never get to the disk.
        let wait = u64::from(has_lost && delay == 0 && !self.plan.is_interleaved);
        self.schedule(delay + wait, What::Reply(id));
    }

    pub(super) fn reply(&mut self, id: u64) {
        let Some(call) = self.calls.remove(&id) else { return };
        // What was written gets to the disk, whoever asked for it.
        let answer = match call.answer.expect("it was applied") {
            Answer::Written { end, losses, is_told } => {
                let rows = self.rows.get_mut(&call.document).expect("it exists");
                let is_done = rows.sync(end, losses) && is_told;
                Answer::Appended(if is_done { Outcome::Done } else { Outcome::Unknown })
            }
            other => other,
        };
        if self.servers[call.server].incarnation != call.incarnation {
            return;
        }
        let (server, host_id) = (call.server, call.host);
        let Some(host) = self.servers[server].hosts.get_mut(&host_id) else { return };
        host.works -= 1;
        match (call.asked, answer) {
            (Asked::Append { batch, append }, Answer::Appended(outcome)) => {
                host.core.as_mut().expect("it appended").appended(batch, outcome);
                note!(self, "server {server}: append behind {} is {outcome:?}", append.base);
            }
            (Asked::Load, Answer::Loaded(loaded, at)) => {
                return self.loaded(server, host_id, *loaded, at);
            }
            (Asked::Read(_), Answer::Read(done)) => {
                host.core.as_mut().expect("it asked").read(done);
            }
            (Asked::Snapshot(snapshot), _) => {
                host.core.as_mut().expect("it asked").snapshot_written(snapshot.revision);
            }
            (Asked::CatchUp { conn, after, head }, Answer::CaughtUp(page)) => {
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
        page: Result<TailPage, StoreError>,
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
                self.send_down(conn, frame.to_string());
                self.pull_soon(conn);
            }
            Err(_) => self.end_session(conn, host, session, Ended::Unavailable),
        }
    }
}
