//! A WebSocket as a session needs it: reading and writing in one task, one frame on its way at a
//! time, long frames in fragments, and the bytes counted.
//!
//! Fragments keep the write buffer small whatever a frame's length, and let a ping pass between
//! them.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

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

use super::link::{Link, LinkEvent};
use crate::config::Config;
use crate::document::Frame;

/// What is read at once. It is held by every connection, busy or not; a longer message gets room of
/// its own once its head has told its length.
const READ_BUFFER_BYTES: usize = 1024;

/// A fragment of plain text, and so about the size of the write buffer, which never becomes smaller
/// again: after its first long text every connection holds one. One of nothing but escapes is six
/// times as long.
const FRAGMENT_BYTES: usize = 4 * 1024;

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

impl<S> Link for Socket<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    fn is_idle(&self) -> bool {
        !self.is_writing
    }

    fn bytes(&self) -> (u64, u64) {
        let counted = self.inner.get_ref();
        (counted.read, counted.written)
    }

    fn reported(&mut self) -> &mut (u64, u64) {
        &mut self.reported
    }

    fn limit_reading(&mut self, bytes: u64) {
        let counted = self.inner.get_mut();
        counted.read_max = counted.read.saturating_add(bytes).saturating_add(64);
    }

    fn send(&mut self, frame: Frame) {
        self.is_writing = true;
        self.rest = frame;
        let first = self.rest.take(FRAGMENT_BYTES);
        self.write_fragment(first, Data::Text);
    }

    fn ping(&mut self, payload: [u8; 8]) {
        self.write(Message::Ping(Bytes::copy_from_slice(&payload)));
        self.is_writing = true;
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<LinkEvent> {
        loop {
            match Pin::new(&mut self.inner).poll_flush(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(_)) => return Poll::Ready(LinkEvent::Gone),
                Poll::Ready(Ok(())) if self.rest.is_empty() => {
                    self.is_writing = false;
                    return Poll::Ready(LinkEvent::Sent);
                }
                Poll::Ready(Ok(())) => {
                    let next = self.rest.take(FRAGMENT_BYTES);
                    self.write_fragment(next, Data::Continue);
                }
            }
        }
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<LinkEvent> {
        Pin::new(&mut self.inner).poll_next(context).map(|read| match read {
            Some(Ok(Message::Text(text))) => LinkEvent::Text(text),
            Some(Ok(Message::Binary(_))) => LinkEvent::Binary,
            Some(Ok(Message::Pong(payload))) => LinkEvent::Pong(payload),
            Some(Ok(_)) => LinkEvent::Other,
            Some(Err(Error::Capacity(CapacityError::MessageTooLong { .. }))) => LinkEvent::TooLarge,
            Some(Err(Error::Io(error))) if error.kind() == io::ErrorKind::QuotaExceeded => {
                LinkEvent::TooLarge
            }
            Some(Err(Error::Utf8(_))) => LinkEvent::Unreadable(CloseCode::InvalidText),
            Some(Err(Error::Protocol(error))) if !is_end(&error) => {
                LinkEvent::Unreadable(CloseCode::ProtocolError)
            }
            Some(Err(_)) | None => LinkEvent::Gone,
        })
    }

    /// Waits for the other side's close too.
    async fn say_goodbye(&mut self, code: CloseCode) {
        let reason = Utf8Bytes::from_static(code.reason());
        self.write(Message::Close(Some(CloseFrame { code: code.get().into(), reason })));
        self.is_writing = true;
        while !self.event(true).await.is_last() {}
        self.linger().await;
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
