//! One connection, over a WebSocket or over HTTP requests: one task, one timer, small buffers.
//!
//! The task reads messages, hands edits to their documents, and pulls from the documents whatever
//! the socket can take next. It never waits for the socket with frames in hand: one frame is on its
//! way at most, so a slow reader costs one frame of memory (of a document's text, which all
//! readers share, the piece on its way), and what it lacks stays in the document's ring.

mod brake;
mod channels;
mod chatting;
mod chores;
mod departure;
mod entrance;
mod expiry;
mod figures;
mod history;
mod incoming;
mod joining;
mod link;
mod outbox;
mod pipe;
mod pipes;
mod pulse;
mod rooms;
mod socket;
mod strain;
mod talks;
#[cfg(test)]
mod tests;

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use collab_protocol::{
    ChannelId, ClientId, CloseCode, DocumentId, ErrorCode, ErrorMessage, ServerMessage, Welcome,
    WelcomeUser,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::address::AddressPlace;
use crate::app::App;
use crate::auth::{Identity, Kind};
use crate::config::Config;
use crate::document::{Ended, Frame};
use crate::metrics::Limit;
use crate::people::Profile;
use crate::rate::Allowance;
use crate::rooms::Seat;
use crate::store::StoreError;
use brake::Brake;
use channels::{Channels, Pull};
use chores::Chores;
use departure::Departure;
use expiry::Expiry;
use figures::Watcher;
use joining::{JoinOutcome, Joining};
use link::{Link, LinkEvent};
use outbox::Outbox;
pub(crate) use pipe::{Form, Pipe, PipeError};
pub(crate) use pipes::{Pipes, open_pipe};
use pulse::{Beat, Pulse};
use socket::Socket;
use talks::Talks;

/// Answers that may wait for the socket before the session stops reading.
const ANSWERS_MAX: usize = 64;

/// Bytes that may wait for the socket before the session opens no further document.
const JOIN_BYTES_MAX: usize = 1 << 20;

/// Messages that make no sense before the connection is closed.
const BAD_MESSAGES_MAX: u32 = 3;

/// How long a connection may take to take its last frames and to answer a close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The server closes it.
    Close(CloseCode),
    /// The other side closed it, or is gone.
    Gone,
}

/// Serves a connection that was upgraded, to its end. `identity` is known from the upgrade's
/// headers; `place` is a guest's, or of somebody who is not, until they are.
pub(crate) async fn serve<S>(
    app: Arc<App>,
    stream: S,
    identity: Option<Identity>,
    place: Option<AddressPlace>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let _counted = app.metrics.transport("websocket");
    let mut socket = Socket::new(stream, &app.config);
    serve_link(app, &mut socket, identity, place).await;
}

/// Serves whatever carries a session's messages, to its end.
async fn serve_link<L: Link>(
    app: Arc<App>,
    link: &mut L,
    identity: Option<Identity>,
    place: Option<AddressPlace>,
) {
    app.metrics.sockets.inc();
    let end = match Arc::clone(&app.sockets).try_acquire_owned() {
        Ok(_place) => match entrance::authenticate(&app, link, identity).await {
            Ok(identity) => {
                link.known(identity.kind);
                // A person with a token is counted by no address.
                let _place = place.filter(|_| identity.kind == Kind::Guest);
                converse(&app, link, identity).await
            }
            Err(end) => end,
        },
        Err(_) if app.shutdown.takes_no_session() => End::Close(CloseCode::Restart),
        Err(_) => End::Close(CloseCode::Overloaded),
    };
    if let End::Close(code) = end {
        app.metrics.close(code);
        link.close(code, CLOSE_TIMEOUT).await;
    }
    link.report_bytes(&app.metrics);
    app.metrics.sockets.dec();
    let (read, written) = link.bytes();
    tracing::debug!(?end, read, written, "socket ended");
}

fn fatal(code: ErrorCode) -> ServerMessage {
    ServerMessage::Error(ErrorMessage { fatal: true, ..ErrorMessage::new(code) })
}

