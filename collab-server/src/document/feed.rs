//! A session's way out of a document: it pulls what it lacks, when it can send it.
//!
//! The feed is a few numbers. A slow reader therefore costs no memory; when it has fallen behind the
//! ring it gets history composed, but never over an operation of its own, which it rebases itself.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use collab_protocol::{
    Access, Ack, AuthorNumber, ChannelId, ClientId, Deleted, ErrorCode, ErrorMessage, OpsFrame,
    Reject, Renamed, Restored, Role, ServerMessage, SessionNumber, write_ack_entry,
    write_check_entry,
};
use ot_core::Revision;
use smallvec::SmallVec;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::catch_up::{CatchUp, Stretch};
use super::room::{Answer, Room, Shared, SharedRoom};
use super::sender::LeaveOnDrop;
use super::twins::{Lack, Twin};
use crate::revision::later;
use crate::sabotage::{self, Bug};

/// Frames for one session, to be sent in this order.
#[derive(Debug, Default)]
pub struct Pulled {
    /// Complete text frames, which several sessions may share.
    pub frames: SmallVec<[Utf8Bytes; 1]>,
    /// Whether there is more to pull at once; otherwise the wake tells.
    pub more: bool,
    /// How long ago the oldest commit among them became visible.
    pub age: Option<Duration>,
}

/// What a feed has for its session.
#[derive(Debug)]
pub enum Step {
    /// Frames from what the document holds, or none.
    Pulled(Pulled),
    /// The session is further behind: this is to be read, and given to [`SessionFeed::caught_up`].
    Behind(CatchUp),
}

/// Why a document ended a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ended {
    /// A newer session of the same client took its place: close with 4409.
    Replaced,
    /// It let too much lie unread: close with 4430.
    TooSlow,
    /// Who is there may not be there any more: `access_revoked`.
    Revoked,
    /// The document is damaged and closed: `doc_corrupt`.
    Corrupt,
    /// The database does not answer, and the session needs it to go on: `storage_unavailable`, so
    /// that it joins again.
    Unavailable,
    /// A bug stopped the document; it is loaded again for the next join: `internal`.
    Failed,
    /// The server stops: close with 1012.
    Shutdown,
}

/// What a session has sent so far.
#[derive(Clone, Debug)]
struct Position {
    revision: Revision,
    /// The last revision whose hash was sent.
    checked: Option<Revision>,
    authors_known: u32,
    presence: u64,
    title: u64,
    /// Whether the session was told that the document is deleted.
    is_deleted: bool,
    /// The role that the session was told.
    role: Role,
}

/// Whose frames they are.
#[derive(Clone, Copy, Debug)]
struct Address {
    number: SessionNumber,
    client: ClientId,
    channel: ChannelId,
}

/// The pure half of a session's feed: where its stream is.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    address: Address,
    position: Position,
}

/// What a room holds for a reader.
pub(crate) enum Held {
    /// This.
    Pulled(Pulled),
    /// Not even what comes next: that is in the log, behind `after`, up to `head` for now.
    Behind { after: Revision, head: Revision },
}

impl Reader {
    pub(super) fn new(
        (number, client, channel): (SessionNumber, ClientId, ChannelId),
        start: Revision,
        presence_version: u64,
        title_version: u64,
        role: Role,
    ) -> Self {
        let position = Position {
            revision: start,
            checked: None,
            authors_known: 0,
            presence: presence_version,
            title: title_version,
            is_deleted: false,
            role,
        };
        Reader { address: Address { number, client, channel }, position }
    }

    /// The last revision this reader has yielded.
    pub(crate) fn revision(&self) -> Revision {
        self.position.revision
    }

    /// Whose history it is.
    pub(crate) fn client(&self) -> ClientId {
        self.address.client
    }

