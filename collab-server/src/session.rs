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
mod turns;

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use collab_protocol::{
    ChannelId, ClientId, CloseCode, DocumentId, ErrorCode, ErrorMessage, ServerMessage, Welcome,
    WelcomeUser,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::time::Instant;

use crate::address::AddressPlace;
use crate::app::{App, UserConnection};
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

/// Who comes.
pub(crate) struct Entrant {
    /// Who it is, where the headers told.
    pub(crate) identity: Option<Identity>,
    /// The place of a guest's address, or of somebody who is not, until they are.
    pub(crate) place: Option<AddressPlace>,
}

/// Serves a connection that was upgraded, to its end. `ahead` is what was read behind the upgrade.
pub(crate) fn serve<S>(
    app: Arc<App>,
    stream: S,
    ahead: Bytes,
    entrant: Box<Entrant>,
) -> impl Future<Output = ()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let counted = app.metrics.transport("websocket");
    let socket = Socket::new(stream, ahead, &app.config, counted);
    serve_link(app, socket, entrant)
}

/// Serves whatever carries a session's messages, to its end.
///
/// What this holds is held for every idle connection: it is no `async fn`, and all that comes once,
/// at either end, is in a box of its own.
#[expect(clippy::manual_async_fn, reason = "one would hold the link twice")]
fn serve_link<L: Link>(
    app: Arc<App>,
    mut link: L,
    entrant: Box<Entrant>,
) -> impl Future<Output = ()> {
    async move {
        app.metrics.sockets.inc();
        let end = match Box::pin(enter(&app, &mut link, entrant)).await {
            Ok(mut session) => {
                let Err(end) = session.run().await;
                if matches!(end, End::Close(code) if code != CloseCode::TooSlow) {
                    Box::pin(session.finish()).await;
                }
                end
            }
            Err(end) => end,
        };
        if let End::Close(code) = end {
            app.metrics.close(code);
            Box::pin(link.close(code, CLOSE_TIMEOUT)).await;
        }
        link.report_bytes(&app.metrics);
        app.metrics.sockets.dec();
        let (read, written) = link.bytes();
        tracing::debug!(?end, read, written, "socket ended");
    }
}

fn fatal(code: ErrorCode) -> ServerMessage {
    ServerMessage::Error(ErrorMessage { fatal: true, ..ErrorMessage::new(code) })
}

/// Finds out who is there, and begins to talk with them.
async fn enter<'l, L: Link>(
    app: &Arc<App>,
    link: &'l mut L,
    entrant: Box<Entrant>,
) -> Result<Box<Session<'l, L>>, End> {
    let socket = match Arc::clone(&app.sockets).try_acquire_owned() {
        Ok(socket) => socket,
        Err(_) if app.shutdown.takes_no_session() => return Err(End::Close(CloseCode::Restart)),
        Err(_) => return Err(End::Close(CloseCode::Overloaded)),
    };
    let Entrant { identity, place } = *entrant;
    let identity = entrance::authenticate(app, link, identity).await?;
    link.known(identity.kind);
    // A person with a token is counted by no address.
    let address = place.filter(|_| identity.kind == Kind::Guest);
    let Some(user) = app.user_connections.enter(&identity) else {
        app.metrics.limited(Limit::UserConnections);
        return Err(End::Close(CloseCode::TooManyConnections));
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
            return Err(End::Close(CloseCode::Internal));
        }
    };
    let places = Places { _socket: socket, _address: address, _user: user };
    let mut session = Box::new(Session::new(Arc::clone(app), link, profile, places));
    session.welcome();
    Ok(session)
}

/// The places that a session has under limits, for as long as it lasts.
struct Places {
    _socket: OwnedSemaphorePermit,
    _address: Option<AddressPlace>,
    _user: UserConnection,
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
    _places: Places,
}

impl<'a, L: Link> Session<'a, L> {
    fn new(app: Arc<App>, link: &'a mut L, profile: Profile, places: Places) -> Self {
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
            _places: places,
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

    /// Sends what waits for the socket before the connection is closed.
    async fn finish(&mut self) {
        let outbox = std::mem::take(&mut self.outbox);
        self.link.finish(outbox.into_frames(), CLOSE_TIMEOUT).await;
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
