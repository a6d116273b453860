//! What goes on in a chat while nobody here says anything: news of other servers, gaps that are read
//! from the database, typists who have stopped, rights that have changed.

use std::sync::Arc;
use std::time::Duration;

use collab_protocol::DocumentId;
use tokio::time::Instant;

use super::room::{ChatNews, Ended, Recent, Room};
use super::{authors, stopping};
use crate::app::App;
use crate::desk::Desk;
use crate::fanout::{Address, Heard, News, Subscription};
use crate::sabotage::{self, Bug};
use crate::shown::Shown;
use crate::store::{ChatProgress, ChatRange, StoreError};

/// How long what arrived ahead of another message waits for it before the database is asked.
const GAP_WAIT: Duration = Duration::from_millis(30);

/// How long after a look at the database that failed the next one comes.
const RETRY: Duration = Duration::from_millis(500);

/// When the database is looked at.
#[derive(Debug)]
pub(crate) struct Watch {
    /// How often it is, though nobody has told anything.
    poll: Option<Duration>,
    polled: Instant,
    /// When it is looked at for what is known to be missing.
    look_at: Option<Instant>,
    /// Whether there is a way to other servers, which tell what they have stored.
    hears: bool,
}

impl Watch {
    pub(crate) fn new(poll: Option<Duration>, hears: bool, now: Instant) -> Self {
        Watch { poll, polled: now, look_at: None, hears }
    }

    fn poll_at(&self) -> Option<Instant> {
        self.poll.map(|every| self.polled + every)
    }

    /// When there is something to tend next, if nobody nudges before.
    pub(crate) fn next(&mut self, room: &Room, now: Instant) -> Option<Instant> {
        let mut state = room.lock();
        let typists_at = state.tend_typists(now);
        if self.look_at.is_none() && state.is_behind() {
            self.look_at = Some(now + GAP_WAIT);
        }
        [typists_at, self.look_at, self.poll_at()].into_iter().flatten().min()
    }

    /// Whether to look now.
    pub(crate) fn is_due(&mut self, room: &Room, now: Instant) -> bool {
        if self.poll_at().is_some_and(|at| at <= now) {
            self.polled = now;
            room.doubt();
        }
        self.look_at.is_some_and(|at| at <= now) || room.lock().is_behind() && self.hears
    }

    /// It was looked at, or could not be.
    pub(crate) fn looked(&mut self, is_done: bool, now: Instant) {
        self.look_at = (!is_done).then_some(now + RETRY);
    }
}

/// Tends a room until nobody is in it, or the server stops.
pub(super) async fn tend(app: Arc<App>, room: Arc<Room>) {
    let fanout = app.chats.fanout.clone();
    let mut subscription = fanout.map(|fanout| fanout.subscribe(Address::Document(room.document)));
    let stopping = stopping(&app);
    let far = Duration::from_secs(3_600);
    let mut watch = Watch::new(app.chats.tending.poll, subscription.is_some(), Instant::now());
    loop {
        let now = Instant::now();
        let next = watch.next(&room, now);
        tokio::select! {
            () = room.nudge.notified() => {
                if app.chats.retire(&room) {
                    return;
                }
            }
            heard = hear(&mut subscription) => match heard {
                Some(heard) => take_in(&room, &heard, Instant::now()),
                None => (subscription, watch.hears) = (None, false),
            },
            () = tokio::time::sleep_until(next.unwrap_or(now + far)) => {}
            () = stopping.cancelled() => return,
        }
        if watch.is_due(&room, Instant::now()) {
            let looked = look(&*app, &room).await;
            if let Err(error) = &looked {
                tracing::warn!(document = %Shown(room.document), %error, "a chat was not read");
            }
            watch.looked(looked.is_ok(), Instant::now());
        }
    }
}

/// What another server says; for ever nothing where there is no way to them.
async fn hear(subscription: &mut Option<Subscription>) -> Option<Heard> {
    match subscription {
        Some(subscription) => subscription.next().await,
        None => std::future::pending().await,
    }
}

