//! A browser tab without a browser: the real client, fed with the frames that a socket would carry.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use collab_protocol::{
    ChannelId, ClientId, Entry, Epoch, Person, RejectCode, ServerMessage, SessionNumber, UserId,
};
use ot_core::{Client, ClientSeq, Limits, Operation, Ranges, Revision};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::{DOCUMENT, Server};
use crate::document::{
    Ended, JoinError, JoinRequest, Joined, Participant, Pulled, SendError, Since, Step, Submission,
};

/// Long enough that only a test about to fail waits for it.
const PATIENCE: Duration = Duration::from_secs(3_600);

pub(super) struct Tab {
    pub(super) id: ClientId,
    pub(super) user: u32,
    pub(super) client: Client,
    pub(super) epoch: Epoch,
    pub(super) joined: Option<Joined>,
    pub(super) people: BTreeMap<SessionNumber, Person>,
    /// Everything that came, as it came.
    pub(super) frames: Vec<String>,
    pub(super) rejects: Vec<(u64, RejectCode)>,
    pub(super) acks: Vec<(u64, u64)>,
    /// Revisions whose hash came and was right.
    pub(super) checks: Vec<u64>,
    pub(super) title: String,
    pub(super) is_deleted: bool,
    pub(super) wake: Arc<Notify>,
}

impl Tab {
    /// A tab that has not joined yet. Each has a client and a person of this number.
    pub(super) fn new(number: u32) -> Tab {
        Tab {
            id: ClientId::new(u128::from(number)),
            user: number,
            client: Client::new("", Revision::ZERO, ClientSeq::new(1)),
            epoch: Epoch::new(0),
            joined: None,
            people: BTreeMap::new(),
            frames: Vec::new(),
            rejects: Vec::new(),
            acks: Vec::new(),
            checks: Vec::new(),
            title: String::new(),
            is_deleted: false,
            wake: Arc::new(Notify::new()),
        }
    }

    pub(super) async fn open(server: &Server, number: u32) -> Tab {
        let mut tab = Tab::new(number);
        tab.join(server, None).await.expect("enters");
        tab
    }

    pub(super) fn request(&self, since: Option<Since>) -> JoinRequest {
        JoinRequest {
            participant: Participant {
                user: format!("g_{}", self.user).parse().expect("an id"),
                name: format!("Guest {}", self.user),
                color: 4,
            },
            visitor: format!("g_{}", self.user).parse::<UserId>().expect("an id").into(),
            rights_version: 0,
            client: self.id,
            channel: ChannelId(self.user),
            since,
            wake: self.wake.clone(),
        }
    }

    /// Joins, with a base or without.
    pub(super) async fn join(
        &mut self,
        server: &Server,
        since: Option<Since>,
    ) -> Result<(), JoinError> {
        let request = self.request(since);
        let joined = timeout(PATIENCE, server.registry.join(DOCUMENT, request));
        let joined = joined.await.expect("a join is answered")?;
        let frame = joined.frame.clone().into_string();
        self.joined = Some(joined);
        self.people.clear();
        self.take(&frame);
        Ok(())
    }

    /// Comes back with what it holds; what was in flight goes out again.
    pub(super) async fn resume(&mut self, server: &Server) {
        self.joined = None;
        let since = Since { revision: self.client.revision(), epoch: self.epoch };
        self.join(server, Some(since)).await.expect("enters");
        self.send_outstanding();
    }

    pub(super) fn text(&self) -> String {
        self.client.text().to_string()
    }

    /// Types at `offset` and sends, if nothing is in flight.
    pub(super) fn insert(&mut self, offset: usize, text: &str) {
        let len = self.client.text().len_chars();
        self.edit(Operation::splice(len, offset, 0, text).expect("fits"));
    }

    pub(super) fn edit(&mut self, operation: Operation) {
        self.client.edit(operation, 0).expect("fits");
        self.send();
    }

    pub(super) fn send(&mut self) {
        if self.joined.is_some() && self.client.take_submission(&Limits::NONE).is_some() {
            self.send_outstanding();
        }
    }

    pub(super) fn send_outstanding(&mut self) {
        if self.client.outstanding().is_some() {
            self.try_send_outstanding(None).expect("the mailbox has room");
        }
    }

    pub(super) fn try_send_outstanding(&self, ranges: Option<Ranges>) -> Result<(), SendError> {
        let sent = self.client.outstanding().expect("something is in flight");
        let submission = Submission::new(sent.seq, sent.revision, sent.op.clone(), ranges);
        self.joined.as_ref().expect("joined").sender.submit(submission)
    }

