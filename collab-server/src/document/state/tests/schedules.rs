//! Random schedules over the real clients' and the real document's deciding halves, with every
//! outcome an append can have, lost connections, resends, and clients that start afresh with the
//! text. At the end all texts are one text, with nothing doubled.

use std::collections::VecDeque;

use collab_protocol::{ClientId, SessionNumber};
use ot_core::testing::{Choices, EditPlan};
use ot_core::{Client, ClientSeq, Limits, Operation, Revision, Text, compose_all};
use proptest::prelude::*;

use super::desk::{open_to_all, session, user};
use super::*;
use crate::store::{ChainHash, ClientProgress, LoggedOperation, TailPage};

/// What a stored log is to a document: it decides which append wins.
#[derive(Default)]
struct Log(Vec<LoggedOperation>);

impl Log {
    fn head(&self) -> Revision {
        Revision::new(self.0.len() as u64)
    }

    fn append(&mut self, base: Revision, operations: Vec<Decided>) -> bool {
        let is_used = |decided: &Decided| {
            let mut own = self.0.iter().filter(|logged| logged.client == decided.client);
            own.any(|logged| logged.seq >= decided.seq)
        };
        if base != self.head() || operations.iter().any(is_used) {
            return false;
        }
        for decided in operations {
            self.0.push(LoggedOperation {
                revision: self.head().next().expect("small"),
                client: decided.client,
                seq: decided.seq,
                author: decided.author,
                time_ms: 0,
                operation: (*decided.operation).clone(),
                chain: ChainHash::START,
            });
        }
        true
    }

    fn operations(&self, after: Revision, through: Revision) -> &[LoggedOperation] {
        &self.0[after.get() as usize..through.get() as usize]
    }
}

/// A replica with its connection.
struct Tab {
    id: ClientId,
    client: Client,
    session: Option<SessionNumber>,
    /// Up to where the connection has carried the stream.
    uplink: VecDeque<Submission>,
    /// Answers apart from the stream.
    downlink: VecDeque<Answer>,
    start: Revision,
}

struct World {
    state: State,
    log: Log,
    tabs: Vec<Tab>,
    /// Under way: its outcome is drawn when it comes back.
    appends: VecDeque<(u64, Revision, Vec<Decided>)>,
    reads: VecDeque<Effect>,
    /// How each session entered.
    entries: Vec<Entry>,
    /// How many characters were typed; each is another one.
    typed: u32,
    is_healing: bool,
}

const LIMITS: Limits = Limits { components_max: 6, inserted_bytes_max: 16, len_max: 1 << 20 };

impl World {
    fn new(tabs: usize) -> World {
        let config =
            DocumentConfig { document_bytes_max: 1 << 20, pending_max: 4, ..super::desk::config() };
        let state = State::new(Arc::new(config), Text::new(), Revision::ZERO, false, open_to_all());
        let tab = |number: usize| Tab {
            id: ClientId::new(number as u128 + 1),
            client: Client::new("", Revision::ZERO, ClientSeq::new(1)),
            session: None,
            uplink: VecDeque::new(),
            downlink: VecDeque::new(),
            start: Revision::ZERO,
        };
        World {
            state,
            log: Log::default(),
            tabs: (0..tabs).map(tab).collect(),
            appends: VecDeque::new(),
            reads: VecDeque::new(),
            entries: Vec::new(),
            typed: 0,
            is_healing: false,
        }
    }

    fn step(&mut self, choices: &mut Choices<'_>) {
        let tab = choices.below(self.tabs.len());
        match choices.below(10) {
            0 | 1 => self.edit(tab, choices),
            2 => self.send(tab),
            3 => self.deliver_up(tab),
            4 | 5 => self.deliver_down(tab, choices),
            6 => self.finish_append(choices),
            7 => self.finish_read(choices),
            8 if choices.one_in(4) => self.cut(tab),
            8 if choices.one_in(4) => self.connect(tab, Entry::Afresh),
            8 => self.connect(tab, Entry::Resuming { at: Revision::ZERO }),
            _ => self.decide(),
        }
        self.state.check_invariants();
    }

