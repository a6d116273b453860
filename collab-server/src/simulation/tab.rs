//! A person in front of a tab: the real client, and the policy around it that a browser has.

use std::collections::BTreeMap;

use collab_protocol::{ClientId, DocumentId, Person, SelectionRange, SessionNumber, UserId};
use ot_core::{Assoc, Client, Operation, Ranges, Selection};

/// One tab.
#[derive(Clone, Debug)]
pub(super) struct Tab {
    pub(super) id: ClientId,
    pub(super) user: UserId,
    pub(super) document: DocumentId,
    /// Until the first join there is none.
    pub(super) client: Option<Client>,
    pub(super) conn: Option<usize>,
    /// Connections that it has had, with this one.
    pub(super) connections: usize,
    pub(super) is_joined: bool,
    pub(super) is_alive: bool,
    /// Whether its person may write, as far as it was told.
    pub(super) may_write: bool,
    /// Actions left.
    pub(super) actions: usize,
    /// Each submission as it went out first.
    pub(super) sent: BTreeMap<u64, String>,
    /// Counts what the patience of the client began anew with.
    pub(super) stamp: u64,
    pub(super) own: Option<Selection>,
    /// The selection that went with the submission in flight.
    pub(super) frozen: Option<Vec<SelectionRange>>,
    /// Whether the selection is to be told apart, once nothing is pending.
    pub(super) must_select: bool,
    /// Who else is there, and where their selections are.
    pub(super) people: BTreeMap<SessionNumber, (UserId, Ranges)>,
    /// Numbers refused for good.
    pub(super) refused: Vec<u64>,
    pub(super) failures: u32,
    /// Whether it takes nothing more before what befalls it: see [`super::orders`].
    pub(super) is_deaf: bool,
}

impl Tab {
    pub(super) fn new(number: usize, document: DocumentId, actions: usize) -> Tab {
        Tab {
            id: ClientId::new(number as u128 + 1),
            user: format!("g_{number}").parse().expect("an id"),
            document,
            client: None,
            conn: None,
            connections: 0,
            is_joined: false,
            is_alive: true,
            may_write: true,
            actions,
            sent: BTreeMap::new(),
            stamp: 0,
            own: None,
            frozen: None,
            must_select: false,
            people: BTreeMap::new(),
            refused: Vec::new(),
            failures: 0,
            is_deaf: false,
        }
    }

    pub(super) fn has_pending(&self) -> bool {
        self.client.as_ref().is_some_and(Client::has_pending)
    }

    pub(super) fn revision(&self) -> u64 {
        self.client.as_ref().map_or(0, |client| client.revision().get())
    }

    /// Own selection as the protocol has it.
    pub(super) fn ranges(&self) -> Vec<SelectionRange> {
        let own = self.own.map(|own| SelectionRange::from((own.anchor as u32, own.head as u32)));
        own.into_iter().collect()
    }

    /// The own selection goes along with a change of the local text.
    pub(super) fn carry(&mut self, change: &Operation, own_side: Assoc) {
        self.own = self.own.map(|own| own.transform(change, own_side));
    }

    /// Others' selections go along with what is committed.
    pub(super) fn carry_people(&mut self, change: &Operation) {
        for (_, ranges) in self.people.values_mut() {
            *ranges = ranges.transform(change, Assoc::Before);
        }
    }

    /// Where a session's selections are, in the text at the client's revision.
    pub(super) fn place(&mut self, person: &Person) {
        let wire = person.ranges.iter().flatten();
        let selections = wire.map(|r| Selection::new(r.anchor as usize, r.head as usize));
        let ranges = Ranges::new(selections).expect("few");
        self.people.insert(person.session, (person.user.clone(), ranges));
    }
}
