//! The two phases: faults, and then a healed part of the world that must come to rest.

use collab_protocol::SelectionRange;
use ot_core::{Operation, Revision};

use super::violated;
use super::wire::Side;
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

    /// Perhaps something breaks.
    pub(super) fn trouble(&mut self) {
        if self.is_healed {
            return;
        }
        self.schedule(self.plan.think_ms + 50, What::Trouble);
        let plan = self.plan.clone();
        for tab in 0..self.tabs.len() {
            if self.draw.permille(plan.cut) {
                self.cut_of(tab);
            }
            if self.draw.permille(plan.one_way) {
                self.kill_one_way(tab);
            }
            if self.draw.permille(plan.reload) {
                self.reload(tab);
            }
        }
        for server in 0..self.servers.len() {
            if self.draw.permille(plan.server_crash) {
                self.crash(server, false);
            }
            if self.draw.permille(plan.server_pause) {
                let pause = self.up_to(15_000);
                self.faults += 1;
                note!(self, "server {server} stands still for {pause} ms");
                self.servers[server].paused_until = self.now + pause;
            }
            if self.draw.permille(plan.clock_jump) {
                self.faults += 1;
                let jump = self.draw.between(0, 7_200_000) as i64 - 3_600_000;
                self.servers[server].clock_off_ms += jump;
            }
        }
        if self.draw.permille(plan.power_loss) {
            self.lose_power();
        }
    }

    /// The connection of a tab is lost, with a part of what was on its way. Both ends notice, in
    /// their own time.
    pub(super) fn cut_of(&mut self, tab: usize) {
        let Some(conn) = self.tabs[tab].conn else { return };
        self.faults += 1;
        let up = self.draw.below(self.conns[conn].up.len() + 1);
        let down = self.draw.below(self.conns[conn].down.len() + 1);
        note!(self, "conn {conn} is cut: {up} more up, {down} more down");
        self.conns[conn].up.cut(up);
        self.conns[conn].down.cut(down);
        self.move_up(conn);
        self.move_down(conn);
    }

    fn kill_one_way(&mut self, tab: usize) {
        let Some(conn) = self.tabs[tab].conn else { return };
        self.faults += 1;
        note!(self, "conn {conn} carries one way only");
        if self.draw.one_in(2) {
            self.conns[conn].up.is_dead = true;
        } else {
            self.conns[conn].down.is_dead = true;
        }
        self.both_notice(conn);
    }

    fn both_notice(&mut self, conn: usize) {
        let (late, later) = (self.up_to(45_000), self.up_to(45_000));
        self.schedule(late, What::ClientNotices(conn));
        self.schedule(later, What::ServerNotices(conn));
    }

    /// The tab is closed and opened again from what is on the device.
    fn reload(&mut self, tab: usize) {
        let Some(client) = &self.tabs[tab].client else { return };
        self.faults += 1;
        note!(self, "tab {tab} is reloaded");
        let work = client.export();
        let restored = ot_core::Client::restore(work.clone());
        let restored = restored.expect("what was exported is sound");
        if restored.export() != work {
            violated("work survives a reload", format!("tab {tab} came back otherwise"));
        }
        self.tabs[tab].client = Some(restored);
        self.tabs[tab].own = None;
        if let Some(conn) = self.tabs[tab].conn {
            self.client_loses(conn);
        }
    }

    /// A server dies and takes all that it had in memory along; with it the power, perhaps.
    pub(super) fn crash(&mut self, server: usize, for_ever: bool) {
        if !self.servers[server].is_alive {
            return;
        }
        self.faults += 1;
        note!(self, "server {server} dies");
        self.servers[server].die();
        for conn in 0..self.conns.len() {
            let known = &mut self.conns[conn];
            if known.server == server && !matches!(known.side, Side::Gone) {
                known.side = Side::Gone;
                let tab = known.tab;
                known.down.cut(0);
                self.move_down(conn);
                if self.tabs[tab].conn == Some(conn) {
                    let late = self.up_to(2_000);
                    self.schedule(late, What::ClientNotices(conn));
                }
            }
        }
        if !for_ever {
            let down = self.up_to(5_000);
            self.schedule(down, What::Restart(server));
        }
    }

    pub(super) fn restart(&mut self, server: usize) {
        note!(self, "server {server} starts");
        self.servers[server].is_alive = true;
        self.servers[server].paused_until = 0;
        if self.plan.is_interleaved {
            (0..self.tabs.len()).for_each(|tab| self.schedule(0, What::Connect(tab)));
        }
    }

    /// The database's machine loses power: what was not synced is gone. Where server and database
    /// are one program, so is that.
    fn lose_power(&mut self) {
        self.faults += 1;
        let lost: usize = self.rows.values_mut().map(super::rows::Rows::lose_power).sum();
        note!(self, "the power goes, and {lost} operations with it");
        self.store_down_until = self.now + self.up_to(3_000);
        if !self.plan.is_shared {
            self.crash(0, false);
        }
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
            let is_core = (tab + self.plan.edits) % self.tabs.len() < tabs_kept;
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
        self.speak_last_words();
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

    /// Everything happens that can; then all must be well.
    pub(super) fn run_out(&mut self) {
        while !self.is_over() {
            self.step();
        }
        if !self.has_converged() {
            violated("it comes to rest", format!("nothing moves any more: {}", self.state()));
        }
        self.check_all();
    }

    /// Everybody who is left says one thing more: what others missed until now, they miss no more.
    fn speak_last_words(&mut self) {
        for tab in 0..self.tabs.len() {
            if self.tabs[tab].is_alive && self.tabs[tab].client.is_some() {
                let len = self.tabs[tab].client.as_ref().map_or(0, |c| c.text().len_chars());
                self.say(tab, len);
            }
        }
    }

    fn say(&mut self, tab: usize, at: usize) {
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

    fn state(&self) -> String {
        let mut state = String::new();
        for (id, rows) in &self.rows {
            state.push_str(&format!("log {id}: {}", rows.head()));
        }
        for (number, tab) in self.tabs.iter().enumerate().filter(|(_, tab)| tab.is_alive) {
            state.push_str(&format!(
                "; tab {number}: at {}, joined {}, pending {}, sees {:?}, has {:?}",
                tab.revision(),
                tab.is_joined,
                tab.has_pending(),
                tab.people,
                tab.own,
            ));
        }
        for (number, server) in self.servers.iter().enumerate() {
            for host in server.hosts.values() {
                let head = host.core.as_ref().map(|core| core.head());
                state.push_str(&format!("; server {number}: at {head:?}, told {}", host.told));
            }
        }
        state
    }

    /// Whether everybody who is left holds what the log holds.
    fn has_converged(&self) -> bool {
        let tabs = self.tabs.iter().filter(|tab| tab.is_alive).all(|tab| {
            let head = self.rows[&tab.document].head().get();
            tab.is_joined && tab.actions == 0 && !tab.has_pending() && tab.revision() == head
        });
        let hosts = self.servers.iter().filter(|server| server.is_alive);
        tabs && hosts.flat_map(|server| server.hosts.values()).all(|host| {
            let head = host.core.as_ref().map(|core| core.head());
            // Nobody tells a server of what was said before it listened, where nothing is read
            // unasked; who is in it is told by its own stream.
            head.is_some_and(|head| head == self.rows[&host.document].head())
        })
    }

    /// Whether everybody sees everybody else's selections, in one server, where they are.
    fn sees_alike(&self) -> bool {
        let sessions: Vec<_> = self
            .conns
            .iter()
            .enumerate()
            .filter_map(|(number, conn)| {
                let Side::Open { host, session, .. } = &conn.side else { return None };
                let is_current = self.tabs[conn.tab].conn == Some(number);
                is_current.then_some(((conn.server, *host), *session, conn.tab))
            })
            .collect();
        sessions.iter().all(|(place, session, tab)| {
            let own: Vec<SelectionRange> = self.tabs[*tab].ranges();
            let others = sessions.iter().filter(|(there, _, other)| there == place && other != tab);
            others.into_iter().all(|(_, _, other)| {
                let seen = self.tabs[*other].people.get(session);
                seen.is_some_and(|seen| World::shown(seen) == own)
            })
        })
    }

    /// What must be true at the end.
    fn check_all(&mut self) {
        for (id, rows) in &self.rows {
            let text = rows.text_at(rows.head());
            for (number, server) in self.servers.iter().enumerate() {
                for host in server.hosts.values().filter(|host| host.document == *id) {
                    let core = host.core.as_ref().expect("at rest");
                    if core.text().to_string() != text {
                        violated("texts are equal", format!("server {number}: {}", core.text()));
                    }
                }
            }
            for (number, tab) in self.tabs.iter().enumerate() {
                if tab.document != *id || !tab.is_alive {
                    continue;
                }
                let own = tab.client.as_ref().expect("at rest").text().to_string();
                if own != text {
                    violated("texts are equal", format!("tab {number}: {own:?}, log: {text:?}"));
                }
            }
        }
        let mut logged = std::collections::BTreeSet::new();
        let mut all = String::new();
        for rows in self.rows.values() {
            all.push_str(&rows.text_at(rows.head()));
            let operations = rows.operations(Revision::ZERO, rows.head());
            operations.iter().for_each(|op| logged.extend(op.inserted_text().chars()));
        }
        let is_core = |tab: usize| self.tabs[tab].is_alive;
        self.ledger.check(&all, is_core, |letter| logged.contains(&letter));
        self.check_submissions();
        note!(self, "at rest");
    }

    /// Each submission of who is left has its one end: in the log, or refused.
    fn check_submissions(&self) {
        for (number, tab) in self.tabs.iter().enumerate().filter(|(_, tab)| tab.is_alive) {
            let rows = &self.rows[&tab.document];
            for seq in tab.sent.keys() {
                let is_in = rows.find(tab.id, ot_core::ClientSeq::new(*seq)).is_some();
                if is_in == tab.refused.contains(seq) {
                    let message = format!("tab {number}, {seq}: in the log {is_in}");
                    violated("each submission has one end", message);
                }
            }
        }
    }
}
