//! One device: what `ChatSession` and `NotificationsSession` of the npm package do, as a model.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use collab_protocol::{
    ChannelId, ChatDelete, ChatEdit, ChatMention, ChatMessage, ChatOpen, ChatOpened, ChatRead,
    ChatSend, ClientMessage, DocumentId, MessageId, Notification, NotificationId, NotificationPage,
    Notified, UserId,
};

use crate::sabotage::{self, Bug};

/// What is asked of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Send,
    Edit,
    Delete,
}

/// Something that the person has said or done, until the server has acknowledged it.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) number: u64,
    pub(super) kind: Kind,
    pub(super) id: MessageId,
    pub(super) text: String,
    pub(super) mentions: Vec<ChatMention>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) user: UserId,
    pub(super) conn: Option<usize>,
    /// Counts connections and what is sent, so that an old deadline is known.
    pub(super) stamp: u64,
    pub(super) failures: u32,
    pub(super) actions: usize,

    pub(super) channel: Option<ChannelId>,
    pub(super) change: Option<u64>,
    /// By number. A message that was changed may come behind later ones.
    pub(super) held: Vec<ChatMessage>,
    /// Where they begin; behind the last one where there are none.
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) read: u64,
    read_wanted: u64,
    pub(super) outbox: VecDeque<Wish>,
    pub(super) in_flight: Option<u64>,
    wishes: u64,

    pub(super) items: BTreeMap<NotificationId, Notification>,
    pub(super) told: Option<u64>,
    pub(super) heard: u64,
    pub(super) told_unread: u32,
    /// What was shown as new, in order.
    pub(super) new: Vec<NotificationId>,
    /// Read here and not told to the server yet: survives a reload.
    pub(super) reading: BTreeSet<NotificationId>,
    pub(super) read_to: u64,
    pub(super) is_syncing: bool,
    pub(super) is_telling: bool,
}

impl Device {
    pub(super) fn new(user: UserId, actions: usize) -> Device {
        Device {
            user,
            conn: None,
            stamp: 0,
            failures: 0,
            actions,
            channel: None,
            change: None,
            held: Vec::new(),
            first: 1,
            last: 0,
            read: 0,
            read_wanted: 0,
            outbox: VecDeque::new(),
            in_flight: None,
            wishes: 0,
            items: BTreeMap::new(),
            told: None,
            heard: 0,
            told_unread: 0,
            new: Vec::new(),
            reading: BTreeSet::new(),
            read_to: 0,
            is_syncing: false,
            is_telling: false,
        }
    }

    /// The page is loaded anew: what the device keeps stays.
    pub(super) fn reload(&mut self) {
        let fresh = Device::new(self.user.clone(), self.actions);
        let old = std::mem::replace(self, fresh);
        (self.stamp, self.failures, self.wishes) = (old.stamp + 1, old.failures, old.wishes);
        (self.outbox, self.reading, self.read_to) = (old.outbox, old.reading, old.read_to);
    }

    /// The connection is lost.
    pub(super) fn closed(&mut self) {
        (self.conn, self.channel, self.in_flight) = (None, None, None);
        self.stamp += 1;
    }

    // --- the chat ---

    pub(super) fn open(&self, doc: DocumentId) -> ClientMessage {
        ClientMessage::ChatOpen(ChatOpen { doc, since: self.change })
    }

    /// The chat is open; what is to be said at once.
    pub(super) fn opened(&mut self, opened: ChatOpened) -> Option<ClientMessage> {
        self.channel = Some(opened.ch);
        self.failures = 0;
        let (read, arrived) = (opened.read, opened.messages.clone());
        match opened.since {
            Some(_) => self.update(opened.messages, opened.change),
            None => {
                (self.held, self.last) = (opened.messages, opened.last);
                self.first = self.held.first().map_or(self.last + 1, |message| message.number);
                self.change = Some(opened.change);
            }
        }
        self.read = read.max(self.read_wanted);
        self.arrived(&arrived);
        (self.read_wanted > read).then(|| self.tell_read()).flatten()
    }

    /// Something has changed.
    pub(super) fn news(&mut self, messages: Vec<ChatMessage>, change: u64) {
        let arrived = messages.clone();
        self.update(messages, change);
        self.arrived(&arrived);
    }

    fn update(&mut self, messages: Vec<ChatMessage>, change: u64) {
        for message in messages.into_iter().filter(|message| message.number >= self.first) {
            self.last = self.last.max(message.number);
            match self.held.binary_search_by_key(&message.number, |held| held.number) {
                Ok(at) => self.held[at] = message,
                Err(at) => self.held.insert(at, message),
            }
        }
        self.change = Some(change);
    }

    /// What is seen of one's own messages settles them, unless somebody named in them may have to be
    /// told yet.
    fn arrived(&mut self, messages: &[ChatMessage]) {
        let in_flight = self.in_flight;
        let is_enough =
            |wish: &Wish| wish.mentions.is_empty() || sabotage::is_planted(Bug::ChatSeenIsAcked);
        self.outbox.retain(|wish| {
            let is_seen = wish.kind == Kind::Send && messages.iter().any(|m| m.id == wish.id);
            !(is_seen && is_enough(wish)) || in_flight == Some(wish.number)
        });
    }

