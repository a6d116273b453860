//! A small world: clients, one server that sequences, and pipes that delay, cut and repeat.
//!
//! Everything is decided by [`Choices`], so a failing run is its bytes.

use std::collections::{HashSet, VecDeque};

use super::{Choices, EditPlan};
use crate::client::{Acknowledged, Client, Submission};
use crate::history::History;
use crate::operation::Operation;
use crate::position::{ClientSeq, Revision};
use crate::selection::{Ranges, Selection};
use crate::text::{Text, TextHash};
use crate::transform::transform_pending;
use crate::wire::Limits;

const SITES: usize = 3;
/// Draining settles everything in a few rounds; more means that nothing moves any more.
const DRAIN_ROUNDS_MAX: usize = 1_000;

/// What happened in a run, so that a test can see that it covered something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Report {
    /// Edits made by clients, undo and redo included.
    pub edits: usize,
    /// Submissions committed.
    pub commits: usize,
    /// Entries that were several revisions composed.
    pub composed: usize,
    /// Submissions refused for good.
    pub rejects: usize,
    /// Submissions that arrived again after they were answered.
    pub repeats: usize,
    /// Splits: submissions that left a rest in the buffer.
    pub splits: usize,
}

impl Report {
    /// Adds up the runs of a test.
    pub fn add(&mut self, other: &Report) {
        self.edits += other.edits;
        self.commits += other.commits;
        self.composed += other.composed;
        self.rejects += other.rejects;
        self.repeats += other.repeats;
        self.splits += other.splits;
    }
}

/// Lets clients edit, undo, lose connections, repeat themselves, be refused and reload as `bytes`
/// say, then lets everything arrive.
///
/// # Panics
/// When replicas differ, a rebase of the server and of a client disagree, a composed rebase
/// differs from the single steps, a resend differs from the first, a character that nobody deleted
/// or refused is missing or doubled, or an invariant is broken.
pub fn run_schedule(bytes: &[u8]) -> Report {
    let mut world = World::new();
    let mut choices = Choices::new(bytes);
    while !choices.is_empty() {
        world.step(&mut choices);
    }
    world.drain();
    world.report
}

enum Message {
    Operation { op: Operation, to: Revision, check: TextHash },
    Ack { seq: ClientSeq, to: Revision },
    Reject { seq: ClientSeq },
}

struct Site {
    client: Client,
    up: VecDeque<Submission>,
    down: VecDeque<Message>,
    /// The revision up to which the server has written to this site.
    written: Revision,
    frozen: Option<Submission>,
}

struct Server {
    text: Text,
    history: History,
    /// Who made each revision, with which seq.
    authors: Vec<(usize, ClientSeq)>,
    hashes: Vec<TextHash>,
    last_seq: [ClientSeq; SITES],
    refused: HashSet<(usize, ClientSeq)>,
}

struct World {
    server: Server,
    sites: Vec<Site>,
    report: Report,
    next_letter: u32,
    now_ms: u64,
    inserted: HashSet<char>,
    /// Deleted or refused at least once, so that nothing is promised about it.
    released: HashSet<char>,
}

impl World {
    fn new() -> World {
        let text = "start";
        let site = || Site {
            client: Client::new(text, Revision::ZERO, ClientSeq::new(1)),
            up: VecDeque::new(),
            down: VecDeque::new(),
            written: Revision::ZERO,
            frozen: None,
        };
        World {
            server: Server {
                text: Text::from(text),
                history: History::new(Revision::ZERO, text.len()),
                authors: Vec::new(),
                hashes: vec![TextHash::of(text)],
                last_seq: [ClientSeq::ZERO; SITES],
                refused: HashSet::new(),
            },
            sites: std::iter::repeat_with(site).take(SITES).collect(),
            report: Report::default(),
            next_letter: 0,
            now_ms: 0,
            inserted: HashSet::new(),
            released: HashSet::new(),
        }
    }

