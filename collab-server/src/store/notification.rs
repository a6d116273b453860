//! What a store keeps of people's notifications.
//!
//! Each person within a tenant has a box with two counts: *numbers*, the order in which
//! notifications are shown, and *changes*, which grow with each that is made, told anew or read.
//! Both are without gaps, whoever writes from whichever server. What a notification is about has a
//! key: under one key there is one notification.

use collab_protocol::{DocumentId, EventName, MessageId, NotificationId, Role, TenantId, UserId};
use serde::{Deserialize, Serialize};

/// Whose notifications: a person within a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Recipient {
    /// The tenant.
    pub tenant: TenantId,
    /// The person.
    pub person: UserId,
}

/// What a notification says, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NotificationContent {
    /// Somebody named the person in a chat.
    Mentioned {
        /// The document whose chat it is.
        doc: DocumentId,
        /// Its title then.
        title: String,
        /// Who wrote the message.
        by: UserId,
        /// The message.
        message: MessageId,
    },
    /// A document was shared with the person by name.
    Shared {
        /// The document.
        doc: DocumentId,
        /// Its title then.
        title: String,
        /// Who shared it; `None` for a back end.
        by: Option<UserId>,
        /// What the person may do since.
        role: Role,
    },
    /// Others edited a document of the person's while they were away.
    Edited {
        /// The document.
        doc: DocumentId,
        /// Its title then.
        title: String,
        /// Who did, in the order in which they began, at most
        /// [`NotificationContent::EDITORS_MAX`].
        by: Vec<UserId>,
        /// How many operations they committed.
        edits: u64,
        /// The last revision among those.
        rev: u64,
    },
    /// The application has something to tell.
    App {
        /// What kind of event it is.
        name: EventName,
        /// What is shown.
        title: String,
        /// More of it.
        body: Option<String>,
        /// Where it leads.
        url: Option<String>,
        /// Anything.
        data: Option<serde_json::Value>,
    },
}

impl NotificationContent {
    /// People that one notification of edits remembers.
    pub const EDITORS_MAX: usize = 50;

    /// What is told in place of `old` under one key. Edits of which the person has not read yet are
    /// told together with the new ones.
    fn in_place_of(self, old: &NotificationContent, is_read: bool) -> NotificationContent {
        let NotificationContent::Edited { doc, title, by, edits, rev } = self else { return self };
        let (mut people, before, last) = match old {
            NotificationContent::Edited { by, edits, rev, .. } if !is_read => {
                (by.clone(), *edits, *rev)
            }
            _ => (Vec::new(), 0, 0),
        };
        for person in by {
            if people.len() < Self::EDITORS_MAX && !people.contains(&person) {
                people.push(person);
            }
        }
        let (edits, rev) = (edits.saturating_add(before), rev.max(last));
        NotificationContent::Edited { doc, title, by: people, edits, rev }
    }

    /// As it is stored.
    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).expect("texts, ids and numbers are JSON")
    }
}

/// What becomes of a notification whose key is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeated {
    /// Nothing: it was told.
    Stays,
    /// The one that is there tells this, is unread, and is the latest.
    ToldAnew,
}

/// A notification to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotificationRecord {
    /// Whose it is.
    pub to: Recipient,
    /// The id that it gets if it is new.
    pub id: NotificationId,
    /// What it is about, among all notifications of the person.
    pub key: String,
    /// When it is told.
    pub time_ms: i64,
    /// What it says.
    pub content: NotificationContent,
    /// What to do where its key is there.
    pub repeated: Repeated,
    /// How many the person keeps, at least 1: of more the oldest that are read go, then the oldest.
    pub keep_max: u32,
}

/// A notification that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotificationEntry {
    /// Its id.
    pub id: NotificationId,
    /// Its place; the highest is the latest.
    pub number: u64,
    /// Its last change.
    pub change: u64,
    /// When it was told.
    pub time_ms: i64,
    /// When it was read.
    pub read_ms: Option<i64>,
    /// What it says.
    pub content: NotificationContent,
}

/// How a person's notifications stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotificationHead {
    /// The last number; 0 for none.
    pub number: u64,
    /// The last change; 0 for none.
    pub change: u64,
    /// How many are unread.
    pub unread: u32,
}

/// What came of storing a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotificationOutcome {
    /// It is durable now, and this is how all stand.
    Done(NotificationEntry, NotificationHead),
    /// Its key was there, and nothing is changed.
    Before(NotificationEntry),
}

/// Which notifications are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotificationRange {
    /// The latest, latest first.
    Latest,
    /// The latest with lower numbers than this, latest first.
    Before(u64),
    /// Those that changed behind this change, latest first.
    Since(u64),
}

/// Notifications of a person at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotificationExtract {
    /// How all stand.
    pub head: NotificationHead,
    /// Those that were asked for.
    pub entries: Vec<NotificationEntry>,
}

/// Which notifications a person has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotificationSelection {
    /// These.
    These(Vec<NotificationId>),
    /// All up to this number.
    UpTo(u64),
}

impl NotificationSelection {
    /// Whether it has this one.
    pub(super) fn has(&self, id: NotificationId, number: u64) -> bool {
        match self {
            NotificationSelection::These(ids) => ids.contains(&id),
            NotificationSelection::UpTo(last) => number <= *last,
        }
    }
}

/// What reading came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotificationsMarked {
    /// How all stand.
    pub head: NotificationHead,
    /// Those that were unread before; where there are none, nothing has changed.
    pub ids: Vec<NotificationId>,
}

impl NotificationRecord {
    /// The entry that it becomes behind `head`, in place of the one with its key, if that is there.
    pub(super) fn entry(
        &self,
        head: NotificationHead,
        old: Option<&NotificationEntry>,
    ) -> NotificationEntry {
        let content = self.content.clone();
        NotificationEntry {
            id: old.map_or(self.id, |old| old.id),
            number: head.number + 1,
            change: head.change + 1,
            time_ms: self.time_ms,
            read_ms: None,
            content: match old {
                Some(old) => content.in_place_of(&old.content, old.read_ms.is_some()),
                None => content,
            },
        }
    }
}
