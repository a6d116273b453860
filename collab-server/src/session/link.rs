//! What carries the messages of a session: a WebSocket, or a pipe that HTTP requests fill and
//! empty.
//!
//! A link takes one frame after another and says when it may be given the next, reads one message
//! at a time, and counts bytes. Everything else is the session's, whatever carries it.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use collab_protocol::CloseCode;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::auth::Kind;
use crate::document::Frame;
use crate::metrics::Metrics;

/// What came of waiting for a link.
#[derive(Debug)]
pub(super) enum LinkEvent {
    /// A text message.
    Text(Utf8Bytes),
    /// A binary message, which the protocol does not have.
    Binary,
    /// An answer to a ping.
    Pong(Bytes),
    /// A sign of life that needs no answer here.
    Other,
    /// The next frame may be sent.
    Sent,
    /// A message over the limit.
    TooLarge,
    /// Something that is no message at all; the code to close with.
    Unreadable(CloseCode),
    /// The connection is closed or broken.
    Gone,
}

impl LinkEvent {
    /// Whether nothing can be read behind it.
    pub(super) fn is_last(&self) -> bool {
        matches!(self, LinkEvent::Gone | LinkEvent::TooLarge | LinkEvent::Unreadable(_))
    }
}

/// See the module.
pub(super) trait Link {
    /// Whether the next frame may be sent.
    fn is_idle(&self) -> bool;

    /// Bytes read and written so far. What is written grows as long as the other side takes what is
    /// sent.
    fn bytes(&self) -> (u64, u64);

    /// The bytes read and written that the figures know of.
    fn reported(&mut self) -> &mut (u64, u64);

    /// It is known now what the person at the other end is.
    fn known(&mut self, _kind: Kind) {}

    /// Fails reading once about so many further bytes came: what a message needs, and its head.
    fn limit_reading(&mut self, bytes: u64);

    /// Begins to send a text message. What was on its way must be sent, or is given up.
    fn send(&mut self, frame: Frame);

    /// Sends a ping, between two pieces of a frame if need be.
    fn ping(&mut self, payload: [u8; 8]);

    /// Goes on with what is being sent: [`LinkEvent::Sent`] or [`LinkEvent::Gone`]. Asked only while
    /// the link is not idle.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<LinkEvent>;

    /// Looks for what the other side does.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<LinkEvent>;

    /// Sends the close behind everything else, and waits until the other side has it.
    async fn say_goodbye(&mut self, code: CloseCode);

    /// Adds what was read and written since the last report to the figures.
    fn report_bytes(&mut self, metrics: &Metrics) {
        let (read, written) = self.bytes();
        let reported = self.reported();
        metrics.bytes_received.inc_by(read - reported.0);
        metrics.bytes_sent.inc_by(written - reported.1);
        *reported = (read, written);
    }

    /// Looks for the next thing that happens.
    fn poll_event(&mut self, context: &mut Context<'_>, may_read: bool) -> Poll<LinkEvent> {
        if !self.is_idle()
            && let Poll::Ready(event) = self.poll_write(context)
        {
            return Poll::Ready(event);
        }
        if may_read { self.poll_read(context) } else { Poll::Pending }
    }

    /// Waits for the next thing to happen. Dropped before it returns, it has lost nothing.
    async fn event(&mut self, may_read: bool) -> LinkEvent {
        poll_fn(|context| self.poll_event(context, may_read)).await
    }

    /// Waits for the next thing that the other side does.
    async fn next_message(&mut self) -> LinkEvent {
        loop {
            match self.event(true).await {
                LinkEvent::Sent | LinkEvent::Pong(_) | LinkEvent::Other => {}
                event => return event,
            }
        }
    }

    /// Waits until the next frame may be sent; `false` when there is nobody to send it to.
    async fn is_ready(&mut self) -> bool {
        while !self.is_idle() {
            if let LinkEvent::Gone = poll_fn(|context| self.poll_write(context)).await {
                return false;
            }
        }
        true
    }

    /// Sends what is on its way and then these frames, as far as `timeout` allows.
    async fn finish(&mut self, frames: impl IntoIterator<Item = Frame>, timeout: Duration) {
        let last_words = async {
            let mut frames = frames.into_iter();
            while self.is_ready().await {
                match frames.next() {
                    Some(frame) => self.send(frame),
                    None => return,
                }
            }
        };
        if tokio::time::timeout(timeout, last_words).await.is_err() {
            tracing::debug!("a connection did not take its last frames in time");
        }
    }

    /// Sends what is on its way, then the close, and waits until the other side has it; all in
    /// `timeout`.
    async fn close(&mut self, code: CloseCode, timeout: Duration) {
        let goodbye = async {
            if self.is_ready().await {
                self.say_goodbye(code).await;
            }
        };
        if tokio::time::timeout(timeout, goodbye).await.is_err() {
            tracing::debug!("a connection did not answer the close in time");
        }
    }
}
