//! A line in the log, once a minute, that tells how much goes on. It names no person and no
//! document: rooms go by the number of their loading, which says nothing outside this process.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use ot_core::Revision;
use tokio::time::Instant;

use crate::app::App;
use crate::registry::RoomFigures;

/// How many of the busiest rooms are named.
const BUSIEST: usize = 5;

/// Writes the line until the server stops.
pub(crate) async fn run(app: Arc<App>) {
    let every = Duration::from_secs(app.config.statistics_s.into());
    if every.is_zero() {
        return;
    }
    let mut tally = Tally::default();
    let mut began = Instant::now();
    let mut operations = app.metrics.operations_count();
    loop {
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = app.shutdown.stopping.cancelled() => return,
        }
        let took = began.elapsed();
        began = Instant::now();
        let rooms = app.registry.rooms();
        let busiest = tally.busiest(&rooms, took);
        let now = app.metrics.operations_count();
        let operations_per_s = per_s(now - operations, took);
        operations = now;
        let inhabited = rooms.iter().filter(|room| room.sessions > 0).count();
        let people: usize = rooms.iter().map(|room| room.people).sum();
        let lag_revisions = rooms.iter().map(|room| room.lag_revisions).max().unwrap_or(0);
        let append_p99_ms = app.metrics.take_append_p99().map(|p99| p99.as_secs_f64() * 1e3);
        tracing::info!(
            documents = rooms.len(),
            rooms = inhabited,
            people,
            sockets = app.metrics.sockets.get(),
            operations_per_s,
            append_p99_ms,
            lag_revisions,
            busiest,
            "statistics"
        );
    }
}

/// A rate with one digit behind the point.
fn per_s(count: u64, took: Duration) -> f64 {
    (10.0 * count as f64 / took.as_secs_f64()).round() / 10.0
}

/// Where each room was at the last line.
#[derive(Debug, Default)]
struct Tally(HashMap<u64, Revision>);

impl Tally {
    /// The rooms with most operations since the last call, as text: number, rate, people.
    fn busiest(&mut self, rooms: &[RoomFigures], took: Duration) -> String {
        // Of a room that was not there before, what it has committed since is not known.
        let grown = |room: &RoomFigures| {
            let before = self.0.get(&room.number).copied().unwrap_or(room.head);
            room.head.get() - before.get()
        };
        let mut busy: Vec<(u64, &RoomFigures)> =
            rooms.iter().map(|room| (grown(room), room)).filter(|(grown, _)| *grown > 0).collect();
        busy.sort_unstable_by_key(|(grown, room)| (u64::MAX - grown, room.number));
        let mut text = String::new();
        for (grown, room) in busy.into_iter().take(BUSIEST) {
            let comma = if text.is_empty() { "" } else { ", " };
            let (number, people, rate) = (room.number, room.people, per_s(grown, took));
            write!(text, "{comma}room {number}: {rate}/s by {people}")
                .expect("writing to a string does not fail");
        }
        self.0 = rooms.iter().map(|room| (room.number, room.head)).collect();
        text
    }
}

#[cfg(test)]
mod tests {
    use collab_protocol::{DocumentId, TenantId};

    use super::*;
    use crate::dashboard::Holder;

    fn room(number: u64, head: u64, people: usize) -> RoomFigures {
        let head = Revision::new(head);
        let (document, owner) = (DocumentId::new(number.into()), "g_1".parse().expect("an id"));
        let holder = Arc::new(Holder { tenant: TenantId::default(), owner });
        RoomFigures {
            document,
            holder,
            number,
            sessions: people,
            people,
            elsewhere: 0,
            head,
            lag_revisions: 0,
        }
    }

    #[test]
    fn the_busiest_rooms_come_first_and_quiet_ones_not_at_all() {
        let mut tally = Tally::default();
        let minute = Duration::from_secs(60);
        assert_eq!(tally.busiest(&[room(1, 500, 2), room(2, 0, 1), room(3, 9, 1)], minute), "");
        let now = [room(1, 560, 2), room(2, 600, 3), room(3, 9, 1), room(4, 77, 1)];
        assert_eq!(tally.busiest(&now, minute), "room 2: 10/s by 3, room 1: 1/s by 2");
        let many: Vec<RoomFigures> = (1..=4).map(|number| room(number, 1_000, 1)).collect();
        let text = tally.busiest(&many, minute);
        assert!(text.starts_with("room 3: 16.5/s by 1, room 4: 15.4/s"), "{text}");
    }
}
