//! What servers do: sessions with a chat each, what is asked of it, and what is done beside.

use std::sync::Arc;
use std::task::{Context, Poll};

use collab_protocol::{
    ChannelId, ChatCode, ChatReject, ClientMessage, DocumentId, ErrorMessage, MessageId, Missed,
    RoomKind, ServerMessage,
};
use futures_util::FutureExt;
use futures_util::task::noop_waker_ref;

use super::desk::Said;
use super::rest::{Answer, Told};
use super::world::{DOCUMENT, Out, Task, What, World};
use crate::auth::Identity;
use crate::chat::{self, Asked, ChatFeed, Opening, Place, Room, Speaker, Watch};
use crate::fanout::{Address, Heard, News, ServerId};
use crate::rights::Visitor;
use crate::simulation::violated;
use crate::store::Store;

/// The channel that every chat is open on.
const CHANNEL: ChannelId = ChannelId(1);

/// What is stored, and what is looked up: of each one at a time.
const WRITING: usize = 0;
const READING: usize = 1;

impl World<'_> {
    // --- work that waits for the store ---

    pub(super) fn begin(
        &mut self,
        server: usize,
        future: impl Future<Output = Out> + Send + 'static,
    ) {
        self.last_task += 1;
        let incarnation = self.servers[server].incarnation;
        self.tasks.insert(self.last_task, Task { server, incarnation, future: Box::pin(future) });
        self.poll(self.last_task);
    }

    /// Goes on with something until it waits for the store again.
    pub(super) fn poll(&mut self, number: u64) {
        let Some(task) = self.tasks.get_mut(&number) else { return };
        let server = task.server;
        let desk = Arc::clone(&self.servers[server].desk);
        let polled = task.future.as_mut().poll(&mut Context::from_waker(noop_waker_ref()));
        for call in desk.shelf.take() {
            self.ask(number, call);
        }
        for said in desk.take_said() {
            self.publish(server, &said);
        }
        if let Poll::Ready(out) = polled {
            self.tasks.remove(&number);
            self.finish(server, out);
        }
    }

    fn finish(&mut self, server: usize, out: Out) {
        match out {
            Out::Opened(conn, opened) => {
                if !self.has_server(conn) {
                    return;
                }
                match opened {
                    Ok(opened) => {
                        self.conns[conn].feed = Some(opened.feed);
                        self.send_down(conn, opened.frame);
                        self.pull_soon(conn);
                    }
                    Err(code) => self.reject(conn, (Some(DOCUMENT), None), code),
                }
            }
            Out::Answered { conn, lane, answer } => {
                if !self.has_server(conn) {
                    return;
                }
                self.conns[conn].is_running[lane] = false;
                match answer {
                    Ok(Some(frame)) => self.send_down(conn, frame),
                    Ok(None) => {}
                    Err((id, code)) => self.reject(conn, (None, id), code),
                }
                self.go_on(conn, lane);
            }
            Out::Looked(is_done) => {
                let now = self.instant();
                let own = &mut self.servers[server];
                own.is_looking = false;
                own.watch.as_mut().expect("it was looked for").looked(is_done, now);
                self.wait_to_tend(server);
            }
            Out::Told(request, answer) => self.answer(request, answer),
        }
    }

    fn reject(
        &mut self,
        conn: usize,
        (doc, id): (Option<DocumentId>, Option<MessageId>),
        code: ChatCode,
    ) {
        let ch = doc.is_none().then_some(CHANNEL);
        let reject = ChatReject { ch, doc, id, code, retry_ms: None };
        self.send_down(conn, ServerMessage::ChatReject(reject).to_json());
    }

    // --- sessions ---

    pub(super) fn arrive_up(&mut self, conn: usize) {
        self.conns[conn].up.is_moving = false;
        let Some(frame) = self.conns[conn].up.pop() else {
            return self.server_loses(conn);
        };
        if self.has_server(conn) {
            let message = ClientMessage::decode(&frame).expect("devices send messages");
            self.serve(conn, message);
        }
        self.move_up(conn);
    }

    fn serve(&mut self, conn: usize, message: ClientMessage) {
        let lane = match message {
            ClientMessage::ChatOpen(open) => return self.open(conn, open.since),
            ClientMessage::ChatRead(_) => READING,
            _ => WRITING,
        };
        if self.conns[conn].feed.is_some() {
            self.conns[conn].waiting[lane].push_back(message);
            self.go_on(conn, lane);
        }
    }

    fn open(&mut self, conn: usize, since: Option<u64>) {
        let server = self.conns[conn].server;
        let device = self.conns[conn].device;
        self.conns[conn].is_here = true;
        let person = self.devices[device].user.clone();
        let role = self.role(&person);
        let own = &mut self.servers[server];
        let room = own.room.get_or_insert_with(|| Arc::new(Room::new(DOCUMENT, self.plan.sizes)));
        let room = Arc::clone(room);
        if own.watch.is_none() {
            let hears = self.plan.servers > 1;
            let now = self.base + std::time::Duration::from_millis(self.now);
            own.watch = Some(Watch::new(self.plan.poll, hears, now));
        }
        let feed = ChatFeed::enter(room, Visitor::from(person.clone()));
        let (wake, desk) = (Arc::clone(&self.conns[conn].wake), Arc::clone(&own.desk));
        let opening = Opening { ch: CHANNEL, feed, person, rights: role, wake };
        self.begin(server, async move { Out::Opened(conn, opening.finish(&*desk, since).await) });
    }

    /// Begins the next of what is asked of a chat.
    fn go_on(&mut self, conn: usize, lane: usize) {
        let own = &mut self.conns[conn];
        if own.is_running[lane] {
            return;
        }
        let Some(feed) = &own.feed else { return };
        let Some(message) = own.waiting[lane].pop_front() else { return };
        own.is_running[lane] = true;
        let place = feed.place(CHANNEL);
        let (server, device) = (own.server, own.device);
        let desk = Arc::clone(&self.servers[server].desk);
        let user = self.devices[device].user.clone();
        let person =
            collab_protocol::ChatPerson { user: user.clone(), name: user.to_string(), color: 1 };
        let asked = match message {
            ClientMessage::ChatSend(send) => Asked::Send(send),
            ClientMessage::ChatEdit(edit) => Asked::Edit(edit),
            ClientMessage::ChatDelete(delete) => Asked::Delete(delete),
            ClientMessage::ChatRead(read) => {
                return self.begin(server, async move {
                    let marked = chat::mark_read(&*desk, read.number, &place, user).await;
                    let answer = marked.map(|()| None).map_err(|code| (None, code));
                    Out::Answered { conn, lane, answer }
                });
            }
            other => unreachable!("devices do not say {other:?}"),
        };
        let speaker = Speaker { identity: Identity::guest(user), person };
        self.begin(server, say(desk, (conn, lane), asked, place, speaker));
    }

    pub(super) fn pull_soon(&mut self, conn: usize) {
        if !std::mem::replace(&mut self.conns[conn].is_pulling, true) {
            let delay = self.up_to(1);
            self.schedule(delay, What::Pull(conn));
        }
    }

    pub(super) fn pull(&mut self, conn: usize) {
        self.conns[conn].is_pulling = false;
        if !self.has_server(conn) {
            return;
        }
        let Some(feed) = &mut self.conns[conn].feed else { return };
        match feed.pull(CHANNEL) {
            Ok(frames) => frames.into_iter().for_each(|frame| self.send_down(conn, frame)),
            Err(ended) => {
                self.conns[conn].feed = None;
                let error = ErrorMessage { ch: Some(CHANNEL), ..ErrorMessage::new(ended.0) };
                self.send_down(conn, ServerMessage::Error(error).to_json());
            }
        }
    }

    /// Whoever was woken acts: writers pull, and rooms are tended.
    pub(super) fn wake(&mut self) {
        for conn in 0..self.conns.len() {
            let is_woken = self.conns[conn].wake.notified().now_or_never().is_some();
            if is_woken && self.has_server(conn) {
                self.pull_soon(conn);
            }
        }
        for server in 0..self.servers.len() {
            let own = &self.servers[server];
            let Some(room) = own.room.clone().filter(|_| !own.is_looking) else { continue };
            if room.nudge.notified().now_or_never().is_some() {
                self.tend(server);
            }
        }
    }

    pub(super) fn tend(&mut self, server: usize) {
        let now = self.instant();
        let own = &mut self.servers[server];
        let (Some(room), Some(watch)) = (own.room.clone(), own.watch.as_mut()) else { return };
        if own.is_looking || !own.is_alive {
            return;
        }
        if room.is_empty() {
            (own.room, own.watch) = (None, None);
            return;
        }
        if watch.is_due(&room, now) {
            own.is_looking = true;
            let desk = Arc::clone(&own.desk);
            let looked = async move { Out::Looked(chat::look(&*desk, &room).await.is_ok()) };
            return self.begin(server, looked);
        }
        self.wait_to_tend(server);
    }

    /// Waits for the room's next deadline.
    fn wait_to_tend(&mut self, server: usize) {
        let now = self.instant();
        let own = &mut self.servers[server];
        let (Some(room), Some(watch)) = (own.room.clone(), own.watch.as_mut()) else { return };
        if let Some(next) = watch.next(&room, now) {
            let incarnation = own.incarnation;
            let delay = u64::try_from(next.saturating_duration_since(now).as_millis());
            let delay = delay.expect("times are short").max(1);
            let at = self.now + delay;
            // Nothing is lost by looking at a deadline that was moved.
            if own.tend_at.is_none_or(|known| known <= self.now || at < known) {
                own.tend_at = Some(at);
                self.schedule(delay, What::Tend { server, incarnation });
            }
        }
    }

    // --- between servers ---

    /// What a server says: its own sessions hear it at once, other servers if there is a way.
    fn publish(&mut self, server: usize, said: &Said) {
        match said {
            Said::Chat(_) => {}
            Said::Notified(to, news) => {
                self.notify(server, to, &ServerMessage::Notified(news.clone()));
            }
            Said::Look(to) => self.overlooked(server, to),
        }
        for other in 0..self.servers.len() {
            if other == server || !self.servers[other].is_alive {
                continue;
            }
            let incarnation = self.servers[other].incarnation;
            if !self.ways[server][other] {
                self.faults += 1;
                continue;
            }
            let copies = 1 + usize::from(self.draw.permille(self.plan.news_doubled));
            for _ in 0..copies {
                let late = self.draw.permille(self.plan.news_late);
                let most = if late { 3_000 } else { self.plan.latency_ms };
                let delay = self.up_to(most);
                let said = said.clone();
                self.schedule(delay, What::Hear { server: other, incarnation, said });
            }
        }
    }

    pub(super) fn hear(&mut self, server: usize, said: &Said) {
        let now = self.instant();
        match said {
            Said::Chat(news) => {
                if let Some(room) = &self.servers[server].room {
                    let from = ServerId::new(1);
                    let news = Arc::new(News::Chat(news.clone()));
                    chat::take_in(room, &Heard::News { from, news }, now);
                }
            }
            Said::Notified(to, news) => {
                self.notify(server, to, &ServerMessage::Notified(news.clone()));
            }
            Said::Look(to) => self.overlooked(server, to),
        }
    }

    fn overlooked(&mut self, server: usize, to: &Address) {
        let Address::User(_, person) = to else { unreachable!("it is for a person") };
        let person = person.clone();
        self.miss(server, move |user| *user == person);
    }

    /// The way to the other servers was lost, and is there again.
    pub(super) fn hear_gap(&mut self, server: usize) {
        if let Some(room) = &self.servers[server].room {
            chat::take_in(room, &Heard::Gap, self.instant());
        }
        self.miss(server, |_| true);
    }

    /// All sessions of a person at a server hear something, or that they have missed something.
    fn notify(&mut self, server: usize, to: &Address, message: &ServerMessage) {
        let Address::User(_, person) = to else { unreachable!("it is for a person") };
        if self.draw.permille(self.plan.inbox_full) {
            self.faults += 1;
            let person = person.clone();
            return self.miss(server, move |user| *user == person);
        }
        for conn in 0..self.conns.len() {
            let own = &self.conns[conn];
            let is_theirs = self.devices[own.device].user == *person;
            if own.server == server && own.is_here && is_theirs && self.has_server(conn) {
                self.send_down(conn, message.to_json());
            }
        }
    }

    fn miss(&mut self, server: usize, is_meant: impl Fn(&collab_protocol::UserId) -> bool) {
        for conn in 0..self.conns.len() {
            let own = &self.conns[conn];
            let is_theirs = is_meant(&self.devices[own.device].user);
            if own.server == server && own.is_here && is_theirs && self.has_server(conn) {
                let missed = Missed { room: RoomKind::User, topic: None, events: 0 };
                self.send_down(conn, ServerMessage::Missed(missed).to_json());
            }
        }
    }

    fn role(&self, person: &collab_protocol::UserId) -> (collab_protocol::Role, u64) {
        let access = self.memory.access(DOCUMENT, person.clone()).now_or_never();
        let (record, given) = access.expect("at once").expect("it is there");
        match record.role_of(&Visitor::from(person.clone()), given) {
            Some(role) => (role, record.rights_version),
            None => violated("the world is sound", format!("{person} may not be here")),
        }
    }

    /// An answer to a request over REST is on its way back.
    fn answer(&mut self, request: u64, answer: Answer) {
        let delay = self.up_to(self.plan.latency_ms);
        let is_lost = self.draw.permille(self.plan.request_lost);
        let told = if is_lost { Told::Lost } else { Told::Answer(answer) };
        self.schedule(delay, What::Told { request, told });
    }
}

async fn say(
    desk: Arc<super::desk::Counter>,
    (conn, lane): (usize, usize),
    asked: Asked,
    place: Place,
    speaker: Speaker,
) -> Out {
    let id = asked.id();
    let said = chat::say_now(&*desk, &asked, &place, &speaker).await;
    Out::Answered { conn, lane, answer: said.map(Some).map_err(|code| (Some(id), code)) }
}
