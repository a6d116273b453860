//! What a document's sessions read: committed operations, who is there, and answers of their own.
//!
//! The actor writes it and the sessions' writers read it, under one lock that is held for a copy of
//! bytes and never over an await.

mod elsewhere;
mod figure;
mod member;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use collab_protocol::{
    Author, AuthorNumber, ChannelId, ClientId, DocumentId, Person, RejectCode, Role, SessionNumber,
    TextHash, UserId, write_op_entry,
};
use ot_core::{ClientSeq, Operation, Ranges, Revision};
use tokio::sync::{Notify, Semaphore};

use self::elsewhere::Elsewhere;
use self::figure::Figure;
use self::member::Member;
use super::config::DocumentConfig;
use super::feed::Ended;
use super::heads::Heads;
use super::moments::Moments;
use super::presence::{self, Authors, PresenceFrame};
use super::ring::{Ring, RingEntry};
use super::state::Committed;
use super::twins::Twins;
use crate::dashboard::Holder;
use crate::rights::{Rights, Visitor};
use crate::sabotage::{self, Bug};
use crate::store::Store;

/// What the actor and the sessions of one document share.
pub(crate) struct Shared {
    pub(super) document: DocumentId,
    pub(super) config: Arc<DocumentConfig>,
    pub(super) store: Arc<dyn Store>,
    /// Bounds the catch-ups from the store, over all documents.
    pub(super) catch_ups: Arc<Semaphore>,
    pub(super) heads: Heads,
    pub(super) room: Arc<SharedRoom>,
    /// When what is in the room became visible.
    pub(super) moments: Moments,
}

/// How much goes on in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Activity {
    /// Live sessions.
    pub(crate) sessions: usize,
    /// People who have at least one of those.
    pub(crate) people: usize,
    /// Sessions of other servers, as far as they have told.
    pub(crate) elsewhere: usize,
    pub(crate) head: Revision,
    /// How many revisions the session furthest behind lacks.
    pub(crate) lag_revisions: u64,
}

/// A document's room, which the actor writes and sessions read.
#[derive(Debug)]
pub(crate) struct SharedRoom(Mutex<Room>);

impl SharedRoom {
    pub(super) fn new(room: Room) -> Self {
        SharedRoom(Mutex::new(room))
    }

    /// The room. A panic while it was held is a panic of the actor, which ends every session; what
    /// they still read is whole, since each change is a few infallible steps.
    pub(super) fn lock(&self) -> MutexGuard<'_, Room> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    pub(super) fn new(
        document: DocumentId,
        config: Arc<DocumentConfig>,
        store: Arc<dyn Store>,
        catch_ups: Arc<Semaphore>,
        heads: Heads,
        room: Arc<SharedRoom>,
    ) -> Self {
        Shared { document, config, store, catch_ups, heads, room, moments: Moments::default() }
    }

    /// The room, held for a copy of bytes and never over an await.
    pub(super) fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock()
    }
}

/// An answer that is not a position in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// A resend of what was committed as `revision`, before the session's stream began.
    Ack { seq: ClientSeq, revision: Revision },
    /// Not committed.
    Reject { seq: ClientSeq, code: RejectCode, message: Option<String> },
    /// A `select` that does not fit the text it names.
    BadRanges,
    /// A `select` in a text that is not in memory any more: to be sent again, in a newer one.
    SelectAgain,
}

/// See [`Shared`].
#[derive(Clone, Debug)]
pub(super) struct Room {
    pub(super) ring: Ring,
    /// What readers in step are owed, put together once.
    pub(super) twins: Twins,
    pub(super) authors: Authors,
    pub(super) title: Arc<str>,
    /// Counts the title's changes.
    pub(super) title_version: u64,
    pub(super) is_deleted: bool,
    /// The version of the rights that the members' roles are of,
    rights_version: u64,
    /// and whose the document is by them.
    holder: Arc<Holder>,
    /// Boxed: the map makes room for eleven at once, and is half full where numbers ascend.
    members: BTreeMap<SessionNumber, Box<Member>>,
    by_client: BTreeMap<ClientId, SessionNumber>,
    /// Sessions of other servers, under numbers of this room's.
    elsewhere: Elsewhere,
    /// Sessions that went, with the version of the presence at which they did, oldest first.
    gone: VecDeque<(u64, SessionNumber)>,
    /// Counts the changes of the presence.
    version: u64,
    /// The version that writers may send by now.
    published: u64,
    last_session: u32,
    answers_max: usize,
}

