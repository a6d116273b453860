//! A bare session over HTTP requests: what it sends is what the test wrote, right or wrong.

use std::collections::VecDeque;
use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::DEADLINE;
use super::http::{Answer, Request};
use super::server::TestServer;
use super::socket::client_id;

/// How events are received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Stream,
    Poll,
}

/// One event: a numbered message, or the close.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    Message(u64, Value),
    Close(u16),
}

pub(crate) struct FallbackSession {
    address: SocketAddr,
    cookie: String,
    pub(crate) id: String,
    form: Form,
    /// The number of the next message to be sent.
    pub(crate) next: u64,
    /// The last event received.
    pub(crate) after: u64,
    stream: Option<EventStream>,
    arrived: VecDeque<Event>,
}

/// A request with this cookie, unless it is empty.
fn with_cookie(request: Request, cookie: &str) -> Request {
    if cookie.is_empty() { request } else { request.header("cookie", cookie) }
}

impl FallbackSession {
    /// Asks for a session.
    pub(crate) async fn ask(address: SocketAddr, cookie: &str) -> Answer {
        with_cookie(Request::post("/api/session"), cookie)
            .header("origin", &format!("http://{address}"))
            .json(&json!({ "subprotocol": "concord.v1" }))
            .send(address)
            .await
    }

    /// Opens a session as somebody, and receives nothing.
    pub(crate) async fn open(address: SocketAddr, cookie: &str, form: Form) -> Self {
        let answer = Self::ask(address, cookie).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let id = answer.json()["session"].as_str().expect("an id").to_owned();
        let (stream, arrived) = (None, VecDeque::new());
        let cookie = cookie.to_owned();
        FallbackSession { address, cookie, id, form, next: 1, after: 0, stream, arrived }
    }

    /// Opens a session as somebody, and takes the welcome.
    pub(crate) async fn connect(server: &TestServer, cookie: &str, form: Form) -> Self {
        let mut session = Self::open(server.address(), cookie, form).await;
        assert_eq!(session.next().await["type"], "welcome");
        session
    }

    /// Connects as the server's own guest and joins a document as a new replica.
    pub(crate) async fn join(
        server: &TestServer,
        document: &str,
        client: u32,
        form: Form,
    ) -> (Self, Value) {
        let mut session = Self::connect(server, server.cookie(), form).await;
        let joined = session.enter(document, client).await;
        (session, joined)
    }

    pub(crate) async fn enter(&mut self, document: &str, client: u32) -> Value {
        self.say(json!({"type": "join", "doc": document, "client": client_id(client)})).await;
        self.next_of("joined").await
    }

    /// A request about this session.
    pub(crate) fn about(&self, request: Request) -> Request {
        with_cookie(request, &self.cookie).header("concord-session", &self.id)
    }

    /// Sends a body whose first message has this number.
    pub(crate) async fn post(&self, first: u64, body: &str) -> Answer {
        let path = format!("/api/session/messages?n={first}&ack={}", self.after);
        self.about(Request::post(&path)).body("text/plain", body).send(self.address).await
    }

    pub(crate) async fn say(&mut self, message: Value) {
        self.text(&message.to_string()).await;
    }

    pub(crate) async fn text(&mut self, message: &str) {
        let answer = self.post(self.next, message).await;
        assert_eq!(answer.status, 204, "{answer:?}");
        self.next += 1;
    }

    /// Asks for a long poll.
    pub(crate) async fn poll(&self, after: u64, wait_ms: u32) -> Answer {
        let path = format!("/api/session/events?after={after}&poll_ms={wait_ms}");
        self.about(Request::get(&path)).send(self.address).await
    }

    /// Begins a stream behind this event; one that is open goes on being open.
    pub(crate) async fn stream(&self, after: u64) -> EventStream {
        EventStream::open(self, after).await
    }

    /// Cuts the stream; what had arrived and was not looked at is lost.
    pub(crate) fn cut(&mut self) {
        self.stream = None;
        self.arrived.clear();
    }

    /// The next message, or the code that the session is closed with: 1006 when it is just gone.
    pub(crate) async fn any(&mut self) -> Result<Value, u16> {
        loop {
            match self.arrived.pop_front() {
                Some(Event::Message(number, message)) => {
                    assert_eq!(number, self.after + 1, "in order, none twice");
                    self.after = number;
                    return Ok(message);
                }
                Some(Event::Close(code)) => return Err(code),
                None => self.receive().await?,
            }
        }
    }

    async fn receive(&mut self) -> Result<(), u16> {
        if self.form == Form::Poll {
            let answer = self.poll(self.after, 25_000).await;
            if answer.status != 200 {
                return Err(1006);
            }
            self.arrived.extend(events_of(&answer.body));
            return Ok(());
        }
        if self.stream.is_none() {
            self.stream = Some(EventStream::open(self, self.after).await);
        }
        let stream = self.stream.as_mut().expect("it was just opened");
        match stream.next().await {
            Some(event) => self.arrived.push_back(event),
            None => return Err(1006),
        }
        Ok(())
    }

