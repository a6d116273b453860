//! The relays: what looks like an operation goes to everybody in the room.

use anyhow::Result;
use tokio_tungstenite::tungstenite::Message;

use super::{Brought, Driver};

/// See the module.
pub(crate) struct Relay {
    pub(crate) room: usize,
    pub(crate) text_len: u64,
}

impl Driver for Relay {
    fn upgrade(&self) -> (String, Vec<(&'static str, String)>) {
        (format!("/d{}", self.room), Vec::new())
    }

    fn opening(&mut self) -> Vec<Message> {
        // Nothing answers an upgrade to a room; its own echo does.
        vec![Message::text("[]")]
    }

    fn receive(&mut self, message: &Message, brought: &mut Brought) -> Result<()> {
        brought.joined = message.len() == 2;
        Ok(())
    }

    fn in_flight_max(&self) -> usize {
        usize::MAX
    }

    fn acks_are_echoes(&self) -> bool {
        true
    }

    fn insert(&mut self, place: u64, text: &str) -> Message {
        let before = place % self.text_len;
        let after = self.text_len - before;
        Message::text(format!(
            r#"{{"type":"submit","ch":1,"seq":1,"rev":1,"op":[{before},"{text}",{after}]}}"#
        ))
    }
}
