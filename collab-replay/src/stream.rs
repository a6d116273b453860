//! What the last frame from the server still holds for the client to take in.

use std::collections::VecDeque;

use collab_protocol::RejectCode;
use serde_json::Value;
use wasm_client::engine::Engine;

use crate::difference::{Difference, Kind, same};
use crate::frame::Frame;

/// One thing to take in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    /// A committed operation of somebody else; the revision it leads to where the frame says it.
    Op(Value, Option<u64>),
    /// An own submission is committed, as that revision where the frame says it.
    Ack(u64, Option<u64>),
    /// A hash of the server's text.
    Check(String),
    /// A submission is refused for good.
    Reject(u64),
    /// The server's whole text, its revision, and the client's last number that it knows.
    Text(String, u64, u64),
    /// The client's last number that the server knows.
    LastSeq(u64),
}

impl Item {
    fn title(&self) -> String {
        match self {
            Item::Op(op, _) => {
                format!("operation {}", op.to_string().chars().take(80).collect::<String>())
            }
            Item::Ack(seq, _) => format!("the acknowledgement of {seq}"),
            Item::Check(hash) => format!("the check {hash}"),
            Item::Reject(seq) => format!("the refusal of {seq}"),
            Item::Text(_, revision, _) => format!("the text at revision {revision}"),
            Item::LastSeq(seq) => format!("the last number {seq}"),
        }
    }
}

/// The rest of the last frame.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream {
    items: VecDeque<Item>,
    /// Checks that were compared.
    pub(crate) checks: u64,
}

impl Stream {
    /// A frame has come. What the client has to do with it depends on what it holds.
    pub(crate) fn take(
        &mut self,
        frame: &Frame,
        engine: Option<&Engine>,
    ) -> Result<(), Difference> {
        let outstanding = engine.and_then(Engine::outstanding_seq);
        self.items = match (frame.kind.as_str(), engine) {
            // Operations for another revision are not taken in: the client joins again.
            ("ops", Some(engine)) if frame.rev == Some(engine.revision()) => entries(frame),
            ("ack", Some(_)) if frame.seq.is_some() && frame.seq == outstanding => {
                frame.seq.into_iter().map(|seq| Item::Ack(seq, frame.rev)).collect()
            }
            ("reject", Some(_)) if frame.seq == outstanding && !is_retryable(frame) => {
                frame.seq.into_iter().map(Item::Reject).collect()
            }
            ("joined", _) => joined(frame, engine),
            _ => VecDeque::new(),
        };
        engine.map_or(Ok(()), |engine| self.check(engine))
    }

    /// Compares the checks that stand next.
    pub(crate) fn check(&mut self, engine: &Engine) -> Result<(), Difference> {
        while let Some(Item::Check(hash)) = self.items.front() {
            let hash = hash.clone();
            self.items.pop_front();
            // Comparable only while nothing is pending.
            if !engine.has_pending() {
                self.checks += 1;
                same(Kind::ServerCheck, hash, engine.hash_hex())?;
            }
        }
        Ok(())
    }

    /// The client has left or lost its place: the rest is of no account.
    pub(crate) fn drop_rest(&mut self) {
        self.items.clear();
    }

    /// The client goes on to something else.
    pub(crate) fn expect_end(&self) -> Result<(), Difference> {
        match self.items.front() {
            None => Ok(()),
            Some(item) => Err(Difference::new(Kind::PassedOver, "went on", item.title())),
        }
    }

    /// The next thing to take in, if `pick` takes it for what the client took in.
    pub(crate) fn next<T>(
        &mut self,
        claimed: &str,
        pick: impl FnOnce(&Item) -> Option<T>,
    ) -> Result<T, Difference> {
        let front = self.items.front();
        let found = || front.map_or_else(|| "nothing".to_owned(), Item::title);
        let taken =
            front.and_then(pick).ok_or_else(|| Difference::new(Kind::Stream, claimed, found()))?;
        self.items.pop_front();
        Ok(taken)
    }
}

fn is_retryable(frame: &Frame) -> bool {
    let code = frame.code.as_deref().and_then(|code| code.parse::<RejectCode>().ok());
    code.is_some_and(RejectCode::retryable)
}

fn entries(frame: &Frame) -> VecDeque<Item> {
    let item = |entry: &crate::frame::Entry| {
        if let Some(hash) = &entry.check {
            Item::Check(hash.clone())
        } else if let Some(seq) = entry.ack {
            Item::Ack(seq, None)
        } else {
            Item::Op(entry.op.clone().unwrap_or_default(), entry.to)
        }
    };
    frame.ops.iter().map(item).collect()
}

fn joined(frame: &Frame, engine: Option<&Engine>) -> VecDeque<Item> {
    let mut items = VecDeque::new();
    let (rev, seq) = (frame.rev.unwrap_or_default(), frame.seq.unwrap_or_default());
    match (engine, &frame.text) {
        (Some(_), Some(text)) => items.push_back(Item::Text(text.clone(), rev, seq)),
        // An answer that does not fit: the client joins again.
        (Some(engine), None) if engine.revision() != rev => return items,
        _ => {}
    }
    items.push_back(Item::LastSeq(seq));
    items
}
