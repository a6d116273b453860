//! The windows of the last 15 minutes, and what of them somebody is told. Pure.

use std::collections::VecDeque;

use collab_protocol::{Figures, FiguresOf, SecondFigures};

use super::HISTORY_LEN;
use super::documents::{Documents, RoomSecond};
use crate::rights::Visitor;

/// See the module. Windows have numbers from 1.
///
/// Invariant: `seconds` are the last ones, at most [`HISTORY_LEN`], and `last` is the number of the
/// newest.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    last: u64,
    seconds: VecDeque<SecondFigures>,
    documents: Documents,
}

impl Ledger {
    /// The number of the newest window; 0 where there is none.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Puts down a window.
    pub(super) fn add(&mut self, second: SecondFigures, rooms: &[RoomSecond]) {
        self.last += 1;
        if self.seconds.len() == HISTORY_LEN {
            self.seconds.pop_front();
        }
        self.seconds.push_back(second);
        self.documents.add(self.last, rooms);
    }

    /// What is told to who was told everything up to the window `told`.
    pub(super) fn figures(
        &mut self,
        told: Option<u64>,
        of: FiguresOf,
        visitor: &Visitor,
    ) -> Figures {
        let kept = self.seconds.len() as u64;
        let oldest = self.last + 1 - kept;
        let from = told.map_or(oldest, |told| oldest.max(told + 1));
        let seconds = self.seconds.iter().skip((from - oldest) as usize);
        let (seconds, documents) = match of {
            FiguresOf::Server => {
                let seconds = seconds.cloned().collect();
                (seconds, self.documents.busiest(self.last, visitor))
            }
            FiguresOf::Own => {
                let sums = self.documents.own_sums(from, self.last + 1, visitor);
                let seconds = seconds.zip(sums).map(|(second, sum)| SecondFigures {
                    time_ms: second.time_ms,
                    people: sum.people,
                    documents: sum.documents,
                    operations: sum.operations,
                    server: None,
                });
                (seconds.collect(), self.documents.own_busiest(self.last, visitor))
            }
        };
        Figures { of, first: told.is_none(), seconds, documents }
    }
}

#[cfg(test)]
mod tests {
    use collab_protocol::ServerFigures;

    use super::*;

    fn second(time_ms: i64) -> SecondFigures {
        let server = ServerFigures { memory_bytes: Some(7), ..ServerFigures::default() };
        SecondFigures { time_ms, people: 9, server: Some(server), ..SecondFigures::default() }
    }

    fn times(figures: &Figures) -> Vec<i64> {
        figures.seconds.iter().map(|second| second.time_ms).collect()
    }

    #[test]
    fn who_opens_gets_fifteen_minutes_and_then_what_is_new() {
        let mut ledger = Ledger::default();
        let visitor = "ada".parse::<collab_protocol::UserId>().expect("an id").into();
        for of in [FiguresOf::Server, FiguresOf::Own] {
            let nothing = Ledger::default().figures(None, of, &visitor);
            assert!(nothing.first && nothing.seconds.is_empty() && nothing.documents.is_empty());
        }
        for time in 1..=1_000 {
            ledger.add(second(time), &[]);
        }
        let first = ledger.figures(None, FiguresOf::Server, &visitor);
        assert_eq!((first.first, times(&first)), (true, (101..=1_000).collect()));
        let next = ledger.figures(Some(997), FiguresOf::Own, &visitor);
        assert_eq!((next.first, times(&next)), (false, vec![998, 999, 1_000]));
        assert!(ledger.figures(Some(1_000), FiguresOf::Own, &visitor).seconds.is_empty());
        let late = ledger.figures(Some(5), FiguresOf::Server, &visitor);
        assert_eq!(late.seconds.len(), HISTORY_LEN, "what is not kept any more is not told");
    }

    #[test]
    fn of_the_server_as_a_whole_an_owner_is_told_nothing() {
        let mut ledger = Ledger::default();
        let visitor = "ada".parse::<collab_protocol::UserId>().expect("an id").into();
        ledger.add(second(1), &[]);
        let own = ledger.figures(None, FiguresOf::Own, &visitor);
        assert_eq!(own.seconds, [SecondFigures { time_ms: 1, ..SecondFigures::default() }]);
        let all = ledger.figures(None, FiguresOf::Server, &visitor);
        assert_eq!(all.seconds, [second(1)]);
    }
}
