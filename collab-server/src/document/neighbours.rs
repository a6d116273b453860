//! Which other servers have a document open, what of theirs was heard, and when to tell them of who
//! is here.
//!
//! Pure: news and the time go in, decisions come out; the room carries them out. Rules:
//!
//! - Who gets its first session asks, and tells everything in the same breath. Who is asked tells
//!   everything, once for all who ask at a time.
//! - Changes are told at once, then at most every [`PAUSE`], and in a crowd so seldom that at most
//!   [`PEOPLE_PER_S`] people a second are told of. The latest word holds, so nothing piles up.
//! - While somebody is here and nothing else is told, a sign of life goes out every third of the
//!   lease. Who is not heard of for a whole lease is gone, with everybody there.
//! - Every change is numbered. Whoever sees a number missing asks, once a second until it is told.
//! - Where nobody is known to listen, nothing but signs of life is told: whoever comes asks.
//!
//! Units: a moment is the time since the document was loaded.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::presence_news::{HostId, PresenceNews, Telling};

/// The least time between two tellings.
const PAUSE: Duration = Duration::from_millis(100);

/// People that may be told of a second, over any length of time.
const PEOPLE_PER_S: u32 = 500;

/// The least time between two questions.
const ASK_PAUSE: Duration = Duration::from_secs(1);

/// Another host.
#[derive(Clone, Debug)]
struct Host {
    /// Its last telling with news that was heard.
    number: u64,
    /// Whether everything up to that is known.
    is_whole: bool,
    /// When it was last heard of.
    heard: Duration,
}

/// What is to be done with the people of a telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Take {
    /// Nothing: it is old, or says nothing.
    Nothing,
    /// They changed, and those went.
    Change,
    /// They are everybody there.
    Whole,
    /// Nobody is there any more.
    End,
}

/// What is to be told now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tell {
    pub(super) number: u64,
    pub(super) asks: bool,
    pub(super) what: Content,
}

/// What a telling has in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Nobody: it is a sign of life, or a question.
    Nothing,
    /// What changed since the last telling.
    Changes,
    /// Everybody here.
    Everybody,
    /// That nobody is here any more.
    End,
}

/// What there is to tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Here {
    /// Sessions that are here.
    pub(super) people: usize,
    /// Sessions that came, changed or went since it was last told of.
    pub(super) changes: usize,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Neighbours {
    own: HostId,
    lease: Duration,
    hosts: BTreeMap<HostId, Host>,
    /// The number of the last telling with news.
    number: u64,
    /// Whether somebody has been here since the last end was told.
    is_open: bool,
    /// Whether somebody wants to be told everything.
    is_asked: bool,
    /// Whether something may have been told that was not heard, by whomever.
    has_missed: bool,
    last_asked: Option<Duration>,
    last_told: Option<Duration>,
    /// When changes may be told next.
    may_tell: Duration,
}

impl Neighbours {
    /// Of a host that nobody has heard of yet. `lease` is how long one is believed to be there.
    pub(super) fn new(own: HostId, lease: Duration) -> Self {
        Neighbours {
            own,
            lease,
            hosts: BTreeMap::new(),
            number: 0,
            is_open: false,
            is_asked: false,
            has_missed: false,
            last_asked: None,
            last_told: None,
            may_tell: Duration::ZERO,
        }
    }

    /// This host.
    pub(super) fn own(&self) -> HostId {
        self.own
    }

