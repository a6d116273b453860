//! The public editing-trace format (josephg/editing-traces): JSON, sequential or concurrent.

use ot_core::{Operation, Text};
use serde::Deserialize;

use super::merge::{Merge, Seen, Ties, seen};
use super::time::read_time;

/// Agents of one trace, at most: each has a list of what they have not seen.
const AGENTS_MAX: usize = 64;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    start_content: String,
    end_content: String,
    txns: Vec<RawTransaction>,
}

#[derive(Deserialize)]
struct RawTransaction {
    parents: Option<Vec<usize>>,
    #[serde(default)]
    agent: usize,
    time: Option<String>,
    patches: Vec<(usize, usize, String)>,
}

/// What somebody did at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Transaction {
    pub(super) agent: usize,
    /// The transactions whose merge was the text before.
    pub(super) parents: Vec<usize>,
    pub(super) time_ms: Option<i64>,
    /// Offset, characters deleted there, text inserted there.
    pub(super) patches: Vec<(usize, usize, String)>,
}

/// A trace, understood.
pub(super) struct Trace {
    start: String,
    end: String,
    transactions: Vec<Transaction>,
    seen: Seen,
    agents: usize,
    ties: Ties,
}

/// A step of a trace.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) agent: usize,
    pub(super) time_ms: Option<i64>,
    pub(super) operation: Operation,
}

impl Trace {
    /// Reads a trace, and makes sure that it ends with the text that it says.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let file: File = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let mut transactions = Vec::with_capacity(file.txns.len());
        for (index, raw) in file.txns.into_iter().enumerate() {
            // Without parents everything follows what comes before it.
            let parents = raw.parents.unwrap_or_else(|| index.checked_sub(1).into_iter().collect());
            let time_ms = raw.time.as_deref().and_then(read_time).filter(|time_ms| *time_ms > 0);
            let (agent, patches) = (raw.agent, raw.patches);
            transactions.push(Transaction { agent, parents, time_ms, patches });
        }
        let agents =
            transactions.iter().map(|one| one.agent).max().map_or(1, |last| last.saturating_add(1));
        if agents > AGENTS_MAX {
            return Err(format!("it has {agents} agents, at most {AGENTS_MAX} can be merged"));
        }
        let seen = seen(&transactions, agents)?;
        let (start, end, ties) = (file.start_content, file.end_content, Ties::ByOrder);
        let mut trace = Trace { start, end, transactions, seen, agents, ties };
        if !trace.ends_as_it_says()? {
            trace.ties = Ties::ByAgent;
            if !trace.ends_as_it_says()? {
                return Err("its changes do not lead to the text it says it ends with".to_owned());
            }
        }
        Ok(trace)
    }

    fn ends_as_it_says(&self) -> Result<bool, String> {
        let mut text = Text::new();
        for step in self.steps() {
            text.apply(&step?.operation).map_err(|error| error.to_string())?;
        }
        Ok(text.contents() == self.end)
    }

    /// How many people wrote.
    pub(super) fn agents(&self) -> usize {
        self.agents
    }

    /// The earliest time that it names.
    pub(super) fn began_ms(&self) -> Option<i64> {
        self.transactions.iter().filter_map(|one| one.time_ms).min()
    }

    /// How many steps it has.
    pub(super) fn len(&self) -> u64 {
        let patches: usize = self.transactions.iter().map(|one| one.patches.len()).sum();
        patches as u64 + u64::from(!self.start.is_empty())
    }

    /// Each patch as an operation, in one order; the text that it starts with comes first.
    pub(super) fn steps(&self) -> impl Iterator<Item = Result<Step, String>> {
        let start = (!self.start.is_empty()).then(|| {
            let operation = Operation::splice(0, 0, 0, &self.start);
            let operation = operation.map_err(|error| error.to_string())?;
            let time_ms = self.transactions.first().and_then(|first| first.time_ms);
            Ok(Step { agent: 0, time_ms, operation })
        });
        let mut merge = Merge::new(self.agents, self.start.chars().count(), self.ties);
        let transactions = self.transactions.iter().zip(&self.seen).enumerate();
        let patches = transactions.flat_map(|(index, (transaction, seen))| {
            let patches = transaction.patches.iter().enumerate();
            patches.map(move |(patch_index, patch)| (index, transaction, seen, patch_index, patch))
        });
        let steps = patches.map(move |(index, transaction, seen, patch_index, patch)| {
            let agent = transaction.agent;
            let made = if patch_index == 0 { merge.begin(agent, seen) } else { Ok(()) };
            let operation =
                made.and_then(|()| merge.patch(agent, (patch.0, patch.1, patch.2.as_str())));
            let operation = operation.map_err(|reason| format!("transaction {index}: {reason}"))?;
            Ok(Step { agent, time_ms: transaction.time_ms, operation })
        });
        start.into_iter().chain(steps)
    }
}
