//! A client of the protocol in Rust: `ot-core`'s state machine on a real WebSocket.
//!
//! It takes nothing into its text by itself: whoever drives it says when the next entry of the
//! stream is read, so that a test can hold deliveries back as slow networks do. Frames are plain
//! JSON here, not the server's own types, as a stranger's client would have it.

mod arriving;
mod polls;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use ot_core::{Client, ClientSeq, Limits, Operation, Revision};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use uuid::Uuid;

use self::arriving::is_retryable;
use self::polls::Polls;
use super::fallback::Event;

/// How long any single answer may take before a test fails.
const ANSWER_MAX: Duration = Duration::from_secs(120);

/// What one entry of the stream was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Somebody else's operation.
    Remote,
    /// The answer to this client's own.
    Own,
    /// A hash of the text, which was compared.
    Check,
}

/// What carries a client's messages.
enum Wire {
    Socket(Box<WebSocketStream<MaybeTlsStream<TcpStream>>>),
    /// A session over HTTP requests.
    Polls(Polls),
}

/// One tab: a client of one document that keeps its id and its pending work over connections.
pub(crate) struct NativeClient {
    address: SocketAddr,
    cookie: String,
    /// The token that goes into the header, if there is one.
    token: Option<String>,
    document: String,
    id: String,
    epoch: String,
    channel: u64,
    limits: Limits,
    engine: Client,
    /// Whether it takes a network for one that breaks WebSockets.
    over_http: bool,
    wire: Option<Wire>,
    /// Entries received and not yet taken, each with the revision before it.
    stream: VecDeque<(u64, Value)>,
    /// The revision behind the last entry received.
    received: u64,
    /// Refusals, as the server sent them.
    rejects: Vec<Value>,
    /// Retryable refusals of what is in flight that were not acted upon: how long to wait.
    retry: Option<Duration>,
    /// Answers to pings on this connection.
    pongs: u64,
    /// With which code the server closed the last connection, if it said so.
    closed_with: Option<u16>,
    /// Each submission as it was first sent, by number.
    sent: BTreeMap<u64, Operation>,
    /// The revision that each acknowledged submission became, by number: written down the moment
    /// the acknowledgement arrives.
    acked: BTreeMap<u64, u64>,
    /// Checks that were compared with the own text.
    pub(crate) checks_compared: usize,
}

impl NativeClient {
    /// Opens a document from its text at the head.
    pub(crate) async fn join(address: SocketAddr, cookie: &str, document: &str) -> NativeClient {
        let mut client = Self::new(address, cookie, document);
        client.connect().await.expect("the server takes connections");
        client
    }

    /// A client that has not connected yet.
    pub(crate) fn new(address: SocketAddr, cookie: &str, document: &str) -> NativeClient {
        NativeClient {
            address,
            cookie: cookie.to_owned(),
            token: None,
            document: document.to_owned(),
            id: Uuid::new_v4().simple().to_string(),
            epoch: String::new(),
            channel: 0,
            limits: Limits::NONE,
            engine: Client::new("", Revision::ZERO, ClientSeq::new(1)),
            over_http: false,
            wire: None,
            stream: VecDeque::new(),
            received: 0,
            rejects: Vec::new(),
            retry: None,
            pongs: 0,
            closed_with: None,
            sent: BTreeMap::new(),
            acked: BTreeMap::new(),
            checks_compared: 0,
        }
    }

    /// Connects, for the first time or again; again resumes from the last revision taken and
    /// resends what is unanswered, to the byte.
    pub(crate) async fn connect(&mut self) -> Result<(), tungstenite::Error> {
        self.cut();
        self.closed_with = None;
        self.wire = Some(if self.over_http {
            Wire::Polls(Polls::open(self.address, &self.cookie).await?)
        } else {
            Wire::Socket(Box::new(self.dial().await?))
        });
        self.enter().await
    }

    async fn dial(&self) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, tungstenite::Error> {
        // As the web app has it: the beginning of the document's id, for proxies.
        let url = format!("ws://{}/api/socket?r={}", self.address, &self.document[..4]);
        let mut request = url.into_client_request()?;
        let headers = request.headers_mut();
        headers.insert("cookie", self.cookie.parse().expect("a cookie is a header value"));
        if let Some(token) = &self.token {
            let line = format!("Bearer {token}");
            headers.insert("authorization", line.parse().expect("a token is a header value"));
        }
        let origin = format!("http://{}", self.address);
        headers.insert("origin", origin.parse().expect("an origin is a header value"));
        headers.insert("sec-websocket-protocol", "concord.v1".parse().expect("plain"));
        Ok(tokio_tungstenite::connect_async(request).await?.0)
    }

