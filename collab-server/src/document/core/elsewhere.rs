//! Who is in the document on other servers, and what those are told of who is here.

use std::time::Duration;

use super::Core;
use crate::document::neighbours::{Content, Neighbours, Tell};
use crate::document::room::Room;
use crate::presence_news::{PresenceNews, Telling};
use crate::shown::Shown;

impl Core {
    /// Another server tells who is there; it counts from the next turn on.
    pub(crate) fn heard_presence(&mut self, news: &PresenceNews) {
        self.presence_news.push(news.clone());
    }

    /// Takes in what was told, lets go of who was not heard of for too long, and puts selections
    /// into their places as far as the text is here.
    pub(super) fn take_presence_news(&mut self, now: Duration) {
        let Some(neighbours) = &mut self.neighbours else { return };
        let mut room = self.room.lock();
        for news in std::mem::take(&mut self.presence_news) {
            let take = neighbours.hear(&news, now);
            room.hear(&news, take, neighbours.own());
        }
        for host in neighbours.expire(now) {
            let document = self.document;
            tracing::info!(document = %Shown(document), ?host, "nothing was heard of another server's people");
            room.forget_host(host);
        }
        let state = &self.state;
        room.place_elsewhere(|base, ranges, is_own| {
            state.carry_ranges_of(base, ranges, is_own).ok().flatten()
        });
    }

    /// What the other servers are to be told now, if anything.
    pub(super) fn tell_presence(&mut self, now: Duration) -> Option<PresenceNews> {
        let neighbours = self.neighbours.as_mut()?;
        let mut room = self.room.lock();
        if room.take_question() {
            neighbours.missed();
        }
        if neighbours.skip(room.here()) {
            room.take_told(true);
        }
        let tell = neighbours.tell(room.here(), now);
        let news = tell.map(|tell| put(tell, neighbours, &mut room));
        self.deadlines.neighbours = neighbours.next_deadline(room.here());
        news
    }
}

fn put(tell: Tell, neighbours: &Neighbours, room: &mut Room) -> PresenceNews {
    let Tell { number, asks, what } = tell;
    let (people, gone) = match what {
        Content::Nothing => Default::default(),
        Content::Changes => room.take_told(false),
        Content::Everybody | Content::End => room.take_told(true),
    };
    let telling = match what {
        Content::Nothing | Content::Changes => Telling::Change,
        Content::Everybody => Telling::Whole,
        Content::End => Telling::End,
    };
    let (host, revision) = (neighbours.own(), room.ring.head().get());
    PresenceNews { host, number, telling, asks, revision, people, gone }
}
