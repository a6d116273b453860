//! A session by bytes: frames, good and broken, for the deciding half of a document.
//!
//! One honest person types with the real client. Two others send whatever the bytes say: operations
//! of their own making, frames with changed bytes, frames heard before, no frames at all. What was
//! sent is settled before the next is, so that it is plain which answer belongs to what.

mod honest;
mod making;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use collab_protocol::{
    ChannelId, ClientId, ClientMessage, Entry, SelectionRange, ServerMessage, SessionNumber,
    Submit, Undecodable, UserId,
};
use ot_core::testing::{Choices, Gaps};
use ot_core::{Client, ClientSeq, Limits, Ranges, Revision, Selection};
use tokio::sync::Notify;

use super::rows::{Rows, Written};
use crate::document::{
    Core, DocumentConfig, Held, JoinRequest, Order, Outcome, Participant, Reader, Sharing,
    Submission, stretch,
};
use crate::store::Append;

const DOCUMENT: collab_protocol::DocumentId = collab_protocol::DocumentId::new(1);

/// What a session lets one operation be.
const LIMITS: Limits = Limits { components_max: 12, inserted_bytes_max: 64, len_max: 1_000 };

/// Selections that a session takes at once.
const RANGES_MAX: usize = 3;

/// Frames of one run; more find nothing that fewer do not.
const FRAMES_MAX: usize = 60;

/// Appends for one frame that may go wrong; the next one does not.
const MISHAPS_MAX: usize = 4;

/// Turns until a frame is settled.
const TURNS_MAX: usize = 50;

/// Somebody with a session.
struct Person {
    client: ClientId,
    user: UserId,
    channel: ChannelId,
    session: SessionNumber,
    reader: Reader,
    /// Numbers that its stream has acknowledged.
    acked: BTreeSet<u64>,
}

/// What came back for a frame.
#[derive(Debug, Default)]
struct Answers {
    acks: Vec<u64>,
    rejects: Vec<(u64, bool)>,
    frames: Vec<ServerMessage>,
}

/// A document with everything around it.
struct Desk<'a> {
    choices: Choices<'a>,
    core: Core,
    rows: Rows,
    people: Vec<Person>,
    honest: Client,
    /// Frames that were sent, to be sent again by anybody.
    heard: Vec<String>,
    /// Appends that went wrong for this frame.
    mishaps: usize,
}

/// Goes through the session that these bytes say.
///
/// # Panics
/// When a submission is not answered once; when one that is refused changes anything; when one that
/// is taken is not in the log as the naive model rebases it; when the honest person does not end
/// with the log's text.
pub fn session(bytes: &[u8]) {
    let mut desk = Desk::new(Choices::new(bytes));
    for _ in 0..FRAMES_MAX {
        if desk.choices.is_empty() {
            break;
        }
        match desk.choices.below(3) {
            0 => desk.type_something(),
            other => {
                let frame = desk.any_frame(other);
                desk.receive(other, &frame);
            }
        }
    }
    desk.finish();
}

