//! A WebSocket as a session needs it: reading and writing in one task, one frame on its way at a
//! time, long frames in fragments, and the bytes counted.
//!
//! Fragments keep the write buffer small whatever a frame's length, and let a ping pass between
//! them.

mod writer;

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Bytes;
use collab_protocol::CloseCode;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_tungstenite::tungstenite::error::{CapacityError, Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::{
    CloseFrame, Role, WebSocketConfig, WebSocketContext,
};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use self::writer::Writer;
use super::link::{Link, LinkEvent};
use crate::config::Config;
use crate::document::Frame;
use crate::metrics::TransportCount;

/// What a message is put together in. It is held by every connection, busy or not; a longer message
/// gets room of its own once its head has told its length.
const READ_BUFFER_BYTES: usize = 256;

/// What is asked of a stream at once, into room that nobody holds on to.
const READ_BYTES: usize = 4096;

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
    stream: Counted<S>,
    reader: WebSocketContext,
    /// Reading has failed or come to the end.
    is_ended: bool,
    writer: Writer,
    is_writing: bool,
    /// Bytes read and written that the figures know of.
    reported: (u64, u64),
    _counted: TransportCount,
}

impl<S> Socket<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    /// Takes over a stream whose upgrade is done, and behind which this was read already.
    pub(super) fn new(stream: S, ahead: Bytes, config: &Config, counted: TransportCount) -> Self {
        let message_max = config.message_bytes_max as usize;
        let settings = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(message_max))
            .max_frame_size(Some(message_max));
        Socket {
            stream: Counted {
                stream,
                read: ahead.len() as u64,
                written: 0,
                read_max: u64::MAX,
                ahead,
            },
            reader: WebSocketContext::new(Role::Server, Some(settings)),
            is_ended: false,
            writer: Writer::default(),
            is_writing: false,
            reported: (0, 0),
            _counted: counted,
        }
    }

    /// Answers what is to be answered whatever the session thinks of it.
    fn answer(&mut self, message: &Message) {
        match message {
            Message::Ping(payload) => self.writer.pong(payload),
            Message::Close(close) => self.writer.close(close.clone()),
            _ => return,
        }
        self.is_writing = true;
    }

    /// Takes what the other side still sends until it is done. To drop the connection with bytes
    /// unread would reset it, and the reset may overtake the close.
    async fn linger(&mut self) {
        self.stream.read_max = u64::MAX;
        if self.stream.shutdown().await.is_ok() {
            while poll_fn(|context| self.stream.poll_waste(context)).await {}
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
        (self.stream.read, self.stream.written)
    }

    fn reported(&mut self) -> &mut (u64, u64) {
        &mut self.reported
    }

    fn limit_reading(&mut self, bytes: u64) {
        self.stream.read_max = self.stream.read.saturating_add(bytes).saturating_add(64);
    }

    fn send(&mut self, frame: Frame) {
        self.writer.send(frame);
        self.is_writing = true;
    }

    fn ping(&mut self, payload: [u8; 8]) {
        self.writer.ping(payload);
        self.is_writing = true;
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<LinkEvent> {
        match ready!(self.writer.poll_write(&mut self.stream, context)) {
            Err(_) => Poll::Ready(LinkEvent::Gone),
            Ok(()) => {
                self.is_writing = false;
                Poll::Ready(LinkEvent::Sent)
            }
        }
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<LinkEvent> {
        if self.is_ended {
            return Poll::Ready(LinkEvent::Gone);
        }
        let error = match self.reader.read(&mut Turn { stream: &mut self.stream, context }) {
            Ok(message) => {
                self.answer(&message);
                return Poll::Ready(match message {
                    Message::Text(text) => LinkEvent::Text(text),
                    Message::Binary(_) => LinkEvent::Binary,
                    Message::Pong(payload) => LinkEvent::Pong(payload),
                    Message::Ping(_) | Message::Close(_) | Message::Frame(_) => LinkEvent::Other,
                });
            }
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                return Poll::Pending;
            }
            Err(error) => error,
        };
        self.is_ended = true;
        Poll::Ready(match error {
            Error::Capacity(CapacityError::MessageTooLong { .. }) => LinkEvent::TooLarge,
            Error::Io(error) if error.kind() == io::ErrorKind::QuotaExceeded => LinkEvent::TooLarge,
            Error::Utf8(_) => LinkEvent::Unreadable(CloseCode::InvalidText),
            Error::Protocol(error) if !is_end(&error) => {
                LinkEvent::Unreadable(CloseCode::ProtocolError)
            }
            _ => LinkEvent::Gone,
        })
    }

    /// Waits for the other side's close too.
    async fn say_goodbye(&mut self, code: CloseCode) {
        let reason = Utf8Bytes::from_static(code.reason());
        let close = CloseFrame { code: code.get().into(), reason };
        // Tells the reader to expect the other side's. It ends a connection that is closed already.
        let _ = self.reader.close(&mut io::empty(), Some(close.clone()));
        self.writer.close(Some(close));
        self.is_writing = true;
        while !self.event(true).await.is_last() {}
        self.linger().await;
    }
}

/// A stream as the library reads from it, for one poll. What it would answer is left to the writer,
/// which knows whether a frame is on its way.
struct Turn<'t, 'c, S> {
    stream: &'t mut Counted<S>,
    context: &'t mut Context<'c>,
}

impl<S: AsyncRead + Unpin> io::Read for Turn<'_, '_, S> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self.stream.poll_take(self.context, bytes) {
            Poll::Ready(result) => result,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl<S> io::Write for Turn<'_, '_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream that counts, and that fails when more comes than may.
struct Counted<S> {
    stream: S,
    read: u64,
    written: u64,
    read_max: u64,
    /// What was read and is not taken yet: a message is asked for in small parts.
    ahead: Bytes,
}

impl<S: AsyncRead + Unpin> Counted<S> {
    /// Takes the next bytes.
    fn poll_take(
        &mut self,
        context: &mut Context<'_>,
        bytes: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if self.ahead.is_empty() {
            let mut room = [const { MaybeUninit::uninit() }; READ_BYTES];
            let mut buffer = ReadBuf::uninit(&mut room);
            ready!(Pin::new(&mut *self).poll_read(context, &mut buffer))?;
            let read = buffer.filled();
            let (now, later) = read.split_at(read.len().min(bytes.len()));
            bytes[..now.len()].copy_from_slice(now);
            self.ahead = Bytes::copy_from_slice(later);
            return Poll::Ready(Ok(now.len()));
        }
        let now = self.ahead.split_to(self.ahead.len().min(bytes.len()));
        bytes[..now.len()].copy_from_slice(&now);
        if self.ahead.is_empty() {
            // What is empty may still hold its room.
            self.ahead = Bytes::new();
        }
        Poll::Ready(Ok(now.len()))
    }

    /// Reads what nobody wants; whether there may be more. Its room is not held while nothing comes.
    fn poll_waste(&mut self, context: &mut Context<'_>) -> Poll<bool> {
        let mut sink = [0; 1024];
        let mut buffer = ReadBuf::new(&mut sink);
        let read = ready!(Pin::new(self).poll_read(context, &mut buffer));
        Poll::Ready(read.is_ok() && !buffer.filled().is_empty())
    }
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

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        if let Poll::Ready(Ok(written)) = result {
            self.written += written as u64;
        }
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
