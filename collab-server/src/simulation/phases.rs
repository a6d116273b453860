//! The two phases: faults, and then a healed part of the world that must come to rest.

use ot_core::Operation;

use super::violated;
use super::world::{What, World, note};

/// How long the healed part may take to hold one text.
const LIVENESS_MS: u64 = 240_000;

impl World<'_> {
    /// People work, and things break.
    pub(super) fn live_through_faults(&mut self) {
        self.schedule(100, What::Trouble);
        while !self.is_over() && self.next_at() <= self.plan.safety_ms {
            self.step();
        }
        self.now = self.plan.safety_ms.max(self.now);
    }

    /// Heals a part of the world for good; the rest stays dead. What is left must come to hold one
    /// text, and all that was promised must be true.
    pub(super) fn heal(&mut self) {
        self.is_healed = true;
        let plan = &mut self.plan;
        let rates = [
            &mut plan.cut,
            &mut plan.one_way,
            &mut plan.reload,
            &mut plan.append_fails,
            &mut plan.append_unknown,
            &mut plan.store_stalls,
            &mut plan.read_fails,
            &mut plan.fanout_drop,
            &mut plan.fanout_double,
        ];
        rates.into_iter().for_each(|rate| *rate = 0);
        self.store_down_until = 0;
        self.keep_a_part();
        self.leave_a_writer();
        if self.plan.needs_last_words() {
            self.await_the_dead();
            self.speak_last_words();
        }
        self.come_to_rest("texts", Self::has_converged);
        for tab in 0..self.tabs.len() {
            if self.tabs[tab].is_alive {
                self.select(tab);
                self.pump(tab);
                // One that finds the mailbox half full is dropped: so not all at once.
                self.run_for(3 * self.plan.latency_ms + 100);
            }
        }
        self.come_to_rest("selections", |world| world.has_converged() && world.sees_alike());
        for number in 0..self.plan.documents {
            let writer = (0..self.tabs.len())
                .rfind(|tab| self.tabs[*tab].is_alive && tab % self.plan.documents == number);
            if let Some(tab) = writer {
                self.say(tab, 0);
            }
        }
        self.come_to_rest("selections", |world| world.has_converged() && world.sees_alike());
        // Who comes back is told where the others are by the server, which carried them.
        if let Some(conn) = self.tabs.iter().find_map(|tab| tab.conn.filter(|_| tab.is_alive)) {
            self.client_loses(conn);
        }
        self.come_to_rest("selections", |world| world.has_converged() && world.sees_alike());
        self.check_all();
    }

    /// Which servers and tabs go on; the others are dead for ever.
    fn keep_a_part(&mut self) {
        let servers_kept = 1 + self.draw.below(self.servers.len());
        for server in 0..self.servers.len() {
            if server >= servers_kept {
                self.crash(server, true);
            } else if !self.servers[server].is_alive {
                self.restart(server);
            }
            self.servers[server].paused_until = 0;
        }
        let tabs_kept = 1 + self.draw.below(self.tabs.len());
        for tab in 0..self.tabs.len() {
            let is_core =
                (tab + self.plan.edits) % self.tabs.len() < tabs_kept || self.is_constant(tab);
            self.tabs[tab].is_alive = is_core;
            if !is_core && let Some(conn) = self.tabs[tab].conn {
                self.tabs[tab].conn = None;
                self.conns[conn].up.cut(0);
                self.move_up(conn);
            }
        }
        // Heartbeats find out what is dead.
        for conn in 0..self.conns.len() {
            let known = &self.conns[conn];
            if known.up.is_dead || known.down.is_dead || known.up.is_closed || known.down.is_closed
            {
                self.both_notice(conn);
            }
        }
        note!(self, "healed: {servers_kept} servers, {tabs_kept} tabs");
    }

    /// Everybody joins, in order; then everybody is about to act.
    pub(super) fn open_all(&mut self) {
        let actions = std::mem::take(&mut self.plan.edits);
        self.tabs.iter_mut().for_each(|tab| tab.actions = 0);
        self.is_in_order = true;
        while !self.is_over() {
            self.step();
        }
        self.is_in_order = false;
        for tab in 0..self.tabs.len() {
            self.tabs[tab].actions = actions;
            self.schedule(0, What::Act(tab));
        }
    }

    /// Goes on until there is more than one way to go on, or none; then all must be well. Whether it
    /// came to rest.
    pub(super) fn run_on(&mut self) -> bool {
        loop {
            self.forget_moot();
            let moves = self.moves();
            match moves.len() {
                0 => break,
                1 => self.make_one_of(&moves),
                _ => return false,
            }
            self.check_asleep();
        }
        if !self.has_converged() {
            violated("it comes to rest", format!("nothing moves any more: {}", self.state()));
        }
        self.check_all();
        true
    }

    /// What dead servers asked for may still get to the database, and nobody is told.
    fn await_the_dead(&mut self) {
        let is_of_the_dead = |world: &Self| {
            let mut calls = world.calls.values();
            calls.any(|call| world.servers[call.server].incarnation != call.incarnation)
        };
        while is_of_the_dead(self) && !self.is_over() {
            self.step();
        }
    }

    /// Everybody who is left says one thing more: what others missed until now, they miss no more.
    /// Only where nothing else tells them, since it would also free what a lost wake left standing.
    fn speak_last_words(&mut self) {
        for tab in 0..self.tabs.len() {
            if self.tabs[tab].is_alive && self.tabs[tab].client.is_some() {
                let len = self.tabs[tab].client.as_ref().map_or(0, |c| c.text().len_chars());
                self.say(tab, len);
            }
        }
    }

    fn say(&mut self, tab: usize, at: usize) {
        if !self.tabs[tab].may_write {
            return;
        }
        let len = self.tabs[tab].client.as_ref().expect("it speaks").text().len_chars();
        let letter = self.ledger.letter().to_string();
        self.make(tab, Operation::splice(len, at, 0, &letter).expect("fits"));
        self.pump(tab);
    }

    fn run_for(&mut self, ms: u64) {
        let end = self.now + ms;
        while self.next_at() <= end {
            self.step();
        }
        self.now = end;
    }

    fn come_to_rest(&mut self, what: &str, is_at_rest: impl Fn(&Self) -> bool) {
        let deadline = self.now + LIVENESS_MS;
        let mut look_at = self.now;
        while !self.is_over() {
            if self.now >= look_at {
                if is_at_rest(self) {
                    return;
                }
                look_at = self.now + 500;
            }
            if self.next_at() > deadline {
                break;
            }
            self.step();
        }
        if !is_at_rest(self) {
            violated("it comes to rest", format!("{what} differ still: {}", self.state()));
        }
    }
}