/// Talks with somebody who is known.
async fn converse(app: &Arc<App>, link: &mut impl Link, identity: Identity) -> End {
    let Some(_place) = app.user_connections.enter(&identity) else {
        app.metrics.limited(Limit::UserConnections);
        return End::Close(CloseCode::TooManyConnections);
    };
    let deadline = Duration::from_millis(app.config.join_deadline_ms.into());
    let asked = tokio::time::timeout(deadline, app.people.profile(&identity)).await;
    let asked = asked.unwrap_or_else(|_| Err(StoreError::unavailable("it took too long")));
    let profile = match asked {
        Ok(profile) => profile,
        Err(error) => {
            tracing::warn!(%error, "cannot look a person up");
            let last = fatal(ErrorCode::StorageUnavailable).to_json();
            link.finish([last.into()], CLOSE_TIMEOUT).await;
            return End::Close(CloseCode::Internal);
        }
    };
    let mut session = Session::new(Arc::clone(app), link, profile);
    session.welcome();
    let Err(end) = session.run().await;
    let Session { outbox, .. } = session;
    if matches!(end, End::Close(code) if code != CloseCode::TooSlow) {
        link.finish(outbox.into_frames(), CLOSE_TIMEOUT).await;
    }
    end
}

/// A connection of somebody who is known.
struct Session<'a, L> {
    app: Arc<App>,
    link: &'a mut L,
    profile: Profile,
    /// Frames to send, in this order.
    outbox: Outbox,
    channels: Channels,
    talks: Talks,
    joins: Chores<Joining>,
    /// The replicas that those joins are for.
    joining: Vec<(DocumentId, ClientId)>,
    /// Notified by the documents when there may be something to pull.
    wake: Arc<Notify>,
    may_pull: bool,
    /// Its place in rooms of applications.
    seat: Seat,
    /// Its view of the dashboard.
    watcher: Watcher,
    bad_messages: u32,
    /// Documents it may open,
    joins_allowed: Allowance,
    /// and messages it may send that are neither that nor edits.
    messages_allowed: Allowance,
    /// Until when the other side was asked to send nothing.
    resting_until: Option<Instant>,
    brake: Brake,
    pulse: Pulse,
    expiry: Expiry,
    departure: Departure,
    is_stopping: bool,
}

impl<'a, L: Link> Session<'a, L> {
    fn new(app: Arc<App>, link: &'a mut L, profile: Profile) -> Self {
        let now = Instant::now();
        let pulse = Pulse::new(now, &app.config);
        let expiry = Expiry::new(profile.identity.expires_ms, now, || app.clock.now_ms());
        let Config { joins_per_s, joins_burst, messages_per_s, messages_burst, .. } = app.config;
        let joins_allowed = Allowance::new(joins_per_s, joins_burst);
        let messages_allowed = Allowance::new(messages_per_s, messages_burst);
        let channels = Channels::new(Arc::clone(&app.metrics));
        let talks = Talks::new(Arc::clone(&app.metrics));
        let wake = Arc::new(Notify::new());
        let topics_max = app.config.topics_per_connection_max as usize;
        let seat = app.rooms.enter(&profile.identity, Arc::clone(&wake), topics_max);
        Session {
            app,
            link,
            profile,
            outbox: Outbox::default(),
            channels,
            talks,
            joins: Chores::default(),
            joining: Vec::new(),
            wake,
            may_pull: false,
            seat,
            watcher: Watcher::new(now),
            bad_messages: 0,
            joins_allowed,
            messages_allowed,
            resting_until: None,
            brake: Brake::default(),
            pulse,
            expiry,
            departure: Departure::default(),
            is_stopping: false,
        }
    }

    fn welcome(&mut self) {
        let participant = &self.profile.participant;
        let user = WelcomeUser {
            id: participant.user.clone(),
            name: participant.name.clone(),
            color: participant.color,
        };
        let limits = self.app.config.wire_limits();
        let heartbeat_ms = self.app.config.heartbeat_ms;
        self.say(&ServerMessage::Welcome(Welcome { user, limits, heartbeat_ms }));
    }

