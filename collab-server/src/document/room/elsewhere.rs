//! Sessions of other servers, as their hosts told of them, and what they are to be told of the
//! sessions here.
//!
//! They have numbers of this room's, so that to those who are here everybody is alike.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use collab_protocol::{AuthorNumber, COLOR_COUNT, ClientId, SessionNumber, UserId};
use ot_core::{Ranges, Revision, Selection};

use super::figure::Figure;
use super::{Committed, Room};
use crate::document::Participant;
use crate::document::neighbours::{Here, Take};
use crate::document::presence;
use crate::presence_news::{HostId, PersonThere, PresenceNews};

/// A session of another server.
#[derive(Clone, Debug)]
struct Remote {
    figure: Figure,
    host: HostId,
    /// Its number there.
    there: SessionNumber,
    /// Its last change there that was told of and taken in; 0 when that is to be told again.
    change: u64,
    /// Selections in a text that has not come here yet.
    waiting: Option<(Revision, Ranges)>,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Elsewhere {
    remotes: BTreeMap<SessionNumber, Remote>,
    by_number: HashMap<(HostId, SessionNumber), SessionNumber>,
    /// Whether others are told of who is here at all.
    is_telling: bool,
    /// Whether a replica was told of that is shown in another place.
    has_hidden: bool,
    /// Whether such a replica may be gone from the place where it was shown: who is there is to be
    /// told anew.
    must_ask: bool,
    /// The version of the presence at which something here last changed,
    pub(super) changed_here: u64,
    /// and up to which the others were told.
    told: u64,
    /// Sessions that went from here since.
    untold: Vec<SessionNumber>,
}

impl Elsewhere {
    pub(super) fn len(&self) -> usize {
        self.remotes.len()
    }

    pub(super) fn figures(&self) -> impl Iterator<Item = (SessionNumber, &Figure)> {
        self.remotes.iter().map(|(number, remote)| (*number, &remote.figure))
    }

    pub(super) fn figures_mut(&mut self) -> impl Iterator<Item = &mut Figure> {
        self.remotes.values_mut().map(|remote| &mut remote.figure)
    }

    pub(super) fn numbered_mut(&mut self) -> impl Iterator<Item = (SessionNumber, &mut Figure)> {
        self.remotes.iter_mut().map(|(number, remote)| (*number, &mut remote.figure))
    }

    /// A session went from here.
    pub(super) fn left_here(&mut self, session: SessionNumber) {
        if self.is_telling {
            self.untold.push(session);
        }
        self.unhide();
    }

    fn unhide(&mut self) {
        self.must_ask |= std::mem::take(&mut self.has_hidden);
    }

    /// Carries everybody's selections over what was committed. Who reads here carries them too, but
    /// does not know whose it was: where that makes a difference, they are told; `version` counts it.
    pub(super) fn carry(&mut self, committed: &Committed, version: &mut u64) {
        for figure in self.figures_mut().filter(|figure| !figure.ranges.is_empty()) {
            let others = presence::carry(&figure.ranges, &committed.operation, false);
            if figure.client == committed.client {
                figure.ranges = presence::carry(&figure.ranges, &committed.operation, true);
                if figure.ranges != others {
                    *version += 1;
                    figure.changed = *version;
                }
            } else {
                figure.ranges = others;
            }
        }
    }

    fn numbers(&self, which: impl Fn(&Remote) -> bool) -> Vec<SessionNumber> {
        let chosen = self.remotes.iter().filter(|(_, remote)| which(remote));
        chosen.map(|(number, _)| *number).collect()
    }
}

impl Room {
    /// From now on others are told of who is here.
    pub(in crate::document) fn begin_telling(&mut self) {
        self.elsewhere.is_telling = true;
    }

    /// Takes in what another host tells. `own` is this one.
    pub(in crate::document) fn hear(&mut self, news: &PresenceNews, take: Take, own: HostId) {
        let mut is_colored = false;
        match take {
            Take::Nothing => return,
            Take::End => return self.forget_host(news.host),
            Take::Change => {
                for there in &news.gone {
                    let number = self.elsewhere.by_number.get(&(news.host, *there)).copied();
                    number.into_iter().for_each(|number| self.remove_elsewhere(number));
                }
            }
            Take::Whole => {
                let there: BTreeSet<SessionNumber> =
                    news.people.iter().map(|person| person.session).collect();
                let is_gone =
                    |remote: &Remote| remote.host == news.host && !there.contains(&remote.there);
                let gone = self.elsewhere.numbers(is_gone);
                gone.into_iter().for_each(|number| self.remove_elsewhere(number));
            }
        }
        for person in &news.people {
            is_colored |= self.meet_elsewhere(news, person, take, own);
        }
        if is_colored {
            self.tell_colors_apart(own);
        }
    }