    /// The next message that is neither presence nor a mere check.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            let message = self.any().await.unwrap_or_else(|code| panic!("closed with {code}"));
            let is_check = message["ops"]
                .as_array()
                .is_some_and(|ops| ops.iter().all(|entry| entry.get("check").is_some()));
            if message["type"] != "presence" && !is_check {
                return message;
            }
        }
    }

    pub(crate) async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let message = self.any().await.unwrap_or_else(|code| panic!("closed with {code}"));
            if message["type"] == kind {
                return message;
            }
        }
    }

    /// Reads on until the session is closed; with which code.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            if let Err(code) = self.any().await {
                return code;
            }
        }
    }

    /// Submits, and takes the ack's number.
    pub(crate) async fn submit(&mut self, seq: u64, rev: u64, op: &str) -> u64 {
        self.text(&format!(r#"{{"type":"submit","ch":1,"seq":{seq},"rev":{rev},"op":{op}}}"#))
            .await;
        loop {
            let ops = self.next_of("ops").await;
            let entries = ops["ops"].as_array().expect("entries");
            if let Some(ack) = entries.iter().find_map(|entry| entry["ack"].as_u64()) {
                return ack;
            }
        }
    }
}

/// The whole events of a poll's body, which may have been cut off.
pub(crate) fn events_of(body: &[u8]) -> Vec<Event> {
    let mut chunks = Chunks::default();
    chunks.raw.extend_from_slice(body);
    chunks.decode();
    let end = chunks.decoded.windows(2).rposition(|two| two == b"\n\n").map_or(0, |at| at + 2);
    events_in(std::str::from_utf8(&chunks.decoded[..end]).expect("UTF-8"))
}

/// The whole events of a text.
fn events_in(text: &str) -> Vec<Event> {
    text.split_terminator("\n\n").filter_map(event).collect()
}

/// An event, unless it is a comment.
fn event(block: &str) -> Option<Event> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
    let data: Value = serde_json::from_str(field("data: ")?).expect("JSON");
    if field("event: ") == Some("close") {
        let code = data["code"].as_u64().and_then(|code| u16::try_from(code).ok());
        return Some(Event::Close(code.expect("a code")));
    }
    let number = field("id: ").expect("a number").parse().expect("a number");
    Some(Event::Message(number, data))
}

#[derive(Default)]
struct Chunks {
    raw: Vec<u8>,
    decoded: Vec<u8>,
    is_over: bool,
}

impl Chunks {
    /// Decodes the chunks that are whole.
    fn decode(&mut self) {
        while let Some(end) = self.raw.windows(2).position(|two| two == b"\r\n") {
            let size = std::str::from_utf8(&self.raw[..end]).expect("a size");
            let size = usize::from_str_radix(size, 16).expect("a size");
            if self.raw.len() < end + 2 + size + 2 {
                return;
            }
            self.decoded.extend_from_slice(&self.raw[end + 2..end + 2 + size]);
            self.raw.drain(..end + 2 + size + 2);
            self.is_over |= size == 0;
        }
    }
}

/// A stream of events on a connection of its own.
pub(crate) struct EventStream {
    stream: TcpStream,
    chunks: Chunks,
}

impl EventStream {
    async fn open(session: &FallbackSession, after: u64) -> Self {
        let mut stream = TcpStream::connect(session.address).await.expect("a connection");
        let head = format!(
            "GET /api/session/events?after={after} HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\nconcord-session: {}\r\n\r\n",
            session.address, session.cookie, session.id
        );
        stream.write_all(head.as_bytes()).await.expect("the request is taken");
        let mut chunks = Chunks::default();
        let head = loop {
            if let Some(end) = chunks.raw.windows(4).position(|four| four == b"\r\n\r\n") {
                let head: Vec<u8> = chunks.raw.drain(..end + 4).collect();
                break String::from_utf8(head).expect("ASCII").to_ascii_lowercase();
            }
            assert!(read_more(&mut stream, &mut chunks.raw).await, "a head in time");
        };
        assert!(head.starts_with("http/1.1 200"), "{head}");
        for header in [
            "content-type: text/event-stream",
            "cache-control: no-store, no-transform",
            "x-accel-buffering: no",
        ] {
            assert!(head.contains(header), "{head}");
        }
        assert!(!head.contains("content-encoding"), "{head}");
        EventStream { stream, chunks }
    }

    /// The next event; `None` when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            self.chunks.decode();
            let decoded = &mut self.chunks.decoded;
            if let Some(end) = decoded.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = decoded.drain(..end + 2).collect();
                let block = String::from_utf8(block).expect("UTF-8");
                match event(&block) {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            if self.chunks.is_over || !read_more(&mut self.stream, &mut self.chunks.raw).await {
                return None;
            }
        }
    }
}

/// Reads what comes next; `false` for the end.
async fn read_more(stream: &mut TcpStream, into: &mut Vec<u8>) -> bool {
    let reading = tokio::time::timeout(DEADLINE, stream.read_buf(into));
    reading.await.expect("something in time").is_ok_and(|read| read > 0)
}
