//! What a session does with topics and events.

use collab_protocol::{ErrorCode, ErrorMessage, ServerMessage, Tell, TopicName, Watching};
use tokio::time::Instant;

use super::Session;
use super::link::Link;
use crate::auth::Kind;
use crate::metrics::Limit;
use crate::rights::may_tell;
use crate::rooms::{Told, TooMany};

impl<L: Link> Session<'_, L> {
    pub(super) fn on_watch(&mut self, topic: TopicName) {
        let code = match self.take_message() {
            false => ErrorCode::SlowDown,
            true => match self.seat.watch(topic.clone()) {
                Ok(()) => return self.say(&ServerMessage::Watching(Watching { topic })),
                Err(TooMany) => ErrorCode::TooManyTopics,
            },
        };
        self.topic_error(code, topic, None);
    }

    pub(super) fn on_unwatch(&mut self, topic: TopicName) {
        match self.take_message() {
            true => self.seat.unwatch(topic),
            false => self.topic_error(ErrorCode::SlowDown, topic, None),
        }
    }

    pub(super) fn on_tell(&mut self, tell: Tell) {
        let Tell { topic, n, name, data } = tell;
        let config = &self.app.config;
        let is_too_large = data.as_str().len() > config.event_bytes_max as usize;
        let has_guests_only = !config.has_token_key();
        let may = may_tell(config.topics_tell, self.profile.identity.kind, has_guests_only);
        let code = match () {
            () if !self.take_message() => ErrorCode::SlowDown,
            () if !may => ErrorCode::Forbidden,
            () if is_too_large => ErrorCode::EventTooLarge,
            () if self.app.tells.take(&self.person()).is_err() => {
                self.app.metrics.limited(Limit::Tells);
                ErrorCode::SlowDown
            }
            () => {
                let told = Told {
                    name: name.unwrap_or_else(|| "message".parse().expect("it is a name")),
                    data,
                    id: None,
                    by: self.is_person().then(|| self.profile.identity.user.clone()),
                    time_ms: self.app.clock.now_ms(),
                };
                self.app.rooms.tell(&self.seat.address(topic.clone()), told);
                let told = collab_protocol::Told { topic, n };
                return self.say(&ServerMessage::Told(told));
            }
        };
        self.topic_error(code, topic, Some(n));
    }

    fn is_person(&self) -> bool {
        self.profile.identity.kind != Kind::Service
    }

    fn person(&self) -> (collab_protocol::TenantId, collab_protocol::UserId) {
        let identity = &self.profile.identity;
        (identity.tenant.clone(), identity.user.clone())
    }

    /// Whether this connection may send one more message that is no edit.
    pub(super) fn take_message(&mut self) -> bool {
        let is_allowed = self.messages_allowed.take();
        if !is_allowed {
            self.app.metrics.limited(Limit::Messages);
            self.brake.refused(Instant::now());
        }
        is_allowed
    }

    fn topic_error(&mut self, code: ErrorCode, topic: TopicName, n: Option<u64>) {
        self.app.metrics.error(code);
        let error = ErrorMessage { topic: Some(topic), n, ..ErrorMessage::new(code) };
        self.say(&ServerMessage::Error(error));
    }
}
