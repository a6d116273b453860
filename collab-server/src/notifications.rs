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
    NotificationAbout, NotificationPage, NotificationsRead, Notified, SharedWithYou, ToldByApp,
    UserId,
};

use crate::desk::Desk;
use crate::document::Participant;
use crate::fanout::Address;
use crate::people;
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
async fn tell(desk: &dyn Desk, telling: Telling) -> Result<(), StoreError> {
    let Telling { to, key, content, repeated } = telling;
    let new = NotificationRecord {
        to: to.clone(),
        id: desk.new_id(),
        key,
        time_ms: desk.now_ms(),
        content,
        repeated,
        keep_max: desk.notifications_max(),
    };
    let address = Address::User(to.tenant, to.person);
    // What fails may be stored for all that.
    let stored = store(desk, new).await.inspect_err(|_| desk.overlooked(&address))?;
    match stored {
        Some(news) => desk.notified(&address, news),
        // Who asks again may do so because nobody heard of it.
        None => desk.overlooked(&address),
    }
    Ok(())
}

/// Stores a notification; what its person's connections are told, if it was not there before.
async fn store(desk: &dyn Desk, new: NotificationRecord) -> Result<Option<Notified>, StoreError> {
    let NotificationOutcome::Done(entry, head) = desk.store().notify(new).await? else {
        return Ok(None);
    };
    desk.count_told(kind(&entry.content));
    let (change, unread) = (entry.change, head.unread);
    let notifications = shown(desk, vec![entry]).await?;
    Ok(Some(Notified { change, unread, notifications, read: Vec::new(), read_to: None }))
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
    desk: &dyn Desk,
    to: Recipient,
    before: Option<u64>,
    since: Option<u64>,
) -> Result<NotificationPage, StoreError> {
    let limit = NOTIFICATION_PAGE_LEN;
    if let Some(since) = since {
        let range = NotificationRange::Since(since);
        let found = desk.store().notifications(to.clone(), range, limit + 1).await?;
        if found.entries.len() <= limit as usize && since <= found.head.change {
            let (unread, change) = (found.head.unread, found.head.change);
            let notifications = shown(desk, found.entries).await?;
            let since = Some(since);
            return Ok(NotificationPage { notifications, unread, change, since, more: false });
        }
    }
    let range = match before.filter(|_| since.is_none()) {
        Some(number) => NotificationRange::Before(number),
        None => NotificationRange::Latest,
    };
    let mut found = desk.store().notifications(to, range, limit + 1).await?;
    let more = found.entries.len() > limit as usize;
    found.entries.truncate(limit as usize);
    let (unread, change) = (found.head.unread, found.head.change);
    let notifications = shown(desk, found.entries).await?;
    Ok(NotificationPage { notifications, unread, change, since: None, more })
}

/// Notes what a person has read, and tells all their connections.
pub(crate) async fn read(
    desk: &dyn Desk,
    to: Recipient,
    which: NotificationSelection,
) -> Result<NotificationsRead, StoreError> {
    let marked = desk.store().read_notifications(to.clone(), which.clone(), desk.now_ms()).await;
    let address = Address::User(to.tenant, to.person);
    let marked = marked.inspect_err(|_| desk.overlooked(&address))?;
    let (unread, change) = (marked.head.unread, marked.head.change);
    if marked.ids.is_empty() {
        // Read before, and perhaps nobody heard of it.
        desk.overlooked(&address);
    } else {
        let (read, read_to) = match which {
            NotificationSelection::These(_) => (marked.ids, None),
            NotificationSelection::UpTo(last) => (Vec::new(), Some(last.min(marked.head.number))),
        };
        let news = Notified { change, unread, notifications: Vec::new(), read, read_to };
        desk.notified(&address, news);
    }
    Ok(NotificationsRead { unread, change })
}

/// Stored notifications as their person sees them, people with the names that they have now.
async fn shown(
    desk: &dyn Desk,
    entries: Vec<NotificationEntry>,
) -> Result<Vec<Notification>, StoreError> {
    let users: BTreeSet<UserId> =
        entries.iter().flat_map(|entry| people_in(&entry.content)).cloned().collect();
    let found = if users.is_empty() {
        Vec::new()
    } else {
        people::participants(desk.store(), users).await?
    };
    let known: HashMap<UserId, ChatPerson> = found
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
