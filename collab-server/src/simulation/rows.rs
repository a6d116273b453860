//! The store's model: rows that are on disk, and rows that are only written.
//!
//! An append is written first and synced later; only then does anybody see it, and only then is it
//! done. When the power goes, what was not synced is gone.

use std::collections::BTreeSet;
use std::sync::Arc;

use collab_protocol::{ClientId, DocumentId, Epoch, GivenRole, LinkAccess, TenantId, UserId};
use ot_core::{ClientSeq, Operation, Revision};

use super::violated;
use crate::document::{Begun, Fence, Look, Read, ReadDone, ReadFault, SubmissionHash};
use crate::revision::between;
use crate::rights::{Rights, RightsChange};
use crate::sabotage::{self, Bug};
use crate::store::{
    Append, ChainHash, ClientProgress, DocumentRecord, Loaded, LoggedOperation, Snapshot,
    StoreError, TailPage, TextKey, check_loaded,
};

/// One document's rows.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    document: DocumentId,
    log: Vec<LoggedOperation>,
    said: Vec<SubmissionHash>,
    /// How many of them are on disk.
    synced: usize,
    snapshots: Vec<Snapshot>,
    /// How often the power went.
    losses: u64,
    pub(super) rights: Rights,
    /// Who might not write at some time.
    pub(super) denied: BTreeSet<UserId>,
}

/// What an append came to, when it was written.
pub(super) enum Written {
    /// It ends there, once it is synced, if the power did not go until then.
    UpTo {
        end: usize,
        losses: u64,
    },
    Conflict,
}

impl Rows {
    pub(super) fn new(document: DocumentId) -> Rows {
        Rows {
            document,
            log: Vec::new(),
            said: Vec::new(),
            synced: 0,
            snapshots: Vec::new(),
            losses: 0,
            rights: Rights::new(
                TenantId::default(),
                "g_owner".parse().expect("an id"),
                LinkAccess::Edit,
            ),
            denied: BTreeSet::new(),
        }
    }

    /// The log as far as it is on disk.
    pub(super) fn durable(&self) -> &[LoggedOperation] {
        &self.log[..self.synced]
    }

    pub(super) fn head(&self) -> Revision {
        Revision::new(self.synced as u64)
    }

    pub(super) fn epoch() -> Epoch {
        Epoch::new(7)
    }

    fn record(&self) -> DocumentRecord {
        let Rights { version, tenant, owner, link, .. } = self.rights.clone();
        DocumentRecord {
            id: self.document,
            title: String::new(),
            tenant,
            owner,
            link,
            rights_version: version,
            epoch: Rows::epoch(),
            text_key: TextKey::from_bytes([3; 32]),
            revision: self.head(),
            chain: self.durable().last().map_or(ChainHash::START, |last| last.chain),
            len_chars: 0,
            created_ms: 0,
            updated_ms: 0,
            deleted_ms: None,
        }
    }

    pub(super) fn load(&self) -> Result<Loaded, StoreError> {
        let record = self.record();
        let snapshot = self.snapshots.last().cloned();
        let start = snapshot.as_ref().map_or(0, |snapshot| snapshot.revision.get()) as usize;
        let tail = self.durable().get(start..).unwrap_or_default().to_vec();
        check_loaded(&record, snapshot.as_ref(), &tail)?;
        let rights = self.rights.clone();
        Ok(Loaded { record, rights, snapshot, tail, authors: Vec::new() })
    }

    /// A document that nobody has written to; for a planted bug.
    pub(super) fn empty(&self) -> Loaded {
        let new = Rows::new(self.document);
        let (record, rights) = (new.record(), new.rights);
        Loaded { record, rights, snapshot: None, tail: Vec::new(), authors: Vec::new() }
    }

    /// Writes an append, if the log ends where it begins and its clients' numbers are unused.
    pub(super) fn write(&mut self, append: &Append) -> Written {
        let is_fenced = !sabotage::is_planted(Bug::NoDedupe);
        let is_new = |client: ClientId, seq: ClientSeq, author: &UserId| {
            let last = self.log.iter().rfind(|logged| logged.client == client);
            last.is_none_or(|last| last.seq < seq && last.author == *author)
        };
        let chain = self.log.last().map_or(ChainHash::START, |last| last.chain);
        let wins = append.base.get() == self.log.len() as u64
            && (chain == append.base_chain || sabotage::is_planted(Bug::FenceByLength))
            && (self.rights.version == append.rights_version
                || sabotage::is_planted(Bug::FenceWithoutRights))
            && (!is_fenced
                || append.operations.iter().all(|new| is_new(new.client, new.seq, &new.author)));
        if !wins {
            return Written::Conflict;
        }
        super::rights::check_append(&self.rights, append);
        for (logged, new) in append.logged().zip(&append.operations) {
            if new.seq.get() >= super::intruders::BAD_SEQ {
                violated("bad edits are refused", format!("{} is appended", new.seq));
            }
            let is_double =
                self.log.iter().any(|known| known.client == new.client && known.seq == new.seq);
            if is_double {
                violated("once each", format!("submission {} is in the log twice", new.seq));
            }
            self.said.push(new.submission);
            self.log.push(logged);
        }
        Written::UpTo { end: self.log.len(), losses: self.losses }
    }

    /// What a load, an append or the judgement at the end finds, as text. Snapshots only where they
    /// are to be read; of them the last alone is.
    pub(super) fn told(&self, with_snapshot: bool) -> String {
        let Rows { document, log, said, synced, snapshots, losses, rights, denied } = self;
        let last = snapshots.last().filter(|_| with_snapshot);
        format!("{document}{log:?}{said:?}{synced} {last:?}{losses} {rights:?}{denied:?}")
    }

