//! What this server holds of a chat that somebody has open: its latest changes, who listens, who
//! types.
//!
//! Pure but for the lock: times are passed in. Changes become visible in their order and without a
//! gap; one that arrives ahead of another waits for it.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use collab_protocol::{CHAT_PAGE_LEN, ChatPerson, DocumentId, Role, UserId};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::rights::{Rights, Visitor};
use crate::sabotage::{self, Bug};
use crate::store::{ChatEntry, ChatHead, ChatProgress};

/// How long somebody types who does not say so again.
const TYPING: Duration = Duration::from_secs(8);

/// How long a list of who types stays as it is, at least.
const TYPISTS_EVERY: Duration = Duration::from_millis(500);

/// People who are told to type at the same time.
const TYPISTS_MAX: usize = 8;

/// How much of a chat is held and read at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Changes that are held for sessions; one that is further behind opens the chat again.
    pub(crate) recent_max: usize,
    /// Changed messages that one who was away is given; behind more they begin anew.
    pub(crate) missed_max: u32,
    /// Messages that one who opens the chat is given.
    pub(crate) page_len: u32,
}

impl Default for Sizes {
    fn default() -> Self {
        Sizes { recent_max: 512, missed_max: 200, page_len: CHAT_PAGE_LEN }
    }
}

/// What servers tell each other about a chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ChatNews {
    /// Something was sent, edited or deleted: the chat's last change is this one or a later one.
    Changed {
        /// The change.
        change: u64,
    },
    /// Somebody types, or not any more.
    Typing {
        /// Who.
        person: ChatPerson,
        /// Whether they do.
        on: bool,
    },
    /// Somebody has read on.
    Read {
        /// Who.
        user: UserId,
        /// The last message that they have read.
        number: u64,
        /// How many of others' messages lie behind it.
        unread: u32,
    },
}

/// See the module.
pub(crate) struct Room {
    pub(super) document: DocumentId,
    pub(super) sizes: Sizes,
    state: Mutex<State>,
    /// Notified when there is something to tend.
    pub(crate) nudge: Notify,
}

/// A change that sessions may have, and who made the message.
#[derive(Clone, Debug)]
pub(super) struct Recent {
    pub(super) entry: Arc<ChatEntry>,
    pub(super) author: ChatPerson,
}

/// See [`Room`].
///
/// Invariant: `recent` ascends by change, and has every message whose last change lies behind
/// `floor` and not behind `head`.
#[derive(Default)]
pub(super) struct State {
    /// The last change that is visible; `None` until the first session has looked.
    head: Option<u64>,
    floor: u64,
    recent: VecDeque<Recent>,
    recent_max: usize,
    /// What lies ahead of a gap.
    early: BTreeMap<u64, Recent>,
    /// The last change that anything was heard of.
    known: u64,
    /// Whether the database may know more, though nothing was heard.
    is_doubtful: bool,
    /// How far the people who listen are known to have read.
    marks: BTreeMap<UserId, u64>,
    listeners: BTreeMap<u64, Listener>,
    listeners_made: u64,
    /// Things that are being said from here, also by who has left meanwhile: what comes of them is
    /// for whoever comes next.
    held: usize,
    typists: BTreeMap<UserId, (ChatPerson, Instant)>,
    /// Counts the changes of who types; and those that sessions may send by now.
    typists_version: u64,
    typists_told: u64,
    typists_told_at: Option<Instant>,
    /// The oldest version of the rights that anybody in here was let in under; `None` before the
    /// first.
    rights_version: Option<u64>,
}

/// One session's part.
pub(super) struct Listener {
    pub(super) visitor: Visitor,
    pub(super) role: Role,
    /// The last change that it was sent; `None` until it has begun.
    pub(super) position: Option<u64>,
    pub(super) typists_seen: u64,
    /// Whether the last list of typists that it was sent was empty.
    pub(super) sees_nobody: bool,
    /// How far its person has read, if that is news.
    pub(super) progress: Option<ChatProgress>,
    pub(super) ended: Option<Ended>,
    pub(super) wake: Arc<Notify>,
}

/// Why a session's part ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Who is there may not be there any more.
    Revoked,
    /// It is too far behind, or rights cannot be read: it opens the chat again.
    Behind,
}

impl Room {
    pub(crate) fn new(document: DocumentId, sizes: Sizes) -> Self {
        let state = State { recent_max: sizes.recent_max, ..State::default() };
        Room { document, sizes, state: Mutex::new(state), nudge: Notify::new() }
    }

