//! Writes WebSocket frames from bytes that others share.
//!
//! What a server sends needs no mask, so a frame is a header of two to ten bytes and the message's
//! bytes as they are: both are handed to the stream together, and nothing is copied or kept once it
//! is taken. Long messages go in fragments, with pings and pongs between them.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Bytes;
use tokio::io::AsyncWrite;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame as WebSocketFrame, FrameHeader};

use crate::document::Frame;

/// A fragment of plain text, after which a ping may pass. One of nothing but escapes is six times
/// as long, and there is one at a time.
pub(super) const FRAGMENT_BYTES: usize = 16 * 1024;

/// Up to here a frame is put together with its header: to copy it costs less than to hand the system
/// two parts.
const TOGETHER_BYTES_MAX: usize = 512;

/// A header without a mask has at most so many bytes.
const HEADER_BYTES_MAX: usize = 10;

/// See the module.
///
/// Invariant: `header` and `piece` are what is left of one frame, the header first.
#[derive(Debug, Default)]
pub(super) struct Writer {
    header: Header,
    piece: Bytes,
    /// What is left of the message on its way, and how its next fragment is called.
    rest: Frame,
    next: Option<Data>,
    ping: Option<[u8; 8]>,
    /// The answer to the latest ping: one is enough, however many came.
    pong: Option<Bytes>,
    close: Option<Bytes>,
    /// Behind a close nothing is sent.
    is_closed: bool,
}

impl Writer {
    /// Begins a text message. What was on its way must be sent, or is given up.
    pub(super) fn send(&mut self, frame: Frame) {
        if !self.is_closed {
            (self.rest, self.next) = (frame, Some(Data::Text));
        }
    }

    /// Sends a ping, between two fragments if need be.
    pub(super) fn ping(&mut self, payload: [u8; 8]) {
        if !self.is_closed {
            self.ping = Some(payload);
        }
    }

    /// Answers a ping, between two fragments if need be.
    pub(super) fn pong(&mut self, payload: &[u8]) {
        if !self.is_closed {
            // A copy: what was read stands in a buffer that is to be used again.
            self.pong = Some(Bytes::copy_from_slice(payload));
        }
    }

    /// Sends a close, behind which nothing is sent, and gives up the rest of a message. Only the
    /// first one counts.
    pub(super) fn close(&mut self, close: Option<CloseFrame>) {
        if !self.is_closed {
            (self.rest, self.next, self.ping, self.pong) = (Frame::default(), None, None, None);
            self.close = Some(WebSocketFrame::close(close).into_payload());
            self.is_closed = true;
        }
    }

    /// Writes on until everything is with the other side of `stream`.
    pub(super) fn poll_write<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            while !(self.header.left().is_empty() && self.piece.is_empty()) {
                match ready!(self.poll_write_some(stream, context))? {
                    0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    written => self.written(written),
                }
            }
            // A stream that encrypts holds what it has taken: one frame of it at most.
            ready!(Pin::new(&mut *stream).poll_flush(context))?;
            if !self.begin() {
                return Poll::Ready(Ok(()));
            }
        }
    }

    fn poll_write_some<S: AsyncWrite + Unpin>(
        &self,
        stream: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let (stream, header) = (Pin::new(stream), self.header.left());
        let (of_header, len_bytes) = (header.len(), header.len() + self.piece.len());
        if len_bytes > TOGETHER_BYTES_MAX {
            let slices = [IoSlice::new(header), IoSlice::new(&self.piece)];
            return stream.poll_write_vectored(context, &slices);
        }
        let mut together = [0; TOGETHER_BYTES_MAX];
        together[..of_header].copy_from_slice(header);
        together[of_header..len_bytes].copy_from_slice(&self.piece);
        stream.poll_write(context, &together[..len_bytes])
    }

    /// So many further bytes were taken.
    fn written(&mut self, written: usize) {
        let of_header = written.min(self.header.left().len());
        self.header.start += of_header as u8;
        let of_piece = written - of_header;
        if of_piece == self.piece.len() {
            // What is shared is let go of.
            self.piece = Bytes::new();
        } else {
            let _ = self.piece.split_to(of_piece);
        }
    }

    /// Begins the next frame, if there is one.
    fn begin(&mut self) -> bool {
        let (opcode, is_final);
        if let Some(pong) = self.pong.take() {
            (opcode, is_final, self.piece) = (OpCode::Control(Control::Pong), true, pong);
        } else if let Some(ping) = self.ping.take() {
            self.piece = Bytes::copy_from_slice(&ping);
            (opcode, is_final) = (OpCode::Control(Control::Ping), true);
        } else if let Some(kind) = self.next.take() {
            self.piece = self.rest.take(FRAGMENT_BYTES);
            (opcode, is_final) = (OpCode::Data(kind), self.rest.is_empty());
            self.next = (!is_final).then_some(Data::Continue);
        } else if let Some(close) = self.close.take() {
            (opcode, is_final, self.piece) = (OpCode::Control(Control::Close), true, close);
        } else {
            return false;
        }
        self.header = Header::new(opcode, is_final, self.piece.len());
        true
    }
}

/// What is left of a frame's header.
///
/// Invariant: `start <= end <= HEADER_BYTES_MAX`.
#[derive(Debug, Default)]
struct Header {
    bytes: [u8; HEADER_BYTES_MAX],
    start: u8,
    end: u8,
}

impl Header {
    fn new(opcode: OpCode, is_final: bool, len_bytes: usize) -> Self {
        let header = FrameHeader { is_final, opcode, mask: None, ..FrameHeader::default() };
        let mut bytes = [0; HEADER_BYTES_MAX];
        let len_bytes = len_bytes as u64;
        header.format(len_bytes, &mut &mut bytes[..]).expect("a header without a mask fits");
        Header { bytes, start: 0, end: header.len(len_bytes) as u8 }
    }

    fn left(&self) -> &[u8] {
        &self.bytes[usize::from(self.start)..usize::from(self.end)]
    }
}

#[cfg(test)]
mod tests;
