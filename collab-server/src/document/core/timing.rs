//! What a document does by the clock: wakes, checks of the text, presence, the end of idle ones, and
//! looks at the log.

use std::time::Duration;

use collab_protocol::TextHash;

use super::{Core, Order, Read, Sharing};
use crate::sabotage::{self, Bug};

/// What happens next, by the clock.
#[derive(Clone, Debug, Default)]
pub(super) struct Deadlines {
    wake: Option<Duration>,
    presence: Option<Duration>,
    check: Option<Duration>,
    idle: Option<Duration>,
    poll: Option<Duration>,
    /// When other servers are to be told something, or given up.
    pub(super) neighbours: Option<Duration>,
}

fn is_due(deadline: &mut Option<Duration>, now: Duration) -> bool {
    let is_due = deadline.is_some_and(|at| at <= now);
    if is_due {
        *deadline = None;
    }
    is_due
}

impl Core {
    /// When [`turn`](Self::turn) is to be called although nothing happens. While something is under
    /// way its end is awaited, and not the idle time.
    pub(crate) fn next_deadline(&self, is_working: bool) -> Option<Duration> {
        let Deadlines { wake, presence, check, idle, poll, neighbours } = self.deadlines;
        let idle = idle.filter(|_| !is_working);
        [wake, presence, check, idle, poll, neighbours].into_iter().flatten().min()
    }

    /// Whether the document may be unloaded, as far as it knows: nothing it ordered may be under
    /// way, except looks at the log.
    pub(crate) fn may_end(&self, now: Duration) -> bool {
        let is_due = self.is_stopping || self.deadlines.idle.is_some_and(|idle_at| idle_at <= now);
        is_due && self.is_unused() && !self.is_snapshotting
    }

    /// Wakes the writers now or, where many people type, after the pause that the load asks for;
    /// and sees to it that the text is checked.
    pub(super) fn schedule(&mut self, now: Duration) {
        let is_fifth = self.state.head().get().is_multiple_of(5);
        if sabotage::is_planted(Bug::LostWake) && is_fifth
            || sabotage::strikes(Bug::LostWakeAfterUnknown)
        {
            return;
        }
        let wake_at = {
            let room = self.room.lock();
            let sessions = room.session_count();
            let wake_at = self.pace.next_wake(now, sessions);
            if wake_at <= now {
                room.wake_all();
                self.pace.woken(now, sessions);
            }
            wake_at
        };
        self.deadlines.wake = (wake_at > now).then_some(wake_at);
        self.schedule_check(now);
    }

    /// Whether the writers are woken after a pause, by the clock.
    #[cfg(feature = "simulation")]
    pub(crate) fn wakes_later(&self) -> bool {
        self.deadlines.wake.is_some()
    }

    pub(super) fn schedule_check(&mut self, now: Duration) {
        if self.deadlines.check.is_none() {
            let quiet = now + self.config.check_quiet;
            let spaced = self.last_check.map_or(quiet, |last| last + self.config.check_interval);
            self.deadlines.check = Some(quiet.max(spaced));
        }
    }

    pub(super) fn act_on_deadlines(&mut self, now: Duration) {
        if is_due(&mut self.deadlines.wake, now) {
            let room = self.room.lock();
            self.pace.woken(now, room.session_count());
            room.wake_all();
        }
        if is_due(&mut self.deadlines.check, now) {
            self.last_check = Some(now);
            self.check_text();
        }
    }

    fn check_text(&self) {
        let mut room = self.room.lock();
        if room.session_count() == 0 {
            return;
        }
        room.set_check(TextHash::new(self.state.text().hash().get()));
        room.wake_all();
    }

    /// Lets the writers send who came, moved or went: at once, but not too often.
    pub(super) fn publish_presence(&mut self, now: Duration) {
        let may_at = self.last_presence.map_or(now, |last| last + self.config.presence_interval);
        let mut room = self.room.lock();
        if !room.has_unpublished_presence() {
            self.deadlines.presence = None;
        } else if may_at > now {
            self.deadlines.presence = Some(may_at);
        } else {
            room.publish_presence();
            room.wake_all();
            self.last_presence = Some(now);
            self.deadlines.presence = None;
        }
    }

    /// Starts or stops the time after which an unused document is unloaded. A last snapshot comes
    /// first.
    pub(super) fn watch_idleness(&mut self, now: Duration, now_ms: i64) -> Option<Order> {
        if !self.is_unused() {
            self.deadlines.idle = None;
            return None;
        }
        let idle_at = *self.deadlines.idle.get_or_insert(now + self.config.idle_timeout);
        if (idle_at <= now || self.is_stopping) && !self.is_damaged {
            return self.snapshot(now_ms);
        }
        None
    }

    /// Looks at the log now and then where other servers may write to it: what they say of it may
    /// get lost.
    pub(super) fn poll_if_due(&mut self, now: Duration) -> Option<Order> {
        if self.sharing == Sharing::Alone || sabotage::is_planted(Bug::NoHeadPoll) {
            return None;
        }
        let next = now + self.poll_interval();
        let poll_at = *self.deadlines.poll.get_or_insert(next);
        if poll_at > now && !self.must_look {
            return None;
        }
        self.deadlines.poll = Some(next);
        if self.is_polling || self.is_damaged || !self.state.may_ingest() {
            // What is under way tells as much, unless it began before something was missed: then
            // the log is looked at after it.
            return None;
        }
        self.is_polling = true;
        self.must_look = false;
        Some(Order::Read(Read::Poll { after: self.state.head() }))
    }

    fn poll_interval(&self) -> Duration {
        let is_told = matches!(self.sharing, Sharing::Told(_)) && !self.is_cut_off;
        if is_told { self.config.poll_interval } else { self.config.poll_interval_alone }
    }

    fn is_unused(&self) -> bool {
        let is_empty = self.asking.is_empty() && self.room.lock().session_count() == 0;
        (is_empty || self.is_stopping) && self.state.is_quiet()
    }
}
