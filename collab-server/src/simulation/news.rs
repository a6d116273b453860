//! What servers tell each other.

use collab_protocol::DocumentId;

use super::violated;
use super::world::{What, World, note};
use crate::fanout::Batch;
use crate::presence_news::{HostId, PresenceNews};

impl World<'_> {
    pub(super) fn publish(&mut self, from: usize, batch: Batch) {
        let head = self.rows[&batch.document].head();
        if batch.operations.iter().any(|logged| logged.revision > head) {
            violated("durable before visible", "other servers are told too early".to_owned());
        }
        for server in 0..self.servers.len() {
            let hosts = self.servers[server].hosts.iter();
            let hosts: Vec<u64> = hosts
                .filter(|(_, host)| host.document == batch.document)
                .map(|(id, _)| *id)
                .collect();
            let incarnation = self.servers[server].incarnation;
            for host in hosts {
                if server != from {
                    self.expect_to_hear(server, host, &batch);
                }
                let is_subscribed = self.servers[server].hosts[&host].is_subscribed;
                let is_lost = !is_subscribed || self.draw.permille(self.plan.fanout_drop);
                let copies = if self.draw.permille(self.plan.fanout_double) { 2 } else { 1 };
                for _ in 0..copies {
                    if is_lost || server == from && copies == 1 {
                        continue;
                    }
                    let delay = self.up_to(2 * self.plan.latency_ms);
                    let batch = batch.clone();
                    self.schedule(delay, What::Hear { server, incarnation, host, batch });
                }
            }
        }
    }

    /// Where nothing of it is lost, a fan-out brings each commit to each document that is loaded or
    /// being loaded.
    fn expect_to_hear(&mut self, server: usize, host: u64, batch: &Batch) {
        let is_sure = self.plan.fanout_drop == 0 && self.plan.server_pause == 0;
        if is_sure && !self.is_healed {
            let deadline = self.now + 2 * self.plan.latency_ms + 100;
            let host = self.servers[server].hosts.get_mut(&host).expect("just seen");
            host.expects.push((deadline, batch.head()));
        }
    }

    pub(super) fn hear(&mut self, server: usize, incarnation: u64, host_id: u64, batch: Batch) {
        if self.servers[server].incarnation != incarnation {
            return;
        }
        let Some(host) = self.servers[server].hosts.get_mut(&host_id) else { return };
        let last = batch.head();
        let Some(core) = host.core.as_mut() else {
            // It waits in the subscription until the document is loaded.
            let what = What::Hear { server, incarnation, host: host_id, batch };
            return self.schedule(20, what);
        };
        core.heard(&batch.operations, last);
        host.told = host.told.max(last);
        note!(self, "server {server} hears of {last}");
        self.turn_soon(server, host_id);
    }

    /// The name of a document's life on a server among all that ever were.
    pub(super) fn host_name(&self, server: usize, host: u64) -> HostId {
        HostId::new((server as u64) << 56 | self.servers[server].incarnation << 32 | host)
    }

    /// Tells the other servers who is on this one, as far as nothing is lost.
    pub(super) fn tell(&mut self, from: usize, document: DocumentId, news: PresenceNews) {
        for server in (0..self.servers.len()).filter(|server| *server != from) {
            let incarnation = self.servers[server].incarnation;
            let hosts = self.servers[server].hosts.iter();
            let hosts: Vec<u64> =
                hosts.filter(|(_, host)| host.document == document).map(|(id, _)| *id).collect();
            for host in hosts {
                if self.draw.permille(self.plan.fanout_drop) {
                    continue;
                }
                let copies = if self.draw.permille(self.plan.fanout_double) { 2 } else { 1 };
                for _ in 0..copies {
                    let delay = self.up_to(2 * self.plan.latency_ms);
                    let news = news.clone();
                    self.schedule(delay, What::HearOfPeople { server, incarnation, host, news });
                }
            }
        }
    }

    pub(super) fn hear_of_people(
        &mut self,
        server: usize,
        incarnation: u64,
        host_id: u64,
        news: &PresenceNews,
    ) {
        if self.servers[server].incarnation != incarnation {
            return;
        }
        let Some(host) = self.servers[server].hosts.get_mut(&host_id) else { return };
        // What comes while it is being loaded gets lost: who comes in asks anyway.
        let Some(core) = host.core.as_mut() else { return };
        core.heard_presence(news);
        self.turn_soon(server, host_id);
    }
}
