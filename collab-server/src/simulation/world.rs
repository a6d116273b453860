//! The world: everything in it, and the order of what happens.

use std::collections::BTreeMap;

use collab_protocol::DocumentId;
use futures_util::FutureExt;

use super::Summary;
use super::choice::Draw;
use super::exhaustive::LeftOut;
use super::ledger::Ledger;
use super::plan::Plan;
use super::rows::Rows;
use super::schedule::{Key, Schedule};
use super::server::Server;
use super::tab::Tab;
use super::trace::Hash;
use super::wire::{Conn, Side};
use crate::document::{Order, Outcome, Read, ReadDone};
use crate::fanout::Batch;
use crate::presence_news::PresenceNews;
use crate::store::{Append, Loaded, Snapshot, StoreError, TailPage};

/// Something that will happen.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// A person does something.
    Act(usize),
    /// A tab connects, unless it is connected.
    Connect(usize),
    /// The next frame arrives at the server, or at the client.
    Up(usize),
    Down(usize),
    /// The server, or the client, notices that the connection is no more.
    ServerNotices(usize),
    ClientNotices(usize),
    /// A submission has had no answer for long.
    Patience {
        tab: usize,
        stamp: u64,
    },
    /// A refused submission may be sent again.
    Resend {
        tab: usize,
        stamp: u64,
    },
    /// A document decides.
    Turn {
        server: usize,
        incarnation: u64,
        host: u64,
    },
    /// A deadline of a document has come.
    Tick {
        server: usize,
        incarnation: u64,
        host: u64,
    },
    /// A session's writer pulls.
    Pull(usize),
    /// A call reaches the store; its answer comes back.
    Apply(u64),
    Reply(u64),
    /// What another server says arrives.
    Hear {
        server: usize,
        incarnation: u64,
        host: u64,
        batch: Batch,
    },
    /// What another server says of who is there arrives.
    HearOfPeople {
        server: usize,
        incarnation: u64,
        host: u64,
        news: PresenceNews,
    },
    /// A server looks at the rights of a document.
    Rights {
        server: usize,
        incarnation: u64,
        document: DocumentId,
    },
    /// A document that has ended says so once more, late.
    Retire {
        server: usize,
        incarnation: u64,
        document: DocumentId,
        generation: u64,
    },
    /// Perhaps something breaks.
    Trouble,
    /// A server starts again.
    Restart(usize),
    /// Told so in a small world: the connection of this tab is lost; the server dies.
    CutOf(usize),
    Crash(usize),
}

/// Something asked of the store.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) server: usize,
    pub(super) incarnation: u64,
    pub(super) host: u64,
    pub(super) document: DocumentId,
    pub(super) asked: Asked,
    pub(super) answer: Option<Answer>,
}

#[derive(Clone, Debug)]
pub(super) enum Asked {
    Load,
    Append { batch: u64, append: Append },
    Read(Read),
    Snapshot(Snapshot),
    CatchUp { conn: usize, after: ot_core::Revision, head: ot_core::Revision },
}

#[derive(Clone, Debug)]
pub(super) enum Answer {
    Loaded(Box<Result<Loaded, StoreError>>, ot_core::Revision),
    /// Written, to be synced before the answer.
    Written {
        end: usize,
        losses: u64,
        is_told: bool,
    },
    Appended(Outcome),
    Read(ReadDone),
    Snapshot,
    CaughtUp(Result<TailPage, StoreError>),
}