    fn step(&mut self, choices: &mut Choices<'_>) {
        let site = choices.below(SITES);
        match choices.below(16) {
            0..=3 => self.edit(site, choices),
            4 => self.take_back(site, Client::undo),
            5 => self.take_back(site, Client::redo),
            6 | 7 => {
                let inserted_bytes_max = 4 + 4 * choices.below(4);
                self.submit(site, &Limits { inserted_bytes_max, ..Limits::NONE });
            }
            8 | 9 => {
                let refuse = choices.one_in(6);
                self.deliver_up(site, refuse);
            }
            10 | 11 => self.write(site, choices.below(6)),
            12 | 13 => self.deliver_down(site),
            14 if choices.one_in(2) => self.cut(site),
            14 => self.reload(site),
            _ => self.repeat(site),
        }
        let client = &self.sites[site].client;
        client.check_invariants();
        self.server.history.check_invariants();
    }

    fn edit(&mut self, site: usize, choices: &mut Choices<'_>) {
        self.now_ms += [10, 900, 5_000][choices.below(3)];
        let next_letter = &mut self.next_letter;
        let plan = EditPlan::draw(choices, |_| {
            *next_letter += 1;
            letter(*next_letter)
        });
        let client = &mut self.sites[site].client;
        let op = plan.on(client.text().len_chars());
        self.inserted.extend(op.inserted_text().chars());
        self.released.extend(client.text().removed_by(&op).expect("fits").chars());
        client.edit(op, self.now_ms).expect("made on this text");
        self.report.edits += 1;
    }

    fn take_back(&mut self, site: usize, how: fn(&mut Client) -> Option<Operation>) {
        let client = &mut self.sites[site].client;
        let before = client.text().clone();
        if let Some(patch) = how(client) {
            self.released.extend(before.removed_by(&patch).expect("fits").chars());
            self.released.extend(patch.inserted_text().chars());
            assert!(!patch.is_identity(), "undo does something or says so");
            self.report.edits += 1;
        }
    }

    fn submit(&mut self, site: usize, limits: &Limits) {
        let site = &mut self.sites[site];
        if let Some(submission) = site.client.take_submission(limits) {
            self.report.splits += usize::from(!submission.whole);
            site.frozen = Some(submission.clone());
            site.up.push_back(submission);
        }
    }

    fn deliver_up(&mut self, site: usize, refuse: bool) {
        let Some(submission) = self.sites[site].up.pop_front() else {
            return;
        };
        let seq = submission.seq;
        if seq <= self.server.last_seq[site] {
            self.report.repeats += 1;
            if self.server.refused.contains(&(site, seq)) {
                self.sites[site].down.push_back(Message::Reject { seq });
            }
            return;
        }
        self.server.last_seq[site] = seq;
        if refuse {
            self.server.refused.insert((site, seq));
            self.report.rejects += 1;
            self.sites[site].down.push_back(Message::Reject { seq });
        } else {
            self.server.commit(site, &submission);
            self.report.commits += 1;
        }
    }

    /// Writes what a site lacks as one message: its own entry as an ack, others composed, all up
    /// to its next own one or `most` of them (0: no bound).
    fn write(&mut self, site: usize, most: usize) {
        let from = self.sites[site].written;
        let authors = &self.server.authors[from.get() as usize..];
        let Some(&(author, seq)) = authors.first() else {
            return;
        };
        if author == site {
            let to = from.next().expect("small");
            self.sites[site].written = to;
            self.sites[site].down.push_back(Message::Ack { seq, to });
            return;
        }
        let mut count = authors.iter().take_while(|(author, _)| *author != site).count();
        if most > 0 {
            count = count.min(most);
        }
        self.report.composed += usize::from(count > 1);
        let to = from.plus(count as u64).expect("small");
        let op = self.server.history.range(from, to).expect("kept");
        let check = self.server.hashes[to.get() as usize];
        self.sites[site].written = to;
        self.sites[site].down.push_back(Message::Operation { op, to, check });
    }

