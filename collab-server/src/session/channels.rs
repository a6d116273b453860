//! The documents open over one connection, by channel number.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use collab_protocol::{ChannelId, ClientId, DocumentId, ServerMessage};
use smallvec::SmallVec;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::history::History;
use super::strain::Strain;
use crate::document::{Ended, SessionFeed, SessionSender, Step};
use crate::metrics::Metrics;
use crate::rate::SubmissionRate;

/// A document open over this connection.
pub(super) struct Open {
    pub(super) channel: ChannelId,
    pub(super) document: DocumentId,
    pub(super) client: ClientId,
    pub(super) sender: SessionSender,
    pub(super) feed: SessionFeed,
    pub(super) rate: SubmissionRate,
    /// The submission that waits for its answer.
    pub(super) waiting: Option<(u64, Instant)>,
}

/// Frames of one document, mostly one.
type Frames = SmallVec<[Utf8Bytes; 1]>;

/// What pulling brought.
pub(super) enum Pull {
    /// Frames of one document; and whether that is all that any has.
    Frames { frames: Frames, is_all: bool },
    /// No document has anything.
    Nothing,
    /// A document ended its session.
    Ended { channel: ChannelId, reason: Ended },
}

/// Whether a channel number means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Open,
    /// It was given once, and is closed.
    Closed,
    /// It was never given.
    Unknown,
}

/// See the module.
///
/// Invariant: the open channels ascend, and are below `next`.
pub(super) struct Channels {
    /// By number. Boxed: a list makes room for four at once, and most connections have one.
    #[expect(clippy::vec_box, reason = "room for four of them would be held for one")]
    open: Vec<Box<Open>>,
    next: ChannelId,
    /// The channel pulled last: the next pull begins behind it, so that a busy document does not
    /// starve the others.
    pulled: ChannelId,
    history: History,
    pub(super) strain: Strain,
    metrics: Arc<Metrics>,
}

impl Channels {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Channels {
            open: Vec::new(),
            next: ChannelId(1),
            pulled: ChannelId(0),
            history: History::default(),
            strain: Strain::default(),
            metrics,
        }
    }

    /// A number for a document that is about to be opened.
    pub(super) fn reserve(&mut self) -> ChannelId {
        let channel = self.next;
        self.next = ChannelId(channel.0 + 1);
        channel
    }

    pub(super) fn open(&mut self, open: Box<Open>) {
        self.metrics.sessions.inc();
        let at = self.open.partition_point(|other| other.channel < open.channel);
        self.open.insert(at, open);
    }

    pub(super) fn close(&mut self, channel: ChannelId) -> Option<Box<Open>> {
        let open = self.open.remove(self.index(channel)?);
        self.history.forget(channel);
        self.metrics.sessions.dec();
        Some(open)
    }

    pub(super) fn get(&mut self, channel: ChannelId) -> Option<&mut Open> {
        let index = self.index(channel)?;
        Some(&mut *self.open[index])
    }

    fn index(&self, channel: ChannelId) -> Option<usize> {
        self.open.binary_search_by_key(&channel, |open| open.channel).ok()
    }

    pub(super) fn standing(&self, channel: ChannelId) -> Standing {
        match self.index(channel).is_some() {
            true => Standing::Open,
            false if channel.0 >= 1 && channel < self.next => Standing::Closed,
            false => Standing::Unknown,
        }
    }

    /// Whether this client has this document open here.
    pub(super) fn has(&self, document: DocumentId, client: ClientId) -> bool {
        self.open.iter().any(|open| open.document == document && open.client == client)
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Whether a submission waits for its answer.
    pub(super) fn await_answers(&self) -> bool {
        self.open.iter().any(|open| open.waiting.is_some())
    }

    /// Takes what the next document with news has for this session, about `budget_bytes` of it.
    pub(super) fn pull(&mut self, budget_bytes: usize) -> Pull {
        let (count, pulled) = (self.open.len(), self.pulled);
        let first = self.open.partition_point(|open| open.channel <= pulled);
        for index in (first..count).chain(0..first) {
            let channel = self.open[index].channel;
            match self.pull_one(index, budget_bytes) {
                Err(reason) => return Pull::Ended { channel, reason },
                Ok((frames, _)) if frames.is_empty() => {}
                Ok((frames, more)) => {
                    self.pulled = channel;
                    return Pull::Frames { frames, is_all: count == 1 && !more };
                }
            }
        }
        Pull::Nothing
    }

    /// What one document has, and whether it has more. One that is behind its ring gives nothing until its history is read;
    /// one history is read at a time, so that a slow connection holds one of them at most.
    fn pull_one(&mut self, index: usize, budget_bytes: usize) -> Result<(Frames, bool), Ended> {
        let open = &mut self.open[index];
        let (frames, more) = match open.feed.pull(budget_bytes)? {
            Step::Pulled(pulled) => {
                if let Some(age) = pulled.age {
                    self.metrics.fanned_out(age);
                }
                (pulled.frames, pulled.more)
            }
            Step::Behind(catch_up) => {
                let stretch = self.history.take(open.channel, catch_up)?;
                (stretch.map(|stretch| open.feed.caught_up(&stretch)).into_iter().collect(), true)
            }
        };
        for frame in &frames {
            open.note_answer(frame, &self.metrics, &mut self.strain);
        }
        Ok((frames, more))
    }

    /// Whether history that was being read has come.
    pub(super) fn poll_caught_up(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.history.poll_read(context)
    }
}

impl Drop for Channels {
    fn drop(&mut self) {
        let open = i64::try_from(self.open.len()).unwrap_or(i64::MAX);
        self.metrics.sessions.dec_by(open);
    }
}

impl Open {
    /// Counts what a frame answers.
    fn note_answer(&mut self, frame: &str, metrics: &Metrics, strain: &mut Strain) {
        if frame.starts_with(r#"{"type":"reject""#)
            && let Ok(ServerMessage::Reject(reject)) = ServerMessage::decode(frame)
        {
            metrics.reject(reject.code);
            strain.refused(reject.code);
        }
        let Some((seq, since)) = self.waiting else { return };
        // Inside a text of an operation the quotes would be escaped, so this is an entry.
        let is_answer = frame.contains(&format!(r#"{{"ack":{seq}}}"#))
            || frame.contains(&format!(r#""seq":{seq},"#))
                && !frame.starts_with(r#"{"type":"ops""#);
        if is_answer {
            self.waiting = None;
            if !frame.starts_with(r#"{"type":"reject""#) {
                strain.committed();
            }
            metrics.answered(since.elapsed());
        }
    }
}