/// See the module.
pub(super) struct World<'c> {
    pub(super) plan: Plan,
    pub(super) draw: Draw<'c>,
    pub(super) now: u64,
    queue: Schedule<What>,
    pub(super) tabs: Vec<Tab>,
    pub(super) conns: Vec<Conn>,
    pub(super) servers: Vec<Server>,
    pub(super) rows: BTreeMap<DocumentId, Rows>,
    pub(super) calls: BTreeMap<u64, Call>,
    pub(super) last_call: u64,
    pub(super) ledger: Ledger,
    pub(super) hash: Hash,
    pub(super) events: u64,
    pub(super) faults: u64,
    pub(super) store_down_until: u64,
    /// Bad submissions that were sent and not answered, with the connection.
    pub(super) intrusions: BTreeMap<u64, usize>,
    pub(super) is_healed: bool,
    /// Whether things happen in the order of time although all orders are to be gone through.
    pub(super) is_in_order: bool,
    /// The orders that are left out, where all are gone through.
    pub(super) left_out: LeftOut,
    /// Whether something has arrived at a document since its last turn: see [`super::orders`].
    pub(super) is_arriving: bool,
    /// Whether the store does nothing more before the crash.
    pub(super) is_stuck: bool,
}

/// Notes what happened.
macro_rules! note {
    ($world:expr, $($what:tt)*) => {
        if !$world.is_seen() {
            $world.hash.note($world.now, format_args!($($what)*))
        }
    };
}
pub(super) use note;

/// More events than any run has.
const EVENTS_MAX: u64 = 2_000_000;

