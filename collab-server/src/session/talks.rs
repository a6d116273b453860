//! The chats open over one connection: what is asked of them, in order, and what they have to say.
//!
//! Of each chat one thing is stored at a time, so that messages get their numbers in the order in
//! which they were sent; and one thing is looked up at a time beside that. Nothing here waits for
//! the database in the connection's own turn.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use collab_protocol::{
    ChannelId, ChatCode, ChatOpen, ChatReject, DocumentId, ErrorCode, MessageId, ServerMessage,
};
use tokio::sync::Notify;

use super::chores::Chores;
use crate::app::App;
use crate::chat::{self, ChatFeed, FeedEnded, Opened};
use crate::metrics::Metrics;
use crate::people::Profile;

/// What may wait its turn, of each kind and in each chat.
const WAITING_MAX: usize = 32;

/// How soon what was refused for a full queue may come again.
const OVERLOAD_RETRY: Duration = Duration::from_millis(250);

/// Something that a chat is asked; it ends with the frame that answers, if any does.
pub(super) type Call = Pin<Box<dyn Future<Output = Option<String>> + Send>>;

/// What kind of thing is asked: the kinds do not wait for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// Something is stored.
    Writing,
    /// Something is looked up.
    Reading,
}

/// Something that was asked, and is done.
pub(super) enum Done {
    /// A chat was opened, or not.
    Opened { ch: ChannelId, doc: DocumentId, opened: Result<Box<Opened>, ChatCode> },
    /// The answer to a call.
    Answered { ch: ChannelId, lane: Lane, frame: Option<String> },
}

/// One open chat.
struct Talk {
    feed: ChatFeed,
    lanes: [Queue; 2],
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Call>,
    is_running: bool,
}

/// See the module.
pub(super) struct Talks {
    open: BTreeMap<ChannelId, Talk>,
    running: Chores<Pin<Box<dyn Future<Output = Done> + Send>>>,
    opening: usize,
    metrics: Arc<Metrics>,
}

impl Talks {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Talks { open: BTreeMap::new(), running: Chores::default(), opening: 0, metrics }
    }

    /// Chats that are open or about to be.
    pub(super) fn len(&self) -> usize {
        self.open.len() + self.opening
    }

    /// Whether nothing is on its way.
    pub(super) fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    pub(super) fn feed(&self, ch: ChannelId) -> Option<&ChatFeed> {
        self.open.get(&ch).map(|talk| &talk.feed)
    }

    /// Begins to open a chat as channel `ch`; given up when the database takes too long.
    pub(super) fn begin(
        &mut self,
        app: Arc<App>,
        open: ChatOpen,
        ch: ChannelId,
        profile: Profile,
        wake: Arc<Notify>,
    ) {
        self.opening += 1;
        let doc = open.doc;
        let deadline = Duration::from_millis(app.config.join_deadline_ms.into());
        self.running.push(Box::pin(async move {
            let opening = chat::open(app, open, ch, profile, wake);
            let opened = tokio::time::timeout(deadline, opening).await;
            let opened = opened.unwrap_or(Err(ChatCode::StorageUnavailable)).map(Box::new);
            Done::Opened { ch, doc, opened }
        }));
    }

    /// Lets a call wait its turn; `false` when too many do.
    pub(super) fn call(&mut self, ch: ChannelId, lane: Lane, call: Call) -> bool {
        let Some(talk) = self.open.get_mut(&ch) else { return true };
        let queue = &mut talk.lanes[lane as usize];
        if queue.waiting.len() >= WAITING_MAX {
            return false;
        }
        queue.waiting.push_back(call);
        self.go_on(ch, lane);
        true
    }

    /// Begins the next call of a chat, if none is on its way.
    fn go_on(&mut self, ch: ChannelId, lane: Lane) {
        let Some(talk) = self.open.get_mut(&ch) else { return };
        let queue = &mut talk.lanes[lane as usize];
        if queue.is_running {
            return;
        }
        if let Some(call) = queue.waiting.pop_front() {
            queue.is_running = true;
            let answered = async move { Done::Answered { ch, lane, frame: call.await } };
            self.running.push(Box::pin(answered));
        }
    }

    /// What is done next, if anything is yet.
    pub(super) fn poll_done(&mut self, context: &mut Context<'_>) -> Poll<Done> {
        self.running.poll_done(context)
    }

    /// Takes in what is done: the frame to be sent, if there is one.
    pub(super) fn settle(&mut self, done: Done) -> Option<String> {
        match done {
            Done::Opened { ch, doc, opened } => {
                self.opening -= 1;
                match opened {
                    Ok(opened) => {
                        let Opened { feed, frame } = *opened;
                        let lanes = [Queue::default(), Queue::default()];
                        self.open.insert(ch, Talk { feed, lanes });
                        self.metrics.chats.inc();
                        Some(frame)
                    }
                    Err(code) => Some(self.reject((None, Some(doc), None), code, None)),
                }
            }
            Done::Answered { ch, lane, frame } => {
                let talk = self.open.get_mut(&ch)?;
                talk.lanes[lane as usize].is_running = false;
                self.go_on(ch, lane);
                frame
            }
        }
    }

    /// Closes a chat; whether it was open. What it is storing is stored all the same.
    pub(super) fn close(&mut self, ch: ChannelId) -> bool {
        let is_open = self.open.remove(&ch).is_some();
        if is_open {
            self.metrics.chats.dec();
        }
        is_open
    }

    /// Takes what the chats have for this session; and those that are over, with why.
    pub(super) fn pull(&mut self) -> (Vec<String>, Vec<(ChannelId, ErrorCode)>) {
        let (mut frames, mut ended) = (Vec::new(), Vec::new());
        for (ch, talk) in &mut self.open {
            match talk.feed.pull(*ch) {
                Ok(pulled) => frames.extend(pulled),
                Err(FeedEnded(code)) => ended.push((*ch, code)),
            }
        }
        (frames, ended)
    }

    /// Why something is not done, as a frame.
    pub(super) fn reject(
        &self,
        (ch, doc, id): (Option<ChannelId>, Option<DocumentId>, Option<MessageId>),
        code: ChatCode,
        retry: Option<Duration>,
    ) -> String {
        rejection(&self.metrics, (ch, doc, id), code, retry)
    }

    /// That a queue is full.
    pub(super) fn overloaded(&self, ch: ChannelId, id: Option<MessageId>) -> String {
        self.reject((Some(ch), None, id), ChatCode::Overloaded, Some(OVERLOAD_RETRY))
    }
}

/// Why something is not done, as a frame.
pub(super) fn rejection(
    metrics: &Metrics,
    (ch, doc, id): (Option<ChannelId>, Option<DocumentId>, Option<MessageId>),
    code: ChatCode,
    retry: Option<Duration>,
) -> String {
    metrics.chat_reject(code);
    let retry_ms = retry.map(|retry| u32::try_from(retry.as_millis()).unwrap_or(u32::MAX).max(1));
    ServerMessage::ChatReject(ChatReject { ch, doc, id, code, retry_ms }).to_json()
}

impl Drop for Talks {
    fn drop(&mut self) {
        self.metrics.chats.dec_by(i64::try_from(self.open.len()).unwrap_or(i64::MAX));
    }
}
