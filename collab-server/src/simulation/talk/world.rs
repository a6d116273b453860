//! The world of a chat: everything in it, and the order of what happens.

mod connections;
mod faults;
mod people;
mod verdict;

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use collab_protocol::{
    ChatCode, ClientId, ClientMessage, DocumentId, Epoch, LinkAccess, MessageId, TenantId, UserId,
};
use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::desk::{Clockwork, Counter, Said};
use super::device::Device;
use super::journal::Journal;
use super::plan::Plan;
use super::rest::{Answer, Request, Told};
use super::store::Call;
use crate::chat::{ChatFeed, Opened, Room, Watch};
use crate::simulation::choice::Draw;
use crate::simulation::schedule::Schedule;
use crate::simulation::trace::Hash;
use crate::simulation::wire::Pipe;
use crate::simulation::{Summary, violated};
use crate::store::{
    ChatRange, MemoryStore, NewDocument, PersonRecord, Store, StoreError, StoreFuture, TextKey,
};

pub(super) const DOCUMENT: DocumentId = DocumentId::new(1);

/// Something asked and unanswered for so long ends the connection.
const PATIENCE_MS: u64 = 10_000;

/// How long the healed part may take to agree.
const LIVENESS_MS: u64 = 240_000;

/// More events than any run has.
const EVENTS_MAX: u64 = 100_000;

/// More messages and notifications than any run has.
const ALL: u32 = 100_000;

/// Something that will happen.
#[derive(Debug)]
pub(super) enum What {
    /// A person does something on a device.
    Act(usize),
    /// A device connects, unless it is connected.
    Connect(usize),
    /// A device opens its chat again.
    Open {
        device: usize,
        stamp: u64,
    },
    /// The next frame arrives at the server, or at the device.
    Up(usize),
    Down(usize),
    /// The server, or the device, notices that the connection is no more.
    ServerNotices(usize),
    DeviceNotices(usize),
    /// Something has had no answer for long.
    Patience {
        device: usize,
        stamp: u64,
    },
    /// What was refused may be said again.
    Again(usize),
    /// A session's writer pulls.
    Pull(usize),
    /// A call reaches the store; its answer comes back.
    Apply(u64),
    Reply(u64),
    /// A room has a deadline.
    Tend {
        server: usize,
        incarnation: u64,
    },
    /// What another server says arrives; or that the way was lost, and is there again.
    Hear {
        server: usize,
        incarnation: u64,
        said: Said,
    },
    WayBack(usize, usize),
    /// A request arrives; its answer does.
    Asked(u64),
    Told {
        request: u64,
        told: Told,
    },
    /// A device tries its requests again.
    Sync(usize),
    /// Perhaps something breaks.
    Trouble,
    /// A server starts again.
    Restart(usize),
}

/// What work at a server comes to.
pub(super) enum Out {
    Opened(usize, Result<Opened, ChatCode>),
    Answered {
        conn: usize,
        lane: usize,
        answer: Result<Option<String>, (Option<MessageId>, ChatCode)>,
    },
    Looked(bool),
    Told(u64, Answer),
}

/// Work at a server that waits for the store.
pub(super) struct Task {
    pub(super) server: usize,
    pub(super) incarnation: u64,
    pub(super) future: Pin<Box<dyn Future<Output = Out> + Send>>,
}

pub(super) struct Server {
    pub(super) is_alive: bool,
    /// Counts its starts.
    pub(super) incarnation: u64,
    pub(super) desk: Arc<Counter>,
    pub(super) room: Option<Arc<Room>>,
    pub(super) watch: Option<Watch>,
    pub(super) is_looking: bool,
    pub(super) tend_at: Option<u64>,
}

/// One connection.
pub(super) struct Conn {
    pub(super) device: usize,
    pub(super) server: usize,
    incarnation: u64,
    pub(super) up: Pipe,
    down: Pipe,
    /// Whether the server has heard of it.
    pub(super) is_here: bool,
    is_gone: bool,
    pub(super) feed: Option<ChatFeed>,
    pub(super) waiting: [VecDeque<ClientMessage>; 2],
    pub(super) is_running: [bool; 2],
    pub(super) wake: Arc<Notify>,
    pub(super) is_pulling: bool,
}