    fn deliver_down(&mut self, site: usize) {
        let Some(message) = self.sites[site].down.pop_front() else {
            return;
        };
        let client = &mut self.sites[site].client;
        match message {
            Message::Operation { op, to, check } => {
                let mut expected = client.text().clone();
                let patch = client.receive(&op, to).expect("in order");
                expected.apply(&patch).expect("the patch is for the local text");
                assert_eq!(&expected, client.text(), "the patch tells what changed");
                if let Some(found) = client.server_text_hash() {
                    assert_eq!(found, check, "settled clients hold the server's text");
                }
                let ranges = Ranges::one(Selection::new(op.target_len(), 0));
                assert!(client.carry_ranges(&ranges).fit(client.text().len_chars()));
            }
            Message::Ack { seq, to } => {
                let sent = client.export().outstanding.expect("own entries are in flight");
                let committed = self.server.history.range(client.revision(), to).expect("kept");
                assert_eq!(sent.1.op(), &committed, "both ends rebased alike");
                assert_eq!(client.acknowledge(seq, to), Ok(Acknowledged::Outstanding));
            }
            Message::Reject { seq } => {
                let Some(rejected) = client.reject(seq).expect("short") else {
                    return;
                };
                self.released.extend(rejected.op.inserted_text().chars());
                self.released.extend(rejected.patch.inserted_text().chars());
            }
        }
    }

    /// The connection is lost with all that is on the way; the client comes back.
    fn cut(&mut self, site: usize) {
        let site = &mut self.sites[site];
        site.up.clear();
        site.down.clear();
        site.written = site.client.revision();
        let outstanding = site.client.outstanding().cloned();
        assert!(outstanding.is_none() || outstanding == site.frozen, "a resend is the same");
        site.up.extend(outstanding);
    }

    /// The tab is closed and opened again from storage.
    fn reload(&mut self, site: usize) {
        let work = self.sites[site].client.export();
        let restored = Client::restore(work.clone()).expect("what was exported is sound");
        assert_eq!(restored.export(), work);
        self.sites[site].client = restored;
        self.cut(site);
    }

    fn repeat(&mut self, site: usize) {
        let site = &mut self.sites[site];
        site.up.extend(site.client.outstanding().cloned());
    }

    /// Lets everything arrive and compares.
    fn drain(&mut self) {
        for round in 0.. {
            assert!(round < DRAIN_ROUNDS_MAX, "the world comes to rest");
            for site in 0..SITES {
                self.submit(site, &Limits::NONE);
                while !self.sites[site].up.is_empty() {
                    self.deliver_up(site, false);
                }
            }
            for site in 0..SITES {
                while self.sites[site].written < self.server.history.head() {
                    self.write(site, 0);
                }
                while !self.sites[site].down.is_empty() {
                    self.deliver_down(site);
                }
                self.sites[site].client.check_invariants();
            }
            if self.sites.iter().all(|site| !site.client.has_pending()) {
                break;
            }
        }
        let text = self.server.text.to_string();
        for site in &self.sites {
            assert_eq!(site.client.revision(), self.server.history.head());
            assert_eq!(site.client.text().to_string(), text, "replicas converge");
        }
        for kept in self.inserted.difference(&self.released) {
            let found = text.chars().filter(|c| c == kept).count();
            assert_eq!(found, 1, "{kept:?}, which nobody deleted, is there once");
        }
    }
}

impl Server {
    fn commit(&mut self, site: usize, submission: &Submission) {
        let from = submission.revision;
        let op = self.history.rebase(&submission.op, from).expect("clients send what fits");
        let mut stepwise = submission.op.clone();
        for committed in self.history.operations(from, self.history.head()).expect("kept") {
            stepwise = transform_pending(&stepwise, committed).expect("one base");
        }
        assert_eq!(op, stepwise, "composed history rebases as its steps do");
        self.text.apply(&op).expect("rebased to the head");
        self.history.push(op).expect("rebased to the head");
        self.authors.push((site, submission.seq));
        self.hashes.push(self.text.hash());
    }
}

/// A character of its own for each number: of two, three or four bytes.
fn letter(number: u32) -> char {
    let code = match number % 3 {
        0 if number < 3_000 => 0x100 + number / 3,
        1 => 0x4E00 + number / 3,
        _ => 0x2_0000 + number,
    };
    char::from_u32(code).expect("a scalar value")
}
