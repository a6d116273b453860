//! What a world of a chat consists of, and which faults fall how often.

use std::time::Duration;

use crate::chat::Sizes;
use crate::simulation::choice::Draw;

/// See the module. Rates are per thousand chances; 0 means that a fault does not exist in this run.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) people: usize,
    pub(super) devices: usize,
    pub(super) servers: usize,
    /// What one device does until faults end.
    pub(super) actions: usize,
    /// The longest pause between two actions of one device.
    pub(super) think_ms: u64,
    /// The longest way of a frame, a request or an answer.
    pub(super) latency_ms: u64,
    /// The longest time that the store takes, twice.
    pub(super) store_ms: u64,
    /// When faults end.
    pub(super) safety_ms: u64,
    pub(super) sizes: Sizes,
    /// How often a server looks at the database unasked; never where it is alone.
    pub(super) poll: Option<Duration>,
    pub(super) cut: u32,
    pub(super) reload: u32,
    pub(super) call_fails: u32,
    pub(super) call_unknown: u32,
    pub(super) request_lost: u32,
    pub(super) server_crash: u32,
    pub(super) way_lost: u32,
    pub(super) news_late: u32,
    pub(super) news_doubled: u32,
    /// How often news of notifications is lost to a connection that is too slow, and told so.
    pub(super) inbox_full: u32,
    /// How often rights change.
    pub(super) rights: u32,
}

impl Plan {
    pub(super) fn draw(draw: &mut Draw<'_>) -> Plan {
        let mut fault = |rates: &[u32]| if draw.one_in(2) { draw.pick(rates) } else { 0 };
        let (cut, reload) = (fault(&[30, 120, 300]), fault(&[20, 100]));
        let (call_fails, call_unknown) = (fault(&[30, 200]), fault(&[30, 200]));
        let (request_lost, server_crash) = (fault(&[50, 200]), fault(&[20, 60]));
        let (way_lost, news_late) = (fault(&[40, 150]), fault(&[100, 400]));
        let (news_doubled, inbox_full) = (fault(&[100]), fault(&[50]));
        let rights = fault(&[30, 100]);
        let servers = draw.pick(&[1, 1, 2, 2, 3]);
        let people = draw.pick(&[2, 2, 3, 4]);
        let devices = people + draw.below(3);
        let small = draw.one_in(2);
        let sizes = Sizes {
            recent_max: if small { draw.pick(&[1, 2, 5]) } else { 512 },
            missed_max: if small { draw.pick(&[1, 2, 5]) } else { 200 },
            page_len: if small { draw.pick(&[2, 5]) } else { 50 },
        };
        Plan {
            people,
            devices,
            servers,
            actions: draw.pick(&[3, 6, 10]),
            think_ms: draw.pick(&[20, 300, 3_000]),
            latency_ms: draw.pick(&[1, 20, 200]),
            store_ms: draw.pick(&[1, 10, 150]),
            safety_ms: draw.pick(&[3_000, 10_000, 20_000]),
            sizes,
            poll: (servers > 1).then(|| Duration::from_millis(draw.pick(&[400, 5_000, 60_000]))),
            cut,
            reload,
            call_fails,
            call_unknown,
            request_lost,
            server_crash,
            way_lost,
            news_late,
            news_doubled,
            inbox_full,
            rights,
        }
    }

    /// No more faults.
    pub(super) fn heal(&mut self) {
        let rates = [
            &mut self.cut,
            &mut self.reload,
            &mut self.call_fails,
            &mut self.call_unknown,
            &mut self.request_lost,
            &mut self.server_crash,
            &mut self.way_lost,
            &mut self.news_late,
            &mut self.news_doubled,
            &mut self.inbox_full,
            &mut self.rights,
        ];
        rates.into_iter().for_each(|rate| *rate = 0);
    }
}
