//! Where a stretch of an old text is in a later one.
//!
//! Its ends are carried over each operation. What is inserted at an end is not part of it; what is
//! inserted within is. When nothing of it is left, it is gone for good, also if somebody types the
//! same again.

use ot_core::{Assoc, Revision};

use super::replay::{Log, Place, Replayed};
use super::{Histories, HistoryError, check_reached};
use crate::store::{DocumentRecord, LoggedOperation};

/// What has become of a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Located {
    /// It is here, in scalar values.
    At { start: usize, end: usize },
    /// The last of it was deleted at this revision.
    Gone(Revision),
}

impl Located {
    /// Where it is behind an operation.
    fn carried(self, logged: &LoggedOperation) -> Self {
        let Located::At { start, end } = self else { return self };
        let start = logged.operation.transform_offset(start, Assoc::After);
        let end = logged.operation.transform_offset(end, Assoc::Before);
        if start < end { Located::At { start, end } } else { Located::Gone(logged.revision) }
    }
}

impl Replayed for Located {
    fn carry_out(&mut self, operations: Vec<LoggedOperation>) -> Result<(), String> {
        *self = operations.iter().fold(*self, |located, logged| located.carried(logged));
        Ok(())
    }
}

impl Histories {
    /// Where the stretch from `start` to `end` of the text at `from` is at `to`. Offsets behind the
    /// end of that text are taken as its end.
    pub(crate) async fn locate(
        &self,
        record: &DocumentRecord,
        (from, start, end): (Revision, usize, usize),
        to: Revision,
    ) -> Result<Located, HistoryError> {
        check_reached(record, from.max(to))?;
        let asked = Located::At { start, end };
        if from >= to {
            return Ok(asked);
        }
        let _place = self.jobs.enter().await?;
        let log = Log::new(&self.store, record);
        let from = Place { revision: from, chain: None };
        let (located, _) = log.replay(from, to, asked, u64::MAX, |_, _| {}).await?;
        Ok(located)
    }
}
