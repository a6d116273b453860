//! HTTP as a stranger would speak it: bytes on a connection, one request each.

use std::fmt::Write;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::DEADLINE;

#[derive(Clone, Debug)]
pub(crate) struct Request {
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &'static str, path: &str) -> Self {
        Request { method, path: path.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    pub(crate) fn post(path: &str) -> Self {
        Self::new("POST", path)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", kind)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub(crate) async fn send(self, address: SocketAddr) -> Answer {
        let connecting = tokio::time::timeout(DEADLINE, TcpStream::connect(address));
        let stream = connecting.await.expect("in time").expect("a connection");
        self.send_over(address, stream).await
    }

    /// The same of a server that may not be there; `None` when there is no answer.
    pub(crate) async fn try_send(self, address: SocketAddr) -> Option<Answer> {
        let connecting = tokio::time::timeout(DEADLINE, TcpStream::connect(address));
        let stream = connecting.await.ok()?.ok()?;
        let bytes = tokio::time::timeout(DEADLINE, self.talk(address, stream)).await.ok()?;
        Answer::read(&bytes)
    }

    /// Asks over a connection to `address` that is there already.
    pub(crate) async fn send_over(
        self,
        address: SocketAddr,
        stream: impl AsyncRead + AsyncWrite + Unpin,
    ) -> Answer {
        let talking = tokio::time::timeout(DEADLINE, self.talk(address, stream));
        Answer::parse(&talking.await.expect("an answer in time"))
    }

    /// Everything that is answered.
    async fn talk(
        self,
        address: SocketAddr,
        mut stream: impl AsyncRead + AsyncWrite + Unpin,
    ) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nconnection: close\r\n", self.method, self.path);
        if !self.headers.iter().any(|(name, _)| name == "host") {
            write!(head, "host: {address}\r\n").expect("writing to a string does not fail");
        }
        for (name, value) in &self.headers {
            write!(head, "{name}: {value}\r\n").expect("writing to a string does not fail");
        }
        write!(head, "content-length: {}\r\n\r\n", self.body.len())
            .expect("writing to a string does not fail");
        // A server that refuses early may close before it has read the body.
        let _ = stream.write_all(&[head.into_bytes(), self.body].concat()).await;
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        bytes
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        Self::read(bytes).expect("a head")
    }

    /// `None` of what was cut off before its body.
    fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).expect("an ASCII head");
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status");
        let headers = lines
            .map(|line| line.split_once(": ").expect("a header"))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let status = status.parse().expect("a number");
        Some(Answer { status, headers, body: bytes[end + 4..].to_vec() })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The headers but those that say which request it was, and when.
    pub(crate) fn stable_headers(&self) -> Vec<(String, String)> {
        let is_stable = |name: &str| !matches!(name, "x-request-id" | "date");
        self.headers.iter().filter(|(name, _)| is_stable(name)).cloned().collect()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of an answer that is an error.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().expect("an error's code").to_owned()
    }

    /// The cookie that the answer sets, as it is to be sent back.
    pub(crate) fn cookie(&self) -> Option<String> {
        Some(self.header("set-cookie")?.split(';').next()?.to_owned())
    }
}