impl<'a> Desk<'a> {
    fn new(mut choices: Choices<'a>) -> Desk<'a> {
        let config = DocumentConfig {
            text_bytes_max: LIMITS.inserted_bytes_max,
            components_max: LIMITS.components_max,
            document_bytes_max: [40, 400, 1 << 20][choices.below(3)],
            ranges_max: RANGES_MAX,
            batch_len_max: 1 + choices.below(2),
            ring_len: [2, 64][choices.below(2)],
            snapshot_every: [2, 1_000][choices.below(2)],
            ..DocumentConfig::default()
        };
        let rows = Rows::new(DOCUMENT);
        let loaded = rows.load().expect("an empty log is sound");
        let core = Core::new(loaded, Arc::new(config), Sharing::Alone).expect("it is empty");
        let honest = Client::new("", Revision::ZERO, ClientSeq::new(1));
        let mut desk =
            Desk { choices, core, rows, people: Vec::new(), honest, heard: Vec::new(), mishaps: 0 };
        (0..3).for_each(|number| desk.join(number));
        desk
    }

    fn join(&mut self, number: usize) {
        let client = ClientId::new(number as u128 + 1);
        let user: UserId = format!("g_{number}").parse().expect("an id");
        let channel = ChannelId(number as u32 + 1);
        let participant = Participant { user: user.clone(), name: String::new(), color: 0 };
        let wake = Arc::new(Notify::new());
        let request = JoinRequest {
            participant,
            visitor: user.clone().into(),
            rights_version: 0,
            client,
            channel,
            since: None,
            wake,
        };
        let asked = self.core.ask_to_join(request);
        asked.expect("there is room");
        let admission = self.settle(false).expect("who asks is let in");
        let (session, reader) = (admission.session, admission.reader);
        self.people.push(Person { client, user, channel, session, reader, acked: BTreeSet::new() });
    }

    /// A frame arrives from a person: what a session does with it, and what must come of it.
    fn receive(&mut self, person: usize, frame: &str) {
        self.mishaps = 0;
        let before = (self.core.head(), self.core.text().to_string());
        let asked = match ClientMessage::decode(frame) {
            Ok(ClientMessage::Submit(submit)) => self.offer(person, &submit),
            Ok(ClientMessage::Select(select)) if select.ranges.len() <= RANGES_MAX => {
                let base = Revision::new(select.rev);
                let session = self.people[person].session;
                self.core.select(session, base, ranges(&select.ranges));
                None
            }
            Ok(_) | Err(Undecodable::Message(_) | Undecodable::Submission { .. }) => None,
        };
        if asked.is_some() && self.heard.len() < FRAMES_MAX {
            self.heard.push(frame.to_owned());
        }
        let admission = self.settle(true);
        assert!(admission.is_none(), "nobody asked to be let in");
        let after = (self.core.head(), self.core.text().to_string());
        assert_eq!(after.1, self.rows.text_at(after.0), "the text is the log's");
        let is_committed = after.0 > before.0;
        for other in 0..self.people.len() {
            let answers = self.pull(other);
            if other == person {
                self.judge(person, asked.as_ref(), &answers, is_committed);
            } else {
                assert!(answers.acks.is_empty() && answers.rejects.is_empty(), "it asked nothing");
            }
            if other == 0 {
                self.hear(&answers);
            }
        }
        if !is_committed {
            assert_eq!(after, before, "nothing was committed, nothing is otherwise");
        }
    }

    /// What a session checks before a document decides. The number that must be answered.
    fn offer(&mut self, person: usize, submit: &Submit) -> Option<(u64, Submission)> {
        let known = &self.people[person];
        let is_fit = submit.ch == known.channel
            && submit.ranges.as_ref().is_none_or(|ranges| ranges.len() <= RANGES_MAX);
        let operation = submit.op.decode(&LIMITS).ok().filter(|_| is_fit)?;
        operation.check_invariants();
        let (seq, base) = (ClientSeq::new(submit.seq), Revision::new(submit.rev));
        let selections = submit.ranges.as_deref().map(ranges);
        let submission = Submission::new(seq, base, operation, selections);
        let (client, user) = (known.client, known.user.clone());
        self.core.submit(known.session, client, user.into(), submission.clone());
        Some((submit.seq, submission))
    }

    /// One submission, one answer.
    fn judge(
        &mut self,
        person: usize,
        asked: Option<&(u64, Submission)>,
        answers: &Answers,
        is_committed: bool,
    ) {
        let Some((seq, submission)) = asked else {
            assert!(answers.acks.is_empty() && answers.rejects.is_empty(), "{answers:?}");
            assert!(!is_committed, "nothing was submitted");
            return;
        };
        let seq = *seq;
        let count = answers.acks.len() + answers.rejects.len();
        let client = self.people[person].client;
        let found = self.rows.find(client, submission.seq());
        if count == 0 {
            // Its stream carried the ack when it was committed.
            let is_acked = self.people[person].acked.contains(&seq);
            assert!(is_acked && found.is_some() && !is_committed, "{seq} has no answer");
            return;
        }
        assert_eq!(count, 1, "{seq} has one answer: {answers:?}");
        match (answers.acks.first(), answers.rejects.first()) {
            (Some(acked), _) => {
                assert_eq!(*acked, seq, "the answer is to what was asked");
                assert!(found.is_some(), "what is acknowledged is in the log");
            }
            (_, Some((rejected, _))) => {
                assert_eq!(*rejected, seq, "the answer is to what was asked");
                assert!(!is_committed, "what is refused changes nothing");
            }
            (None, None) => unreachable!("there is one"),
        }
        if is_committed {
            self.people[person].acked.insert(seq);
            self.hold_against_model(submission);
        }
    }

    /// What was just committed is what the naive model makes of it.
    fn hold_against_model(&self, submission: &Submission) {
        let head = self.rows.head();
        let behind = Revision::new(head.get() - 1);
        let mut expected = Gaps::of(submission.operation());
        for committed in self.rows.operations(submission.base(), behind) {
            expected = expected.follow_committed(&Gaps::of(&committed));
        }
        let found = self.rows.operations(behind, head);
        assert_eq!(found[0], expected.to_operation(), "it is rebased as the model does");
    }

    /// Lets the document decide and the store answer until nothing is left to do.
    fn settle(&mut self, may_fail: bool) -> Option<Box<crate::document::Admission>> {
        let mut admitted = None;
        for _ in 0..TURNS_MAX {
            let orders = self.core.turn(Duration::ZERO, 1_000);
            self.core.check_invariants();
            if orders.is_empty() {
                return admitted;
            }
            for order in orders {
                match order {
                    Order::Admit(admission) => admitted = Some(admission),
                    Order::Append { batch, append } => {
                        let outcome = self.append(&append, may_fail);
                        self.core.appended(batch, outcome);
                    }
                    Order::Read(read) => {
                        let done = self.rows.read(&read, 3, false);
                        self.core.read(done);
                    }
                    Order::Snapshot(snapshot) => {
                        let revision = snapshot.revision;
                        self.rows.put_snapshot(snapshot);
                        self.core.snapshot_written(revision);
                    }
                    Order::Refuse { .. }
                    | Order::Edited { .. }
                    | Order::Publish(_)
                    | Order::Tell(_) => {
                        unreachable!("nobody asks for that")
                    }
                }
            }
        }
        panic!("it does not settle");
    }

    /// Mostly it is done; else it fails, or nobody knows.
    fn append(&mut self, append: &Append, may_fail: bool) -> Outcome {
        let may_fail = may_fail && self.mishaps < MISHAPS_MAX;
        let fate = if may_fail { self.choices.below(8) } else { 0 };
        self.mishaps += usize::from(fate >= 5);
        if fate == 5 {
            return Outcome::Failed;
        }
        if fate == 6 {
            return Outcome::Unknown;
        }
        match self.rows.write(append) {
            Written::Conflict => Outcome::Conflict,
            Written::UpTo { end, losses } => {
                let is_synced = self.rows.sync(end, losses);
                if is_synced && fate != 7 { Outcome::Done } else { Outcome::Unknown }
            }
        }
    }

    /// Everything that lies ready for a person.
    fn pull(&mut self, person: usize) -> Answers {
        let mut answers = Answers::default();
        let room = self.core.room().clone();
        let known = &mut self.people[person];
        for _ in 0..TURNS_MAX {
            let (frames, more) = match known.reader.step(&room, 200, 0).expect("nobody is ended") {
                Held::Pulled(pulled) => (pulled.frames.into_vec(), pulled.more),
                Held::Behind { after, head } => {
                    let mut operations = self.rows.since(after, 3).operations;
                    operations.truncate(crate::revision::between(after, head));
                    let stretch = stretch(operations, known.client, after).expect("a log composes");
                    (vec![known.reader.caught_up(&stretch)], true)
                }
            };
            for frame in frames {
                answers.take(ServerMessage::decode(&frame).expect("servers send messages"));
            }
            if !more {
                return answers;
            }
        }
        panic!("there is no end of frames");
    }
}

impl Answers {
    fn take(&mut self, frame: ServerMessage) {
        match &frame {
            ServerMessage::Ops(ops) => {
                let acks = ops.ops.iter().filter_map(|entry| match entry {
                    Entry::Ack { ack } => Some(*ack),
                    _ => None,
                });
                self.acks.extend(acks);
            }
            ServerMessage::Ack(ack) => self.acks.push(ack.seq),
            ServerMessage::Reject(reject) => {
                self.rejects.push((reject.seq, reject.code.retryable()));
            }
            _ => {}
        }
        self.frames.push(frame);
    }
}

fn ranges(wire: &[SelectionRange]) -> Ranges {
    let selections = wire.iter().map(|r| Selection::new(r.anchor as usize, r.head as usize));
    Ranges::new(selections).expect("few")
}