    /// Whether an append must wait to hear that it lost: what it loses to is not on disk yet, and may
    /// still be lost itself. Databases make it wait for the other's lock.
    pub(super) fn makes_wait(&self, append: &Append) -> bool {
        self.synced < self.log.len() && append.base.get() < self.log.len() as u64
    }

    /// Changes the rights, on disk; so is then what was written before.
    pub(super) fn change_rights(&mut self, change: &RightsChange) {
        let changed = self.rights.changed(change).expect("it applies");
        self.put_rights(changed);
    }

    fn put_rights(&mut self, rights: Rights) {
        self.rights = rights;
        self.synced = self.log.len();
        let denied = self.rights.members.iter().filter(|(_, role)| **role == GivenRole::Viewer);
        self.denied.extend(denied.map(|(person, _)| person.clone()));
    }

    /// Lets a client begin anew, on disk, unless it did since, and reads what was committed of it.
    pub(super) fn fence(
        &mut self,
        client: ClientId,
        seq: Option<ClientSeq>,
        known: u64,
        fails: bool,
    ) -> ReadDone {
        if fails {
            return ReadDone::Fenced { client, seq, result: Err(ReadFault::Unavailable) };
        }
        let change = RightsChange::Fence { client, known };
        let fence = self.rights.changed(&change).map(|changed| {
            let at = changed.version;
            self.put_rights(changed);
            Fence { known, at }
        });
        let begun = Begun { progress: self.progress(client), fence };
        ReadDone::Fenced { client, seq, result: Ok((Arc::new(self.rights.clone()), begun)) }
    }

    /// What is written up to there is on disk now; `false` when it went with the power.
    pub(super) fn sync(&mut self, end: usize, losses: u64) -> bool {
        if losses != self.losses {
            return false;
        }
        self.synced = self.synced.max(end);
        true
    }

    /// The power goes: only what was synced comes back. How many operations are gone.
    pub(super) fn lose_power(&mut self) -> usize {
        let lost = self.log.len() - self.synced;
        self.log.truncate(self.synced);
        self.said.truncate(self.synced);
        self.losses += 1;
        lost
    }

    /// What a read brings.
    pub(super) fn read(&self, read: &Read, page_len: usize, fails: bool) -> ReadDone {
        match *read {
            Read::Tail { after, .. } => {
                ReadDone::Tail(unless(fails, || self.look(after, page_len)))
            }
            Read::Poll { after } => ReadDone::Poll(unless(fails, || self.look(after, page_len))),
            Read::Progress { client } => {
                ReadDone::Progress { client, result: unless(fails, || self.progress(client)) }
            }
            Read::Fence { .. } => unreachable!("a fence is a call of its own"),
            Read::Submission { client, seq } => ReadDone::Submission {
                client,
                seq,
                result: unless(fails, || self.find(client, seq)),
            },
            Read::Range { client, seq, after, through } => {
                let result = unless(fails, || self.composed(after, through));
                ReadDone::Range { client, seq, through, result }
            }
        }
    }

    fn look(&self, after: Revision, len_max: usize) -> Look {
        let rights = Some(Arc::new(self.rights.clone()));
        Look { page: self.since(after, len_max), rights }
    }

    pub(super) fn since(&self, after: Revision, len_max: usize) -> TailPage {
        let log = self.durable().get(between(Revision::ZERO, after)..).unwrap_or_default();
        let operations = log.iter().take(len_max).cloned().collect();
        let rights_version = self.rights.version;
        TailPage { operations, head: self.head(), is_deleted: false, rights_version }
    }

    fn progress(&self, client: ClientId) -> Option<ClientProgress> {
        let index = self.durable().iter().rposition(|logged| logged.client == client)?;
        let last = &self.log[index];
        Some(ClientProgress {
            author: last.author.clone(),
            seq: last.seq,
            revision: last.revision,
            submission: self.said[index],
        })
    }

    pub(super) fn find(&self, client: ClientId, seq: ClientSeq) -> Option<Revision> {
        let mut log = self.durable().iter();
        Some(log.find(|logged| logged.client == client && logged.seq == seq)?.revision)
    }

    pub(super) fn operations(&self, after: Revision, through: Revision) -> Vec<Operation> {
        let (from, to) = (after.get() as usize, through.get() as usize);
        self.durable()[from..to].iter().map(|logged| logged.operation.clone()).collect()
    }

    /// All of that as one operation; there is some.
    pub(super) fn composed(&self, after: Revision, through: Revision) -> Operation {
        let composed = ot_core::compose_all(self.operations(after, through));
        composed.expect("a log composes").expect("a range is not empty")
    }

    pub(super) fn put_snapshot(&mut self, snapshot: Snapshot) {
        if snapshot.revision > self.head() {
            violated("durable before visible", "a snapshot is ahead of the log".to_owned());
        }
        let stands = self.snapshots.last().map(|last| last.revision);
        if stands.is_none_or(|stands| stands < snapshot.revision) {
            self.snapshots.push(snapshot);
        }
        if self.snapshots.len() > 2 {
            self.snapshots.remove(0);
        }
    }

    /// The text that the log stands for at a revision.
    pub(super) fn text_at(&self, revision: Revision) -> String {
        let mut text = ot_core::Text::new();
        for logged in &self.durable()[..revision.get() as usize] {
            let applied = text.apply(&logged.operation);
            if let Err(error) = applied {
                violated("the log replays", format!("revision {}: {error}", logged.revision));
            }
        }
        text.to_string()
    }
}

/// What was found, unless the read is to fail.
fn unless<T>(fails: bool, found: impl FnOnce() -> T) -> Result<T, ReadFault> {
    if fails { Err(ReadFault::Unavailable) } else { Ok(found()) }
}
