//! A WebSocket as a session needs it: reading and writing in one task, one frame on its way at a
//! time, long frames in fragments, and the bytes counted.
//!
//! Fragments keep the write buffer small whatever a frame's length, and let a ping pass between
//! them.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use collab_protocol::CloseCode;
use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::frame::Frame as WebSocketFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::config::Config;
use crate::document::Frame;
use crate::metrics::Metrics;

/// What is read at once. It is held by every connection, busy or not.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// A fragment of plain text, and so about the size of the write buffer; one of nothing but escapes
/// is six times as long.
const FRAGMENT_BYTES: usize = 16 * 1024;

/// What came of waiting for a socket.
#[derive(Debug)]
pub(super) enum SocketEvent {
    /// A text message.
    Text(Utf8Bytes),
    /// A binary message, which the protocol does not have.
    Binary,
    /// An answer to a ping.
    Pong(Bytes),
    /// Something that needs no answer here.
    Other,
    /// The frame on its way is sent.
    Sent,
    /// A message over the limit.
    TooLarge,
    /// Something that is no WebSocket, or no text; the code to close with.
    Unreadable(CloseCode),
    /// The connection is closed or broken.
    Gone,
}

impl SocketEvent {
    /// Whether nothing can be read behind it.
    fn is_last(&self) -> bool {
        matches!(self, SocketEvent::Gone | SocketEvent::TooLarge | SocketEvent::Unreadable(_))
    }
}

/// Whether what the library calls a violation is only a connection that ended without a close.
fn is_end(error: &ProtocolError) -> bool {
    matches!(
        error,
        ProtocolError::ResetWithoutClosingHandshake
            | ProtocolError::ReceivedAfterClosing
            | ProtocolError::SendAfterClosing
    )
}

/// See the module.
pub(super) struct Socket<S> {
    inner: WebSocketStream<Counted<S>>,
    /// What is left of the frame on its way.
    rest: Frame,
    is_writing: bool,
    /// Bytes read and written that the figures know of.
    reported: (u64, u64),
}

