//! What a run consists of: its people, servers and limits, and which faults fall how often.

use std::time::Duration;

use super::choice::Draw;
use crate::document::{DocumentConfig, Sharing};
use crate::presence_news::HostId;

/// See the module. Rates are per thousand chances; 0 means that a fault does not exist in this run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) tabs: usize,
    pub(super) servers: usize,
    pub(super) documents: usize,
    /// Whether the store is one that several servers may share.
    pub(super) is_shared: bool,
    pub(super) edits: usize,
    /// The longest pause between two actions of one person.
    pub(super) think_ms: u64,
    /// The longest way of a frame.
    pub(super) latency_ms: u64,
    /// The longest time that the store takes, twice.
    pub(super) store_ms: u64,
    /// When faults end.
    pub(super) safety_ms: u64,
    pub(super) config: DocumentConfig,
    /// Operations in a page of the log.
    pub(super) page_len: usize,
    /// The largest text of one submission, in bytes.
    pub(super) submission_bytes_max: usize,
    /// Whether everything is edited at one place.
    pub(super) is_one_place: bool,
    pub(super) cut: u32,
    pub(super) one_way: u32,
    pub(super) reload: u32,
    pub(super) hostile: u32,
    pub(super) append_fails: u32,
    pub(super) append_unknown: u32,
    pub(super) store_stalls: u32,
    pub(super) read_fails: u32,
    pub(super) server_crash: u32,
    pub(super) server_pause: u32,
    pub(super) power_loss: u32,
    pub(super) clock_jump: u32,
    pub(super) fanout_drop: u32,
    pub(super) fanout_double: u32,
    /// How often somebody loses the right to write, or gets it back.
    pub(super) rights: u32,
    /// Whether what servers say of each other ever arrives.
    pub(super) fanout_works: bool,
    /// Whether every choice of what happens next is free, and time stands still.
    pub(super) is_interleaved: bool,
}

/// Longer than any run.
const NEVER: Duration = Duration::from_secs(1 << 30);

impl Plan {
    /// Draws one.
    pub(super) fn draw(draw: &mut Draw<'_>) -> Plan {
        let mut fault = |rates: &[u32]| if draw.one_in(2) { draw.pick(rates) } else { 0 };
        let (cut, one_way, reload) = (fault(&[20, 80, 200]), fault(&[20, 60]), fault(&[20, 100]));
        let (hostile, rights) = (fault(&[30]), fault(&[20, 100]));
        let (append_fails, append_unknown) = (fault(&[30, 200]), fault(&[30, 200]));
        let (store_stalls, read_fails) = (fault(&[10, 40]), fault(&[30, 150]));
        let (server_crash, server_pause) = (fault(&[15, 40]), fault(&[15, 40]));
        let (power_loss, clock_jump) = (fault(&[15, 30]), fault(&[30]));
        let (fanout_drop, fanout_double) = (fault(&[50, 300]), fault(&[100]));
        let servers = draw.pick(&[1, 1, 2, 2, 3]);
        let tabs = draw.pick(&[2, 1, 2, 3, 3, 4, 5, 8]);
        let documents = draw.pick(&[1, 1, 1, 2, 3]).min(tabs);
        let is_shared = servers > 1;
        let polls = draw.one_in(2);
        let fanout_works = !polls || !draw.one_in(3);
        let edits = draw.pick(&[3, 5, 8, 12]) * if tabs > 4 { 1 } else { 2 };
        let think_ms = draw.pick(&[20, 300, 3_000]);
        let small = |draw: &mut Draw<'_>| draw.one_in(2);
        let config = DocumentConfig {
            // A full one does not take the last words that some worlds need.
            document_bytes_max: match small(draw) && (polls || !is_shared) {
                true => draw.pick(&[30, 80]),
                false => 1 << 20,
            },
            mailbox_len: draw.pick(&[2, 4, 64]),
            // With room for everybody, and hardly for those who come back before they were missed.
            sessions_max: draw.pick(&[16, tabs + 1]),
            batch_len_max: draw.pick(&[1, 2, 8]),
            pending_max: draw.pick(&[2, 4, 64]),
            ring_len: draw.pick(&[2, 4, 64]),
            answers_max: draw.pick(&[2, 8]),
            snapshot_every: draw.pick(&[2, 5, 1_000]),
            idle_timeout: Duration::from_millis(draw.pick(&[300, 300, 30_000])),
            // A check wakes whoever slept through a commit: so some worlds have none.
            check_quiet: draw.pick(&[Duration::from_millis(200), NEVER]),
            check_interval: Duration::from_millis(300),
            presence_interval: Duration::from_millis(50),
            deliveries_per_s_unpaced: draw.pick(&[2, 20_000]),
            poll_interval: if polls { Duration::from_millis(1_000) } else { NEVER },
            poll_interval_alone: if polls { Duration::from_millis(1_000) } else { NEVER },
            ..DocumentConfig::default()
        };
        Plan {
            tabs,
            servers,
            documents,
            is_shared,
            edits,
            think_ms,
            latency_ms: draw.pick(&[5, 100, 1_000]),
            store_ms: draw.pick(&[2, 30, 300]),
            safety_ms: think_ms * edits as u64 + 2_000,
            config,
            page_len: draw.pick(&[1, 3, 1_000]),
            submission_bytes_max: draw.pick(&[4, 1_000, 1_000]),
            is_one_place: draw.one_in(3),
            cut,
            one_way,
            reload,
            hostile,
            append_fails,
            append_unknown,
            store_stalls,
            read_fails,
            server_crash,
            server_pause,
            power_loss,
            clock_jump,
            fanout_drop,
            fanout_double,
            rights,
            fanout_works,
            is_interleaved: false,
        }
    }

