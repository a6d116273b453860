//! What breaks, and what becomes whole again.

use std::sync::Arc;

use collab_protocol::GivenRole;

use super::{DOCUMENT, Task, What, World, now, user};
use crate::rights::RightsChange;
use crate::simulation::talk::desk::Counter;
use crate::simulation::talk::rest::Told;
use crate::store::Store;

impl World<'_> {
    pub(super) fn trouble(&mut self) {
        if self.is_healed {
            return;
        }
        for conn in 0..self.conns.len() {
            if self.devices[self.conns[conn].device].conn == Some(conn)
                && self.draw.permille(self.plan.cut)
            {
                self.cut(conn);
            }
        }
        for device in 0..self.devices.len() {
            if self.draw.permille(self.plan.reload) {
                self.reload(device);
            }
        }
        for server in 0..self.servers.len() {
            if self.servers[server].is_alive && self.draw.permille(self.plan.server_crash) {
                self.crash(server);
                let delay = self.up_to(3_000);
                self.schedule(delay, What::Restart(server));
            }
        }
        for from in 0..self.servers.len() {
            for to in 0..self.servers.len() {
                if from != to && self.ways[from][to] && self.draw.permille(self.plan.way_lost) {
                    self.faults += 1;
                    self.ways[from][to] = false;
                    let delay = self.up_to(3_000);
                    self.schedule(delay, What::WayBack(from, to));
                }
            }
        }
        if self.draw.permille(self.plan.rights) {
            let role = self.draw.pick(&[GivenRole::Commenter, GivenRole::Editor]);
            let change = RightsChange::Give { person: user(1), role, by: user(0) };
            now(self.memory.change_rights(DOCUMENT, change, 0));
        }
        self.schedule(250, What::Trouble);
    }

    pub(super) fn way_back(&mut self, from: usize, to: usize) {
        if !std::mem::replace(&mut self.ways[from][to], true) && self.servers[to].is_alive {
            self.note(format_args!("server {to} hears server {from} again"));
            self.hear_gap(to);
        }
    }

    /// A connection is lost, with all that is on its way but the first part.
    pub(super) fn cut(&mut self, conn: usize) {
        self.faults += 1;
        let kept_up = self.draw.below(self.conns[conn].up.len() + 1);
        let kept_down = self.draw.below(self.conns[conn].down.len() + 1);
        self.note(format_args!("conn {conn} is cut behind {kept_up} and {kept_down} frames"));
        self.conns[conn].up.cut(kept_up);
        self.conns[conn].down.cut(kept_down);
        let (server, device) = (self.up_to(3_000), self.up_to(3_000));
        self.schedule(server, What::ServerNotices(conn));
        self.schedule(device, What::DeviceNotices(conn));
    }

    pub(super) fn reload(&mut self, device: usize) {
        self.faults += 1;
        self.note(format_args!("device {device} is loaded anew"));
        if let Some(conn) = self.devices[device].conn {
            self.device_loses(conn);
        }
        self.pages[device] += 1;
        self.devices[device].reload();
        self.connect_later(device);
    }

    /// A server dies. What it asked of the store may still get there.
    pub(super) fn crash(&mut self, server: usize) {
        self.faults += 1;
        self.has_crashed = true;
        self.note(format_args!("server {server} dies"));
        let desk = Arc::new(Counter::new(self.memory.clone(), Arc::clone(&self.clockwork)));
        let own = &mut self.servers[server];
        let incarnation = own.incarnation;
        (own.is_alive, own.incarnation, own.desk) = (false, incarnation + 1, desk);
        (own.room, own.watch, own.is_looking, own.tend_at) = (None, None, false, None);
        let dead = |task: &Task| task.server == server && task.incarnation == incarnation;
        let dead: Vec<u64> =
            self.tasks.iter().filter(|(_, task)| dead(task)).map(|(number, _)| *number).collect();
        for number in &dead {
            self.tasks.remove(number);
        }
        let left: Vec<u64> = self
            .calls
            .iter()
            .filter(|(_, asking)| dead.contains(&asking.task))
            .map(|(number, _)| *number)
            .collect();
        for call in left {
            if self.draw.one_in(2) {
                self.calls.remove(&call);
            }
        }
        let requests = self.requests.iter().filter(|(_, request)| request.server == server);
        let requests: Vec<u64> = requests.map(|(number, _)| *number).collect();
        for request in requests {
            self.schedule(1, What::Told { request, told: Told::Lost });
        }
        for conn in 0..self.conns.len() {
            if self.conns[conn].server == server && self.conns[conn].incarnation == incarnation {
                self.conns[conn].feed = None;
                let kept = self.draw.below(self.conns[conn].down.len() + 1);
                self.conns[conn].down.cut(kept);
                self.conns[conn].up.cut(0);
                self.move_down(conn);
            }
        }
    }
}
