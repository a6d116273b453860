//! Joins: a document is found or loaded, and lets somebody in or does not.

use std::sync::Arc;

use collab_protocol::{ErrorMessage, ServerMessage, SessionNumber};
use ot_core::Revision;

use super::host::channel;
use super::server::{Host, Mail};
use super::wire::Side;
use super::world::{Asked, World, note};
use crate::document::{Admission, Core, JoinError, JoinFailure, JoinRequest, Participant, Since};
use crate::registry::opened;
use crate::sabotage::{self, Bug};
use crate::store::{Loaded, StoreError};

impl World<'_> {
    /// Finds the document for a join, or begins to load it.
    pub(super) fn open(&mut self, conn: usize) {
        let server = self.conns[conn].server;
        let document = self.tabs[self.conns[conn].tab].document;
        let here = &mut self.servers[server];
        if let Some(host) = here.slots.get(document).copied()
            && let Some(known) = here.hosts.get_mut(&host)
        {
            if known.core.is_some() {
                self.conns[conn].side = Side::Asking;
                self.mail(server, host, Mail::Join(conn));
            } else {
                known.waiting.push(conn);
                self.conns[conn].side = Side::Opening;
            }
            return;
        }
        here.last_host += 1;
        let host = here.last_host;
        let generation = here.slots.begin(document, host);
        let mut new = Host::new(document, generation);
        new.is_subscribed = !sabotage::is_planted(Bug::SubscribeAfterLoad);
        new.waiting.push(conn);
        here.hosts.insert(host, new);
        self.conns[conn].side = Side::Opening;
        note!(self, "server {server} loads {document}");
        self.call(server, host, document, Asked::Load);
    }

    pub(super) fn loaded(
        &mut self,
        server: usize,
        host_id: u64,
        loaded: Result<Loaded, StoreError>,
        at: Revision,
    ) {
        let host = self.servers[server].hosts.get_mut(&host_id).expect("it is being loaded");
        let document = host.document;
        let loaded = match loaded {
            Err(_) if sabotage::is_planted(Bug::LoadFaultIsEmpty) => {
                Ok(self.rows[&document].empty())
            }
            loaded => loaded,
        };
        let config = Arc::new(self.plan.config.clone());
        let sharing = self.plan.sharing(self.host_name(server, host_id));
        let core = opened(loaded)
            .and_then(|loaded| Core::new(loaded, config, sharing).map_err(Into::into));
        let host = self.servers[server].hosts.get_mut(&host_id).expect("it is being loaded");
        let waiting = std::mem::take(&mut host.waiting);
        match core {
            Ok(core) => {
                host.core = Some(Box::new(core));
                host.is_subscribed = true;
                host.since_ms = self.now;
                host.loaded_at = at;
                for conn in waiting {
                    if self.has_server(conn) {
                        self.conns[conn].side = Side::Asking;
                        self.mail(server, host_id, Mail::Join(conn));
                    }
                }
                self.turn_soon(server, host_id);
            }
            Err(error) => {
                let generation = host.generation;
                self.servers[server].hosts.remove(&host_id);
                self.servers[server].slots.retire(document, generation);
                for conn in waiting {
                    self.refuse_join(conn, &error);
                }
            }
        }
    }

    fn refuse_join(&mut self, conn: usize, error: &JoinError) {
        if !self.has_server(conn) {
            return;
        }
        self.conns[conn].side = Side::Idle;
        let document = self.tabs[self.conns[conn].tab].document;
        let (code, doc) = (error.code(), Some(document));
        let error = ErrorMessage { doc, ..ErrorMessage::new(code) };
        self.send_down(conn, ServerMessage::Error(error).to_json());
    }

    pub(super) fn request(&self, conn: usize) -> JoinRequest {
        let tab = &self.tabs[self.conns[conn].tab];
        let join = self.conns[conn].join.as_ref().expect("it asked");
        let since = join.since.zip(join.epoch);
        JoinRequest {
            participant: Participant { user: tab.user.clone(), name: String::new(), color: 0 },
            visitor: tab.user.clone().into(),
            rights_version: 0,
            client: tab.id,
            channel: channel(conn),
            since: since.map(|(since, epoch)| Since { revision: Revision::new(since), epoch }),
            wake: self.conns[conn].wake.clone(),
        }
    }

    pub(super) fn turn_away(&mut self, conn: usize, failure: JoinFailure) {
        match failure {
            JoinFailure::Refused(error) => self.refuse_join(conn, &error),
            // As the registry does: the document is opened again.
            JoinFailure::Gone => {
                if self.has_server(conn) {
                    self.conns[conn].side = Side::Idle;
                    self.open(conn);
                }
            }
        }
    }

    pub(super) fn refuse(
        &mut self,
        server: usize,
        host: u64,
        session: SessionNumber,
        failure: JoinFailure,
    ) {
        let known = self.servers[server].hosts.get_mut(&host).expect("it has just turned");
        if let Some(conn) = known.asking.remove(&session) {
            self.turn_away(conn, failure);
        }
    }

    pub(super) fn admit(&mut self, server: usize, host_id: u64, admission: Admission) {
        let host = self.servers[server].hosts.get_mut(&host_id).expect("it has just turned");
        let session = admission.session;
        let conn = host.asking.remove(&session).expect("each session asked once");
        if !self.has_server(conn) {
            let host = self.servers[server].hosts.get_mut(&host_id).expect("still there");
            host.left.push(session);
            return self.turn_soon(server, host_id);
        }
        let frame = admission.frame().into_string();
        let reader = Box::new(admission.reader);
        self.conns[conn].side = Side::Open { host: host_id, session, reader };
        self.send_down(conn, frame);
        self.pull_soon(conn);
    }
}
