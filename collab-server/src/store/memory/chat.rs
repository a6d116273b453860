//! Chats, in memory.

use std::collections::HashMap;

use collab_protocol::UserId;

use super::Stored;
use crate::sabotage::{self, Bug};
use crate::store::chat::{
    ChatChange, ChatEntry, ChatExtract, ChatHead, ChatOutcome, ChatProgress, ChatRange,
    NewChatMessage,
};

/// A document's chat.
#[derive(Debug, Default)]
pub(super) struct Chat {
    /// By number, with the hash of what was first sent.
    messages: Vec<(ChatEntry, [u8; 32])>,
    last_change: u64,
    read: HashMap<UserId, u64>,
}

impl Chat {
    pub(super) fn head(&self) -> ChatHead {
        ChatHead { number: self.messages.len() as u64, change: self.last_change }
    }

    pub(super) fn extract(&self, range: ChatRange, limit: u32) -> ChatExtract {
        let limit = limit as usize;
        let entries = || self.messages.iter().map(|(entry, _)| entry);
        let mut found: Vec<ChatEntry> = match range {
            ChatRange::Latest => entries().rev().take(limit).cloned().collect(),
            ChatRange::Before(number) => {
                let before = entries().rev().filter(|entry| entry.message.number < number);
                before.take(limit).cloned().collect()
            }
            ChatRange::Since(change) => {
                entries().filter(|entry| entry.change > change).cloned().collect()
            }
        };
        match range {
            ChatRange::Since(_) => {
                found.sort_by_key(|entry| entry.change);
                found.truncate(limit);
            }
            _ => found.reverse(),
        }
        ChatExtract { head: self.head(), entries: found }
    }

    pub(super) fn progress(&self, person: &UserId) -> ChatProgress {
        let number = self.read.get(person).copied().unwrap_or(0);
        let behind = self.messages.iter().filter(|(entry, _)| {
            let message = &entry.message;
            message.number > number && message.user != *person && message.deleted_ms.is_none()
        });
        let unread = behind.take(ChatProgress::UNREAD_MAX as usize).count();
        ChatProgress { number, unread: u32::try_from(unread).unwrap_or(u32::MAX) }
    }

    /// How far these people have read, as far as they have.
    pub(super) fn marks(&self, people: &[UserId]) -> Vec<(UserId, u64)> {
        let mark = |person: &UserId| Some((person.clone(), *self.read.get(person)?));
        people.iter().filter_map(mark).collect()
    }

    pub(super) fn mark_read(&mut self, person: UserId, number: u64) {
        let number = number.min(self.head().number);
        let read = self.read.entry(person).or_insert(0);
        *read = number.max(*read);
    }
}

impl Stored {
    fn refusal(&self, rights_version: u64) -> Option<ChatOutcome> {
        match self.record.deleted_ms {
            Some(_) => Some(ChatOutcome::DocumentDeleted),
            None if self.record.rights_version != rights_version => Some(ChatOutcome::OtherRights),
            None => None,
        }
    }

    pub(super) fn send_chat(&mut self, new: NewChatMessage) -> ChatOutcome {
        let known = self.chat.messages.iter().find(|(entry, _)| entry.message.id == new.id);
        if let Some((entry, sent_hash)) = known
            && !sabotage::is_planted(Bug::ChatNoDedupe)
        {
            let sent_hash: &[u8] =
                if entry.message.deleted_ms.is_some() { &[] } else { sent_hash.as_slice() };
            return new.met(entry.clone(), sent_hash);
        }
        if let Some(refused) = self.refusal(new.rights_version) {
            return refused;
        }
        let hash = new.hash();
        let entry = new.entry(self.chat.head());
        self.chat.last_change = entry.change;
        self.chat.messages.push((entry.clone(), hash));
        ChatOutcome::Done(entry)
    }

    pub(super) fn change_chat(&mut self, change: &ChatChange) -> ChatOutcome {
        let index = self.chat.messages.iter().position(|(entry, _)| entry.message.id == change.id);
        let Some(index) = index else { return ChatOutcome::NoMessage };
        let next = self.chat.last_change + 1;
        let entry = match change.applied(self.chat.messages[index].0.clone(), next) {
            Ok(entry) => entry,
            Err(outcome) => return *outcome,
        };
        if let Some(refused) = self.refusal(change.rights_version) {
            return refused;
        }
        self.chat.last_change = entry.change;
        self.chat.messages[index].0 = entry.clone();
        ChatOutcome::Done(entry)
    }
}
