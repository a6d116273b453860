//! What servers ask of the store, and what they get.

use ot_core::Revision;

use super::rows::Written;
use super::wire::Side;
use super::world::{Answer, Asked, What, World, note};
use crate::document::{Ended, Outcome, Read, ReadDone, ReadFault, stretch};
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
                self.send_down(conn, frame);
                self.pull_soon(conn);
            }
            Err(_) => self.end_session(conn, host, session, Ended::Unavailable),
        }
    }
}
