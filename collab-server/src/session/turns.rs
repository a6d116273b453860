//! What a session waits for, and its turns: whoever wakes it, it looks once at everything that may
//! have happened and waits again.
//!
//! A crowded document wakes each of its sessions for each delivery, so a turn asks only what it must:
//! the timer and the server's end are asked again when they have something to say, and stay in line
//! else.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use collab_protocol::CloseCode;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::task::coop;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::WaitForCancellationFuture;

use super::link::Link;
use super::{ANSWERS_MAX, End, JOIN_BYTES_MAX, Session};
use crate::shutdown::Shutdown;

/// How far the server's end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// Sessions go to other servers, or it stops.
    Begins,
    Stops,
    IsOverdue,
}

/// What wakes a session beside its link and what it has asked for itself.
struct Waits<'p, 'w> {
    wake: &'w Notify,
    shutdown: &'w Shutdown,
    /// Notified when there may be something to pull.
    woken: Pin<&'p mut Notified<'w>>,
    timer: Pin<&'p mut Sleep>,
    /// Fires when `next_ending` has come.
    ending: Pin<&'p mut WaitForCancellationFuture<'w>>,
    next_ending: Ending,
    /// Whom `timer` and `ending` are to wake, once both are in line.
    armed: Option<Waker>,
}

impl<'w> Waits<'_, 'w> {
    fn is_armed(&self, context: &Context<'_>) -> bool {
        self.armed.as_ref().is_some_and(|waker| waker.will_wake(context.waker()))
    }

    /// Both were asked. Who has used up its turn was told to come again, and is not in line.
    fn arm(&mut self, context: &Context<'_>) {
        if !self.is_armed(context) && coop::has_budget_remaining() {
            self.armed = Some(context.waker().clone());
        }
    }

    /// Whether there may be something to pull.
    fn is_woken(&mut self, context: &mut Context<'_>) -> bool {
        let is_woken = self.woken.as_mut().poll(context).is_ready();
        if is_woken {
            self.woken.set(self.wake.notified());
        }
        is_woken
    }

    /// Rings at `deadline`, or earlier.
    fn set_timer(&mut self, deadline: Instant) {
        self.timer.as_mut().reset(deadline);
        self.armed = None;
    }

    fn has_rung(&mut self, context: &mut Context<'_>) -> bool {
        (self.timer.is_elapsed() || !self.is_armed(context))
            && self.timer.as_mut().poll(context).is_ready()
    }

    /// How far the server's end has come, where it was not so far before.
    fn ending(&mut self, context: &mut Context<'_>) -> Option<Ending> {
        let may_have_come = self.shutdown.is_ending() || !self.is_armed(context);
        if !may_have_come || self.ending.as_mut().poll(context).is_pending() {
            return None;
        }
        let has_come = self.next_ending;
        let (next, signal) = match has_come {
            Ending::Begins => (Ending::Stops, &self.shutdown.stopping),
            Ending::Stops | Ending::IsOverdue => (Ending::IsOverdue, &self.shutdown.overdue),
        };
        self.next_ending = next;
        self.ending.set(signal.cancelled());
        Some(has_come)
    }
}

impl<L: Link> Session<'_, L> {
    /// Runs until the connection ends, which is the error.
    pub(super) async fn run(&mut self) -> Result<Infallible, End> {
        let (app, wake) = (Arc::clone(&self.app), Arc::clone(&self.wake));
        let shutdown = &app.shutdown;
        let (woken, timer) = (wake.notified(), tokio::time::sleep_until(self.deadline()));
        let ending = shutdown.ending.cancelled();
        tokio::pin!(woken, timer, ending);
        let (wake, next_ending) = (&*wake, Ending::Begins);
        let mut waits = Waits { wake, shutdown, woken, timer, ending, next_ending, armed: None };
        poll_fn(|context| self.poll_turns(&mut waits, context)).await
    }

    /// Turns until nothing has happened.
    fn poll_turns(
        &mut self,
        waits: &mut Waits<'_, '_>,
        context: &mut Context<'_>,
    ) -> Poll<Result<Infallible, End>> {
        // While there is something to pull that the link does not take, nobody needs to tell.
        self.may_pull = self.may_pull || waits.is_woken(context);
        loop {
            self.fill_link(context)?;
            self.end_if_stopped()?;
            let mut has_happened = self.look_around(context)?;
            if !self.may_pull && waits.is_woken(context) {
                (self.may_pull, has_happened) = (true, true);
            }
            let deadline = self.deadline();
            if deadline < waits.timer.deadline() {
                waits.set_timer(deadline);
            }
            if waits.has_rung(context) {
                self.on_timer()?;
                // What was not to leave sooner may be taken.
                self.may_pull |= self.watcher.due().is_some();
                waits.set_timer(self.deadline());
                has_happened = true;
            }
            if let Some(ending) = waits.ending(context) {
                self.on_ending(ending)?;
                has_happened = true;
            }
            if !has_happened {
                waits.arm(context);
                return Poll::Pending;
            }
            if !coop::has_budget_remaining() {
                // Others have waited for long enough.
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
    }

    /// Looks once at the link and at all that the session has under way; whether anything has
    /// happened there.
    fn look_around(&mut self, context: &mut Context<'_>) -> Result<bool, End> {
        let mut has_happened = false;
        let may_read = self.outbox.len() < ANSWERS_MAX
            && !self.brake.holds(Instant::now)
            && !self.departure.has_begun(Instant::now);
        if let Poll::Ready(event) = self.link.poll_event(context, may_read) {
            self.on_event(event)?;
            has_happened = true;
        }
        if self.channels.poll_caught_up(context).is_ready() {
            (self.may_pull, has_happened) = (true, true);
        }
        // A text is made when the one before is on its way; until then its join waits.
        if self.outbox.len_bytes() < JOIN_BYTES_MAX
            && let Poll::Ready((replica, outcome)) = self.joins.poll_done(context)
        {
            self.on_join_done(replica, outcome);
            has_happened = true;
        }
        if let Poll::Ready(done) = self.talks.poll_done(context) {
            if let Some(frame) = self.talks.settle(done) {
                self.outbox.push(frame);
            }
            (self.may_pull, has_happened) = (true, true);
        }
        if self.watcher.poll_ticked(context).is_ready() {
            (self.may_pull, has_happened) = (true, true);
        }
        Ok(has_happened)
    }

    /// The server's end has come so far.
    fn on_ending(&mut self, ending: Ending) -> Result<(), End> {
        match ending {
            Ending::Begins => {
                let shutdown = &self.app.shutdown;
                if shutdown.moving.is_cancelled() && !self.departure.is_set() {
                    let window = Duration::from_millis(self.app.config.move_ms.into());
                    self.departure.set(Instant::now() + shutdown.moment(window));
                }
            }
            Ending::Stops => (self.is_stopping, self.may_pull) = (true, true),
            Ending::IsOverdue => return Err(End::Close(CloseCode::Restart)),
        }
        Ok(())
    }
}
