//! A client of the protocol in Rust: `ot-core`'s state machine on a real WebSocket.
//!
//! It takes nothing into its text by itself: whoever drives it says when the next entry of the
//! stream is read, so that a test can hold deliveries back as slow networks do. Frames are plain
//! JSON here, not the server's own types, as a stranger's client would have it.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use collab_protocol::{ErrorCode, RejectCode};
use futures_util::{SinkExt, StreamExt};
use ot_core::{Acknowledged, Client, ClientSeq, Limits, Operation, Revision};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use uuid::Uuid;

/// How long any single answer may take before a test fails.
const ANSWER_MAX: Duration = Duration::from_secs(30);

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

/// One tab: a client of one document that keeps its id and its pending work over connections.
pub(crate) struct NativeClient {
    address: SocketAddr,
    cookie: String,
    document: String,
    id: String,
    epoch: String,
    channel: u64,
    limits: Limits,
    engine: Client,
    socket: Option<WebSocketStream<MaybeTlsStream<TcpStream>>>,
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
            document: document.to_owned(),
            id: Uuid::new_v4().simple().to_string(),
            epoch: String::new(),
            channel: 0,
            limits: Limits::NONE,
            engine: Client::new("", Revision::ZERO, ClientSeq::new(1)),
            socket: None,
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
        let mut request = format!("ws://{}/api/socket", self.address).into_client_request()?;
        let headers = request.headers_mut();
        headers.insert("cookie", self.cookie.parse().expect("a cookie is a header value"));
        let origin = format!("http://{}", self.address);
        headers.insert("origin", origin.parse().expect("an origin is a header value"));
        headers.insert("sec-websocket-protocol", "concord.v1".parse().expect("plain"));
        let (socket, _) = tokio_tungstenite::connect_async(request).await?;
        self.socket = Some(socket);
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
                Some("presence") => {}
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

    /// Drops the connection without a word, as a lost network does.
    pub(crate) fn cut(&mut self) {
        self.socket = None;
        self.stream.clear();
        self.retry = None;
        self.pongs = 0;
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.socket.is_some()
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

    /// Receives one message without taking it into the text.
    pub(crate) async fn receive(&mut self) -> Result<(), tungstenite::Error> {
        let message = self.next_message().await?;
        match message["type"].as_str() {
            Some("ops") => self.queue(&message),
            Some("reject") if is_retryable(&message) => {
                let pause = message["retry_ms"].as_u64().unwrap_or(50);
                self.retry = Some(Duration::from_millis(pause));
            }
            Some("reject") => self.rejects.push(message),
            Some("ack") => self.late_ack(&message),
            Some("pong") => self.pongs += 1,
            Some("presence" | "slow_down" | "renamed" | "deleted" | "restored") => {}
            // The document has let go of this session; a new connection finds it again.
            Some("left") => return Err(self.lost()),
            Some("error") if is_retryable(&message) => return Err(self.lost()),
            _ => panic!("unexpected message: {message}"),
        }
        Ok(())
    }

    fn lost(&mut self) -> tungstenite::Error {
        self.cut();
        tungstenite::Error::ConnectionClosed
    }

    /// A resend was answered whose revision this session had passed already.
    fn late_ack(&mut self, message: &Value) {
        let seq = message["seq"].as_u64().expect("an ack names a submission");
        let revision = message["rev"].as_u64().expect("an ack names a revision");
        let known = *self.acked.entry(seq).or_insert(revision);
        assert_eq!(known, revision, "one submission has one revision");
        let outstanding = self.engine.outstanding().map(|submission| submission.seq.get());
        let waits = self.stream.iter().any(|(_, entry)| entry["ack"] == json!(seq));
        assert!(outstanding != Some(seq) || waits, "an ack beside the stream settles nothing");
    }

    fn queue(&mut self, message: &Value) {
        assert_eq!(message["rev"].as_u64(), Some(self.received), "no gap, no repetition");
        for entry in message["ops"].as_array().expect("ops holds entries") {
            let before = self.received;
            self.received = match entry {
                entry if entry.get("check").is_some() => before,
                entry => entry["to"].as_u64().unwrap_or(before + 1),
            };
            if let Some(seq) = entry["ack"].as_u64() {
                let known = *self.acked.entry(seq).or_insert(self.received);
                assert_eq!(known, self.received, "one submission has one revision");
            }
            self.stream.push_back((before, entry.clone()));
        }
    }

    fn take(&mut self, before: u64, entry: &Value) -> Taken {
        assert_eq!(before, self.revision(), "entries are taken in revision order");
        let next = Revision::new(entry["to"].as_u64().unwrap_or(before + 1));
        if let Some(hash) = entry.get("check") {
            if let Some(own) = self.engine.server_text_hash() {
                assert_eq!(hash.as_str(), Some(own.to_string().as_str()), "texts agree");
                self.checks_compared += 1;
            }
            return Taken::Check;
        }
        if let Some(seq) = entry["ack"].as_u64() {
            let own = self.engine.acknowledge(ClientSeq::new(seq), next);
            assert_eq!(own, Ok(Acknowledged::Outstanding), "an ack answers what is in flight");
            return Taken::Own;
        }
        let operation = Operation::from_json(&entry["op"].to_string(), &Limits::NONE)
            .expect("the server sends operations");
        self.engine.receive(&operation, next).expect("it follows what was taken before");
        Taken::Remote
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
        let socket = self.socket.as_mut().ok_or(tungstenite::Error::ConnectionClosed)?;
        socket.send(Message::text(message)).await
    }

    async fn next_message(&mut self) -> Result<Value, tungstenite::Error> {
        let socket = self.socket.as_mut().ok_or(tungstenite::Error::ConnectionClosed)?;
        loop {
            let message = tokio::time::timeout(ANSWER_MAX, socket.next())
                .await
                .expect("the server answers in time")
                .ok_or(tungstenite::Error::ConnectionClosed)??;
            match message {
                Message::Text(text) => {
                    return Ok(serde_json::from_str(&text).expect("the server sends JSON"));
                }
                Message::Close(frame) => {
                    self.closed_with = frame.map(|frame| frame.code.into());
                    return Err(tungstenite::Error::ConnectionClosed);
                }
                _ => {}
            }
        }
    }
}

/// Whether an error or a reject says that the same may succeed later.
fn is_retryable(message: &Value) -> bool {
    let code = message["code"].as_str().expect("a code");
    let as_error = code.parse::<ErrorCode>().is_ok_and(ErrorCode::retryable);
    let as_reject = code.parse::<RejectCode>().is_ok_and(RejectCode::retryable);
    as_error || as_reject
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
