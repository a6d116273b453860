//! What was stored of the chat, change by change: what everything that anybody sees is held against.

use std::collections::BTreeMap;

use collab_protocol::{ChatMessage, MessageId, ServerMessage, UserId};

use crate::simulation::violated;
use crate::store::ChatEntry;

/// See the module.
///
/// Invariant: the entry of change `n` is at `n - 1`.
#[derive(Debug, Default)]
pub(super) struct Journal(Vec<ChatEntry>);

impl Journal {
    pub(super) fn last_change(&self) -> u64 {
        self.0.len() as u64
    }

    /// Something was stored.
    pub(super) fn note(&mut self, entry: ChatEntry) {
        if entry.change != self.last_change() + 1 {
            violated("changes have no gap", format!("{entry:?} behind {}", self.0.len()));
        }
        let id = entry.message.id;
        let known = self.0.iter().find(|known| known.message.id == id);
        if known.is_some_and(|known| known.message.number != entry.message.number) {
            violated("a message is there once", format!("{entry:?} and {known:?}"));
        }
        let last = self.0.iter().map(|known| known.message.number).max().unwrap_or(0);
        if known.is_none() && entry.message.number != last + 1 {
            violated("numbers have no gap", format!("{entry:?} behind {last}"));
        }
        self.0.push(entry);
    }

    /// The messages as they are now, by number.
    pub(super) fn messages(&self) -> BTreeMap<u64, &ChatMessage> {
        self.0.iter().map(|entry| (entry.message.number, &entry.message)).collect()
    }

    /// Everybody whom a message has ever named.
    pub(super) fn has_named(&self, id: MessageId, user: &UserId) -> bool {
        let versions = self.0.iter().filter(|entry| entry.message.id == id);
        versions.flat_map(|entry| &entry.message.mentions).any(|mention| mention.user == *user)
    }

    /// Who has not read further than `number` has so many unread.
    pub(super) fn unread(&self, user: &UserId, number: u64) -> u32 {
        let unread = self.messages().into_values().filter(|message| {
            message.number > number && message.user != *user && message.deleted_ms.is_none()
        });
        unread.count() as u32
    }

    /// A frame leaves a server: what it says is durable.
    pub(super) fn check_frame(&self, frame: &ServerMessage) {
        match frame {
            ServerMessage::ChatAck(ack) => {
                let stored = self.0.iter().rev().find(|entry| entry.message.id == ack.id);
                let is_true = stored.is_some_and(|entry| {
                    entry.message.number == ack.number && ack.change <= entry.change
                });
                if !is_true {
                    let message = format!("{ack:?}, stored is {stored:?}");
                    violated("an ack is of what is durable", message);
                }
            }
            ServerMessage::Chat(news) => self.check_shown(&news.messages),
            ServerMessage::ChatOpened(opened) => self.check_shown(&opened.messages),
            _ => {}
        }
    }

    fn check_shown(&self, messages: &[ChatMessage]) {
        for message in messages {
            if !self.0.iter().any(|entry| entry.message == *message) {
                violated("what is shown is stored", format!("{message:?} is not"));
            }
        }
    }

    /// Who says that they hold everything up to a change does, from message `first` on: each as it
    /// is since then, but for those that change later, which may be told then.
    pub(super) fn check_held(&self, who: usize, first: u64, held: &[ChatMessage], change: u64) {
        if !held.is_sorted_by(|a, b| a.number < b.number) {
            let order: Vec<u64> = held.iter().map(|message| message.number).collect();
            violated("all see one order", format!("device {who} has {order:?}"));
        }
        let mut last: BTreeMap<u64, &ChatEntry> = BTreeMap::new();
        for entry in &self.0 {
            last.insert(entry.message.number, entry);
        }
        let due =
            last.into_iter().filter(|(number, last)| *number >= first && last.change <= change);
        for (number, last) in due {
            let own = held.iter().find(|message| message.number == number);
            if own != Some(&last.message) {
                let message =
                    format!("device {who} says so of {change}, and has {own:?}: {last:?}");
                violated("who holds all up to a change holds it", message);
            }
        }
    }
}
