//! The body of an answer that brings events to the client, as `text/event-stream` has them: a stream
//! that goes on, or a poll that ends with what there is.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use futures_util::Stream;
use tokio::time::{Instant, Sleep};

use super::{Pipe, State};
use crate::document::Frame;

/// What is written at once of a long event.
const PIECE_BYTES: usize = 16 * 1024;

/// What a stream begins with: who sees it knows that nothing on the way keeps the stream back.
const HELLO: &[u8] = b": concord\n\n";

/// Says that somebody is there.
const SIGN_OF_LIFE: &[u8] = b":\n\n";

/// How events are received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As they come, for as long as the connection holds.
    Stream,
    /// Those that are there, or the first that come within this time.
    Poll(Duration),
}

impl Form {
    /// Its name in figures.
    pub(super) fn name(self) -> &'static str {
        match self {
            Form::Stream => "sse",
            Form::Poll(_) => "poll",
        }
    }
}

/// See the module.
pub(crate) struct Receiver {
    pipe: Arc<Pipe>,
    generation: u64,
    form: Form,
    /// The event to be written next.
    next: u64,
    /// What is left of the one that is being written.
    rest: Option<Frame>,
    has_begun: bool,
    is_done: bool,
    timeout: Option<Pin<Box<Sleep>>>,
}

impl Receiver {
    pub(super) fn new(pipe: Arc<Pipe>, generation: u64, form: Form, next: u64) -> Self {
        let timeout = match form {
            Form::Stream => None,
            Form::Poll(wait) => Some(Box::pin(tokio::time::sleep(wait))),
        };
        let (rest, has_begun, is_done) = (None, false, false);
        Receiver { pipe, generation, form, next, rest, has_begun, is_done, timeout }
    }

    /// The next piece that is there already; `None` for the end.
    fn piece(&mut self, state: &mut State) -> Poll<Option<Bytes>> {
        if self.is_done || state.generation != self.generation {
            return Poll::Ready(None);
        }
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        if is_first && self.form == Form::Stream {
            return Poll::Ready(Some(Bytes::from_static(HELLO)));
        }
        if self.rest.is_some() || state.events.last() >= self.next {
            return Poll::Ready(self.event(state));
        }
        if let Some(code) = state.close {
            self.is_done = true;
            state.is_close_taken = true;
            state.wake_session();
            let (code, reason) = (code.get(), code.reason());
            let event =
                format!("event: close\ndata: {{\"code\":{code},\"reason\":\"{reason}\"}}\n\n");
            return Poll::Ready(Some(event.into()));
        }
        if state.is_over || !is_first && self.form != Form::Stream {
            return Poll::Ready(None);
        }
        if self.form == Form::Stream && std::mem::take(&mut state.is_pinged) {
            return Poll::Ready(Some(Bytes::from_static(SIGN_OF_LIFE)));
        }
        // Nothing was said yet.
        self.has_begun = !is_first;
        Poll::Pending
    }

    /// The next piece of an event that is there.
    fn event(&mut self, state: &State) -> Option<Bytes> {
        let mut piece = Vec::new();
        let mut frame = match self.rest.take() {
            Some(rest) => rest,
            None => {
                piece.extend_from_slice(format!("id: {}\ndata: ", self.next).as_bytes());
                state.events.get(self.next)?
            }
        };
        piece.extend_from_slice(&frame.take(PIECE_BYTES));
        if frame.is_empty() {
            self.next += 1;
            piece.extend_from_slice(b"\n\n");
        } else {
            self.rest = Some(frame);
        }
        Some(piece.into())
    }
}

impl Stream for Receiver {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let pipe = Arc::clone(&this.pipe);
        let mut state = pipe.state();
        match this.piece(&mut state) {
            Poll::Ready(piece) => {
                state.written += piece.as_ref().map_or(0, Bytes::len) as u64;
                Poll::Ready(piece.map(Ok))
            }
            Poll::Pending => {
                state.receiver = Some(context.waker().clone());
                drop(state);
                let Some(timeout) = &mut this.timeout else { return Poll::Pending };
                timeout.as_mut().poll(context).map(|()| None)
            }
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let mut state = self.pipe.state();
        if state.generation == self.generation {
            state.missed_at = Some(Instant::now() + self.pipe.resume);
            state.wake_session();
        }
    }
}