    /// Takes what the room holds for this reader, about `budget_bytes` of it.
    ///
    /// # Errors
    /// [`Ended`], once what came before is pulled.
    pub(crate) fn step(
        &mut self,
        room: &SharedRoom,
        budget_bytes: usize,
        retry_ms: u128,
    ) -> Result<Held, Ended> {
        let Reader { address, position } = self;
        let mut guard = room.lock();
        let room = &mut *guard;
        let member = room.member(address.number).ok_or(Ended::Failed)?;
        let (ended, cut) = (member.ended, member.cut);
        let head = cut.unwrap_or(Revision::MAX).min(room.ring.head());
        let mut is_behind = position.revision < room.ring.first().min(head);
        if is_behind && sabotage::is_planted(Bug::RingGap) {
            position.revision = room.ring.first();
            is_behind = false;
        }
        match ended {
            Some(Ended::Replaced) => return Err(Ended::Replaced),
            Some(reason) if is_behind && reason != Ended::Shutdown => return Err(reason),
            _ if is_behind => return Ok(Held::Behind { after: position.revision, head }),
            _ => {}
        }
        let member = room.member(address.number).ok_or(Ended::Failed)?;
        let answers = std::mem::take(&mut member.answers);
        let (access, sent) = (position.access(member.role), member.sent);
        let mut frames: SmallVec<[Utf8Bytes; 1]> =
            position.ops_frame(*address, room, head, budget_bytes).into_iter().collect();
        let is_at_head = position.revision >= head;
        if position.revision != sent
            && let Some(member) = room.member(address.number)
        {
            member.sent = position.revision;
        }
        let (presence, title, deletion) = match cut {
            Some(_) => (None, None, None),
            None => {
                (position.presence(*address, room), position.title(room), position.deletion(room))
            }
        };
        drop(guard);

        let ch = address.channel;
        frames
            .extend(access.map(|role| ServerMessage::Access(Access { ch, role }).to_json().into()));
        let answers = answers.into_iter().map(|answer| address.answer(answer, retry_ms).into());
        if sabotage::is_planted(Bug::AckAheadOfStream) {
            frames.insert_many(0, answers);
        } else {
            frames.extend(answers);
        }
        let title = title.map(|title| ServerMessage::Renamed(Renamed { ch, title }).to_json());
        let deletion = deletion.map(|is_deleted| match is_deleted {
            true => ServerMessage::Deleted(Deleted { ch }).to_json(),
            false => ServerMessage::Restored(Restored { ch }).to_json(),
        });
        frames.extend([presence, title, deletion].into_iter().flatten().map(Utf8Bytes::from));
        match ended {
            Some(reason) if frames.is_empty() => Err(reason),
            _ => {
                Ok(Held::Pulled(Pulled { frames, more: !is_at_head || ended.is_some(), age: None }))
            }
        }
    }

    /// Takes history that was read from the log for this reader; gives its frame.
    pub(crate) fn caught_up(&mut self, stretch: &Stretch) -> Utf8Bytes {
        let from = self.position.revision;
        let mut frame = OpsFrame::new(self.address.channel, from.get(), stretch.len_bytes());
        for entry in &stretch.entries {
            frame.push(entry);
        }
        self.position.revision = stretch.revision;
        frame.finish().into()
    }
}

/// Pulls what a session lacks. The session leaves when this and all its senders are dropped.
pub struct SessionFeed {
    shared: Arc<Shared>,
    reader: Reader,
    _presence: Arc<LeaveOnDrop>,
}

impl fmt::Debug for SessionFeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionFeed").field("reader", &self.reader).finish_non_exhaustive()
    }
}

impl SessionFeed {
    pub(super) fn new(shared: Arc<Shared>, reader: Reader, presence: Arc<LeaveOnDrop>) -> Self {
        SessionFeed { shared, reader, _presence: presence }
    }

    /// The last revision this feed has yielded.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.reader.revision()
    }

    /// Takes what the session lacks, about `budget_bytes` of it. Nothing to send is an empty
    /// answer. A session behind what the document holds is told so each time, until it has been
    /// given what it lacks.
    ///
    /// # Errors
    /// [`Ended`], once what came before is pulled.
    pub fn pull(&mut self, budget_bytes: usize) -> Result<Step, Ended> {
        let retry_ms = self.shared.config.retry.as_millis();
        let before = self.reader.revision();
        Ok(match self.reader.step(&self.shared.room, budget_bytes, retry_ms)? {
            Held::Pulled(pulled) => {
                let is_news = self.reader.revision() > before;
                let age = is_news.then(|| self.shared.moments.age_behind(before));
                Step::Pulled(Pulled { age, ..pulled })
            }
            Held::Behind { after, head } => {
                let (shared, client) = (Arc::clone(&self.shared), self.reader.client());
                Step::Behind(CatchUp { shared, client, after, head })
            }
        })
    }

    /// What the session's person may do now.
    #[must_use]
    pub fn role(&self) -> Role {
        let mut room = self.shared.room();
        let member = room.member(self.reader.address.number);
        member.map_or(self.reader.position.role, |member| member.role)
    }

    /// Takes what was read for this session while it was behind; gives its frame.
    pub fn caught_up(&mut self, stretch: &Stretch) -> Utf8Bytes {
        self.reader.caught_up(stretch)
    }
}