/// What a session that enters is told.
pub(super) struct Entered {
    pub(super) people: Vec<Person>,
    pub(super) version: u64,
}

impl Room {
    pub(super) fn new(ring: Ring, title: &str, rights: &Rights, answers_max: usize) -> Self {
        Room {
            ring,
            twins: Twins::default(),
            authors: Authors::default(),
            title: title.into(),
            title_version: 0,
            is_deleted: false,
            rights_version: rights.version,
            holder: holder(rights),
            members: BTreeMap::new(),
            by_client: BTreeMap::new(),
            elsewhere: Elsewhere::default(),
            gone: VecDeque::new(),
            version: 0,
            published: 0,
            last_session: 0,
            answers_max,
        }
    }

    /// A session number that was never used in this document's loaded life.
    pub(super) fn next_session(&mut self) -> SessionNumber {
        self.last_session += 1;
        SessionNumber(self.last_session)
    }

    pub(super) fn session_count(&self) -> usize {
        self.members.len()
    }

    pub(super) fn activity(&self) -> Activity {
        let head = self.ring.head();
        let live = || self.members.values().filter(|member| member.is_live());
        let mut people: Vec<AuthorNumber> = live().map(|member| member.figure.by).collect();
        people.sort_unstable();
        people.dedup();
        let lags = live().map(|member| head.get().saturating_sub(member.sent.get()));
        Activity {
            sessions: self.members.len(),
            people: people.len(),
            elsewhere: self.elsewhere.len(),
            head,
            lag_revisions: lags.max().unwrap_or(0),
        }
    }

    pub(super) fn member(&mut self, session: SessionNumber) -> Option<&mut Member> {
        self.members.get_mut(&session).map(|member| &mut **member)
    }

    /// Lets a session in and tells it who else is there. Selections are known at the head alone: a
    /// stream that begins before it brings them once it is there.
    pub(super) fn enter(
        &mut self,
        session: SessionNumber,
        participant: &super::Participant,
        (visitor, role): (Visitor, Role),
        client: ClientId,
        start: Revision,
        wake: Arc<Notify>,
    ) -> Entered {
        self.elsewhere_is_here(client);
        let by = self.authors.enter(participant);
        let version = self.change_here();
        let is_at_head = start == self.ring.head();
        let seen = if is_at_head { version } else { 0 };
        let figure = Figure::new(client, by, version);
        let member = Member::new(figure, (visitor, role), start, wake, seen);
        let live = self.members.iter().filter(|(_, other)| other.is_live());
        let people = live
            .map(|(number, other)| (*number, &other.figure))
            .chain(self.elsewhere.figures())
            .map(|(number, figure)| {
                let person = figure.person(number, &self.authors);
                Person { ranges: person.ranges.filter(|_| is_at_head), ..person }
            })
            .collect();
        self.members.insert(session, Box::new(member));
        self.by_client.insert(client, session);
        Entered { people, version: seen }
    }

    /// Takes a session out. Its people may still be there with another one.
    pub(super) fn leave(&mut self, session: SessionNumber) {
        let Some(member) = self.members.remove(&session) else { return };
        let Figure { client, by, .. } = member.figure;
        if self.by_client.get(&client) == Some(&session) {
            self.by_client.remove(&client);
        }
        if member.ended.is_none() {
            self.left_here(session, by);
        }
    }

    /// A session of this server is not shown any more.
    fn left_here(&mut self, session: SessionNumber, by: AuthorNumber) {
        self.change_here();
        self.elsewhere.left_here(session);
        self.note_gone(session, by);
    }

    /// Counts a change that other servers are to be told of; the version that it is.
    fn change_here(&mut self) -> u64 {
        self.version += 1;
        self.elsewhere.changed_here = self.version;
        self.version
    }

    fn note_gone(&mut self, session: SessionNumber, by: AuthorNumber) {
        self.authors.leave(by);
        self.version += 1;
        self.gone.push_back((self.version, session));
        if self.gone.len() > 64 {
            let live = self.members.values().filter(|member| member.is_live());
            let seen_by_all = live.map(|member| member.seen).min();
            let keep_from = seen_by_all.unwrap_or(u64::MAX);
            self.gone.retain(|(version, _)| *version > keep_from);
        }
    }