    /// Everybody of a host is gone.
    pub(in crate::document) fn forget_host(&mut self, host: HostId) {
        let gone = self.elsewhere.numbers(|remote| remote.host == host);
        gone.into_iter().for_each(|number| self.remove_elsewhere(number));
    }

    /// A replica that comes here is not elsewhere any more, whatever the server that it left says
    /// until it notices.
    pub(super) fn elsewhere_is_here(&mut self, client: ClientId) {
        let moved = self.elsewhere.numbers(|remote| remote.figure.client == client);
        let has_moved = !moved.is_empty();
        moved.into_iter().for_each(|number| self.remove_elsewhere(number));
        self.elsewhere.has_hidden |= has_moved;
    }

    /// Whether the other servers are to be asked who is there; it counts as done.
    pub(in crate::document) fn take_question(&mut self) -> bool {
        std::mem::take(&mut self.elsewhere.must_ask)
    }

    /// Places selections that waited for the text they are in. What is given carries them from it to
    /// the head; it is told which operations are their own session's.
    pub(in crate::document) fn place_elsewhere(
        &mut self,
        place: impl Fn(Revision, Ranges, &dyn Fn(Revision) -> bool) -> Option<Ranges>,
    ) {
        let (ring, head) = (&self.ring, self.ring.head());
        for remote in self.elsewhere.remotes.values_mut() {
            let is_here = |waiting: &mut (Revision, Ranges)| waiting.0 <= head;
            let Some((base, ranges)) = remote.waiting.take_if(is_here) else { continue };
            // Made too long ago to place: they are asked for.
            let client = remote.figure.client;
            let is_own = |at| ring.entry(at).is_some_and(|entry| entry.client == client);
            let placed = place(base, ranges, &is_own).filter(|_| ring.first() <= base);
            let Some(placed) = placed else {
                self.elsewhere.must_ask = true;
                remote.change = 0;
                continue;
            };
            // Told anew even where they come out: who had edits on the way may see them elsewhere.
            self.version += 1;
            (remote.figure.ranges, remote.figure.changed) = (placed, self.version);
        }
    }

    /// How much there is to tell of the sessions here.
    pub(in crate::document) fn here(&self) -> Here {
        let told = self.elsewhere.told;
        let live = || self.members.values().filter(|member| member.is_live());
        let changes = match self.elsewhere.changed_here > told {
            true => live().filter(|member| member.figure.changed > told).count(),
            false => 0,
        };
        Here { people: live().count(), changes: changes + self.elsewhere.untold.len() }
    }

    /// Those here who changed since the others were last told, or all; and who went. They count as
    /// told.
    pub(in crate::document) fn take_told(
        &mut self,
        is_all: bool,
    ) -> (Vec<PersonThere>, Vec<SessionNumber>) {
        let told = std::mem::replace(&mut self.elsewhere.told, self.version);
        let gone = std::mem::take(&mut self.elsewhere.untold);
        let live = self.members.iter().filter(|(_, member)| member.is_live());
        let news = live.filter(|(_, member)| is_all || member.figure.changed > told);
        let person = |number: &SessionNumber, member: &super::Member| {
            let shown = member.figure.person(*number, &self.authors);
            PersonThere {
                session: shown.session,
                client: member.figure.client,
                user: shown.user,
                name: shown.name,
                color: shown.color,
                change: member.figure.changed,
                ranges: shown.ranges.unwrap_or_default(),
            }
        };
        let news = news.map(|(number, member)| person(number, member));
        (news.collect(), if is_all { Vec::new() } else { gone })
    }