impl<'c> World<'c> {
    pub(super) fn new(plan: Plan, draw: Draw<'c>) -> World<'c> {
        let document = |number: usize| DocumentId::new(number as u128 + 1);
        let tab = |number: usize| Tab::new(number, document(number % plan.documents), plan.edits);
        let tabs = (0..plan.tabs).map(tab).collect();
        let servers = (0..plan.servers).map(|_| Server::new()).collect();
        let rows =
            (0..plan.documents).map(|number| (document(number), Rows::new(document(number))));
        let mut world = World {
            rows: rows.collect(),
            plan,
            draw,
            now: 0,
            queue: Schedule::default(),
            tabs,
            conns: Vec::new(),
            servers,
            calls: BTreeMap::new(),
            last_call: 0,
            ledger: Ledger::default(),
            hash: Hash::default(),
            events: 0,
            faults: 0,
            store_down_until: 0,
            intrusions: BTreeMap::new(),
            is_healed: false,
            is_in_order: false,
            left_out: LeftOut::default(),
            is_arriving: false,
            is_stuck: false,
        };
        note!(world, "{:?}", world.plan);
        for tab in 0..world.tabs.len() {
            let delay = world.up_to(world.plan.think_ms);
            world.schedule(delay, What::Connect(tab));
        }
        world
    }

    /// A world that stands as this one, and goes on by itself as `draw` says.
    ///
    /// Between two events nobody is woken who has not pulled; so sessions may share what wakes them
    /// with those of the other world.
    pub(super) fn fork<'d>(&self, draw: Draw<'d>) -> World<'d> {
        let mut servers = self.servers.clone();
        let hosts = servers.iter_mut().flat_map(|server| server.hosts.values_mut());
        hosts.filter_map(|host| host.core.as_mut()).for_each(|core| core.part());
        // Those of the other world may have left a wake behind that nobody here was meant by.
        self.conns.iter().for_each(|conn| {
            conn.wake.notified().now_or_never();
        });
        World {
            plan: self.plan.clone(),
            draw,
            now: self.now,
            queue: self.queue.clone(),
            tabs: self.tabs.clone(),
            conns: self.conns.clone(),
            servers,
            rows: self.rows.clone(),
            calls: self.calls.clone(),
            last_call: self.last_call,
            ledger: self.ledger.clone(),
            hash: self.hash,
            events: self.events,
            faults: self.faults,
            store_down_until: self.store_down_until,
            intrusions: self.intrusions.clone(),
            is_healed: self.is_healed,
            is_in_order: self.is_in_order,
            left_out: self.left_out,
            is_arriving: self.is_arriving,
            is_stuck: self.is_stuck,
        }
    }

    pub(super) fn summary(&self) -> Summary {
        Summary {
            trace_hash: self.hash.get(),
            events: self.events,
            committed: self.rows.values().map(|rows| rows.head().get()).sum(),
            faults: self.faults,
        }
    }

    /// Whether this happened so in the run before too, where all orders are gone through from the
    /// beginning: then it was looked at, and needs no second look.
    pub(super) fn is_seen(&self) -> bool {
        self.plan.is_interleaved && self.draw.fresh_at().is_none()
    }

    /// A drawn time of at most `most`; none where time stands still.
    pub(super) fn up_to(&mut self, most: u64) -> u64 {
        if self.plan.is_interleaved || most == 0 { 0 } else { self.draw.between(0, most) }
    }

    pub(super) fn schedule(&mut self, delay: u64, what: What) {
        self.queue.add(self.now + delay, what);
    }

    /// Whether anything is still to come.
    pub(super) fn is_over(&self) -> bool {
        self.queue.is_empty()
    }

    /// What is to come.
    pub(super) fn coming(&self) -> impl Iterator<Item = &What> {
        self.queue.iter().map(|(_, what)| what)
    }

    /// Forgets what nothing can come of any more.
    pub(super) fn forget_moot(&mut self) {
        let mut queue = std::mem::take(&mut self.queue);
        queue.retain(|what| !self.is_moot(what));
        self.queue = queue;
    }

    /// Whether this is to come.
    pub(super) fn is_coming(&self, is_it: impl Fn(&What) -> bool) -> bool {
        self.coming().any(is_it)
    }

    /// When the next thing happens.
    pub(super) fn next_at(&self) -> u64 {
        self.queue.next_at()
    }

    /// The same, each with when it is due and its number.
    pub(super) fn coming_by_key(&self) -> impl Iterator<Item = (&Key, &What)> {
        self.queue.iter()
    }

    /// What is due then, under this number.
    pub(super) fn event(&self, key: Key) -> &What {
        self.queue.event(key)
    }

    /// The next thing happens: the first in time.
    pub(super) fn step(&mut self) {
        let key = self.queue.next_key().expect("something is to come");
        self.pass(key);
    }

    /// This happens.
    pub(super) fn pass(&mut self, key: Key) {
        let what = self.queue.take(key);
        self.now = self.now.max(key.0);
        self.events += 1;
        if self.events > EVENTS_MAX {
            super::violated("it comes to rest", "there is no end of events".to_owned());
        }
        if let Some(wait) = self.waits_for_server(&what) {
            return self.schedule(wait, what);
        }
        self.happen(what);
    }

    /// How long until the server that this happens in goes on, if it stands still.
    fn waits_for_server(&self, what: &What) -> Option<u64> {
        let server = match what {
            What::Up(conn) | What::Pull(conn) | What::ServerNotices(conn) => {
                self.conns[*conn].server
            }
            What::Turn { server, .. }
            | What::Tick { server, .. }
            | What::Hear { server, .. }
            | What::HearOfPeople { server, .. }
            | What::Rights { server, .. } => *server,
            What::Reply(call) => self.calls.get(call)?.server,
            _ => return None,
        };
        let until = self.servers[server].paused_until;
        (until > self.now).then(|| until - self.now)
    }

    fn happen(&mut self, what: What) {
        match what {
            What::Act(tab) => self.act(tab),
            What::Connect(tab) => self.connect(tab),
            What::Up(conn) => self.arrive_up(conn),
            What::Down(conn) => self.arrive_down(conn),
            What::ServerNotices(conn) => self.server_loses(conn),
            What::ClientNotices(conn) => self.client_loses(conn),
            What::Patience { tab, stamp } => self.lose_patience(tab, stamp),
            What::Resend { tab, stamp } => self.resend(tab, stamp),
            What::Turn { server, incarnation, host } => self.turn(server, incarnation, host),
            What::Tick { server, incarnation, host } => self.tick(server, incarnation, host),
            What::Pull(conn) => self.pull(conn),
            What::Apply(call) => self.apply(call),
            What::Reply(call) => self.reply(call),
            What::Hear { server, incarnation, host, batch } => {
                self.hear(server, incarnation, host, batch);
            }
            What::HearOfPeople { server, incarnation, host, news } => {
                self.hear_of_people(server, incarnation, host, &news);
            }
            What::Rights { server, incarnation, document } => {
                self.look_at_rights(server, incarnation, document);
            }
            What::Retire { server, incarnation, document, generation } => {
                if self.servers[server].incarnation == incarnation {
                    self.servers[server].slots.retire(document, generation);
                }
            }
            What::Trouble => self.trouble(),
            What::Restart(server) => self.restart(server),
            What::CutOf(tab) => self.cut_of(tab),
            What::Crash(server) => self.crash(server, false),
        }
    }

    /// Sends a frame on its way to the server.
    pub(super) fn send_up(&mut self, conn: usize, frame: String) {
        note!(self, "conn {conn} ↑ {frame}");
        self.conns[conn].up.push(frame);
        self.move_up(conn);
    }

    pub(super) fn move_up(&mut self, conn: usize) {
        if self.conns[conn].up.sets_off() {
            let delay = self.up_to(self.plan.latency_ms);
            self.schedule(delay, What::Up(conn));
        }
    }

    /// Sends a frame on its way to the client.
    pub(super) fn send_down(&mut self, conn: usize, frame: String) {
        if !self.is_seen() {
            self.check_outgoing(conn, &frame);
        }
        note!(self, "conn {conn} ↓ {frame}");
        self.conns[conn].down.push(frame);
        self.move_down(conn);
    }

    pub(super) fn move_down(&mut self, conn: usize) {
        if self.conns[conn].down.sets_off() {
            let delay = self.up_to(self.plan.latency_ms);
            self.schedule(delay, What::Down(conn));
        }
    }

    /// Whether the connection's server still is the process that it was made with.
    pub(super) fn has_server(&self, conn: usize) -> bool {
        let conn = &self.conns[conn];
        let server = &self.servers[conn.server];
        server.is_alive
            && server.incarnation == conn.incarnation
            && !matches!(conn.side, Side::Gone)
    }

    pub(super) fn call(&mut self, server: usize, host: u64, document: DocumentId, asked: Asked) {
        let wait = match &asked {
            Asked::Read(Read::Tail { attempts, .. })
                if *attempts > 0 && !self.plan.is_interleaved =>
            {
                100
            }
            _ => 0,
        };
        let incarnation = self.servers[server].incarnation;
        self.last_call += 1;
        let call = Call { server, incarnation, host, document, asked, answer: None };
        self.calls.insert(self.last_call, call);
        if let Some(host) = self.servers[server].hosts.get_mut(&host) {
            host.works += 1;
        }
        let stalls = self.draw.permille(self.plan.store_stalls);
        let stall = if stalls { self.up_to(20_000) } else { 0 };
        let delay = self.up_to(self.plan.store_ms) + stall + wait;
        self.schedule(delay, What::Apply(self.last_call));
    }

    /// What a document ordered.
    pub(super) fn carry_out(
        &mut self,
        server: usize,
        host: u64,
        document: DocumentId,
        order: Order,
    ) {
        match order {
            Order::Admit(admission) => self.admit(server, host, *admission),
            Order::Refuse { session, failure } => self.refuse(server, host, session, failure),
            Order::Append { batch, append } => {
                self.call(server, host, document, Asked::Append { batch, append });
            }
            Order::Read(read) => self.call(server, host, document, Asked::Read(read)),
            Order::Snapshot(snapshot) => {
                self.call(server, host, document, Asked::Snapshot(snapshot));
            }
            Order::Publish(operations) => self.publish(server, Batch { document, operations }),
            Order::Tell(news) => self.tell(server, document, news),
            Order::Edited { .. } => unreachable!("nobody edits from outside a session"),
        }
    }
}