    /// Ends a session: its feed yields this reason once it has nothing more to send.
    pub(super) fn end(&mut self, session: SessionNumber, reason: Ended) {
        let Some(member) = self.members.get_mut(&session) else { return };
        if member.ended.is_some() {
            return;
        }
        member.ended = Some(reason);
        member.wake.notify_one();
        let by = member.figure.by;
        self.left_here(session, by);
    }

    /// Ends every session.
    pub(super) fn end_all(&mut self, reason: Ended) {
        let sessions: Vec<SessionNumber> = self.members.keys().copied().collect();
        for session in sessions {
            self.end(session, reason);
        }
    }

    /// Puts a committed operation into the ring and carries every selection over it.
    pub(super) fn advance(&mut self, committed: &Committed) {
        let Committed { operation, client, seq, author, .. } = committed;
        self.remember(operation, *client, *seq, author);
        let own = self.by_client.get(&committed.client).copied();
        for (number, member) in &mut self.members {
            let is_own = Some(*number) == own;
            if is_own && member.cut.is_some() {
                // Made while they might, and in the log: they hear of it, and of what came before.
                member.cut = Some(self.ring.head());
            }
            let figure = &mut member.figure;
            if is_own && let Some(ranges) = &committed.ranges {
                self.version += 1;
                self.elsewhere.changed_here = self.version;
                figure.ranges = ranges.clone();
                figure.changed = self.version;
            } else if !figure.ranges.is_empty() && !sabotage::is_planted(Bug::StaleSelections) {
                figure.ranges = presence::carry(&figure.ranges, &committed.operation, is_own);
            }
        }
        self.elsewhere.carry(committed, &mut self.version);
    }

    /// Puts an operation into the ring that was committed before the document was loaded.
    pub(super) fn remember(
        &mut self,
        operation: &Operation,
        client: ClientId,
        seq: ClientSeq,
        author: &UserId,
    ) {
        let by = self.authors.number(author);
        let mut json = String::new();
        write_op_entry(&mut json, &operation.to_json(), by);
        self.ring.push(RingEntry { json: json.into(), client, seq, by });
    }

    /// Sets a session's selections, in the text at the head.
    pub(super) fn select(&mut self, session: SessionNumber, ranges: Ranges) {
        if !self.members.contains_key(&session) {
            return;
        }
        let version = self.change_here();
        if let Some(Member { figure, .. }) = self.member(session) {
            (figure.ranges, figure.changed) = (ranges, version);
        }
    }

    /// Gives a person another name or colour.
    pub(super) fn rename_person(&mut self, participant: &super::Participant) {
        if let Some(by) = self.authors.rename(participant) {
            self.show_anew(by);
        }
    }

    /// A person's name or colour has changed: they are shown anew, here and elsewhere.
    fn show_anew(&mut self, by: AuthorNumber) {
        let version = self.change_here();
        let here = self.members.values_mut().map(|member| &mut member.figure);
        for figure in here.chain(self.elsewhere.figures_mut()).filter(|figure| figure.by == by) {
            figure.changed = version;
        }
    }

    /// Gives the document another title.
    pub(super) fn set_title(&mut self, title: &str) {
        self.title = title.into();
        self.title_version += 1;
    }

    /// Gives it the title that the database has, if that is another one; unless it was given one here
    /// since `version`, of which the database may not have known yet.
    pub(super) fn retitle(&mut self, title: &str, version: u64) {
        if self.title_version == version && *self.title != *title {
            self.set_title(title);
            self.wake_all();
        }
    }

    /// Notes whether the document is deleted; tells who is there when that is news.
    pub(super) fn set_deleted(&mut self, is_deleted: bool) {
        if self.is_deleted != is_deleted {
            self.is_deleted = is_deleted;
            self.wake_all();
        }
    }

    /// The version of the rights that the members' roles are of.
    pub(super) fn rights_version(&self) -> u64 {
        self.rights_version
    }

    /// Whose the document is.
    pub(super) fn holder(&self) -> Arc<Holder> {
        Arc::clone(&self.holder)
    }

    /// Gives every member the role that it has now. Who has none any more is told nothing of what
    /// happens from now on.
    pub(super) fn set_rights(&mut self, rights: &Rights) {
        self.rights_version = rights.version;
        if self.holder.owner != rights.owner {
            self.holder = holder(rights);
        }
        let head = self.ring.head();
        for member in self.members.values_mut() {
            match rights.session_role_of(&member.visitor) {
                Some(role) => (member.role, member.cut) = (role, None),
                None => member.cut = member.cut.or(Some(head)),
            }
            member.wake.notify_one();
        }
    }

