//! A link that HTTP requests fill and empty, for networks that break WebSockets.
//!
//! Messages up are numbered, so that a request that is sent again is taken once. Frames down are
//! numbered events, kept until they are acknowledged, so that a cut stream costs nothing. One
//! request at a time receives; a newer one takes the older one's place. A session whose client does
//! not come back for a while ends, and its client joins anew.

mod events;
mod incoming;
mod receiver;

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::body::Bytes;
use collab_protocol::CloseCode;
use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::time::{Instant, Sleep};

use super::link::{Link, LinkEvent};
use crate::auth::Kind;
use crate::config::Config;
use crate::document::Frame;
use crate::metrics::{Metrics, TransportCount};
use events::Events;
use incoming::{Incoming, Taken};
pub(crate) use receiver::{Form, Receiver};

/// Why a request about a session was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PipeError {
    /// The session is over.
    Ended,
    /// Messages before these are missing.
    Gap,
    /// Such an event was never sent, or was acknowledged.
    NoSuchEvent,
}

/// What a session and the requests about it share.
pub(crate) struct Pipe {
    state: Mutex<State>,
    /// Notified when messages were read, and when the session ends.
    room: Notify,
    /// How long a session waits for a client that does not receive.
    resume: Duration,
    /// What one message may have, in bytes.
    message_max: usize,
    metrics: Arc<Metrics>,
}

struct State {
    incoming: Incoming,
    events: Events,
    /// A request came that needs no answer.
    is_heard: bool,
    /// The receiver is to send a sign of life.
    is_pinged: bool,
    /// The session says goodbye behind everything else, and whether that was taken.
    close: Option<CloseCode>,
    is_close_taken: bool,
    /// The client has ended it.
    is_left: bool,
    /// The session is gone.
    is_over: bool,
    /// Which receiver is the latest.
    generation: u64,
    /// Until when somebody must receive; `None` while somebody does.
    missed_at: Option<Instant>,
    read: u64,
    /// What the person is, once they are known.
    kind: Option<Kind>,
    /// Grows with each byte that is taken and each acknowledgement.
    written: u64,
    /// The place of a session that nobody has received from yet.
    unclaimed: Option<OwnedSemaphorePermit>,
    counted: Option<TransportCount>,
    session: Option<Waker>,
    receiver: Option<Waker>,
}

impl State {
    fn wake_session(&mut self) {
        if let Some(waker) = self.session.take() {
            waker.wake();
        }
    }

    fn wake_receiver(&mut self) {
        if let Some(waker) = self.receiver.take() {
            waker.wake();
        }
    }
}

