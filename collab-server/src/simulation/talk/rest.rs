//! What devices ask over REST: their notifications, and to note which are read.

use std::sync::Arc;

use collab_protocol::{NotificationPage, NotificationsRead, TenantId};

use super::world::{Out, What, World};
use crate::notifications;
use crate::store::{NotificationSelection, Recipient};

/// How long a device waits for an answer.
const PATIENCE_MS: u64 = 5_000;

/// What is asked.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    Page { since: Option<u64> },
    Read(NotificationSelection),
}

/// A request on its way.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) device: usize,
    /// The page that asks: after a reload nobody does.
    pub(super) stamp: u64,
    pub(super) server: usize,
    pub(super) asked: Asked,
}

/// What the server answers.
#[derive(Debug)]
pub(super) enum Answer {
    Page(NotificationPage),
    Read(NotificationsRead),
    Failed,
}

/// What a device comes to know.
#[derive(Debug)]
pub(super) enum Told {
    Answer(Answer),
    /// Nothing: it waits until its patience ends.
    Lost,
}

impl World<'_> {
    /// A device reads what it lacks.
    pub(super) fn sync(&mut self, device: usize) {
        let own = &mut self.devices[device];
        if own.channel.is_none() || std::mem::replace(&mut own.is_syncing, true) {
            return;
        }
        let asked = Asked::Page { since: own.told };
        self.request(device, asked);
    }

    /// A device tells what was read on it.
    pub(super) fn tell_what_is_read(&mut self, device: usize) {
        let own = &mut self.devices[device];
        let is_any = own.read_to > 0 || !own.reading.is_empty();
        if own.channel.is_none() || own.is_telling || !is_any {
            return;
        }
        own.is_telling = true;
        let which = match own.read_to {
            0 => NotificationSelection::These(own.reading.iter().copied().take(2).collect()),
            to => NotificationSelection::UpTo(to),
        };
        self.request(device, Asked::Read(which));
    }

    fn request(&mut self, device: usize, asked: Asked) {
        let server = self.draw.below(self.servers.len());
        self.last_request += 1;
        let request = Request { device, stamp: self.pages[device], server, asked };
        self.requests.insert(self.last_request, request);
        let delay = self.up_to(self.plan.latency_ms);
        self.schedule(delay, What::Asked(self.last_request));
    }

    pub(super) fn arrive_request(&mut self, number: u64) {
        let Some(request) = self.requests.get(&number) else { return };
        let Request { device, server, asked, .. } = request.clone();
        if !self.servers[server].is_alive || self.draw.permille(self.plan.request_lost) {
            return self.schedule(1, What::Told { request: number, told: Told::Lost });
        }
        let desk = Arc::clone(&self.servers[server].desk);
        let person = self.devices[device].user.clone();
        let to = Recipient { tenant: TenantId::default(), person };
        self.begin(server, async move {
            let answer = match asked {
                Asked::Page { since } => {
                    let page = notifications::page(&*desk, to, None, since).await;
                    page.map_or(Answer::Failed, Answer::Page)
                }
                Asked::Read(which) => {
                    let read = notifications::read(&*desk, to, which).await;
                    read.map_or(Answer::Failed, Answer::Read)
                }
            };
            Out::Told(number, answer)
        });
    }

    /// An answer arrives, or it is known that none will.
    pub(super) fn told(&mut self, number: u64, told: Told) {
        let Some(request) = self.requests.get(&number) else { return };
        let Request { device, stamp, asked, .. } = request.clone();
        let answer = match told {
            Told::Answer(answer) => answer,
            Told::Lost => {
                self.faults += 1;
                let told = Told::Answer(Answer::Failed);
                return self.schedule(PATIENCE_MS, What::Told { request: number, told });
            }
        };
        self.requests.remove(&number);
        if self.pages[device] != stamp {
            return;
        }
        let own = &mut self.devices[device];
        match (asked, answer) {
            (Asked::Page { .. }, Answer::Page(page)) => {
                own.is_syncing = false;
                own.page(page);
                if own.heard > own.told.unwrap_or(0) {
                    self.sync(device);
                }
            }
            (Asked::Read(which), Answer::Read(read)) => {
                own.is_telling = false;
                own.heard = own.heard.max(read.change);
                match which {
                    NotificationSelection::These(ids) => {
                        own.reading.retain(|id| !ids.contains(id));
                    }
                    NotificationSelection::UpTo(to) if own.read_to == to => own.read_to = 0,
                    NotificationSelection::UpTo(_) => {}
                }
                if own.heard > own.told.unwrap_or(0) {
                    self.sync(device);
                }
                self.tell_what_is_read(device);
            }
            (Asked::Page { .. }, _) => {
                own.is_syncing = false;
                self.schedule(700, What::Sync(device));
            }
            (Asked::Read(_), _) => {
                own.is_telling = false;
                self.schedule(700, What::Sync(device));
            }
        }
    }
}
