//! Hocuspocus: the protocol of y-websocket, with the document's name in front and acknowledgements.

use anyhow::Result;
use tokio_tungstenite::tungstenite::Message;

use super::yjs::{self, Writer};
use super::{Brought, Driver};

/// Kinds of messages.
const SYNC: u8 = 0;
const AUTH: u64 = 2;
const SYNC_STATUS: u8 = 8;

/// See the module.
pub(crate) struct Hocuspocus {
    name: Vec<u8>,
    writer: Writer,
}

impl Hocuspocus {
    pub(crate) fn new(index: usize, document: usize, text_len: u64) -> Self {
        let mut name = Vec::new();
        yjs::bytes(&mut name, format!("d{document}").as_bytes());
        Hocuspocus { name, writer: Writer::new(index, text_len) }
    }
}

impl Driver for Hocuspocus {
    fn upgrade(&self) -> (String, Vec<(&'static str, String)>) {
        ("/".to_owned(), Vec::new())
    }

    fn opening(&mut self) -> Vec<Message> {
        let mut token = self.name.clone();
        yjs::number(&mut token, AUTH);
        // A token, which nobody checks.
        yjs::number(&mut token, 0);
        yjs::bytes(&mut token, b"token");
        let mut ask = self.name.clone();
        yjs::sync(&mut ask, 0, &[0]);
        vec![Message::binary(token), Message::binary(ask)]
    }

    fn receive(&mut self, message: &Message, brought: &mut Brought) -> Result<()> {
        let Message::Binary(data) = message else { return Ok(()) };
        match data.get(self.name.len()..) {
            Some([SYNC, 1, ..]) => brought.joined = true,
            Some([SYNC_STATUS, ..]) => brought.acks = 1,
            _ => {}
        }
        Ok(())
    }

    fn in_flight_max(&self) -> usize {
        usize::MAX
    }

    fn insert(&mut self, place: u64, text: &str) -> Message {
        let update = self.writer.insert(place, text);
        let mut message = self.name.clone();
        yjs::sync(&mut message, 2, &update);
        Message::binary(message)
    }
}
