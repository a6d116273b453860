//! What a document knows of each editing replica, and who is let in as one.

use collab_protocol::{ClientId, RejectCode, SessionNumber, UserId};
use ot_core::{ClientSeq, Revision};

use super::event::{Begun, Effect, Entry, ReadFault, Refusal};
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
    /// Whether a fence is under way for sessions that enter afresh.
    pub(super) is_fencing: bool,
    /// Whether `last` includes what was stored before this client was seen.
    pub(super) is_read: bool,
    pub(super) last: Option<Last>,
    /// The last submission that was finally rejected, with the answer it got.
    pub(super) rejected: Option<(ClientSeq, RejectCode)>,
    /// The version of the rights under which its session was let in.
    pub(super) under: u64,
    /// Whether something that its session submitted has its answer: what comes after that was sent
    /// to nobody else.
    pub(super) is_settled: bool,
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
            is_fencing: false,
            is_read: false,
            last: None,
            rejected: None,
            under: 0,
            is_settled: false,
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
        let awaits = !self.joining.is_empty() || self.held.is_some() || self.is_fencing;
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
            self.ahead.push(Ahead { session, client: id, user, at, entry });
            self.heard = self.heard.max(at);
            self.catch_up(effects);
            return;
        }
        self.join_known(session, id, user, entry, effects);
    }

    /// Lets those in whose clients were ahead of this state, and are not any more.
    pub(super) fn let_in_caught_up(&mut self, effects: &mut Vec<Effect>) {
        let head = self.head();
        let (caught_up, ahead) = self.ahead.drain(..).partition(|ahead| ahead.at <= head);
        self.ahead = ahead;
        self.enter(caught_up, effects);
    }

    /// Lets those in whose clients were ahead of this state. The log was read: who is still ahead
    /// has heard of what it does not hold.
    pub(super) fn let_in_ahead(&mut self, effects: &mut Vec<Effect>) {
        let ahead = std::mem::take(&mut self.ahead);
        self.enter(ahead, effects);
    }

    fn enter(&mut self, ahead: Vec<Ahead>, effects: &mut Vec<Effect>) {
        for Ahead { session, client, user, at, entry } in ahead {
            let is_known = at <= self.head() || entry == Entry::Fenced;
            let entry = if is_known { entry } else { Entry::Afresh };
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
        let (is_shared, version) = (self.is_shared, self.rights.version);
        let Some(client) = self.clients.get_mut(&id) else { return };
        let mut afresh = client.joining.iter().filter(|(.., entry)| *entry == Entry::Afresh);
        if is_shared && client.last.is_some() && afresh.next().is_some() {
            // Another server may hold something of it that the text would not have.
            if !std::mem::replace(&mut client.is_fencing, true) {
                effects.push(self.fence(id, None));
            }
            return;
        }
        for (session, user, entry) in std::mem::take(&mut client.joining) {
            if client.is_taken_from(&user) {
                effects.push(Effect::Refuse { session, refusal: Refusal::ClientTaken });
                continue;
            }
            client.let_in_held(effects);
            client.user = user;
            (client.under, client.is_settled) = (version, false);
            let replaces = client.session.replace(session);
            if let Some(replaced) = replaces {
                self.clients_by_session.remove(&replaced);
            }
            self.clients_by_session.insert(session, id);
            client.held = Some((session, replaces));
            let is_resuming = matches!(entry, Entry::Resuming { .. });
            if is_resuming || client.pending == 0 {
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

    /// Lets a client begin anew, for a submission or for sessions that enter afresh. Between looking and
    /// writing another server may do so as well; then only that counts.
    pub(super) fn fence(&self, client: ClientId, seq: Option<ClientSeq>) -> Effect {
        Effect::Fence { client, seq, known: self.rights.fence_of(client) }
    }

    /// The client began anew. Where it did so here, nothing that was received of it before is committed
    /// any more, but what is here and was not given up for an earlier fence. What was committed until
    /// then is known.
    pub(super) fn fenced(
        &mut self,
        id: ClientId,
        seq: Option<ClientSeq>,
        result: Result<Begun, ReadFault>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        match (result, seq) {
            (Ok(Begun { progress, fence }), _) => {
                let at = progress.as_ref().map_or(Revision::ZERO, |last| last.revision);
                progress.into_iter().for_each(|progress| client.note(progress.into()));
                let waiting = self.queue.iter_mut().chain(&mut self.returning);
                let in_flight = self.in_flight.iter_mut().flat_map(|batch| &mut batch.items);
                let originals = waiting.chain(in_flight.map(|item| &mut item.original));
                for pending in originals.filter(|pending| pending.client == id) {
                    if let Some(fence) = fence {
                        fence.keep(&mut pending.under);
                    }
                    pending.is_reading &= Some(pending.submission.seq()) != seq;
                }
                if fence.is_some_and(|fence| fence.keep(&mut client.under)) {
                    client.is_settled = true;
                }
                match (seq, fence) {
                    (Some(_), _) => {}
                    (None, Some(_)) => self.enter_fenced(id, at, effects),
                    (None, None) => effects.push(self.fence(id, None)),
                }
                self.heard = self.heard.max(at);
                self.catch_up(effects);
            }
            (Err(ReadFault::Corrupt(reason)), _) => self.damage(reason, effects),
            (Err(ReadFault::Unavailable), None) => {
                client.is_fencing = false;
                self.give_up_on(id, effects);
            }
            (Err(ReadFault::Unavailable), Some(seq)) => {
                if let Some(index) = self.reading(id, seq) {
                    self.read_failed(index, ReadFault::Unavailable, effects);
                }
            }
        }
        self.forget_if_idle(id);
    }

    /// Lets those in who enter afresh, once the text holds all that is committed of their client.
    fn enter_fenced(&mut self, id: ClientId, at: Revision, effects: &mut Vec<Effect>) {
        let is_known = at <= self.head();
        let Some(client) = self.clients.get_mut(&id) else { return };
        client.is_fencing = false;
        for (session, user, entry) in std::mem::take(&mut client.joining) {
            let entry = if entry == Entry::Afresh { Entry::Fenced } else { entry };
            match is_known || entry != Entry::Fenced {
                true => client.joining.push((session, user, entry)),
                false => self.ahead.push(Ahead { session, client: id, user, at, entry }),
            }
        }
        self.admit(id, effects);
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
        let under = client.under;
        let pending = Pending {
            session,
            client: id,
            visitor,
            submission,
            under,
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
        self.settled(pending);
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

    /// A submission has its final answer.
    pub(super) fn settled(&mut self, pending: &Pending) {
        if let Some(client) = self.clients.get_mut(&pending.client)
            && client.session == Some(pending.session)
        {
            client.is_settled = true;
        }
    }

    /// Remembers a final answer: a resend of the same submission gets it again, even where it could
    /// be committed by now, because the client may have been told already. Not where another session
    /// has taken the place of the one that is answered: nobody is told that.
    pub(super) fn burn(&mut self, pending: &Pending, code: RejectCode) {
        self.settled(pending);
        let seq = pending.submission.seq();
        let is_new = |known: ClientSeq| known < seq;
        if let Some(client) = self.clients.get_mut(&pending.client)
            && client.session.is_none_or(|live| live == pending.session)
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