    /// Runs until the connection ends, which is the error.
    async fn run(&mut self) -> Result<std::convert::Infallible, End> {
        let (app, wake) = (Arc::clone(&self.app), Arc::clone(&self.wake));
        let shutdown = &app.shutdown;
        // Each is asked again and again, so each keeps its place in line.
        let (woken, timer) = (wake.notified(), tokio::time::sleep_until(self.deadline()));
        let (moving, stopping) = (shutdown.moving.cancelled(), shutdown.stopping.cancelled());
        let overdue = shutdown.overdue.cancelled();
        tokio::pin!(woken, timer, moving, stopping, overdue);
        loop {
            poll_fn(|context| Poll::Ready(self.fill_link(context))).await?;
            self.end_if_stopped()?;
            if self.deadline() < timer.deadline() {
                timer.as_mut().reset(self.deadline());
            }
            let may_read = self.outbox.len() < ANSWERS_MAX
                && !self.brake.holds(Instant::now)
                && !self.departure.has_begun(Instant::now);
            // A text is made when the one before is on its way; until then its join waits.
            let may_join = !self.joins.is_empty() && self.outbox.len_bytes() < JOIN_BYTES_MAX;
            tokio::select! {
                event = self.link.event(may_read) => self.on_event(event)?,
                () = woken.as_mut(), if !self.may_pull => {
                    self.may_pull = true;
                    woken.set(wake.notified());
                }
                () = self.channels.caught_up(), if self.channels.is_reading() => {
                    self.may_pull = true;
                }
                (replica, outcome) = self.joins.done(), if may_join => {
                    self.on_join_done(replica, outcome);
                }
                done = self.talks.done(), if !self.talks.is_idle() => {
                    if let Some(frame) = self.talks.settle(done) {
                        self.outbox.push(frame);
                    }
                    self.may_pull = true;
                }
                () = self.watcher.ticked(), if self.watcher.is_open() => self.may_pull = true,
                () = timer.as_mut() => {
                    self.on_timer()?;
                    // What was not to leave sooner may be taken.
                    self.may_pull |= self.watcher.due().is_some();
                    timer.as_mut().reset(self.deadline());
                }
                () = moving.as_mut(), if !self.departure.is_set() => {
                    let window = Duration::from_millis(self.app.config.move_ms.into());
                    self.departure.set(Instant::now() + shutdown.moment(window));
                }
                () = stopping.as_mut(), if !self.is_stopping => {
                    self.is_stopping = true;
                    self.may_pull = true;
                }
                () = overdue.as_mut() => return Err(End::Close(CloseCode::Restart)),
            }
        }
    }

    /// When the timer has something to do at the earliest.
    fn deadline(&self) -> Instant {
        let pulse = self.pulse.deadline();
        // What is about to be taken needs no timer: the link takes it when it can.
        let figures = self.watcher.due().filter(|_| !self.may_pull);
        let departure = self.departure.deadline(Instant::now);
        let others = [self.expiry.deadline(), self.brake.until(), departure, figures];
        others.into_iter().flatten().fold(pulse, Instant::min)
    }

    /// Ends the session of somebody whose token has run out.
    fn check_expiry(&mut self) -> Result<(), End> {
        if !self.expiry.is_over(Instant::now(), || self.app.clock.now_ms()) {
            return Ok(());
        }
        self.app.metrics.error(ErrorCode::Unauthenticated);
        self.say(&fatal(ErrorCode::Unauthenticated));
        Err(End::Close(CloseCode::Unauthenticated))
    }

    /// Gives the socket frames, as long as it takes them and there are any.
    fn fill_link(&mut self, context: &mut Context<'_>) -> Result<(), End> {
        let written = self.link.bytes().1;
        while self.link.is_idle() {
            if let Some(frame) = self.outbox.pop() {
                self.send(frame, context)?;
                continue;
            }
            if !self.may_pull {
                break;
            }
            self.pull_chats();
            self.pull_figures();
            let budget_bytes = self.app.config.frame_bytes as usize;
            // Events have a share, so that neither they nor edits keep the others back.
            let events = self.seat.take(budget_bytes / 4);
            let has_events = !events.is_empty();
            events.into_iter().for_each(|frame| self.outbox.push(frame));
            match self.channels.pull(budget_bytes) {
                Pull::Frames { frames, is_all } => {
                    frames.into_iter().for_each(|frame| self.outbox.push(frame));
                    // What comes from now on wakes the session.
                    self.may_pull = !is_all || has_events;
                }
                Pull::Nothing => self.may_pull = has_events,
                Pull::Ended { channel, reason } => self.on_document_ended(channel, reason)?,
            }
        }
        if self.link.bytes().1 > written {
            self.link.report_bytes(&self.app.metrics);
        }
        Ok(())
    }

    /// Sends a frame, or as much of it as is taken at once.
    fn send(&mut self, frame: Frame, context: &mut Context<'_>) -> Result<(), End> {
        self.app.metrics.frames_sent.inc();
        let before = self.link.bytes().1;
        self.link.send(frame);
        match self.link.poll_write(context) {
            Poll::Ready(LinkEvent::Gone) => Err(End::Gone),
            Poll::Ready(_) => Ok(()),
            Poll::Pending => {
                self.pulse.sending(Instant::now(), before);
                Ok(())
            }
        }
    }