    /// Joins the document over a new connection.
    async fn enter(&mut self) -> Result<(), tungstenite::Error> {
        let mut join = json!({ "type": "join", "doc": self.document, "client": self.id });
        let is_first = self.epoch.is_empty();
        if !is_first {
            join["since"] = json!(self.engine.revision().get());
            join["epoch"] = json!(self.epoch);
        }
        self.send(&join).await?;
        let joined = loop {
            let message = self.next_message().await?;
            match message["type"].as_str() {
                Some("welcome") => self.limits = limits_of(&message["limits"]),
                Some("joined") => break message,
                // What is told of notifications is looked at elsewhere.
                Some("presence" | "missed") => {}
                // Refused for now: the next connection asks again.
                Some("error") if is_retryable(&message) => {
                    self.cut();
                    return Err(tungstenite::Error::ConnectionClosed);
                }
                _ => panic!("unexpected answer to a join: {message}"),
            }
        };
        self.channel = joined["ch"].as_u64().expect("joined names a channel");
        self.received = joined["rev"].as_u64().expect("joined names a revision");
        match (joined["text"].as_str(), is_first) {
            (Some(text), true) => {
                let epoch = joined["epoch"].as_str().expect("joined names an epoch");
                self.epoch = epoch.to_owned();
                let revision = Revision::new(self.received);
                self.engine = Client::new(text, revision, ClientSeq::new(1));
            }
            (None, false) => {
                assert_eq!(self.received, self.engine.revision().get(), "resumed where asked");
            }
            (text, _) => panic!("text {text:?} sent to a join that asked otherwise"),
        }
        if self.engine.outstanding().is_some() {
            self.send_outstanding().await?;
        }
        Ok(())
    }

    /// Speaks over HTTP requests from the next connection on.
    pub(crate) fn go_over_http(&mut self) {
        self.over_http = true;
    }

    /// Has another cookie from the next connection on.
    pub(crate) fn sign_in(&mut self, cookie: &str) {
        cookie.clone_into(&mut self.cookie);
    }

    /// Brings a token from the next connection on.
    pub(crate) fn bring(&mut self, token: &str) {
        self.token = Some(token.to_owned());
    }

