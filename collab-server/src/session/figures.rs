//! What a session does for a dashboard. At most one frame of figures leaves in any second, however
//! often they are asked for and whatever else goes on.

use std::task::{Context, Poll};

use collab_protocol::{ErrorCode, FiguresOpen, FiguresRefused, ServerMessage};
use tokio::time::Instant;

use super::Session;
use super::link::Link;
use crate::dashboard::{WINDOW, Watching};
use crate::rights::Visitor;

/// A session's view of the dashboard, if it has one.
pub(super) struct Watcher {
    /// Boxed: few have one.
    watching: Option<Box<Watching>>,
    /// The next frame does not leave before; it outlasts closing and opening.
    not_before: Instant,
}

impl Watcher {
    pub(super) fn new(now: Instant) -> Self {
        Watcher { watching: None, not_before: now }
    }

    /// When there is a frame to be taken, at the earliest; `None` while there is none.
    pub(super) fn due(&self) -> Option<Instant> {
        let has_news = self.watching.as_ref().is_some_and(|watching| watching.has_news());
        has_news.then_some(self.not_before)
    }

    /// The next frame, if it is time. The clock is asked only where there is one.
    pub(super) fn take(&mut self, now: impl FnOnce() -> Instant) -> Option<ServerMessage> {
        let due = self.due()?;
        let now = now();
        if due > now {
            return None;
        }
        let figures = self.watching.as_mut()?.take();
        self.not_before = now + WINDOW;
        Some(ServerMessage::Figures(figures))
    }

    /// Whether there is more to tell; who asked is woken when there is.
    pub(super) fn poll_ticked(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.watching {
            Some(watching) => watching.poll_ticked(context),
            None => Poll::Pending,
        }
    }
}

impl<L: Link> Session<'_, L> {
    pub(super) fn on_figures_open(&mut self, open: &FiguresOpen) {
        // Another one may take its place; it may be this connection's own.
        self.watcher.watching = None;
        let may_say = self.take_message();
        let identity = &self.profile.identity;
        let opened = match self.app.figures_of(open.of, identity) {
            _ if !may_say => Err(ErrorCode::SlowDown),
            None => Err(ErrorCode::Forbidden),
            Some(of) => {
                let watching = self.app.dashboard.watch(of, Visitor::from(identity));
                watching.ok_or(ErrorCode::Overloaded)
            }
        };
        match opened {
            Ok(watching) => {
                self.watcher.watching = Some(Box::new(watching));
                self.may_pull = true;
            }
            Err(code) => {
                self.app.metrics.error(code);
                self.say(&ServerMessage::FiguresRefused(FiguresRefused { code }));
            }
        }
    }

    /// Closing costs nothing and is bound by the rate of opening.
    pub(super) fn on_figures_close(&mut self) {
        self.watcher.watching = None;
    }

    /// Puts the next frame of figures, if there is one, behind what waits for the socket.
    pub(super) fn pull_figures(&mut self) {
        if let Some(figures) = self.watcher.take(Instant::now) {
            self.say(&figures);
        }
    }
}
