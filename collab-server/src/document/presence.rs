//! Who is in a document and where: author numbers, colours, and selections that follow the text.
//!
//! Offsets count scalar values.

use std::collections::{BTreeMap, BTreeSet};

use collab_protocol::{
    Author, AuthorNumber, COLOR_COUNT, ChannelId, SelectionRange, SessionNumber, UserId,
};
use ot_core::{Assoc, Operation, Ranges, Revision};

use super::join::Participant;

/// Everybody a document's frames may name, numbered from 1 in the order they were first needed.
///
/// Invariant: `by_user` holds the index of each author.
#[derive(Clone, Debug, Default)]
pub(super) struct Authors {
    authors: Vec<Known>,
    by_user: BTreeMap<UserId, usize>,
}

#[derive(Clone, Debug)]
struct Known {
    user: UserId,
    name: String,
    preferred: u8,
    color: u8,
    /// Live sessions.
    sessions: u32,
}

impl Authors {
    /// The number of `user`, given now if need be.
    pub(super) fn number(&mut self, user: &UserId) -> AuthorNumber {
        let index = self.index_or_insert(user);
        number(index)
    }

    /// Those of these people who have no number yet, each once.
    pub(super) fn strangers<'u>(&self, users: impl Iterator<Item = &'u UserId>) -> Vec<UserId> {
        let unknown: BTreeSet<&UserId> =
            users.filter(|user| !self.by_user.contains_key(*user)).collect();
        unknown.into_iter().cloned().collect()
    }

    /// Whether a person has a live session, here or, as far as is known, on another server.
    pub(super) fn is_here(&self, user: &UserId) -> bool {
        self.by_user.get(user).is_some_and(|index| self.authors[*index].sessions > 0)
    }

    /// Takes note of a person who is not here, unless they are known.
    pub(super) fn meet(&mut self, participant: &Participant) {
        if !self.by_user.contains_key(&participant.user) {
            let index = self.index_or_insert(&participant.user);
            let known = &mut self.authors[index];
            known.name.clone_from(&participant.name);
            known.preferred = participant.color % COLOR_COUNT;
            known.color = known.preferred;
        }
    }

    /// Counts one more live session of a person, and colours who was not here.
    pub(super) fn enter(&mut self, participant: &Participant) -> AuthorNumber {
        let index = self.index_or_insert(&participant.user);
        let known = &mut self.authors[index];
        known.name.clone_from(&participant.name);
        known.preferred = participant.color % COLOR_COUNT;
        known.sessions += 1;
        if known.sessions == 1 {
            self.recolor(index);
        }
        number(index)
    }

    /// The same of a session on another server: who was not here is shown in the colour that they
    /// have there.
    pub(super) fn enter_elsewhere(&mut self, participant: &Participant) -> AuthorNumber {
        let index = self.index_or_insert(&participant.user);
        let known = &mut self.authors[index];
        known.name.clone_from(&participant.name);
        if known.sessions == 0 {
            known.preferred = participant.color % COLOR_COUNT;
            known.color = known.preferred;
        }
        known.sessions += 1;
        number(index)
    }

    /// Shows a person under this name, and in this colour if one is given.
    pub(super) fn show_as(&mut self, by: AuthorNumber, name: &str, color: Option<u8>) {
        let known = &mut self.authors[by.0 as usize - 1];
        name.clone_into(&mut known.name);
        known.color = color.map_or(known.color, |color| color % COLOR_COUNT);
    }

    /// Looks for a colour that nobody else here has.
    pub(super) fn tell_apart(&mut self, by: AuthorNumber) {
        self.recolor(by.0 as usize - 1);
    }

    /// Counts one live session less.
    pub(super) fn leave(&mut self, by: AuthorNumber) {
        let known = &mut self.authors[by.0 as usize - 1];
        known.sessions = known.sessions.saturating_sub(1);
    }

    /// Gives a person another name and preferred colour; `None` when nobody here knows them.
    pub(super) fn rename(&mut self, participant: &Participant) -> Option<AuthorNumber> {
        let index = *self.by_user.get(&participant.user)?;
        let known = &mut self.authors[index];
        known.name.clone_from(&participant.name);
        known.preferred = participant.color % COLOR_COUNT;
        self.recolor(index);
        Some(number(index))
    }

    /// The author with this number.
    pub(super) fn author(&self, by: AuthorNumber) -> Author {
        let known = &self.authors[by.0 as usize - 1];
        Author { by, user: known.user.clone(), name: known.name.clone(), color: known.color }
    }

    /// The authors numbered above `known`, up to and with `by`.
    pub(super) fn introduce(&self, known: u32, by: AuthorNumber) -> Vec<Author> {
        (known + 1..=by.0).map(|number| self.author(AuthorNumber(number))).collect()
    }

    fn index_or_insert(&mut self, user: &UserId) -> usize {
        if let Some(index) = self.by_user.get(user) {
            return *index;
        }
        let index = self.authors.len();
        let preferred = (index % usize::from(COLOR_COUNT)) as u8;
        self.authors.push(Known {
            user: user.clone(),
            name: String::new(),
            preferred,
            color: preferred,
            sessions: 0,
        });
        self.by_user.insert(user.clone(), index);
        index
    }

    /// Gives an author the preferred colour, or else one that nobody else here has. Steps of five
    /// visit all twelve and put neighbours far apart. With more people than colours some share.
    fn recolor(&mut self, index: usize) {
        let preferred = self.authors[index].preferred;
        let is_free = |color: u8| {
            self.authors
                .iter()
                .enumerate()
                .all(|(other, known)| other == index || known.sessions == 0 || known.color != color)
        };
        let candidates = (0..COLOR_COUNT).map(|step| (preferred + 5 * step) % COLOR_COUNT);
        let color = candidates.into_iter().find(|color| is_free(*color)).unwrap_or(preferred);
        self.authors[index].color = color;
    }
}