/// A call that waits: whose it is, and what becomes of it.
struct Asking {
    task: u64,
    call: Box<dyn Call>,
    is_applied: bool,
    is_told: bool,
}

/// See the module.
pub(super) struct World<'c> {
    pub(super) plan: Plan,
    pub(super) draw: Draw<'c>,
    pub(super) now: u64,
    /// When it began: only differences count.
    pub(super) base: Instant,
    queue: Schedule<What>,
    clockwork: Arc<Clockwork>,
    pub(super) memory: MemoryStore,
    pub(super) servers: Vec<Server>,
    /// Whether what the first says gets to the second.
    pub(super) ways: Vec<Vec<bool>>,
    pub(super) conns: Vec<Conn>,
    pub(super) devices: Vec<Device>,
    /// Counts each device's reloads.
    pub(super) pages: Vec<u64>,
    pub(super) tasks: BTreeMap<u64, Task>,
    pub(super) last_task: u64,
    calls: BTreeMap<u64, Asking>,
    last_call: u64,
    pub(super) requests: BTreeMap<u64, Request>,
    pub(super) last_request: u64,
    journal: Journal,
    messages_made: u128,
    hash: Hash,
    events: u64,
    pub(super) faults: u64,
    is_healed: bool,
    has_crashed: bool,
}

/// Memory's store answers at once.
fn now<T>(call: StoreFuture<'_, Result<T, StoreError>>) -> T {
    call.now_or_never().expect("memory answers at once").expect("memory does not fail")
}

fn user(person: usize) -> UserId {
    format!("u{person}").parse().expect("it is an id")
}