    /// What servers are to each other: told of each other's commits, or left to look at the log, as
    /// those are that only share a database.
    pub(super) fn sharing(&self, host: HostId) -> Sharing {
        match (self.is_shared, self.fanout_works) {
            (false, _) => Sharing::Alone,
            (true, false) => Sharing::Silent,
            (true, true) => Sharing::Told(host),
        }
    }

    /// Whether what servers did not hear of each other stays unheard until somebody types again: they
    /// share the store, and nothing looks at it unasked.
    pub(super) fn needs_last_words(&self) -> bool {
        self.is_shared && self.config.poll_interval == NEVER
    }

    /// A world without faults of its own, in which everything that can happen next may.
    /// Snapshots are taken where a document may be loaded again: elsewhere nobody sees them.
    pub(super) fn interleaved(tabs: usize, edits: usize, is_loaded_again: bool) -> Plan {
        let config = DocumentConfig {
            ring_len: 2,
            snapshot_every: if is_loaded_again { 2 } else { u64::MAX },
            idle_timeout: NEVER,
            presence_lease: NEVER,
            check_quiet: NEVER,
            check_interval: NEVER,
            presence_interval: NEVER,
            poll_interval: NEVER,
            poll_interval_alone: NEVER,
            ..DocumentConfig::default()
        };
        Plan {
            tabs,
            servers: 1,
            documents: 1,
            is_shared: false,
            edits,
            think_ms: 0,
            latency_ms: 0,
            store_ms: 0,
            safety_ms: 0,
            config,
            page_len: 1_000,
            submission_bytes_max: 1_000,
            is_one_place: true,
            cut: 0,
            one_way: 0,
            reload: 0,
            hostile: 0,
            append_fails: 0,
            append_unknown: 0,
            store_stalls: 0,
            read_fails: 0,
            server_crash: 0,
            server_pause: 0,
            power_loss: 0,
            clock_jump: 0,
            fanout_drop: 0,
            fanout_double: 0,
            rights: 0,
            fanout_works: true,
            is_interleaved: true,
        }
    }
}