    /// Held for a few steps and never over an await.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_empty(&self) -> bool {
        let state = self.lock();
        state.listeners.is_empty() && state.held == 0
    }

    /// A change is durable, made here.
    pub(super) fn committed(&self, entry: ChatEntry, author: ChatPerson) {
        let mut state = self.lock();
        state.typists_gone(&author.user);
        state.take(Recent { entry: Arc::new(entry), author });
        drop(state);
        self.nudge.notify_one();
    }

    /// Something may have become durable, and nobody knows.
    pub(crate) fn doubt(&self) {
        self.lock().is_doubtful = true;
        self.nudge.notify_one();
    }

    /// Another server says so, or the database.
    pub(super) fn heard_of(&self, change: u64) {
        let mut state = self.lock();
        state.known = state.known.max(change);
        drop(state);
        self.nudge.notify_one();
    }

    /// Somebody types, or not any more; whether that is news.
    pub(super) fn typing(&self, person: ChatPerson, on: bool, now: Instant) -> bool {
        let mut state = self.lock();
        let is_news = if on {
            let user = person.user.clone();
            state.typists.insert(user, (person, now + TYPING)).is_none()
        } else {
            state.typists.remove(&person.user).is_some()
        };
        state.typists_version += u64::from(is_news);
        drop(state);
        if is_news || on {
            self.nudge.notify_one();
        }
        is_news
    }

    /// A person has read on: all their sessions are told.
    pub(super) fn read(&self, user: &UserId, progress: ChatProgress) {
        self.lock().note_progress(user, progress, None);
    }
}

impl State {
    /// Something is being said from here, or not any more.
    pub(super) fn hold(&mut self) {
        self.held += 1;
    }

    pub(super) fn release(&mut self) {
        self.held -= 1;
    }

    pub(super) fn enter(&mut self, visitor: Visitor) -> u64 {
        self.listeners_made += 1;
        let listener = Listener {
            visitor,
            role: Role::Viewer,
            position: None,
            typists_seen: 0,
            sees_nobody: true,
            progress: None,
            ended: None,
            wake: Arc::new(Notify::new()),
        };
        self.listeners.insert(self.listeners_made, listener);
        self.listeners_made
    }

    pub(super) fn leave(&mut self, listener: u64) {
        if let Some(gone) = self.listeners.remove(&listener)
            && !self.listeners.values().any(|other| other.visitor.user == gone.visitor.user)
        {
            self.typists_gone(&gone.visitor.user);
            self.marks.remove(&gone.visitor.user);
        }
    }

    /// A person has read so far: their sessions are told, but for the one that knows. What arrives
    /// late and says less is no news.
    pub(super) fn note_progress(
        &mut self,
        user: &UserId,
        progress: ChatProgress,
        but: Option<u64>,
    ) {
        let known = self.marks.get(user).copied();
        let is_older = known.is_some_and(|known| progress.number < known);
        let is_told = but.is_some() && known.is_none_or(|known| progress.number == known);
        if is_older {
            return;
        }
        let mut own = self.listeners.iter_mut().filter(|(_, l)| l.visitor.user == *user).peekable();
        if own.peek().is_some() {
            self.marks.insert(user.clone(), progress.number);
        }
        if is_told {
            return;
        }
        for (number, listener) in own {
            if but == Some(*number) {
                continue;
            }
            listener.progress = Some(progress);
            listener.wake.notify_one();
            if sabotage::is_planted(Bug::ChatMarkToOne) {
                break;
            }
        }
    }

    /// Who listens, and how far they are known to have read.
    pub(super) fn marks(&self) -> BTreeMap<UserId, u64> {
        let known = |user: &UserId| self.marks.get(user).copied().unwrap_or(0);
        let users = self.listeners.values().map(|listener| listener.visitor.user.clone());
        users.map(|user| (user.clone(), known(&user))).collect()
    }

    /// From where the database is to be read, and whether it may know what nobody told. What is
    /// doubted from now on is looked at the next time.
    pub(super) fn begin_look(&mut self) -> Option<(u64, bool)> {
        let head = self.head?;
        Some((head, std::mem::take(&mut self.is_doubtful)))
    }

    /// The database could not be read.
    pub(super) fn look_failed(&mut self) {
        self.is_doubtful = true;
    }

    pub(super) fn listener(&mut self, number: u64) -> Option<&mut Listener> {
        self.listeners.get_mut(&number)
    }

    /// Lets a session begin behind a change up to which it holds everything. `false` when what
    /// follows that is not held any more.
    pub(super) fn begin(&mut self, number: u64, change: u64) -> bool {
        if self.head.is_none() {
            (self.head, self.floor) = (Some(change), change);
            self.settle();
        }
        if change < self.floor {
            return false;
        }
        match self.listeners.get_mut(&number) {
            Some(listener) => {
                listener.position = Some(change);
                true
            }
            None => false,
        }
    }

    /// The last change that is visible.
    pub(super) fn head(&self) -> Option<u64> {
        self.head
    }

