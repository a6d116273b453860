//! What the server says to a native client, and what the client makes of it.

use std::time::Duration;

use collab_protocol::{ErrorCode, RejectCode};
use ot_core::{Acknowledged, ClientSeq, Limits, Operation, Revision};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite;

use super::{NativeClient, Taken};

impl NativeClient {
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
            Some(
                "presence" | "missed" | "slow_down" | "renamed" | "deleted" | "restored" | "access",
            ) => {}
            // The document has let go of this session; a new connection finds it again.
            Some("left") => return Err(self.lost()),
            Some("error") if is_retryable(&message) => return Err(self.lost()),
            // The token has ended; the close follows.
            Some("error") if message["code"] == "unauthenticated" => {}
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

    pub(super) fn take(&mut self, before: u64, entry: &Value) -> Taken {
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
}

/// Whether an error or a reject says that the same may succeed later.
pub(super) fn is_retryable(message: &Value) -> bool {
    let code = message["code"].as_str().expect("a code");
    let as_error = code.parse::<ErrorCode>().is_ok_and(ErrorCode::retryable);
    let as_reject = code.parse::<RejectCode>().is_ok_and(RejectCode::retryable);
    as_error || as_reject
}
