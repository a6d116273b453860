//! A state with the outside world played by hand.

use collab_protocol::{ClientId, LinkAccess, RejectCode, SessionNumber, TenantId, UserId};
use ot_core::testing::parse;
use ot_core::{ClientSeq, Operation, Ranges, Revision, Text, compose_all};

use super::*;
use crate::rights::RightsChange;
use crate::store::{ChainHash, ClientProgress, LoggedOperation, TailPage};

pub(super) const CLIENT: ClientId = ClientId::new(1);
pub(super) const OTHER: ClientId = ClientId::new(2);
pub(super) const THIRD: ClientId = ClientId::new(3);

pub(super) fn session(number: u32) -> SessionNumber {
    SessionNumber(number)
}

/// Rights under which whoever has the link edits.
pub(super) fn open_to_all() -> Arc<Rights> {
    Arc::new(Rights::new(TenantId::default(), user(0), LinkAccess::Edit))
}

pub(super) fn user(number: u128) -> UserId {
    format!("g_{number}").parse().expect("an id")
}

pub(super) fn operation(notation: &str) -> Operation {
    parse(notation).expect("notation")
}

/// A row of the log, as another server may have written it.
pub(super) fn logged(revision: u64, client: ClientId, seq: u64, notation: &str) -> LoggedOperation {
    LoggedOperation {
        revision: Revision::new(revision),
        client,
        seq: ClientSeq::new(seq),
        author: user(client.get()),
        time_ms: 0,
        operation: operation(notation),
        chain: ChainHash::START,
    }
}

pub(super) fn config() -> DocumentConfig {
    DocumentConfig {
        text_bytes_max: 16,
        components_max: 6,
        document_bytes_max: 40,
        ranges_max: 2,
        batch_len_max: 3,
        pending_max: 6,
        ring_len: 4,
        ..DocumentConfig::default()
    }
}

pub(super) struct Append {
    pub(super) batch: u64,
    pub(super) base: Revision,
    pub(super) operations: Vec<Decided>,
}

type Admission = Result<(Option<(ClientSeq, Revision)>, Option<SessionNumber>), Refusal>;

/// Each client speaks through a session of its own number, unless a test says otherwise.
pub(super) struct Desk {
    pub(super) state: State,
    /// Under way, oldest first.
    pub(super) appends: Vec<Append>,
    pub(super) committed: Vec<(u64, ClientId, u64)>,
    pub(super) admitted: Vec<(SessionNumber, Admission)>,
    pub(super) tail_reads: u32,
    /// Those of them whose append is to go ahead.
    pub(super) went_ahead: u32,
    /// Asked for and not yet given, as (after, through).
    pub(super) range_reads: Vec<(u64, u64)>,
    pub(super) damaged: u32,
    /// Asked for and not yet made.
    pub(super) fences: Vec<(ClientId, Option<ClientSeq>, u64)>,
    /// Sessions that have to ask again.
    pub(super) dismissed: Vec<SessionNumber>,
    /// Whether reads of a client's progress are left to the test.
    pub(super) holds_reads: bool,
    /// What other servers have committed and nobody has told here, as (client, number, revision).
    pub(super) elsewhere: Vec<(ClientId, u64, u64)>,
    answers: Vec<(u64, Result<u64, RejectCode>)>,
    range_of: Vec<(ClientId, ClientSeq)>,
    log: Vec<LoggedOperation>,
}

impl Desk {
    pub(super) fn new(text: &str) -> Desk {
        let config = Arc::new(config());
        Desk {
            state: State::new(config, Text::from(text), Revision::ZERO, false, open_to_all()),
            appends: Vec::new(),
            committed: Vec::new(),
            admitted: Vec::new(),
            tail_reads: 0,
            went_ahead: 0,
            range_reads: Vec::new(),
            damaged: 0,
            fences: Vec::new(),
            dismissed: Vec::new(),
            holds_reads: false,
            elsewhere: Vec::new(),
            answers: Vec::new(),
            range_of: Vec::new(),
            log: Vec::new(),
        }
    }

    pub(super) fn text(&self) -> String {
        self.state.text().to_string()
    }

    pub(super) fn head(&self) -> u64 {
        self.state.head().get()
    }

    /// An operation that puts `text` at the end.
    pub(super) fn ending(&self, text: &str) -> String {
        match self.state.text().len_chars() {
            0 => format!("+{text:?}"),
            len => format!("={len} +{text:?}"),
        }
    }