    pub(super) fn floor(&self) -> u64 {
        self.floor
    }

    /// Everything visible behind a change, in order.
    pub(super) fn behind(&self, change: u64) -> impl Iterator<Item = &Recent> {
        let from = self.recent.partition_point(|recent| recent.entry.change <= change);
        self.recent.range(from..)
    }

    /// Whether something is known to be missing, or may be.
    pub(super) fn is_behind(&self) -> bool {
        self.head.is_some_and(|head| self.known > head) || self.is_doubtful && self.head.is_some()
    }

    fn take(&mut self, recent: Recent) {
        let change = recent.entry.change;
        self.known = self.known.max(change);
        if self.head.is_some_and(|head| change <= head) {
            return;
        }
        self.early.insert(change, recent);
        self.settle();
    }

    /// Makes visible what follows without a gap.
    fn settle(&mut self) {
        let Some(mut head) = self.head else { return };
        self.early = self.early.split_off(&(head + 1));
        while let Some(next) = self.next_early(head) {
            head = next.entry.change;
            self.recent.push_back(next);
        }
        self.advance(head);
    }

    /// What follows the visible end without a gap.
    fn next_early(&mut self, head: u64) -> Option<Recent> {
        if sabotage::is_planted(Bug::ChatGapSkipped) {
            return self.early.pop_first().map(|(_, next)| next);
        }
        self.early.remove(&(head + 1))
    }

    /// What the database has behind the visible end; `head` is where the chat ended then.
    pub(super) fn filled(&mut self, found: Vec<Recent>, is_whole: bool, head: ChatHead) {
        let Some(before) = self.head else { return };
        let last = found.last().map_or(before, |recent| recent.entry.change);
        for recent in found {
            if recent.entry.change > before {
                self.recent.push_back(recent);
            }
        }
        self.advance(if is_whole { head.change.max(before) } else { last.max(before) });
        self.settle();
    }

    fn advance(&mut self, head: u64) {
        if self.head == Some(head) {
            return;
        }
        self.head = Some(head);
        self.known = self.known.max(head);
        while self.recent.len() > self.recent_max {
            let dropped = self.recent.pop_front();
            self.floor = dropped.map_or(self.floor, |dropped| dropped.entry.change);
        }
        self.wake_all();
    }

    fn wake_all(&self) {
        self.listeners.values().for_each(|listener| listener.wake.notify_one());
    }

    fn typists_gone(&mut self, user: &UserId) {
        self.typists_version += u64::from(self.typists.remove(user).is_some());
    }

    /// Lets who has stopped typing go, and lets sessions be told who types, not too often. When
    /// there is something to do next.
    pub(super) fn tend_typists(&mut self, now: Instant) -> Option<Instant> {
        let before = self.typists.len();
        self.typists.retain(|_, (_, until)| *until > now);
        self.typists_version += (before - self.typists.len()) as u64;
        if self.typists_told < self.typists_version {
            let due = self.typists_told_at.map_or(now, |told| told + TYPISTS_EVERY);
            if due > now {
                return Some(due);
            }
            (self.typists_told, self.typists_told_at) = (self.typists_version, Some(now));
            self.wake_all();
        }
        self.typists.values().map(|(_, until)| *until).min()
    }

    /// Who types, for a session that was told as of `seen`; `None` when that is no news.
    pub(super) fn typists(&self, seen: u64, user: &UserId) -> Option<(u64, Vec<ChatPerson>)> {
        if self.typists_told <= seen {
            return None;
        }
        let others = self.typists.values().filter(|(person, _)| person.user != *user);
        let people = others.take(TYPISTS_MAX).map(|(person, _)| person.clone()).collect();
        Some((self.typists_told, people))
    }

    /// The version of the rights that the roles in here are of, or an older one.
    pub(super) fn rights_version(&self) -> u64 {
        self.rights_version.unwrap_or(0)
    }

    /// Notes a version of the rights that sessions were let in under.
    pub(super) fn note_rights_version(&mut self, version: u64) {
        // Those who came before were let in under the older one, and are looked at anew.
        let known = self.rights_version.unwrap_or(version);
        self.rights_version = Some(known.min(version));
    }

    /// Gives every session the role that it has now, and ends those that have none.
    pub(super) fn set_rights(&mut self, rights: &Rights) {
        self.rights_version = Some(rights.version);
        for listener in self.listeners.values_mut() {
            match rights.role_of(&listener.visitor) {
                Some(role) => listener.role = role,
                None => listener.ended = Some(Ended::Revoked),
            }
            listener.wake.notify_one();
        }
    }

    /// Ends every session.
    pub(super) fn end_all(&mut self, reason: Ended) {
        for listener in self.listeners.values_mut() {
            listener.ended.get_or_insert(reason);
            listener.wake.notify_one();
        }
    }
}
