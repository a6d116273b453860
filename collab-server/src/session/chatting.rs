//! What a session does with each message about a chat.

use std::sync::Arc;

use collab_protocol::{
    ChannelId, ChatBefore, ChatCode, ChatLocate, ChatOpen, ChatRead, ChatTyping, MessageId,
};

use super::Session;
use super::link::Link;
use super::talks::{Call, Lane, rejection};
use crate::chat::{self, Asked, ChatFeed, Place};
use crate::metrics::Limit;

impl<L: Link> Session<'_, L> {
    pub(super) fn on_chat_open(&mut self, open: ChatOpen) {
        let doc = open.doc;
        let refusal = if !self.joins_allowed.take() {
            self.brake.refused(tokio::time::Instant::now());
            Some(ChatCode::SlowDown)
        } else if self.open_count() >= self.app.config.documents_per_connection_max as usize {
            Some(ChatCode::TooManyOpen)
        } else if self.is_stopping {
            Some(ChatCode::Overloaded)
        } else {
            None
        };
        if let Some(code) = refusal {
            self.app.metrics.limited(Limit::Joins);
            return self.refuse((None, Some(doc), None), code);
        }
        let ch = self.channels.reserve();
        let (app, wake) = (Arc::clone(&self.app), Arc::clone(&self.wake));
        self.talks.begin(app, open, ch, self.profile.clone(), wake);
    }

    /// Documents and chats that are open or about to be.
    pub(super) fn open_count(&self) -> usize {
        self.channels.len() + self.joins.len() + self.talks.len()
    }

    /// Something is to be stored.
    pub(super) fn on_chat_asked(&mut self, ch: ChannelId, asked: Asked) {
        let Some(place) = self.place(ch) else { return };
        let id = asked.id();
        if let Err(wait) = chat::take_place(&self.app, &self.profile, place.document()) {
            self.brake.refused(tokio::time::Instant::now());
            let subject = (Some(ch), None, Some(id));
            let frame = self.talks.reject(subject, ChatCode::SlowDown, Some(wait));
            self.outbox.push(frame);
            return;
        }
        let (app, profile) = (Arc::clone(&self.app), self.profile.clone());
        let call = self.answered((ch, Some(id)), chat::say(app, asked, place, profile));
        self.queue((ch, Some(id)), Lane::Writing, call);
    }

    pub(super) fn on_chat_before(&mut self, asked: ChatBefore) {
        let ch = asked.ch;
        let Some(place) = self.place(ch).filter(|_| self.may_say(Some(ch))) else { return };
        let (app, profile) = (Arc::clone(&self.app), self.profile.clone());
        let call = self.answered((ch, None), chat::page(app, asked, place.document(), profile));
        self.queue((ch, None), Lane::Reading, call);
    }

    pub(super) fn on_chat_locate(&mut self, asked: ChatLocate) {
        let ch = asked.ch;
        let Some(place) = self.place(ch).filter(|_| self.may_say(Some(ch))) else { return };
        let (app, profile) = (Arc::clone(&self.app), self.profile.clone());
        let call = self.answered((ch, None), chat::locate(app, asked, place.document(), profile));
        self.queue((ch, None), Lane::Reading, call);
    }

    pub(super) fn on_chat_read(&mut self, read: &ChatRead) {
        let ch = read.ch;
        let Some(place) = self.place(ch).filter(|_| self.may_say(Some(ch))) else { return };
        let (app, profile) = (Arc::clone(&self.app), self.profile.clone());
        let (metrics, number) = (Arc::clone(&self.app.metrics), read.number);
        let call = Box::pin(async move {
            let user = profile.identity.user;
            let code = chat::mark_read(&*app, number, &place, user).await.err()?;
            Some(rejection(&metrics, (Some(ch), None, None), code, None))
        });
        self.queue((ch, None), Lane::Reading, call);
    }

    pub(super) fn on_chat_typing(&mut self, typing: &ChatTyping) {
        let ch = typing.ch;
        let Some(place) = self.place(ch).filter(|_| self.may_say(Some(ch))) else { return };
        if !chat::type_on(&self.app, typing.on, &place, &self.profile) {
            self.refuse((Some(ch), None, None), ChatCode::Forbidden);
        }
    }

    /// A call that ends with its answer or with why it is not done.
    fn answered(
        &self,
        (ch, id): (ChannelId, Option<MessageId>),
        asked: impl Future<Output = Result<String, ChatCode>> + Send + 'static,
    ) -> Call {
        let metrics = Arc::clone(&self.app.metrics);
        Box::pin(async move {
            let answer = asked.await;
            Some(
                answer.unwrap_or_else(|code| rejection(&metrics, (Some(ch), None, id), code, None)),
            )
        })
    }

    fn queue(&mut self, (ch, id): (ChannelId, Option<MessageId>), lane: Lane, call: Call) {
        if !self.talks.call(ch, lane, call) {
            let frame = self.talks.overloaded(ch, id);
            self.outbox.push(frame);
        }
    }

    fn refuse(
        &mut self,
        subject: (Option<ChannelId>, Option<collab_protocol::DocumentId>, Option<MessageId>),
        code: ChatCode,
    ) {
        let frame = self.talks.reject(subject, code, None);
        self.outbox.push(frame);
    }

    /// From where this person speaks in an open chat; if it is none, says so.
    fn place(&mut self, ch: ChannelId) -> Option<Place> {
        if let Some(place) = self.talks.feed(ch).map(|feed: &ChatFeed| feed.place(ch)) {
            return Some(place);
        }
        self.check_channel(ch);
        None
    }

    /// Takes what the chats have, and closes those that are over.
    pub(super) fn pull_chats(&mut self) {
        let (frames, ended) = self.talks.pull();
        frames.into_iter().for_each(|frame| self.outbox.push(frame));
        for (ch, code) in ended {
            self.talks.close(ch);
            self.error(code, None, Some(ch), None);
            self.left(ch);
        }
    }
}
