//! What people do on their devices.

use collab_protocol::{ChatMention, ClientMessage, MessageId};

use super::{PATIENCE_MS, What, World, user};
use crate::simulation::talk::device::Kind;

impl World<'_> {
    pub(super) fn act(&mut self, device: usize) {
        if self.is_healed || self.devices[device].actions == 0 {
            return;
        }
        self.devices[device].actions -= 1;
        match self.draw.below(12) {
            0..=4 => {
                self.messages_made += 1;
                let said = self.words();
                let id = MessageId::new(self.messages_made);
                self.devices[device].wish(Kind::Send, id, said);
            }
            5 => self.change_one(device, Kind::Edit),
            6 => self.change_one(device, Kind::Delete),
            7 | 8 => {
                let read = self.devices[device].mark_read();
                self.say(device, read);
            }
            9 | 10 => {
                let at = self.draw.below(8);
                self.devices[device].read_one(at);
                self.tell_what_is_read(device);
            }
            _ => {
                self.devices[device].read_all();
                self.tell_what_is_read(device);
            }
        }
        self.pump(device);
        let pause = self.up_to(self.plan.think_ms);
        self.schedule(pause, What::Act(device));
    }

    /// Something to say, to somebody perhaps.
    pub(super) fn words(&mut self) -> (String, Vec<ChatMention>) {
        let number = self.draw.below(1_000);
        if !self.draw.one_in(2) {
            return (format!("hello {number}"), Vec::new());
        }
        let user = user(self.draw.below(self.plan.people));
        let text = format!("@{user} {number}");
        let end = u32::try_from(user.as_str().len() + 1).expect("ids are short");
        (text, vec![ChatMention { start: 0, end, user }])
    }

    /// A message of one's own, or as the owner anybody's, is changed.
    pub(super) fn change_one(&mut self, device: usize, kind: Kind) {
        let own = &self.devices[device];
        let is_owner = own.user == user(0) && kind == Kind::Delete;
        let mine = own.held.iter().filter(|m| m.user == own.user || is_owner).map(|m| m.id);
        let mine: Vec<MessageId> = mine.collect();
        if mine.is_empty() {
            return;
        }
        let id = self.draw.pick(&mine);
        let said = match kind {
            Kind::Delete => (String::new(), Vec::new()),
            _ => self.words(),
        };
        self.devices[device].wish(kind, id, said);
    }

    pub(super) fn pump(&mut self, device: usize) {
        let next = self.devices[device].pump();
        self.say(device, next);
    }

    pub(super) fn say(&mut self, device: usize, message: Option<ClientMessage>) {
        let (Some(conn), Some(message)) = (self.devices[device].conn, message) else { return };
        self.send_up(conn, message.to_json());
        let stamp = self.devices[device].stamp;
        self.schedule(PATIENCE_MS, What::Patience { device, stamp });
    }
}