    /// The members that may not read any more and are not ended yet.
    pub(super) fn shut_out(&self) -> Vec<SessionNumber> {
        let shut_out = |member: &Member| member.cut.is_some() && member.is_live();
        let members = self.members.iter().filter(|(_, member)| shut_out(member));
        members.map(|(number, _)| *number).collect()
    }

    /// Adds an answer for a session. One that lets too many lie is ended.
    pub(super) fn answer(&mut self, session: SessionNumber, answer: Answer) {
        let Some(member) = self.members.get_mut(&session) else { return };
        let is_ahead = sabotage::is_planted(Bug::AckBeforePersist)
            || sabotage::is_planted(Bug::AckAheadOfStream);
        if let Answer::Ack { revision, .. } = answer
            && revision > member.start
            && !is_ahead
        {
            return; // its stream carries the ack
        }
        if member.answers.len() >= self.answers_max {
            self.end(session, Ended::TooSlow);
            return;
        }
        member.answers.push_back(answer);
        member.wake.notify_one();
    }

    /// Whether somebody changed that the writers may not send yet.
    pub(super) fn has_unpublished_presence(&self) -> bool {
        self.published < self.version
    }

    /// Lets the writers send the presence as it is now.
    pub(super) fn publish_presence(&mut self) {
        self.published = self.version;
    }

    /// Notes the hash of the text at the head.
    pub(super) fn set_check(&mut self, hash: TextHash) {
        self.ring.set_check(hash);
        self.twins.clear();
    }

    /// Wakes every session's writer.
    pub(super) fn wake_all(&self) {
        for member in self.members.values() {
            member.wake.notify_one();
        }
    }

    /// Whether a writer that has sent version `seen` has presence to send.
    pub(super) fn has_presence_since(&self, seen: u64) -> bool {
        self.published > seen
    }

    /// The frame that tells a session who changed and who went since version `seen`, if anybody
    /// did; and the version that it leads to. Selections are those in the text at the head.
    pub(super) fn presence_since(
        &mut self,
        seen: u64,
        own: SessionNumber,
        channel: ChannelId,
    ) -> (Option<String>, u64) {
        let head = self.ring.head();
        let mut frame = PresenceFrame::new(channel, head);
        let Room { members, authors, gone, elsewhere, .. } = self;
        // Who went before it came, it was never told of.
        let gone_after = members.get(&own).map_or(seen, |own| own.entered.max(seen));
        for (number, member) in members.iter_mut() {
            if *number != own && member.is_live() && member.figure.changed > seen {
                frame.push(member.figure.shown(*number, head, authors));
            }
        }
        for (number, figure) in elsewhere.numbered_mut().filter(|(_, f)| f.changed > seen) {
            frame.push(figure.shown(number, head, authors));
        }
        let gone = gone.iter().filter(|(version, number)| *version > gone_after && *number != own);
        (frame.finish(gone.map(|(_, number)| *number)), self.version)
    }

    /// Takes out the answers that a session has not pulled; for simulations.
    #[cfg(feature = "simulation")]
    pub(super) fn take_answers(&mut self, session: SessionNumber) -> VecDeque<Answer> {
        let member = self.members.get_mut(&session);
        member.map(|member| std::mem::take(&mut member.answers)).unwrap_or_default()
    }

    /// Puts back what was taken out.
    #[cfg(feature = "simulation")]
    pub(super) fn put_back(&mut self, session: SessionNumber, answers: VecDeque<Answer>) {
        if let Some(member) = self.members.get_mut(&session) {
            member.answers = answers;
        }
    }

    /// Checks every invariant that can be seen from here; for simulations.
    ///
    /// # Panics
    /// When one does not hold.
    #[cfg(feature = "simulation")]
    pub(super) fn check_invariants(&self) {
        for member in self.members.values() {
            assert!(member.answers.len() <= self.answers_max, "answers have their limit");
        }
    }

    /// The authors numbered from `known` up to and with `by`.
    pub(super) fn introduce(&self, known: u32, by: AuthorNumber) -> Vec<Author> {
        self.authors.introduce(known, by)
    }
}

/// Whose a document with these rights is.
fn holder(rights: &Rights) -> Arc<Holder> {
    Arc::new(Holder { tenant: rights.tenant.clone(), owner: rights.owner.clone() })
}