impl Position {
    /// The entries from the session's position on, up to `head` or the budget: the frame that was put
    /// together for another session, where that lacked the very same.
    fn ops_frame(
        &mut self,
        address: Address,
        room: &mut Room,
        head: Revision,
        budget_bytes: usize,
    ) -> Option<Utf8Bytes> {
        let (channel, from) = (address.channel, self.revision);
        let unchecked = self.checked < Some(from) && room.ring.check(from).is_some();
        if from >= head && !unchecked {
            return None;
        }
        let lack = Lack { channel, from, head, unchecked, budget_bytes };
        let is_same = |twin: &&Twin| {
            let knows_authors = twin.by_max.0 <= self.authors_known;
            knows_authors && !room.ring.has_of(address.client, from, twin.to)
        };
        let found = room.twins.find(&lack).filter(is_same).cloned();
        let twin = match found {
            Some(twin) => twin,
            None => self.put_together(address.client, room, lack),
        };
        self.revision = twin.to;
        self.checked = self.checked.max(twin.checked);
        self.authors_known = self.authors_known.max(twin.by_max.0);
        Some(twin.frame)
    }

    /// Puts together what a session lacks, and keeps it for others if nothing in it is for this one
    /// alone.
    fn put_together(&self, client: ClientId, room: &mut Room, lack: Lack) -> Twin {
        let (mut at, mut checked, mut has_own) = (lack.from, None, false);
        let mut by_max = AuthorNumber(0);
        let mut frame = OpsFrame::new(lack.channel, at.get(), 256);
        while frame.len_bytes() < lack.budget_bytes || frame.is_empty() {
            if self.checked.max(checked) < Some(at)
                && let Some(hash) = room.ring.check(at)
            {
                frame.push_with(|out| write_check_entry(out, hash));
                checked = Some(at);
                if frame.len_bytes() >= lack.budget_bytes {
                    break;
                }
            }
            let Some(entry) = room.ring.entry(at).filter(|_| at < lack.head) else { break };
            if entry.client == client {
                has_own = true;
                frame.push_with(|out| write_ack_entry(out, entry.seq.get()));
            } else {
                by_max = by_max.max(entry.by);
                frame.push(&entry.json);
            }
            at = later(at, 1);
        }
        let people = room.introduce(self.authors_known, by_max);
        let frame = frame.finish_with_people(&people).into();
        let twin = Twin { frame, to: at, checked, by_max };
        if !has_own && people.is_empty() && room.session_count() > 2 {
            room.twins.keep(lack, twin.clone());
        }
        twin
    }

    /// Who changed and who went since the session last heard of it. Only at the head, where the
    /// selections are.
    fn presence(&mut self, address: Address, room: &mut Room) -> Option<String> {
        if self.revision < room.ring.head() || !room.has_presence_since(self.presence) {
            return None;
        }
        let (frame, version) = room.presence_since(self.presence, address.number, address.channel);
        self.presence = version;
        if let Some(member) = room.member(address.number) {
            member.seen = version;
        }
        frame
    }

    /// The role, if the session was told another one.
    fn access(&mut self, role: Role) -> Option<Role> {
        let is_news = role != self.role;
        self.role = role;
        is_news.then_some(role)
    }

    /// The document's title, if the session has an older one.
    fn title(&mut self, room: &Room) -> Option<String> {
        let is_new = room.title_version > self.title;
        self.title = room.title_version;
        is_new.then(|| room.title.to_string())
    }

    /// Whether the document is deleted, if the session was told otherwise.
    fn deletion(&mut self, room: &Room) -> Option<bool> {
        let is_news = room.is_deleted != self.is_deleted;
        self.is_deleted = room.is_deleted;
        is_news.then_some(room.is_deleted)
    }
}

impl Address {
    fn answer(self, answer: Answer, retry_ms: u128) -> String {
        let ch = self.channel;
        let message = match answer {
            Answer::Ack { seq, revision } => {
                ServerMessage::Ack(Ack { ch, seq: seq.get(), rev: revision.get() })
            }
            Answer::Reject { seq, code, message } => ServerMessage::Reject(Reject {
                ch,
                seq: seq.get(),
                code,
                message,
                retry_ms: code.retryable().then(|| u32::try_from(retry_ms).unwrap_or(u32::MAX)),
            }),
            Answer::BadRanges => channel_error(ch, ErrorCode::BadRanges),
            Answer::SelectAgain => channel_error(ch, ErrorCode::SlowDown),
        };
        message.to_json()
    }
}

fn channel_error(ch: ChannelId, code: ErrorCode) -> ServerMessage {
    ServerMessage::Error(ErrorMessage { ch: Some(ch), ..ErrorMessage::new(code) })
}

#[cfg(test)]
mod tests;