    /// Somebody told something.
    pub(super) fn hear(&mut self, news: &PresenceNews, now: Duration) -> Take {
        if news.host == self.own {
            return Take::Nothing;
        }
        self.is_asked |= news.asks;
        if news.telling == Telling::End {
            return match self.hosts.remove(&news.host) {
                Some(_) => Take::End,
                None => Take::Nothing,
            };
        }
        let host = self.hosts.entry(news.host);
        let host = host.or_insert(Host { number: 0, is_whole: true, heard: now });
        host.heard = now;
        let (known, number) = (host.number, news.number);
        host.number = known.max(number);
        let is_empty = news.people.is_empty() && news.gone.is_empty();
        match news.telling {
            Telling::Whole if number < known => Take::Nothing,
            Telling::Whole => {
                host.is_whole = true;
                Take::Whole
            }
            _ if number <= known => Take::Nothing,
            _ if is_empty => {
                host.is_whole = false;
                Take::Nothing
            }
            _ => {
                // What this says is newer than all that is known, whatever was lost before it.
                host.is_whole &= number == known + 1;
                Take::Change
            }
        }
    }

    /// Something may have been told that was not heard.
    pub(super) fn missed(&mut self) {
        self.has_missed = true;
        self.hosts.values_mut().for_each(|host| host.is_whole = false);
    }

    /// The hosts that were not heard of for a lease; they are forgotten.
    pub(super) fn expire(&mut self, now: Duration) -> Vec<HostId> {
        let is_over = |host: &Host| now.saturating_sub(host.heard) >= self.lease;
        let over = self.hosts.iter().filter(|(_, host)| is_over(host)).map(|(id, _)| *id);
        let over: Vec<HostId> = over.collect();
        for id in &over {
            self.hosts.remove(id);
        }
        over
    }

    /// Whether nobody would hear of changes. Then they count as told: whoever comes asks, and who was
    /// there all along sees by the number that something is missing.
    pub(super) fn skip(&mut self, here: Here) -> bool {
        let skips = here.changes > 0 && self.is_open && self.hosts.is_empty() && !self.is_asked;
        self.number += u64::from(skips);
        skips
    }

    /// What to tell now, if anything. It counts as told.
    pub(super) fn tell(&mut self, here: Here, now: Duration) -> Option<Tell> {
        if here.people == 0 {
            return self.close();
        }
        let is_first = !std::mem::replace(&mut self.is_open, true);
        let may_tell = is_first || self.may_tell <= now;
        let what = match may_tell {
            true if is_first || self.is_asked => Content::Everybody,
            true if here.changes > 0 => Content::Changes,
            _ => Content::Nothing,
        };
        let asks = is_first || self.ask_due().is_some_and(|due| due <= now);
        let is_due = self.sign_due() <= now;
        if what == Content::Nothing && !asks && !is_due {
            return None;
        }
        if what != Content::Nothing {
            let told = if what == Content::Everybody { here.people } else { here.changes };
            let told = u32::try_from(told).unwrap_or(u32::MAX);
            self.may_tell = now + PAUSE.max(Duration::from_secs(1) / PEOPLE_PER_S * told);
            self.number += u64::from(here.changes > 0);
            self.is_asked = false;
        }
        if asks {
            (self.has_missed, self.last_asked) = (false, Some(now));
        }
        self.last_told = Some(now);
        Some(Tell { number: self.number, asks, what })
    }

    /// Nobody is here: the others are told, once.
    pub(super) fn close(&mut self) -> Option<Tell> {
        let was_open = std::mem::replace(&mut self.is_open, false);
        (self.is_asked, self.has_missed) = (false, false);
        was_open.then_some(Tell { number: self.number, asks: false, what: Content::End })
    }

    /// When something is to be done although nothing happens.
    pub(super) fn next_deadline(&self, here: Here) -> Option<Duration> {
        let expiry = self.hosts.values().map(|host| host.heard + self.lease).min();
        if here.people == 0 {
            return expiry;
        }
        let telling = (self.is_asked || here.changes > 0).then_some(self.may_tell);
        [expiry, telling, self.ask_due(), Some(self.sign_due())].into_iter().flatten().min()
    }

    /// When to ask, if there is something to ask for: again and again, until it is answered.
    fn ask_due(&self) -> Option<Duration> {
        let may_ask = self.last_asked.map_or(Duration::ZERO, |last| last + ASK_PAUSE);
        let is_missing = self.has_missed || self.hosts.values().any(|host| !host.is_whole);
        is_missing.then_some(may_ask)
    }

