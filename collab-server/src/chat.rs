//! The chats beside documents: what is said is stored first, then everybody hears of it.
//!
//! A chat has nothing to do with its document's text or its actor: a database that takes long over
//! a message holds up no edit. The database numbers messages and changes, so one order holds for all
//! servers. What this server has of an open chat is a [`Room`]: the latest changes, which sessions
//! pull at their own pace, as they do with operations.

mod feed;
mod opening;
mod room;
mod saying;
mod tending;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use collab_protocol::{
    CHAT_PAGE_LEN, ChannelId, ChatBefore, ChatCode, ChatLocate, ChatLocated, ChatOpen, ChatPage,
    ChatPerson, ChatReference, DocumentId, ErrorCode, ServerMessage, TenantId, UserId,
};
use ot_core::Revision;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::config::Config;
use crate::desk::Desk;
use crate::document::Participant;
use crate::error::ApiError;
use crate::fanout::{Address, Fanout, News};
use crate::history::Located;
use crate::people::{self, Profile};
use crate::rate::Rates;
use crate::rights::{Action, Visitor};
use crate::store::{ChatExtract, ChatRange, StoreError};

pub(crate) use self::feed::{ChatFeed, FeedEnded};
pub(crate) use self::opening::{Opened, Opening};
pub use self::room::ChatNews;
pub(crate) use self::room::{Room, Sizes};
pub(crate) use self::saying::{Asked, Place, mark_read, say, take_place, type_on};
#[cfg(feature = "simulation")]
pub(crate) use self::saying::{Speaker, say_now};
pub(crate) use self::tending::watch;
#[cfg(feature = "simulation")]
pub(crate) use self::tending::{Watch, look, take_in};

/// How a server tends its chats.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tending {
    /// How often the database is asked for what no other server has told.
    poll: Option<Duration>,
    /// How often rights are looked at, and how long chats stay open when they cannot be.
    rights: Duration,
    grace: Duration,
}

/// The chats that somebody has open here.
pub(crate) struct Chats {
    rooms: Mutex<HashMap<DocumentId, Arc<Room>>>,
    /// How often each person may write to each chat.
    rates: Rates<(TenantId, UserId, DocumentId)>,
    fanout: Option<Arc<dyn Fanout>>,
    tending: Tending,
}

impl Chats {
    /// `is_shared` where other servers may use the database too, `fanout` where there is a way to
    /// them.
    pub(crate) fn new(config: &Config, is_shared: bool, fanout: Option<Arc<dyn Fanout>>) -> Self {
        let ms = |value: u32| Duration::from_millis(value.into());
        let tending = Tending {
            poll: is_shared.then(|| ms(config.poll_interval_ms)),
            rights: ms(config.rights_interval_ms),
            grace: ms(config.rights_grace_ms),
        };
        let rates = Rates::new(config.chat_messages_per_s, config.chat_messages_burst);
        Chats { rooms: Mutex::default(), rates, fanout, tending }
    }

    fn rooms(&self) -> std::sync::MutexGuard<'_, HashMap<DocumentId, Arc<Room>>> {
        // Each change under the lock is one step, so a panic leaves nothing half done.
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the other servers.
    pub(crate) fn publish(&self, document: DocumentId, news: ChatNews) {
        if let Some(fanout) = &self.fanout {
            fanout.publish(Address::Document(document), Arc::new(News::Chat(news)));
        }
    }

    /// Somebody's way into a chat, whose room is made and tended if it is the first.
    fn enter(&self, app: &Arc<App>, document: DocumentId, visitor: Visitor) -> ChatFeed {
        let mut rooms = self.rooms();
        let room = rooms.entry(document).or_insert_with(|| {
            let room = Arc::new(Room::new(document, Sizes::default()));
            app.shutdown.tasks.spawn(tending::tend(Arc::clone(app), Arc::clone(&room)));
            room
        });
        ChatFeed::enter(Arc::clone(room), visitor)
    }

    /// Lets a room go that nobody is in; whether it went.
    fn retire(&self, room: &Arc<Room>) -> bool {
        let mut rooms = self.rooms();
        let is_empty = room.is_empty();
        if is_empty && rooms.get(&room.document).is_some_and(|here| Arc::ptr_eq(here, room)) {
            rooms.remove(&room.document);
        }
        is_empty
    }

