//! A bare WebSocket: what it sends is what the test wrote, right or wrong.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::DEADLINE;
use super::server::TestServer;

pub(crate) struct RawSocket {
    inner: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// The id of a client; each number is another one.
pub(crate) fn client_id(number: u32) -> String {
    format!("{number:032x}")
}

impl RawSocket {
    /// Connects with these headers, and reads nothing.
    pub(crate) async fn open(
        address: SocketAddr,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Error> {
        let mut request =
            format!("ws://{address}/api/socket").into_client_request().expect("an address");
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().expect("a header value"));
        }
        let connecting = tokio_tungstenite::connect_async(request);
        let (inner, _) = tokio::time::timeout(DEADLINE, connecting).await.expect("in time")?;
        Ok(RawSocket { inner })
    }

    /// Connects as somebody, and takes the welcome.
    pub(crate) async fn connect(server: &TestServer, cookie: &str) -> Self {
        let origin = format!("http://{}", server.address());
        let headers =
            [("sec-websocket-protocol", "concord.v1"), ("cookie", cookie), ("origin", &origin)];
        let mut socket = Self::open(server.address(), &headers).await.expect("an upgrade");
        assert_eq!(socket.next().await["type"], "welcome");
        socket
    }

    /// Connects as the server's own guest and joins a document as a new replica.
    pub(crate) async fn join(server: &TestServer, document: &str, client: u32) -> (Self, Value) {
        let mut socket = Self::connect(server, server.cookie()).await;
        let joined = socket.enter(document, client).await;
        (socket, joined)
    }

    /// Joins a document, from its text.
    pub(crate) async fn enter(&mut self, document: &str, client: u32) -> Value {
        self.say(json!({"type": "join", "doc": document, "client": client_id(client)})).await;
        self.next_of("joined").await
    }

    /// Writes these bytes below the WebSocket, and nothing more if `is_last`. Fails once the server
    /// has hung up.
    pub(crate) async fn raw(&mut self, bytes: &[u8], is_last: bool) -> std::io::Result<()> {
        let stream = self.inner.get_mut();
        stream.write_all(bytes).await?;
        if is_last { stream.shutdown().await } else { stream.flush().await }
    }

    pub(crate) async fn say(&mut self, message: Value) {
        self.send(Message::text(message.to_string())).await;
    }

    pub(crate) async fn text(&mut self, frame: &str) {
        self.send(Message::text(frame)).await;
    }

    pub(crate) async fn send(&mut self, message: Message) {
        self.inner.send(message).await.expect("the frame is sent");
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

    /// The next message of this type; others are passed over.
    pub(crate) async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let message = self.any().await.unwrap_or_else(|code| panic!("closed with {code}"));
            if message["type"] == kind {
                return message;
            }
        }
    }

    /// The next message, or the code that the connection is closed with.
    pub(crate) async fn any(&mut self) -> Result<Value, u16> {
        loop {
            let next = tokio::time::timeout(DEADLINE, self.inner.next());
            match next.await.expect("something in time") {
                Some(Ok(Message::Text(text))) => {
                    return Ok(serde_json::from_str(&text).expect("a server speaks JSON"));
                }
                Some(Ok(Message::Close(frame))) => {
                    return Err(frame.map_or(1005, |frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(1006),
            }
        }
    }

    /// Reads on until the connection is closed; with which code.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            if let Err(code) = self.any().await {
                return code;
            }
        }
    }

    /// Submits, and takes the one answer: the entry of an ack, an `ack`, a `reject` or an `error`.
    pub(crate) async fn submit(&mut self, seq: u64, rev: u64, op: &str) -> Value {
        let frame = format!(r#"{{"type":"submit","ch":1,"seq":{seq},"rev":{rev},"op":{op}}}"#);
        self.text(&frame).await;
        self.answer().await
    }

    /// The next answer to a submission; others' operations, requests to rest and notifications are
    /// passed over.
    pub(crate) async fn answer(&mut self) -> Value {
        loop {
            let message = self.next().await;
            match message["type"].as_str() {
                Some("ops") => {
                    let entries = message["ops"].as_array().expect("entries");
                    if let Some(ack) = entries.iter().find(|entry| entry.get("ack").is_some()) {
                        return ack.clone();
                    }
                }
                Some("slow_down" | "notified") => {}
                _ => return message,
            }
        }
    }
}
