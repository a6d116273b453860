//! What went on in one window: the difference of what the metrics have counted.

use collab_protocol::{RejectCode, SecondFigures, ServerFigures, Spread};

use crate::app::App;
use crate::metrics::Quantiles;
use crate::registry::RoomFigures;

/// Everything that only grows, as of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Totals {
    operations: u64,
    bytes_received: u64,
    bytes_sent: u64,
    /// As [`RejectCode::ALL`] has them.
    rejects: Vec<u64>,
}

/// See the module. It remembers where the last window ended.
#[derive(Debug, Default)]
pub(super) struct Sampler(Totals);

impl Sampler {
    pub(super) fn take(&mut self, app: &App, rooms: &[RoomFigures]) -> SecondFigures {
        let metrics = &app.metrics;
        let now = Totals {
            operations: metrics.operations_count(),
            bytes_received: metrics.bytes_received.get(),
            bytes_sent: metrics.bytes_sent.get(),
            rejects: RejectCode::ALL.iter().map(|code| metrics.rejects_count(*code)).collect(),
        };
        let before = std::mem::replace(&mut self.0, now);
        let now = &self.0;
        let grown = RejectCode::ALL.iter().enumerate().map(|(index, code)| {
            let before = before.rejects.get(index).copied().unwrap_or(0);
            (*code, narrow(now.rejects[index] - before))
        });
        let [append, fanout, answer] = metrics.seconds.take().map(|taken| taken.map(spread));
        let inhabited = rooms.iter().filter(|room| room.sessions > 0).count();
        SecondFigures {
            time_ms: app.clock.now_ms(),
            people: narrow(rooms.iter().map(|room| room.people as u64).sum()),
            documents: narrow(inhabited as u64),
            operations: narrow(now.operations - before.operations),
            server: Some(ServerFigures {
                connections: u32::try_from(metrics.sockets.get()).unwrap_or(0),
                loaded: narrow(rooms.len() as u64),
                bytes_received: now.bytes_received - before.bytes_received,
                bytes_sent: now.bytes_sent - before.bytes_sent,
                rejects: grown.filter(|(_, count)| *count > 0).collect(),
                append,
                fanout,
                answer,
                memory_bytes: memory_bytes(),
            }),
        }
    }
}

fn narrow(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn spread(taken: Quantiles) -> Spread {
    let us = |time: std::time::Duration| u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
    Spread { p50_us: us(taken.p50), p99_us: us(taken.p99) }
}

/// What the process has in memory, where the system tells it as Linux does.
fn memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    resident_bytes(&status)
}

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_as_linux_tells_it() {
        let status = "Name:\tcollab-server\nVmPeak:\t  99 kB\nVmRSS:\t   4096 kB\nThreads:\t3\n";
        assert_eq!(resident_bytes(status), Some(4 << 20));
        assert_eq!(resident_bytes("Name:\tx\n"), None);
        assert_eq!(resident_bytes("VmRSS:\t many kB\n"), None);
    }
}