    fn edit(&mut self, tab: usize, choices: &mut Choices<'_>) {
        let client = &mut self.tabs[tab].client;
        let typed = &mut self.typed;
        // From the planes of three and four bytes in turn.
        let letter = |_: &mut Choices<'_>| {
            *typed += 1;
            let plane = if (*typed).is_multiple_of(2) { 0x4e00 } else { 0x2_0000 };
            char::from_u32(plane + *typed).expect("a letter")
        };
        let plan = EditPlan::draw(choices, letter);
        client.edit(plan.on(client.text().len_chars()), 0).expect("it fits");
    }

    fn send(&mut self, tab: usize) {
        let tab = &mut self.tabs[tab];
        if tab.session.is_some()
            && let Some(submission) = tab.client.take_submission(&LIMITS)
        {
            tab.uplink.push_back(received(&submission));
        }
    }

    fn deliver_up(&mut self, tab: usize) {
        let tab = &mut self.tabs[tab];
        if let (Some(session), Some(submission)) = (tab.session, tab.uplink.pop_front()) {
            let (client, visitor) = (tab.id, user(tab.id.get()).into());
            self.event(Event::Submit { session, client, visitor, submission });
        }
    }

    /// A piece of the stream, as steps or composed, never over an own entry.
    fn deliver_down(&mut self, index: usize, choices: &mut Choices<'_>) {
        let head = self.state.head();
        let tab = &mut self.tabs[index];
        if tab.session.is_none() {
            return;
        }
        let from = tab.client.revision();
        let Some(next) = self.log.operations(from, head).first() else {
            return self.answer(index);
        };
        if next.client == tab.id {
            tab.client.acknowledge(next.seq, next.revision).expect("in the order of the log");
            return;
        }
        let foreign = self
            .log
            .operations(from, head)
            .iter()
            .take_while(|logged| logged.client != tab.id)
            .take(1 + choices.below(5));
        let operations: Vec<Operation> = foreign.map(|logged| logged.operation.clone()).collect();
        let to = from.plus(operations.len() as u64).expect("small");
        let composed = compose_all(operations).expect("a log").expect("not empty");
        tab.client.receive(&composed, to).expect("it fits");
    }

    fn answer(&mut self, index: usize) {
        let tab = &mut self.tabs[index];
        match tab.downlink.pop_front() {
            Some(Answer::Ack { seq, revision }) if revision <= tab.start => {
                // The stream begins behind it: only where the client has its own edit already.
                panic!(
                    "{seq} was committed as {revision}, before a stream that resumes at the client's revision"
                );
            }
            Some(Answer::Reject { seq, code, .. }) => {
                assert!(code.retryable(), "{seq}: {code}: nothing here is wrong for good");
                let again = tab.client.outstanding().map(received);
                tab.uplink.extend(again.filter(|again| again.seq() == seq));
            }
            _ => {}
        }
    }

    fn cut(&mut self, tab: usize) {
        let tab = &mut self.tabs[tab];
        let Some(session) = tab.session.take() else { return };
        tab.uplink.clear();
        tab.downlink.clear();
        // The server notices at once here, or not before the next session takes over.
        if session.0 % 2 == 0 {
            self.event(Event::Left { session });
        }
    }

    fn connect(&mut self, tab: usize, entry: Entry) {
        if self.tabs[tab].session.is_some() {
            return;
        }
        let session = session(u32::try_from(self.entries.len()).expect("few"));
        self.entries.push(entry);
        let client = self.tabs[tab].id;
        self.event(Event::Join { session, client, user: user(client.get()), entry });
    }

    fn decide(&mut self) {
        let mut effects = Vec::new();
        self.state.decide(&mut effects);
        self.carry_out(effects);
    }

    fn finish_append(&mut self, choices: &mut Choices<'_>) {
        let Some((batch, base, operations)) = self.appends.pop_front() else { return };
        let is_applied = |log: &mut Log| log.append(base, operations);
        let outcome = match choices.below(6) {
            0 if !self.is_healing => Outcome::Failed,
            1 if !self.is_healing => Outcome::Unknown,
            2 if !self.is_healing => {
                is_applied(&mut self.log);
                Outcome::Unknown
            }
            _ if is_applied(&mut self.log) => Outcome::Done,
            _ => Outcome::Conflict,
        };
        self.event(Event::Appended { batch, outcome });
    }

    fn finish_read(&mut self, choices: &mut Choices<'_>) {
        let Some(read) = self.reads.pop_front() else { return };
        let is_failing = !self.is_healing && choices.one_in(4);
        let fault = || ReadFault::Unavailable;
        let event = match read {
            Effect::ReadTail { after, .. } => {
                let head = self.log.head();
                let operations = self.log.operations(after, head).iter().take(2).cloned().collect();
                let page = TailPage { operations, head, is_deleted: false, rights_version: 0 };
                Event::TailRead { result: if is_failing { Err(fault()) } else { Ok(page) } }
            }
            Effect::ReadProgress { client } => {
                let result = if is_failing { Err(fault()) } else { Ok(self.progress(client)) };
                Event::ProgressRead { client, result }
            }
            Effect::ReadRange { client, seq, after, through } => {
                let range = self.log.operations(after, through).iter();
                let operations = range.map(|logged| logged.operation.clone());
                let composed = compose_all(operations).expect("a log").expect("not empty");
                let result = if is_failing { Err(fault()) } else { Ok(composed) };
                Event::RangeRead { client, seq, through, result }
            }
            Effect::FindSubmission { client, seq } => {
                let mut own = self.log.0.iter().filter(|logged| logged.client == client);
                let found = own.find(|logged| logged.seq == seq).map(|logged| logged.revision);
                let result = if is_failing { Err(fault()) } else { Ok(found) };
                Event::SubmissionFound { client, seq, result }
            }
            other => panic!("not a read: {other:?}"),
        };
        self.event(event);
    }

    /// The submission's hash is what the client still holds, as its resend will be the same.
    fn progress(&self, client: ClientId) -> Option<ClientProgress> {
        let last = self.log.0.iter().rfind(|logged| logged.client == client)?;
        let tab = self.tabs.iter().find(|tab| tab.id == client).expect("one of them");
        let sent = tab.client.outstanding().filter(|sent| sent.seq == last.seq);
        let submission = sent.map_or_else(
            || Submission::new(last.seq, Revision::MAX, Operation::default(), None).hash(),
            |sent| received(sent).hash(),
        );
        let (author, seq, revision) = (last.author.clone(), last.seq, last.revision);
        Some(ClientProgress { author, seq, revision, submission })
    }

    fn event(&mut self, event: Event) {
        let mut effects = Vec::new();
        self.state.handle(event, &mut effects);
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Append { batch, base, operations, .. } => {
                    self.appends.push_back((batch, base, operations));
                }
                Effect::Committed(committed) => {
                    assert!(committed.revision <= self.log.head(), "durable before visible");
                    let logged = &self.log.0[committed.revision.get() as usize - 1];
                    assert_eq!(logged.operation, *committed.operation);
                    assert_eq!((logged.client, logged.seq), (committed.client, committed.seq));
                }
                Effect::Answer { session, answer } => {
                    let mut tabs = self.tabs.iter_mut();
                    if let Some(tab) = tabs.find(|tab| tab.session == Some(session)) {
                        let in_stream = matches!(&answer, Answer::Ack { revision, .. } if *revision > tab.start);
                        if !in_stream {
                            tab.downlink.push_back(answer);
                        }
                    }
                }
                Effect::Admit { session, last, .. } => self.admit(session, last),
                Effect::Refuse { refusal, .. } => assert_eq!(refusal, Refusal::Unavailable),
                Effect::Damaged { reason } => panic!("{reason}"),
                read => self.reads.push_back(read),
            }
        }
    }

    /// The newest session of a client is the one that its tab uses; what it had in flight is sent
    /// again, byte for byte.
    fn admit(&mut self, session: SessionNumber, last: Option<(ClientSeq, Revision)>) {
        let Some(id) = self.state.clients_by_session.get(&session).copied() else { return };
        let tab = self.tabs.iter_mut().find(|tab| tab.id == id).expect("one of them");
        tab.session = Some(session);
        if self.entries[session.0 as usize] == Entry::Afresh {
            let (last_seq, _) = last.unwrap_or_default();
            let (text, head) = (self.state.text().to_string(), self.state.head());
            tab.client.reset(&text, head, last_seq).expect("fits");
        }
        tab.start = tab.client.revision();
        tab.downlink.clear();
        tab.uplink = tab.client.outstanding().map(received).into_iter().collect();
    }

    /// Everything comes back, and everybody says what they have to say.
    fn heal(&mut self) {
        self.is_healing = true;
        let mut nothing = Choices::new(&[]);
        for _ in 0..400 {
            for tab in 0..self.tabs.len() {
                self.connect(tab, Entry::Resuming { at: Revision::ZERO });
                self.send(tab);
                self.deliver_up(tab);
                self.deliver_down(tab, &mut nothing);
            }
            self.decide();
            self.finish_read(&mut nothing);
            self.finish_append(&mut nothing);
            self.state.check_invariants();
        }
    }

    fn check_end(&self) {
        let text = self.state.text().to_string();
        let mut replayed = String::new();
        for logged in &self.log.0 {
            replayed = logged.operation.apply(&replayed).expect("a log replays");
        }
        assert_eq!(text, replayed, "the log is the text");
        for tab in &self.tabs {
            assert!(!tab.client.has_pending(), "{}: everything is answered", tab.id);
            assert_eq!(tab.client.text().to_string(), text, "{}", tab.id);
            let own = self.log.0.iter().filter(|logged| logged.client == tab.id);
            let seqs: Vec<u64> = own.map(|logged| logged.seq.get()).collect();
            assert!(seqs.is_sorted_by(|one, next| one < next), "each at most once: {seqs:?}");
        }
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        assert!(letters.is_sorted_by(|one, next| one < next), "nothing is doubled: {text}");
        assert!(self.state.is_quiet());
    }
}

fn received(submission: &ot_core::Submission) -> Submission {
    Submission::new(submission.seq, submission.revision, submission.op.clone(), None)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn all_converge_whatever_becomes_of_appends_reads_and_connections(
        tabs in 1..4_usize,
        bytes in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let mut world = World::new(tabs);
        let mut choices = Choices::new(&bytes);
        while !choices.is_empty() {
            world.step(&mut choices);
        }
        world.heal();
        world.check_end();
    }
}