    /// Drops the connection without a word, as a lost network does.
    pub(crate) fn cut(&mut self) {
        self.wire = None;
        self.stream.clear();
        self.retry = None;
        self.pongs = 0;
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.wire.is_some()
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn sent(&self) -> &BTreeMap<u64, Operation> {
        &self.sent
    }

    pub(crate) fn acked(&self) -> &BTreeMap<u64, u64> {
        &self.acked
    }

    pub(crate) fn pongs(&self) -> u64 {
        self.pongs
    }

    pub(crate) fn closed_with(&self) -> Option<u16> {
        self.closed_with
    }

    /// Asks for a sign of life.
    pub(crate) async fn ping(&mut self) -> Result<(), tungstenite::Error> {
        self.send(&json!({ "type": "ping", "t": 1 })).await
    }

    /// Sends what is in flight once more, unchanged, if the server asked for that; after the pause
    /// that it asked for.
    pub(crate) async fn resend_if_asked(&mut self) -> Result<(), tungstenite::Error> {
        let Some(pause) = self.retry.take() else { return Ok(()) };
        tokio::time::sleep(pause).await;
        match self.engine.outstanding() {
            Some(_) => self.send_outstanding().await,
            None => Ok(()),
        }
    }

    pub(crate) fn text(&self) -> String {
        self.engine.text().to_string()
    }

    pub(crate) fn len_chars(&self) -> usize {
        self.engine.text().len_chars()
    }

    pub(crate) fn has_pending(&self) -> bool {
        self.engine.has_pending()
    }

    pub(crate) fn awaits_ack(&self) -> bool {
        self.engine.outstanding().is_some()
    }

    pub(crate) fn revision(&self) -> u64 {
        self.engine.revision().get()
    }

    pub(crate) fn rejects(&self) -> &[Value] {
        &self.rejects
    }

    /// Types: replaces `deleted` characters behind `offset`.
    pub(crate) fn edit(&mut self, offset: usize, deleted: usize, inserted: &str) {
        let operation = Operation::splice(self.len_chars(), offset, deleted, inserted)
            .expect("the edit is inside the text");
        self.engine.edit(operation, 0).expect("the edit fits the text");
    }

    /// Sends what was typed, if nothing is in flight. Returns the submission's seq.
    pub(crate) async fn submit(&mut self) -> Option<u64> {
        let submission = self.engine.take_submission(&self.limits)?;
        let seq = submission.seq.get();
        self.sent.insert(seq, submission.op);
        // A send that fails is a lost link: the submission stays outstanding for the next one.
        let _ = self.send_outstanding().await;
        Some(seq)
    }

    /// Sends what was typed and waits until its ack has arrived, which stays to be taken. Returns
    /// whether there was anything to send.
    pub(crate) async fn submit_and_wait_until_committed(&mut self) -> bool {
        let Some(seq) = self.submit().await else { return false };
        while !self.stream.iter().any(|(_, entry)| entry["ack"] == json!(seq)) {
            self.receive().await.expect("the connection holds");
            assert!(self.rejects.is_empty(), "refused: {:?}", self.rejects);
        }
        true
    }

    /// Takes the next entry of the stream into the text, waiting for it if need be.
    pub(crate) async fn take_entry(&mut self) -> Result<Taken, tungstenite::Error> {
        loop {
            if let Some((before, entry)) = self.stream.pop_front() {
                return Ok(self.take(before, &entry));
            }
            self.receive().await?;
        }
    }

    /// Takes everything up to revision `head`.
    pub(crate) async fn take_to(&mut self, head: u64) -> Result<(), tungstenite::Error> {
        while self.revision() < head {
            self.take_entry().await?;
        }
        Ok(())
    }

    async fn send_outstanding(&mut self) -> Result<(), tungstenite::Error> {
        let submission = self.engine.outstanding().expect("something is in flight");
        let message = format!(
            r#"{{"type":"submit","ch":{},"seq":{},"rev":{},"op":{}}}"#,
            self.channel,
            submission.seq.get(),
            submission.revision.get(),
            submission.op.to_json(),
        );
        self.send_raw(message).await
    }

    async fn send(&mut self, message: &Value) -> Result<(), tungstenite::Error> {
        self.send_raw(message.to_string()).await
    }

    async fn send_raw(&mut self, message: String) -> Result<(), tungstenite::Error> {
        match self.wire.as_mut().ok_or(tungstenite::Error::ConnectionClosed)? {
            Wire::Socket(socket) => socket.send(Message::text(message)).await,
            Wire::Polls(polls) => {
                let Err(code) = polls.send(message).await else { return Ok(()) };
                // A poll may go on for long at a server that does not hear of this.
                self.cut();
                self.closed_with = code;
                Err(tungstenite::Error::ConnectionClosed)
            }
        }
    }

    pub(super) async fn next_message(&mut self) -> Result<Value, tungstenite::Error> {
        let wire = self.wire.as_mut().ok_or(tungstenite::Error::ConnectionClosed)?;
        let next = tokio::time::timeout(ANSWER_MAX, next_on(wire));
        match next.await.expect("the server answers in time") {
            Ok(message) => Ok(message),
            Err(code) => {
                self.closed_with = code;
                Err(tungstenite::Error::ConnectionClosed)
            }
        }
    }
}

/// The next message, or the code of the close if there was one.
async fn next_on(wire: &mut Wire) -> Result<Value, Option<u16>> {
    match wire {
        Wire::Polls(polls) => match polls.next().await {
            Some(Event::Message(_, message)) => Ok(message),
            Some(Event::Close(code)) => Err(Some(code)),
            None => Err(None),
        },
        Wire::Socket(socket) => loop {
            match socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    return Ok(serde_json::from_str(&text).expect("the server sends JSON"));
                }
                Some(Ok(Message::Close(frame))) => {
                    return Err(frame.map(|frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        },
    }
}

fn limits_of(welcome: &Value) -> Limits {
    let limit = |name: &str| {
        let value = welcome[name].as_u64().unwrap_or_else(|| panic!("limits hold {name}"));
        usize::try_from(value).expect("limits fit")
    };
    Limits {
        components_max: limit("components_max"),
        inserted_bytes_max: limit("text_bytes_max"),
        len_max: ot_core::MAX_LEN,
    }
}