    /// Somebody is at another host; whether a colour is news.
    fn meet_elsewhere(
        &mut self,
        news: &PresenceNews,
        person: &PersonThere,
        take: Take,
        own: HostId,
    ) -> bool {
        let place = (news.host, person.session);
        let known = self.elsewhere.by_number.get(&place).copied();
        if known.is_none() && !self.may_come_elsewhere(person.client, take) {
            return false;
        }
        let participant = Participant {
            user: person.user.clone(),
            name: person.name.clone(),
            color: person.color % COLOR_COUNT,
        };
        let is_colored = match known {
            Some(_) => self.update_elsewhere(&participant, news.host, own),
            None => {
                self.enter_elsewhere(place, person.client, &participant);
                true
            }
        };
        let number = known.unwrap_or(SessionNumber(self.last_session));
        let Some(remote) = self.elsewhere.remotes.get_mut(&number) else { return is_colored };
        if person.change != 0
            && std::mem::replace(&mut remote.change, person.change) == person.change
        {
            // Told with the others, and nothing new: it goes with the text as it is.
            return is_colored;
        }
        let selections = person
            .ranges
            .iter()
            .map(|range| Selection { anchor: range.anchor as usize, head: range.head as usize });
        if let Ok(ranges) = Ranges::new(selections) {
            remote.waiting = Some((Revision::new(news.revision), ranges));
        }
        is_colored
    }

    /// A replica is in one place. Whoever is here is; of two other hosts that tell of it, the one
    /// where something has just changed.
    fn may_come_elsewhere(&mut self, client: ClientId, take: Take) -> bool {
        let other = self.elsewhere.numbers(|remote| remote.figure.client == client);
        let is_elsewhere = !other.is_empty() && take != Take::Change;
        if self.by_client.contains_key(&client) || is_elsewhere {
            self.elsewhere.has_hidden = true;
            return false;
        }
        // What is told late may have been over before the other told its own.
        let is_other_hidden = !other.is_empty();
        other.into_iter().for_each(|number| self.remove_elsewhere(number));
        self.elsewhere.has_hidden |= is_other_hidden;
        true
    }

    fn enter_elsewhere(
        &mut self,
        (host, there): (HostId, SessionNumber),
        client: ClientId,
        participant: &Participant,
    ) {
        let number = self.next_session();
        let by = self.authors.enter_elsewhere(participant);
        self.version += 1;
        let figure = Figure::new(client, by, self.version);
        self.elsewhere.by_number.insert((host, there), number);
        self.elsewhere
            .remotes
            .insert(number, Remote { figure, host, there, change: 0, waiting: None });
    }

    /// A person's name, and their colour if it is for that host to say.
    fn update_elsewhere(&mut self, told: &Participant, host: HostId, own: HostId) -> bool {
        let by = self.authors.number(&told.user);
        let shown = self.authors.author(by);
        let is_colored = shown.color != told.color && self.home_of(by, own) == Some(host);
        if is_colored || shown.name != told.name {
            self.authors.show_as(by, &told.name, is_colored.then_some(told.color));
            self.show_anew(by);
        }
        is_colored
    }

    /// Where a person's colour is decided: of the hosts where they are, the one with the lowest id.
    fn home_of(&self, by: AuthorNumber, own: HostId) -> Option<HostId> {
        let is_here = |member: &super::Member| member.is_live() && member.figure.by == by;
        let here = self.members.values().any(|member| is_here(member)).then_some(own);
        let there = self.elsewhere.remotes.values().filter(|remote| remote.figure.by == by);
        there.map(|remote| remote.host).chain(here).min()
    }

    /// Gives those whose colour is decided here another one where somebody with a lower id has it
    /// too: that happens where two come in on two servers at once. Where more people are than
    /// colours, some share.
    fn tell_colors_apart(&mut self, own: HostId) {
        let here = self.members.values().filter(|member| member.is_live());
        let figures = here.map(|member| &member.figure);
        let figures = figures.chain(self.elsewhere.figures().map(|(_, figure)| figure));
        let present: BTreeSet<AuthorNumber> = figures.map(|figure| figure.by).collect();
        if present.len() > usize::from(COLOR_COUNT) {
            return;
        }
        let mut people: Vec<(UserId, AuthorNumber)> =
            present.into_iter().map(|by| (self.authors.author(by).user, by)).collect();
        people.sort();
        let mut taken = BTreeSet::new();
        for (_, by) in people {
            let is_free = taken.insert(self.authors.author(by).color);
            if !is_free && self.home_of(by, own) == Some(own) {
                self.authors.tell_apart(by);
                taken.insert(self.authors.author(by).color);
                self.show_anew(by);
            }
        }
    }

    fn remove_elsewhere(&mut self, number: SessionNumber) {
        let Some(remote) = self.elsewhere.remotes.remove(&number) else { return };
        self.elsewhere.by_number.remove(&(remote.host, remote.there));
        self.elsewhere.unhide();
        self.note_gone(number, remote.figure.by);
    }
}
