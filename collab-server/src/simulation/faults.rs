//! What breaks: connections, tabs, servers, and the power.

use super::exhaustive::LeftOut;
use super::rows::Rows;
use super::violated;
use super::wire::Side;
use super::world::{Answer, What, World, note};

impl World<'_> {
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
            if self.draw.permille(plan.rights) {
                self.turn_right(tab);
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
        self.tabs[tab].is_deaf = false;
        let up = self.draw.below(self.conns[conn].up.len() + 1);
        // What would still arrive came before, where orders are left out.
        let down = match self.left_out {
            LeftOut::Nothing => self.conns[conn].down.len() + 1,
            LeftOut::Commuting | LeftOut::Unanswered => 1,
        };
        let down = self.draw.below(down);
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

    pub(super) fn both_notice(&mut self, conn: usize) {
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
        if !self.plan.is_shared {
            self.calls_die();
        }
        self.is_stuck = false;
        if self.plan.is_interleaved {
            // There is no other crash: nobody would load what is put aside from here on.
            self.plan.config.snapshot_every = u64::MAX;
        }
        self.tabs.iter_mut().for_each(|tab| tab.is_deaf = false);
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

    /// The store is a part of the program that died: what was being written is on disk or is not, and
    /// nothing gets there any more.
    fn calls_die(&mut self) {
        for (_, call) in std::mem::take(&mut self.calls) {
            if let Some(Answer::Written { end, losses, .. }) = call.answer
                && self.draw.one_in(2)
            {
                self.rows.get_mut(&call.document).expect("it exists").sync(end, losses);
            }
        }
        self.rows.values_mut().for_each(|rows| _ = rows.lose_power());
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
        let lost: usize = self.rows.values_mut().map(Rows::lose_power).sum();
        note!(self, "the power goes, and {lost} operations with it");
        self.store_down_until = self.now + self.up_to(3_000);
        if !self.plan.is_shared {
            self.crash(0, false);
        }
    }
}
