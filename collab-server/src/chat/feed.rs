//! A session's way out of a chat: it pulls what it lacks, when it can send it.

use std::sync::Arc;

use collab_protocol::{
    Access, ChannelId, ChatNews as NewsFrame, ChatPerson, ChatSeen, ChatTypists, DocumentId,
    ErrorCode, Role, ServerMessage, UserId,
};
use tokio::sync::Notify;

use super::room::{Ended, Room, Sizes};
use super::saying::Place;
use crate::rights::Visitor;
use crate::store::ChatProgress;

/// Messages in one frame, at most.
const FRAME_LEN_MAX: usize = 50;

/// See the module. The session leaves the chat when it is dropped.
pub(crate) struct ChatFeed {
    room: Arc<Room>,
    listener: u64,
    /// The role that the session was told.
    role: Role,
}

/// Why a session's part in a chat is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FeedEnded(pub(crate) ErrorCode);

impl ChatFeed {
    pub(crate) fn enter(room: Arc<Room>, visitor: Visitor) -> Self {
        let listener = room.lock().enter(visitor);
        ChatFeed { room, listener, role: Role::Viewer }
    }

    pub(super) fn document(&self) -> DocumentId {
        self.room.document
    }

    pub(super) fn sizes(&self) -> Sizes {
        self.room.sizes
    }

    /// How far the session's person had read when it was asked for it, for their other sessions.
    pub(super) fn note_progress(&self, person: &UserId, progress: ChatProgress) {
        self.room.lock().note_progress(person, progress, Some(self.listener));
    }

    /// Begins behind a change up to which the session holds everything; `false` when that is too
    /// long ago. `wake` is notified when there may be something to pull.
    pub(super) fn begin(
        &mut self,
        change: u64,
        (role, rights_version): (Role, u64),
        wake: &Arc<Notify>,
    ) -> bool {
        let mut state = self.room.lock();
        if let Some(listener) = state.listener(self.listener) {
            (listener.role, listener.wake) = (role, Arc::clone(wake));
        }
        state.note_rights_version(rights_version);
        self.role = role;
        let has_begun = state.begin(self.listener, change);
        drop(state);
        self.room.nudge.notify_one();
        has_begun
    }

    /// From where the session's person says something now.
    pub(crate) fn place(&self, ch: ChannelId) -> Place {
        let mut state = self.room.lock();
        let role = state.listener(self.listener).map_or(self.role, |listener| listener.role);
        drop(state);
        Place::new(Arc::clone(&self.room), ch, role)
    }

    /// Takes what the session lacks, as frames; none when that is nothing. With much to send, the
    /// rest is left for the next time, and the session is woken for it.
    ///
    /// # Errors
    /// [`FeedEnded`].
    pub(crate) fn pull(&mut self, ch: ChannelId) -> Result<Vec<String>, FeedEnded> {
        let mut state = self.room.lock();
        let (head, floor) = (state.head(), state.floor());
        let failed = FeedEnded(ErrorCode::Internal);
        let listener = state.listener(self.listener).ok_or(failed)?;
        let (Some(position), Some(head)) = (listener.position, head) else { return Ok(Vec::new()) };
        let is_lost = position < floor;
        match listener.ended {
            Some(Ended::Revoked) => return Err(FeedEnded(ErrorCode::AccessRevoked)),
            Some(Ended::Behind) => return Err(FeedEnded(ErrorCode::StorageUnavailable)),
            None if is_lost => return Err(FeedEnded(ErrorCode::Overloaded)),
            None => {}
        }
        let progress = listener.progress.take();
        let user = listener.visitor.user.clone();
        let (seen, saw_nobody) = (listener.typists_seen, listener.sees_nobody);
        let role = listener.role;
        let typists = state.typists(seen, &user);
        let taken: Vec<_> = state.behind(position).take(FRAME_LEN_MAX).cloned().collect();
        let is_all = taken.len() < FRAME_LEN_MAX;
        let change = match taken.last() {
            Some(last) if !is_all => last.entry.change,
            _ => head,
        };
        let listener = state.listener(self.listener).ok_or(failed)?;
        listener.position = Some(change.max(position));
        if let Some((version, people)) = &typists {
            (listener.typists_seen, listener.sees_nobody) = (*version, people.is_empty());
        }
        if !is_all {
            listener.wake.notify_one();
        }
        drop(state);

        let mut messages = Vec::new();
        if change > position {
            let mut people: Vec<ChatPerson> = Vec::new();
            for recent in &taken {
                if !people.iter().any(|known| known.user == recent.author.user) {
                    people.push(recent.author.clone());
                }
            }
            let said = taken.iter().map(|recent| recent.entry.message.clone()).collect();
            messages.push(ServerMessage::Chat(NewsFrame { ch, change, messages: said, people }));
        }
        if role != self.role {
            self.role = role;
            messages.push(ServerMessage::Access(Access { ch, role }));
        }
        if let Some(progress) = progress {
            let (number, unread) = (progress.number, progress.unread);
            messages.push(ServerMessage::ChatRead(ChatSeen { ch, number, unread }));
        }
        if let Some((_, people)) = typists
            && !(saw_nobody && people.is_empty())
        {
            messages.push(ServerMessage::ChatTyping(ChatTypists { ch, people }));
        }
        Ok(messages.iter().map(ServerMessage::to_json).collect())
    }
}

impl Drop for ChatFeed {
    fn drop(&mut self) {
        self.room.lock().leave(self.listener);
        self.room.nudge.notify_one();
    }
}