    /// How many messages are unread; `None` where that cannot be seen from here.
    pub(super) fn unread(&self) -> Option<u32> {
        if self.first > self.read + 1 {
            return None;
        }
        let unread = self.held.iter().filter(|message| {
            let is_others = message.user != self.user;
            message.number > self.read && is_others && message.deleted_ms.is_none()
        });
        Some(unread.count() as u32)
    }

    pub(super) fn wish(
        &mut self,
        kind: Kind,
        id: MessageId,
        (text, mentions): (String, Vec<ChatMention>),
    ) {
        self.wishes += 1;
        let in_flight = self.in_flight;
        let is_same = |wish: &Wish| wish.id == id && wish.kind == kind;
        self.outbox.retain(|wish| !is_same(wish) || in_flight == Some(wish.number));
        self.outbox.push_back(Wish { number: self.wishes, kind, id, text, mentions });
    }

    /// The next thing to say, if it is its turn.
    pub(super) fn pump(&mut self) -> Option<ClientMessage> {
        let ch = self.channel?;
        let wish = self.outbox.front().filter(|_| self.in_flight.is_none())?.clone();
        let Wish { number, kind, id, text, mentions } = wish;
        self.in_flight = Some(number);
        self.stamp += 1;
        Some(match kind {
            Kind::Send => {
                ClientMessage::ChatSend(ChatSend { ch, id, text, mentions, reference: None })
            }
            Kind::Edit => ClientMessage::ChatEdit(ChatEdit { ch, id, text, mentions }),
            Kind::Delete => ClientMessage::ChatDelete(ChatDelete { ch, id }),
        })
    }

    /// What was in flight has an answer: done, or not for good.
    pub(super) fn settle(&mut self, id: MessageId) {
        let Some(number) = self.in_flight else { return };
        if self.outbox.iter().any(|wish| wish.number == number && wish.id == id) {
            self.outbox.retain(|wish| wish.number != number);
            self.in_flight = None;
            self.stamp += 1;
        }
    }

    /// The person has seen everything that is here.
    pub(super) fn mark_read(&mut self) -> Option<ClientMessage> {
        if self.last <= self.read {
            return None;
        }
        (self.read, self.read_wanted) = (self.last, self.last);
        self.tell_read()
    }

    /// How far the person has read, said until it is heard of.
    pub(super) fn tell_read(&self) -> Option<ClientMessage> {
        let (ch, number) = (self.channel?, self.read_wanted);
        (number > 0).then_some(ClientMessage::ChatRead(ChatRead { ch, number }))
    }

    pub(super) fn heard_read(&mut self, number: u64) {
        self.read = self.read.max(number);
    }

    // --- notifications ---

    fn last_item(&self) -> u64 {
        self.items.values().map(|told| told.number).max().unwrap_or(0)
    }

    /// A page was read.
    pub(super) fn page(&mut self, page: NotificationPage) {
        let (is_first, last) = (self.told.is_none(), self.last_item());
        let known = self.items.clone();
        if page.since.is_none() {
            self.items.clear();
        }
        for told in page.notifications.into_iter().rev() {
            let is_new = match known.get(&told.id) {
                Some(known) => known.read,
                None => told.number > last,
            };
            if is_new && !told.read && !is_first {
                self.new.push(told.id);
            }
            self.items.insert(told.id, told);
        }
        (self.told, self.told_unread) = (Some(page.change), page.unread);
    }

    /// Something was heard; whether it lacks what lies before.
    pub(super) fn hear(&mut self, news: Notified) -> bool {
        self.heard = self.heard.max(news.change);
        if self.is_syncing {
            return false;
        }
        let Some(held) = self.told.filter(|held| news.change <= held + 1) else { return true };
        if news.change <= held {
            return false;
        }
        for told in news.notifications {
            if self.items.get(&told.id).is_none_or(|known| known.read) {
                self.new.push(told.id);
            }
            self.items.insert(told.id, told);
        }
        let read_to = news.read_to.unwrap_or(0);
        for (id, item) in &mut self.items {
            item.read |= news.read.contains(id) || item.number <= read_to;
        }
        (self.told, self.told_unread) = (Some(news.change), news.unread);
        false
    }

    /// The person has read one of them, or all.
    pub(super) fn read_one(&mut self, at: usize) {
        let unread = self.items.values().filter(|told| !told.read).map(|told| told.id);
        let unread: Vec<NotificationId> = unread.collect();
        if let Some(id) = unread.get(at % unread.len().max(1)) {
            self.reading.insert(*id);
        }
    }

    pub(super) fn read_all(&mut self) {
        if self.items.values().any(|told| !told.read) {
            self.read_to = self.last_item();
        }
    }
}
