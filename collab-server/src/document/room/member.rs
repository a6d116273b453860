//! One live session of a document, and how others see it.

use std::collections::VecDeque;
use std::sync::Arc;

use collab_protocol::{AuthorNumber, ClientId, Person, Role, SessionNumber};
use ot_core::{Ranges, Revision};
use tokio::sync::Notify;

use super::Answer;
use crate::document::feed::Ended;
use crate::document::presence::{self, Authors};
use crate::rights::Visitor;

/// A live session.
#[derive(Debug)]
pub(in crate::document) struct Member {
    pub(super) client: ClientId,
    pub(super) by: AuthorNumber,
    pub(super) visitor: Visitor,
    /// What they may do.
    pub(in crate::document) role: Role,
    /// Where their stream ends, once they may not read any more.
    pub(in crate::document) cut: Option<Revision>,
    /// Where its stream began: own submissions up to here are acknowledged apart.
    pub(super) start: Revision,
    /// Up to where its writer has taken the stream.
    pub(in crate::document) sent: Revision,
    pub(super) wake: Arc<Notify>,
    /// Its selections in the text at the head.
    pub(super) ranges: Ranges,
    /// The version of the presence at which it last changed.
    pub(super) changed: u64,
    /// The version of the presence that it entered with.
    pub(super) entered: u64,
    /// The version of the presence that its writer has sent.
    pub(in crate::document) seen: u64,
    pub(in crate::document) answers: VecDeque<Answer>,
    pub(in crate::document) ended: Option<Ended>,
    /// How it is shown, as JSON, with the change and the revision it was encoded for: once for all
    /// its readers.
    shown: Option<(u64, Revision, Box<str>)>,
}

impl Member {
    /// A session that enters at `version` of the presence and has been told of all before `seen`.
    pub(super) fn new(
        (client, by): (ClientId, AuthorNumber),
        (visitor, role): (Visitor, Role),
        start: Revision,
        wake: Arc<Notify>,
        (version, seen): (u64, u64),
    ) -> Member {
        Member {
            client,
            by,
            visitor,
            role,
            cut: None,
            start,
            sent: start,
            wake,
            ranges: Ranges::none(),
            changed: version,
            entered: version,
            seen,
            answers: VecDeque::new(),
            ended: None,
            shown: None,
        }
    }

    pub(super) fn is_live(&self) -> bool {
        self.ended.is_none()
    }

    pub(super) fn person(&self, session: SessionNumber, authors: &Authors) -> Person {
        let author = authors.author(self.by);
        Person {
            session,
            by: self.by,
            user: author.user,
            name: author.name,
            color: author.color,
            ranges: (!self.ranges.is_empty()).then(|| presence::to_wire(&self.ranges)),
        }
    }

    /// How it is shown at the head, encoded when it or the text has changed.
    pub(super) fn shown(
        &mut self,
        session: SessionNumber,
        head: Revision,
        authors: &Authors,
    ) -> &str {
        let is_current = |shown: &(u64, Revision, Box<str>)| {
            shown.0 == self.changed && (shown.1 == head || self.ranges.is_empty())
        };
        if !self.shown.as_ref().is_some_and(is_current) {
            let person = self.person(session, authors);
            let json = serde_json::to_string(&person).expect("a person has no unencodable part");
            self.shown = Some((self.changed, head, json.into()));
        }
        self.shown.as_ref().map_or("", |(_, _, json)| json)
    }
}