    fn all(&self) -> Vec<Arc<Room>> {
        self.rooms().values().cloned().collect()
    }
}

/// Opens a document's chat for somebody who may read it.
pub(crate) async fn open(
    app: Arc<App>,
    open: ChatOpen,
    ch: ChannelId,
    mut profile: Profile,
    wake: Arc<Notify>,
) -> Result<Opened, ChatCode> {
    let document = open.doc;
    let identity = profile.identity.clone();
    let (record, role) = app.permit(document, &identity, Action::ChatOpen).await.map_err(code)?;
    app.people.refresh(&mut profile).await.map_err(unavailable)?;
    app.people.keep(&mut profile).await.map_err(unavailable)?;
    let feed = app.chats.enter(&app, document, Visitor::from(&identity));
    let rights = (role, record.rights_version);
    let opening = Opening { ch, feed, person: identity.user, rights, wake };
    opening.finish(&*app, open.since).await
}

/// Who wrote these messages.
async fn authors(desk: &dyn Desk, extract: &ChatExtract) -> Result<Vec<ChatPerson>, StoreError> {
    let users = extract.entries.iter().map(|entry| entry.message.user.clone());
    let participants = people::participants(desk.store(), users).await?;
    Ok(participants.into_iter().map(person).collect())
}

fn person(participant: Participant) -> ChatPerson {
    let Participant { user, name, color } = participant;
    ChatPerson { user, name, color }
}

/// A person as the chat names them.
fn named(profile: &Profile) -> ChatPerson {
    person(profile.participant.clone())
}

/// A page of what was said before, as a frame.
pub(crate) async fn page(
    app: Arc<App>,
    asked: ChatBefore,
    document: DocumentId,
    profile: Profile,
) -> Result<String, ChatCode> {
    app.permit(document, &profile.identity, Action::ChatBefore).await.map_err(code)?;
    let range = ChatRange::Before(asked.number);
    let extract = app.store.chat(document, range, CHAT_PAGE_LEN).await.map_err(unavailable)?;
    let people = authors(&*app, &extract).await.map_err(unavailable)?;
    let messages = extract.entries.into_iter().map(|entry| entry.message).collect();
    let page = ChatPage { ch: asked.ch, before: asked.number, messages, people };
    Ok(ServerMessage::ChatPage(page).to_json())
}

/// Where a stretch of the text is now, as a frame.
pub(crate) async fn locate(
    app: Arc<App>,
    asked: ChatLocate,
    document: DocumentId,
    profile: Profile,
) -> Result<String, ChatCode> {
    let permitted = app.permit(document, &profile.identity, Action::ChatLocate).await;
    let (record, _) = permitted.map_err(code)?;
    let ChatReference { rev, start, end } = asked.reference;
    let (from, head) = (Revision::new(rev), record.revision);
    if start >= end || from > head {
        return Err(ChatCode::BadRef);
    }
    let to = asked.to.map_or(head, Revision::new).clamp(from, head);
    let stretch = (from, start as usize, end as usize);
    let located = app.histories.locate(&record, stretch, to).await;
    let located = located.map_err(|error| code(ApiError::from(error)))?;
    let offset = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    let (at, gone) = match located {
        Located::At { start, end } => {
            let (start, end) = (offset(start), offset(end));
            (Some(ChatReference { rev: to.get(), start, end }), None)
        }
        Located::Gone(revision) => (None, Some(revision.get())),
    };
    let answer = ChatLocated { ch: asked.ch, reference: asked.reference, at, gone };
    Ok(ServerMessage::ChatLocated(answer).to_json())
}

/// How a chat answers what the rest of the server says.
fn code(error: ApiError) -> ChatCode {
    match error.code() {
        ErrorCode::NotFound => ChatCode::NotFound,
        ErrorCode::Forbidden => ChatCode::Forbidden,
        ErrorCode::DocumentDeleted => ChatCode::DocumentDeleted,
        ErrorCode::RevisionAhead => ChatCode::BadRef,
        ErrorCode::Overloaded => ChatCode::Overloaded,
        _ => ChatCode::StorageUnavailable,
    }
}

fn unavailable(error: StoreError) -> ChatCode {
    code(ApiError::from(error))
}

/// Ends when the server does.
fn stopping(app: &App) -> CancellationToken {
    app.shutdown.stopping.clone()
}
