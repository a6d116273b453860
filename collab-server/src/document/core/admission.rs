//! Letting sessions in.

use std::sync::Arc;

use collab_protocol::{DocumentId, Epoch, Person, Role, ServerMessage, SessionNumber, TextHash};
use ot_core::{ClientSeq, Revision};

use super::{Core, HeadText, Order};
use crate::document::feed::{Ended, Reader};
use crate::document::frame::Frame;
use crate::document::join::{JoinError, JoinRequest};
use crate::document::state::{Entry, Event, Refusal};
use crate::revision::between;
use crate::sabotage::{self, Bug};
use crate::shown::Shown;

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

/// A session that was let in.
pub(crate) struct Admission {
    pub(crate) session: SessionNumber,
    pub(crate) request: JoinRequest,
    pub(crate) role: Role,
    /// What it pulls its frames with.
    pub(crate) reader: Reader,
    document: DocumentId,
    epoch: Epoch,
    start: Revision,
    /// Sent to a client that holds nothing it could go on from.
    text: Option<HeadText>,
    title: Arc<str>,
    last: Option<(ClientSeq, Revision)>,
    people: Vec<Person>,
}

impl Admission {
    /// The `joined` frame, to be sent before anything else on the channel.
    pub(crate) fn frame(&self) -> Frame {
        let (seq, seq_rev) = self.last.unwrap_or_default();
        let joined = ServerMessage::Joined(collab_protocol::Joined {
            ch: self.request.channel,
            doc: self.document,
            epoch: self.epoch,
            rev: self.start.get(),
            hash: self.text.as_ref().map(|text| text.hash),
            // Put into its place as it is sent.
            text: self.text.as_ref().map(|_| String::new()),
            title: self.title.to_string(),
            role: self.role,
            seq: seq.get(),
            seq_rev: seq_rev.get(),
            people: self.people.clone(),
        });
        match &self.text {
            Some(text) => Frame::with_text(joined.to_json(), text.text.clone()),
            None => joined.to_json().into(),
        }
    }
}

/// Nobody is given a text that the log contradicts.
fn damaged() -> JoinFailure {
    JoinFailure::Refused(JoinError::Corrupt("the log contradicts what was read of it".to_owned()))
}

impl Core {
    /// A session asks to be let in; it gets a number, under which the answer will come.
    ///
    /// # Errors
    /// [`JoinFailure`]: the answer is no, at once.
    pub(crate) fn ask_to_join(
        &mut self,
        request: JoinRequest,
    ) -> Result<SessionNumber, JoinFailure> {
        if self.is_damaged {
            return Err(damaged());
        }
        if self.is_stopping {
            return Err(JoinFailure::Gone);
        }
        let mut room = self.room.lock();
        if room.session_count() + self.asking.len() >= self.config.sessions_max {
            return Err(JoinFailure::Refused(JoinError::Overloaded));
        }
        let session = room.next_session();
        drop(room);
        let (client, user) = (request.client, request.participant.user.clone());
        let entry = match request.since.filter(|since| since.epoch == self.epoch) {
            Some(since) => Entry::Resuming { at: since.revision },
            None => Entry::Afresh,
        };
        self.asking.insert(session, request);
        self.event(Event::Join { session, client, user, entry });
        Ok(session)
    }

    pub(super) fn refuse(&mut self, session: SessionNumber, failure: JoinFailure) -> Option<Order> {
        self.asking.remove(&session).map(|_| Order::Refuse { session, failure })
    }

    pub(super) fn admit(
        &mut self,
        session: SessionNumber,
        last: Option<(ClientSeq, Revision)>,
        replaces: Option<SessionNumber>,
    ) -> Order {
        let request = self.asking.remove(&session).expect("each session asked once");
        if self.is_damaged {
            self.event(Event::Left { session });
            return Order::Refuse { session, failure: damaged() };
        }
        if let Some(replaced) = replaces {
            self.room.lock().end(replaced, Ended::Replaced);
        }
        let rights = self.state.rights();
        let role = rights.session_role_of(&request.visitor);
        // Who asked knew of a change that has not come here: the document is told of it first.
        let is_late = rights.version < request.rights_version;
        let Some(role) = role.filter(|_| !is_late) else {
            self.event(Event::Left { session });
            let failure = match is_late {
                true => JoinFailure::Gone,
                false => JoinFailure::Refused(JoinError::NotFound),
            };
            return Order::Refuse { session, failure };
        };
        let text = self.text_for(&request, last);
        let since = request.since.map(|since| since.revision).unwrap_or_default();
        let start = text.as_ref().map_or(since, |text| text.revision);

        let mut room = self.room.lock();
        let wake = request.wake.clone();
        let visitor = (request.visitor.clone(), role);
        let entered =
            room.enter(session, &request.participant, visitor, request.client, start, wake);
        let (title, title_version) = (room.title.clone(), room.title_version);
        // Who brings a text of their own has it checked, also where nobody has written since the
        // document was loaded.
        let is_unchecked = text.is_none() && room.ring.check(room.ring.head()).is_none();
        drop(room);
        if is_unchecked {
            self.schedule_check(self.now);
        }
        let address = (session, request.client, request.channel);
        let reader = Reader::new(address, start, entered.version, title_version, role);
        Order::Admit(Box::new(Admission {
            session,
            request,
            role,
            reader,
            document: self.document,
            epoch: self.epoch,
            start,
            text,
            title,
            last,
            people: entered.people,
        }))
    }

    /// Whether a client can go on from what it holds.
    fn can_resume(&self, request: &JoinRequest) -> bool {
        let head = self.state.head();
        match request.since.filter(|since| since.epoch == self.epoch) {
            Some(since) if since.revision <= head => true,
            Some(since) => {
                let (document, since) = (self.document, since.revision);
                tracing::error!(document = %Shown(document), %since, %head, "client is ahead of the log");
                false
            }
            None => false,
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
        if self.can_resume(request) && !sabotage::is_planted(Bug::TextToPending) {
            return None;
        }
        if sabotage::is_planted(Bug::SecondJoinerEmpty) && self.room.lock().session_count() == 1 {
            let hash = TextHash::new(ot_core::TextHash::of("").get());
            return Some(HeadText { revision: self.state.head(), text: "".into(), hash });
        }
        let head = self.state.head();
        let own = last.map_or(Revision::ZERO, |(_, revision)| revision);
        let reach = self.config.ring_len / 4;
        let first = self.room.lock().ring.first();
        if let Some(cached) = &self.cached
            && cached.revision >= own.max(first)
            && between(cached.revision, head) <= reach
        {
            return Some(cached.clone());
        }
        Some(self.text_at_head())
    }

    /// The text at the head, as one string that is kept for the next who asks.
    pub(crate) fn text_at_head(&mut self) -> HeadText {
        let revision = self.state.head();
        if let Some(cached) = self.cached.as_ref().filter(|cached| cached.revision == revision) {
            return cached.clone();
        }
        let text = self.state.text();
        let hash = TextHash::new(text.hash().get());
        let head = HeadText { revision, text: text.to_string().into(), hash };
        self.cached = Some(head.clone());
        head
    }
}