    /// When the next sign of life is due.
    fn sign_due(&self) -> Duration {
        self.last_told.map_or(Duration::ZERO, |last| last + self.lease / 3)
    }
}

#[cfg(test)]
mod tests {
    use collab_protocol::SessionNumber;

    use super::*;

    const LEASE: Duration = Duration::from_secs(12);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn neighbours() -> Neighbours {
        Neighbours::new(HostId::new(1), LEASE)
    }

    fn here(people: usize, changes: usize) -> Here {
        Here { people, changes }
    }

    /// What another host tells: of one session that went, which is enough to be news.
    fn news(telling: Telling, number: u64) -> PresenceNews {
        let gone = vec![SessionNumber(1)];
        let host = HostId::new(2);
        PresenceNews { host, number, telling, asks: false, revision: 0, people: Vec::new(), gone }
    }

    fn sign(number: u64) -> PresenceNews {
        PresenceNews { gone: Vec::new(), ..news(Telling::Change, number) }
    }

    /// One that has asked already, and knows of another host up to its telling 3.
    fn settled() -> Neighbours {
        let mut neighbours = neighbours();
        neighbours.tell(here(1, 1), ms(0)).expect("the first");
        assert_eq!(neighbours.hear(&news(Telling::Whole, 3), ms(0)), Take::Whole);
        neighbours
    }

    #[test]
    fn who_gets_the_first_session_tells_everything_and_asks() {
        let mut neighbours = neighbours();
        assert_eq!(neighbours.tell(here(0, 0), ms(0)), None);
        let first = Tell { number: 1, asks: true, what: Content::Everybody };
        assert_eq!(neighbours.tell(here(1, 1), ms(5)), Some(first));
        assert_eq!(neighbours.tell(here(1, 0), ms(6)), None);
        let end = Tell { number: 1, asks: false, what: Content::End };
        assert_eq!(neighbours.tell(here(0, 1), ms(7)), Some(end));
        assert_eq!(neighbours.tell(here(0, 0), ms(8)), None);
        let again = Tell { number: 2, asks: true, what: Content::Everybody };
        assert_eq!(neighbours.tell(here(1, 1), ms(9)), Some(again));
    }

    #[test]
    fn who_is_asked_tells_everything_once_for_all_who_ask() {
        let mut neighbours = settled();
        for _ in 0..3 {
            neighbours.hear(&PresenceNews { asks: true, ..sign(3) }, ms(200));
        }
        let told = Tell { number: 1, asks: false, what: Content::Everybody };
        assert_eq!(neighbours.tell(here(1, 0), ms(200)), Some(told));
        assert_eq!(neighbours.tell(here(1, 0), ms(201)), None);
    }

    #[test]
    fn changes_are_told_at_once_and_then_in_the_pace_of_the_crowd() {
        let mut neighbours = settled();
        let change = |number| Some(Tell { number, asks: false, what: Content::Changes });
        assert_eq!(neighbours.tell(here(1, 1), ms(200)), change(2));
        assert_eq!(neighbours.tell(here(1, 1), ms(299)), None);
        assert_eq!(neighbours.next_deadline(here(1, 1)), Some(ms(300)));
        assert_eq!(neighbours.tell(here(1, 1), ms(300)), change(3));
        // Two hundred people: 0.4 s until the next.
        assert_eq!(neighbours.tell(here(200, 200), ms(400)), change(4));
        assert_eq!(neighbours.tell(here(200, 200), ms(799)), None);
        assert_eq!(neighbours.tell(here(200, 200), ms(800)), change(5));
    }

