//! Letting sessions in.

use std::sync::Arc;

use collab_protocol::{Epoch, Person, SessionNumber, TextHash};
use ot_core::{ClientSeq, Revision};
use tokio::sync::mpsc::OwnedPermit;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Actor, Control, HeadText};
use crate::document::feed::{Ended, SessionFeed};
use crate::document::join::{JoinError, JoinRequest};
use crate::document::sender::{LeaveOnDrop, SessionSender};
use crate::document::state::{Entry, Event, Refusal};
use crate::revision::between;

/// A request to enter, with the way to answer it.
pub(crate) struct JoinTicket {
    pub(in crate::document) request: JoinRequest,
    /// The place kept for the word that the session left.
    pub(in crate::document) permit: OwnedPermit<Control>,
    pub(in crate::document) reply: oneshot::Sender<Result<Admitted, JoinFailure>>,
}

impl JoinTicket {
    pub(in crate::document) fn refuse(self, failure: JoinFailure) {
        // Who asked may have gone.
        let _ = self.reply.send(Err(failure));
    }
}

/// Why a join did not succeed.
#[derive(Debug)]
pub(crate) enum JoinFailure {
    /// It will not now.
    Refused(JoinError),
    /// The document was just unloaded: open it again.
    Gone,
}

impl From<Refusal> for JoinFailure {
    fn from(refusal: Refusal) -> Self {
        JoinFailure::Refused(match refusal {
            Refusal::ClientTaken => JoinError::ClientTaken,
            Refusal::Deleted => JoinError::Deleted,
            Refusal::Unavailable => {
                JoinError::Unavailable("the client's progress cannot be read".to_owned())
            }
        })
    }
}

/// A session that was let in. The frame is built by who asked, not in the actor's turn.
pub(in crate::document) struct Admitted {
    pub(in crate::document) sender: SessionSender,
    pub(in crate::document) feed: SessionFeed,
    pub(in crate::document) epoch: Epoch,
    pub(in crate::document) start: Revision,
    /// Sent to a client that holds nothing it could go on from.
    pub(in crate::document) text: Option<HeadText>,
    pub(in crate::document) title: Arc<str>,
    pub(in crate::document) last: Option<(ClientSeq, Revision)>,
    pub(in crate::document) people: Vec<Person>,
}

/// Nobody is given a text that the log contradicts.
fn damaged() -> JoinFailure {
    JoinFailure::Refused(JoinError::Corrupt("the log contradicts what was read of it".to_owned()))
}

/// The text as one string, kept for the next who asks.
pub(super) type CachedText = HeadText;

impl Actor {
    pub(super) fn ask_to_join(&mut self, ticket: Box<JoinTicket>) {
        if self.is_damaged {
            ticket.refuse(damaged());
            return;
        }
        let mut room = self.parts.shared.room();
        if room.session_count() + self.tickets.len() >= self.parts.shared.config.sessions_max {
            ticket.refuse(JoinFailure::Refused(JoinError::Overloaded));
            return;
        }
        let session = room.next_session();
        drop(room);
        let client = ticket.request.client;
        let user = ticket.request.participant.user.clone();
        let entry = self.entry(&ticket.request);
        self.tickets.insert(session, ticket);
        self.event(Event::Join { session, client, user, entry });
    }

    pub(super) fn refuse(&mut self, session: SessionNumber, failure: JoinFailure) {
        if let Some(ticket) = self.tickets.remove(&session) {
            ticket.refuse(failure);
        }
    }

    pub(super) fn admit(
        &mut self,
        session: SessionNumber,
        last: Option<(ClientSeq, Revision)>,
        replaces: Option<SessionNumber>,
    ) {
        let ticket = self.tickets.remove(&session).expect("each session asked once");
        if self.is_damaged {
            ticket.refuse(damaged());
            self.event(Event::Left { session });
            return;
        }
        let JoinTicket { request, permit, reply } = *ticket;
        if let Some(replaced) = replaces {
            self.parts.shared.room().end(replaced, Ended::Replaced);
        }
        let text = self.text_for(&request, last);
        let since = request.since.map(|since| since.revision).unwrap_or_default();
        let start = text.as_ref().map_or(since, |text| text.revision);
        let JoinRequest { participant, client, channel, wake, .. } = request;

        let mut room = self.parts.shared.room();
        let entered = room.enter(session, &participant, client, start, wake);
        let (title, title_version) = (room.title.clone(), room.title_version);
        // Who brings a text of their own has it checked, also where nobody has written since the
        // document was loaded.
        let is_unchecked = text.is_none() && room.ring.check(room.ring.head()).is_none();
        drop(room);
        if is_unchecked {
            self.schedule_check(Instant::now());
        }

        let presence = Arc::new(LeaveOnDrop::new(session, permit));
        let mailbox = self.parts.mailbox.clone();
        let admitted = Admitted {
            sender: SessionSender::new(
                session,
                client,
                participant.user,
                mailbox,
                presence.clone(),
            ),
            feed: SessionFeed::new(
                self.parts.shared.clone(),
                (session, client, channel),
                start,
                entered.version,
                title_version,
                presence,
            ),
            epoch: self.parts.epoch,
            start,
            text,
            title,
            last,
            people: entered.people,
        };
        // Who asked may have gone; the session then leaves by being dropped.
        let _ = reply.send(Ok(admitted));
    }

    /// Whether a client can go on from what it holds.
    fn entry(&self, request: &JoinRequest) -> Entry {
        let head = self.parts.state.head();
        match request.since.filter(|since| since.epoch == self.parts.epoch) {
            Some(since) if since.revision <= head => Entry::Resuming,
            Some(since) => {
                let document = self.parts.shared.document;
                let since = since.revision;
                tracing::error!(%document, %since, %head, "client is ahead of the log");
                Entry::Afresh
            }
            None => Entry::Afresh,
        }
    }

    /// The text for a client that cannot go on from what it holds. A string made for an earlier
    /// join serves too while the ring leads on from it, unless the client's own submission came
    /// since: its stream must not begin before what it is told is committed.
    fn text_for(
        &mut self,
        request: &JoinRequest,
        last: Option<(ClientSeq, Revision)>,
    ) -> Option<HeadText> {
        if self.entry(request) == Entry::Resuming {
            return None;
        }
        let head = self.parts.state.head();
        let own = last.map_or(Revision::ZERO, |(_, revision)| revision);
        let reach = self.parts.shared.config.ring_len / 4;
        let first = self.parts.shared.room().ring.first();
        if let Some(cached) = &self.cached
            && cached.revision >= own.max(first)
            && between(cached.revision, head) <= reach
        {
            return Some(cached.clone());
        }
        Some(self.text_at_head())
    }

    pub(super) fn text_at_head(&mut self) -> HeadText {
        let revision = self.parts.state.head();
        if let Some(cached) = self.cached.as_ref().filter(|cached| cached.revision == revision) {
            return cached.clone();
        }
        let text = self.parts.state.text();
        let hash = TextHash::new(text.hash().get());
        let head = HeadText { revision, text: text.to_string().into(), hash };
        self.cached = Some(head.clone());
        head
    }
}
