//! What every request and every session shares.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use collab_protocol::{DocumentId, ErrorCode, FiguresOf, Role, TenantId, UserId};
use tokio::sync::Semaphore;

use crate::address::Addresses;
use crate::auth::{Auth, Identity, Kind, OriginPolicy};
use crate::chat::Chats;
use crate::clock::Clock;
use crate::config::Config;
use crate::dashboard::Dashboard;
use crate::error::ApiError;
use crate::fanout::Fanout;
use crate::history::Histories;
use crate::metrics::Metrics;
use crate::notifications::Digests;
use crate::people::People;
use crate::rate::{Rates, SubmissionRates};
use crate::registry::Registry;
use crate::rights::{Action, Visitor, allows, may_see_server};
use crate::rooms::Rooms;
use crate::session::Pipes;
use crate::shutdown::Shutdown;
use crate::store::{DocumentRecord, Store};
use crate::tls::Tls;
use crate::uploads::Uploads;
use crate::usage::Usage;
use crate::web::WebApp;

/// See the module.
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) registry: Arc<Registry>,
    /// The way to other servers.
    pub(crate) fanout: Arc<dyn Fanout>,
    pub(crate) histories: Histories,
    /// What happens to documents whose owners are away.
    pub(crate) digests: Arc<Digests>,
    /// The chats beside documents.
    pub(crate) chats: Chats,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) auth: Auth,
    pub(crate) origins: OriginPolicy,
    pub(crate) people: People,
    pub(crate) rates: SubmissionRates,
    /// How often one person may tell topics something.
    pub(crate) tells: Rates<(TenantId, UserId)>,
    pub(crate) rooms: Arc<Rooms>,
    /// What is done over REST.
    pub(crate) usage: Usage,
    /// What is sent over REST in large bodies.
    pub(crate) uploads: Uploads,
    /// Where requests come from.
    pub(crate) addresses: Arc<Addresses>,
    pub(crate) user_connections: Arc<UserConnections>,
    /// Sessions over HTTP.
    pub(crate) pipes: Pipes,
    /// Places for clients' connections, WebSockets and sessions over HTTP.
    pub(crate) sockets: Arc<Semaphore>,
    pub(crate) metrics: Arc<Metrics>,
    /// How much goes on, second by second.
    pub(crate) dashboard: Arc<Dashboard>,
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

    /// Of what somebody is told figures who asks for these; `None` where they may not.
    pub(crate) fn figures_of(
        &self,
        asked: Option<FiguresOf>,
        identity: &Identity,
    ) -> Option<FiguresOf> {
        let is_private = self.config.is_private();
        let sees_server = may_see_server(self.config.operators, identity.is_operator, is_private);
        match (asked, sees_server) {
            (None | Some(FiguresOf::Server), true) => Some(FiguresOf::Server),
            (Some(FiguresOf::Server), false) => None,
            (None, false) | (Some(FiguresOf::Own), _) => Some(FiguresOf::Own),
        }
    }

    /// A document, and what this person may do with it over REST.
    ///
    /// # Errors
    /// Of a document that this person must not know of the same as of one that is not there.
    pub(crate) async fn access(
        &self,
        document: DocumentId,
        identity: &Identity,
    ) -> Result<(DocumentRecord, Role), ApiError> {
        access(&*self.store, document, identity).await
    }

    /// The same, where this person may do this. Of a deleted document only its owner learns more
    /// than that.
    ///
    /// # Errors
    /// As above; [`ErrorCode::Forbidden`], [`ErrorCode::DocumentDeleted`].
    pub(crate) async fn permit(
        &self,
        document: DocumentId,
        identity: &Identity,
        action: Action,
    ) -> Result<(DocumentRecord, Role), ApiError> {
        permit(&*self.store, document, identity, action).await
    }
}

async fn access(
    store: &dyn Store,
    document: DocumentId,
    identity: &Identity,
) -> Result<(DocumentRecord, Role), ApiError> {
    let visitor = Visitor::from(identity);
    let (record, given) = store.access(document, visitor.user.clone()).await?;
    let role = record.role_of(&visitor, given);
    let role = role.ok_or(ApiError::new(ErrorCode::NotFound))?;
    Ok((record, role))
}

/// As [`App::permit`].
pub(crate) async fn permit(
    store: &dyn Store,
    document: DocumentId,
    identity: &Identity,
    action: Action,
) -> Result<(DocumentRecord, Role), ApiError> {
    let (record, role) = access(store, document, identity).await?;
    if !allows(role, action) {
        return Err(ApiError::new(ErrorCode::Forbidden));
    }
    if record.deleted_ms.is_some() && role != Role::Owner {
        return Err(ApiError::new(ErrorCode::DocumentDeleted));
    }
    Ok((record, role))
}

impl From<&Identity> for Visitor {
    fn from(identity: &Identity) -> Self {
        Visitor {
            user: identity.user.clone(),
            tenant: identity.tenant.clone(),
            is_service: identity.kind == Kind::Service,
        }
    }
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
