//! The live dashboard: how much goes on, second by second, for whoever may see it.
//!
//! Once a second the figures of the server and of each document are put into a ledger that reaches
//! 15 minutes back. Who watches is woken then, and takes what it was not told yet: a reader that
//! does not keep up gets several seconds at once, later. Each server tells of itself.

mod documents;
mod ledger;
mod sample;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use collab_protocol::{Figures, FiguresOf};
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, MissedTickBehavior};

pub(crate) use self::documents::{Holder, RoomSecond};
use self::ledger::Ledger;
use self::sample::Sampler;
use crate::app::App;
use crate::rights::Visitor;

/// How often figures are taken, and how often a watcher is told of them at most.
pub(crate) const WINDOW: Duration = Duration::from_secs(1);

/// How far the figures reach back, in windows.
const HISTORY_LEN: usize = 15 * 60;

/// The busiest documents that are told.
const BUSIEST: usize = 20;

/// Connections that watch at a time. Each costs a few kilobytes a second and a look through its
/// person's documents; when somebody opens, a look through their 15 minutes.
pub(crate) const WATCHERS_MAX: usize = 256;

/// See the module.
pub(crate) struct Dashboard {
    ledger: Mutex<(Ledger, Sampler)>,
    /// The number of the last window.
    last: watch::Sender<u64>,
    places: Arc<Semaphore>,
}

impl Dashboard {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Dashboard {
            ledger: Mutex::default(),
            last: watch::Sender::new(0),
            places: Arc::new(Semaphore::new(WATCHERS_MAX)),
        })
    }

    /// Ends a window: puts down what went on since the one before, and wakes who watches.
    pub(crate) fn tick(&self, app: &App) {
        let last = {
            let (ledger, sampler) = &mut *self.ledger();
            let rooms = app.registry.rooms();
            let second = sampler.take(app, &rooms);
            let rooms: Vec<RoomSecond> = rooms.iter().map(RoomSecond::from).collect();
            ledger.add(second, &rooms);
            ledger.last()
        };
        self.last.send_replace(last);
    }

    /// A place to watch from; `None` when too many do.
    pub(crate) fn watch(self: &Arc<Self>, of: FiguresOf, visitor: Visitor) -> Option<Watching> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let (dashboard, ticks) = (Arc::clone(self), self.last.subscribe());
        let ticking = stream::unfold(ticks.clone(), |mut ticks| async move {
            ticks.changed().await.ok().map(|()| ((), ticks))
        });
        // Once there will be none any more, the last is waited for forever.
        let ticking = ticking.chain(stream::pending()).boxed();
        Some(Watching { dashboard, of, visitor, told: None, ticks, ticking, _place: place })
    }

    /// Everything of the last 15 minutes.
    pub(crate) fn all(&self, of: FiguresOf, visitor: &Visitor) -> Figures {
        self.since(None, of, visitor).0
    }

    /// What came after the window with this number, and the number of the last one.
    fn since(&self, told: Option<u64>, of: FiguresOf, visitor: &Visitor) -> (Figures, u64) {
        let (ledger, _) = &mut *self.ledger();
        (ledger.figures(told, of, visitor), ledger.last())
    }

    fn ledger(&self) -> MutexGuard<'_, (Ledger, Sampler)> {
        // A window that a panic kept from being put down whole is one point in a chart.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's view, given back when dropped.
pub(crate) struct Watching {
    dashboard: Arc<Dashboard>,
    of: FiguresOf,
    visitor: Visitor,
    /// The last window that was told.
    told: Option<u64>,
    ticks: watch::Receiver<u64>,
    /// The ends of windows.
    ticking: BoxStream<'static, ()>,
    _place: OwnedSemaphorePermit,
}

impl Watching {
    /// Whether there is something that was not told yet.
    pub(crate) fn has_news(&self) -> bool {
        self.told.is_none_or(|told| *self.ticks.borrow() > told)
    }

    /// Everything that was not told yet.
    pub(crate) fn take(&mut self) -> Figures {
        let (figures, last) = self.dashboard.since(self.told, self.of, &self.visitor);
        self.told = Some(last);
        figures
    }

    /// Whether a window has ended since this last said so; who asked is woken when one does.
    pub(crate) fn poll_ticked(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.ticking.poll_next_unpin(context).map(|_| ())
    }
}

/// Ends a window once a second, and never sooner after the one before, until the server stops.
pub(crate) async fn run(app: Arc<App>) {
    let mut ticks = tokio::time::interval_at(Instant::now() + WINDOW, WINDOW);
    // Windows that were missed are not made up for: the next one is longer.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => app.dashboard.tick(&app),
            () = app.shutdown.stopping.cancelled() => return,
        }
    }
}