impl<'c> World<'c> {
    pub(super) fn new(plan: Plan, draw: Draw<'c>) -> World<'c> {
        let memory = MemoryStore::new();
        let document = NewDocument {
            id: DOCUMENT,
            title: "a document".to_owned(),
            tenant: TenantId::default(),
            owner: user(0),
            link: LinkAccess::Edit,
            epoch: Epoch::new(1),
            text_key: TextKey::from_bytes([7; 32]),
            created_ms: 0,
            text: String::new(),
            client: ClientId::new(1),
        };
        now(memory.create_document(document));
        for person in 0..plan.people {
            let name = format!("Person {person}");
            now(memory.put_person(PersonRecord {
                id: user(person),
                name,
                color: 1,
                created_ms: 0,
            }));
        }
        let clockwork = Arc::new(Clockwork::default());
        let server = |_| Server {
            is_alive: true,
            incarnation: 0,
            desk: Arc::new(Counter::new(memory.clone(), Arc::clone(&clockwork))),
            room: None,
            watch: None,
            is_looking: false,
            tend_at: None,
        };
        let servers: Vec<Server> = (0..plan.servers).map(server).collect();
        let device = |device| Device::new(user(device % plan.people), plan.actions);
        let devices: Vec<Device> = (0..plan.devices).map(device).collect();
        let mut world = World {
            now: 0,
            base: Instant::now(),
            queue: Schedule::default(),
            servers,
            ways: vec![vec![true; plan.servers]; plan.servers],
            conns: Vec::new(),
            pages: vec![0; plan.devices],
            devices,
            tasks: BTreeMap::new(),
            last_task: 0,
            calls: BTreeMap::new(),
            last_call: 0,
            requests: BTreeMap::new(),
            last_request: 0,
            journal: Journal::default(),
            messages_made: 0,
            hash: Hash::default(),
            events: 0,
            faults: 0,
            is_healed: false,
            has_crashed: false,
            plan,
            draw,
            clockwork,
            memory,
        };
        for device in 0..world.devices.len() {
            let (comes, acts) = (world.up_to(500), world.up_to(1_000));
            world.schedule(comes, What::Connect(device));
            world.schedule(acts, What::Act(device));
        }
        world
    }

    pub(super) fn summary(&self) -> Summary {
        let committed = self.journal.last_change();
        let (trace_hash, events, faults) = (self.hash.get(), self.events, self.faults);
        Summary { trace_hash, events, committed, faults }
    }

    pub(super) fn instant(&self) -> Instant {
        self.base + Duration::from_millis(self.now)
    }

    pub(super) fn up_to(&mut self, most: u64) -> u64 {
        self.draw.between(0, most)
    }

    pub(super) fn schedule(&mut self, delay: u64, what: What) {
        self.queue.add(self.now + delay, what);
    }

    fn note(&mut self, what: std::fmt::Arguments<'_>) {
        self.hash.note(self.now, what);
    }

    // --- time ---

    /// People talk, and things break.
    pub(super) fn live_through_faults(&mut self) {
        self.schedule(100, What::Trouble);
        while self.next_at() <= self.plan.safety_ms {
            self.step();
        }
        self.now = self.plan.safety_ms;
    }

    fn next_at(&self) -> u64 {
        self.queue.next_at()
    }

    fn step(&mut self) {
        let key = self.queue.next_key().expect("something is to come");
        let (at, what) = (key.0, self.queue.take(key));
        self.now = at;
        self.clockwork.now_ms.store(i64::try_from(at).expect("it is small"), Ordering::Relaxed);
        self.events += 1;
        if self.events > EVENTS_MAX {
            violated("it comes to rest", "there is no end of events".to_owned());
        }
        self.happen(what);
        self.wake();
    }

    fn happen(&mut self, what: What) {
        match what {
            What::Act(device) => self.act(device),
            What::Connect(device) => self.connect(device),
            What::Open { device, stamp } => self.open_again(device, stamp),
            What::Up(conn) => self.arrive_up(conn),
            What::Down(conn) => self.arrive_down(conn),
            What::ServerNotices(conn) => self.server_loses(conn),
            What::DeviceNotices(conn) => self.device_loses(conn),
            What::Patience { device, stamp } => self.lose_patience(device, stamp),
            What::Again(device) => {
                let read = self.devices[device].tell_read();
                self.say(device, read);
                self.pump(device);
            }
            What::Pull(conn) => self.pull(conn),
            What::Apply(call) => self.apply(call),
            What::Reply(call) => self.reply(call),
            What::Tend { server, incarnation } if self.is_same(server, incarnation) => {
                self.tend(server);
            }
            What::Hear { server, incarnation, said } if self.is_same(server, incarnation) => {
                self.note(format_args!("server {server} hears {said:?}"));
                self.hear(server, &said);
            }
            What::Tend { .. } | What::Hear { .. } => {}
            What::WayBack(from, to) => self.way_back(from, to),
            What::Asked(request) => self.arrive_request(request),
            What::Told { request, told } => self.told(request, told),
            What::Sync(device) => {
                self.sync(device);
                self.tell_what_is_read(device);
            }
            What::Trouble => self.trouble(),
            What::Restart(server) => self.servers[server].is_alive = true,
        }
    }

    fn is_same(&self, server: usize, incarnation: u64) -> bool {
        self.servers[server].is_alive && self.servers[server].incarnation == incarnation
    }

    // --- the store ---

    pub(super) fn ask(&mut self, task: u64, call: Box<dyn Call>) {
        self.last_call += 1;
        let fails = self.draw.permille(self.plan.call_fails);
        let unknown = self.draw.permille(self.plan.call_unknown);
        self.faults += u64::from(fails || unknown);
        let asking = Asking { task, call, is_applied: fails, is_told: !unknown };
        self.calls.insert(self.last_call, asking);
        let delay = self.up_to(self.plan.store_ms);
        self.schedule(delay, What::Apply(self.last_call));
    }

    fn apply(&mut self, number: u64) {
        let Some(asking) = self.calls.get_mut(&number) else { return };
        if !std::mem::replace(&mut asking.is_applied, true) {
            asking.call.apply(&self.memory);
        }
        let since = self.journal.last_change();
        let stored = now(self.memory.chat(DOCUMENT, ChatRange::Since(since), ALL)).entries;
        for entry in stored {
            self.note(format_args!("stored: {entry:?}"));
            self.journal.note(entry);
        }
        let delay = self.up_to(self.plan.store_ms);
        self.schedule(delay, What::Reply(number));
    }

    fn reply(&mut self, number: u64) {
        let Some(mut asking) = self.calls.remove(&number) else { return };
        asking.call.answer(asking.is_told);
        self.poll(asking.task);
    }
}
