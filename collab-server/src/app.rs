//! What every request and every session shares.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use collab_protocol::{DocumentId, Role, TenantId, UserId};
use tokio::sync::Semaphore;

use crate::address::Addresses;
use crate::auth::{Auth, Identity, OriginPolicy};
use crate::clock::Clock;
use crate::config::Config;
use crate::history::Histories;
use crate::metrics::Metrics;
use crate::people::People;
use crate::rate::SubmissionRates;
use crate::registry::Registry;
use crate::session::Pipes;
use crate::shutdown::Shutdown;
use crate::store::{DocumentRecord, Store, StoreError};
use crate::tls::Tls;
use crate::usage::Usage;
use crate::web::WebApp;

/// See the module.
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) histories: Histories,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) auth: Auth,
    pub(crate) origins: OriginPolicy,
    pub(crate) people: People,
    pub(crate) rates: SubmissionRates,
    /// What is done over REST.
    pub(crate) usage: Usage,
    /// Where requests come from.
    pub(crate) addresses: Arc<Addresses>,
    pub(crate) user_connections: Arc<UserConnections>,
    /// Sessions over HTTP.
    pub(crate) pipes: Pipes,
    /// Places for clients' connections, WebSockets and sessions over HTTP.
    pub(crate) sockets: Arc<Semaphore>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) web: WebApp,
    /// What makes connections secure, where the server itself does.
    pub(crate) tls: Option<Tls>,
    pub(crate) shutdown: Shutdown,
}

impl App {
    /// How long somebody may take to say who they are.
    pub(crate) fn handshake_time(&self) -> Duration {
        Duration::from_millis(self.config.auth_deadline_ms.into())
    }

    /// A document, and what this person may do with it: who created it owns it, and who knows its
    /// unguessable id edits it.
    pub(crate) async fn document(
        &self,
        document: DocumentId,
        identity: &Identity,
    ) -> Result<(DocumentRecord, Role), StoreError> {
        let record = self.store.document(document).await?;
        let role = role_of(&record, identity);
        Ok((record, role))
    }
}

/// What a person may do with a document whose id they know.
pub(crate) fn role_of(record: &DocumentRecord, identity: &Identity) -> Role {
    if record.owner == identity.user { Role::Owner } else { Role::Editor }
}

/// Counts each person's connections.
#[derive(Debug)]
pub(crate) struct UserConnections {
    open: Mutex<HashMap<(TenantId, UserId), u32>>,
    each_max: u32,
}

impl UserConnections {
    pub(crate) fn new(each_max: u32) -> Arc<Self> {
        Arc::new(UserConnections { open: Mutex::default(), each_max })
    }

    /// A place for one more connection of this person, given back when dropped; `None` when they
    /// have as many as one may.
    pub(crate) fn enter(self: &Arc<Self>, identity: &Identity) -> Option<UserConnection> {
        let person = (identity.tenant.clone(), identity.user.clone());
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(person.clone()).or_insert(0);
        if *count >= self.each_max {
            return None;
        }
        *count += 1;
        Some(UserConnection { all: Arc::clone(self), person })
    }
}

/// One connection's place among its person's.
#[derive(Debug)]
pub(crate) struct UserConnection {
    all: Arc<UserConnections>,
    person: (TenantId, UserId),
}

impl Drop for UserConnection {
    fn drop(&mut self) {
        let mut open = self.all.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.person) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.person);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_person_has_so_many_connections_and_gets_them_back() {
        let connections = UserConnections::new(2);
        let user = |id: &str| Identity::guest(id.parse().expect("a user id"));
        let first = connections.enter(&user("g_1")).expect("a place");
        let _second = connections.enter(&user("g_1")).expect("a place");
        assert!(connections.enter(&user("g_1")).is_none());
        assert!(connections.enter(&user("g_2")).is_some());
        drop(first);
        assert!(connections.enter(&user("g_1")).is_some());
        assert_eq!(connections.open.lock().expect("unpoisoned").len(), 1);
    }
}
