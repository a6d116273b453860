//! One session as others see it, wherever it is.

use collab_protocol::{AuthorNumber, ClientId, Person, SessionNumber};
use ot_core::{Ranges, Revision};

use crate::document::presence::{self, Authors};

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    pub(super) client: ClientId,
    pub(super) by: AuthorNumber,
    /// Its selections in the text at the head.
    pub(super) ranges: Ranges,
    /// The version of the presence at which it last changed.
    pub(super) changed: u64,
    /// How it is shown, as JSON, with the change and the revision it was encoded for: once for all
    /// its readers.
    shown: Option<(u64, Revision, Box<str>)>,
}

impl Figure {
    /// Of a session that comes at this version of the presence.
    pub(super) fn new(client: ClientId, by: AuthorNumber, version: u64) -> Self {
        Figure { client, by, ranges: Ranges::none(), changed: version, shown: None }
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
