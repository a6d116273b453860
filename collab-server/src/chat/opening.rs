//! How somebody comes into a chat: a place among those who listen first, then what was said until
//! now, so that nothing gets lost between the two.

use std::sync::Arc;

use collab_protocol::{ChannelId, ChatCode, ChatOpened, Role, ServerMessage, UserId};
use tokio::sync::Notify;

use super::feed::ChatFeed;
use super::room::Sizes;
use super::{authors, unavailable};
use crate::desk::Desk;
use crate::sabotage::{self, Bug};
use crate::store::{ChatExtract, ChatProgress, ChatRange, StoreError};

/// How often an entry is tried anew when the chat has gone on too far meanwhile.
const ENTRIES_MAX: usize = 4;

/// A chat that was opened, and the frame that says so.
pub(crate) struct Opened {
    pub(crate) feed: ChatFeed,
    pub(crate) frame: String,
}

/// Somebody who may read a chat and has a place in it.
pub(crate) struct Opening {
    pub(crate) ch: ChannelId,
    pub(crate) feed: ChatFeed,
    pub(crate) person: UserId,
    /// What they may do, and the version of the rights that says so.
    pub(crate) rights: (Role, u64),
    /// Notified when there is something to pull.
    pub(crate) wake: Arc<Notify>,
}

impl Opening {
    /// Reads what they lack behind change `since`, or the latest messages.
    pub(crate) async fn finish(
        mut self,
        desk: &dyn Desk,
        since: Option<u64>,
    ) -> Result<Opened, ChatCode> {
        let document = self.feed.document();
        let progress = desk.store().chat_progress(document, self.person.clone());
        let progress = progress.await.map_err(unavailable)?;
        for _ in 0..ENTRIES_MAX {
            let (since, extract) = self.read(desk, since).await.map_err(unavailable)?;
            if self.feed.begin(extract.head.change, self.rights, &self.wake) {
                self.feed.note_progress(&self.person, progress);
                return self.tell(desk, (since, extract), progress).await;
            }
        }
        Err(ChatCode::Overloaded)
    }

    /// What has changed behind `since`, if it is not too much; else the latest messages.
    async fn read(
        &self,
        desk: &dyn Desk,
        since: Option<u64>,
    ) -> Result<(Option<u64>, ChatExtract), StoreError> {
        let (document, Sizes { missed_max, page_len, .. }) =
            (self.feed.document(), self.feed.sizes());
        if let Some(since) = since {
            let range = ChatRange::Since(since);
            let missed = desk.store().chat(document, range, missed_max + 1).await?;
            let is_whole = missed.entries.len() <= missed_max as usize
                || sabotage::is_planted(Bug::ChatMissedCut);
            if is_whole && since <= missed.head.change {
                return Ok((Some(since), missed));
            }
        }
        Ok((None, desk.store().chat(document, ChatRange::Latest, page_len).await?))
    }

    async fn tell(
        self,
        desk: &dyn Desk,
        (since, extract): (Option<u64>, ChatExtract),
        progress: ChatProgress,
    ) -> Result<Opened, ChatCode> {
        let people = authors(desk, &extract).await.map_err(unavailable)?;
        let mut messages: Vec<_> = extract.entries.into_iter().map(|entry| entry.message).collect();
        messages.sort_by_key(|message| message.number);
        let opened = ChatOpened {
            ch: self.ch,
            doc: self.feed.document(),
            role: self.rights.0,
            since,
            messages,
            people,
            last: extract.head.number,
            change: extract.head.change,
            read: progress.number,
            unread: progress.unread,
        };
        let frame = ServerMessage::ChatOpened(opened).to_json();
        Ok(Opened { feed: self.feed, frame })
    }
}