    #[test]
    fn where_nobody_listens_only_signs_of_life_are_told() {
        let mut neighbours = neighbours();
        neighbours.tell(here(1, 1), ms(0));
        assert!(neighbours.skip(here(1, 1)), "the caret moved");
        assert_eq!(neighbours.tell(here(1, 0), ms(500)), None);
        assert_eq!(neighbours.next_deadline(here(1, 0)), Some(LEASE / 3));
        let sign = Tell { number: 2, asks: false, what: Content::Nothing };
        assert_eq!(neighbours.tell(here(1, 0), LEASE / 3), Some(sign));
        neighbours.hear(&news(Telling::Whole, 1), LEASE / 3);
        assert!(!neighbours.skip(here(1, 1)), "now somebody does");
    }

    #[test]
    fn a_missing_number_is_asked_for_and_what_came_after_it_counts() {
        let mut neighbours = settled();
        assert_eq!(neighbours.hear(&news(Telling::Change, 4), ms(200)), Take::Change);
        assert_eq!(neighbours.tell(here(1, 0), ms(200)), None, "nothing is missing");
        assert_eq!(neighbours.hear(&news(Telling::Change, 4), ms(201)), Take::Nothing, "doubled");
        assert_eq!(neighbours.hear(&news(Telling::Change, 6), ms(202)), Take::Change);
        let ask = Some(Tell { number: 1, asks: true, what: Content::Nothing });
        assert_eq!(
            neighbours.next_deadline(here(1, 0)),
            Some(ms(1_000)),
            "the first question was at 0"
        );
        assert_eq!(neighbours.tell(here(1, 0), ms(1_000)), ask);
        // The answer is lost.
        assert_eq!(neighbours.tell(here(1, 0), ms(1_999)), None);
        assert_eq!(neighbours.tell(here(1, 0), ms(2_000)), ask);
        assert_eq!(neighbours.hear(&news(Telling::Whole, 5), ms(2_001)), Take::Nothing, "too old");
        assert_eq!(neighbours.hear(&news(Telling::Whole, 6), ms(2_002)), Take::Whole);
        neighbours.hear(&sign(6), ms(5_500));
        assert_eq!(neighbours.tell(here(1, 0), ms(5_500)), None, "it is whole again");
    }

    #[test]
    fn a_sign_of_life_shows_that_its_last_change_was_lost() {
        let mut neighbours = settled();
        assert_eq!(neighbours.hear(&sign(4), ms(2_000)), Take::Nothing);
        assert!(neighbours.tell(here(1, 0), ms(2_000)).expect("a question").asks);
    }

    #[test]
    fn who_falls_silent_is_gone_after_the_lease_and_who_ends_at_once() {
        let mut neighbours = settled();
        neighbours.hear(&sign(3), ms(1_000));
        let over = ms(1_000) + LEASE;
        assert_eq!(neighbours.next_deadline(here(0, 0)), Some(over));
        assert_eq!(neighbours.expire(over - ms(1)), []);
        assert_eq!(neighbours.expire(over), [HostId::new(2)]);
        assert_eq!(neighbours.expire(over), []);

        let mut neighbours = settled();
        assert_eq!(neighbours.hear(&news(Telling::End, 3), ms(1)), Take::End);
        assert_eq!(neighbours.hear(&news(Telling::End, 3), ms(2)), Take::Nothing);
    }

    #[test]
    fn who_may_have_missed_something_asks_at_most_once_a_second() {
        let mut neighbours = settled();
        let asked = |neighbours: &mut Neighbours, at| {
            neighbours.missed();
            neighbours.tell(here(1, 0), ms(at)).is_some_and(|tell| tell.asks)
        };
        assert!(!asked(&mut neighbours, 999));
        assert!(asked(&mut neighbours, 1_000));
        assert!(!asked(&mut neighbours, 1_999));
        assert!(asked(&mut neighbours, 2_000));
    }

    #[test]
    fn its_own_word_is_no_news() {
        let mut neighbours = neighbours();
        let own = PresenceNews { host: HostId::new(1), ..news(Telling::Whole, 1) };
        assert_eq!(neighbours.hear(&own, ms(0)), Take::Nothing);
        assert_eq!(neighbours.next_deadline(here(0, 0)), None);
    }
}