    /// Takes everything that is there, without waiting.
    pub(super) async fn pull(&mut self) -> Result<(), Ended> {
        loop {
            let feed = &mut self.joined.as_mut().expect("joined").feed;
            let pulled = match feed.pull(1 << 16)? {
                Step::Pulled(pulled) => pulled,
                Step::Behind(catch_up) => {
                    let frame = feed.caught_up(&catch_up.read().await?);
                    Pulled { frames: [frame].into(), more: true, age: None }
                }
            };
            for frame in &pulled.frames {
                self.take(frame);
            }
            if !pulled.more {
                return Ok(());
            }
        }
    }

    /// Pulls until `is_enough`.
    pub(super) async fn pull_until(&mut self, is_enough: impl Fn(&Tab) -> bool) {
        let pulling = async {
            loop {
                self.pull().await.expect("the session lives");
                if is_enough(self) {
                    return;
                }
                self.wake.clone().notified().await;
            }
        };
        let in_time = timeout(PATIENCE, pulling).await;
        assert!(in_time.is_ok(), "in vain; text is {:?}, frames {:#?}", self.text(), self.frames);
    }

    /// Pulls, and sends what is typed, until nothing of its own is pending.
    pub(super) async fn settle(&mut self) {
        while self.client.has_pending() {
            self.send();
            self.pull_until(|tab| tab.client.outstanding().is_none()).await;
        }
    }

    /// Pulls until the session is ended.
    pub(super) async fn end(&mut self) -> Ended {
        let ending = async {
            loop {
                if let Err(reason) = self.pull().await {
                    return reason;
                }
                self.wake.clone().notified().await;
            }
        };
        timeout(PATIENCE, ending).await.expect("the session is ended")
    }

    fn take(&mut self, frame: &str) {
        self.frames.push(frame.to_owned());
        match ServerMessage::decode(frame).expect("a message") {
            ServerMessage::Joined(joined) => self.take_joined(joined),
            ServerMessage::Ops(ops) => {
                assert_eq!(ops.rev, self.client.revision().get(), "no revision is left out");
                ops.ops.into_iter().for_each(|entry| self.take_entry(entry));
            }
            ServerMessage::Ack(ack) => self.acks.push((ack.seq, ack.rev)),
            ServerMessage::Reject(reject) => {
                assert_eq!(reject.retry_ms.is_some(), reject.code.retryable());
                self.rejects.push((reject.seq, reject.code));
            }
            ServerMessage::Presence(presence) => {
                assert_eq!(presence.rev, self.client.revision().get(), "it follows the text");
                for person in presence.people {
                    self.people.insert(person.session, person);
                }
                for gone in presence.gone {
                    self.people.remove(&gone);
                }
            }
            ServerMessage::Renamed(renamed) => self.title = renamed.title,
            ServerMessage::Deleted(_) => self.is_deleted = true,
            ServerMessage::Restored(_) => self.is_deleted = false,
            ServerMessage::Error(_) | ServerMessage::Access(_) => {}
            other => panic!("{other:?}"),
        }
    }

    fn take_joined(&mut self, joined: collab_protocol::Joined) {
        (self.epoch, self.title) = (joined.epoch, joined.title);
        self.people = joined.people.into_iter().map(|person| (person.session, person)).collect();
        let (revision, last_seq) = (Revision::new(joined.rev), ClientSeq::new(joined.seq));
        match joined.text {
            Some(text) => {
                self.client.reset(&text, revision, last_seq).expect("fits");
            }
            None => assert_eq!(revision, self.client.revision()),
        }
    }

    fn take_entry(&mut self, entry: Entry) {
        let next = self.client.revision().next().expect("small");
        let operation = |json: &str| Operation::from_json(json, &Limits::NONE).expect("one");
        match entry {
            Entry::Op { op, .. } => {
                self.client.receive(&operation(op.as_str()), next).expect("fits");
            }
            Entry::Composed { op, to } => {
                let to = Revision::new(to);
                self.client.receive(&operation(op.as_str()), to).expect("fits");
            }
            Entry::Ack { ack } => {
                self.client.acknowledge(ClientSeq::new(ack), next).expect("in order");
            }
            Entry::Check { check } => {
                if let Some(hash) = self.client.server_text_hash() {
                    assert_eq!(hash.get(), check.get(), "the texts are one");
                    self.checks.push(self.client.revision().get());
                }
            }
        }
    }
}
