//! What a document knows of each editing replica, and who is let in as one.

use collab_protocol::{ClientId, RejectCode, SessionNumber, UserId};
use ot_core::{ClientSeq, Revision};

use super::event::{Effect, Entry, ReadFault, Refusal};
use super::{Ahead, Answer, Pending, Sight, State};
use crate::document::submission::{Submission, SubmissionHash};
use crate::rights::Visitor;
use crate::sabotage::{self, Bug};
use crate::store::ClientProgress;

/// The last committed submission of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Last {
    pub(super) author: UserId,
    pub(super) seq: ClientSeq,
    pub(super) revision: Revision,
    /// What it said; `None` when it was committed by another server.
    pub(super) submission: Option<SubmissionHash>,
}

impl From<ClientProgress> for Last {
    fn from(progress: ClientProgress) -> Self {
        Last {
            author: progress.author,
            seq: progress.seq,
            revision: progress.revision,
            submission: Some(progress.submission),
        }
    }
}

/// A replica that has a session here or a submission on its way.
#[derive(Clone, Debug)]
pub(super) struct Client {
    /// Whose it is. Binding for others once something is committed under it.
    pub(super) user: UserId,
    pub(super) session: Option<SessionNumber>,
    /// Whether `last` includes what was stored before this client was seen.
    pub(super) is_read: bool,
    pub(super) last: Option<Last>,
    /// The last submission that was finally rejected, with the answer it got.
    pub(super) rejected: Option<(ClientSeq, RejectCode)>,
    /// Submissions queued or in flight.
    pub(super) pending: usize,
    /// Sessions that wait until it is known.
    pub(super) joining: Vec<(SessionNumber, UserId, Entry)>,
    /// A session that waits until nothing of the client is on its way, and the one it replaces. It
    /// gets the text, and what is not in there it will say again under a new number: so nothing
    /// may be committed under an old one any more.
    pub(super) held: Option<(SessionNumber, Option<SessionNumber>)>,
}

impl Client {
    fn new(user: UserId) -> Self {
        Client {
            user,
            session: None,
            is_read: false,
            last: None,
            rejected: None,
            pending: 0,
            joining: Vec::new(),
            held: None,
        }
    }

    /// Takes note of a committed submission. What is older than what is known is passed over: a
    /// read may come back later than a commit.
    pub(super) fn note(&mut self, last: Last) {
        if self.last.as_ref().is_none_or(|known| known.seq < last.seq) {
            self.last = Some(last);
        }
    }

    fn let_in_held(&mut self, effects: &mut Vec<Effect>) {
        if let Some((session, replaces)) = self.held.take() {
            let last = self.last.as_ref().map(|last| (last.seq, last.revision));
            effects.push(Effect::Admit { session, last, replaces });
        }
    }

    fn is_idle(&self) -> bool {
        let awaits = !self.joining.is_empty() || self.held.is_some();
        self.is_read && self.session.is_none() && self.pending == 0 && !awaits
    }

    /// Whether somebody else holds this client: by what is committed under it, by a live session,
    /// or by a submission on its way.
    fn is_taken_from(&self, user: &UserId) -> bool {
        match &self.last {
            Some(last) => last.author != *user,
            None => self.user != *user && (self.session.is_some() || self.pending > 0),
        }
    }
}

impl State {
    pub(super) fn join(
        &mut self,
        session: SessionNumber,
        id: ClientId,
        user: UserId,
        entry: Entry,
        effects: &mut Vec<Effect>,
    ) {
        if self.is_deleted {
            effects.push(Effect::Refuse { session, refusal: Refusal::Deleted });
            return;
        }
        if let Entry::Resuming { at } = entry
            && at > self.head()
            && !sabotage::is_planted(Bug::AheadGetsOldText)
        {
            self.ahead.push(Ahead { session, client: id, user, at });
            self.heard = self.heard.max(at);
            self.catch_up(effects);
            return;
        }
        self.join_known(session, id, user, entry, effects);
    }

    /// Lets those in whose clients were ahead of this state. The log was read: who is still ahead
    /// has heard of what it does not hold.
    pub(super) fn let_in_ahead(&mut self, effects: &mut Vec<Effect>) {
        for Ahead { session, client, user, at } in std::mem::take(&mut self.ahead) {
            let is_known = at <= self.head();
            let entry = if is_known { Entry::Resuming { at } } else { Entry::Afresh };
            self.join_known(session, client, user, entry, effects);
        }
    }

    /// The log cannot be read now.
    pub(super) fn turn_away_ahead(&mut self, effects: &mut Vec<Effect>) {
        for Ahead { session, .. } in self.ahead.drain(..) {
            effects.push(Effect::Refuse { session, refusal: Refusal::Unavailable });
        }
    }

    fn join_known(
        &mut self,
        session: SessionNumber,
        id: ClientId,
        user: UserId,
        entry: Entry,
        effects: &mut Vec<Effect>,
    ) {
        let client = self.client(id, &user, effects);
        client.joining.push((session, user, entry));
        if client.is_read {
            self.admit(id, effects);
        }
    }

    /// The client, whose past is read now if it was not here.
    fn client(&mut self, id: ClientId, user: &UserId, effects: &mut Vec<Effect>) -> &mut Client {
        self.clients.entry(id).or_insert_with(|| {
            effects.push(Effect::ReadProgress { client: id });
            Client::new(user.clone())
        })
    }

