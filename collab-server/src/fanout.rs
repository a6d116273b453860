//! What servers that share a database tell each other.
//!
//! The database holds the truth. A fan-out only makes it known sooner: what it carries may be lost,
//! late, doubled or out of order, and costs nothing but time then. Gaps are read from the log, and
//! the log is looked at now and then.

mod hub;
mod local;
mod redis;
mod subscription;
mod wire;

use std::fmt;
use std::sync::Arc;

use collab_protocol::{DocumentId, Notified, TenantId, TopicName, UserId};
use ot_core::Revision;

use crate::chat::ChatNews;
use crate::presence_news::PresenceNews;
use crate::registry::CensusNews;
use crate::rooms::EventNews;
use crate::store::LoggedOperation;

pub use local::LocalFanout;
pub(crate) use redis::RedisFanout;
pub use subscription::{Heard, Subscription};

/// One running server: another one after each start.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerId(u128);

impl ServerId {
    /// A server that has just started.
    #[must_use]
    pub fn random() -> Self {
        ServerId(uuid::Uuid::new_v4().as_u128())
    }

    /// The id with this value.
    #[must_use]
    pub const fn new(value: u128) -> Self {
        ServerId(value)
    }

    /// The id's value.
    #[must_use]
    pub const fn get(self) -> u128 {
        self.0
    }
}

impl fmt::Debug for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerId({:032x})", self.0)
    }
}

/// Whom news is for: servers subscribe to the addresses of whom they have here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// Who has a document loaded.
    Document(DocumentId),
    /// Who has a person's sessions.
    User(TenantId, UserId),
    /// Who has sessions of a tenant.
    Tenant(TenantId),
    /// Who has sessions that watch a topic of a tenant.
    Topic(TenantId, TopicName),
    /// Every server.
    Servers,
}

/// Something that one server tells the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Operations were committed.
    Batch(Batch),
    /// Who is in a document on that server.
    Presence(PresenceNews),
    /// Something happened in the chat of the document that is addressed.
    Chat(ChatNews),
    /// Something was told to a room.
    Event(EventNews),
    /// Something happened to the notifications of the person who is addressed.
    Notified(Notified),
    /// Something of whom is addressed is other than it was, which is to be looked at: a document's
    /// title, its rights, whether it is deleted; or a person's notifications, where nobody knows what
    /// was told. Heard as [`Heard::Gap`].
    Changed,
    /// How many have its documents open.
    Census(CensusNews),
}

/// Operations of one document that one server has committed, dense and in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The document.
    pub document: DocumentId,
    /// The operations, as the log holds them; at least one.
    pub operations: Vec<LoggedOperation>,
}

impl Batch {
    /// The last revision it tells of.
    #[must_use]
    pub fn head(&self) -> Revision {
        self.operations.last().map(|last| last.revision).unwrap_or_default()
    }
}

/// One server's way to the others; it carries news as well as it can.
pub trait Fanout: Send + Sync + 'static {
    /// The server whose way it is.
    fn server(&self) -> ServerId;

    /// Tells the others who have subscribed to the address; never this server. Never waits; what
    /// cannot be carried now is lost.
    fn publish(&self, to: Address, news: Arc<News>);

    /// From now on, what the others publish to an address. To be called before what the news is
    /// about is read: else what happens in between goes unheard.
    fn subscribe(&self, to: Address) -> Subscription;

    /// How it stands with the way to the others.
    fn way(&self) -> Way {
        Way::Sure
    }

    /// Says what waits, soon, and nothing after it.
    fn end(&self) {}
}

/// How it stands with the way to other servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Nothing can get lost on it.
    Sure,
    /// It works, for the so-manieth time: what was said between two times was not heard.
    Open {
        /// Counts from 1.
        times: u64,
    },
    /// There is none now.
    Lost,
}