fn number(index: usize) -> AuthorNumber {
    AuthorNumber(u32::try_from(index + 1).expect("fewer authors than operations fit in memory"))
}

/// Where selections come out behind a committed operation. A caret that rests stays in front of
/// what others put there and goes behind what its own person did.
pub(super) fn carry(ranges: &Ranges, operation: &Operation, is_own: bool) -> Ranges {
    ranges.transform(operation, if is_own { Assoc::After } else { Assoc::Before })
}

/// Selections as they stand on the wire.
pub(super) fn to_wire(ranges: &Ranges) -> Vec<SelectionRange> {
    let small = |offset| u32::try_from(offset).expect("texts are shorter than 2^30 characters");
    ranges
        .iter()
        .map(|range| SelectionRange { anchor: small(range.anchor), head: small(range.head) })
        .collect()
}

/// A `presence` frame, put together from people who are encoded already.
pub(super) struct PresenceFrame {
    text: String,
    is_empty: bool,
}

impl PresenceFrame {
    pub(super) fn new(channel: ChannelId, revision: Revision) -> Self {
        let text = format!(r#"{{"type":"presence","ch":{channel},"rev":{revision},"people":["#);
        PresenceFrame { text, is_empty: true }
    }

    /// Adds a [`Person`](collab_protocol::Person) as JSON.
    pub(super) fn push(&mut self, person: &str) {
        if !self.is_empty {
            self.text.push(',');
        }
        self.is_empty = false;
        self.text.push_str(person);
    }

    /// Ends the frame with who went; `None` when it says nothing.
    pub(super) fn finish(mut self, gone: impl Iterator<Item = SessionNumber>) -> Option<String> {
        let gone: Vec<String> = gone.map(|session| session.to_string()).collect();
        match (self.is_empty, gone.is_empty()) {
            (true, true) => return None,
            (_, true) => self.text.push_str("]}"),
            (_, false) => {
                self.text.push_str(r#"],"gone":["#);
                self.text.push_str(&gone.join(","));
                self.text.push_str("]}");
            }
        }
        Some(self.text)
    }
}

#[cfg(test)]
mod tests {
    use collab_protocol::{Presence, ServerMessage};
    use ot_core::Selection;

    use super::*;

    fn person(index: usize, color: u8) -> Participant {
        let user = format!("g_{index}").parse().expect("an id");
        Participant { user, name: format!("Guest {index}"), color }
    }

    #[test]
    fn colours_are_unique_while_twelve_or_fewer_are_here() {
        let mut authors = Authors::default();
        let numbers: Vec<AuthorNumber> =
            (0..12).map(|index| authors.enter(&person(index, 3))).collect();
        let mut colors: Vec<u8> = numbers.iter().map(|by| authors.author(*by).color).collect();
        assert_eq!(colors[0], 3, "the first gets what it likes");
        colors.sort_unstable();
        assert_eq!(colors, (0..12).collect::<Vec<u8>>());

        let thirteenth = authors.enter(&person(12, 7));
        assert_eq!(authors.author(thirteenth).color, 7, "then colours are shared");
    }

    #[test]
    fn colour_of_who_left_is_free_again() {
        let mut authors = Authors::default();
        let first = authors.enter(&person(0, 5));
        authors.leave(first);
        let second = authors.enter(&person(1, 5));
        assert_eq!(authors.author(second).color, 5);
        assert_eq!(authors.enter(&person(0, 5)), first, "the number is kept");
        assert_ne!(authors.author(first).color, 5);
    }

    #[test]
    fn second_tab_keeps_number_and_colour() {
        let mut authors = Authors::default();
        let first = authors.enter(&person(0, 5));
        assert_eq!(authors.enter(&person(0, 5)), first);
        authors.leave(first);
        let other = authors.enter(&person(1, 5));
        assert_ne!(authors.author(other).color, 5, "one tab is still here");
    }

    #[test]
    fn introduction_names_everybody_between() {
        let mut authors = Authors::default();
        for index in 0..4 {
            authors.enter(&person(index, 0));
        }
        let introduced = authors.introduce(1, AuthorNumber(3));
        assert_eq!(introduced.iter().map(|author| author.by.0).collect::<Vec<_>>(), [2, 3]);
        assert!(authors.introduce(3, AuthorNumber(2)).is_empty());
    }

    #[test]
    fn own_text_pushes_a_caret_and_others_text_does_not() {
        let operation = Operation::splice(7, 2, 0, "😀é").expect("fits");
        let ranges = Ranges::one(Selection::caret(2));
        assert_eq!(carry(&ranges, &operation, true), Ranges::one(Selection::caret(4)));
        assert_eq!(carry(&ranges, &operation, false), ranges);
    }

    #[test]
    fn presence_frame_is_the_message_of_the_protocol() {
        let person = |session| collab_protocol::Person {
            session: SessionNumber(session),
            by: AuthorNumber(3),
            user: "g_1".parse().expect("an id"),
            name: "Ada \"the first\"".to_owned(),
            color: 2,
            ranges: Some(vec![SelectionRange { anchor: 1, head: 4 }]),
        };
        let check = |sessions: &[u32], gone: &[u32]| {
            let mut frame = PresenceFrame::new(ChannelId(5), Revision::new(9));
            for session in sessions {
                frame.push(&serde_json::to_string(&person(*session)).expect("encodes"));
            }
            let message = ServerMessage::Presence(Presence {
                ch: ChannelId(5),
                rev: 9,
                people: sessions.iter().map(|session| person(*session)).collect(),
                gone: gone.iter().map(|session| SessionNumber(*session)).collect(),
            });
            let found = frame.finish(gone.iter().map(|session| SessionNumber(*session)));
            assert_eq!(found, Some(message.to_json()));
        };
        check(&[1], &[]);
        check(&[1, 2], &[7, 8]);
        check(&[], &[7]);
        let nothing = PresenceFrame::new(ChannelId(5), Revision::new(9));
        assert_eq!(nothing.finish(std::iter::empty()), None);
    }
}
