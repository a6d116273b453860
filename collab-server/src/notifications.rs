//! What a person is told: stored first, then all their connections hear of it.
//!
//! The database numbers what happens to a person's notifications, so any server may write. News
//! goes to the person's room, as events do, and may be lost there: a client sees the gap by the
//! number and reads what it lacks over REST. What is told once has a key, so that whoever does not
//! know whether they have told it tells it again.

mod digest;
mod reasons;

use std::collections::{BTreeSet, HashMap};

use collab_protocol::{
    ChatPerson, EditedWhileAway, MentionedInChat, NOTIFICATION_PAGE_LEN, Notification,
    NotificationAbout, NotificationId, NotificationPage, NotificationsRead, Notified,
    SharedWithYou, ToldByApp, UserId,
};

use crate::app::App;
use crate::document::Participant;
use crate::fanout::Address;
use crate::store::{
    NotificationContent, NotificationEntry, NotificationOutcome, NotificationRange,
    NotificationRecord, NotificationSelection, Recipient, Repeated, StoreError,
};

pub(crate) use digest::{DigestingStore, Digests, finish as finish_digests, run as write_digests};
pub(crate) use reasons::{SharedBy, mentioned, shared, told_by_app};

/// People named in one notification of edits.
const EDITORS_SHOWN_MAX: usize = 5;

/// Something to tell a person.
struct Telling {
    to: Recipient,
    key: String,
    content: NotificationContent,
    repeated: Repeated,
}

/// Stores a notification and tells its person's connections, on all servers.
async fn tell(app: &App, telling: Telling) -> Result<(), StoreError> {
    let Telling { to, key, content, repeated } = telling;
    let new = NotificationRecord {
        to: to.clone(),
        id: NotificationId::new(uuid::Uuid::new_v4().as_u128()),
        key,
        time_ms: app.clock.now_ms(),
        content,
        repeated,
        keep_max: app.config.notifications_per_person_max,
    };
    let NotificationOutcome::Done(entry, head) = app.store.notify(new).await? else {
        return Ok(());
    };
    app.metrics.notification(kind(&entry.content));
    let (change, unread) = (entry.change, head.unread);
    let notifications = shown(app, vec![entry]).await?;
    let news = Notified { change, unread, notifications, read: Vec::new(), read_to: None };
    app.rooms.notified(&Address::User(to.tenant, to.person), news);
    Ok(())
}

const fn kind(content: &NotificationContent) -> &'static str {
    match content {
        NotificationContent::Mentioned { .. } => "mentioned",
        NotificationContent::Shared { .. } => "shared",
        NotificationContent::Edited { .. } => "edited",
        NotificationContent::App { .. } => "app",
    }
}

/// A page of a person's notifications: behind the change `since`, or else before the number
/// `before`, or else the latest.
pub(crate) async fn page(
    app: &App,
    to: Recipient,
    before: Option<u64>,
    since: Option<u64>,
) -> Result<NotificationPage, StoreError> {
    let limit = NOTIFICATION_PAGE_LEN;
    if let Some(since) = since {
        let range = NotificationRange::Since(since);
        let found = app.store.notifications(to.clone(), range, limit + 1).await?;
        if found.entries.len() <= limit as usize && since <= found.head.change {
            let (unread, change) = (found.head.unread, found.head.change);
            let notifications = shown(app, found.entries).await?;
            let since = Some(since);
            return Ok(NotificationPage { notifications, unread, change, since, more: false });
        }
    }
    let range = match before.filter(|_| since.is_none()) {
        Some(number) => NotificationRange::Before(number),
        None => NotificationRange::Latest,
    };
    let mut found = app.store.notifications(to, range, limit + 1).await?;
    let more = found.entries.len() > limit as usize;
    found.entries.truncate(limit as usize);
    let (unread, change) = (found.head.unread, found.head.change);
    let notifications = shown(app, found.entries).await?;
    Ok(NotificationPage { notifications, unread, change, since: None, more })
}

/// Notes what a person has read, and tells all their connections.
pub(crate) async fn read(
    app: &App,
    to: Recipient,
    which: NotificationSelection,
) -> Result<NotificationsRead, StoreError> {
    let marked =
        app.store.read_notifications(to.clone(), which.clone(), app.clock.now_ms()).await?;
    let (unread, change) = (marked.head.unread, marked.head.change);
    if !marked.ids.is_empty() {
        let (read, read_to) = match which {
            NotificationSelection::These(_) => (marked.ids, None),
            NotificationSelection::UpTo(last) => (Vec::new(), Some(last.min(marked.head.number))),
        };
        let news = Notified { change, unread, notifications: Vec::new(), read, read_to };
        app.rooms.notified(&Address::User(to.tenant, to.person), news);
    }
    Ok(NotificationsRead { unread, change })
}

/// Stored notifications as their person sees them, people with the names that they have now.
async fn shown(
    app: &App,
    entries: Vec<NotificationEntry>,
) -> Result<Vec<Notification>, StoreError> {
    let users: BTreeSet<UserId> =
        entries.iter().flat_map(|entry| people_in(&entry.content)).cloned().collect();
    let people = if users.is_empty() { Vec::new() } else { app.people.participants(users).await? };
    let known: HashMap<UserId, ChatPerson> = people
        .into_iter()
        .map(|Participant { user, name, color }| (user.clone(), ChatPerson { user, name, color }))
        .collect();
    let notification = |entry: NotificationEntry| Notification {
        id: entry.id,
        number: entry.number,
        time_ms: entry.time_ms,
        read: entry.read_ms.is_some(),
        about: about(entry.content, &known),
    };
    Ok(entries.into_iter().map(notification).collect())
}

/// Whom it names.
fn people_in(content: &NotificationContent) -> Vec<&UserId> {
    match content {
        NotificationContent::Mentioned { by, .. } => vec![by],
        NotificationContent::Shared { by, .. } => by.iter().collect(),
        NotificationContent::Edited { by, .. } => by.iter().take(EDITORS_SHOWN_MAX).collect(),
        NotificationContent::App { .. } => Vec::new(),
    }
}

fn about(content: NotificationContent, known: &HashMap<UserId, ChatPerson>) -> NotificationAbout {
    let person = |user: &UserId| known[user].clone();
    match content {
        NotificationContent::Mentioned { doc, title, by, message } => {
            let by = person(&by);
            NotificationAbout::Mentioned(MentionedInChat { doc, title, by, message })
        }
        NotificationContent::Shared { doc, title, by, role } => {
            let by = by.as_ref().map(person);
            NotificationAbout::Shared(SharedWithYou { doc, title, by, role })
        }
        NotificationContent::Edited { doc, title, by, edits, rev } => {
            let people = u32::try_from(by.len()).unwrap_or(u32::MAX);
            let by = by.iter().take(EDITORS_SHOWN_MAX).map(person).collect();
            NotificationAbout::Edited(EditedWhileAway { doc, title, by, people, edits, rev })
        }
        NotificationContent::App { name, title, body, url, data } => {
            NotificationAbout::App(ToldByApp { name, title, body, url, data })
        }
    }
}