    pub(super) fn event(&mut self, event: Event) {
        let mut effects = Vec::new();
        self.state.handle(event, &mut effects);
        self.carry_out(effects);
    }

    pub(super) fn decide(&mut self) {
        loop {
            let mut effects = Vec::new();
            self.state.decide(&mut effects);
            if effects.is_empty() {
                return;
            }
            self.carry_out(effects);
        }
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Append { batch, base, operations, .. } => {
                    self.appends.push(Append { batch, base, operations });
                }
                Effect::Committed(committed) => self.note_committed(&committed),
                Effect::Answer { answer, .. } => self.note_answer(answer),
                Effect::Admit { session, last, replaces } => {
                    self.admitted.push((session, Ok((last, replaces))));
                }
                Effect::Refuse { session, refusal } => {
                    self.admitted.push((session, Err(refusal)));
                }
                Effect::ReadTail { goes_ahead, .. } => {
                    self.tail_reads += 1;
                    self.went_ahead += u32::from(goes_ahead);
                }
                Effect::ReadRange { client, seq, after, through } => {
                    self.range_reads.push((after.get(), through.get()));
                    self.range_of.push((client, seq));
                }
                Effect::ReadProgress { client } if !self.holds_reads => {
                    let result = Ok(self.progress(client));
                    self.event(Event::ProgressRead { client, result });
                }
                Effect::ReadProgress { .. } => {}
                Effect::FindSubmission { client, seq } => {
                    let result = Ok(self.find(client, seq));
                    self.event(Event::SubmissionFound { client, seq, result });
                }
                Effect::Fence { client, seq, known } => self.fences.push((client, seq, known)),
                Effect::Dismiss { session } => self.dismissed.push(session),
                Effect::Damaged { .. } => self.damaged += 1,
            }
        }
        self.state.check_invariants();
    }

    fn note_committed(&mut self, committed: &Committed) {
        assert_eq!(committed.revision.get(), self.log.len() as u64 + 1, "no revision is left out");
        self.committed.push((committed.revision.get(), committed.client, committed.seq.get()));
        self.log.push(LoggedOperation {
            revision: committed.revision,
            client: committed.client,
            seq: committed.seq,
            author: committed.author.clone(),
            time_ms: 0,
            operation: (*committed.operation).clone(),
            chain: ChainHash::START,
        });
    }

    fn note_answer(&mut self, answer: Answer) {
        self.answers.push(match answer {
            Answer::Ack { seq, revision } => (seq.get(), Ok(revision.get())),
            Answer::Reject { seq, code, .. } => (seq.get(), Err(code)),
            Answer::BadRanges | Answer::SelectAgain => panic!("selections are not answered here"),
        });
    }

    fn progress(&self, client: ClientId) -> Option<ClientProgress> {
        let last = self.log.iter().rfind(|logged| logged.client == client)?;
        Some(ClientProgress {
            author: last.author.clone(),
            seq: last.seq,
            revision: last.revision,
            submission: Submission::new(last.seq, Revision::MAX, Operation::default(), None).hash(),
        })
    }

    fn find(&self, client: ClientId, seq: ClientSeq) -> Option<Revision> {
        let found = self.log.iter().find(|logged| logged.client == client && logged.seq == seq);
        let is_this = |other: &&(ClientId, u64, u64)| (other.0, other.1) == (client, seq.get());
        let elsewhere = self.elsewhere.iter().find(is_this);
        let elsewhere = elsewhere.map(|(_, _, revision)| Revision::new(*revision));
        found.map(|logged| logged.revision).or(elsewhere)
    }

    pub(super) fn join(&mut self, number: u32, client: ClientId, user_number: u128) -> Admission {
        let (session, user) = (session(number), user(user_number));
        self.event(Event::Join { session, client, user, entry: Entry::Afresh });
        let (admitted, admission) = self.admitted.pop().expect("answered");
        assert_eq!(admitted, session);
        admission
    }

    pub(super) fn ask_to_join(&mut self, number: u32, client: ClientId, entry: Entry) {
        let (session, user) = (session(number), user(client.get()));
        self.event(Event::Join { session, client, user, entry });
    }

    pub(super) fn submit(&mut self, client: ClientId, seq: u64, base: u64, notation: &str) {
        self.submit_with(client, seq, base, notation, None);
    }

    pub(super) fn submit_with(
        &mut self,
        client: ClientId,
        seq: u64,
        base: u64,
        notation: &str,
        ranges: Option<Ranges>,
    ) {
        let number = u32::try_from(client.get()).expect("small");
        if !self.state.clients.contains_key(&client) && !self.holds_reads {
            self.join(number, client, client.get()).ok();
        }
        self.send(number, client, seq, base, notation, ranges);
    }

    pub(super) fn submit_from(
        &mut self,
        number: u32,
        client: ClientId,
        seq: u64,
        base: u64,
        notation: &str,
    ) {
        self.send(number, client, seq, base, notation, None);
    }

    fn send(
        &mut self,
        number: u32,
        client: ClientId,
        seq: u64,
        base: u64,
        notation: &str,
        ranges: Option<Ranges>,
    ) {
        let known = self.state.clients.get(&client).map(|client| client.user.clone());
        let user = known.unwrap_or_else(|| user(client.get()));
        let submission =
            Submission::new(ClientSeq::new(seq), Revision::new(base), operation(notation), ranges);
        self.event(Event::Submit {
            session: session(number),
            client,
            visitor: user.into(),
            submission,
        });
    }

    /// The first fence that was asked for is made; the log holds this of its client.
    pub(super) fn fence(&mut self, progress: Option<ClientProgress>) {
        let (client, seq, known) = self.fences.remove(0);
        let changed = self.state.rights().changed(&RightsChange::Fence { client, known });
        let fence = changed.as_ref().map(|rights| Fence { known, at: rights.version });
        if let Some(rights) = changed.map(Arc::new) {
            self.event(Event::SetRights { rights });
        }
        self.event(Event::Fenced { client, seq, result: Ok(Begun { progress, fence }) });
    }

    /// A fence was made elsewhere, and is heard of.
    pub(super) fn fenced_elsewhere(&mut self, client: ClientId) {
        let known = self.state.rights().fence_of(client);
        let rights = self.state.rights().changed(&RightsChange::Fence { client, known });
        self.event(Event::SetRights { rights: Arc::new(rights.expect("it applies")) });
    }

    /// Submits and commits.
    pub(super) fn commit(&mut self, client: ClientId, seq: u64, base: u64, notation: &str) {
        self.submit(client, seq, base, notation);
        self.decide();
        self.finish(Outcome::Done);
        let last = self.committed.last().expect("something is committed");
        assert_eq!((last.1, last.2), (client, seq));
    }

    /// The oldest append comes back.
    pub(super) fn finish(&mut self, outcome: Outcome) {
        self.finish_at(0, outcome);
    }

    pub(super) fn finish_at(&mut self, index: usize, outcome: Outcome) {
        let batch = self.appends.remove(index).batch;
        self.event(Event::Appended { batch, outcome });
    }

    /// The log is read, and holds these behind what was known.
    pub(super) fn read_tail(&mut self, found: &[(ClientId, u64, &str)]) {
        let base = self.head();
        let operations: Vec<LoggedOperation> = found
            .iter()
            .zip(base + 1..)
            .map(|((client, seq, notation), revision)| logged(revision, *client, *seq, notation))
            .collect();
        let head = Revision::new(base + operations.len() as u64);
        let page = TailPage { operations, head, is_deleted: false, rights_version: 0 };
        self.event(Event::TailRead { result: Ok(page) });
    }

    /// Another server's operation is taken in.
    pub(super) fn ingest(&mut self, client: ClientId, seq: u64, notation: &str) {
        let mut effects = Vec::new();
        let logged = logged(self.head() + 1, client, seq, notation);
        self.state.ingest(logged, &mut effects).expect("it fits");
        self.carry_out(effects);
    }

    /// Gives the first range that was asked for.
    pub(super) fn read_range(&mut self) {
        let (after, through) = self.range_reads.remove(0);
        let (client, seq) = self.range_of.remove(0);
        let range = &self.log[after as usize..through as usize];
        let operations = range.iter().map(|logged| logged.operation.clone());
        let composed = compose_all(operations).expect("a log").expect("not empty");
        let through = Revision::new(through);
        self.event(Event::RangeRead { client, seq, through, result: Ok(composed) });
    }

    pub(super) fn take_answers(&mut self) -> Vec<(u64, Result<u64, RejectCode>)> {
        std::mem::take(&mut self.answers)
    }
}