impl Pipe {
    /// A pipe of a session that must be received from before the time to authenticate is over.
    /// `unclaimed` is given back once somebody does.
    pub(super) fn new(
        config: &Config,
        metrics: &Arc<Metrics>,
        unclaimed: OwnedSemaphorePermit,
    ) -> Arc<Self> {
        let claim = Duration::from_millis(config.auth_deadline_ms.into());
        let state = State {
            incoming: Incoming::new(config.message_bytes_max as usize),
            events: Events::default(),
            is_heard: false,
            is_pinged: false,
            close: None,
            is_close_taken: false,
            is_left: false,
            is_over: false,
            generation: 0,
            missed_at: Some(Instant::now() + claim),
            read: 0,
            kind: None,
            written: 0,
            unclaimed: Some(unclaimed),
            counted: None,
            session: None,
            receiver: None,
        };
        Arc::new(Pipe {
            state: Mutex::new(state),
            room: Notify::new(),
            resume: Duration::from_millis(config.resume_ms.into()),
            message_max: config.message_bytes_max as usize,
            metrics: Arc::clone(metrics),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the person is whose session it is, once they are known.
    pub(crate) fn kind(&self) -> Option<Kind> {
        self.state().kind
    }

    pub(super) fn known(&self, kind: Kind) {
        self.state().kind = Some(kind);
    }

    /// What the body of a request may have now, in bytes.
    pub(crate) fn body_max(&self) -> usize {
        self.state().incoming.body_max()
    }

    /// Ends the session as one that has sent too much.
    pub(crate) fn flood(&self) {
        let mut state = self.state();
        state.incoming.flood();
        state.wake_session();
    }

    /// Lets go of the events up to this one.
    pub(crate) fn acknowledge(&self, through: u64) -> Result<(), PipeError> {
        let mut state = self.state();
        state.events.acknowledge(through).map_err(|_| PipeError::NoSuchEvent)?;
        // Who says so is reading, though the latest event may be a long one that is still coming.
        state.written += 1;
        state.is_heard = true;
        state.wake_session();
        Ok(())
    }

    /// Hands messages to the session, a line each, of which the first has number `first`; waits
    /// while it has others to read.
    pub(crate) async fn send(&self, first: u64, body: Bytes) -> Result<(), PipeError> {
        loop {
            let mut room = pin!(self.room.notified());
            room.as_mut().enable();
            {
                let mut state = self.state();
                if state.is_over {
                    return Err(PipeError::Ended);
                }
                match state.incoming.take(first, &body) {
                    Taken::All => {
                        state.read += body.len() as u64;
                        state.is_heard = true;
                        state.wake_session();
                        return Ok(());
                    }
                    Taken::Gap => return Err(PipeError::Gap),
                    Taken::Full => {}
                }
            }
            room.await;
        }
    }

    /// Receives what follows event `after`, which acknowledges everything up to it. Whoever received
    /// before does so no longer.
    pub(crate) fn receive(self: &Arc<Self>, after: u64, form: Form) -> Result<Receiver, PipeError> {
        let mut state = self.state();
        if state.is_over {
            return Err(PipeError::Ended);
        }
        state.events.resume(after).map_err(|_| PipeError::NoSuchEvent)?;
        state.generation += 1;
        state.missed_at = None;
        state.unclaimed = None;
        state.written += 1;
        state.is_heard = true;
        if state.counted.as_ref().is_none_or(|counted| counted.name() != form.name()) {
            state.counted = Some(self.metrics.transport(form.name()));
        }
        state.wake_session();
        state.wake_receiver();
        Ok(Receiver::new(Arc::clone(self), state.generation, form, after + 1))
    }

    fn begin_close(&self, code: CloseCode) {
        let mut state = self.state();
        state.close = Some(code);
        state.wake_receiver();
    }

    /// The client is done.
    pub(crate) fn leave(&self) {
        let mut state = self.state();
        state.is_left = true;
        state.wake_session();
    }
}

/// The session's end of a pipe.
pub(super) struct PipeLink {
    pipe: Arc<Pipe>,
    is_writing: bool,
    reported: (u64, u64),
    /// Rings when nobody has received for too long.
    missed: Pin<Box<Sleep>>,
}

impl PipeLink {
    pub(super) fn new(pipe: Arc<Pipe>) -> Self {
        let missed = Box::pin(tokio::time::sleep(pipe.resume));
        PipeLink { pipe, is_writing: false, reported: (0, 0), missed }
    }
}

impl Link for PipeLink {
    fn is_idle(&self) -> bool {
        !self.is_writing
    }

    fn bytes(&self) -> (u64, u64) {
        let state = self.pipe.state();
        (state.read, state.written)
    }

    fn reported(&mut self) -> &mut (u64, u64) {
        &mut self.reported
    }

    fn known(&mut self, kind: Kind) {
        self.pipe.known(kind);
    }

    fn limit_reading(&mut self, bytes: u64) {
        let max = usize::try_from(bytes).unwrap_or(usize::MAX).min(self.pipe.message_max);
        self.pipe.state().incoming.limit(max);
    }

    fn send(&mut self, frame: Frame) {
        let mut state = self.pipe.state();
        state.events.push(frame);
        self.is_writing = state.events.is_full();
        state.wake_receiver();
    }

    /// A long poll needs none: it ends by itself, and is followed by the next.
    fn ping(&mut self, _payload: [u8; 8]) {
        let mut state = self.pipe.state();
        state.is_pinged = true;
        state.wake_receiver();
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<LinkEvent> {
        let mut state = self.pipe.state();
        if state.is_left {
            return Poll::Ready(LinkEvent::Gone);
        }
        if state.events.is_full() {
            state.session = Some(context.waker().clone());
            return Poll::Pending;
        }
        self.is_writing = false;
        Poll::Ready(LinkEvent::Sent)
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<LinkEvent> {
        let mut state = self.pipe.state();
        if state.is_left {
            return Poll::Ready(LinkEvent::Gone);
        }
        if let Some(event) = state.incoming.read() {
            if state.incoming.is_empty() {
                self.pipe.room.notify_waiters();
            }
            return Poll::Ready(event);
        }
        if std::mem::take(&mut state.is_heard) {
            return Poll::Ready(LinkEvent::Other);
        }
        state.session = Some(context.waker().clone());
        let Some(missed_at) = state.missed_at else { return Poll::Pending };
        drop(state);
        if self.missed.deadline() != missed_at {
            self.missed.as_mut().reset(missed_at);
        }
        self.missed.as_mut().poll(context).map(|()| LinkEvent::Gone)
    }

    async fn say_goodbye(&mut self, code: CloseCode) {
        self.pipe.begin_close(code);
        poll_fn(|context| {
            let mut state = self.pipe.state();
            state.session = Some(context.waker().clone());
            if state.is_close_taken || state.is_left { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

impl Drop for PipeLink {
    fn drop(&mut self) {
        let mut state = self.pipe.state();
        state.is_over = true;
        state.unclaimed = None;
        state.counted = None;
        state.wake_receiver();
        drop(state);
        self.pipe.room.notify_waiters();
    }
}
