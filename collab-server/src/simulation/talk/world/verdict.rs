//! Rest: all come to agree, and what was promised is true.

use std::collections::BTreeMap;

use collab_protocol::{MessageId, TenantId, UserId};

use super::{ALL, DOCUMENT, LIVENESS_MS, What, World, now, user};
use crate::simulation::violated;
use crate::store::{
    ChatRange, NotificationContent, NotificationEntry, NotificationHead, NotificationRange,
    Recipient, Store,
};

impl World<'_> {
    /// Nothing breaks any more; some servers stay dead. All must come to agree, and what was
    /// promised must be true.
    pub(in crate::simulation::talk) fn heal(&mut self) {
        self.is_healed = true;
        self.plan.heal();
        let kept = 1 + self.draw.below(self.servers.len());
        for server in 0..self.servers.len() {
            if server >= kept && self.servers[server].is_alive {
                self.crash(server);
            }
            self.servers[server].is_alive = server < kept;
        }
        // Whoever stays dead is asked no more.
        self.servers.truncate(kept);
        self.note(format_args!("healed: {kept} servers"));
        self.queue.retain(|what| match what {
            What::Restart(_) | What::WayBack(..) => false,
            What::Tend { server, .. } | What::Hear { server, .. } => *server < kept,
            _ => true,
        });
        for request in self.requests.values_mut() {
            request.server = request.server.min(kept - 1);
        }
        for conn in 0..self.conns.len() {
            if self.conns[conn].server >= kept {
                (self.conns[conn].server, self.conns[conn].is_gone) = (0, true);
            }
        }
        // Also what the dead have said is known to be lost.
        for from in 0..self.ways.len() {
            for to in 0..kept {
                self.way_back(from, to);
            }
        }
        // What a server has stored and died before it told is seen with the next connection.
        for device in 0..self.devices.len() {
            if let Some(conn) = self.devices[device].conn.filter(|_| self.has_crashed) {
                self.device_loses(conn);
            }
        }
        let deadline = self.now + LIVENESS_MS;
        let mut look_at = self.now;
        while self.next_at() <= deadline {
            if self.now >= look_at {
                if self.unrest().is_none() {
                    break;
                }
                look_at = self.now + 500;
            }
            self.step();
        }
        if let Some(unrest) = self.unrest() {
            violated("it comes to rest", unrest);
        }
        self.check_mentions();
    }

    /// A person's notifications as they are stored.
    pub(super) fn told_to(&self, user: &UserId) -> (NotificationHead, Vec<NotificationEntry>) {
        let to = Recipient { tenant: TenantId::default(), person: user.clone() };
        let found = now(self.memory.notifications(to, NotificationRange::Latest, ALL));
        (found.head, found.entries)
    }

    /// What somebody does not know yet, or says wrongly; `None` when all agree.
    pub(super) fn unrest(&self) -> Option<String> {
        let head = now(self.memory.chat(DOCUMENT, ChatRange::Latest, ALL)).head;
        for (number, own) in self.devices.iter().enumerate() {
            let progress = now(self.memory.chat_progress(DOCUMENT, own.user.clone()));
            let unread = self.journal.unread(&own.user, progress.number);
            let (told, entries) = self.told_to(&own.user);
            let not_read = entries.iter().filter(|entry| entry.read_ms.is_none()).count() as u32;
            let shown = own.items.values().filter(|told| !told.read).count() as u32;
            let is_all_shown = own.items.len() == entries.len();
            let wrong = match () {
                () if own.channel.is_none() => "is not open",
                () if !own.outbox.is_empty() => "has something to say",
                () if own.change != Some(head.change) => "has not all of the chat",
                () if own.last != head.number => "has another last message",
                () if own.read != progress.number => "has read otherwise",
                () if own.unread().is_some_and(|own| own != unread) => {
                    "counts what is unread wrongly"
                }
                () if progress.unread != unread => "is told a wrong count",
                () if own.told != Some(told.change) => "has not all notifications",
                () if own.told_unread != told.unread || told.unread != not_read => {
                    "counts unread notifications wrongly"
                }
                () if is_all_shown && shown != not_read => "shows others as unread",
                () if !own.reading.is_empty() || own.read_to > 0 => "has not told what is read",
                () => continue,
            };
            return Some(format!(
                "device {number} {wrong}: {own:?}; {head:?}, {progress:?}, {told:?}"
            ));
        }
        None
    }

    /// Each mention is told once, and nothing else is.
    pub(super) fn check_mentions(&self) {
        for person in 0..self.plan.people {
            let person = user(person);
            let mut told: BTreeMap<MessageId, u32> = BTreeMap::new();
            for entry in self.told_to(&person).1 {
                let NotificationContent::Mentioned { message, .. } = entry.content else {
                    continue;
                };
                *told.entry(message).or_default() += 1;
                if !self.journal.has_named(message, &person) {
                    violated("who is told was named", format!("{person} by {message}"));
                }
            }
            if let Some((message, times)) = told.iter().find(|(_, times)| **times > 1) {
                violated("a mention is told once", format!("{person} {times} times of {message}"));
            }
            for message in self.journal.messages().into_values() {
                let is_named = message.mentions.iter().any(|mention| mention.user == person);
                if is_named && message.user != person && !told.contains_key(&message.id) {
                    violated("a mention is told", format!("{person} not of {message:?}"));
                }
            }
        }
        for (number, device) in self.devices.iter().enumerate() {
            let mut new = device.new.clone();
            new.sort_unstable();
            if let Some(twice) = new.windows(2).find(|pair| pair[0] == pair[1]) {
                violated("what is new is new once", format!("device {number}: {twice:?}"));
            }
        }
    }
}
