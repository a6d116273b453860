//! What is to be reached: each a ratio to a peer in the same run, or a bound.

use crate::figures::{Figures, show};
use crate::subject::Subject;

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    AtMost,
    AtLeast,
}

/// See the module.
struct Target {
    scenario: &'static str,
    subject: Subject,
    figure: &'static str,
    is: Is,
    /// The bound: this times the peer's figure, or this alone.
    factor: f64,
    peer: Option<Subject>,
    /// Where the factor comes from, if that is no plain wish.
    why: &'static str,
}

const fn target(
    scenario: &'static str,
    subject: Subject,
    figure: &'static str,
    is: Is,
    factor: f64,
    peer: Option<Subject>,
) -> Target {
    Target { scenario, subject, figure, is, factor, peer, why: "" }
}

use Is::{AtLeast, AtMost};
use Subject::{
    Concord, ConcordPostgres, DurableRelay, Relay, Relay4k, ShareDbPostgres, YWebsocket,
};

const TARGETS: &[Target] = &[
    target("s1", Concord, "ack p50 ms", AtMost, 1.1, Some(DurableRelay)),
    target("s1", Concord, "ack p99 ms", AtMost, 5.0, None),
    target("s2", Concord, "received p99 ms", AtMost, 0.6, Some(DurableRelay)),
    target("s2", Concord, "server CPU µs/op", AtMost, 0.8, Some(Relay)),
    target("s2", Concord, "lost", AtMost, 0.0, None),
    target("s2-400", Concord, "received p99 ms", AtMost, 100.0, None),
    target("s2-400", Concord, "lost", AtMost, 0.0, None),
    Target {
        why: "Rustpad in memory, measured beside the relay",
        ..target("s3a", Concord, "acked/s", AtLeast, 0.556, Some(Relay))
    },
    target("s3b", Concord, "acked/s", AtLeast, 0.8, Some(Relay)),
    target("s4", Concord, "KB/connection", AtMost, 0.0, Some(Relay4k)),
    target("s4", Concord, "joins/s", AtLeast, 10_000.0, None),
    target("s4", Concord, "idle CPU %", AtMost, 0.5, None),
    target("s5", Concord, "join ms", AtMost, 3.0, None),
    target("s5", Concord, "bytes/text", AtMost, 1.2, None),
    Target {
        why: "of the document with 10 revisions",
        ..target("s5-million", Concord, "join, times that of 10", AtMost, 1.5, None)
    },
    Target {
        why: "of the document with 10 revisions",
        ..target("s5-million", Concord, "first join, times that of 10", AtMost, 1.5, None)
    },
    target("s5b", Concord, "acked/s", AtLeast, 25_000.0, None),
    target("s5b", Concord, "acked/s", AtLeast, 1.0, Some(YWebsocket)),
    target("s3a", ConcordPostgres, "acked/s", AtLeast, 50.0, Some(ShareDbPostgres)),
    target("s3b", ConcordPostgres, "acked/s", AtLeast, 20.0, Some(ShareDbPostgres)),
    Target {
        why: "what is typed is answered",
        ..target("s2", ConcordPostgres, "answered/typed", AtLeast, 0.99, None)
    },
];

/// Memory per connection may exceed the relay's by this, in KB.
const CONNECTION_KB_MORE: f64 = 3.0;

/// The rows of all targets whose scenario was run.
pub(crate) fn rows(figures: &Figures) -> Vec<String> {
    TARGETS.iter().filter_map(|target| target.row(figures)).collect()
}

impl Target {
    fn row(&self, figures: &Figures) -> Option<String> {
        let figure = figures.median(self.scenario, self.subject, self.figure)?;
        let peer = match self.peer {
            Some(peer) => Some((peer, figures.median(self.scenario, peer, self.figure)?)),
            None => None,
        };
        let sign = if self.is == AtMost { "≤" } else { "≥" };
        let (bound, wanted) = match peer {
            Some((peer, of_peer)) if self.factor == 0.0 => {
                let wanted = format!("{sign} {} + {CONNECTION_KB_MORE} KB", peer.name());
                (of_peer + CONNECTION_KB_MORE, wanted)
            }
            Some((peer, of_peer)) => {
                (self.factor * of_peer, format!("{sign} {} × {}", self.factor, peer.name()))
            }
            None => (self.factor, format!("{sign} {}", show(self.factor))),
        };
        let wanted = match self.why {
            "" => wanted,
            why => format!("{wanted} ({why})"),
        };
        let ratio = match peer {
            Some((_, of_peer)) => format!("{} of {}", show(figure / of_peer), show(of_peer)),
            None => "–".to_owned(),
        };
        let is_met = match self.is {
            AtMost => figure <= bound,
            AtLeast => figure >= bound,
        };
        let verdict = if is_met { "met" } else { "**NOT MET**" };
        let (scenario, subject, name) = (self.scenario, self.subject.name(), self.figure);
        Some(format!(
            "| {scenario} {subject}: {name} | {wanted} | {} | {ratio} | {verdict} |",
            show(figure)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_met_by_its_ratio_and_left_out_where_its_peer_was_not_run() {
        let mut figures = Figures::default();
        figures.add("s3b", Concord, "acked/s", 800.0);
        assert!(rows(&figures).is_empty());
        figures.add("s3b", Relay, "acked/s", 1_000.0);
        assert!(rows(&figures)[0].ends_with("| 0.80 of 1,000 | met |"), "{:?}", rows(&figures));
        figures.add("s4", Concord, "KB/connection", 16.0);
        figures.add("s4", Relay4k, "KB/connection", 12.4);
        assert!(rows(&figures)[1].ends_with("**NOT MET** |"), "{:?}", rows(&figures));
    }
}