    /// Takes, in order, the sessions that waited for the client to be known. Of several the last
    /// one stays.
    fn admit(&mut self, id: ClientId, effects: &mut Vec<Effect>) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        for (session, user, entry) in std::mem::take(&mut client.joining) {
            if client.is_taken_from(&user) {
                effects.push(Effect::Refuse { session, refusal: Refusal::ClientTaken });
                continue;
            }
            client.let_in_held(effects);
            client.user = user;
            let replaces = client.session.replace(session);
            if let Some(replaced) = replaces {
                self.clients_by_session.remove(&replaced);
            }
            self.clients_by_session.insert(session, id);
            client.held = Some((session, replaces));
            if entry != Entry::Afresh || client.pending == 0 {
                client.let_in_held(effects);
            }
        }
        self.forget_if_idle(id);
    }

    pub(super) fn left(&mut self, session: SessionNumber) {
        let Some(id) = self.clients_by_session.remove(&session) else { return };
        if let Some(client) = self.clients.get_mut(&id) {
            client.session = None;
        }
        self.forget_if_idle(id);
    }

    pub(super) fn progress_read(
        &mut self,
        id: ClientId,
        result: Result<Option<ClientProgress>, ReadFault>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        client.is_read = true;
        match result {
            Ok(progress) => {
                if let Some(progress) = progress {
                    // Another server may have committed it: its ack stands in the stream behind
                    // what this one has, so that must be read.
                    self.heard = self.heard.max(progress.revision);
                    client.note(progress.into());
                }
                self.admit(id, effects);
                self.catch_up(effects);
            }
            Err(ReadFault::Corrupt(reason)) => self.damage(reason, effects),
            Err(ReadFault::Unavailable) => self.give_up_on(id, effects),
        }
        self.forget_if_idle(id);
    }

    /// The store does not say what this client did before, so nothing of it can be decided. It is
    /// asked again with the client's next message.
    fn give_up_on(&mut self, id: ClientId, effects: &mut Vec<Effect>) {
        let (given_up, kept): (Vec<_>, Vec<_>) =
            self.queue.drain(..).partition(|pending| pending.client == id);
        self.queue.extend(kept);
        for pending in given_up {
            self.reject(&pending, RejectCode::StorageUnavailable, None, effects);
        }
        let Some(client) = self.clients.get_mut(&id) else { return };
        for (session, ..) in client.joining.drain(..) {
            effects.push(Effect::Refuse { session, refusal: Refusal::Unavailable });
        }
    }

    pub(super) fn submit(
        &mut self,
        session: SessionNumber,
        id: ClientId,
        visitor: Visitor,
        submission: Submission,
        effects: &mut Vec<Effect>,
    ) {
        let client = self.client(id, &visitor.user, effects);
        if client.session.is_some_and(|live| live != session) {
            return; // a late frame of a session that was replaced
        }
        client.pending += 1;
        let pending = Pending {
            session,
            client: id,
            visitor,
            submission,
            prefix: None,
            found: None,
            is_reading: false,
            may_be_stored: false,
        };
        if self.pending_count() >= self.config.pending_max {
            self.reject(&pending, RejectCode::Overloaded, None, effects);
        } else if matches!(self.sight, Sight::Reading { attempts: 1.. }) {
            self.reject(&pending, RejectCode::StorageUnavailable, None, effects);
        } else {
            self.queue.push_back(pending);
        }
    }

    pub(super) fn acknowledge(
        &mut self,
        pending: &Pending,
        revision: Revision,
        effects: &mut Vec<Effect>,
    ) {
        let answer = Answer::Ack { seq: pending.submission.seq(), revision };
        effects.push(Effect::Answer { session: pending.session, answer });
        self.release(pending.client, effects);
    }

    pub(super) fn reject(
        &mut self,
        pending: &Pending,
        code: RejectCode,
        message: Option<String>,
        effects: &mut Vec<Effect>,
    ) {
        let answer = Answer::Reject { seq: pending.submission.seq(), code, message };
        if code != RejectCode::BadOp || !sabotage::is_planted(Bug::SilentRefusal) {
            effects.push(Effect::Answer { session: pending.session, answer });
        }
        self.release(pending.client, effects);
    }

    /// Remembers a final answer: a resend of the same submission gets it again, even where it could
    /// be committed by now, because the client may have been told already.
    pub(super) fn burn(&mut self, pending: &Pending, code: RejectCode) {
        let seq = pending.submission.seq();
        let is_new = |known: ClientSeq| known < seq;
        if let Some(client) = self.clients.get_mut(&pending.client)
            && client.last.as_ref().is_none_or(|last| is_new(last.seq))
            && client.rejected.is_none_or(|(burned, _)| is_new(burned))
        {
            client.rejected = Some((seq, code));
        }
    }

    /// Counts one submission of a client as answered.
    pub(super) fn release(&mut self, id: ClientId, effects: &mut Vec<Effect>) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.pending -= 1;
            if client.pending == 0 {
                client.let_in_held(effects);
            }
        }
        self.forget_if_idle(id);
    }

    fn forget_if_idle(&mut self, id: ClientId) {
        let stays =
            |client: &Client| client.rejected.is_some() && sabotage::is_planted(Bug::RefusedStays);
        if self.clients.get(&id).is_some_and(|client| client.is_idle() && !stays(client)) {
            self.clients.remove(&id);
        }
    }
}
