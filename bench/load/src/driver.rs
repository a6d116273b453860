//! What a client of each server says and understands: as little as a load needs, and no more text than that takes.
//!
//! No driver keeps a text. An edit is one insertion at a random place; a driver knows how long the text is at the
//! revision that it builds on, or a length that it cannot fall below.

mod concord;
mod entries;
mod hocuspocus;
mod relay;
mod sharedb;
mod yjs;

use anyhow::Result;
use tokio_tungstenite::tungstenite::Message;

pub(crate) use concord::Concord;
pub(crate) use hocuspocus::Hocuspocus;
pub(crate) use relay::Relay;
pub(crate) use sharedb::ShareDb;
pub(crate) use yjs::YWebsocket;

/// What a message brought.
#[derive(Debug, Default)]
pub(crate) struct Brought {
    /// To be sent at once.
    pub(crate) replies: Vec<Message>,
    /// Whether the document is open now.
    pub(crate) joined: bool,
    /// Own submissions that are answered: saved, as far as this server promises that.
    pub(crate) acks: u32,
    /// Own submissions that are to be sent again.
    pub(crate) refused: Option<Refused>,
}

/// A submission that was not taken for now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused {
    pub(crate) retry_ms: u64,
}

/// One client of one document.
pub(crate) trait Driver {
    /// The path and the headers of the upgrade.
    fn upgrade(&self) -> (String, Vec<(&'static str, String)>);

    /// What is said first.
    fn opening(&mut self) -> Vec<Message>;

    /// Takes a message in.
    ///
    /// # Errors
    /// When the server says that something is wrong.
    fn receive(&mut self, message: &Message, brought: &mut Brought) -> Result<()>;

    /// Submissions that may be unanswered at the same time.
    fn in_flight_max(&self) -> usize;

    /// Whether a submission is answered by its own echo, which the tags show, and by nothing else.
    fn acks_are_echoes(&self) -> bool {
        false
    }

    /// An insertion somewhere; `place` is random.
    fn insert(&mut self, place: u64, text: &str) -> Message;

    /// What was not taken, once more.
    fn resend(&self) -> Option<Message> {
        None
    }

    /// One character somewhere exchanged for another, where the protocol has that in one operation; the text keeps its
    /// length.
    fn exchange(&mut self, place: u64, text: &str) -> Message {
        self.insert(place, text)
    }
}
