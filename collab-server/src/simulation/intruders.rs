//! People who send what no client of ours would, under client ids of their own; and what must come
//! of it: one answer, and nothing else.

use std::time::Duration;

use collab_protocol::{ClientId, SessionNumber, UserId};
use futures_util::FutureExt;
use ot_core::{ClientSeq, Operation, Ranges, Revision, Selection};

use super::violated;
use super::wire::Side;
use super::world::{World, note};
use crate::document::{Core, Order, Submission};

use super::server::Mail;

/// Submissions numbered so are made to be refused.
pub(super) const BAD_SEQ: u64 = 1_000_000;

/// Turns that a refusal may take: its client's past is read, then history page by page.
const TURNS_MAX: usize = 20;

/// What is wrong with a submission.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// It was made on a text that never was.
    Length,
    /// It was made on a revision that is not yet.
    Future,
    /// No document has this character.
    Character,
    /// It selects what is outside of the text.
    Ranges,
}

/// A bad submission that a document is given.
#[derive(Clone, Debug)]
pub(super) struct Intrusion {
    pub(super) conn: usize,
    pub(super) session: SessionNumber,
    pub(super) client: ClientId,
    pub(super) user: UserId,
    pub(super) submission: Submission,
}

impl World<'_> {
    /// Somebody misbehaves.
    pub(super) fn misbehave(&mut self, tab: usize) {
        let fault =
            self.draw.pick(&[Fault::Length, Fault::Future, Fault::Character, Fault::Ranges]);
        let Some(conn) = self.tabs[tab].conn.filter(|conn| self.has_server(*conn)) else { return };
        let Side::Open { host, session, .. } = self.conns[conn].side else { return };
        let server = self.conns[conn].server;
        if !self.servers[server].hosts[&host].mailbox.is_empty() {
            return;
        }
        let rows = &self.rows[&self.tabs[tab].document];
        // What a client was told of is in the log.
        let mut base = Revision::new(self.tabs[tab].revision());
        let mut len = rows.text_at(base).chars().count();
        let mut text = "!";
        let mut ranges = None;
        match fault {
            Fault::Length => len += 100_000,
            Fault::Future => base = Revision::new(base.get() + 1_000),
            Fault::Character => text = "\r",
            Fault::Ranges => {
                ranges = Some(Ranges::new([Selection::caret(len + 50)]).expect("one of them"));
            }
        }
        let operation = Operation::splice(len, 0, 0, text).expect("fits");
        self.faults += 1;
        let seq = ClientSeq::new(BAD_SEQ + self.faults);
        let submission = Submission::new(seq, base, operation, ranges);
        let client = ClientId::new(1_000 + tab as u128);
        let user = self.tabs[tab].user.clone();
        note!(self, "tab {tab} sends {seq}, which is bad: {fault:?}");
        self.intrusions.insert(seq.get(), conn);
        let intrusion = Intrusion { conn, session, client, user, submission };
        self.mail(server, host, Mail::Intrude(Box::new(intrusion)));
    }

    /// The answer to a bad submission leaves a server.
    pub(super) fn answer_leaves(&mut self, seq: u64) {
        if self.intrusions.remove(&seq).is_none() {
            violated("one answer each", format!("{seq} is answered again"));
        }
    }

    /// The bad submissions that wait for an answer over a connection that stands.
    pub(super) fn unanswered(&self) -> Vec<u64> {
        let stands = |conn: usize| {
            let tab = &self.tabs[self.conns[conn].tab];
            tab.is_alive && tab.conn == Some(conn) && self.has_server(conn)
        };
        let waiting = self.intrusions.iter().filter(|(_, conn)| stands(**conn));
        waiting.map(|(seq, _)| *seq).collect()
    }

    /// Gives a document that has nothing else to do a bad submission, and lets it read what it asks
    /// for: but for the answer, it must stand as it stood before.
    pub(super) fn refuse_one(
        &mut self,
        core: &mut Core,
        intrusion: Intrusion,
        (moment, wall_ms): (Duration, i64),
    ) {
        let Intrusion { conn, session, client, user, submission } = intrusion;
        let rows = &self.rows[&self.tabs[self.conns[conn].tab].document];
        let wake = self.conns[conn].wake.clone();
        let was_woken = wake.notified().now_or_never().is_some();
        let (before, told_before) = core.picture(session);
        let seq = submission.seq();
        core.submit(session, client, user.into(), submission);
        if told_before >= self.plan.config.answers_max {
            return; // who lets so many answers lie is ended, and that is told
        }
        for _ in 0..TURNS_MAX {
            let orders = core.turn(moment, wall_ms);
            if orders.is_empty() {
                break;
            }
            for order in orders {
                match order {
                    Order::Read(read) => core.read(rows.read(&read, self.plan.page_len, false)),
                    other => {
                        let what = ordered(&other);
                        let message = format!("for {seq}, which is bad, it orders {what}");
                        violated("an error leaves all as it was", message);
                    }
                }
            }
        }
        let is_woken = wake.notified().now_or_never().is_some();
        let (after, told) = core.picture(session);
        if was_woken || is_woken {
            wake.notify_one();
        }
        if told != told_before + 1 || !is_woken {
            let message = format!("for {seq} there are {} answers", told - told_before);
            violated("one answer each", message);
        }
        if before != after {
            let at = before.bytes().zip(after.bytes()).take_while(|(one, other)| one == other);
            let at = at.count().saturating_sub(200);
            let part = |text: &str| text.chars().skip(at).take(500).collect::<String>();
            let message = format!("{seq}: {} and then {}", part(&before), part(&after));
            violated("an error leaves all as it was", message);
        }
    }
}

/// What a document wants, in words.
fn ordered(order: &Order) -> String {
    match order {
        Order::Admit(_) | Order::Refuse { .. } => "a join's end".to_owned(),
        Order::Edited { .. } => "an edit's end".to_owned(),
        Order::Append { append, .. } => format!("an append behind {}", append.base),
        Order::Read(_) => "a read".to_owned(),
        Order::Snapshot(snapshot) => format!("a snapshot of {}", snapshot.revision),
        Order::Publish(operations) => format!("{} operations to be told", operations.len()),
        Order::Tell(news) => format!("{news:?}"),
    }
}