impl<S> Socket<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    /// Takes over a stream whose upgrade is done.
    pub(super) async fn new(stream: S, config: &Config) -> Self {
        let message_max = config.message_bytes_max as usize;
        let settings = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(message_max))
            .max_frame_size(Some(message_max));
        let counted = Counted { stream, read: 0, written: 0, read_max: u64::MAX };
        let inner = WebSocketStream::from_raw_socket(counted, Role::Server, Some(settings)).await;
        Socket { inner, rest: Frame::default(), is_writing: false, reported: (0, 0) }
    }

    /// Whether the next frame may be sent.
    pub(super) fn is_idle(&self) -> bool {
        !self.is_writing
    }

    /// Bytes read and written so far.
    pub(super) fn bytes(&self) -> (u64, u64) {
        let counted = self.inner.get_ref();
        (counted.read, counted.written)
    }

    /// Adds what was read and written since the last report to the figures.
    pub(super) fn report_bytes(&mut self, metrics: &Metrics) {
        let (read, written) = self.bytes();
        metrics.bytes_received.inc_by(read - self.reported.0);
        metrics.bytes_sent.inc_by(written - self.reported.1);
        self.reported = (read, written);
    }

    /// Fails reading once about so many further bytes came: what a message needs, and its head.
    pub(super) fn limit_reading(&mut self, bytes: u64) {
        let counted = self.inner.get_mut();
        counted.read_max = counted.read.saturating_add(bytes).saturating_add(64);
    }

    /// Begins to send a text message. What was on its way must be sent, or is given up.
    pub(super) fn send(&mut self, frame: Frame) {
        self.is_writing = true;
        self.rest = frame;
        let first = self.rest.take(FRAGMENT_BYTES);
        self.write_fragment(first, Data::Text);
    }

    /// Sends a ping, between two fragments if need be.
    pub(super) fn ping(&mut self, payload: [u8; 8]) {
        self.write(Message::Ping(Bytes::copy_from_slice(&payload)));
        self.is_writing = true;
    }

    fn write_fragment(&mut self, fragment: Bytes, kind: Data) {
        let is_last = self.rest.is_empty();
        self.write(Message::Frame(WebSocketFrame::message(fragment, OpCode::Data(kind), is_last)));
    }

    /// Hands a message over; what is wrong with the connection shows at the next poll.
    fn write(&mut self, message: Message) {
        if let Err(error) = Pin::new(&mut self.inner).start_send(message) {
            tracing::debug!(%error, "a frame could not be written");
        }
    }

    /// Waits for the next thing to happen. Dropped before it returns, it has lost nothing.
    pub(super) async fn event(&mut self, may_read: bool) -> SocketEvent {
        poll_fn(|context| {
            if self.is_writing
                && let Poll::Ready(event) = self.poll_write(context)
            {
                return Poll::Ready(event);
            }
            if may_read { self.poll_read(context) } else { Poll::Pending }
        })
        .await
    }

    /// Waits for the next thing that the other side does.
    pub(super) async fn next_message(&mut self) -> SocketEvent {
        loop {
            match self.event(true).await {
                SocketEvent::Sent | SocketEvent::Pong(_) | SocketEvent::Other => {}
                event => return event,
            }
        }
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<SocketEvent> {
        loop {
            match Pin::new(&mut self.inner).poll_flush(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(_)) => return Poll::Ready(SocketEvent::Gone),
                Poll::Ready(Ok(())) if self.rest.is_empty() => {
                    self.is_writing = false;
                    return Poll::Ready(SocketEvent::Sent);
                }
                Poll::Ready(Ok(())) => {
                    let next = self.rest.take(FRAGMENT_BYTES);
                    self.write_fragment(next, Data::Continue);
                }
            }
        }
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<SocketEvent> {
        Pin::new(&mut self.inner).poll_next(context).map(|read| match read {
            Some(Ok(Message::Text(text))) => SocketEvent::Text(text),
            Some(Ok(Message::Binary(_))) => SocketEvent::Binary,
            Some(Ok(Message::Pong(payload))) => SocketEvent::Pong(payload),
            Some(Ok(_)) => SocketEvent::Other,
            Some(Err(Error::Capacity(CapacityError::MessageTooLong { .. }))) => {
                SocketEvent::TooLarge
            }
            Some(Err(Error::Io(error))) if error.kind() == io::ErrorKind::QuotaExceeded => {
                SocketEvent::TooLarge
            }
            Some(Err(Error::Utf8(_))) => SocketEvent::Unreadable(CloseCode::InvalidText),
            Some(Err(Error::Protocol(error))) if !is_end(&error) => {
                SocketEvent::Unreadable(CloseCode::ProtocolError)
            }
            Some(Err(_)) | None => SocketEvent::Gone,
        })
    }

    /// Sends what is on its way and then these frames, as far as `timeout` allows.
    pub(super) async fn finish(
        &mut self,
        frames: impl IntoIterator<Item = Frame>,
        timeout: Duration,
    ) {
        let last_words = async {
            let mut frames = frames.into_iter();
            loop {
                while self.is_writing {
                    if let SocketEvent::Gone = poll_fn(|context| self.poll_write(context)).await {
                        return;
                    }
                }
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

    /// Sends what is on its way, then the close, and waits for the other side's; all in `timeout`.
    pub(super) async fn close(&mut self, code: CloseCode, timeout: Duration) {
        let goodbye = async {
            while self.is_writing {
                if let SocketEvent::Gone = poll_fn(|context| self.poll_write(context)).await {
                    return;
                }
            }
            let reason = Utf8Bytes::from_static(code.reason());
            self.write(Message::Close(Some(CloseFrame { code: code.get().into(), reason })));
            self.is_writing = true;
            while !self.event(true).await.is_last() {}
            self.linger().await;
        };
        if tokio::time::timeout(timeout, goodbye).await.is_err() {
            tracing::debug!("a connection did not answer the close in time");
        }
    }
}

impl<S> Socket<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    /// Takes what the other side still sends until it is done. To drop the connection with bytes
    /// unread would reset it, and the reset may overtake the close.
    async fn linger(&mut self) {
        let counted = self.inner.get_mut();
        counted.read_max = u64::MAX;
        let mut sink = [0; 1024];
        if counted.shutdown().await.is_ok() {
            while counted.read(&mut sink).await.is_ok_and(|read| read > 0) {}
        }
    }
}

/// A stream that counts, and that fails when more comes than may.
struct Counted<S> {
    stream: S,
    read: u64,
    written: u64,
    read_max: u64,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.read > self.read_max {
            return Poll::Ready(Err(io::ErrorKind::QuotaExceeded.into()));
        }
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.read += (buffer.filled().len() - before) as u64;
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        if let Poll::Ready(Ok(written)) = result {
            self.written += written as u64;
        }
        result
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