pub(crate) fn take_in(room: &Room, heard: &Heard, now: Instant) {
    let news = match heard {
        Heard::Gap => return room.doubt(),
        Heard::News { news, .. } => news,
    };
    if let News::Chat(news) = &**news {
        match news {
            ChatNews::Changed { change } => room.heard_of(*change),
            ChatNews::Typing { person, on } => {
                room.typing(person.clone(), *on, now);
            }
            ChatNews::Read { user, number, unread } => {
                room.read(user, ChatProgress { number: *number, unread: *unread });
            }
        }
    }
}

/// Reads what lies behind the visible end and, where something may have gone unheard, how far those
/// who listen have read elsewhere.
pub(crate) async fn look(desk: &dyn Desk, room: &Room) -> Result<(), StoreError> {
    let Some((_, was_doubtful)) = room.lock().begin_look() else { return Ok(()) };
    let looked = async {
        while !read_on(desk, room).await? {}
        let is_asked = was_doubtful && !sabotage::is_planted(Bug::ChatMarksNotRead);
        if is_asked { read_marks(desk, room).await } else { Ok(()) }
    };
    let looked = looked.await;
    if looked.is_err() {
        room.lock().look_failed();
    }
    looked
}

/// Reads what lies behind the visible end; whether that was all.
async fn read_on(desk: &dyn Desk, room: &Room) -> Result<bool, StoreError> {
    let Some(head) = room.lock().head() else { return Ok(true) };
    let limit = room.sizes.missed_max;
    let extract = desk.store().chat(room.document, ChatRange::Since(head), limit).await?;
    let people = authors(desk, &extract).await?;
    let author = |user: &_| people.iter().find(|person| person.user == *user).cloned();
    let is_whole = extract.entries.len() < limit as usize;
    let found = extract.entries.into_iter().filter_map(|entry| {
        let author = author(&entry.message.user)?;
        Some(Recent { entry: Arc::new(entry), author })
    });
    room.lock().filled(found.collect(), is_whole, extract.head);
    Ok(is_whole)
}

async fn read_marks(desk: &dyn Desk, room: &Room) -> Result<(), StoreError> {
    let known = room.lock().marks();
    let found = desk.store().chat_marks(room.document, known.keys().cloned().collect()).await?;
    for (user, number) in found {
        if known.get(&user).is_some_and(|known| *known < number) {
            let progress = desk.store().chat_progress(room.document, user.clone()).await?;
            room.read(&user, progress);
        }
    }
    Ok(())
}

/// Looks at the rights of everything that somebody chats about, until the server stops. Where that
/// has failed for the time of grace, chats are closed: whoever comes back is asked for anew.
pub(crate) async fn watch(app: Arc<App>) {
    let super::Tending { rights, grace, .. } = app.chats.tending;
    let stopping = stopping(&app);
    let mut known_at = Instant::now();
    loop {
        tokio::select! {
            () = tokio::time::sleep(rights) => {}
            () = stopping.cancelled() => return,
        }
        let began = Instant::now();
        let limit = rights.max(Duration::from_secs(1));
        let looked = tokio::time::timeout(limit, look_at_rights(&app)).await;
        match looked.unwrap_or_else(|_| Err(StoreError::unavailable("it took too long"))) {
            Ok(()) => known_at = began,
            Err(error) if known_at.elapsed() >= grace => {
                tracing::warn!(%error, "rights cannot be read: chats are closed");
                app.chats.all().iter().for_each(|room| room.lock().end_all(Ended::Behind));
            }
            Err(error) => tracing::debug!(%error, "rights were not read"),
        }
    }
}

async fn look_at_rights(app: &App) -> Result<(), StoreError> {
    let rooms = app.chats.all();
    if rooms.is_empty() {
        return Ok(());
    }
    let ids: Vec<DocumentId> = rooms.iter().map(|room| room.document).collect();
    for head in app.store.heads(ids).await? {
        let Some(room) = rooms.iter().find(|room| room.document == head.document) else { continue };
        if room.lock().rights_version() < head.rights_version {
            let rights = app.store.rights(head.document).await?;
            room.lock().set_rights(&rights);
        }
    }
    Ok(())
}
