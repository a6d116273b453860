//! Updates of Yjs, made by hand, and y-websocket's protocol around them.
//!
//! Every insertion goes between two neighbours of the text that the document began with, which is one item of client 1.
//! So no text is kept, and the server finds its place as quickly as it finds any.

use anyhow::Result;
use tokio_tungstenite::tungstenite::Message;

use super::{Brought, Driver};

/// A varint as lib0 has it: seven bits a byte, the lowest first.
pub(super) fn number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Bytes with their length in front.
pub(super) fn bytes(out: &mut Vec<u8>, value: &[u8]) {
    number(out, value.len() as u64);
    out.extend_from_slice(value);
}

/// One client that writes.
#[derive(Debug)]
pub(super) struct Writer {
    client: u64,
    clock: u64,
    text_len: u64,
}

impl Writer {
    pub(super) fn new(index: usize, text_len: u64) -> Self {
        Writer { client: index as u64 + 2, clock: 0, text_len }
    }

    /// The update that inserts `text` behind a character of the first text.
    pub(super) fn insert(&mut self, place: u64, text: &str) -> Vec<u8> {
        let behind = place % (self.text_len - 1);
        let mut update = Vec::with_capacity(32);
        // One client with one item.
        for value in [1, 1, self.client, self.clock] {
            number(&mut update, value);
        }
        // A text that has both neighbours.
        update.push(0x80 | 0x40 | 4);
        for value in [1, behind, 1, behind + 1] {
            number(&mut update, value);
        }
        bytes(&mut update, text.as_bytes());
        // Nothing deleted.
        number(&mut update, 0);
        self.clock += text.encode_utf16().count() as u64;
        update
    }
}

/// A message of the protocol for updates: 0 asks, 1 answers, 2 tells.
pub(super) fn sync(out: &mut Vec<u8>, kind: u64, payload: &[u8]) {
    number(out, 0);
    number(out, kind);
    bytes(out, payload);
}

/// See the module.
pub(crate) struct YWebsocket {
    document: usize,
    writer: Writer,
}

impl YWebsocket {
    pub(crate) fn new(index: usize, document: usize, text_len: u64) -> Self {
        YWebsocket { document, writer: Writer::new(index, text_len) }
    }
}

impl Driver for YWebsocket {
    fn upgrade(&self) -> (String, Vec<(&'static str, String)>) {
        (format!("/d{}", self.document), Vec::new())
    }

    fn opening(&mut self) -> Vec<Message> {
        let mut ask = Vec::new();
        // An empty state vector: everything.
        sync(&mut ask, 0, &[0]);
        vec![Message::binary(ask)]
    }

    fn receive(&mut self, message: &Message, brought: &mut Brought) -> Result<()> {
        if let Message::Binary(data) = message
            && data.starts_with(&[0, 1])
        {
            brought.joined = true;
        }
        Ok(())
    }

    fn in_flight_max(&self) -> usize {
        usize::MAX
    }

    fn acks_are_echoes(&self) -> bool {
        true
    }

    fn insert(&mut self, place: u64, text: &str) -> Message {
        let update = self.writer.insert(place, text);
        let mut message = Vec::with_capacity(update.len() + 4);
        sync(&mut message, 2, &update);
        Message::binary(message)
    }
}
