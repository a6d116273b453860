//! The world of a chat: everything in it, and the order of what happens.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use collab_protocol::{
    ChatCode, ChatMention, ClientId, ClientMessage, DocumentId, Epoch, GivenRole, LinkAccess,
    MessageId, RoomKind, ServerMessage, TenantId, UserId,
};
use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::desk::{Clockwork, Counter, Said};
use super::device::{Device, Kind};
use super::journal::Journal;
use super::plan::Plan;
use super::rest::{Answer, Request, Told};
use super::store::Call;
use crate::chat::{ChatFeed, Opened, Room, Watch};
use crate::rights::RightsChange;
use crate::simulation::choice::Draw;
use crate::simulation::trace::Hash;
use crate::simulation::wire::Pipe;
use crate::simulation::{Summary, violated};
use crate::store::{
    ChatRange, MemoryStore, NewDocument, NotificationContent, NotificationEntry, NotificationHead,
    NotificationRange, PersonRecord, Recipient, Store, StoreError, StoreFuture, TextKey,
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
    queue: BTreeMap<(u64, u64), What>,
    scheduled: u64,
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
            queue: BTreeMap::new(),
            scheduled: 0,
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
        self.scheduled += 1;
        self.queue.insert((self.now + delay, self.scheduled), what);
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
        self.queue.first_key_value().map_or(u64::MAX, |((at, _), _)| *at)
    }

    fn step(&mut self) {
        let ((at, _), what) = self.queue.pop_first().expect("something is to come");
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

    // --- people ---

    fn act(&mut self, device: usize) {
        if self.is_healed || self.devices[device].actions == 0 {
            return;
        }
        self.devices[device].actions -= 1;
        match self.draw.below(12) {
            0..=4 => {
                self.messages_made += 1;
                let said = self.words();
                let id = MessageId::new(self.messages_made);
                self.devices[device].wish(Kind::Send, id, said);
            }
            5 => self.change_one(device, Kind::Edit),
            6 => self.change_one(device, Kind::Delete),
            7 | 8 => {
                let read = self.devices[device].mark_read();
                self.say(device, read);
            }
            9 | 10 => {
                let at = self.draw.below(8);
                self.devices[device].read_one(at);
                self.tell_what_is_read(device);
            }
            _ => {
                self.devices[device].read_all();
                self.tell_what_is_read(device);
            }
        }
        self.pump(device);
        let pause = self.up_to(self.plan.think_ms);
        self.schedule(pause, What::Act(device));
    }

    /// Something to say, to somebody perhaps.
    fn words(&mut self) -> (String, Vec<ChatMention>) {
        let number = self.draw.below(1_000);
        if !self.draw.one_in(2) {
            return (format!("hello {number}"), Vec::new());
        }
        let user = user(self.draw.below(self.plan.people));
        let text = format!("@{user} {number}");
        let end = u32::try_from(user.as_str().len() + 1).expect("ids are short");
        (text, vec![ChatMention { start: 0, end, user }])
    }

    /// A message of one's own, or as the owner anybody's, is changed.
    fn change_one(&mut self, device: usize, kind: Kind) {
        let own = &self.devices[device];
        let is_owner = own.user == user(0) && kind == Kind::Delete;
        let mine = own.held.iter().filter(|m| m.user == own.user || is_owner).map(|m| m.id);
        let mine: Vec<MessageId> = mine.collect();
        if mine.is_empty() {
            return;
        }
        let id = self.draw.pick(&mine);
        let said = match kind {
            Kind::Delete => (String::new(), Vec::new()),
            _ => self.words(),
        };
        self.devices[device].wish(kind, id, said);
    }

    fn pump(&mut self, device: usize) {
        let next = self.devices[device].pump();
        self.say(device, next);
    }

    fn say(&mut self, device: usize, message: Option<ClientMessage>) {
        let (Some(conn), Some(message)) = (self.devices[device].conn, message) else { return };
        self.send_up(conn, message.to_json());
        let stamp = self.devices[device].stamp;
        self.schedule(PATIENCE_MS, What::Patience { device, stamp });
    }

    // --- connections ---

    fn connect(&mut self, device: usize) {
        if self.devices[device].conn.is_some() {
            return;
        }
        let server = self.draw.below(self.servers.len());
        if !self.servers[server].is_alive {
            return self.connect_later(device);
        }
        let incarnation = self.servers[server].incarnation;
        self.conns.push(Conn {
            device,
            server,
            incarnation,
            up: Pipe::default(),
            down: Pipe::default(),
            is_here: false,
            is_gone: false,
            feed: None,
            waiting: Default::default(),
            is_running: [false; 2],
            wake: Arc::new(Notify::new()),
            is_pulling: false,
        });
        let conn = self.conns.len() - 1;
        self.devices[device].conn = Some(conn);
        self.note(format_args!("device {device} connects to server {server} as conn {conn}"));
        let open = self.devices[device].open(DOCUMENT);
        self.say(device, Some(open));
    }

    fn connect_later(&mut self, device: usize) {
        let own = &mut self.devices[device];
        own.failures = (own.failures + 1).min(6);
        let most = 100 << own.failures;
        let delay = 1 + self.up_to(most);
        self.schedule(delay, What::Connect(device));
    }

    fn open_again(&mut self, device: usize, stamp: u64) {
        let own = &self.devices[device];
        if own.stamp == stamp && own.channel.is_none() {
            let open = own.open(DOCUMENT);
            self.say(device, Some(open));
        }
    }

    /// Whether the connection's server still is the process that it was made with, and knows it.
    pub(super) fn has_server(&self, conn: usize) -> bool {
        let own = &self.conns[conn];
        self.is_same(own.server, own.incarnation) && !own.is_gone
    }

    fn send_up(&mut self, conn: usize, frame: String) {
        self.note(format_args!("conn {conn} ↑ {frame}"));
        self.conns[conn].up.push(frame);
        self.move_up(conn);
    }

    pub(super) fn move_up(&mut self, conn: usize) {
        let pipe = &mut self.conns[conn].up;
        if !pipe.is_moving && (pipe.len() > 0 || pipe.is_closed) {
            pipe.is_moving = true;
            let delay = self.up_to(self.plan.latency_ms);
            self.schedule(delay, What::Up(conn));
        }
    }

    pub(super) fn send_down(&mut self, conn: usize, frame: String) {
        self.journal.check_frame(&ServerMessage::decode(&frame).expect("servers send messages"));
        self.note(format_args!("conn {conn} ↓ {frame}"));
        self.conns[conn].down.push(frame);
        self.move_down(conn);
    }

    fn move_down(&mut self, conn: usize) {
        let pipe = &mut self.conns[conn].down;
        if !pipe.is_moving && (pipe.len() > 0 || pipe.is_closed) {
            pipe.is_moving = true;
            let delay = self.up_to(self.plan.latency_ms);
            self.schedule(delay, What::Down(conn));
        }
    }

    pub(super) fn server_loses(&mut self, conn: usize) {
        let own = &mut self.conns[conn];
        if std::mem::replace(&mut own.is_gone, true) {
            return;
        }
        own.waiting = Default::default();
        own.feed = None;
        own.down.is_closed = true;
        self.move_down(conn);
    }

    fn device_loses(&mut self, conn: usize) {
        let device = self.conns[conn].device;
        if self.devices[device].conn != Some(conn) {
            return;
        }
        self.conns[conn].up.is_closed = true;
        self.move_up(conn);
        self.note(format_args!("device {device} loses conn {conn}"));
        self.devices[device].closed();
        self.connect_later(device);
    }

    fn lose_patience(&mut self, device: usize, stamp: u64) {
        let own = &self.devices[device];
        let waits = own.channel.is_none() || own.in_flight.is_some();
        if own.stamp == stamp
            && waits
            && let Some(conn) = own.conn
        {
            self.device_loses(conn);
        }
    }

    // --- what arrives at a device ---

    fn arrive_down(&mut self, conn: usize) {
        self.conns[conn].down.is_moving = false;
        let device = self.conns[conn].device;
        let is_current = self.devices[device].conn == Some(conn);
        match self.conns[conn].down.pop() {
            Some(frame) if is_current => {
                self.take(device, ServerMessage::decode(&frame).expect("servers send messages"));
            }
            Some(_) => {}
            None => return self.device_loses(conn),
        }
        self.move_down(conn);
    }

    fn take(&mut self, device: usize, message: ServerMessage) {
        let own = &mut self.devices[device];
        match message {
            ServerMessage::ChatOpened(opened) => {
                own.stamp += 1;
                let said = own.opened(opened);
                self.check_held(device);
                self.say(device, said);
                self.sync(device);
                self.tell_what_is_read(device);
                self.pump(device);
            }
            ServerMessage::Chat(news) => {
                own.news(news.messages, news.change);
                self.check_held(device);
            }
            ServerMessage::ChatAck(ack) => {
                own.settle(ack.id);
                self.pump(device);
            }
            ServerMessage::ChatReject(reject) => self.refused(device, reject.id, reject.code),
            ServerMessage::ChatRead(seen) => own.heard_read(seen.number),
            ServerMessage::Error(_) => {
                (own.channel, own.in_flight) = (None, None);
                own.stamp += 1;
                let stamp = own.stamp;
                self.schedule(300, What::Open { device, stamp });
                self.schedule(PATIENCE_MS, What::Patience { device, stamp });
            }
            ServerMessage::Notified(news) if own.hear(news.clone()) => self.sync(device),
            ServerMessage::Missed(missed) if missed.room == RoomKind::User => self.sync(device),
            _ => {}
        }
    }

    fn refused(&mut self, device: usize, id: Option<MessageId>, code: ChatCode) {
        let own = &mut self.devices[device];
        match id {
            None if own.channel.is_none() => {
                own.stamp += 1;
                let stamp = own.stamp;
                self.schedule(300, What::Open { device, stamp });
                self.schedule(PATIENCE_MS, What::Patience { device, stamp });
            }
            // Of a channel that is closed.
            Some(_) if own.channel.is_none() => {}
            Some(id) if !code.retryable() => {
                own.settle(id);
                self.pump(device);
            }
            // A read mark, or something to be said: again.
            None => self.schedule(300, What::Again(device)),
            Some(id) => {
                if own.outbox.iter().any(|wish| Some(wish.number) == own.in_flight && wish.id == id)
                {
                    (own.in_flight, own.stamp) = (None, own.stamp + 1);
                }
                self.schedule(300, What::Again(device));
            }
        }
    }

    fn check_held(&self, device: usize) {
        let own = &self.devices[device];
        self.journal.check_held(device, own.first, &own.held, own.change.expect("it is open"));
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

    // --- faults ---

    fn trouble(&mut self) {
        if self.is_healed {
            return;
        }
        for conn in 0..self.conns.len() {
            if self.devices[self.conns[conn].device].conn == Some(conn)
                && self.draw.permille(self.plan.cut)
            {
                self.cut(conn);
            }
        }
        for device in 0..self.devices.len() {
            if self.draw.permille(self.plan.reload) {
                self.reload(device);
            }
        }
        for server in 0..self.servers.len() {
            if self.servers[server].is_alive && self.draw.permille(self.plan.server_crash) {
                self.crash(server);
                let delay = self.up_to(3_000);
                self.schedule(delay, What::Restart(server));
            }
        }
        for from in 0..self.servers.len() {
            for to in 0..self.servers.len() {
                if from != to && self.ways[from][to] && self.draw.permille(self.plan.way_lost) {
                    self.faults += 1;
                    self.ways[from][to] = false;
                    let delay = self.up_to(3_000);
                    self.schedule(delay, What::WayBack(from, to));
                }
            }
        }
        if self.draw.permille(self.plan.rights) {
            let role = self.draw.pick(&[GivenRole::Commenter, GivenRole::Editor]);
            let change = RightsChange::Give { person: user(1), role, by: user(0) };
            now(self.memory.change_rights(DOCUMENT, change, 0));
        }
        self.schedule(250, What::Trouble);
    }

    fn way_back(&mut self, from: usize, to: usize) {
        if !std::mem::replace(&mut self.ways[from][to], true) && self.servers[to].is_alive {
            self.note(format_args!("server {to} hears server {from} again"));
            self.hear_gap(to);
        }
    }

    /// A connection is lost, with all that is on its way but the first part.
    fn cut(&mut self, conn: usize) {
        self.faults += 1;
        let kept_up = self.draw.below(self.conns[conn].up.len() + 1);
        let kept_down = self.draw.below(self.conns[conn].down.len() + 1);
        self.note(format_args!("conn {conn} is cut behind {kept_up} and {kept_down} frames"));
        self.conns[conn].up.cut(kept_up);
        self.conns[conn].down.cut(kept_down);
        let (server, device) = (self.up_to(3_000), self.up_to(3_000));
        self.schedule(server, What::ServerNotices(conn));
        self.schedule(device, What::DeviceNotices(conn));
    }

    fn reload(&mut self, device: usize) {
        self.faults += 1;
        self.note(format_args!("device {device} is loaded anew"));
        if let Some(conn) = self.devices[device].conn {
            self.device_loses(conn);
        }
        self.pages[device] += 1;
        self.devices[device].reload();
        self.connect_later(device);
    }

    /// A server dies. What it asked of the store may still get there.
    fn crash(&mut self, server: usize) {
        self.faults += 1;
        self.has_crashed = true;
        self.note(format_args!("server {server} dies"));
        let desk = Arc::new(Counter::new(self.memory.clone(), Arc::clone(&self.clockwork)));
        let own = &mut self.servers[server];
        let incarnation = own.incarnation;
        (own.is_alive, own.incarnation, own.desk) = (false, incarnation + 1, desk);
        (own.room, own.watch, own.is_looking, own.tend_at) = (None, None, false, None);
        let dead = |task: &Task| task.server == server && task.incarnation == incarnation;
        let dead: Vec<u64> =
            self.tasks.iter().filter(|(_, task)| dead(task)).map(|(number, _)| *number).collect();
        for number in &dead {
            self.tasks.remove(number);
        }
        let left: Vec<u64> = self
            .calls
            .iter()
            .filter(|(_, asking)| dead.contains(&asking.task))
            .map(|(number, _)| *number)
            .collect();
        for call in left {
            if self.draw.one_in(2) {
                self.calls.remove(&call);
            }
        }
        let requests = self.requests.iter().filter(|(_, request)| request.server == server);
        let requests: Vec<u64> = requests.map(|(number, _)| *number).collect();
        for request in requests {
            self.schedule(1, What::Told { request, told: Told::Lost });
        }
        for conn in 0..self.conns.len() {
            if self.conns[conn].server == server && self.conns[conn].incarnation == incarnation {
                self.conns[conn].feed = None;
                let kept = self.draw.below(self.conns[conn].down.len() + 1);
                self.conns[conn].down.cut(kept);
                self.conns[conn].up.cut(0);
                self.move_down(conn);
            }
        }
    }

    // --- rest ---

    /// Nothing breaks any more; some servers stay dead. All must come to agree, and what was
    /// promised must be true.
    pub(super) fn heal(&mut self) {
        self.is_healed = true;
        self.plan.heal();
        let kept = 1 + self.draw.below(self.servers.len());
        for server in 0..self.servers.len() {
            if server >= kept && self.servers[server].is_alive {
                self.crash(server);
            }
            self.servers[server].is_alive = server < kept;
        }
        // Whoever stays dead is asked no more.
        self.servers.truncate(kept);
        self.note(format_args!("healed: {kept} servers"));
        self.queue.retain(|_, what| match what {
            What::Restart(_) | What::WayBack(..) => false,
            What::Tend { server, .. } | What::Hear { server, .. } => *server < kept,
            _ => true,
        });
        for request in self.requests.values_mut() {
            request.server = request.server.min(kept - 1);
        }
        for conn in 0..self.conns.len() {
            if self.conns[conn].server >= kept {
                (self.conns[conn].server, self.conns[conn].is_gone) = (0, true);
            }
        }
        // Also what the dead have said is known to be lost.
        for from in 0..self.ways.len() {
            for to in 0..kept {
                self.way_back(from, to);
            }
        }
        // What a server has stored and died before it told is seen with the next connection.
        for device in 0..self.devices.len() {
            if let Some(conn) = self.devices[device].conn.filter(|_| self.has_crashed) {
                self.device_loses(conn);
            }
        }
        let deadline = self.now + LIVENESS_MS;
        let mut look_at = self.now;
        while self.next_at() <= deadline {
            if self.now >= look_at {
                if self.unrest().is_none() {
                    break;
                }
                look_at = self.now + 500;
            }
            self.step();
        }
        if let Some(unrest) = self.unrest() {
            violated("it comes to rest", unrest);
        }
        self.check_mentions();
    }

    /// A person's notifications as they are stored.
    fn told_to(&self, user: &UserId) -> (NotificationHead, Vec<NotificationEntry>) {
        let to = Recipient { tenant: TenantId::default(), person: user.clone() };
        let found = now(self.memory.notifications(to, NotificationRange::Latest, ALL));
        (found.head, found.entries)
    }

    /// What somebody does not know yet, or says wrongly; `None` when all agree.
    fn unrest(&self) -> Option<String> {
        let head = now(self.memory.chat(DOCUMENT, ChatRange::Latest, ALL)).head;
        for (number, own) in self.devices.iter().enumerate() {
            let progress = now(self.memory.chat_progress(DOCUMENT, own.user.clone()));
            let unread = self.journal.unread(&own.user, progress.number);
            let (told, entries) = self.told_to(&own.user);
            let not_read = entries.iter().filter(|entry| entry.read_ms.is_none()).count() as u32;
            let shown = own.items.values().filter(|told| !told.read).count() as u32;
            let is_all_shown = own.items.len() == entries.len();
            let wrong = match () {
                () if own.channel.is_none() => "is not open",
                () if !own.outbox.is_empty() => "has something to say",
                () if own.change != Some(head.change) => "has not all of the chat",
                () if own.last != head.number => "has another last message",
                () if own.read != progress.number => "has read otherwise",
                () if own.unread().is_some_and(|own| own != unread) => {
                    "counts what is unread wrongly"
                }
                () if progress.unread != unread => "is told a wrong count",
                () if own.told != Some(told.change) => "has not all notifications",
                () if own.told_unread != told.unread || told.unread != not_read => {
                    "counts unread notifications wrongly"
                }
                () if is_all_shown && shown != not_read => "shows others as unread",
                () if !own.reading.is_empty() || own.read_to > 0 => "has not told what is read",
                () => continue,
            };
            return Some(format!(
                "device {number} {wrong}: {own:?}; {head:?}, {progress:?}, {told:?}"
            ));
        }
        None
    }

    /// Each mention is told once, and nothing else is.
    fn check_mentions(&self) {
        for person in 0..self.plan.people {
            let person = user(person);
            let mut told: BTreeMap<MessageId, u32> = BTreeMap::new();
            for entry in self.told_to(&person).1 {
                let NotificationContent::Mentioned { message, .. } = entry.content else {
                    continue;
                };
                *told.entry(message).or_default() += 1;
                if !self.journal.has_named(message, &person) {
                    violated("who is told was named", format!("{person} by {message}"));
                }
            }
            if let Some((message, times)) = told.iter().find(|(_, times)| **times > 1) {
                violated("a mention is told once", format!("{person} {times} times of {message}"));
            }
            for message in self.journal.messages().into_values() {
                let is_named = message.mentions.iter().any(|mention| mention.user == person);
                if is_named && message.user != person && !told.contains_key(&message.id) {
                    violated("a mention is told", format!("{person} not of {message:?}"));
                }
            }
        }
        for (number, device) in self.devices.iter().enumerate() {
            let mut new = device.new.clone();
            new.sort_unstable();
            if let Some(twice) = new.windows(2).find(|pair| pair[0] == pair[1]) {
                violated("what is new is new once", format!("device {number}: {twice:?}"));
            }
        }
    }
}
