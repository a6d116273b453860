//! ShareDB's protocol with its type for plain text.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use super::{Brought, Driver};

/// See the module.
pub(crate) struct ShareDb {
    document: String,
    version: u64,
    seq: u64,
    /// Nothing is ever deleted, so that the text is never shorter than at the join.
    len: u64,
}

impl ShareDb {
    pub(crate) fn new(document: usize) -> Self {
        ShareDb { document: format!("d{document}"), version: 0, seq: 0, len: 0 }
    }
}

impl Driver for ShareDb {
    fn upgrade(&self) -> (String, Vec<(&'static str, String)>) {
        ("/".to_owned(), Vec::new())
    }

    fn opening(&mut self) -> Vec<Message> {
        let subscribe = format!(r#"{{"a":"s","c":"docs","d":"{}"}}"#, self.document);
        let shake = r#"{"a":"hs","id":null,"protocol":1,"protocolMinor":1}"#;
        vec![Message::text(shake), Message::text(subscribe)]
    }

    fn receive(&mut self, message: &Message, brought: &mut Brought) -> Result<()> {
        let Message::Text(text) = message else { return Ok(()) };
        // What everybody receives most, told apart without being parsed.
        if text.starts_with(r#"{"a":"op""#) && text.contains(r#""op":["#) {
            self.version = self.version.max(version_of(text)? + 1);
            return Ok(());
        }
        let value: Value = serde_json::from_str(text)?;
        if !value["error"].is_null() {
            bail!("ShareDB says {text}");
        }
        match value["a"].as_str() {
            Some("s") => {
                let data = &value["data"];
                self.version = data["v"].as_u64().context("a version")?;
                let text = data["data"].as_str().context("a text")?;
                self.len = text.chars().count() as u64;
                brought.joined = true;
            }
            Some("op") => {
                self.version = self.version.max(value["v"].as_u64().context("a version")? + 1);
                brought.acks = 1;
            }
            _ => {}
        }
        Ok(())
    }

    fn in_flight_max(&self) -> usize {
        1
    }

    fn insert(&mut self, place: u64, text: &str) -> Message {
        self.seq += 1;
        let (document, version, seq) = (&self.document, self.version, self.seq);
        let at = place % (self.len + 1);
        let op = if at == 0 { format!(r#"["{text}"]"#) } else { format!(r#"[{at},"{text}"]"#) };
        Message::text(format!(
            r#"{{"a":"op","c":"docs","d":"{document}","v":{version},"seq":{seq},"x":{{}},"op":{op}}}"#
        ))
    }
}

/// The number behind `"v":`.
fn version_of(text: &str) -> Result<u64> {
    let (_, rest) = text.rsplit_once(r#""v":"#).context("a version")?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Ok(rest[..end].parse()?)
}