    /// Who is to go to another server goes once everything is answered, or at the latest. A stopping
    /// server's documents end their sessions once they have answered everything; then the
    /// connection goes too.
    fn end_if_stopped(&mut self) -> Result<(), End> {
        if self.departure.is_set()
            && self.departure.is_due(Instant::now(), self.channels.await_answers())
        {
            return Err(End::Close(CloseCode::Restart));
        }
        let is_done = self.is_stopping
            && self.channels.is_empty()
            && self.talks.is_idle()
            && self.outbox.is_empty()
            && self.link.is_idle();
        if is_done { Err(End::Close(CloseCode::Restart)) } else { Ok(()) }
    }

    fn on_event(&mut self, event: LinkEvent) -> Result<(), End> {
        self.link.report_bytes(&self.app.metrics);
        match event {
            LinkEvent::Sent => return Ok(()),
            LinkEvent::Gone => return Err(End::Gone),
            LinkEvent::Unreadable(code) => return Err(End::Close(code)),
            LinkEvent::TooLarge => {
                self.app.metrics.error(ErrorCode::MessageTooLarge);
                self.say(&fatal(ErrorCode::MessageTooLarge));
                return Err(End::Close(CloseCode::TooLarge));
            }
            LinkEvent::Pong(payload) => {
                if let Some(took) = self.pulse.on_pong(Instant::now(), &payload) {
                    self.app.metrics.heartbeat_time.observe(took.as_secs_f64());
                }
            }
            LinkEvent::Other => {}
            LinkEvent::Binary => self.on_bad_message("binary messages are not part of this")?,
            LinkEvent::Text(text) => {
                self.app.metrics.frames_received.inc();
                self.check_expiry()?;
                self.on_text(&text)?;
            }
        }
        self.pulse.heard(Instant::now());
        Ok(())
    }

    fn on_timer(&mut self) -> Result<(), End> {
        self.check_expiry()?;
        self.link.report_bytes(&self.app.metrics);
        let is_sending = !self.link.is_idle();
        match self.pulse.beat(Instant::now(), is_sending, self.link.bytes().1) {
            Beat::Nothing => Ok(()),
            Beat::Ping(payload) => {
                self.link.ping(payload);
                Ok(())
            }
            Beat::Dead => Err(End::Gone),
            Beat::Slow => Err(End::Close(CloseCode::TooSlow)),
        }
    }

    fn on_join_done(&mut self, replica: (DocumentId, ClientId), outcome: JoinOutcome) {
        if let Some(index) = self.joining.iter().position(|joining| *joining == replica) {
            self.joining.swap_remove(index);
            self.joining.shrink_to(0);
        }
        match outcome {
            JoinOutcome::Joined { open, frame, profile, took } => {
                self.app.metrics.join_time.observe(took.as_secs_f64());
                self.profile = *profile;
                self.outbox.push(frame);
                self.channels.open(open);
                self.may_pull = true;
            }
            JoinOutcome::Refused { code } => {
                self.error(code, Some(replica.0), None, None);
            }
        }
    }

    /// A document has ended this session's part in it.
    fn on_document_ended(&mut self, ch: ChannelId, reason: Ended) -> Result<(), End> {
        let Some(closed) = self.channels.close(ch) else { return Ok(()) };
        let code = match reason {
            Ended::Replaced if self.is_here(closed.document, closed.client) => {
                self.left(ch);
                return Ok(());
            }
            Ended::Replaced => return Err(End::Close(CloseCode::Replaced)),
            Ended::TooSlow => return Err(End::Close(CloseCode::TooSlow)),
            Ended::Shutdown => {
                self.is_stopping = true;
                return Ok(());
            }
            Ended::Revoked => ErrorCode::AccessRevoked,
            Ended::Corrupt => ErrorCode::DocCorrupt,
            Ended::Unavailable => ErrorCode::StorageUnavailable,
            Ended::Failed => ErrorCode::Internal,
        };
        // One document's trouble is that of its channel; the rest of the connection goes on.
        self.error(code, None, Some(ch), None);
        self.left(ch);
        Ok(())
    }

    /// Whether this very connection has the replica's newer session, or is about to.
    fn is_here(&self, document: DocumentId, client: ClientId) -> bool {
        self.channels.has(document, client) || self.joining.contains(&(document, client))
    }

    /// Ends a connection whose documents have been overloaded for long.
    fn check_strain(&self) -> Result<(), End> {
        match self.channels.strain.is_too_long() {
            true => Err(End::Close(CloseCode::Overloaded)),
            false => Ok(()),
        }
    }

    fn say(&mut self, message: &ServerMessage) {
        self.outbox.push(message.to_json());
    }
}
