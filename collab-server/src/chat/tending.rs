//! What goes on in a chat while nobody here says anything: news of other servers, gaps that are read
//! from the database, typists who have stopped, rights that have changed.

use std::sync::Arc;
use std::time::Duration;

use collab_protocol::DocumentId;
use tokio::time::Instant;

use super::room::{ChatNews, Ended, Recent, Room};
use super::{MISSED_MAX, authors, stopping};
use crate::app::App;
use crate::fanout::{Address, Heard, News, Subscription};
use crate::shown::Shown;
use crate::store::{ChatProgress, ChatRange, StoreError};

/// How long what arrived ahead of another message waits for it before the database is asked.
const GAP_WAIT: Duration = Duration::from_millis(30);

/// How long after a look at the database that failed the next one comes.
const RETRY: Duration = Duration::from_millis(500);

/// Tends a room until nobody is in it, or the server stops.
pub(super) async fn tend(app: Arc<App>, room: Arc<Room>) {
    let fanout = app.chats.fanout.clone();
    let mut subscription = fanout.map(|fanout| fanout.subscribe(Address::Document(room.document)));
    let poll = app.chats.tending.poll;
    let stopping = stopping(&app);
    let far = Duration::from_secs(3_600);
    let mut polled = Instant::now();
    let mut look_at: Option<Instant> = None;
    loop {
        let now = Instant::now();
        let typists_at = room.lock().tend_typists(now);
        if look_at.is_none() && room.lock().is_behind() {
            look_at = Some(now + GAP_WAIT);
        }
        let poll_at = poll.map(|every| polled + every);
        let next = [typists_at, look_at, poll_at].into_iter().flatten().min();
        tokio::select! {
            () = room.nudge.notified() => {
                if app.chats.retire(&room) {
                    return;
                }
            }
            heard = hear(&mut subscription) => match heard {
                Some(heard) => take_in(&room, heard),
                None => subscription = None,
            },
            () = tokio::time::sleep_until(next.unwrap_or(now + far)) => {}
            () = stopping.cancelled() => return,
        }
        let now = Instant::now();
        if poll_at.is_some_and(|at| at <= now) {
            polled = now;
            room.doubt();
        }
        let is_due = look_at.is_some_and(|at| at <= now);
        if is_due || room.lock().is_behind() && subscription.is_some() {
            look_at = match look(&app, &room).await {
                Ok(()) => None,
                Err(error) => {
                    tracing::warn!(document = %Shown(room.document), %error, "a chat was not read");
                    Some(Instant::now() + RETRY)
                }
            };
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

fn take_in(room: &Room, heard: Heard) {
    let news = match heard {
        Heard::Gap => return room.doubt(),
        Heard::News { news, .. } => news,
    };
    if let News::Chat(news) = &*news {
        match news {
            ChatNews::Changed { change } => room.heard_of(*change),
            ChatNews::Typing { person, on } => {
                room.typing(person.clone(), *on, Instant::now());
            }
            ChatNews::Read { user, number, unread } => {
                room.read(user, ChatProgress { number: *number, unread: *unread });
            }
        }
    }
}

/// Reads what lies behind the visible end.
async fn look(app: &App, room: &Room) -> Result<(), StoreError> {
    loop {
        let Some(head) = room.lock().head() else { return Ok(()) };
        let range = ChatRange::Since(head);
        let extract = app.store.chat(room.document, range, MISSED_MAX).await?;
        let people = authors(app, &extract).await?;
        let author = |user: &_| people.iter().find(|person| person.user == *user).cloned();
        let is_whole = extract.entries.len() < MISSED_MAX as usize;
        let found = extract.entries.into_iter().filter_map(|entry| {
            let author = author(&entry.message.user)?;
            Some(Recent { entry: Arc::new(entry), author })
        });
        room.lock().filled(found.collect(), is_whole, extract.head);
        if is_whole {
            return Ok(());
        }
    }
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
