//! Concord's protocol, as docs/protocol.md has it: one submission in flight, made on the last revision received.

use anyhow::{Context, Result, bail};
use collab_protocol::{ClientMessage, Join};
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use super::entries::{self, InFlight};
use super::{Brought, Driver, Refused};

/// See the module.
pub(crate) struct Concord {
    cookie: String,
    join: Join,
    channel: u64,
    revision: u64,
    len: i64,
    seq: u64,
    /// What is in flight, and what becomes of it.
    sent: Option<Message>,
    in_flight: InFlight,
}

impl Concord {
    /// A client of a document, with the cookie of its person.
    pub(crate) fn new(cookie: &str, join: Join) -> Self {
        let cookie = cookie.to_owned();
        Concord {
            cookie,
            join,
            channel: 0,
            revision: 0,
            len: 0,
            seq: 0,
            sent: None,
            in_flight: InFlight::default(),
        }
    }

    fn submit(&mut self, op: &str, in_flight: InFlight) -> Message {
        self.seq += 1;
        let (channel, seq, revision) = (self.channel, self.seq, self.revision);
        let message = Message::text(format!(
            r#"{{"type":"submit","ch":{channel},"seq":{seq},"rev":{revision},"op":[{op}]}}"#
        ));
        (self.sent, self.in_flight) = (Some(message.clone()), in_flight);
        message
    }

    fn joined(&mut self, joined: &Value, brought: &mut Brought) -> Result<()> {
        self.channel = joined["ch"].as_u64().context("a channel")?;
        self.revision = joined["rev"].as_u64().context("a revision")?;
        let text = joined["text"].as_str().context("a text")?;
        self.len = i64::try_from(text.chars().count())?;
        brought.joined = true;
        Ok(())
    }
}

impl Driver for Concord {
    fn upgrade(&self) -> (String, Vec<(&'static str, String)>) {
        let headers = vec![
            ("cookie", self.cookie.clone()),
            ("sec-websocket-protocol", "concord.v1".to_owned()),
        ];
        ("/api/socket".to_owned(), headers)
    }

    fn opening(&mut self) -> Vec<Message> {
        vec![Message::text(ClientMessage::Join(self.join.clone()).to_json())]
    }

    fn receive(&mut self, message: &Message, brought: &mut Brought) -> Result<()> {
        let Message::Text(text) = message else { return Ok(()) };
        if entries::is_frame(text) {
            let entries = entries::read(text, &mut self.in_flight)?;
            if entries.acked.is_some_and(|acked| acked != self.seq) || entries.acks > 1 {
                bail!("an ack of what is not in flight: {text}");
            }
            if entries.acks > 0 {
                self.sent = None;
            }
            self.revision = entries.revision;
            self.len += entries.growth;
            brought.acks = entries.acks;
            return Ok(());
        }
        if text.starts_with(r#"{"type":"presence""#) {
            return Ok(());
        }
        let value: Value = serde_json::from_str(text)?;
        match value["type"].as_str() {
            Some("joined") => self.joined(&value, brought)?,
            Some("reject") if value["retry_ms"].is_u64() => {
                let retry_ms = value["retry_ms"].as_u64().unwrap_or(0);
                brought.refused = Some(Refused { retry_ms });
            }
            Some("reject" | "error" | "left") => bail!("the server says {text}"),
            _ => {}
        }
        Ok(())
    }

    fn in_flight_max(&self) -> usize {
        1
    }

    fn insert(&mut self, place: u64, text: &str) -> Message {
        let len = self.len.unsigned_abs();
        let before = place % (len + 1);
        let inserted = format!(r#""{text}""#);
        let op = components([number(before), inserted, number(len - before)]);
        let inserted = text.chars().count() as i64;
        self.submit(&op, InFlight { inserted, deletes: None })
    }

    fn exchange(&mut self, place: u64, text: &str) -> Message {
        let len = self.len.unsigned_abs();
        if len == 0 {
            return self.insert(place, text);
        }
        let before = place % len;
        let exchanged = format!(r#""{text}",-1"#);
        let op = components([number(before), exchanged, number(len - before - 1)]);
        let inserted = text.chars().count() as i64;
        self.submit(&op, InFlight { inserted, deletes: Some(before) })
    }

    fn resend(&self) -> Option<Message> {
        self.sent.clone()
    }
}

/// A kept stretch; none is no component.
fn number(len: u64) -> String {
    if len == 0 { String::new() } else { len.to_string() }
}

fn components(parts: [String; 3]) -> String {
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(",")
}
